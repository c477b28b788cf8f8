"""Complexity of codecs and of any module; how it is written; how far an implementation is from its machine's limits."""

from __future__ import annotations

import csv
import io
import json

import pytest
import torch
from torch import Tensor, nn

import lic_bench
from lic_bench.complexity import codec_complexity, roofline, tables
from lic_bench.complexity.tables import By
from lic_bench.errors import RequestError
from lic_bench.records import Call, MacCount, Measurement, MemoryUse, Origin, Training
from lic_bench.registry import codecs


class TwoLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.second = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


def test_any_module_is_counted_in_three_lines() -> None:
    found = lic_bench.count_complexity(TwoLayers(), size=(64, 32), call="forward")
    # A quarter of 2048 positions: 27 x 8 products each, then 8 x 5
    assert found.by_part == {"first": 512 * 216, "second": 512 * 40}
    assert found.total == 512 * 256
    assert found.kmac_per_pixel == 0.064
    assert (found.parameters, found.weight_bytes) == (27 * 8 + 8 + 40 + 5, 4 * 269)
    assert found.uncounted == {}
    # Both layers' results are there at once: 512 positions of 8 and of 5 channels
    assert found.activation_bytes == 4 * 512 * 13


def test_weights_are_counted_once_and_in_their_own_type() -> None:
    module = TwoLayers().half()
    module.again = module.second  # type: ignore[assignment]
    found = lic_bench.count_complexity(module, size=(64, 32))
    assert (found.parameters, found.weight_bytes) == (269, 2 * 269)


def test_a_codec_is_counted_under_its_name_and_point() -> None:
    codec = lic_bench.load_codec("bmshj2018-factorized", point="3")
    found = lic_bench.count_complexity(codec, size=(256, 256), call="decode")
    assert (found.codec, found.point, found.serial_steps) == ("bmshj2018-factorized", "3", 1)
    assert round(found.kmac_per_pixel, 3) == 42.176


def test_a_codec_without_a_network_has_nothing_to_count() -> None:
    with pytest.raises(RequestError, match="shows no network, so there is nothing to count"):
        lic_bench.count_complexity(lic_bench.load_codec("jpeg"))


def test_each_different_network_of_a_codec_is_counted_once() -> None:
    assert [point.label for point in codec_complexity.networks(codecs.get("bmshj2018-hyperprior"))] == ["1", "6"]
    assert codec_complexity.networks(codecs.get("jpeg")) == ()
    found = list(codec_complexity.of_cards([codecs.get("bmshj2018-hyperprior")], [(64, 64), (128, 64)], [Call.ENCODE]))
    assert [(item.point, item.count.width) for item in found] == [("1", 64), ("1", 128), ("6", 64), ("6", 128)]


def learned() -> list[str]:
    return [name for name in codecs.names() if codecs.get(name).learned]


@pytest.mark.parametrize("name", learned())
def test_every_learned_codec_counts_and_its_parts_add_up(name: str) -> None:
    card = codecs.get(name)
    found = list(codec_complexity.of_point(card, card.points[0], [(256, 256)], tuple(Call)))
    assert [item.count.call for item in found] in ([Call.FORWARD], list(Call))
    for item in found:
        assert item.uncounted == {}
        assert item.origin is Origin.PREDICTED
        assert sum(item.by_part.values()) == item.total > 0
    for item in found[2:]:
        assert item.serial_steps is not None
        assert item.serial_steps >= 1


def some(by: By | None = None) -> tuple[list[codec_complexity.Complexity], By | None]:
    return list(codec_complexity.of_cards([codecs.get("bmshj2018-hyperprior")], [(250, 60)], [Call.FORWARD])), by


def test_json_has_what_is_promised_and_adds_up() -> None:
    found, _ = some()
    first, second = json.loads(tables.to_json(found))
    assert set(first) >= {
        "codec", "point", "width", "height", "call", "kmac_per_pixel", "by_part", "uncounted", "parameters"
    }  # fmt: skip
    assert (first["codec"], first["point"], second["point"]) == ("bmshj2018-hyperprior", "1", "6")
    assert (first["width"], first["height"], first["padded_width"], first["padded_height"]) == (250, 60, 256, 64)
    assert sum(first["by_part"].values()) == pytest.approx(first["kmac_per_pixel"])
    assert sum(first["macs_by_part"].values()) == first["macs"]


@pytest.mark.parametrize("by", By)
def test_csv_taken_apart_adds_up_to_the_total(by: By) -> None:
    found, _ = some()
    lines = [line for line in csv.DictReader(io.StringIO(tables.to_csv(found, by))) if line["point"] == "6"]
    assert sum(int(line[f"{by.value}_macs"]) for line in lines) == int(lines[0]["macs"])


def test_tables_say_what_a_reader_must_know() -> None:
    found, _ = some()
    # 87.082 kMAC per padded pixel, of which there are 256 x 64 for 250 x 60
    assert tables.rows(found)[1][:5] == ["bmshj2018-hyperprior", "1", "250x60", "forward", "95.12"]
    assert "250x60 is padded to 256x64; divided by the pixels given" in tables.remarks(found)[0]
    parts = tables.rows(found[:1], By.PART)
    assert [line[4] for line in parts[1:]] == ["entropy_bottleneck", "g_a", "g_s", "h_a", "h_s"]


def test_a_lower_bound_is_written_as_one() -> None:
    count = MacCount(Call.FORWARD, 10, 10, 100_000, {"a": 100_000}, uncounted={"aten::odd": 2})
    item = codec_complexity.Complexity("mine", "1", count, 5, 20)
    assert tables.rows([item])[1][4] == "≥ 1.00"
    assert tables.remarks([item])[0] == "mine 1: a lower bound, not counted: aten::odd."


def test_latex_escapes_names_and_sets_numbers_to_the_right() -> None:
    text = tables.to_latex([["part", "share"], ["g_a", "50.0%"]])
    assert r"\begin{tabular}{lr}" in text
    assert r"g\_a & 50.0\% \\" in text


@pytest.mark.parametrize(("text", "size"), [("768x512", (768, 512)), (" 1X1 ", (1, 1)), ("3840×2160", (3840, 2160))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert tables.size(text) == size


@pytest.mark.parametrize("text", ["", "768", "0x4", "-3x5", "7.5x3", "axb", "1x2x3"])
def test_nonsense_sizes_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(RequestError, match="is not a size; write width x height"):
        tables.size(text)


def row(picture: str, seconds: tuple[float, ...], macs: int) -> Measurement:
    count = MacCount(Call.DECODE, 10, 10, macs, {}, activation_bytes=300, serial_steps=7)
    return Measurement(
        "mine", "1", Training.UNTRAINED, "set", picture, "", 10, 10, 5, 40, None, None, None, (), seconds,
        macs=(count,), memory=(MemoryUse(Call.DECODE, 1000, 400),),
    )  # fmt: skip


def test_achieved_rate_is_all_work_over_all_median_times() -> None:
    (found,) = roofline.achieved([row("a", (9.0, 1.0, 2.0), 600), row("b", (3.0,), 400), row("c", (), 10**9)])
    assert (found.macs, found.seconds, found.macs_per_second) == (1000, 5.0, 200.0)
    assert (found.serial_steps, found.predicted_bytes, found.measured_bytes) == (7, 300, 400)
    assert found.share(roofline.Rates(800.0, 400.0, "cpu", 1)) == (0.25, 0.5)


def test_this_machine_has_limits_and_keeps_its_threads() -> None:
    before = torch.get_num_threads()
    rates = roofline.measure_rates(threads=1, seconds=0.01)
    assert min(rates.matmul_macs_per_second, rates.convolution_macs_per_second) > 0
    assert torch.get_num_threads() == before
