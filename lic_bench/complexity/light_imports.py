"""Keeps torch._dynamo and sympy from being imported where shapes of results are worked out; they take seconds.

Nothing is compiled here and every size is a plain integer. PyTorch imports dynamo to keep it out of some functions, and
its module of symbolic shapes, with sympy, to check conditions that are plain booleans. Inside `light_imports()` those
functions are called as they are, and the few names that such checks need are here. Any other name is the real one's.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import CellType, FunctionType, ModuleType
from typing import Any

from torch._compile import _disable_dynamo
from torch.utils._python_dispatch import TorchDispatchMode

_KEPT = "__dynamo_disable"  # where PyTorch keeps, on a function, what it calls in its place

_EMPTY_CELL = CellType()


class LightDispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode whose calls PyTorch does not wrap to keep dynamo out."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class _Symbol:
    """The class of symbolic expressions, of which there are none."""


_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "torch.fx.experimental.symbolic_shapes": {
        "expect_true": bool,
        "free_unbacked_symbols": lambda _: set(),
        "guard_int": int,
        "guard_or_false": bool,
        "guard_or_true": bool,
        "guard_size_oblivious": bool,
        "guarding_hint_or_throw": lambda size: size,
        "has_guarding_hint": lambda _: True,
        "is_nested_int": lambda _: False,
        "statically_known_true": bool,
        "sym_and": lambda *conditions: all(conditions),
        "sym_eq": operator.eq,
        "sym_or": lambda *conditions: any(conditions),
    },
    "sympy": {"Basic": _Symbol},
}
"""By module: what its names are for plain integers and booleans."""


@contextmanager
def light_imports() -> Iterator[None]:
    """Inside, dynamo and sympy are imported by nobody who does not need them. Undone at the end."""
    changed = [function for function in _keeps_dynamo_out() if _KEPT not in vars(function)]
    plain = [_plain_module(name, names) for name, names in _PLAIN.items() if name not in sys.modules]
    for function in changed:
        setattr(function, _KEPT, function)
    for module in plain:
        sys.modules[module.__name__] = module
    try:
        yield
    finally:
        for function in changed:
            delattr(function, _KEPT)
        for module in plain:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


def _plain_module(name: str, names: Mapping[str, Callable[..., Any]]) -> ModuleType:
    """A module with some names; asked for any other, it makes way for the real one."""
    module = ModuleType(name)

    def from_the_real_one(wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}")
        if sys.modules.get(name) is module:
            del sys.modules[name]
        return getattr(import_module(name), wanted)

    module.__dict__.update(names, __getattr__=from_the_real_one)
    return module


@cache
def _keeps_dynamo_out() -> tuple[FunctionType, ...]:
    """The functions that keep dynamo out of themselves, among PyTorch's Python implementations of operators."""
    import torch._decomp

    wrapper = _disable_dynamo(lambda: None).__code__
    seen: set[FunctionType] = set()
    kept_out: set[FunctionType] = set()
    left = [function for table in torch._decomp.global_decomposition_table.values() for function in table.values()]
    while left:
        function = left.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        inside = [cell.cell_contents for cell in function.__closure__ or () if cell != _EMPTY_CELL]
        left += inside
        if function.__code__ is wrapper:
            kept_out.update(value for value in inside if isinstance(value, FunctionType))
    return tuple(kept_out)
