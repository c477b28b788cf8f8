"""CCA's network filled as the authors' was, one pass of it, and its figures, in the form that `compare` takes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from conformance import compare, families, probe
from conformance.compare import Figures, Group, Seen
from lic_bench.zoo.networks.cca import CCA, Widths
from lic_bench.zoo.networks.naf import NAFBlock
from torch import Tensor, nn

EXPECTED = compare.expected("cca")
SIZES = ("256x256", "256x384")


@torch.no_grad()
def fill(network: CCA, gain: float) -> None:
    """Fill as `probe.fill` does, and the factors of the branches of NAF blocks, which begin at zero, as well.

    Those are normal with a deviation of 1/2, whatever the gain, from the generator of their name.
    """
    probe.fill(network, gain)
    for path, block in network.named_modules():
        if isinstance(block, NAFBlock):
            for name, factor in (("beta", block.beta), ("gamma", block.gamma)):
                chance = np.random.Generator(np.random.PCG64(zlib.crc32(f"{path}.{name}".encode())))
                factor.copy_(torch.from_numpy(0.5 * chance.standard_normal(factor.shape)))


def filled(widths: Widths) -> CCA:
    """The filled network in float32, ready to code, with the tables made in float32, as the authors' are."""
    network = CCA(widths)
    fill(network, EXPECTED["gain"])
    network.update(force=True)
    return network.eval()


def tensors(size: str) -> dict[str, Any]:
    """The authors' tensors for a picture of this height and width."""
    return {name: value for name, value in EXPECTED["pictures"][size].items() if isinstance(value, dict)}


def bits(size: str) -> dict[str, float]:
    """The bits of the authors' likelihoods for a picture of this height and width."""
    return {latent: EXPECTED["pictures"][size][f"bits_{latent}"] for latent in "yz"}


def figures() -> Figures:
    """The authors' figures for a picture of 256x256, the one they coded."""
    crc, z = EXPECTED["coding_256x256"]["crc32"], EXPECTED["z"]
    return Figures(
        tensors("256x256"),
        bits("256x256"),
        [crc["symbols_int32_le"]],
        [crc["indexes_int32_le"]],
        [crc["y_string"]],
        crc["z_string"],
        z["symbols"],
        z["table"],
    )


@torch.no_grad()
def observe(network: CCA, x: Tensor) -> Seen:
    """What one forward pass gives."""
    seen: dict[str, Tensor] = {}
    y: list[Group] = []
    gaussians: list[tuple[Tensor, Tensor]] = []
    conditional, prior = network.gaussian_conditional, network.z_entropy_bottleneck
    listeners: list[tuple[nn.Module, Callable[..., None]]] = [
        (network.g_a, lambda _, out: seen.update(y=out)),
        (network.h_a, lambda _, out: seen.update(z=out)),
        (network.g_s, lambda given, _: seen.update(y_hat=given[0])),
        (conditional, families.one_group(conditional, y, 1)),
        (conditional, lambda given, _: gaussians.append(given[1:])),
    ]
    with families.heard(*listeners):
        out = network(x)
    seen["x_hat"] = out["x_hat"]
    seen["scales"], seen["means"] = (torch.cat(parts, dim=1) for parts in zip(*gaussians, strict=True))
    seen |= {f"likelihoods_{latent}": likelihoods for latent, likelihoods in out["likelihoods"].items()}
    return Seen(seen, Group("z", seen["z"] - prior.medians()), y, prior, conditional)
