"""GLLMM: a mixture of three families of distributions, a serial context, and coding that follows its wavefronts.

Source: Fu et al., "Learned Image Compression with Gaussian-Laplacian-Logistic Mixture Model and Concatenated Residual
Modules", IEEE TIP 2023, arXiv:2107.06463, and its published TensorFlow graph. Everything has N channels: the latent y
at 1/16 of the picture's size, z at 1/64.

The bit stream is our own. The published program stores the padded size only, so the picture's own is lost; it cannot
read back what it writes with 256 channels; and it decodes position after position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lic_bench.errors import StreamError
from lic_bench.meta_call import entropy_decoder_read, repeated

from .coding import PictureByPicture, TensorFlowPrior, holds_data
from .gllmm_transforms import Analysis, HyperAnalysis, HyperSynthesis, Synthesis, leaky
from .layers import conv1
from .mixture import GROUPS, MixtureReader, MixtureWriter, likelihood, mixture

TAPS = 12
"""Of the 5x5 context kernel's 25 taps, those before the centre in raster order."""

Positions = npt.NDArray[np.int64]
Coder = Callable[[Tensor, Tensor], Tensor]
"""Positions (n, as row * width + column) and numbers (30 x C x n) of one group to its symbols, C x n."""


class CausalContext(nn.Conv2d):
    """A 5x5 convolution that sees what comes before in raster order: two rows above, and two positions to the left."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2 * channels, 5, padding=2)
        self.mask: Tensor
        self.register_buffer("mask", (torch.arange(25) < TAPS).view(5, 5).float(), persistent=False)

    def forward(self, y_hat: Tensor) -> Tensor:
        """B x N x H x W to B x 2N x H x W."""
        return F.conv2d(y_hat, self.weight * self.mask, self.bias, padding=self.padding)

    def matrix(self, taps: int) -> Tensor:
        """The kernel as it acts on the first positions of a window, one after the other: 2N x (taps x N)."""
        return (self.weight * self.mask).flatten(2)[:, :, :taps].transpose(1, 2).flatten(1)


class EntropyParameters(nn.Module):
    """Context and hyper-prior to the 30 numbers of each channel's mixture; its inner widths do not depend on N."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = conv1(4 * channels, 640)
        self.conv1 = conv1(640, 1280)
        self.conv2 = nn.Conv2d(1280, GROUPS * channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """B x 4N x H x W, the context's channels first, to B x 30N x H x W: 30 groups of N."""
        return cast(Tensor, self.conv2(leaky(self.conv1(leaky(self.conv0(features))))))


def in_float64(module: nn.Module, x: Tensor) -> Tensor:
    """A module's result in float64, whatever its parameters are kept in."""
    state = {name: value.double() for name, value in chain(module.named_parameters(), module.named_buffers())}
    return cast(Tensor, torch.func.functional_call(module, state, (x.double(),)))


class Gllmm(PictureByPicture):
    """The network, with parts and parameters named as in our conversion of the authors' checkpoints.

    Probabilities are computed in float64 from z_hat on (`h_s`, `context_prediction`, `entropy_parameters`): in float32
    a stream was seen to fail when decoded with another number of threads. The transforms stay in float32.

    A position's context is two rows above it and two positions to its left, so positions of equal column + 3 row do
    not depend on one another. They are coded as one group: W + 3 H - 3 steps for a latent of H x W instead of H W.
    `in_raster_order = True` takes one position at a time, as the published program does, for comparing. Of the context
    kernel the taps that are not masked are multiplied; with `as_published = True` all 25 are, for counting it as the
    authors do.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.in_raster_order = False
        self.as_published = False
        self.g_a = Analysis(channels)
        self.h_a = HyperAnalysis(channels)
        self.entropy_bottleneck = TensorFlowPrior(channels)
        self.h_s = HyperSynthesis(channels)
        self.context_prediction = CausalContext(channels)
        self.entropy_parameters = EntropyParameters(channels)
        self.g_s = Synthesis(channels)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped.

        In training y gets uniform noise instead of being rounded, in the likelihoods and in the context alike.
        """
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_bottleneck(self.h_a(y))
        y_hat = y + torch.rand_like(y) - 0.5 if self.training else torch.round(y)
        numbers = self.numbers(y_hat, z_hat)
        described = mixture(numbers.view(len(x), GROUPS, self.channels, *y.shape[2:]).movedim(1, 0))
        y_likelihoods = likelihood(y_hat.double(), described)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": y_likelihoods, "z": z_likelihoods}}

    def numbers(self, y_hat: Tensor, z_hat: Tensor) -> Tensor:
        """The mixtures of all latents at once, B x 30N x H x W, from quantised y (B x N x H x W) and z."""
        contexts = (in_float64(self.context_prediction, y_hat), in_float64(self.h_s, z_hat))
        return in_float64(self.entropy_parameters, torch.cat(contexts, dim=1))

    def compress_picture(self, x: Tensor) -> tuple[tuple[bytes, bytes], tuple[int, int]]:
        """One picture to the strings of y and z, and the height and width of z."""
        y = self.g_a(x)
        (z_string,), z_hat = self.entropy_bottleneck.write(self.h_a(y))
        symbols = torch.round(y[0]).to(torch.int32).flatten(1)
        used = _used_channels(symbols)
        shape = (z_hat.shape[-2], z_hat.shape[-1])
        if not len(used):
            return (b"", z_string), shape
        coded = symbols[used]
        low, high = (int(coded.min()), int(coded.max())) if holds_data(coded) else (0, 1)
        writer = MixtureWriter(low, high)

        def write(positions: Tensor, numbers: Tensor) -> Tensor:
            group = coded[:, positions]
            writer.write(group.flatten(), numbers.flatten(1))
            return group

        self._walk(z_hat, used, write)
        return (_bitmap(used, self.channels) + writer.finish(), z_string), shape

    def decompress_picture(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """What `compress_picture` gave to the reconstruction, not clipped."""
        y_string, z_string = strings
        z_hat = self.entropy_bottleneck.read([z_string], shape)
        if not holds_data(z_hat):
            with repeated(len(self._groups(4 * shape[0], 4 * shape[1]))):
                entropy_decoder_read()
            return cast(Tensor, self.g_s(self._walk(z_hat, torch.arange(self.channels), _nothing)))
        if not y_string:
            height, width = (4 * side for side in shape)
            return cast(Tensor, self.g_s(z_hat.new_zeros(1, self.channels, height, width)))
        used, rest = _from_bitmap(y_string, self.channels)
        reader = MixtureReader(rest)

        def read(positions: Tensor, numbers: Tensor) -> Tensor:
            entropy_decoder_read()
            return reader.read(numbers.flatten(1)).view(numbers.shape[1:])

        return cast(Tensor, self.g_s(self._walk(z_hat, used.to(z_hat.device), read)))

    def _groups(self, height: int, width: int) -> list[Positions]:
        """Positions of a latent in the groups that are coded at once."""
        return list(np.arange(height * width)[:, None]) if self.in_raster_order else wavefronts(height, width)

    def _walk(self, z_hat: Tensor, used: Tensor, code: Coder) -> Tensor:
        """The one walk over all positions that encoder and decoder share; returns y_hat, 1 x N x H x W.

        Each group of positions is given to `code` with its mixtures and comes back as symbols. Channels not in `used`
        are zero everywhere; nothing is computed for them.
        """
        phi = in_float64(self.h_s, z_hat)[0]
        height, width = phi.shape[1:]
        taps = 25 if self.as_published else TAPS
        numbers_of = _GroupParameters(self, phi, used, taps)
        # y_hat with a margin of two zeros, a row of channels for each position.
        stride = width + 4
        grid = phi.new_zeros((height + 4) * stride, self.channels)
        window = (torch.arange(5)[:, None] * stride + torch.arange(5)).flatten()[:taps].to(phi.device)
        groups = self._groups(height, width)
        for positions, rounds in ((group, 1) for group in groups) if holds_data(phi) else _stand_ins(groups):
            with repeated(rounds):
                at = torch.from_numpy(positions).to(phi.device)
                corner = torch.from_numpy(positions // width * stride + positions % width).to(phi.device)
                symbols = code(at, numbers_of(grid[corner[:, None] + window].flatten(1), at))
                grid[(corner + 2 * stride + 2)[:, None], used] = symbols.t().to(grid.dtype)
        y_hat = grid.view(height + 4, stride, self.channels)[2:-2, 2:-2].permute(2, 0, 1)[None]
        return y_hat.to(z_hat.dtype).contiguous()


class _GroupParameters:
    """Context layer and parameter network in float64, as matrices that act on a group of positions at once."""

    def __init__(self, network: Gllmm, phi: Tensor, used: Tensor, taps: int) -> None:
        context, layers = network.context_prediction, network.entropy_parameters
        weights = [layer.weight.double().flatten(1) for layer in (layers.conv0, layers.conv1, layers.conv2)]
        self.biases = [cast(Tensor, layer.bias).double() for layer in (context, layers.conv0, layers.conv1)]
        self.kernel = context.matrix(taps).double()
        # Nothing lies between the context and the first layer, so the hyper-prior's half is done beforehand.
        self.from_context, from_hyper = weights[0][:, : 2 * network.channels], weights[0][:, 2 * network.channels :]
        self.hyper = F.linear(phi.flatten(1).t(), from_hyper, self.biases[1])
        self.inner, self.last = weights[1:]
        self.used = len(used)
        if len(used) < network.channels:
            self.last = self.last.view(GROUPS, network.channels, -1)[:, used].flatten(0, 1)

    def __call__(self, seen: Tensor, at: Tensor) -> Tensor:
        """What n positions see, n x (taps x N), and where they are, to their 30 x C x n numbers."""
        features = F.linear(F.linear(seen, self.kernel, self.biases[0]), self.from_context) + self.hyper[at]
        features = leaky(F.linear(leaky(features), self.inner, self.biases[2]))
        # In this orientation the large product is three times as fast; the coder wants the other.
        return F.linear(features, self.last).t().contiguous().view(GROUPS, self.used, len(at))


def wavefronts(height: int, width: int) -> list[Positions]:
    """Positions (row * width + column) of an H x W latent in groups of equal column + 3 row, in coding order."""
    rows, columns = np.divmod(np.arange(height * width), width)
    time = columns + 3 * rows
    order = np.argsort(time, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(time[order])) + 1)


def _stand_ins(groups: Sequence[Positions]) -> list[tuple[Positions, int]]:
    """Groups to take where nothing holds data, and how often each counts: work is in proportion to positions."""
    largest = max(groups, key=len)
    return [(largest, 1), (largest[:1], sum(map(len, groups)) - len(largest))]


def _nothing(positions: Tensor, numbers: Tensor) -> Tensor:
    return torch.zeros(numbers.shape[1:], dtype=torch.int32, device=numbers.device)


def _used_channels(symbols: Tensor) -> Tensor:
    """Indexes of the channels (C x positions) that are not zero everywhere; all of them where there is no data."""
    if not holds_data(symbols):
        return torch.arange(len(symbols), device=symbols.device)
    return symbols.any(dim=1).nonzero().flatten()


def _bitmap(used: Tensor, channels: int) -> bytes:
    """Which channels are coded, one bit each."""
    if not holds_data(used):
        return b""
    flags = np.zeros(channels, dtype=np.uint8)
    flags[used.cpu().numpy()] = 1
    return np.packbits(flags).tobytes()


def _from_bitmap(stream: bytes, channels: int) -> tuple[Tensor, bytes]:
    """The channels that are coded, and what comes after the bitmap."""
    size = -(-channels // 8)
    if len(stream) < size:
        raise StreamError(f"The latents' stream has {len(stream)} bytes and should begin with a bitmap of {size}.")
    flags = np.unpackbits(np.frombuffer(stream[:size], np.uint8), count=channels)
    return torch.from_numpy(np.flatnonzero(flags)), stream[size:]
