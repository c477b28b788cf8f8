"""One forkserver with the heavy packages for all examinations, and no files left behind by the faulty codecs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from helpers import faulty_codecs

from lic_bench.benchmark.executors.processes import process_context
from lic_bench.registry import codecs
from lic_bench.registry.isolation import Processes


@pytest.fixture(scope="session")
def forkserver() -> None:
    """The server of fresh processes imports the heavy packages, outside of any test's time limit."""
    assert list(Processes(process_context((codecs.get("demo-factorized"),)), None).run(os.getpid))


@pytest.fixture
def _no_side_files() -> Iterator[None]:
    yield
    for path in faulty_codecs.SIDE_FILE.parent.glob(f"{faulty_codecs.SIDE_FILE.stem}.*"):
        path.unlink()
