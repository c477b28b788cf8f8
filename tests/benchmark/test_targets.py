"""Searches for target rates and qualities: labels, the nearest step, the range's ends, and what a run records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.commands import lic_bench
from helpers.pictures import picture

from lic_bench import api
from lic_bench.benchmark import plan, targets, worker
from lic_bench.benchmark.metrics import psnr
from lic_bench.benchmark.options import RunOptions, changed
from lic_bench.benchmark.targets import SearchedQuality, Target, TargetKind
from lic_bench.caveats import Caveat
from lic_bench.codec import Image
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Failure, Job, Measurement, PictureRecord, Settings, Training
from lic_bench.registry import codecs


def bpp(stream: bytes, image: Image) -> float:
    return 8 * len(stream) / (image.shape[0] * image.shape[1])


def searched(name: str, label: str) -> SearchedQuality:
    card = targets.card_of(name, label)
    codec = card.load(card.point(label))
    assert isinstance(codec, SearchedQuality)
    return codec


def test_labels_say_the_target() -> None:
    for target, label in ((Target(TargetKind.BPP, 0.25), "bpp-0.25"), (Target(TargetKind.PSNR, 35), "psnr-35")):
        assert target.label == label
        assert targets.of_label(label) == target
    for label in ("75", "ms-ssim-1", "bpp-", "psnr-high"):
        assert targets.of_label(label) is None


@pytest.mark.parametrize("name", ["jpeg", "webp", "jpeg2000"])
@pytest.mark.parametrize("label", ["bpp-1", "bpp-2.5", "psnr-32"])
def test_no_other_quality_comes_nearer(name: str, label: str) -> None:
    image, codec, card = picture(160, 96), searched(name, label), codecs.get(name)
    target = targets.of_label(label)
    assert target is not None

    def distance(quality: int) -> float:
        point = card.points[0]
        coder = card.load(type(point)(point.label, settings={"quality": quality}))
        stream = coder.encode(image)
        reached = bpp(stream, image) if target.kind is TargetKind.BPP else psnr(image, coder.decode(stream))
        return abs(reached - target.value)

    stream = codec.encode(image)
    found = codec.coding(stream).quality
    assert found is not None
    first, last = sorted(card.qualities or ())
    assert distance(found) == min(distance(q) for q in range(max(first, found - 3), min(last, found + 3) + 1))
    assert psnr(image, codec.decode(stream)) > 25


def test_a_picture_is_searched_for_once() -> None:
    coded: list[int] = []

    class Steps:
        def __init__(self, quality: int) -> None:
            self.quality = quality

        def encode(self, image: Image) -> bytes:
            coded.append(self.quality)
            return bytes(self.quality)

        def decode(self, stream: bytes) -> Image:
            return np.zeros((8, 8, 3), np.uint8)

    codec = SearchedQuality("steps", Steps, (1, 100), Target(TargetKind.BPP, 30 / 8))
    image = np.zeros((8, 8, 3), np.uint8)
    assert codec.encode(image) == bytes(30)
    assert 4 < len(coded) <= 11  # both ends, bisection of 100 steps, and the picture itself
    coded.clear()
    assert codec.encode(image.copy()) == bytes(30)
    assert coded == [30]
    codec.encode(image + 1)
    assert len(coded) > 4


def test_a_range_of_falling_numbers_is_searched_as_well() -> None:
    codec = searched("jpeg2000", "bpp-4")
    image = picture(160, 96)
    stream = codec.encode(image)
    assert codec.coding(stream).quality == 6  # 24 bits per pixel over the ratio
    assert bpp(stream, image) == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(("label", "end"), [("bpp-0.001", "quality 1"), ("psnr-80", "quality 95")])
def test_a_target_beyond_the_range_is_refused(label: str, end: str) -> None:
    with pytest.raises(LicBenchError, match=rf"jpeg does not reach .* it ends at .* \({end}\)"):
        searched("jpeg", label).encode(picture(64, 48))


def test_learned_codecs_keep_their_points() -> None:
    cards = codecs.select("jpeg,mbt2018,webp")
    found = {card.name: card for card in targets.searching(cards, [0.5, 1, 0.5], [32])}
    assert [point.label for point in found["jpeg"].points] == ["bpp-0.5", "bpp-1", "psnr-32"]
    assert found["mbt2018"] == codecs.get("mbt2018")
    assert targets.searching(cards, (), ()) == cards
    for value in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(RequestError, match="cannot be reached; it must be above 0"):
            targets.searching(cards, [value], ())


def test_points_narrow_the_codecs_that_are_not_searched() -> None:
    pictures = [PictureRecord("a", 96, 32, "0")]
    made = plan.plan(targets.searching(codecs.select("jpeg"), [1], ()), pictures, "set", {}, Settings(), ["3"])
    assert [job.point for job in made.jobs] == ["bpp-1"]


def test_options_take_numbers_and_text() -> None:
    asked = changed(RunOptions(), {"target_bpp": "0.25, 1", "target_psnr": 35})
    assert asked.target_bpp == (0.25, 1)
    assert asked.target_psnr == (35,)
    with pytest.raises(RequestError, match="A target is a number, and 'high' is none"):
        changed(RunOptions(), {"target_bpp": "high"})


def test_a_row_records_the_quality_and_a_miss(folder: Path) -> None:
    settings = Settings(device="cpu", timing_repeats=2, memory=False)
    rows = {}
    for label in ("bpp-3", "bpp-100"):
        job = Job("jpeg", label, Training.NOT_LEARNED, str(folder), ("a.png",), reference="jpeg", settings=settings)
        (rows[label],) = worker.measure(job)
    row = rows["bpp-3"]
    assert isinstance(row, Measurement)
    assert row.coding is not None
    assert row.coding.quality is not None
    assert (Caveat.OFF_TARGET in row.caveats) == (abs(row.bpp - 3) > 0.03)
    assert isinstance(rows["bpp-100"], Failure)
    assert "jpeg does not reach 100 bpp" in rows["bpp-100"].reason


def test_a_run_has_a_point_per_target(folder: Path, tmp_path: Path) -> None:
    lic_bench(
        "run", "-m", "jpeg,webp", "--dataset", str(folder), "--target-bpp", "3,4", "--timing-repeats", "0",
        "--no-memory", "-o", "runs", cwd=tmp_path,
    )  # fmt: skip
    (place,) = (tmp_path / "runs").iterdir()
    run = api.write_report(place)
    assert {(row.codec, row.point) for row in run.rows} == {
        (name, label) for name in ("jpeg", "webp") for label in ("bpp-3", "bpp-4")
    }
    card = run.header.card("jpeg")
    assert card is not None
    assert [point.label for point in card.points] == ["bpp-3", "bpp-4"]
