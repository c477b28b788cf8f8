"""DCAE: transforms of bottleneck blocks and window transformers; each slice of the latent looks into a dictionary.

Source: J. Lu, L. Zhang, X. Zhou, M. Li, W. Li, S. Gu, "Learned Image Compression with Dictionary-based Entropy Model",
CVPR 2025, arXiv:2504.00496, as released (https://github.com/CVL-UESTC/DCAE, MIT). State-dict names are the authors'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

from lic_bench.errors import WeightsError

from .coding import FactorizedPrior, PictureByPicture, SymbolReader, SymbolWriter, scale_indexes
from .dcae_blocks import BottlenecksDown, BottlenecksUp, DictionaryAttention, Transformer
from .layers import conv3, straight_through
from .tcm import LATENT, SLICE, SLICES, Coder, slice_transform

HEAD_WIDTHS = (8, 16, 32)
"""Of the transformers at 1/2, 1/4 and 1/8 of the picture's sides."""

HYPER_HEAD_WIDTH = 32


@dataclass(frozen=True)
class Size:
    """Widths and depths at 1/2, 1/4 and 1/8 of the picture's sides; the hyper width; the dictionary's entries."""

    widths: tuple[int, ...] = (96, 144, 256)
    depths: tuple[int, ...] = (1, 2, 12)
    hyper: int = 192
    entries: int = 128
    entry_width: int = 640


def size_of(state: Mapping[str, Tensor], origin: str) -> Size:
    """The size of a checkpoint's network; WeightsError when it is of another kind."""
    needed = ("dt", "h_a.2.weight", *(f"g_a.{stage}.conv.weight" for stage in (0, 2, 4)))
    for name in needed:
        if name not in state or state[name].ndim not in (2, 4):
            raise WeightsError(f"{origin} is not a checkpoint of DCAE: there is no {name} in it.")
    layers = {tuple(name.split(".")[:4]) for name in state if name.startswith("g_a.") and ".layers." in name}
    depths = Counter(stage for _, stage, _, _ in layers)
    widths = tuple(state[f"g_a.{stage}.conv.weight"].shape[0] for stage in (0, 2, 4))
    entries, entry_width = state["dt"].shape
    return Size(widths, tuple(depths[s] for s in "135"), state["h_a.2.weight"].shape[0], entries, entry_width)


def _stages(size: Size) -> list[nn.Module]:
    return [Transformer(*stage) for stage in zip(size.widths, size.depths, HEAD_WIDTHS, strict=True)]


def _analysis(size: Size) -> nn.Sequential:
    down = [BottlenecksDown(*pair) for pair in zip((3, *size.widths), size.widths, strict=False)]
    paired = [layer for pair in zip(down, _stages(size), strict=True) for layer in pair]
    return nn.Sequential(*paired, conv(size.widths[-1], LATENT))


def _synthesis(size: Size) -> nn.Sequential:
    up = [BottlenecksUp(*pair) for pair in zip(size.widths, (3, *size.widths), strict=False)]
    paired = [layer for pair in zip(_stages(size)[::-1], up[::-1], strict=True) for layer in pair]
    return nn.Sequential(deconv(LATENT, size.widths[-1]), *paired)


def _hyper_analysis(width: int) -> nn.Sequential:
    middle = Transformer(width, 1, HYPER_HEAD_WIDTH, window=4)
    return nn.Sequential(BottlenecksDown(LATENT, width), middle, conv3(width, width, stride=2))


def _hyper_synthesis(width: int) -> nn.Sequential:
    middle = Transformer(width, 1, HYPER_HEAD_WIDTH, window=4)
    return nn.Sequential(deconv(width, width, kernel_size=3), middle, BottlenecksUp(width, LATENT))


def _transforms(widths: Iterable[int]) -> nn.ModuleList:
    return nn.ModuleList(slice_transform(width) for width in widths)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


class DCAE(PictureByPicture):
    """The network, in CompressAI's shape; height and width must be multiples of 128.

    The encoder leaves out the residual prediction after the last symbol, which changes nothing; with
    `as_published = True` it is made, as in the authors' code, for counting it.
    """

    def __init__(self, size: Size | None = None) -> None:
        super().__init__()
        size = size or Size()
        known = [2 * LATENT + SLICE * i for i in range(SLICES)]  # the hyper-prior's maps and the slices before
        support = [width + LATENT for width in known]
        self.as_published = False
        self.dt = nn.Parameter(torch.randn(size.entries, size.entry_width))
        self.dt_cross_attention = nn.ModuleList(DictionaryAttention(width, size.entry_width) for width in known)
        self.g_a = _analysis(size)
        self.g_s = _synthesis(size)
        self.h_a = _hyper_analysis(size.hyper)
        self.h_z_s1 = _hyper_synthesis(size.hyper)
        self.h_z_s2 = _hyper_synthesis(size.hyper)
        self.cc_mean_transforms = _transforms(support)
        self.cc_scale_transforms = _transforms(support)
        self.lrp_transforms = _transforms(width + SLICE for width in support)
        self.entropy_bottleneck = FactorizedPrior(size.hyper)
        self.gaussian_conditional = GaussianConditional(None)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self.g_a(_channels_last(x))
        z = self.h_a(y)
        _, z_likelihoods = self.entropy_bottleneck(z)
        slices = y.split(SLICE, dim=1)
        likelihoods = []

        def estimate(i: int, scales: Tensor, means: Tensor) -> Tensor:
            likelihoods.append(self.gaussian_conditional(slices[i], scales, means)[1])
            return straight_through(slices[i], means)

        decoded = self._code(straight_through(z, self.entropy_bottleneck.medians()), estimate)
        likelihood = {"y": torch.cat(likelihoods, dim=1), "z": z_likelihoods}
        return {"x_hat": self.g_s(torch.cat(decoded, dim=1)), "likelihoods": likelihood}

    def compress_picture(self, x: Tensor) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """One picture, 1 x 3 x H x W, to the strings of y and z and the height and width of z."""
        y = self.g_a(_channels_last(x))
        (z_string,), z_hat = self.entropy_bottleneck.write(self.h_a(y))
        slices = y.split(SLICE, dim=1)
        writer = SymbolWriter(self.gaussian_conditional)

        def write(i: int, scales: Tensor, means: Tensor) -> Tensor:
            symbols = torch.round(slices[i] - means).int()
            writer.write(symbols, scale_indexes(scales, self.gaussian_conditional.scale_table))
            return symbols + means

        self._code(z_hat, write, completes=self.as_published)
        return (writer.finish(), z_string), tuple(z_hat.shape[-2:])

    def decompress_picture(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """The strings and the shape that `compress_picture` gave to the reconstruction, not clipped."""
        y_string, z_string = strings
        reader = SymbolReader(self.gaussian_conditional, y_string)

        def read(_i: int, scales: Tensor, means: Tensor) -> Tensor:
            return reader.read(scale_indexes(scales, self.gaussian_conditional.scale_table)) + means

        decoded = self._code(self.entropy_bottleneck.read([z_string], shape), read)
        return cast(Tensor, self.g_s(torch.cat(decoded, dim=1)))

    def _code(self, z_hat: Tensor, code: Coder, completes: bool = True) -> list[Tensor]:
        """The one walk through all slices that estimating, encoding and decoding share; returns the slices of y_hat.

        Unless it `completes` y_hat, the last slice is left out. Layouts are set here, and not by what made the symbols.
        """
        z_hat = _channels_last(z_hat)
        hyper = self.h_z_s1(z_hat), self.h_z_s2(z_hat)
        decoded: list[Tensor] = []
        for i in range(SLICES):
            known = torch.cat((*hyper, *decoded), dim=1)
            support = torch.cat((known, self.dt_cross_attention[i](known, self.dt)), dim=1)
            means, scales = self.cc_mean_transforms[i](support), self.cc_scale_transforms[i](support)
            values = _channels_last(code(i, scales, means))
            if completes or i < SLICES - 1:
                residual = self.lrp_transforms[i](torch.cat((support, values), dim=1))
                decoded.append(values + 0.5 * torch.tanh(residual))
        return decoded
