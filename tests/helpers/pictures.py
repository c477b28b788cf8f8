"""Small pictures for tests."""

from __future__ import annotations

import numpy as np


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A picture with smooth parts and some noise, uint8, height x width x 3."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 80 * np.sin(rows / (7 + c) + seed) + 40 * np.cos(columns / (11 - 2 * c)) for c in range(3)]
    noise = np.random.default_rng(seed).normal(0, 4, (height, width, 3))
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
