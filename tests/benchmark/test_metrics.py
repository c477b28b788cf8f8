"""Pictures in, numbers out; expected numbers from arithmetic, scikit-image and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from helpers.pictures import picture
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from lic_bench.benchmark import metrics


def test_one_level_of_error_everywhere_is_48_dB() -> None:
    dark = np.zeros((4, 5, 3), np.uint8)
    assert metrics.psnr(dark, dark + 1) == pytest.approx(20 * math.log10(255), abs=1e-12)


def test_equal_pictures_are_infinitely_good() -> None:
    same = picture(20, 10)
    assert metrics.psnr(same, same.copy()) == math.inf


def test_errors_do_not_wrap_around_at_8_bit() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert metrics.psnr(black, white) == metrics.psnr(white, black) == 0.0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10_000))
def test_psnr_is_scikit_images(width: int, height: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    assert metrics.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(11, 14), st.integers(11, 14), st.floats(1, 40), st.integers(0, 1000))
def test_ms_ssim_is_torchmetrics(columns: int, rows: int, noise: float, seed: int) -> None:
    # Sides that halve four times without rest: on others the two libraries treat the border of a scale differently.
    original = picture(16 * columns, 16 * rows, seed)
    rng = np.random.default_rng(seed)
    decoded = np.clip(original + rng.normal(0, noise, original.shape), 0, 255).round().astype(np.uint8)
    # The channels as a batch: the product over scales is taken per channel, then averaged. Given RGB at once
    # torchmetrics averages over channels before the product, which is another figure (up to 2e-4 away).
    a, b = (torch.from_numpy(x).permute(2, 0, 1)[:, None].double() for x in (decoded, original))
    expected = multiscale_structural_similarity_index_measure(
        a, b, data_range=255.0, gaussian_kernel=True, sigma=1.5, kernel_size=11, normalize="relu"
    )
    assert metrics.ms_ssim(original, decoded) == pytest.approx(float(expected), abs=1e-4)


def test_ms_ssim_needs_both_sides_above_160() -> None:
    assert metrics.ms_ssim(picture(160, 300), picture(160, 300)) is None
    assert metrics.ms_ssim(picture(161, 161), picture(161, 161)) == pytest.approx(1)


def test_pictures_of_two_sizes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        metrics.psnr(picture(4, 4), picture(5, 4))


def test_the_diagonal_of_the_channel_errors_is_the_mse() -> None:
    flat = np.zeros((3, 4, 3), np.uint8) + np.array([10, 20, 40], np.uint8)
    assert metrics.channel_mse(flat, flat) == ((0, 100, 900), (100, 0, 400), (900, 400, 0))
    a, b = picture(40, 24), picture(40, 24, seed=3)
    errors = metrics.channel_mse(a, b)
    assert np.trace(errors) / 3 == pytest.approx(metrics.mse(a, b))
    with pytest.raises(ValueError, match="cannot compare"):
        metrics.channel_mse(a, b[:-1])
