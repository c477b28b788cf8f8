"""What a network called on the meta device says of its own work: repeated ops and serial reads.

Networks with entropy coders or loops of their own report here; `complexity` listens. Outside a recorded call nothing
happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass
class MetaCall:
    """What a network called on the meta device says of its own work.

    `times` is how often the op now executed counts, because a loop's body is executed once for all its rounds.
    `serial_reads` counts the groups of symbols that the entropy decoder was asked for one after another: the serial
    steps of a decoder.
    """

    times: int = 1
    serial_reads: int = 0

    @contextmanager
    def repeated(self, rounds: int) -> Iterator[None]:
        """Let the ops inside count `rounds` times."""
        before = self.times
        self.times = before * rounds
        try:
            yield
        finally:
            self.times = before


_calls: list[MetaCall] = []


@contextmanager
def recorded_call() -> Iterator[MetaCall]:
    """What the networks called inside say of their work; of nested blocks the innermost gets it."""
    call = MetaCall()
    _calls.append(call)
    try:
        yield call
    finally:
        _calls.remove(call)


def entropy_decoder_read() -> None:
    """Called by networks with entropy coders of their own at every read that later computation waits for."""
    if _calls:
        _calls[-1].serial_reads += _calls[-1].times


@contextmanager
def repeated(rounds: int) -> Iterator[None]:
    """Called by networks that execute one round of a loop for all its rounds, on the meta device; else no effect."""
    if not _calls:
        yield
        return
    with _calls[-1].repeated(rounds):
        yield


def factorized_prior_forward(prior: Any, x: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:
    """Quantised (in training: noisy) latents and their likelihoods under CompressAI's factorized prior, each like x.

    CompressAI's own `EntropyBottleneck.forward` permutes axes by a tensor, which has no values on the meta device; the
    axes are integers here.
    """
    noisy = prior.training if training is None else training
    swapped = x.transpose(0, 1).contiguous()
    values = swapped.reshape(swapped.shape[0], 1, -1)
    outputs = prior.quantize(values, "noise" if noisy else "dequantize", prior._get_medians())
    likelihood, _, _ = prior._likelihood(outputs)
    if prior.use_likelihood_bound:
        likelihood = prior.likelihood_lower_bound(likelihood)
    back = [tensor.view(swapped.shape).transpose(0, 1).contiguous() for tensor in (outputs, likelihood)]
    return back[0], back[1]
