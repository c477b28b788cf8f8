"""Keeps what a network's parts gave while a picture was coded, for an estimate that would compute it again.

The estimated rate comes from a forward pass. Analysis, hyper networks and synthesis have just run on the same tensors
to encode and decode the picture; where a part is called with tensors equal to the last bit, and laid out alike, its
kept result is the result. A part that is called with anything else is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

MOST_CALLS = 64
"""A part that is called more often than this, as serial decoders call theirs, is computed again."""


@dataclass
class ModuleCalls:
    """Calls of a network's parts: arguments and result of each call, by part. Copies, since callers may overwrite."""

    parts: tuple[nn.Module, ...]
    kept: dict[nn.Module, list[tuple[tuple[Tensor, ...], Any]]] = field(default_factory=dict)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep the calls that are made inside the block; those of earlier blocks are forgotten."""
        self.kept = {part: [] for part in self.parts}

        def keep(part: nn.Module, forward: Callable[..., Any], arguments: tuple[Tensor, ...]) -> Any:
            if len(self.kept[part]) == MOST_CALLS:
                return forward(*arguments)
            given = _copied(arguments)
            result = forward(*arguments)
            if _is_tensors(result):
                self.kept[part].append((given, _copied(result)))
            return result

        with _calls_through(self.parts, keep):
            yield

    @contextmanager
    def reusing(self) -> Iterator[None]:
        """Use the kept results inside the block, and forget them at its end."""

        def reuse(part: nn.Module, forward: Callable[..., Any], arguments: tuple[Tensor, ...]) -> Any:
            for given, result in self.kept.get(part, ()):
                if len(given) == len(arguments) and all(map(_is_equal, given, arguments)):
                    return _copied(result)
            return forward(*arguments)

        try:
            with _calls_through(self.parts, reuse):
                yield
        finally:
            self.kept = {}


def parts_of(network: nn.Module) -> tuple[nn.Module, ...]:
    """The network's parts: its children, and the members of children that are lists of modules."""
    members = (tuple(child) if isinstance(child, nn.ModuleList) else (child,) for child in network.children())
    return tuple(dict.fromkeys(part for several in members for part in several if isinstance(part, nn.Module)))


@contextmanager
def _calls_through(parts: tuple[nn.Module, ...], call: Callable[..., Any]) -> Iterator[None]:
    """Calls of these parts that are given tensors alone go through `call(part, forward, arguments)`."""

    def through(part: nn.Module) -> Callable[..., Any]:
        forward = part.forward

        def called(*arguments: Any, **named: Any) -> Any:
            if named or not arguments or not all(isinstance(argument, Tensor) for argument in arguments):
                return forward(*arguments, **named)
            return call(part, forward, arguments)

        return called

    changed = [part for part in parts if "forward" not in vars(part)]  # what somebody has replaced is left alone
    for part in changed:
        part.forward = through(part)
    try:
        yield
    finally:
        for part in changed:
            del part.forward


def _is_tensors(result: Any) -> bool:
    return isinstance(result, Tensor) or (isinstance(result, tuple) and all(isinstance(r, Tensor) for r in result))


def _copied(tensors: Any) -> Any:
    """A tensor, or each of a tuple, with its own memory and the same layout."""
    return tuple(map(_copied, tensors)) if isinstance(tensors, tuple) else tensors.clone()


def _is_equal(kept: Tensor, given: Tensor) -> bool:
    """Whether a tensor has the values, the type and the layout of a kept one."""
    return (
        kept.dtype == given.dtype
        and kept.device == given.device
        and kept.shape == given.shape
        and all(a == b for a, b, size in zip(kept.stride(), given.stride(), kept.shape, strict=True) if size > 1)
        and torch.equal(kept, given)
    )
