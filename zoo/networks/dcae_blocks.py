"""DCAE's blocks: bottlenecks, gated window transformers, and the attention to a learned dictionary.

Source: see `dcae`. State-dict names are the authors'. Transformers have channels last; convolutions take and give maps
of B x C x H x W, and where channels are last in memory the two take each other's maps without copying them.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

from .layers import Conv1, PointwiseLinear, conv3
from .tcm import LATENT, WindowAttention

HEAD_WIDTH = 32
"""Of the attention to the dictionary."""


class Bottleneck(nn.Module):
    """A 3x3 convolution at half the width between two 1x1 convolutions, beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = Conv1(channels, channels // 2)
        self.conv2 = conv3(channels // 2, channels // 2)
        self.conv3 = Conv1(channels // 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same."""
        return cast(Tensor, x + self.conv3(self.conv2(self.conv1(x).relu_()).relu_()))


class BottlenecksDown(nn.Module):
    """A 5x5 convolution that halves height and width, then three bottleneck blocks."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv(inputs, outputs)
        self.res1, self.res2, self.res3 = (Bottleneck(outputs) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H/2 x W/2."""
        return cast(Tensor, self.res3(self.res2(self.res1(self.conv(x)))))


class BottlenecksUp(nn.Module):
    """Three bottleneck blocks, then a transposed 5x5 convolution that doubles height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.res1, self.res2, self.res3 = (Bottleneck(inputs) for _ in range(3))
        self.conv = deconv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x 2H x 2W."""
        return cast(Tensor, self.conv(self.res3(self.res2(self.res1(x)))))


class ScaledShortcut(nn.Module):
    """A shortcut beside a block: a map, each channel times a learned factor, added to what the block made of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        """B x H x W x C, both, to the same."""
        return torch.addcmul(change, x, self.scale)


def _depthwise3(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels)


class GatedPerceptron(nn.Module):
    """Two linear layers; half of the hidden channels, seen through a depthwise convolution and GELU, gates the rest."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = PointwiseLinear(channels, 4 * channels)
        self.dwconv = nn.ModuleDict({"dwconv": _depthwise3(2 * channels)})
        self.fc2 = PointwiseLinear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same."""
        gate, values = self.fc1(x).chunk(2, dim=-1)
        gate = self.dwconv["dwconv"](gate.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return cast(Tensor, self.fc2(F.gelu(gate).mul_(values)))


class TransformerLayer(nn.Module):
    """Window attention and a gated perceptron, each beside a scaled shortcut, on B x H x W x C."""

    def __init__(self, channels: int, head_width: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(channels)
        self.msa = WindowAttention(channels, head_width, window, shifted)
        self.ln2 = nn.LayerNorm(channels)
        self.mlp = GatedPerceptron(channels)
        self.res_scale_1 = ScaledShortcut(channels)
        self.res_scale_2 = ScaledShortcut(channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same."""
        x = self.res_scale_1(x, self.msa(self.ln1(x)))
        return cast(Tensor, self.res_scale_2(x, self.mlp(self.ln2(x))))


class Transformer(nn.Module):
    """Transformer layers, every other one shifted, and a 3x3 convolution, beside a shortcut.

    The released code pads maps of a single window wrongly and fails; nothing needs padding here.
    """

    def __init__(self, channels: int, depth: int, head_width: int, window: int = 8) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TransformerLayer(channels, head_width, window, shifted=j % 2 == 1) for j in range(depth)
        )
        self.conv = conv3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same; H and W must be multiples of the window."""
        grid = x.permute(0, 2, 3, 1)
        for layer in self.layers:
            grid = layer(grid)
        return cast(Tensor, x + self.conv(grid.permute(0, 3, 1, 2)))


class _Separable(nn.Module):
    """A depthwise convolution between two 1x1 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.in_trans = Conv1(channels, channels)
        self.dw_conv = _depthwise3(channels)
        self.out_trans = Conv1(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.out_trans(F.gelu(self.dw_conv(F.gelu(self.in_trans(x))))))


class MultiScale(nn.Module):
    """Four maps, each made from the one before and seeing farther, mixed and gated by their mean and maximum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.s = Conv1(channels, channels)
        self.spatial_atte = nn.ModuleDict({"conv1": nn.Conv2d(2, 1, 7, padding=3, bias=False)})
        layers = nn.ModuleList(nn.Sequential(nn.GELU(), _Separable(channels)) for _ in range(3))
        self.dense = nn.ModuleDict({"conv_layers": layers, "proj": Conv1(4 * channels, channels)})

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same."""
        maps = [self.s(x.permute(0, 3, 1, 2))]
        for layer in cast(nn.ModuleList, self.dense["conv_layers"]):
            maps.append(layer(maps[-1]))
        mixed = self.dense["proj"](torch.cat(maps, dim=1))
        summary = torch.cat((mixed.mean(1, keepdim=True), mixed.amax(1, keepdim=True)), dim=1)
        gate = torch.sigmoid(self.spatial_atte["conv1"](summary))
        return cast(Tensor, (mixed * gate).permute(0, 2, 3, 1))


class DictionaryAttention(nn.Module):
    """What a map finds in a dictionary of C numbers an entry; the entries, normalised, are the values.

    Logits have a learned factor for each head. Keys are made anew in every call, as in the released code: kept from a
    call with another number of threads they might differ in their last bits, and an encoder's from its decoder's.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.heads = channels // HEAD_WIDTH
        self.scale = nn.Parameter(torch.ones(self.heads, 1, 1))
        self.x_trans = PointwiseLinear(inputs, channels)
        self.ln_scale = nn.LayerNorm(channels)
        self.msa = MultiScale(channels)
        self.lnx = nn.LayerNorm(channels)
        self.q_trans = PointwiseLinear(channels, channels)
        self.dict_ln = nn.LayerNorm(channels)
        self.k = nn.Linear(channels, channels)
        self.linear = PointwiseLinear(channels, channels)
        self.ln_mlp = nn.LayerNorm(channels)
        self.mlp = GatedPerceptron(channels)
        self.output_trans = nn.Sequential(PointwiseLinear(channels, LATENT))
        self.res_scale_1, self.res_scale_2, self.res_scale_3 = (ScaledShortcut(channels) for _ in range(3))

    def forward(self, x: Tensor, dictionary: Tensor) -> Tensor:
        """B x inputs x H x W and entries x C to B x LATENT x H x W."""
        wide = self.x_trans(x.permute(0, 2, 3, 1))
        wide = self.res_scale_1(wide, self.msa(self.ln_scale(wide)))
        normalised = self.dict_ln(dictionary)
        queries = self._by_head(self.q_trans(self.lnx(wide)).flatten(1, 2))
        keys, values = self._by_head(self.k(normalised)), self._by_head(normalised)
        weights = (torch.matmul(queries, keys.transpose(-1, -2)) * self.scale).softmax(-1)
        attended = torch.matmul(weights, values).transpose(1, 2).reshape(wide.shape)
        wide = self.res_scale_2(wide, self.linear(attended))
        wide = self.res_scale_3(wide, self.mlp(self.ln_mlp(wide)))
        return cast(Tensor, self.output_trans(wide).permute(0, 3, 1, 2))

    def _by_head(self, tokens: Tensor) -> Tensor:
        """... x tokens x C to ... x heads x tokens x HEAD_WIDTH."""
        return tokens.view(*tokens.shape[:-1], self.heads, HEAD_WIDTH).transpose(-2, -3)
