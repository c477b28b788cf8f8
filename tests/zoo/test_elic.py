"""CompressAI's two ELICs beside the figures they gave: a later CompressAI that behaves differently is noticed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest
import torch
from conformance import compare, probe
from torch import Tensor, nn

from lic_bench.complexity import mac_counter
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Call
from lic_bench.registry import codecs

NAMES = {"elic": "elic-official", "elic-chandelier": "elic-chandelier"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=NAMES)
def codec(request: pytest.FixtureRequest) -> Iterator[LearnedCodec]:
    card = codecs.get(request.param)
    loaded = card.load(card.points[0])
    assert isinstance(loaded, LearnedCodec)
    probe.fill(loaded.network, compare.expected(NAMES[card.name])["gain"])
    loaded.network.update(force=True)  # type: ignore[operator]
    return loaded


@pytest.fixture
def told(codec: LearnedCodec) -> dict[str, object]:
    return compare.expected(NAMES[codec.identity.partition("/")[0]])


def without_tables(layout: list[str]) -> list[str]:
    """Tables have no size before `update`."""
    tables = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")
    return [line for line in layout if not line.split()[0].endswith(tables)]


def test_names_shapes_and_order_are_those_of_the_class(codec: LearnedCodec, told: dict) -> None:
    assert without_tables(compare.layout(codec.network)) == without_tables(told["state_dict"])
    assert sum(p.numel() for p in codec.network.parameters()) == told["trainable_parameters"]


@torch.no_grad()
def test_a_forward_pass_gives_the_known_numbers(codec: LearnedCodec, told: dict) -> None:
    g_a: nn.Module = codec.network.get_submodule("g_a")
    seen: dict[str, Tensor] = {}
    hook = g_a.register_forward_hook(lambda _, __, out: seen.update(y=out))
    out = codec.network(probe.picture(256, 256))
    hook.remove()
    expected = told["forward_256x256"]
    assert compare.difference(seen["y"], expected["y"]) < 1e-4
    assert compare.difference(out["x_hat"], expected["x_hat"]) < 1e-4
    for name, likelihood in out["likelihoods"].items():
        assert compare.difference(likelihood, expected[f"likelihoods_{name}"]) < 1e-4, name
        assert float(-torch.log2(likelihood.double()).sum()) == pytest.approx(expected[f"bits_{name}"], rel=1e-5)


@torch.no_grad()
def test_streams_are_the_known_ones_byte_for_byte(codec: LearnedCodec, told: dict) -> None:
    out = codec.network.compress(probe.picture(256, 256))  # type: ignore[operator]
    strings = [string for (string,) in out["strings"]]
    expected = told["coding_256x256"]
    if [zlib.crc32(string) for string in strings] == expected["crc32"]:
        assert [len(string) for string in strings] == expected["bytes_per_string"]
        return
    # Another processor may round a few symbols in ten thousand the other way, and every later slice moves a little.
    assert [len(string) for string in strings] == pytest.approx(expected["bytes_per_string"], rel=1e-3)


def test_the_work_of_every_call_and_part_is_the_known_one(codec: LearnedCodec, told: dict) -> None:
    for call, theirs in {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}.items():
        counted = mac_counter.count(codec, 256, 256, call)
        known = told["kmac_per_pixel_512x768"][theirs]
        assert counted.kmac_per_pixel == pytest.approx(known["total"], abs=0.01)
        assert not counted.uncounted
        for part in counted.by_part if call is Call.FORWARD else ():
            if part in known:
                assert counted.by_part[part] / 65_536_000 == pytest.approx(known[part], abs=0.01), part
