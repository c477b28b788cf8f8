"""The asymmetric codec: size and work of the reading and of the published network, blocks by hand, streams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import torch
from conformance import probe
from lic_bench.zoo.networks.asymmetric import Context, Published, Reading, WaveletAttention, haar
from lic_bench.zoo.networks.checkerboard import squeeze
from torch import Tensor

from lic_bench import catalogue
from lic_bench.learned import Estimator, LearnedCodec
from lic_bench.macs import count, trace


@cache
def network() -> Reading:
    torch.manual_seed(5)
    made = Reading(32, 48)
    made.update(force=True)
    return made.eval()


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


# The reading's own figures, which a second implementation of it has too.
def test_the_reading_has_the_parameters_it_was_made_for() -> None:
    parts = LearnedCodec(Reading(), "asymmetric").parts()
    parameters = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    assert parameters == {
        "g_a": 841_280,
        "attention": 69_960,
        "h_a": 925_296,
        "entropy_bottleneck": 11_712,
        "h_s": 1_869_760,
        "context": 1_627_600,
        "g_s": 1_736_843,
    }
    networks = sum(parameters.values()) - parameters["entropy_bottleneck"]
    assert networks == 7_070_739
    assert 4 * networks / 2**20 == pytest.approx(27.0, abs=0.05)


def test_the_reading_does_the_work_of_the_reading() -> None:
    codec = LearnedCodec(Reading(), "asymmetric")
    encode, decode = (count(codec, 768, 512, call) for call in ("encode", "decode"))
    assert not encode.unseen
    assert not decode.unseen
    parts = {name: macs / (768 * 512 * 1000) for name, macs in (encode.by_part | decode.by_part).items()}
    # The context multiplies twelve taps at half of the positions, and fuses each position once.
    expected = {"g_a": 71.4, "attention": 0.3, "h_a": 1.3, "h_s": 10.5, "context": 9.6, "g_s": 59.0}
    assert parts == pytest.approx(expected, abs=0.051)


def test_two_passes_however_large_the_picture() -> None:
    codec = LearnedCodec(Reading(32, 48), "asymmetric")
    assert trace(codec, 64, 64, "decode").reads == trace(codec, 1280, 768, "decode").reads == 3


def test_the_published_network_has_its_parameters_and_its_work() -> None:
    estimator = Estimator(Published(), "asymmetric-published/0.05")
    assert sum(p.numel() for p in estimator.network.parameters()) == 3_125_683
    forward = count(estimator, 768, 512, "forward")
    assert not forward.unseen
    parts = {name: macs / (768 * 512 * 1000) for name, macs in forward.by_part.items()}
    hyper = parts.pop("h_a") + parts.pop("h_s")
    assert hyper == pytest.approx(4.9, abs=0.051)
    expected = {"g_a": 46.5, "attention": 0.2, "context": 1.1, "g_s": 38.3}
    assert parts == pytest.approx(expected, abs=0.051)


def test_the_published_network_rates_a_symbol_at_ten_and_eight_bits_at_most() -> None:
    estimator = Estimator(Published(), "asymmetric-published/0.05")
    out = estimator.network(probe.picture(64, 64))
    assert out["x_hat"].shape == (1, 3, 64, 64)
    for name, most in (("y", 10), ("z", 8)):
        bits = -torch.log2(out["likelihoods"][name])
        assert 0 <= bits.min() <= bits.max() <= most


def test_the_published_context_sees_what_it_predicts() -> None:
    context = Published(16, 24).eval().context
    y = torch.zeros(1, 16, 8, 8)
    moved = y.clone()
    moved[0, 0, 3, 3] = 5
    local = context.get_submodule("local")
    assert (local(moved) - local(y))[0, :, 3, 3].abs().max() > 0


def test_haar_bands_are_those_of_the_definition() -> None:
    p, q, r, t = 1.0, 20.0, 300.0, 4000.0
    bands = haar(torch.tensor([[p, q], [r, t]])[None, None]).flatten().tolist()
    assert bands == [(p + q + r + t) / 2, (p - q + r - t) / 2, (p + q - r - t) / 2, (p - q - r + t) / 2]
    x = torch.rand(1, 3, 8, 6)
    assert haar(x).square().sum() == pytest.approx(float(x.square().sum()), rel=1e-5)
    assert torch.allclose(haar(x)[:, :3], 2 * torch.nn.functional.avg_pool2d(x, 2))


def test_importance_lies_between_three_tenths_and_one() -> None:
    torch.manual_seed(0)
    attention = WaveletAttention(8)
    attention.conv3.weight.mul_(1000)
    share = attention(torch.full((1, 8, 16, 16), 2.0) + torch.rand(1, 8, 16, 16)) / 2
    assert share.min() > 0.29
    attention.conv3.weight.zero_()
    attention.conv3.bias.fill_(100)
    x = torch.rand(1, 8, 4, 4)
    assert torch.allclose(attention(x), x)
    attention.conv3.bias.fill_(-100)
    assert torch.allclose(attention(x), 0.3 * x)


def test_neighbours_are_the_masked_convolution_at_the_second_pass() -> None:
    torch.manual_seed(1)
    context = Context(4).double()
    first = torch.randn(1, 4, 6, 10, dtype=torch.float64)
    rows, columns = torch.meshgrid(torch.arange(6), torch.arange(10), indexing="ij")
    first = first * ((rows + columns) % 2 == 0)
    taps = torch.tensor([[(row + column) % 2 for column in range(5)] for row in range(5)])
    assert taps.sum() == 12
    masked = torch.nn.functional.conv2d(first, context.local.weight * taps, context.local.bias, padding=2)
    assert torch.allclose(context.neighbours(first), squeeze(masked, 1), atol=1e-6)


def test_the_second_pass_changes_nothing_in_the_first() -> None:
    seen: list[Tensor] = []

    def keep(_parity: int, means: Tensor, _scales: Tensor) -> Tensor:
        seen.append(means)
        return torch.full_like(means, float(len(seen)))

    phi = torch.randn(1, 64, 8, 8)
    y_hat = network()._code(phi, keep)
    assert (y_hat[..., ::2, ::2] == 1).all()
    assert (y_hat[..., ::2, 1::2] == 2).all()
    assert len(seen) == 2


def test_the_decoder_has_the_encoders_latent() -> None:
    x = probe.picture(128, 64)
    heard: list[Tensor] = []
    hook = network().g_s.register_forward_pre_hook(lambda _, arguments: heard.append(arguments[0]))
    try:
        network()(x)
        coded = network().compress(x)
        network().decompress(**coded)
    finally:
        hook.remove()
    assert torch.equal(*heard)
    assert len(coded["strings"]) == 3
    assert heard[0].round().count_nonzero() > 100


@pytest.mark.parametrize(("height", "width"), [(1, 1), (65, 40)])
def test_a_picture_of_any_size_comes_back_as_the_network_promises_it(height: int, width: int) -> None:
    codec = LearnedCodec(network(), "asymmetric")
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    decoded = codec.decode(codec.encode(image))
    assert decoded.shape == image.shape
    assert np.array_equal(decoded, codec.forward(image)[0])


def test_training_reaches_every_parameter() -> None:
    with torch.inference_mode(False):
        made = Reading(16, 16).train()
        out = made(torch.rand(1, 3, 64, 64))
        loss = sum(part.log().sum() for part in out["likelihoods"].values()) + out["x_hat"].square().sum()
        loss.backward()
        reached = {name for name, p in made.named_parameters() if p.grad is not None}
        assert {name for name, _ in made.named_parameters()} - reached == {"entropy_bottleneck.quantiles"}


def test_the_cards_say_what_they_are() -> None:
    reading, published = catalogue.card("asymmetric-reading"), catalogue.card("asymmetric-published")
    assert "(reading)" in reading.title
    assert not reading.estimates_only
    assert published.estimates_only
    assert "(not a codec)" in published.title
    assert "no entropy coder" in published.notes[0]
    assert "reads the very symbols whose probabilities it gives" in published.notes[0]


def test_the_claimed_size_is_the_readings_in_units_of_two_to_the_twenty() -> None:
    from lic_bench.audit import audit

    (check,) = audit("asymmetric-*")
    assert check.claim.value == 27
    assert check.sentence == "holds under MiB (asymmetric-reading: 27.02)"
