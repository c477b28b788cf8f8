"""What a network's parts gave is reused where they are called with equal tensors, and computed anywhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lic_bench.zoo.networks.coding import keep_variance
from torch import Tensor, nn

from lic_bench.benchmark.module_calls import MOST_CALLS, ModuleCalls, parts_of
from lic_bench.benchmark.tabulated_priors import tabulated_priors
from lic_bench.codec import EstimatesRate, HasParts
from lic_bench.registry import codecs


class Counting(nn.Module):
    """Doubles its input and counts its calls."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return 2 * x


def test_equal_inputs_are_computed_once() -> None:
    part = Counting()
    calls, x = ModuleCalls((part,)), torch.arange(6.0).view(2, 3)
    with calls.keeping():
        part(x)
    with calls.reusing():
        assert torch.equal(part(x.clone()), 2 * x)
        assert part.calls == 1
        assert torch.equal(part(x + 1), 2 * x + 2)
        part(x.t().contiguous().t())  # equal numbers laid out otherwise may be summed otherwise
        part(x.double())
        assert part.calls == 4
    part(x)
    assert part.calls == 5


def test_what_callers_overwrite_is_not_reused() -> None:
    part = Counting()
    calls, x = ModuleCalls((part,)), torch.ones(3)
    with calls.keeping():
        part(x).clamp_(0, 1)
        x.zero_()
    with calls.reusing():
        assert part(torch.ones(3)).tolist() == [2, 2, 2]
        assert part.calls == 1
        assert part(torch.zeros(3)).tolist() == [0, 0, 0]
        assert part.calls == 2


def test_many_calls_are_not_kept() -> None:
    part = Counting()
    calls = ModuleCalls((part,))
    with calls.keeping():
        for value in range(MOST_CALLS + 1):
            part(torch.tensor([float(value)]))
    with calls.reusing():
        part(torch.tensor([float(MOST_CALLS)]))
    assert part.calls == MOST_CALLS + 2


# Whether the decoder's y_hat is the forward pass's to the last bit; the others round there without the means, or add
# a difference that cancels but for the last bit.
SAME_LATENTS = {
    "bmshj2018-factorized": True, "loc-lic": True, "tcm-small": True,
    "mbt2018": False, "elic": False, "flic": False, "octave-256": False,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME_LATENTS)
def test_estimates_are_those_of_a_whole_forward_pass(name: str) -> None:
    card = codecs.get(name)
    codec = card.load(card.points[0])
    assert isinstance(codec, HasParts)
    assert isinstance(codec, EstimatesRate)
    keep_variance(codec.network)
    codec.network.update(force=True)  # type: ignore[operator]
    image = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    calls = ModuleCalls(parts_of(codec.network))
    with calls.keeping():
        codec.decode(codec.encode(image))
    synthesis = codec.network.get_submodule("g_s")
    executed: list[int] = []
    first = next(module for module in synthesis.modules() if not list(module.children()))
    handle = first.register_forward_hook(lambda *_: executed.append(1))
    with calls.reusing():
        reused = codec.estimated_bits(image)
    assert executed == ([] if SAME_LATENTS[name] else [1])
    executed.clear()
    whole = codec.estimated_bits(image)
    assert reused == whole
    with tabulated_priors(codec.network):
        assert codec.estimated_bits(image) == pytest.approx(whole, rel=1e-6)
    assert executed == [1, 1]
    handle.remove()
