"""What one call of one of torch's ops costs: MACs, non-MAC work, nothing, or unknown.

An op is one of four kinds. COUNTED ones have a formula for multiply-accumulates (MAC). NON_MAC ones do work that is no
MAC (element-wise, normalisation, softmax, ...) and are measured in elements. FREE ones only make, move or relabel data.
Everything else is uncounted: it has to be named, because it makes a count a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

Arguments = Sequence[Any]
Formula = Callable[[Arguments, Any], int]

CONVOLUTION = "convolution"
TRANSPOSED = "transposed convolution"
DEFORMABLE = "deformable convolution"
LINEAR = "linear"
MATMUL = "matmul"
ATTENTION = "attention"
RECURRENT = "recurrent"

ELEMENTWISE = "element-wise"


@dataclass(frozen=True)
class OpCost:
    """What one call costs. `at_output` is the MAC figure of counters that take a transposed convolution's output.

    `kind` names the op among COUNTED, or the kind of `non_mac` work in elements; `softmax` is the softmax inside
    attention; `uncounted` is set for an op that is in no table.
    """

    kind: str = ""
    macs: int = 0
    at_output: int = 0
    non_mac: int = 0
    softmax: int = 0
    uncounted: bool = False


Costing = Callable[[Arguments, Any], OpCost]


def costing(operator: OpOverload) -> Costing | None:
    """How calls of this operator are costed: a function of its positional arguments and result, None for free ones.

    An op that is in no table is not free; see `is_known`.
    """
    name = operator._schema.name.removeprefix("aten::")
    if name in _CONVOLUTIONS:
        return _convolution
    if name in _ATTENTIONS:
        return lambda arguments, result: attention(*arguments[:3])
    if name in _COUNTED:
        kind, formula = _COUNTED[name]
        return lambda arguments, result: _counted(kind, formula(arguments, result))
    if name in _NON_MAC:
        kind, formula = _NON_MAC[name]
        return lambda arguments, result: OpCost(kind, non_mac=formula(arguments, result))
    if _is_free(operator, name):
        return None
    if torch.Tag.pointwise in operator.tags:
        return lambda arguments, result: OpCost(ELEMENTWISE, non_mac=_elements(result))
    return lambda arguments, result: OpCost(name, uncounted=True)


def is_known(operator: OpOverload) -> bool:
    """Whether the operator is counted, non-MAC work or free, so that it need not be taken apart."""
    name = operator._schema.name.removeprefix("aten::")
    listed = any(name in table for table in (_CONVOLUTIONS, _ATTENTIONS, _COUNTED, _NON_MAC))
    return listed or _is_free(operator, name) or torch.Tag.pointwise in operator.tags


def _is_free(operator: OpOverload, name: str) -> bool:
    return name in _FREE or operator.is_view or operator.namespace == "prim"


def _counted(kind: str, macs: int) -> OpCost:
    return OpCost(kind, macs, macs)


def attention(query: Tensor, key: Tensor, value: Tensor) -> OpCost:
    """Scaled dot-product attention: the products query x key and weights x value, dense under every mask.

    Shapes ... x length x channels; leading dimensions broadcast, grouped queries have more heads than keys.
    """
    batch, heads = 1, 1
    if query.dim() > 2:
        batch = math.prod(torch.broadcast_shapes(query.shape[:-3], key.shape[:-3]))  # type: ignore[no-untyped-call]
        heads = query.shape[-3]
    weights = int(batch * heads * query.shape[-2] * key.shape[-2])
    macs = weights * int(query.shape[-1] + value.shape[-1])
    return OpCost(ATTENTION, macs, macs, softmax=weights)


def recurrent(source: Tensor, weights: Sequence[Tensor]) -> OpCost:
    """LSTM, GRU and plain recurrent layers: each weight matrix once per step and sequence.

    `source` is steps x sequences x channels, or the other way round, or steps x channels.
    """
    macs = math.prod(source.shape[:-1]) * sum(weight.numel() for weight in weights)
    return OpCost(RECURRENT, macs, macs)


def _elements(result: Any) -> int:
    if isinstance(result, Tensor):
        return result.numel()
    if isinstance(result, list | tuple):
        return sum(_elements(item) for item in result)
    return 0


def _of_result(arguments: Arguments, result: Any) -> int:
    return _elements(result)


def _of_input(arguments: Arguments, result: Any) -> int:
    return _elements(arguments[0])


def _convolution(arguments: Arguments, result: Any) -> OpCost:
    """input, weight, bias, stride, padding, dilation, transposed, ...: every output (or, transposed, input) position
    takes one product per weight of its filter. Grouped and depthwise weights are that much smaller."""
    source, weight, transposed = arguments[0], arguments[1], bool(arguments[6])
    per_position = math.prod(weight.shape[1:])
    if not transposed:
        macs = result.numel() * per_position
        return OpCost(CONVOLUTION, macs, macs)
    positions = math.prod(result.shape[2:]) / math.prod(source.shape[2:])
    macs = source.numel() * per_position
    return OpCost(TRANSPOSED, macs, round(macs * positions))


def _product(left: int, right: int) -> Formula:
    """Left argument ... x rows x inner by right argument ... x inner x columns (or a vector)."""

    def formula(arguments: Arguments, result: Any) -> int:
        a, b = arguments[left], arguments[right]
        return int(a.numel() * (b.shape[-1] if b.dim() > 1 else 1))

    return formula


def _linear(arguments: Arguments, result: Any) -> int:
    return int(arguments[0].numel() * arguments[1].shape[0])


def _multi_head_attention(arguments: Arguments, result: Any) -> int:
    """query, key, value, width, heads, ...: three projections in, two products, one projection out; B x T x width."""
    query, key, width = arguments[0], arguments[1], int(arguments[3])
    batch, rows, columns = query.shape[0], query.shape[1], key.shape[1]
    projections = 2 * rows + 2 * columns
    return int(batch * width * (projections * width + 2 * rows * columns))


def _encoder_layer(arguments: Arguments, result: Any) -> int:
    """source B x T x width, width, heads, ...: attention, then the two layers of the feed-forward network."""
    source, width = arguments[0], int(arguments[1])
    attention = _multi_head_attention((source, source, source, width), result)
    feed_forward = sum(source.shape[0] * source.shape[1] * weight.numel() for weight in (arguments[14], arguments[16]))
    return int(attention + feed_forward)


def _deformable(arguments: Arguments, result: Any) -> int:
    """input, weight, offset, ...: a convolution at moved positions; the interpolation is not part of it."""
    return int(result.numel() * math.prod(arguments[1].shape[1:]))


def _recurrent_layer(arguments: Arguments, result: Any) -> int:
    """input T x B x channels and the two weight matrices, both used once per step and sample."""
    source = arguments[0]
    return int(source.shape[0] * source.shape[1] * (arguments[1].numel() + arguments[2].numel()))


def _fourier(arguments: Arguments, result: Any) -> int:
    """Operations of a radix-2 FFT, 5 N log2 N complex and half of it real, over the transformed axes.

    Source: Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, section 1.4.
    """
    tensors = [arguments[0], result]
    signal = max(tensors, key=lambda tensor: tensor.numel())
    length = math.prod(signal.shape[axis] for axis in arguments[1])
    factor = 5 if all(tensor.is_complex() for tensor in tensors) else 2.5
    return round(factor * signal.numel() * math.log2(length)) if length > 1 else 0


_CONVOLUTIONS = {"convolution", "_convolution"}
_ATTENTIONS = {
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_fused_attention_overrideable",
}

_COUNTED: Mapping[str, tuple[str, Formula]] = {
    "mm": (MATMUL, _product(0, 1)),
    "bmm": (MATMUL, _product(0, 1)),
    "mv": (MATMUL, _product(0, 1)),
    "dot": (MATMUL, _product(0, 1)),
    "vdot": (MATMUL, _product(0, 1)),
    "addmm": (MATMUL, _product(1, 2)),
    "addmm_": (MATMUL, _product(1, 2)),
    "baddbmm": (MATMUL, _product(1, 2)),
    "baddbmm_": (MATMUL, _product(1, 2)),
    "addbmm": (MATMUL, _product(1, 2)),
    "addmv": (MATMUL, _product(1, 2)),
    "_addmm_activation": (LINEAR, _product(1, 2)),
    "linear": (LINEAR, _linear),
    "mkldnn_linear": (LINEAR, _linear),
    "mkldnn_rnn_layer": (RECURRENT, _recurrent_layer),
    "_native_multi_head_attention": (ATTENTION, _multi_head_attention),
    "_transformer_encoder_layer_fwd": (ATTENTION, _encoder_layer),
    "torchvision::deform_conv2d": (DEFORMABLE, _deformable),
}


def _each(kind: str, formula: Formula, names: str) -> dict[str, tuple[str, Formula]]:
    return dict.fromkeys(names.split(), (kind, formula))


_NON_MAC: Mapping[str, tuple[str, Formula]] = {
    # element-wise, but not tagged so by torch
    **_each(ELEMENTWISE, _of_result, "floor_divide floor_divide_ frexp bucketize searchsorted"),
    **_each(
        "normalisation",
        _of_input,
        "native_layer_norm native_group_norm native_batch_norm cudnn_batch_norm "
        "miopen_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training _fused_rms_norm "
        "_batch_norm_no_update _batch_norm_with_update batch_norm",
    ),
    **_each(ELEMENTWISE, _of_result, "_prelu_kernel"),  # pointwise, and not marked so
    **_each("softmax", _of_result, "_softmax _log_softmax _safe_softmax"),
    **_each(
        "interpolation",
        _of_result,
        "upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_linear1d "
        "_upsample_nearest_exact1d _upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d "
        "upsample_trilinear3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d",
    ),
    **_each("FFT", _fourier, "_fft_r2c _fft_c2r _fft_c2c"),
    **_each(
        "pooling",
        _of_input,
        "avg_pool1d avg_pool2d avg_pool3d max_pool2d_with_indices _adaptive_avg_pool2d "
        "_adaptive_avg_pool3d adaptive_max_pool2d max_pool2d",
    ),
    **_each(
        "reduction",
        _of_input,
        "sum mean max min amax amin aminmax argmax argmin var std var_mean std_mean prod "
        "cumsum cumprod any all norm linalg_vector_norm logsumexp count_nonzero nonzero median",
    ),
    **_each("sorting", _of_input, "sort topk kthvalue _unique2 unique_dim"),
}

_MADE = """
empty empty_like empty_strided new_empty new_empty_strided zeros zeros_like new_zeros ones ones_like new_ones full
full_like new_full fill fill_ zero_ arange linspace eye scalar_tensor rand rand_like randn randn_like randint randperm
uniform_ normal_ bernoulli_ tril triu tril_ triu_ tril_indices triu_indices lift lift_fresh lift_fresh_copy
"""
_MOVED = """
clone copy copy_ _to_copy contiguous cat stack constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d
replication_pad2d replication_pad3d roll flip rot90 repeat repeat_interleave index index_select index_put index_put_
_index_put_impl_ index_fill index_fill_ index_copy index_copy_ gather scatter scatter_ slice_scatter select_scatter take
masked_select masked_fill masked_fill_ masked_scatter where embedding pixel_shuffle pixel_unshuffle channel_shuffle
im2col col2im unfold_copy unsafe_split unsafe_split_with_sizes unsafe_chunk
"""
_RELABELLED = """
_unsafe_view _reshape_alias _reshape_copy view_as_complex view_as_real complex _conj _neg_view resolve_conj resolve_neg
resize_ set_ detach_ t_ unsqueeze_ squeeze_ transpose_
"""
_ASKED = """
_local_scalar_dense item is_same_size equal is_nonzero _assert_async _assert_scalar sym_size sym_stride sym_numel
"""
_FREE = frozenset((_MADE + _MOVED + _RELABELLED + _ASKED).split())
