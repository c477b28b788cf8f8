"""Symbols written to and read from one rANS bitstream; on the meta device nothing is coded.

A network writes the symbols of its latents with a `SymbolWriter` and reads them back with a `SymbolReader`. On the meta
device the writer accepts tensors without data and the reader returns zeros of the right shape, so that `compress` and
`decompress` can be counted at any picture size; every such read is reported, since reads one after another are a
decoder's serial steps.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from compressai import ans
from compressai.entropy_models import EntropyBottleneck, EntropyModel
from compressai.models import CompressionModel
from torch import Tensor, nn

from lic_bench.meta_call import entropy_decoder_read, factorized_prior_forward


def holds_data(tensor: Tensor) -> bool:
    """Whether a tensor has values that can be read, not a shape alone."""
    return not tensor.is_meta


class _Tables:
    """An entropy model's tables as the coder takes them, each cut to its own length and read on first use."""

    def __init__(self, model: EntropyModel) -> None:
        self._model = model
        self._read: tuple[list[list[int]], list[int], list[int]] | None = None

    def upto(self, last: int) -> tuple[list[list[int]], list[int], list[int]]:
        """Cumulative frequencies, their lengths and the offsets of the tables 0 to `last`.

        The coder copies every table that it is given at every call.
        """
        if self._read is None:
            lengths = self._model.cdf_length.tolist()
            rows = self._model.quantized_cdf.tolist()
            cut = [row[:length] for row, length in zip(rows, lengths, strict=True)]
            self._read = cut, lengths, self._model.offset.tolist()
        frequencies, lengths, offsets = self._read
        return frequencies[: last + 1], lengths[: last + 1], offsets[: last + 1]


class SymbolWriter:
    """Collects symbols, group after group, into one stream."""

    def __init__(self, model: EntropyModel) -> None:
        self._tables = _Tables(model)
        self._coder: ans.BufferedRansEncoder | None = None  # made when needed: it cannot flush an empty stream

    def write(self, symbols: Tensor, indexes: Tensor) -> None:
        """Append integer `symbols`; `indexes`, of the same shape, name the table of each."""
        if not holds_data(symbols) or not holds_data(indexes):
            return
        self._coder = self._coder or ans.BufferedRansEncoder()
        chosen = indexes.flatten().tolist()
        self._coder.encode_with_indexes(symbols.flatten().tolist(), chosen, *self._tables.upto(max(chosen, default=0)))

    def finish(self) -> bytes:
        """The stream; empty where no symbol held data."""
        return b"" if self._coder is None else bytes(self._coder.flush())


class SymbolReader:
    """Gives the symbols of one stream back, in the groups and the order they were written in."""

    def __init__(self, model: EntropyModel, stream: bytes) -> None:
        self._tables = _Tables(model)
        self._coder = ans.RansDecoder()
        self._coder.set_stream(stream)

    def read(self, indexes: Tensor) -> Tensor:
        """The next symbols, int32 in the shape of `indexes`, which name the table of each."""
        if not holds_data(indexes):
            entropy_decoder_read()
            return torch.zeros_like(indexes, dtype=torch.int32)
        chosen = indexes.flatten().tolist()
        values = self._coder.decode_stream(chosen, *self._tables.upto(max(chosen, default=0)))
        return torch.tensor(values, dtype=torch.int32, device=indexes.device).view(indexes.shape)


def scale_indexes(scales: Tensor, scale_table: Tensor) -> Tensor:
    """The table of each scale, int32: how many entries but the last are smaller (none: the first takes all below)."""
    return torch.bucketize(scales.contiguous(), scale_table[:-1], out_int32=True)


class FactorizedPrior(EntropyBottleneck):  # type: ignore[misc]
    """CompressAI's factorized prior, coded with the writer and reader above; the means are the medians."""

    def forward(self, x: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:
        """Quantised (or, in training, noisy) z and its likelihoods, each in the shape of z."""
        return factorized_prior_forward(self, x, training)

    def medians(self) -> Tensor:
        """The medians, shaped to be added to z: 1 x C x 1 x 1."""
        medians: Tensor = self._get_medians().detach().view(1, -1, 1, 1)
        return medians

    def write(self, z: Tensor) -> tuple[list[bytes], Tensor]:
        """One stream per picture of z (B x C x H x W), and z as the decoder will have it."""
        symbols = self.quantize(z, "symbols", self.medians()).contiguous()  # a layout changes the last bits of sums
        strings = []
        for picture in symbols:
            writer = SymbolWriter(self)
            writer.write(picture, self._rows(picture.shape))
            strings.append(writer.finish())
        return strings, symbols + self.medians()

    def read(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """z from the streams of `write`; `shape` is its height and width."""
        rows = self._rows((self.channels, *shape))
        symbols = [SymbolReader(self, string).read(rows) for string in strings]
        return torch.stack(symbols) + self.medians()

    def _rows(self, shape: Any) -> Tensor:
        """The table of each symbol of one picture: its channel."""
        return torch.arange(shape[0], dtype=torch.int32, device=self.quantiles.device).view(-1, 1, 1).expand(shape)


class TensorFlowPrior(FactorizedPrior):
    """TensorFlow Compression's factorized prior: three hidden layers, and ties are rounded up."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, filters=(3, 3, 3))

    def quantize(self, inputs: Tensor, mode: str, means: Tensor | None = None) -> Tensor:
        """As CompressAI's ("noise", "dequantize", "symbols"), with floor(x + 1/2) for rounding."""
        if mode == "noise" or means is None:
            return super().quantize(inputs, mode, means)  # type: ignore[no-any-return]
        symbols = torch.floor(inputs - means + 0.5)
        return symbols.int() if mode == "symbols" else symbols + means

    def _likelihood(self, inputs: Tensor, stop_gradient: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """The mass within 1/2 of each value, taken from the side where both distribution functions are small."""
        low = self._logits_cumulative(inputs - 0.5, stop_gradient=stop_gradient)
        high = self._logits_cumulative(inputs + 0.5, stop_gradient=stop_gradient)
        sign = torch.where(low + high > 0, -1.0, 1.0).to(low)
        return (torch.sigmoid(sign * high) - torch.sigmoid(sign * low)).abs(), low, high


class PictureByPicture(CompressionModel):  # type: ignore[misc]
    """A network that codes every picture of a batch by itself.

    Sums may come out differently in a batch, and then a decoder that has one picture of it makes other probabilities.
    """

    @abstractmethod
    def compress_picture(self, x: Tensor) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """One picture, 1 x 3 x H x W, to its strings and the shape that its decoder needs."""

    @abstractmethod
    def decompress_picture(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """What `compress_picture` gave to the reconstruction, 1 x 3 x H x W, not clipped."""

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": a list for each kind of string, one string a picture, "shape": ...}."""
        strings, shapes = zip(*(self.compress_picture(picture) for picture in torch.split(x, 1)), strict=True)
        return {"strings": [list(kind) for kind in zip(*strings, strict=True)], "shape": shapes[0]}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, not clipped."""
        return {"x_hat": torch.cat([self.decompress_picture(s, shape) for s in zip(*strings, strict=True)])}


@torch.no_grad()
def keep_variance(network: nn.Module, gain: float = 1.0) -> None:
    """Fill kernels as TensorFlow Compression does: variance gain^2 / (kernel size x inputs); biases with zero.

    PyTorch's own initial kernels are so small that a deep network's latents all round to zero, and an untrained codec
    would have nothing to code.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            inputs = module.weight.shape[0 if module.transposed else 1] * module.weight[0, 0].numel()
            nn.init.normal_(module.weight, std=gain / inputs**0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
