"""One pass of DCAE, and its figures, in the form that `compare` takes. The figures were taken in float64."""

from __future__ import annotations

from typing import Any

import torch
from conformance import compare, families, probe
from conformance.compare import Figures, Group, Seen
from lic_bench.zoo.networks.dcae import DCAE
from torch import Tensor

EXPECTED = compare.expected("dcae")
SMALL, LARGE = "128x128", "256x256"
"""Heights and widths of the pictures. The authors' network takes the small one once its window padding is taken out."""


def filled() -> DCAE:
    """The network as `probe` fills it, in float32, and with the tables made in float32."""
    network = DCAE()
    probe.fill(network, EXPECTED["gain"])
    network.update(force=True)
    return network.eval()


def picture(size: str) -> Tensor:
    """The picture of one of the sizes, float32."""
    return probe.picture(*map(int, size.split("x")))


def figures(size: str) -> Figures:
    """The authors' figures for one picture; the small one has no symbols of its own."""
    known = EXPECTED["float64"][size]
    tensors = {name: figure for name, figure in known.items() if isinstance(figure, dict)}
    bits = {name: known[f"bits_{name}"] for name in "yz"}
    if size == SMALL:
        return Figures(tensors, bits, y_strings=[known["crc32_y"]])
    return Figures(
        tensors,
        bits,
        known["symbols"],
        known["indexes"],
        [known["crc32_y"]],
        known["crc32_z"],
        known["crc32_z_symbols"],
        EXPECTED["tables_crc32"]["factorized_quantized_cdf_int32_le"],
    )


@torch.no_grad()
def observe(network: DCAE, x: Tensor) -> Seen:
    """What one forward pass gives."""
    tensors: dict[str, Tensor] = {}
    y: list[Group] = []
    gaussians: list[tuple[Tensor, Tensor]] = []
    conditional = network.gaussian_conditional

    def coded(given: Any, _: Any) -> None:
        values, scales, means = given
        gaussians.append((scales, means))
        y.append(Group(f"slice {len(y)}", values - means, scales, conditional.scale_table))

    with families.heard(
        (network.g_a, lambda _, out: tensors.update(y=out)),
        (network.h_a, lambda _, out: tensors.update(z=out)),
        (network.g_s, lambda given, _: tensors.update(y_hat=given[0])),
        (conditional, coded),
    ):
        out = network(x)
    tensors["scales"], tensors["means"] = (torch.cat(parts, dim=1) for parts in zip(*gaussians, strict=True))
    tensors["x_hat"] = out["x_hat"]
    tensors |= {f"likelihoods_{latent}": likelihoods for latent, likelihoods in out["likelihoods"].items()}
    prior = network.entropy_bottleneck
    return Seen(tensors, Group("z", tensors["z"] - prior.medians()), y, prior, conditional)
