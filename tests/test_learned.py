"""A network becomes a codec: padding, the stream's conditions, and the rate it expects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from conftest import picture
from torch import Tensor, nn

from lic_bench import stream
from lic_bench.errors import StreamError
from lic_bench.learned import PADDINGS, LearnedCodec


class Plain(nn.Module):
    """A network that stores 8-bit samples: its reconstruction is the padded picture, its rate 8 bits a sample."""

    def __init__(self) -> None:
        super().__init__()
        self.g_a = nn.Conv2d(3, 3, 1)
        self.threads_when_decoding = 0

    def forward(self, x: Tensor) -> dict[str, Any]:
        return {"x_hat": x, "likelihoods": {"y": torch.full_like(x, 2.0**-8)}}

    def compress(self, x: Tensor) -> dict[str, Any]:
        samples = (x * 255).round().to(torch.uint8)
        return {"strings": [[samples.numpy().tobytes()], [b"z"]], "shape": x.shape[-2:]}

    def decompress(self, strings: list[list[bytes]], shape: tuple[int, int]) -> dict[str, Any]:
        self.threads_when_decoding = torch.get_num_threads()
        samples = np.frombuffer(strings[0][0], np.uint8).reshape(1, 3, *shape)
        return {"x_hat": torch.from_numpy(samples.copy()).float() / 255}


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 64), (65, 3), (100, 130)])
def test_any_size_comes_back_as_it_went_in(width: int, height: int, padding: str) -> None:
    codec = LearnedCodec(Plain(), "plain/1", multiple=64, padding=padding)
    image = picture(width, height)
    assert np.array_equal(codec.decode(codec.encode(image)), image)


def test_padding_is_where_it_is_said_to_be() -> None:
    image = np.full((2, 2, 3), 255, np.uint8)
    for padding, filled in (("zeros-centred", 4), ("zeros-corner", 4), ("replicate-corner", 16)):
        x = LearnedCodec(Plain(), "plain/1", multiple=4, padding=padding).tensor(image)
        assert x.shape == (1, 3, 4, 4)
        assert int(x[0, 0].sum()) == filled
        assert bool(x[0, 0, 0, 0]) == (padding != "zeros-centred")


def test_payload_is_the_strings_and_the_stream_is_little_more() -> None:
    codec = LearnedCodec(Plain(), "plain/1", multiple=64)
    data = codec.encode(picture(64, 64))
    assert codec.payload_bits(data) == 8 * (64 * 64 * 3 + 1)
    assert len(data) - (64 * 64 * 3 + 1) < 30


def test_estimated_bits_are_the_likelihoods() -> None:
    assert LearnedCodec(Plain(), "plain/1", multiple=64).estimated_bits(picture(60, 60)) == 8 * 64 * 64 * 3


def test_decoding_uses_the_threads_the_stream_was_made_with() -> None:
    codec = LearnedCodec(Plain(), "plain/1")
    here = torch.get_num_threads()
    contents = stream.unpack(codec.encode(picture(8, 8)), "plain/1")
    assert contents.threads == here
    other = stream.pack(stream.Contents(**(vars(contents) | {"threads": here + 1})))
    codec.decode(other)
    assert codec.network.threads_when_decoding == here + 1
    assert torch.get_num_threads() == here


def test_a_stream_of_another_device_is_refused_unless_it_does_not_matter() -> None:
    contents = stream.unpack(LearnedCodec(Plain(), "plain/1").encode(picture(8, 8)), "plain/1")
    foreign = stream.pack(stream.Contents(**(vars(contents) | {"device": "accelerator"})))
    with pytest.raises(StreamError, match="made on an accelerator"):
        LearnedCodec(Plain(), "plain/1").decode(foreign)
    LearnedCodec(Plain(), "plain/1", probabilities_fixed=True).decode(foreign)


def test_parts_are_the_children_with_parameters() -> None:
    assert list(LearnedCodec(Plain(), "plain/1").parts()) == ["g_a"]
