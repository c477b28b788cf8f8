"""Shapes of results that torch works out slowly: for these operators it answers in Python, some 500 microseconds each.

A network of thousands of such calls is traced twice as fast with them. Every rule looks at its arguments first and
answers None where the case is not the plain one; then torch is asked, which also refuses what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

ShapeRule: TypeAlias = Callable[[Sequence[Any]], Any]


def _alike(arguments: Sequence[Any]) -> Tensor | None:
    """One floating-point tensor in, one like it out."""
    source: Tensor = arguments[0]
    return torch.empty_like(source) if source.is_floating_point() else None


def _itself(arguments: Sequence[Any]) -> Tensor | None:
    """Worked out in place from one tensor and numbers."""
    rest = arguments[1:]
    return None if any(isinstance(item, Tensor) for item in rest) else arguments[0]


def _both_alike(arguments: Sequence[Any]) -> Tensor | None:
    """Two tensors of one shape, type and layout in, one more out."""
    one, other = arguments[0], arguments[1]
    if not isinstance(other, Tensor) or not isinstance(one, Tensor) or not one.is_floating_point():
        return None
    same = one.shape == other.shape and one.dtype == other.dtype and one.stride() == other.stride()
    return torch.empty_like(one) if same and one.device == other.device else None


def _addmm(arguments: Sequence[Any]) -> Tensor | None:
    """Bias (columns), rows x inner, inner x columns."""
    bias, left, right = arguments[:3]
    if left.dim() != 2 or right.dim() != 2 or bias.shape != right.shape[1:] or left.shape[1] != right.shape[0]:
        return None
    return left.new_empty(left.shape[0], right.shape[1]) if left.dtype == right.dtype == bias.dtype else None


def _layer_norm(arguments: Sequence[Any]) -> tuple[Tensor, ...] | None:
    """Source and the shape of its last axes; the result, and mean and deviation of each row."""
    source, shape = arguments[0], tuple(arguments[1])
    if tuple(source.shape[-len(shape) :]) != shape:
        return None
    rows = (*source.shape[: -len(shape)], *(1 for _ in shape))
    return source.new_empty(source.shape), source.new_empty(rows), source.new_empty(rows)


def _group_norm(arguments: Sequence[Any]) -> tuple[Tensor, ...] | None:
    """Source, weight, bias, pictures, channels, positions, groups."""
    source, pictures, groups = arguments[0], arguments[3], arguments[6]
    if arguments[4] % groups:
        return None
    return torch.empty_like(source), source.new_empty(pictures, groups), source.new_empty(pictures, groups)


def _moved(arguments: Sequence[Any]) -> Tensor:
    source: Tensor = arguments[0]
    return source.new_empty(source.shape)


def _table() -> Mapping[Any, ShapeRule]:
    aten = torch.ops.aten
    alike = "gelu tanh sigmoid silu erf exp log sqrt rsqrt abs neg round softplus leaky_relu relu _safe_softmax"
    table: dict[Any, ShapeRule] = {getattr(aten, name).default: _alike for name in alike.split()}
    table |= {getattr(aten, name).default: _itself for name in ("leaky_relu_", "relu_", "clamp_", "round_", "abs_")}
    table |= {getattr(aten, name).Tensor: _both_alike for name in ("add", "sub", "mul", "div")}
    table |= {getattr(aten, name).default: _both_alike for name in ("maximum", "minimum")}
    table |= {
        aten.mul.Scalar: _alike,
        aten.addmm.default: _addmm,
        aten.native_layer_norm.default: _layer_norm,
        aten.native_group_norm.default: _group_norm,
        aten.roll.default: _moved,
    }
    return table


RESULT_SHAPES: Mapping[Any, ShapeRule] = _table()
"""By operator: arguments in, the result's shape or None out."""
