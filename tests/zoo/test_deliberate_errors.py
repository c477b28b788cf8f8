"""The comparisons with the authors' figures find small errors: a network with one is never equal to them in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from conformance import compare, families, probe, second
from lic_bench.zoo.networks.asymmetric import Reading
from lic_bench.zoo.networks.coding import keep_variance
from lic_bench.zoo.networks.gllmm import Gllmm
from lic_bench.zoo.networks.octave import OctaveCodec
from torch import Tensor, nn

Breaks = Callable[[Any], None]
pytestmark = pytest.mark.slow


@cache
def whole(name: str) -> nn.Module:
    return families.filled(name).double()


def swapped(part: str, first: int, size: int) -> Breaks:
    """The input of a part has two neighbouring slices of `size` channels swapped, from channel `first` on."""

    def swap(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        x = given[-1]
        before, one, other = x[:, :first], x[:, first : first + size], x[:, first + size : first + 2 * size]
        return *given[:-1], torch.cat((before, other, one, x[:, first + 2 * size :]), dim=1)

    return lambda network: network.get_submodule(part).register_forward_pre_hook(swap)


def other_epsilon(network: nn.Module) -> None:
    """The norms of the network have ten times their epsilon."""
    for norm in (module for module in network.modules() if isinstance(module, nn.LayerNorm)):
        norm.eps *= 10


def other_bound(bound: str) -> Breaks:
    """A lower bound is a tenth higher."""
    return lambda network: network.get_buffer(f"{bound}.bound").mul_(1.1)


def other_anchors(network: nn.Module) -> None:
    """In one slice the two halves of the checkerboard change places."""
    codec: Any = network.get_submodule("latent_codec.y.latent_codec.y3")
    codec.anchor_parity, codec.non_anchor_parity = codec.non_anchor_parity, codec.anchor_parity


LAST = "latent_codec.y.latent_codec.y4."
ERRORS: dict[str, tuple[str, Breaks]] = {
    "TCM, slices swapped": ("tcm-small", swapped("atten_mean.2", 320, 64)),
    "TCM, norm's epsilon": ("tcm-small", other_epsilon),
    "MLIC, slices swapped": ("loc-lic", swapped("channel_context.2", 0, 32)),
    "MLIC, norm's epsilon": ("loc-lic", other_epsilon),
    "MLIC, scale bound": ("loc-lic", other_bound("gaussian_conditional.lower_bound_scale")),
    "ELIC, slices swapped": ("elic", swapped("latent_codec.y.channel_context.y2", 0, 16)),
    "ELIC, halves swapped": ("elic", other_anchors),
    "ELIC, scale bound": ("elic", other_bound(f"{LAST}y.gaussian_conditional.lower_bound_scale")),
    "FLIC, slices swapped": ("flic", swapped("tca", 128, 64)),
    "FLIC, norm's epsilon": ("flic", other_epsilon),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_found_in_float64(error: str) -> None:
    name, breaks = ERRORS[error]
    network = copy.deepcopy(whole(name))
    breaks(network)
    seen = families.observe(name, network, probe.picture(256, 256).double())
    found = compare.differences(seen, families.figures(name))
    print("\n".join(found))
    assert found


@pytest.mark.parametrize("error", ["GDN's beta", "families swapped"])
def test_an_error_in_gllmm_is_found_in_float64(error: str) -> None:
    (case,) = (case for case in compare.expected("gllmm")["cases"] if (case["N"], case["gain"]) == (128, 1.0))
    network = Gllmm(128)
    probe.fill(network, 1.0)
    network.double().eval()
    with torch.no_grad():
        if error == "GDN's beta":
            network.g_a.block0.gdn.beta *= 1 + 1e-5
        else:  # of the 30 groups, the weights of two families
            weight = network.entropy_parameters.conv2.weight.unflatten(0, (30, -1))
            weight[27:29] = weight[27:29].flip(0)
    assert families.gllmm_differences(network, case)


def narrow(name: str) -> nn.Module:
    """A narrow octave or asymmetric network with values in every weight, in float64."""
    torch.manual_seed(3)
    network: nn.Module = OctaveCodec(32) if name == "octave" else Reading(32, 48)
    keep_variance(network, 1.5)
    with torch.no_grad():
        for parameter in (p for key, p in network.named_parameters() if key.endswith("bias")):
            parameter.uniform_(-0.1, 0.1)
    return network.double().eval()


def unlike_second(name: str, breaks: Breaks | None) -> list[str]:
    """How a network, broken or not, differs from the second computation with the weights of the one that is not."""
    network, x = narrow(name), probe.picture(128, 256).double()
    with torch.no_grad():
        seen = (second.octave if name == "octave" else second.asymmetric)(network.state_dict(), x)
        assert all(symbols.count_nonzero() > 10 for symbols in seen.symbols.values())
        if breaks is not None:
            breaks(network)
        latents: list[Any] = []
        last = network.get_submodule("g_a" if name == "octave" else "attention")
        with families.heard((last, lambda _, y: latents.extend(y if isinstance(y, tuple) else (y,)))):
            out = network(x)
        return second.differences(seen, latents, out)


def higher_beta(network: nn.Module) -> None:
    """One of the GDNs has a beta that is a hundred-thousandth higher."""
    network.get_submodule("g_a.1.high.1").get_parameter("beta").data.mul_(1 + 1e-5)


SECOND: dict[str, tuple[str, Breaks | None]] = {
    "octave": ("octave", None),
    "octave, GDN's beta": ("octave", higher_beta),
    "octave, contexts swapped": ("octave", swapped("helpers.parameters_y_h", 0, 16)),
    "octave, scale bound": ("octave", other_bound("gaussian_conditional.lower_bound_scale")),
    "asymmetric": ("asymmetric", None),
    "asymmetric, norm's epsilon": ("asymmetric", other_epsilon),
    "asymmetric, contexts swapped": ("asymmetric", swapped("context.fuse1", 32, 32)),
    "asymmetric, scale bound": ("asymmetric", other_bound("gaussian_conditional.lower_bound_scale")),
}


@pytest.mark.parametrize("error", SECOND)
def test_only_an_error_differs_from_the_second_computation(error: str) -> None:
    """No authors' figures exist for these two networks."""
    name, breaks = SECOND[error]
    found = unlike_second(name, breaks)
    print("\n".join(found))
    assert bool(found) == (breaks is not None)
