"""One pass of an HPCM network, and its figures, in the form that `compare` takes.

The figures of "hpcm-base-ones" are HPCM-Base's with 1 added to the priors' factors and to the scales of z, which the
filling makes small otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from conformance import compare, probe
from conformance.compare import Figures, Group, Seen
from conformance.families import heard
from lic_bench.zoo.networks.hpcm import HPCM, STEPS
from lic_bench.zoo.networks.hpcm_lattices import coded_groups, on_full_grid, unpack
from lic_bench.zoo.networks.hpcm_variants import VARIANTS
from torch import Tensor, nn

ONES = "hpcm-base-ones"


def filled(name: str) -> HPCM:
    """A network as `probe` fills it, in float32, with the tables made in float32, as the authors' are."""
    network = HPCM(VARIANTS[name.removesuffix("-ones")])
    probe.fill(network, compare.expected(name)["gain"])
    if name == ONES:
        with torch.no_grad():
            for parameter in (*network.adaptive_params_list, network.scales_hyper):
                parameter.add_(1)
    network.update(force=True)
    return network.eval()


def figures(name: str, size: str = "256x256") -> Figures:
    """The authors' figures for a picture; there are symbols and strings of 256x256 alone."""
    file = compare.expected(name)
    forward = file["forward"][size]
    tensors = {k: v for k, v in forward.items() if isinstance(v, dict)}
    bits = {k: forward[f"bits_{k}"] for k in "yz" if f"bits_{k}" in forward}
    crc = file["crc32"]
    steps = zip(*crc["steps"], strict=True)
    symbols, indexes = ([int(one, 16) for one in kind] for kind in steps)
    y_string, z_string, z_symbols, z_table = (int(crc[k], 16) for k in ("y_string", "z_string", "z_symbols", "z_table"))
    return Figures(tensors, bits, symbols, indexes, [y_string], z_string, z_symbols, z_table)


@torch.no_grad()
def observe(network: HPCM, x: Tensor) -> Seen:
    """What one forward pass gives."""
    tensors: dict[str, Tensor] = {}
    groups: list[Group] = []

    def hear_gaussian(given: Any, _: Any) -> None:
        inputs, scales, means = given
        if not groups:
            groups.append(Group("z", inputs - means))
        else:
            step = STEPS[len(groups) - 1]
            groups.append(Group(f"scale {step.scale}, turn {step.turn}", inputs - means, scales, network.scale_table))

    listeners: list[tuple[nn.Module, Callable[..., None]]] = [
        (network.g_a, lambda _, out: tensors.update(y=out)),
        (network.h_a, lambda _, out: tensors.update(z=out)),
        (network.h_s, lambda _, out: tensors.update(hyper=out)),
        (network.context_net[0], lambda given, _: tensors.update(context_scale2=given[0])),
        (network.context_net[1], lambda given, _: tensors.update(context_scale3=given[0])),
        (network.entropy_estimation, hear_gaussian),
        (network.g_s, lambda given, _: tensors.update(y_hat=given[0])),
    ]
    with heard(*listeners):
        out = network(x)
    tensors["x_hat"] = out["x_hat"]
    for latent, likelihoods in out["likelihoods"].items():
        tensors[f"likelihoods_{latent}"] = likelihoods
    tensors["scales"] = torch.zeros_like(tensors["y"])
    for step, group in zip(STEPS, groups[1:], strict=True):
        assert group.scales is not None
        coded = coded_groups(step.scale, step.turn, *group.values.shape[-2:], x.device)
        tensors["scales"] += on_full_grid(unpack(group.scales, coded, step.groups), step.scale)
    return Seen(tensors, groups[0], groups[1:], network.tables("z"), network.tables("y"))
