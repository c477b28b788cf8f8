"""CompressAI's two ELICs beside the figures they gave: a later CompressAI that behaves differently is noticed."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from conformance import compare, families, probe
from conformance.compare import Seen

from lic_bench import catalogue, macs
from lic_bench.learned import LearnedCodec
from lic_bench.records import Call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=families.ELIC_FIGURES)
def codec(request: pytest.FixtureRequest) -> Iterator[LearnedCodec]:
    card = catalogue.card(request.param)
    loaded = card.load(card.points[0])
    assert isinstance(loaded, LearnedCodec)
    probe.fill(loaded.network, families.figures_file(card.name)["gain"])
    loaded.network.update(force=True)  # type: ignore[operator]
    return loaded


def name_of(codec: LearnedCodec) -> str:
    return codec.identity.partition("/")[0]


@pytest.fixture
def known(codec: LearnedCodec) -> dict[str, object]:
    return families.figures_file(name_of(codec))


def without_tables(layout: list[str]) -> list[str]:
    """Tables have no size before `update`."""
    tables = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")
    return [line for line in layout if not line.split()[0].endswith(tables)]


def test_names_shapes_and_order_are_those_of_the_class(codec: LearnedCodec, known: dict) -> None:
    assert without_tables(compare.layout(codec.network)) == without_tables(known["state_dict"])
    assert sum(p.numel() for p in codec.network.parameters()) == known["trainable_parameters"]


@pytest.fixture(scope="module")
def exact(codec: LearnedCodec) -> Seen:
    """The pass in float64, whose indexes and strings are the known ones."""
    name = name_of(codec)
    seen = families.observe(name, copy.deepcopy(codec.network).double(), probe.picture(256, 256).double())
    assert compare.differences(seen, families.figures(name)) == []
    return seen


def test_float64_gives_the_known_numbers_and_strings(codec: LearnedCodec, known: dict, exact: Seen) -> None:
    assert compare.differences(exact, families.figures(name_of(codec))) == []
    sizes = [len(string) for string in exact.y_strings()]
    assert sizes == known["coding_256x256"]["bytes_per_string"][:-1]


def test_float32_gives_them_up_to_the_first_tie(codec: LearnedCodec, exact: Seen) -> None:
    name = name_of(codec)
    seen, figures = families.observe(name, codec.network, probe.picture(256, 256)), families.figures(name)
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    if compare.float32_is_equal(name, seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


def test_a_float32_stream_is_the_known_one(codec: LearnedCodec, exact: Seen) -> None:
    out, written = compare.compressed(codec.network, probe.picture(256, 256))
    compare.float32_strings_are_equal(name_of(codec), out, written, exact)


def test_the_work_of_every_call_and_part_is_the_known_one(codec: LearnedCodec, known: dict) -> None:
    for call, theirs in {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}.items():
        counted = macs.count(codec, 256, 256, call)
        work = known["kmac_per_pixel_512x768"][theirs]
        assert counted.kmac_per_pixel == pytest.approx(work["total"], abs=0.01)
        assert not counted.unseen
        for part in counted.by_part if call is Call.FORWARD else ():
            if part in work:
                assert counted.by_part[part] / 65_536_000 == pytest.approx(work[part], abs=0.01), part
