"""The comparison with the authors' figures finds small errors in WACNN: one with an error is never equal in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from conformance import compare, probe, wacnn
from lic_bench.zoo.networks import wacnn as network_module
from lic_bench.zoo.networks.wacnn import WACNN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole() -> WACNN:
    return wacnn.filled().double()


def turned_positions(network: WACNN) -> None:
    """In one attention the offset is key less query instead of query less key."""
    attention = network.get_submodule("g_a.8.conv_b.0.attn")
    attention.relative_position_index = attention.relative_position_index.t().contiguous()


def other_bound(network: WACNN) -> None:
    """The lower bound of the scales is a tenth higher."""
    network.gaussian_conditional.lower_bound_scale.bound *= 1.1


def other_support(network: WACNN) -> None:
    """The last slice sees its support in another order."""

    def swap(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        hyper, first, second, others = given[0].split((320, 32, 32, given[0].shape[1] - 384), dim=1)
        return (torch.cat((hyper, second, first, others), dim=1),)

    network.cc_mean_transforms[9].register_forward_pre_hook(swap)


@pytest.mark.parametrize("breaks", [turned_positions, other_bound, other_support], ids=lambda f: f.__name__)
def test_an_error_is_found_in_float64(breaks: Callable[[WACNN], None], whole: WACNN) -> None:
    network = copy.deepcopy(whole)
    breaks(network)
    found = compare.differences(wacnn.observe(network, probe.picture(256, 256).double()), wacnn.figures())
    print("\n".join(found))
    assert found


def test_a_mask_left_out_is_found_in_float64(whole: WACNN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "MASKED", 0.0)
    assert compare.differences(wacnn.observe(whole, probe.picture(256, 256).double()), wacnn.figures())
