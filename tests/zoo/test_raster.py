"""Our loop over positions beside CompressAI's: the same bitstreams and pictures, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from compressai import models
from conformance import compare, probe
from helpers.pictures import picture
from lic_bench.zoo.networks import raster

from lic_bench.complexity import mac_counter
from lic_bench.learned_codec import torch_threads
from lic_bench.records import Call
from lic_bench.registry import codecs

NARROW: dict[str, Callable[[], Any]] = {
    "mbt2018": lambda: models.JointAutoregressiveHierarchicalPriors(16, 24),
    "cheng2020-anchor": lambda: models.Cheng2020Anchor(16),
    "cheng2020-attn": lambda: models.Cheng2020Attention(16),
}
every_name = pytest.mark.parametrize("name", NARROW)


def with_every_table(network: Any) -> Any:
    """The network with latents that are not all zero, and with scales from below the first table to beyond the last."""
    probe.fill(network, 1.0)
    with torch.no_grad():
        bias = network.entropy_parameters[-1].bias
        bias[: len(bias) // 2] += torch.linspace(-3, 6, len(bias) // 2).exp()
    network.update(force=True)
    return network


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """CompressAI's loop and ours, loaded from the same narrow checkpoint."""
    found = {}
    for name, make in NARROW.items():
        path: Path = tmp_path_factory.mktemp("narrow") / f"{name}.pth"
        torch.save(with_every_table(make()).state_dict(), path)
        cards = codecs.get(name), codecs.get(f"{name}@fast")
        found[name] = cards[0].load(cards[0].points[0], path), cards[1].load(cards[1].points[0], path)
    return found


@every_name
def test_a_card_has_the_points_and_checkpoints_of_the_other(name: str) -> None:
    library, ours = codecs.get(name), codecs.get(f"{name}@fast")
    assert ours.points == library.points
    assert ours.published == library.published
    assert ours.licence == library.licence


@every_name
def test_networks_have_the_same_state_dict(name: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    library, ours = pairs[name]
    assert type(library.network) is not type(ours.network)
    assert compare.layout(ours.network) == compare.layout(library.network)


@every_name
@pytest.mark.parametrize("size", [(1, 1), (65, 48), (70, 129)])
def test_bitstreams_and_pictures_are_compressais(
    name: str, size: tuple[int, int], pairs: dict[str, tuple[Any, Any]]
) -> None:
    library, ours = pairs[name]
    for seed in range(2):
        stream = library.encode(picture(*size, seed=seed))
        assert ours.encode(picture(*size, seed=seed)) == stream
        decoded = library.decode(stream)
        assert np.array_equal(ours.decode(stream), decoded)
        with torch_threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(ours.decode(stream), decoded)


@every_name
def test_forward_is_compressais(name: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    library, ours = (codec.forward(picture(64, 96)) for codec in pairs[name])
    assert np.array_equal(ours[0], library[0])
    assert ours[1] == library[1]


def test_pictures_of_a_batch_are_coded_as_by_compressai(pairs: dict[str, tuple[Any, Any]]) -> None:
    library, ours = (codec.network for codec in pairs["mbt2018"])
    x = torch.cat((probe.picture(64, 64), probe.picture(64, 64).flip(-1)))
    with torch.no_grad():
        theirs, out = library.compress(x), ours.compress(x)
        assert out["strings"] == theirs["strings"]
        decoded = [network.decompress(out["strings"], out["shape"])["x_hat"] for network in (library, ours)]
    assert torch.equal(*decoded)


@every_name
def test_all_tables_are_used_in_these_tests(name: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    _, written = compare.compressed(pairs[name][1].network, probe.picture(64, 64))
    indexes = written[-1][1]
    assert int(indexes.min()) == 0
    assert int(indexes.max()) == 63


@pytest.mark.slow
@pytest.mark.parametrize(("name", "label"), [("mbt2018", "1"), ("mbt2018", "5"), ("cheng2020-attn", "4")])
def test_bitstreams_of_full_width_are_compressais(name: str, label: str) -> None:
    cards = codecs.get(name), codecs.get(f"{name}@fast")
    library, ours = (card.load(card.point(label)) for card in cards)
    for codec in (library, ours):
        with_every_table(codec.network)  # type: ignore[attr-defined]
    stream = library.encode(picture(128, 64))
    assert ours.encode(picture(128, 64)) == stream
    assert np.array_equal(ours.decode(stream), library.decode(stream))


@pytest.mark.parametrize("channels", [3, 24, 64])
def test_a_packed_convolution_has_the_bits_of_the_plain_one(channels: int) -> None:
    generator = torch.Generator().manual_seed(1)
    kernel, bias, y = (torch.randn(shape, generator=generator)
                       for shape in ((2 * channels, channels, 5, 5), (2 * channels,), (1, channels, 9, 7)))  # fmt: skip
    window = y[:, :, 2:7, 1:6]
    assert torch.equal(raster.packed(kernel, bias)(window), torch.nn.functional.conv2d(window, kernel, bias))


@every_name
@pytest.mark.parametrize("call", [Call.ENCODE, Call.DECODE])
def test_masked_taps_are_the_work_left_out(name: str, call: Call, pairs: dict[str, tuple[Any, Any]]) -> None:
    library, ours = (mac_counter.count(codec, 192, 128, call) for codec in pairs[name])
    assert not ours.uncounted
    assert ours.macs == library.macs  # as published, redundant work included
    assert ours.serial_steps == library.serial_steps
    m, positions = pairs[name][0].network.M, 12 * 8
    assert ours.redundant_macs == positions * 13 * m * (2 * m)
