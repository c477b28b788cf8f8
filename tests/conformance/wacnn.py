"""WACNN as `probe` fills it, its figures, and one pass of it, in the form that `compare` takes."""

from __future__ import annotations

from typing import Any

import torch
from conformance import compare, families, probe
from conformance.compare import Figures, Group, Seen
from lic_bench.zoo.networks.wacnn import WACNN
from torch import Tensor

EXPECTED = compare.expected("wacnn")


def filled() -> WACNN:
    """The network in float32, with the tables made in float32, as the authors' are."""
    network = WACNN()
    probe.fill(network, EXPECTED["gain"])
    network.update(force=True)
    return network.eval()


def figures() -> Figures:
    """The authors' figures for a picture of 256x256."""
    forward, crc = EXPECTED["forward_256x256"], EXPECTED["coding_256x256"]["crc32"]
    return Figures(
        {name: value for name, value in forward.items() if isinstance(value, dict)},
        {latent: forward[f"bits_{latent}"] for latent in "yz"},
        [crc["symbols_int32_le"]],
        [crc["indexes_int32_le"]],
        [crc["y_string"]],
        crc["z_string"],
        EXPECTED["z"]["symbols"],
        EXPECTED["z"]["table"],
    )


@torch.no_grad()
def observe(network: WACNN, x: Tensor) -> Seen:
    """What one forward pass gives."""
    conditional, prior = network.gaussian_conditional, network.entropy_bottleneck
    tensors: dict[str, Tensor] = {}
    coded: list[tuple[Tensor, Tensor, Tensor]] = []

    def y_hat(given: Any, _: Any) -> None:
        tensors["y_hat"] = given[0]

    with families.heard(
        (network.g_a, lambda _, out: tensors.update(y=out)),
        (network.h_a, lambda _, out: tensors.update(z=out)),
        (network.g_s, y_hat),
        (conditional, lambda given, _: coded.append(given)),
    ):
        out = network(x)
    _, scales, means = (torch.cat(parts, dim=1) for parts in zip(*coded, strict=True))
    tensors |= {"scales": scales, "means": means, "x_hat": out["x_hat"]}
    tensors |= {f"likelihoods_{latent}": likelihoods for latent, likelihoods in out["likelihoods"].items()}
    y = [Group(f"slice {i}", v - m, s, conditional.scale_table) for i, (v, s, m) in enumerate(coded)]
    return Seen(tensors, Group("z", tensors["z"] - prior.medians()), y, prior, conditional)
