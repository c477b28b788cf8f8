"""The published HPCM networks: what differs between them, how a checkpoint says which one it is, and their parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lic_bench.errors import WeightsError

from . import hpcm_transforms as transforms
from .layers import conv1

PRIORS = 10
"""Steps whose scales and means come from a network, each with factors of its own."""
TABLE_NAMES = tuple(f"{kind}_{latent}" for latent in "zy" for kind in ("quantized_cdf", "cdf_length", "offset"))
FACTORS = "adaptive_params_list"
_WINDOWS = (4, 8, 8)
"""Of the attention at scales 1, 2 and 3."""
_ADAPTORS = (1, 3, 6)
"""How many there are at scales 1, 2 and 3."""


@dataclass(frozen=True)
class Variant:
    """What differs between networks.

    `depth` is the number of blocks at 1/8 of the picture's size, None for the deeper transforms of HPCM-1B. `prior_12`
    and `prior_3` are the blocks of the priors of scales 1 and 2 and of scale 3: in the first branch, in the second, and
    behind its projection. `adaptors` are the blocks of each adaptor of the three scales; without any it is one
    convolution. `widths` are the channels at 1/2, 1/4 and 1/8 of the picture's size, `latent` those of y, `hyper` of z.
    """

    depth: int | None
    prior_12: tuple[int, int, int]
    prior_3: tuple[int, int, int]
    attention: bool = True
    adaptors: tuple[int, int, int] = (0, 0, 0)
    widths: tuple[int, int, int] = (96, 192, 384)
    latent: int = 320
    hyper: int = 256


VARIANTS: Mapping[str, Variant] = {
    "hpcm-base": Variant(4, (2, 1, 0), (3, 2, 0)),
    "hpcm-large": Variant(8, (2, 2, 0), (4, 3, 0)),
    "hpcm-base-phicontext": Variant(4, (2, 1, 0), (3, 2, 0), attention=False),
    "hpcm-1b": Variant(None, (5, 3, 2), (6, 4, 2), False, (5, 5, 7), widths=(192, 384, 768), latent=512),
}


def variant_of(state: Mapping[str, Tensor], origin: str) -> Variant:
    """The variant whose weights a state dict holds; WeightsError when it is of another network."""
    deep = "g_a.g_a_down1.weight" in state
    levels = [f"g_a.g_a_down{i}.weight" for i in (1, 2, 3)] if deep else [f"g_a.branch.{i}.weight" for i in (0, 3, 6)]
    needed = [*levels, "context_net.0.weight", "means_hyper"]
    missing = [name for name in needed if name not in state or state[name].ndim != 4]
    if missing:
        raise WeightsError(f"{origin} is not a checkpoint of HPCM: there is no {missing[0]} in it.")

    def blocks(part: str) -> int:
        return len(_numbers(rf"{part}\.(\d+)\.branch\.1\.weight", state))

    def prior(name: str) -> tuple[int, int, int]:
        before = max(_numbers(rf"{name}\.branch_2\.(\d+)\.weight", state), default=0)
        return blocks(rf"{name}\.branch_1"), before, blocks(rf"{name}\.branch_2") - before

    s1, s2, s3 = (blocks(rf"y_spatial_prior_adaptor_list_s{scale}\.0") for scale in (1, 2, 3))
    half, quarter, eighth = (len(state[name]) for name in levels)
    return Variant(
        # Behind the last of these blocks stands the layer to y; seven layers stand before the first.
        depth=None if deep else max(_numbers(r"g_a\.branch\.(\d+)\.weight", state)) - 7,
        prior_12=prior("y_spatial_prior_s1_s2"),
        prior_3=prior("y_spatial_prior_s3"),
        attention="attn_s1.conv_q.weight" in state,
        adaptors=(s1, s2, s3),
        widths=(half, quarter, eighth),
        latent=len(state["context_net.0.weight"]) // 2,
        hyper=state["means_hyper"].shape[1],
    )


def completed(state: Mapping[str, Tensor], variant: Variant) -> dict[str, Tensor]:
    """A state dict as a network has it before its tables are made.

    The public checkpoints lack the priors' factors, which were not trained and stayed 1. Tables of any size are
    emptied. A state dict with some of the factors stays incomplete.
    """
    whole = {**state, **{name: torch.empty(0) for name in TABLE_NAMES}}
    if not any(name.startswith(f"{FACTORS}.") for name in state):
        whole |= {f"{FACTORS}.{i}": torch.ones(1, 3 * variant.latent, 1, 1) for i in range(PRIORS)}
    return whole


def parts(variant: Variant) -> dict[str, nn.Module]:
    """The parts of a network by name, in the order of the authors' state dicts."""
    latent, hyper, widths = variant.latent, variant.hyper, variant.widths
    prior_12 = {"y_spatial_prior_s1_s2": transforms.Prior(latent, variant.prior_12)}
    prior_3 = {"y_spatial_prior_s3": transforms.Prior(latent, variant.prior_3)}
    adaptors_1, adaptors_2, adaptors_3 = (
        {f"y_spatial_prior_adaptor_list_s{scale}": nn.ModuleList(_adaptor(latent, blocks) for _ in range(count))}
        for scale, count, blocks in zip((1, 2, 3), _ADAPTORS, variant.adaptors, strict=True)
    )
    made: dict[str, nn.Module]
    if variant.depth is None:
        made = {
            "g_a": transforms.deep_analysis(widths, latent),
            "h_a": transforms.deep_hyper_analysis(latent, hyper),
            "h_s": transforms.deep_hyper_synthesis(latent, hyper),
            "g_s": transforms.deep_synthesis(widths, latent),
            **adaptors_1, **prior_12, **adaptors_2, **adaptors_3, **prior_3,
        }  # fmt: skip
    else:
        made = {
            "g_a": transforms.analysis(widths, latent, variant.depth),
            "g_s": transforms.synthesis(widths, latent, variant.depth),
            "h_a": transforms.hyper_analysis(latent, hyper),
            "h_s": transforms.hyper_synthesis(latent, hyper),
            **adaptors_1, **adaptors_2, **adaptors_3, **prior_12, **prior_3,
        }  # fmt: skip
    made[FACTORS] = nn.ParameterList(torch.ones(1, 3 * latent, 1, 1) for _ in range(PRIORS))
    if variant.attention:
        for scale, window in enumerate(_WINDOWS, 1):
            made[f"attn_s{scale}"] = transforms.ContextAttention(2 * latent, window)
    made["context_net"] = nn.ModuleList(conv1(2 * latent, 2 * latent) for _ in range(2))
    return made


def _adaptor(latent: int, blocks: int) -> nn.Module:
    if not blocks:
        return conv1(3 * latent, 3 * latent)
    return nn.Sequential(*transforms.repeated(transforms.depthwise, 3 * latent, blocks))


def _numbers(pattern: str, state: Iterable[str]) -> list[int]:
    """The number in every name of this pattern."""
    return [int(found[1]) for found in map(re.compile(pattern).fullmatch, state) if found]
