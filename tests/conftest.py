"""What several tests need: small pictures on disk, a cache of their own, and a number of threads.

LIC_BENCH_TEST_THREADS says how many threads torch has in the tests, 1 by default. The tests pass with any number: what
float32 rounds differently with more threads is not what they compare. Hypothesis draws the same examples on every
machine; `pytest --hypothesis-profile default` draws others.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.pictures import picture
from hypothesis import settings
from PIL import Image as pillow

settings.register_profile("same-examples", derandomize=True)
settings.load_profile("same-examples")


@pytest.fixture(autouse=True, scope="session")
def _threads() -> None:
    import torch

    torch.set_num_threads(int(os.environ.get("LIC_BENCH_TEST_THREADS", "1")))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty cache; none reads or fills the user's or another test's."""
    monkeypatch.setenv("LIC_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures of 96x32 and one of 40x56."""
    place = tmp_path / "pictures"
    place.mkdir()
    for name, width, height in (("a.png", 96, 32), ("b.png", 96, 32), ("c.png", 40, 56)):
        pillow.fromarray(picture(width, height, seed=ord(name[0]))).save(place / name)
    return place


@pytest.fixture(scope="session")
def kodak() -> Path:
    """The folder that holds Kodak's 24 pictures, or a skip."""
    root = os.environ.get("LIC_BENCH_DATA")
    for place in (Path(root) / "kodak", Path(root)) if root else ():
        if (place / "kodim01.png").is_file():
            return place.parent if place.name == "kodak" else place
    pytest.skip("KODAK IS NOT HERE: set LIC_BENCH_DATA to the folder that holds kodak/ to run this test")
