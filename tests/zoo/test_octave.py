"""The octave codec: size and work of the reading, its layers by hand, and its streams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch
from conformance import probe
from lic_bench.zoo.networks.coding import keep_variance
from lic_bench.zoo.networks.octave import CODED, OctaveCodec, OctaveLayer
from torch import Tensor, nn

from lic_bench.codec import HasParts
from lic_bench.complexity.mac_counter import count, trace
from lic_bench.learned_codec import LearnedCodec
from lic_bench.registry import codecs


@cache
def network(filters: int = 32) -> OctaveCodec:
    torch.manual_seed(3)
    made = OctaveCodec(filters)
    keep_variance(made)
    made.update(force=True)
    return made.eval()


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


# The reading's own figures, which were counted by formula and by a second implementation of it.
@pytest.mark.parametrize(("filters", "parameters"), [(192, 17_942_506), (256, 29_131_882), (448, 80_394_730)])
def test_it_has_the_parameters_of_the_reading(filters: int, parameters: int) -> None:
    from lic_bench.complexity.meta_device import building_on_meta

    with building_on_meta():
        assert sum(p.numel() for p in OctaveCodec(filters).parameters()) == parameters


def test_it_does_the_work_of_the_reading() -> None:
    codec = LearnedCodec(OctaveCodec(256), "octave", multiple=128)
    encode, decode = (count(codec, 768, 512, call) for call in ("encode", "decode"))
    assert not encode.uncounted
    assert not decode.uncounted
    assert encode.kmac_per_pixel == pytest.approx(107.9, abs=0.05)
    assert decode.kmac_per_pixel == pytest.approx(136.4, abs=0.05)
    parts = {name: macs / (768 * 512 * 1000) for name, macs in (encode.by_part | decode.by_part).items()}
    expected = {"g_a": 95.1, "g_s": 125.7, "h_a1": 1.9, "h_a2": 0.2, "h_s1": 4.7, "h_s2": 0.3, "helpers": 5.7}
    assert parts == pytest.approx(expected, abs=0.05)


def test_no_step_waits_for_another_position() -> None:
    codec = LearnedCodec(OctaveCodec(32), "octave", multiple=128)
    assert trace(codec, 128, 128, "decode").serial_reads == trace(codec, 1280, 768, "decode").serial_reads == 6


def constant(layer: nn.Module, weight: float, bias: float) -> None:
    for module in layer.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.fill_(weight)
            module.bias.fill_(bias)


def test_a_layer_exchanges_its_inner_results() -> None:
    layer = OctaveLayer((1, 1), (1, 1), kernel=1, stride=1, activation=lambda _: nn.ReLU())
    constant(layer, 2.0, 0.0)
    high, low = torch.arange(16.0).view(1, 1, 4, 4), torch.tensor([[100.0, -100.0], [10.0, 0.0]])[None, None]
    out_high, out_low = layer(high, low)
    # Inside: 2 high, and relu(2 low) = 200, 0, 20, 0. Down: twice every second of the first. Up: twice the second.
    assert out_low[0, 0].tolist() == [[200 + 4 * 0, 0 + 4 * 2], [20 + 4 * 8, 0 + 4 * 10]]
    expected = 2 * high.clone()
    expected[0, 0, ::2, ::2] += 2 * torch.tensor([[200.0, 0.0], [20.0, 0.0]])
    assert torch.equal(out_high, expected)


def test_outer_layers_have_one_resolution() -> None:
    first = OctaveLayer((3, 0), (8, 8), 5, 2)
    high, low = first(torch.rand(1, 3, 32, 64), None)
    assert high.shape == (1, 8, 16, 32)
    assert low.shape == (1, 8, 8, 16)
    last = OctaveLayer((8, 8), (3, 0), 5, 2, transposed=True)
    picture, nothing = last(high, low)
    assert picture.shape == (1, 3, 32, 64)
    assert nothing is None


def test_each_branch_has_a_gdn_of_its_own() -> None:
    from compressai.layers import GDN

    layers = [layer for layer in OctaveCodec(32).g_a if isinstance(layer, OctaveLayer)]
    assert [sum(isinstance(module, GDN) for module in layer.modules()) for layer in layers] == [2, 4, 4, 0]


def test_six_streams_in_the_specified_order() -> None:
    x = probe.picture(128, 256)
    out = network()(x)
    assert list(out["likelihoods"]) == ["w_h", "w_l", *CODED]
    coded = network().compress(x)
    # 256 x 128: y at 8 x 16 and 4 x 8, z and w at 2 x 4 and 1 x 2, with 16 channels each.
    shapes = [tuple(t.shape[1:]) for t in out["likelihoods"].values()]
    assert shapes == [(16, 2, 4), (16, 1, 2), (16, 1, 2), (16, 2, 4), (16, 4, 8), (16, 8, 16)]
    assert [len(kind) for kind in coded["strings"]] == [1] * 6
    assert coded["shape"] == (1, 2)


def latents(strings: list[list[bytes]], shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """What the decoder hands to its synthesis."""
    heard: list[tuple[Tensor, Tensor]] = []
    hook = network().g_s.register_forward_pre_hook(lambda _, arguments: heard.append(arguments))
    try:
        network().decompress(strings, shape)
    finally:
        hook.remove()
    return heard[0]


def test_the_decoder_has_the_encoders_latents() -> None:
    x = probe.picture(128, 256)
    heard: list[tuple[Tensor, Tensor]] = []
    hook = network().g_s.register_forward_pre_hook(lambda _, arguments: heard.append(arguments))
    network()(x)
    hook.remove()
    decoded = latents(**network().compress(x))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(decoded, heard[0], strict=True))
    assert all(half.count_nonzero() > 10 for half in decoded)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (129, 40)])
def test_any_size_decodes_to_what_forward_gives(height: int, width: int) -> None:
    codec = LearnedCodec(network(), "octave", multiple=128)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    decoded = codec.decode(codec.encode(image))
    assert decoded.shape == image.shape
    assert np.array_equal(decoded, codec.forward(image)[0])


def test_training_reaches_every_parameter() -> None:
    with torch.inference_mode(False):
        made = OctaveCodec(16).train()
        keep_variance(made)
        out = made(torch.rand(1, 3, 128, 128))
        loss = sum(part.log().sum() for part in out["likelihoods"].values()) + out["x_hat"].square().sum()
        loss.backward()
        reached = {name for name, p in made.named_parameters() if p.grad is not None}
        assert {name for name, _ in made.named_parameters()} - reached == {
            "entropy_bottleneck_h.quantiles",
            "entropy_bottleneck_l.quantiles",
        }


def test_the_card_says_that_it_is_a_reading_and_what_was_read() -> None:
    for name in ("octave-256", "octave-448"):
        card = codecs.get(name)
        assert "reading" in card.title
        notes = " ".join(card.notes)
        for choice in ("own GDN", "bias", "output padding", "same Gaussian", "0.11", "floor(v - mean + 1/2)"):
            assert choice in notes
        codec = card.load(card.points[0])
        assert isinstance(codec, HasParts)
        assert codec.padded_size(1, 129) == (128, 256)
