"""Modules that do one thing each, on a picture of 8 x 6 pixels, with their multiply-accumulates worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

WIDTH, HEIGHT = 8, 6
PIXELS = WIDTH * HEIGHT


class Does(nn.Module):
    """Calls a function with its parameters and the picture."""

    def __init__(self, function: Callable[..., Any], *weights: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(nn.Parameter(torch.rand(shape)) for shape in weights)

    def forward(self, x: Tensor) -> Any:
        return self.function(x, *self.weights)


def tokens(x: Tensor) -> Tensor:
    """1 x 3 x H x W to 1 x pixels x 3: every pixel a token of 3 channels."""
    return x.flatten(2).transpose(1, 2)


def heads(x: Tensor) -> Tensor:
    """1 x 3 x H x W to 1 x 3 heads x 12 tokens x 4 channels."""
    return x.reshape(1, 3, 12, 4)


class SelfAttention(nn.Module):
    """MultiheadAttention over the 48 pixels, 12 channels wide, 2 heads."""

    def __init__(self, need_weights: bool = False) -> None:
        super().__init__()
        self.widen = nn.Linear(3, 12)
        self.attention = nn.MultiheadAttention(12, 2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x: Tensor) -> Tensor:
        wide = self.widen(tokens(x))
        out: Tensor = self.attention(wide, wide, wide, need_weights=self.need_weights)[0]
        return out


class RawAttention(nn.Module):
    """The kernel of MultiheadAttention's fast path, called by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        wide = tokens(x).repeat(1, 1, 4)
        inner = self.attention
        out: Tensor = torch._native_multi_head_attention(
            wide,
            wide,
            wide,
            12,
            2,
            inner.in_proj_weight,
            inner.in_proj_bias,
            inner.out_proj.weight,
            inner.out_proj.bias,
            need_weights=False,
        )[0]
        return out


class EncoderLayer(nn.Module):
    """A transformer encoder layer, 12 channels, 20 in the feed-forward network, on the 48 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(12, 2, 20, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(tokens(x).repeat(1, 1, 4))
        return out


class Recurrent(nn.Module):
    """An LSTM of 8 inputs and 5 states over 3 steps of 6 sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(8, 5)

    def forward(self, x: Tensor) -> Any:
        return self.layer(x[0])


def flash_kernel(x: Tensor) -> Tensor:
    q = heads(x)
    out: Tensor = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, q, q)[0]
    return out


def deformable(x: Tensor, weight: Tensor) -> Tensor:
    offset = x.new_zeros(1, 2 * 9, HEIGHT, WIDTH)
    out: Tensor = torchvision.ops.deform_conv2d(x, offset, weight, padding=1)
    return out


@dataclass(frozen=True)
class Case:
    """One module, what it costs, and the names of the operators that do it.

    `fused` says that a processor's kernel may hide element-wise work which other processors do openly.
    """

    name: str
    make: Callable[[], nn.Module]
    macs: int
    operators: frozenset[str]

    @property
    def fused(self) -> bool:
        return "MultiheadAttention" in self.name or "transformer" in self.name


def _case(name: str, make: Callable[[], nn.Module], macs: int, *operators: str) -> Case:
    return Case(name, make, macs, frozenset(operators))


def _gdn() -> nn.Module:
    from compressai.layers import GDN

    return GDN(3)


def _masked() -> nn.Module:
    from compressai.layers import MaskedConv2d

    return MaskedConv2d(3, 5, 5, padding=2)


# Attention over T = 48 tokens of 12 channels: four 12 x 12 projections, then query x key and weights x value.
_ATTENTION = 4 * 48 * 12 * 12 + 2 * 48 * 48 * 12
# Three heads, 12 tokens of 4 channels: query x key and weights x value.
_THREE_HEADS = 3 * 12 * 12 * (4 + 4)

CASES = (
    _case("convolution", lambda: nn.Conv2d(3, 5, 3, padding=1), PIXELS * 27 * 5, "convolution"),
    # A stride of 2 leaves a quarter of the positions.
    _case("strided convolution", lambda: nn.Conv2d(3, 5, 3, stride=2, padding=1), 12 * 27 * 5, "convolution"),
    _case("dilated convolution", lambda: nn.Conv2d(3, 5, 3, dilation=2, padding=2), PIXELS * 27 * 5, "convolution"),
    _case("depthwise convolution", lambda: nn.Conv2d(3, 6, 3, padding=1, groups=3), PIXELS * 9 * 6, "convolution"),
    # Input positions x kernel, not the 4 x 48 output positions.
    _case(
        "transposed convolution",
        lambda: nn.ConvTranspose2d(3, 5, 5, 2, 2, 1),
        PIXELS * 75 * 5,
        "transposed convolution",
    ),
    _case(
        "grouped transposed convolution",
        lambda: nn.ConvTranspose2d(3, 6, 5, 2, 2, 1, groups=3),
        PIXELS * 3 * 25 * 2,
        "transposed convolution",
    ),
    _case("convolution with raw weights", lambda: Does(F.conv2d, (5, 3, 1, 1)), PIXELS * 15, "convolution"),
    _case("masked convolution", _masked, PIXELS * 75 * 5, "convolution"),
    _case("GDN", _gdn, PIXELS * 9, "convolution"),
    _case("linear", lambda: Does(lambda x, w: F.linear(tokens(x), w), (5, 3)), PIXELS * 15, "linear"),
    _case("linear with bias", lambda: nn.Linear(WIDTH, 5), 3 * HEIGHT * WIDTH * 5, "linear"),
    _case("matmul", lambda: Does(lambda x: tokens(x) @ tokens(x).transpose(1, 2)), 48 * 48 * 3, "matmul"),
    _case("mm", lambda: Does(lambda x, w: torch.mm(x[0, 0], w), (WIDTH, 5)), HEIGHT * WIDTH * 5, "matmul"),
    _case(
        "addmm",
        lambda: Does(lambda x, w, b: torch.addmm(b, x[0, 0], w), (WIDTH, 5), (5,)),
        HEIGHT * WIDTH * 5,
        "matmul",
    ),
    _case("bmm", lambda: Does(lambda x: torch.bmm(x[0], x[0].transpose(1, 2))), 3 * 6 * 6 * 8, "matmul"),
    _case(
        "baddbmm",
        lambda: Does(lambda x: torch.baddbmm(x.new_zeros(1, 1, 1), x[0], x[0].transpose(1, 2))),
        3 * 6 * 6 * 8,
        "matmul",
    ),
    _case("mv", lambda: Does(lambda x, w: torch.mv(x[0, 0], w), (WIDTH,)), HEIGHT * WIDTH, "matmul"),
    _case("dot", lambda: Does(lambda x: torch.dot(x[0, 0, 0], x[0, 0, 1])), WIDTH, "matmul"),
    _case("einsum", lambda: Does(lambda x, w: torch.einsum("bchw,dc->bdhw", x, w), (5, 3)), PIXELS * 15, "matmul"),
    _case(
        "scaled_dot_product_attention",
        lambda: Does(lambda x: F.scaled_dot_product_attention(*[heads(x)] * 3)),
        _THREE_HEADS,
        "attention",
    ),
    _case(
        "causal attention, dense",
        lambda: Does(lambda x: F.scaled_dot_product_attention(*[heads(x)] * 3, is_causal=True)),
        _THREE_HEADS,
        "attention",
    ),
    _case(
        "masked attention",
        lambda: Does(lambda x: F.scaled_dot_product_attention(*[heads(x)] * 3, attn_mask=x.new_zeros(12, 12))),
        _THREE_HEADS,
        "attention",
    ),
    # Values half as wide as queries: 12 x 12 x (4 + 2) in each of three heads.
    _case(
        "attention with narrow values",
        lambda: Does(lambda x: F.scaled_dot_product_attention(heads(x), heads(x), heads(x)[..., :2])),
        3 * 12 * 12 * 6,
        "attention",
    ),
    _case("fused attention kernel of the CPU", lambda: Does(flash_kernel), _THREE_HEADS, "attention"),
    _case("MultiheadAttention", SelfAttention, 48 * 3 * 12 + _ATTENTION, "linear", "attention"),
    _case(
        "MultiheadAttention that returns weights",
        lambda: SelfAttention(True),
        48 * 3 * 12 + _ATTENTION,
        "linear",
        "attention",
    ),
    _case("MultiheadAttention's fast path", RawAttention, _ATTENTION, "attention"),
    _case("transformer encoder layer", EncoderLayer, _ATTENTION + 2 * 48 * 12 * 20, "linear", "attention"),
    _case("deformable convolution", lambda: Does(deformable, (5, 3, 3, 3)), PIXELS * 27 * 5, "deformable convolution"),
    # Per step: four gates from 8 inputs and from 5 states.
    _case("LSTM", Recurrent, 3 * 6 * 4 * 5 * (8 + 5), "recurrent"),
)
