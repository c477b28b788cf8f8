"""A server to download from, on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.file_server import Served, serving

from lic_bench.assets import hosts


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host is tried anew, and this machine without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hosts.forget()


@pytest.fixture
def served() -> Iterator[Served]:
    """A running server; its content can be changed."""
    with serving(bytes(range(256)) * 4000) as running:
        yield running
