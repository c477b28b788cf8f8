"""What several tests need: small pictures on disk, and a number of threads.

LIC_BENCH_TEST_THREADS says how many threads torch has in the tests; it is 1 where nothing is said. The tests pass with
any number: what float32 rounds differently with more threads is not what they compare.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow


@pytest.fixture(autouse=True, scope="session")
def _threads() -> None:
    import torch

    torch.set_num_threads(int(os.environ.get("LIC_BENCH_TEST_THREADS", "1")))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Torch has this number of threads inside, and afterwards the number from before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("LIC_BENCH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A picture with smooth parts and some noise, uint8, height x width x 3."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 80 * np.sin(rows / (7 + c) + seed) + 40 * np.cos(columns / (11 - 2 * c)) for c in range(3)]
    noise = np.random.default_rng(seed).normal(0, 4, (height, width, 3))
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


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
    """The folder that holds Kodak's 24 pictures, or a loud skip."""
    root = os.environ.get("LIC_BENCH_DATA")
    for place in (Path(root) / "kodak", Path(root)) if root else ():
        if (place / "kodim01.png").is_file():
            return place.parent if place.name == "kodak" else place
    pytest.skip("KODAK IS NOT HERE: set LIC_BENCH_DATA to the folder that holds kodak/ to run this test")
