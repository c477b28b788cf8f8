"""MLIC++ (2024 and 2023) and LoC-LIC: one entropy model, transforms of different widths.

Sources: W. Jiang et al., arXiv:2307.15421, and A. Ameen et al., "LoC-LIC: Low Complexity Learned Image Coding Using
Hierarchical Feature Transforms", each as released. State-dict names are the authors'. The latent y is coded in ten
slices of 32 channels, and each slice in two halves: anchors first, then the other positions of the checkerboard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from compressai.models import CompressionModel
from torch import Tensor, nn

from .checkerboard import ANCHOR, NON_ANCHOR, only, squeeze, unsqueeze
from .coding import FactorizedPrior, SymbolReader, SymbolWriter, scale_indexes
from .context import CONTEXT, SLICE, GlobalInterContext, GlobalIntraContext, LocalContext, window_mask
from .layers import ResidualBlock, ResidualBlockDown, ResidualBlockUp, conv1, conv3, straight_through, subpixel3

LATENT = 320
SLICES = LATENT // SLICE

Coder = Callable[[int, int, Tensor, Tensor], Tensor]
"""Slice number, class, scales and means of its positions (squeezed) to their dequantised values."""


@dataclass(frozen=True)
class Variant:
    """Channels at 1/2, 1/4 and 1/8 of the picture's size, channels of z, and the version of 2023 or a later one."""

    widths: tuple[int, int, int]
    hyper_width: int
    of_2023: bool = False


VARIANTS: Mapping[str, Variant] = {
    "loc-lic": Variant((32, 64, 128), 128),
    "mlicpp": Variant((192, 192, 192), 192),
    "mlicpp-2023": Variant((192, 192, 192), 192, of_2023=True),
}


def variant_of(state: Mapping[str, Tensor]) -> str | None:
    """The name of the variant whose weights a state dict (as `checkpoints.normalise` gives it) holds, or None."""
    first = state.get("g_a.analysis_transform.0.conv1.weight")
    residual = state.get("lrp_anchor.0.lrp_transform.0.weight")
    if first is None or residual is None:
        return None
    return {(32, 224): "loc-lic", (192, 224): "mlicpp", (192, 272): "mlicpp-2023"}.get((len(first), len(residual)))


class Stack(nn.Module):
    """Layers in a row under the attribute name that the authors gave them."""

    def __init__(self, name: str, *layers: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        """All layers, one after the other."""
        return cast(Tensor, getattr(self, self.name)(x))


class Transform(Stack):
    """A stack that runs channels-last, which spares its large convolutions a tenth of their time.

    The last layer runs in the plain layout, the one the authors' y and x_hat were made in: summing y in another order
    would move values that lie on a rounding tie.
    """

    def forward(self, x: Tensor) -> Tensor:
        """All layers, one after the other; the result is contiguous."""
        *large, last = getattr(self, self.name)
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in large:
            x = layer(x)
        return cast(Tensor, last(x.contiguous()))


def _with_gelu(*layers: nn.Module) -> list[nn.Module]:
    """The layers with a GELU between each two."""
    spaced = [module for layer in layers for module in (layer, nn.GELU())]
    return spaced[:-1]


def _analysis(variant: Variant) -> Transform:
    half, quarter, eighth = variant.widths
    return Transform(
        "analysis_transform",
        ResidualBlockDown(3, half),
        ResidualBlock(half, half),
        ResidualBlockDown(half, quarter),
        ResidualBlock(quarter, quarter),
        ResidualBlockDown(quarter, eighth),
        ResidualBlock(eighth, eighth),
        conv3(eighth, LATENT, stride=2),
    )


def _synthesis(variant: Variant) -> Transform:
    half, quarter, eighth = variant.widths
    first = eighth if variant.of_2023 else LATENT
    return Transform(
        "synthesis_transform",
        ResidualBlock(LATENT, first),
        ResidualBlockUp(first, eighth),
        ResidualBlock(eighth, quarter),
        ResidualBlockUp(quarter, quarter),
        ResidualBlock(quarter, half),
        ResidualBlockUp(half, half),
        ResidualBlock(half, half),
        subpixel3(half, 3),
    )


def _hyper_analysis(width: int) -> Stack:
    layers = (conv3(LATENT, width), conv3(width, width), conv3(width, width, stride=2))
    return Stack("reduction", *_with_gelu(*layers, conv3(width, width), conv3(width, width, stride=2)))


def _hyper_synthesis(width: int) -> Stack:
    layers = (conv3(width, LATENT), subpixel3(LATENT, LATENT), conv3(LATENT, 480), subpixel3(480, 480))
    return Stack("increase", *_with_gelu(*layers, conv3(480, 2 * LATENT)))


def _channel_context(earlier: int) -> Stack:
    layers = (conv3(SLICE * earlier, 192), conv3(192, 2 * CONTEXT), conv3(2 * CONTEXT, 2 * CONTEXT))
    return Stack("fushion", *_with_gelu(*layers))  # spelt so in every checkpoint


def _parameters(inputs: int) -> Stack:
    layers = (conv1(inputs, 320), conv1(320, 256), conv1(256, 128), conv1(128, 2 * SLICE))
    return Stack("fusion", *_with_gelu(*layers))


class ResidualPrediction(Stack):
    """Predicts the rounding error of a slice from the hyper-prior, the slices before it and itself."""

    def forward(self, x: Tensor) -> Tensor:
        """At most half a step in either direction."""
        return 0.5 * torch.tanh(super().forward(x))


def _residual_prediction(earlier: int, of_2023: bool) -> ResidualPrediction:
    inputs = LATENT + SLICE * (earlier + 1)
    if of_2023:  # four layers whose widths fall evenly from the inputs' to the slice's
        step = (inputs - SLICE) // 4
        widths = [inputs, inputs - step, inputs - 2 * step, inputs - 3 * step, SLICE]
    else:
        widths = [inputs, 224, 128, SLICE]
    layers = [conv3(a, b) for a, b in pairwise(widths)]
    return ResidualPrediction("lrp_transform", *_with_gelu(*layers))


class MLIC(CompressionModel):  # type: ignore[misc]
    """The network of one variant, in CompressAI's shape; height and width must be multiples of 64.

    Two savings leave every result as it is: the networks of the Gaussian's parameters, and the local context, are
    evaluated at the half of the positions whose results are used; and the encoder leaves out the residual prediction
    after the last symbol. `as_published = True` does all that the authors' code does, for counting it.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        earlier = range(1, SLICES)
        self.as_published = False
        self.g_a = _analysis(variant)
        self.h_a = _hyper_analysis(variant.hyper_width)
        self.entropy_bottleneck = FactorizedPrior(variant.hyper_width)
        self.h_s = _hyper_synthesis(variant.hyper_width)
        self.local_context = nn.ModuleList(LocalContext() for _ in range(SLICES))
        self.channel_context = nn.ModuleList([None, *(_channel_context(i) for i in earlier)])  # type: ignore[list-item]
        self.global_inter_context = nn.ModuleList([None, *(GlobalInterContext(i) for i in earlier)])  # type: ignore[list-item]
        self.global_intra_context = nn.ModuleList([None, *(GlobalIntraContext() for _ in earlier)])  # type: ignore[list-item]
        # Hyper-prior (640), then what earlier slices say (inter 64, channel 128), then what the anchors say (64, 64).
        self.entropy_parameters_anchor = nn.ModuleList(_parameters(832 if i else 640) for i in range(SLICES))
        self.entropy_parameters_nonanchor = nn.ModuleList(_parameters(960 if i else 704) for i in range(SLICES))
        self.lrp_anchor = nn.ModuleList(_residual_prediction(i, variant.of_2023) for i in range(SLICES))
        self.lrp_nonanchor = nn.ModuleList(_residual_prediction(i, variant.of_2023) for i in range(SLICES))
        self.g_s = _synthesis(variant)
        self.gaussian_conditional = GaussianConditional(None)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self.g_a(x)
        z = self.h_a(y)
        _, z_likelihoods = self.entropy_bottleneck(z)
        z_hat = straight_through(z, self.entropy_bottleneck.medians())
        slices = y.chunk(SLICES, dim=1)
        likelihoods = [torch.zeros_like(part) for part in slices]

        def estimate(i: int, parity: int, scales: Tensor, means: Tensor) -> Tensor:
            values = squeeze(slices[i], parity)
            _, likelihood = self.gaussian_conditional(values, scales, means)
            likelihoods[i] = likelihoods[i] + unsqueeze(likelihood, parity)
            return straight_through(values, means)

        y_hat = self._code(self.h_s(z_hat), estimate)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": torch.cat(likelihoods, dim=1), "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": [[y], [z, ...]], "shape": (H/64, W/64)}; all pictures of a batch share y's string."""
        y = self.g_a(x)
        z_strings, z_hat = self.entropy_bottleneck.write(self.h_a(y))
        slices = y.chunk(SLICES, dim=1)
        writer = SymbolWriter(self.gaussian_conditional)

        def write(i: int, parity: int, scales: Tensor, means: Tensor) -> Tensor:
            symbols = torch.round(squeeze(slices[i], parity) - means).int()
            writer.write(symbols, scale_indexes(scales, self.gaussian_conditional.scale_table))
            return symbols + means

        self._code(self.h_s(z_hat), write, reconstructs=self.as_published)
        return {"strings": [[writer.finish()], z_strings], "shape": tuple(z_hat.shape[-2:])}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, not clipped."""
        (y_string,), z_strings = strings
        z_hat = self.entropy_bottleneck.read(z_strings, shape)
        reader = SymbolReader(self.gaussian_conditional, y_string)

        def read(_i: int, _parity: int, scales: Tensor, means: Tensor) -> Tensor:
            return reader.read(scale_indexes(scales, self.gaussian_conditional.scale_table)) + means

        return {"x_hat": self.g_s(self._code(self.h_s(z_hat), read))}

    def _code(self, hyper: Tensor, code: Coder, reconstructs: bool = True) -> Tensor:
        """The one walk through all slices that estimating, encoding and decoding share; returns y_hat.

        Without `reconstructs` the refinement after the last symbol is left out, and y_hat is not complete.
        """
        height, width = hyper.shape[-2:]
        hyper_mean = hyper[:, LATENT:]
        attended = (NON_ANCHOR,) if not self.as_published else (NON_ANCHOR, ANCHOR)
        masks = {parity: window_mask(height, width, parity, hyper) for parity in attended}
        decoded: list[Tensor] = []
        for i in range(SLICES):
            shared = [hyper]
            if i:
                earlier = torch.cat(decoded, dim=1)
                shared = [self.global_inter_context[i](earlier), self.channel_context[i](earlier), hyper]
            scales, means = self._gaussian(self.entropy_parameters_anchor[i], shared, ANCHOR)
            current = unsqueeze(code(i, ANCHOR, scales, means), ANCHOR)
            current = current + self._refinement(self.lrp_anchor[i], [hyper_mean, *decoded, current], ANCHOR)

            local = dict(zip(masks, self.local_context[i](current, masks), strict=True))
            if i:
                shared = [self.global_intra_context[i](decoded[-1], current), *shared]
            scales, means = self._gaussian(self.entropy_parameters_nonanchor[i], shared, NON_ANCHOR, local)
            current = current + unsqueeze(code(i, NON_ANCHOR, scales, means), NON_ANCHOR)
            if reconstructs or i < SLICES - 1:
                inputs = [hyper_mean, *decoded, current]
                current = current + self._refinement(self.lrp_nonanchor[i], inputs, NON_ANCHOR)
            decoded.append(current)
        return torch.cat(decoded, dim=1)

    def _gaussian(
        self, network: nn.Module, grids: list[Tensor], parity: int, halves: Mapping[int, Tensor] | None = None
    ) -> tuple[Tensor, ...]:
        """Scales and means at one class of positions, squeezed.

        From contexts on the grid and, before them, a context that is given squeezed for one class or both.
        """
        halves = halves or {}
        if not self.as_published:
            inputs = [half for owner, half in halves.items() if owner == parity]
            inputs += [squeeze(grid, parity) for grid in grids]
            parameters = network(torch.cat(inputs, dim=1))
        else:
            whole = [torch.stack([unsqueeze(half, owner) for owner, half in halves.items()]).sum(0)] if halves else []
            parameters = squeeze(network(torch.cat([*whole, *grids], dim=1)), parity)
        return cast(tuple[Tensor, ...], parameters.chunk(2, dim=1))

    @staticmethod
    def _refinement(network: nn.Module, inputs: list[Tensor], parity: int) -> Tensor:
        """The predicted rounding error at one class of positions, zero elsewhere."""
        return only(network(torch.cat(inputs, dim=1)), parity)
