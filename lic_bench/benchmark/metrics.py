"""Scores of a decoded picture against its original. Pictures are uint8, height x width x 3."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lic_bench.codec import Image
from lic_bench.records import Agreement, AgreementKind
from lic_bench.registry import metrics

MS_SSIM_SMALLEST_SIDE = 161
"""Five scales with an 11x11 window need both sides above 160 pixels."""


def mse(original: Image, decoded: Image) -> float:
    """Mean squared error in float64 over all channels and pixels. Raises ValueError when the shapes differ."""
    return mean_error(channel_mse(original, decoded))


def mean_error(errors: Sequence[Sequence[float]]) -> float:
    """The MSE over all channels: the mean of the diagonal of `channel_mse`."""
    return sum(errors[channel][channel] for channel in range(len(errors))) / len(errors)


def psnr(original: Image, decoded: Image) -> float:
    """Peak signal-to-noise ratio in dB over 8-bit RGB, 10 log10(255^2 / MSE); infinite for equal pictures."""
    return psnr_of(mse(original, decoded))


def psnr_of(error: float) -> float:
    """The PSNR in dB of a mean squared error in 8-bit steps; infinite for 0."""
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def channel_mse(original: Image, decoded: Image) -> tuple[tuple[float, ...], ...]:
    """Mean squared error between channel i of the original (rows) and channel j of the decoded picture (columns).

    3 x 3, in squared 8-bit steps; the mean of the diagonal is the MSE that PSNR is made of. From sums of products,
    which are integers below 2^53 and so exact in float64. Raises ValueError when the shapes differ.
    """
    if original.shape != decoded.shape:
        raise ValueError(f"cannot compare pictures of {original.shape} and {decoded.shape}")
    pixels = original.shape[0] * original.shape[1]
    ours, theirs = (np.array(picture.reshape(pixels, -1).T, np.float64, order="C") for picture in (original, decoded))
    squares = np.einsum("cp,cp->c", ours, ours)[:, None] + np.einsum("cp,cp->c", theirs, theirs)
    errors: list[list[float]] = ((squares - 2 * ours @ theirs.T) / pixels).tolist()
    return tuple(tuple(row) for row in errors)


def ms_ssim(original: Image, decoded: Image) -> float | None:
    """Multi-scale structural similarity, 0 to 1, on the rounded pictures, or None where a side is 160 or less.

    11x11 Gaussian window of sigma 1.5, five scales, data range 255 (Wang, Simoncelli, Bovik, Asilomar 2003), by
    pytorch-msssim: the product over scales per channel, then the mean over channels. Negative contrast terms are
    clamped at zero there, so that the product stays real.
    """
    if original.shape != decoded.shape:
        raise ValueError(f"cannot compare pictures of {original.shape} and {decoded.shape}")
    if min(original.shape[:2]) < MS_SSIM_SMALLEST_SIDE:
        return None
    import torch
    from pytorch_msssim import ms_ssim as by_library

    a, b = (torch.tensor(np.ascontiguousarray(x)).permute(2, 0, 1)[None].float() for x in (original, decoded))
    return float(by_library(a, b, data_range=255))


def agreement(expected: Image, decoded: Image) -> Agreement:
    """How a picture decoded by another process or device compares with the expected one."""
    if decoded.shape != expected.shape or decoded.dtype != expected.dtype:
        return Agreement(AgreementKind.SIZE_DIFFERS)
    largest = int(np.abs(decoded.astype(np.int16) - expected.astype(np.int16)).max(initial=0))
    return Agreement(AgreementKind.PIXELS_DIFFER, largest) if largest else Agreement(AgreementKind.EXACT)


def scores(keys: Sequence[str], original: Image, decoded: Image) -> tuple[dict[str, float | None], Mapping[str, str]]:
    """The scores of registered metrics by name, and by name why those failed that are None for that."""
    found: dict[str, float | None] = {}
    failed: dict[str, str] = {}
    for key in keys:
        name = metrics.name(key)
        found[name] = None
        try:
            found[name] = _number(metrics.get(key).call(original.copy(), decoded.copy()))
        except Exception as error:  # a user-supplied metric may fail in any way, and must not stop the others
            failed[name] = f"{type(error).__name__}: {error}"
    return found, failed


def _number(value: Any) -> float | None:
    """A score as a plain number; TypeError or ValueError for what is none."""
    if value is None:
        return None
    if isinstance(value, str | bytes | bool):
        raise TypeError(f"returned {value!r}, which is no number")
    number = float(value)
    if math.isnan(number):
        raise ValueError("returned not a number (nan)")
    return number
