"""HPCM: the latent coded in eleven steps on three scales, each step's context handed to the next.

Source: Y. Li, H. Zhang, L. Li, D. Liu, "Learned Image Compression with Hierarchical Progressive Context Modeling",
ICCV 2025, arXiv:2507.19125, as released (https://github.com/lyq133/LIC-HPCM, MIT). State-dict names are the authors'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from .coding import SymbolReader, SymbolWriter, holds_data, scale_indexes
from .generalised_gaussian import GeneralisedGaussian, Tables, scale_table
from .hpcm_lattices import (
    LATTICE_1,
    LATTICE_2,
    coded_groups,
    misplaced_hyper,
    on_full_grid,
    pack,
    put,
    take,
    unpack,
    without,
)
from .hpcm_transforms import channels_last
from .hpcm_variants import TABLE_NAMES, Variant, parts


@dataclass(frozen=True)
class Step:
    """A step: which groups of channels it codes on its scale (`turn`), which adaptor of its scale and factors it uses.

    The first step of all takes its scales and means from the hyper-prior, without a network.
    """

    scale: int
    turn: int
    adaptor: int | None = None
    factors: int | None = None

    @property
    def groups(self) -> int:
        """The number of groups of channels on its scale."""
        return 1 << self.scale


# The adaptors of a scale start with the last one: trained weights have them so.
STEPS = (
    Step(1, 0),
    Step(1, 1, adaptor=0, factors=0),
    *(Step(2, turn, adaptor=(turn - 2) % 3, factors=turn) for turn in (1, 2, 3)),
    *(Step(3, turn, adaptor=(turn - 3) % 6, factors=turn + 2) for turn in (2, 3, 4, 5, 6, 7)),
)

Coder = Callable[[Step, Tensor, Tensor, Tensor], Tensor]
"""Step, groups coded at each position, and the scales and means of what is coded, packed, to its dequantised values."""


class HPCM(nn.Module):
    """The network of one variant, in CompressAI's shape; height and width must be multiples of 256.

    `forward` is the pass of evaluation; training's noise is left out. The authors' code refines the context after the
    last step too, which nothing uses; here only `as_published = True` does so, for counting it.
    """

    scale_table: Tensor
    g_a: nn.Module
    g_s: nn.Module
    h_a: nn.Module
    h_s: nn.Module
    y_spatial_prior_s1_s2: nn.Module
    y_spatial_prior_s3: nn.Module
    adaptive_params_list: nn.ParameterList
    context_net: nn.ModuleList

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.as_published = False
        self.latent = variant.latent
        self.attention = variant.attention
        self.means_hyper = nn.Parameter(torch.zeros(1, variant.hyper, 1, 1))
        self.scales_hyper = nn.Parameter(torch.ones(1, variant.hyper, 1, 1))
        for name in ("scale_table", *TABLE_NAMES):
            self.register_buffer(name, torch.empty(0))
        self.entropy_estimation = GeneralisedGaussian()
        for name, part in parts(variant).items():
            self.add_module(name, part)

    def update(self, force: bool = False) -> bool:
        """Make the coder's tables from the weights, unless they are there; True if they were made."""
        if len(self.scale_table) and not force:
            return False
        device = self.scales_hyper.device
        self.scale_table = scale_table().to(device)
        if not holds_data(self.scales_hyper):
            return False
        # In float32 whatever the network's type is: a table of another precision is another table.
        model = GeneralisedGaussian()
        z_scales = model.scale_lower_bound(self.scales_hyper.detach().float().cpu().flatten())
        for latent, scales in (("y", scale_table()), ("z", z_scales)):
            for name, table in vars(model.tables(scales)).items():
                setattr(self, f"{name}_{latent}", table.to(device))
        return True

    def tables(self, latent: str) -> Tables:
        """The coder's tables of "y" or "z"."""
        return Tables(*(getattr(self, f"{kind}_{latent}") for kind in ("quantized_cdf", "cdf_length", "offset")))

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_estimation(self.h_a(y), self.scales_hyper, self.means_hyper)
        grids = _by_scale(y)
        likelihoods = torch.zeros_like(y)

        def estimate(step: Step, groups: Tensor, scales: Tensor, means: Tensor) -> Tensor:
            values, likelihood = self.entropy_estimation(pack(grids[step.scale], groups, step.groups), scales, means)
            likelihoods.add_(on_full_grid(unpack(likelihood, groups, step.groups), step.scale))
            return cast(Tensor, values)

        y_hat = self._code(z_hat, estimate)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": likelihoods, "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": [[y], [z, ...]], "shape": (H/64, W/64)}; all pictures of a batch share y's string."""
        y = self.g_a(x)
        z_symbols = torch.round(self.h_a(y) - self.means_hyper).int().contiguous()  # as the decoder will have it
        z_strings = []
        for picture in z_symbols:
            z_writer = SymbolWriter(self.tables("z"))
            z_writer.write(picture, self._channels(picture.shape[-2:]))
            z_strings.append(z_writer.finish())
        grids = _by_scale(y)
        writer = SymbolWriter(self.tables("y"))

        def write(step: Step, groups: Tensor, scales: Tensor, means: Tensor) -> Tensor:
            symbols = torch.round(pack(grids[step.scale], groups, step.groups) - means).int()
            writer.write(symbols, scale_indexes(scales, self.scale_table))
            return symbols + means

        self._code(z_symbols + self.means_hyper, write)
        return {"strings": [[writer.finish()], z_strings], "shape": tuple(z_symbols.shape[-2:])}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, clipped to [0, 1]."""
        (y_string,), z_strings = strings
        channels = self._channels(shape)
        z_symbols = torch.stack([SymbolReader(self.tables("z"), string).read(channels) for string in z_strings])
        reader = SymbolReader(self.tables("y"), y_string)

        def read(_step: Step, _groups: Tensor, scales: Tensor, means: Tensor) -> Tensor:
            return reader.read(scale_indexes(scales, self.scale_table)) + means

        y_hat = self._code(z_symbols + self.means_hyper, read)
        return {"x_hat": self.g_s(y_hat).clamp(0, 1)}

    def _channels(self, size: Sequence[int]) -> Tensor:
        """The table of each symbol of z of one picture: its channel."""
        channels = torch.arange(self.means_hyper.shape[1], dtype=torch.int32, device=self.means_hyper.device)
        return channels.view(-1, 1, 1).expand(-1, *size)

    def _code(self, z_hat: Tensor, code: Coder) -> Tensor:
        """The one walk through all steps that estimating, encoding and decoding share; returns y_hat.

        The context has 2 M channels: at first the hyper-prior's scales and means, then what the steps make of them.
        """
        hyper = self.h_s(z_hat)
        hyper_2 = take(hyper, 2 * LATTICE_2)
        context = take(hyper_2, 2 * LATTICE_1)
        decoded = torch.zeros_like(context[:, : self.latent])
        for step in STEPS:
            if (step.scale, step.turn) == (2, 1):
                context = self.context_net[0](put(context, 2 * LATTICE_1) + misplaced_hyper(hyper_2, 2 * LATTICE_1))
                decoded = put(decoded, LATTICE_1)
            elif (step.scale, step.turn) == (3, 2):
                context = self.context_net[1](put(context, 2 * LATTICE_2) + without(hyper, 2 * LATTICE_2))
                decoded = put(decoded, LATTICE_2)
            parameters = self._scales_and_means(step, context, decoded)
            height, width = context.shape[-2:]
            groups = coded_groups(step.scale, step.turn, height, width, context.device)
            scales, means = (pack(half, groups, step.groups) for half in parameters.chunk(2, dim=1))
            decoded = decoded + unpack(code(step, groups, scales, means), groups, step.groups)
            if step is not STEPS[-1] or self.as_published:
                context = self._next_context(step, parameters, context)
        return decoded

    def _scales_and_means(self, step: Step, context: Tensor, decoded: Tensor) -> Tensor:
        """Scales and means of a step, B x 2 M x h x w."""
        if step.adaptor is None or step.factors is None:
            return context
        adaptor = self.get_submodule(f"y_spatial_prior_adaptor_list_s{step.scale}.{step.adaptor}")
        prior = self.y_spatial_prior_s3 if step.scale == 3 else self.y_spatial_prior_s1_s2
        known = channels_last(torch.cat((context, decoded), dim=1))
        return cast(Tensor, prior(adaptor(known), self.adaptive_params_list[step.factors]))

    def _next_context(self, step: Step, parameters: Tensor, context: Tensor) -> Tensor:
        if not self.attention:
            return parameters
        if step.adaptor is None:
            return context
        return cast(Tensor, self.get_submodule(f"attn_s{step.scale}")(parameters, context))


def _by_scale(y: Tensor) -> dict[int, Tensor]:
    """The latent on the lattices of the three scales."""
    scale_2 = take(y, LATTICE_2)
    return {1: take(scale_2, LATTICE_1), 2: scale_2, 3: y}
