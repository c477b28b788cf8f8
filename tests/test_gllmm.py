"""GLLMM against the authors' numbers, its coder against arithmetic, and its streams against threads and processes.

The numbers are those of `conformance/gllmm.json`, for networks filled as `conformance/probe.py` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from conformance import families, probe
from conftest import threads
from lic_bench.zoo.networks.gllmm import Gllmm, wavefronts
from lic_bench.zoo.networks.mixture import Mixture, MixtureReader, MixtureWriter, likelihood, mass, mixture, tables
from torch import Tensor

from lic_bench.errors import StreamError
from lic_bench.learned import LearnedCodec
from lic_bench.macs import count, trace

NUMBERS: dict[str, Any] = json.loads((Path(__file__).parent / "conformance" / "gllmm.json").read_text())


@cache
def filled(channels: int, gain: float) -> Gllmm:
    """A network as the codec has it."""
    network = Gllmm(channels)
    probe.fill(network, gain)
    network.update(force=True)
    return network.eval()


@cache
def exact(channels: int, gain: float) -> Gllmm:
    """A network filled in float32 and run in float64, as the numbers were made."""
    network = Gllmm(channels)
    probe.fill(network, gain)
    return network.double().eval()


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def picture(height: int, width: int) -> np.ndarray:
    return (probe.picture(height, width)[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


# The network


def test_the_state_dict_has_the_names_and_shapes_of_the_conversion() -> None:
    ours = {
        f"{probe.old_name(name)} {'x'.join(map(str, tensor.shape))}" for name, tensor in Gllmm(128).named_parameters()
    }
    assert ours == set(NUMBERS["state_128"])


@pytest.mark.parametrize("channels", [128, 192, 256])
def test_parameters_and_work_are_those_of_the_authors_network(channels: int) -> None:
    codec = LearnedCodec(Gllmm(channels), "gllmm")
    parameters = NUMBERS["parameters"][str(channels)]
    assert sum(p.numel() for p in codec.network.parameters()) == parameters["total"]
    for name, part in codec.parts().items():
        assert sum(p.numel() for p in part.parameters()) == parameters[name]

    expected = NUMBERS["kmac_per_pixel"][str(channels)]
    forward = count(codec, 256, 256, "forward")
    assert not forward.unseen
    for name in set(forward.by_part) - {"entropy_bottleneck"}:
        assert forward.by_part[name] / 65536 / 1000 == pytest.approx(expected[name], abs=5e-4)
    # Both sides are counted as the authors' context layer works, with the taps its mask leaves out.
    encode, decode = count(codec, 256, 256, "encode"), count(codec, 256, 256, "decode")
    assert encode.kmac_per_pixel == pytest.approx(expected["encoder_total"], abs=1e-3)
    assert decode.kmac_per_pixel == pytest.approx(expected["decoder_total"], abs=1e-3)
    spared = expected["context_prediction"] - expected["context_prediction_12_of_25_taps"]
    assert f"with {expected['encoder_total'] - spared:.3f} kMAC/pixel" in encode.note


@pytest.mark.parametrize("case", NUMBERS["cases"], ids=lambda case: f"N={case['N']}, gain {case['gain']}")
def test_every_part_gives_the_authors_numbers(case: dict[str, Any]) -> None:
    assert families.gllmm_differences(exact(case["N"], case["gain"]), case) == []


def test_training_uses_noise_where_coding_rounds_and_reaches_every_parameter() -> None:
    with torch.inference_mode(False):
        network = Gllmm(16).train()
        out = network(torch.rand(2, 3, 64, 64))
        loss = sum(bits_of.log().sum() for bits_of in out["likelihoods"].values()) + out["x_hat"].square().sum()
        loss.backward()
        reached = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
        assert {name for name, _ in network.named_parameters()} - reached == {"entropy_bottleneck.quantiles"}


# The mixture


def cumulative(family: str, at: Any) -> Any:
    """A standard distribution function with as many digits as mpmath was told to have."""
    if family == "gauss":
        return mpmath.erfc(-at / mpmath.sqrt(2)) / 2
    if family == "laplace":
        return mpmath.exp(at) / 2 if at < 0 else 1 - mpmath.exp(-at) / 2
    return 1 / (1 + mpmath.exp(-at))


def reference(value: int, numbers: list[float]) -> Any:
    """The probability of an integer under the mixture of 30 numbers, from its definition, to 40 digits."""
    total = mpmath.mpf(0)
    families = [mpmath.exp(n) for n in numbers[27:]]
    for f, family in enumerate(("gauss", "laplace", "logistic")):
        shares = [mpmath.exp(numbers[9 * f + 3 * j]) for j in range(3)]
        for j in range(3):
            mean, scale = mpmath.mpf(numbers[9 * f + 3 * j + 1]), abs(mpmath.mpf(numbers[9 * f + 3 * j + 2]))
            low, high = ((mpmath.mpf(value) + half - mean) / scale for half in (mpmath.mpf(-0.5), mpmath.mpf(0.5)))
            if value < -254.5:
                part = cumulative(family, high)
            elif value > 255.5:
                part = 1 - cumulative(family, low)
            else:
                part = cumulative(family, high) - cumulative(family, low)
            total += families[f] / sum(families) * shares[j] / sum(shares) * part
    return total


def test_probabilities_equal_their_definition_to_twelve_digits() -> None:
    chance = np.random.default_rng(0)
    rows = [(row["v"], row["raw30"]) for row in NUMBERS["mixture_values"]]
    rows += [(int(chance.integers(-9, 10)), chance.normal(0, 3, 30).tolist()) for _ in range(40)]
    with mpmath.workdps(40):
        for value, numbers in rows:
            expected = reference(value, numbers)
            ours = mass(torch.tensor(float(value), dtype=torch.float64), mixture(torch.tensor(numbers).double()))
            again = reference(value, torch.tensor(numbers).double().tolist())
            assert abs(float(ours) - float(again)) < 1e-12 * float(again) + 1e-300, value
            assert float(expected) == pytest.approx(float(again), rel=1e-5)


def test_probabilities_are_the_authors() -> None:
    for row in NUMBERS["mixture_values"]:
        described = mixture(torch.tensor(row["raw30"], dtype=torch.float64))
        value = torch.tensor(float(row["v"]), dtype=torch.float64)
        assert float(mass(value, described)) == pytest.approx(row["p_unclamped"], rel=1e-8)
        assert float(likelihood(value, described)) == pytest.approx(row["likelihood"], rel=1e-8)


@pytest.mark.parametrize(("family", "place"), [("gauss", 0), ("laplace", 1), ("logistic", 2)])
def test_each_family_has_its_known_probabilities(family: str, place: int) -> None:
    rows = [row for row in NUMBERS["family_values"] if row[0] == family]
    assert rows
    for _, value, mean, scale, expected in rows:
        families, within = torch.zeros(3, dtype=torch.float64), torch.full((3, 3), 1 / 3, dtype=torch.float64)
        families[place] = 1
        means, scales = (torch.full((9,), number, dtype=torch.float64) for number in (mean, scale))
        alone = Mixture(families, within, means, scales)
        assert float(mass(torch.tensor(float(value)).double(), alone)) == pytest.approx(expected, rel=1e-8)


def test_tables_hold_the_probabilities_of_their_range() -> None:
    numbers = torch.from_numpy(np.random.default_rng(1).normal(0, 2, (30, 5000)))
    found = tables(numbers, -6, 9)
    for column, value in enumerate(range(-6, 10)):
        expected = mass(torch.full((5000,), float(value), dtype=torch.float64), mixture(numbers))
        assert torch.allclose(found[:, column], expected, rtol=0, atol=1e-14)


def test_tables_clipped_and_scaled_as_the_authors_program_does_are_the_authors() -> None:
    for table in NUMBERS["frequency_tables"]:
        numbers = torch.tensor(NUMBERS["mixture_values"][table["mixture_row"]]["raw30"], dtype=torch.float64)
        row = tables(numbers[:, None], -table["minmax"], table["minmax"])[0].clamp(2**-16, 1)
        assert (row / row.sum() * 65536).round().int().tolist() == table["freq"]


def test_a_scale_of_zero_gives_numbers() -> None:
    numbers = torch.zeros(30, 4, dtype=torch.float64)
    numbers[1::3] = 0.3
    found = tables(numbers, -2, 2)
    assert found.isfinite().all()
    assert found[0, 2] == 1


# The coder


def bits(likelihoods: Tensor) -> float:
    return float(-torch.log2(likelihoods.double()).sum())


def drawn_from(rows: Tensor, low: int) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.multinomial(rows, 1, generator=generator)[:, 0].int() + low


@pytest.mark.parametrize("spread", [0.25, 1.0, 8.0], ids=lambda spread: f"scales about {spread}")
def test_symbols_of_the_model_take_a_thousandth_more_than_ideal_at_most(spread: float) -> None:
    chance = np.random.default_rng(2)
    numbers = torch.from_numpy(chance.normal(0, 1, (30, 40000)))
    numbers[2:27:3] *= spread
    low, high = -31, 31
    symbols = drawn_from(tables(numbers, low, high), low)
    writer = MixtureWriter(low, high)
    for group in torch.arange(40000).split(3000):
        writer.write(symbols[group], numbers[:, group])
    stream = writer.finish()
    # The range is known to both sides, so what the model gives to other integers need not be paid for.
    shares = tables(numbers, low, high).sum(dim=1)
    ideal = bits(mass(symbols.double(), mixture(numbers)) / shares)
    assert 8 * len(stream) == pytest.approx(ideal, rel=1e-3)

    reader = MixtureReader(stream)
    for group in torch.arange(40000).split(3000):
        assert torch.equal(reader.read(numbers[:, group]), symbols[group])


def test_badly_predicted_symbols_get_the_higher_floor() -> None:
    numbers = torch.zeros(30, 500, dtype=torch.float64)
    numbers[2:27:3] = 0.1  # everything is predicted to be 0
    symbols = torch.full((500,), 3, dtype=torch.int32)
    writer = MixtureWriter(0, 3)
    writer.write(symbols, numbers)
    stream = writer.finish()
    assert 8 * len(stream) == pytest.approx(500 * 16, rel=0.02)
    assert torch.equal(MixtureReader(stream).read(numbers), symbols)


def test_latents_all_alike_can_be_coded() -> None:
    numbers = torch.ones(30, 9, dtype=torch.float64)
    writer = MixtureWriter(-4, -4)
    writer.write(torch.full((9,), -4, dtype=torch.int32), numbers)
    assert MixtureReader(writer.finish()).read(numbers).tolist() == [-4] * 9


def test_what_cannot_be_coded_is_refused_in_a_sentence() -> None:
    with pytest.raises(StreamError, match=r"reach from -40000 to 3; this coder takes"):
        MixtureWriter(-40000, 3)
    for damaged in (b"", b"\x00\x01", b"\x07" + bytes(8), bytes(6)):
        with pytest.raises(StreamError, match="cut or damaged"):
            MixtureReader(damaged)


def test_a_stream_that_does_not_fit_its_probabilities_is_refused() -> None:
    reader = MixtureReader(b"\x00" + b"\xfc\xff" + b"\x08\x00" + b"\xff" * 12)
    with pytest.raises(StreamError, match="it is damaged, or was made with other weights"):
        reader.read(torch.ones(30, 1000, dtype=torch.float64))


# Wavefronts


def test_a_kodak_latent_has_141_wavefronts_with_every_position_once() -> None:
    groups = wavefronts(32, 48)
    assert len(groups) == 48 + 3 * 32 - 3 == 141
    assert sorted(np.concatenate(groups).tolist()) == list(range(32 * 48))


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 3), (9, 13), (4, 40), (3, 1), (1, 1)])
def test_what_a_position_sees_lies_in_earlier_wavefronts(height: int, width: int) -> None:
    when = np.full((height, width), -1)
    for step, group in enumerate(wavefronts(height, width)):
        when.flat[group] = step
    for row, column in np.ndindex(height, width):
        above = when[max(row - 2, 0) : row, max(column - 2, 0) : column + 3]
        left = when[row, max(column - 2, 0) : column]
        assert (above < when[row, column]).all()
        assert (left < when[row, column]).all()


def test_a_decoder_waits_141_times_for_y_and_once_for_z() -> None:
    assert trace(LearnedCodec(Gllmm(16), "gllmm"), 768, 512, "decode").reads == 142


def decoded_latent(network: Gllmm, strings: list[list[bytes]], shape: tuple[int, int]) -> Tensor:
    """The y_hat that a decoder hands to its synthesis."""
    heard: list[Tensor] = []
    hook = network.g_s.register_forward_pre_hook(lambda _, arguments: heard.append(arguments[0]))
    try:
        network.decompress(strings, shape)
    finally:
        hook.remove()
    return heard[0]


@pytest.mark.parametrize(("gain", "raster"), [(1.0, False), (0.8, False), (0.8, True)])
def test_the_decoder_has_the_encoders_latent(gain: float, raster: bool) -> None:
    network = filled(128, gain)
    x = probe.picture(128, 192)
    network.in_raster_order = raster
    try:
        coded = network.compress(x)
        assert torch.equal(decoded_latent(network, **coded), torch.round(network.g_a(x)))
    finally:
        network.in_raster_order = False


def test_the_stream_takes_what_the_authors_tables_say() -> None:
    (case,) = (case for case in NUMBERS["cases"] if case["gain"] == 1.0)
    coded = filled(128, 1.0).compress(probe.picture(128, 192))
    besides = 128 // 8 + 5  # bytes of the bitmap of channels, and of the alphabet
    assert 8 * (len(coded["strings"][0][0]) - besides) == pytest.approx(case["bits_y_from_frequency_tables"], rel=1e-3)


def test_every_table_is_the_same_from_wavefronts_and_from_the_whole_picture() -> None:
    network = filled(128, 1.0)
    x = probe.picture(128, 192)
    y_hat = torch.round(network.g_a(x))
    z_hat, _ = network.entropy_bottleneck(network.h_a(y_hat))
    whole = network.numbers(y_hat, z_hat)[0].unflatten(0, (30, 128)).flatten(2)
    symbols = y_hat[0].int().flatten(1)

    def compare(positions: Tensor, numbers: Tensor) -> Tensor:
        ours, theirs = (tables(n.flatten(1), -60, 60) for n in (numbers, whole[:, :, positions]))
        assert torch.equal((ours * 2**20).round(), (theirs * 2**20).round())
        return symbols[:, positions]

    assert torch.equal(network._walk(z_hat, torch.arange(128), compare), y_hat)


def test_pictures_of_a_batch_are_coded_as_they_are_alone() -> None:
    network = filled(128, 0.8)
    batch = torch.cat((probe.picture(64, 64), 1 - probe.picture(64, 64)))
    together = network.compress(batch)
    alone = [network.compress(x) for x in batch.split(1)]
    assert together["strings"] == [[a["strings"][kind][0] for a in alone] for kind in range(2)]
    one_by_one = [network.decompress(a["strings"], a["shape"])["x_hat"] for a in alone]
    assert torch.equal(network.decompress(**together)["x_hat"], torch.cat(one_by_one))


def test_channels_that_are_zero_everywhere_are_left_out() -> None:
    network = Gllmm(128)
    probe.fill(network, 0.8)
    for block in network.g_a.nlab1.trunk:
        block.conv3.weight[40:] = 0
        block.conv3.bias[40:] = 0
    network.g_a.block3.conv.weight[40:] = 0
    network.update(force=True)
    network.eval()
    x = probe.picture(64, 128)
    y_hat = torch.round(network.g_a(x))
    assert y_hat[:, 40:].count_nonzero() == 0
    coded = network.compress(x)
    assert torch.equal(decoded_latent(network, **coded), y_hat)
    assert len(coded["strings"][0][0]) < 0.4 * len(filled(128, 0.8).compress(x)["strings"][0][0])


def test_a_latent_of_nothing_but_zeros_takes_no_byte() -> None:
    network = Gllmm(16)
    for parameter in network.g_a.parameters():
        parameter.zero_()
    network.update(force=True)
    coded = network.eval().compress(torch.zeros(1, 3, 64, 64))
    assert coded["strings"][0] == [b""]
    assert decoded_latent(network, **coded).count_nonzero() == 0


# The codec


@pytest.mark.parametrize(("height", "width"), [(1, 1), (70, 33)])
def test_a_picture_of_any_size_comes_back_as_the_network_promises_it(height: int, width: int) -> None:
    codec = LearnedCodec(filled(128, 0.6), "gllmm")
    image = picture(height, width)
    decoded = codec.decode(codec.encode(image))
    assert decoded.shape == image.shape
    assert np.array_equal(decoded, codec.forward(image)[0])


def test_probabilities_do_not_depend_on_the_number_of_threads() -> None:
    network = filled(128, 1.0)
    coded = network.compress(probe.picture(64, 128))
    alone = decoded_latent(network, **coded)
    with threads(3 - min(2, torch.get_num_threads())):
        assert torch.equal(decoded_latent(network, **coded), alone)
