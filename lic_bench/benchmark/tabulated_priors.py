"""Factorized priors that evaluate their density once per channel and symbol, instead of once per element.

The values whose likelihoods a factorized prior is asked for are integers above its medians, mostly few different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def tabulated_priors(network: nn.Module) -> Iterator[None]:
    """Inside, the network's factorized priors (CompressAI's EntropyBottleneck) look their likelihoods up."""
    from compressai.entropy_models import EntropyBottleneck

    priors = [module for module in network.modules() if isinstance(module, EntropyBottleneck)]
    for prior in priors:
        prior._likelihood = _looked_up(prior, prior._likelihood)
    try:
        yield
    finally:
        for prior in priors:
            del prior._likelihood


def _looked_up(prior: Any, likelihood: Callable[..., tuple[Tensor, ...]]) -> Callable[..., tuple[Tensor, ...]]:
    """C x 1 x N values to their likelihoods, and to the logits at both sides of every symbol's interval."""

    def look_up(inputs: Tensor, *arguments: Any, **named: Any) -> tuple[Tensor, ...]:
        medians = prior._get_medians()
        symbols = torch.round(inputs - medians)
        lowest = symbols.min()
        different = int(symbols.max() - lowest) + 1
        if 2 * different > inputs.shape[-1] or not torch.equal(symbols + medians, inputs):
            return likelihood(inputs, *arguments, **named)
        values = torch.arange(different, device=inputs.device) + lowest + medians
        table, lower, upper = likelihood(values, *arguments, **named)
        return table.gather(-1, (symbols - lowest).long()), lower, upper

    return look_up
