"""A run from request to page, with codecs whose figures are known by arithmetic."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import small_codecs
from PIL import Image as pillow

from lic_bench import api
from lic_bench.benchmark import environment, run_folder, runner
from lic_bench.benchmark.options import RunOptions
from lic_bench.caveats import Caveat
from lic_bench.codec import CurveId
from lic_bench.errors import RequestError
from lic_bench.records import Agreement, AgreementKind, Call, Failure, FailureKind, Measurement
from lic_bench.registry import codecs

QUICK = {"device": "cpu", "timing_repeats": 1, "timing_budget_seconds": 1e9}  # one pass per picture, however slow


def request(folder: Path, output: Path, *names: str, **changes: object) -> RunOptions:
    models = [small_codecs.reference(name) for name in names]
    return RunOptions(models=models, dataset=str(folder), output=output, **QUICK, **changes)  # type: ignore[arg-type]


def measured(run: api.Run) -> list[Measurement]:
    return [row for row in run.rows if isinstance(row, Measurement)]


class Notes(runner.Silent):
    """An observer that keeps notes."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def rewrite(header: Path, **changes: object) -> None:
    header.write_text(json.dumps(json.loads(header.read_text()) | changes))


def test_sizes_and_errors_are_what_arithmetic_says(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "SKIPPING"))
    rows = {(row.point, row.picture): row for row in measured(run)}
    assert len(rows) == 5 * 3
    assert not run.failures
    for (point, name), row in rows.items():
        step = int(point)
        image = np.asarray(pillow.open(folder / name)).astype(float)
        kept = image[::step, ::step]
        rebuilt = kept.repeat(step, 0).repeat(step, 1)[: image.shape[0], : image.shape[1]]
        assert row.stream_bytes == small_codecs.HEADER_BYTES + kept.size
        assert row.psnr_db == pytest.approx(10 * math.log10(255**2 / np.mean((image - rebuilt) ** 2)), abs=1e-9)
        assert row.bpp == pytest.approx(8 * row.stream_bytes / (row.width * row.height))


def test_every_row_holds_how_a_fresh_process_agrees(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "LOSSLESS", "REMEMBERING"))
    found = {(row.codec, row.picture): row for row in measured(run)}
    assert found["lossless", "a.png"].fresh_process == Agreement(AgreementKind.EXACT)
    other = found["remembering", "a.png"]  # its decoder gives a black picture in a process that encoded nothing
    largest = int(np.asarray(pillow.open(folder / "a.png")).max())
    assert other.fresh_process == Agreement(AgreementKind.PIXELS_DIFFER, largest)
    assert Caveat.DRIFT in other.caveats
    assert found["lossless", "b.png"].fresh_process is None


def test_every_timed_pass_has_a_calibration_beside_it(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "LOSSLESS"))
    for row in measured(run):
        assert len(row.calibration_seconds) == len(row.calibration_cpu_seconds) == len(row.decode_seconds) == 1
        assert [row.channel_mse[at][at] for at in range(3)] == [0, 0, 0]


def test_the_fresh_processes_meter_memory(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "LOSSLESS"))
    (row,) = (row for row in measured(run) if row.picture == "a.png")
    assert [use.call for use in row.memory] == [Call.ENCODE, Call.DECODE]
    assert all(use.host_loaded_bytes > 10e6 for use in row.memory)


def test_a_broken_picture_is_named_and_the_others_are_measured(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    run = api.run_with_options(request(folder, tmp_path / "runs", "LOSSLESS"))
    assert {row.picture for row in measured(run)} == {"a.png", "b.png", "c.png"}
    (failure,) = run.failures
    assert failure.picture == "cut.png"
    assert "cut.png is damaged" in failure.reason


def test_a_codec_that_breaks_is_a_row_and_others_go_on(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "BREAKING", "CROPPING", "LOSSLESS"))
    failed = {(row.codec, row.picture, row.kind) for row in run.failures}
    assert ("breaking", "a.png", FailureKind.MEASURE) in failed
    assert ("breaking", "c.png", FailureKind.MEASURE) not in failed
    assert ("cropping", "c.png", FailureKind.MEASURE) in failed
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_a_process_that_dies_is_named_with_its_signal(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "DYING", "LOSSLESS"))
    assert any("SIGKILL" in row.reason for row in run.failures if row.codec == "dying")
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_a_codec_that_never_ends_is_stopped_by_the_timeout(folder: Path, tmp_path: Path) -> None:
    """The codec that ends needs a fraction of a second for a picture, far less than the timeout."""
    run = api.run_with_options(request(folder, tmp_path / "runs", "ENDLESS", "LOSSLESS", timeout_seconds=5.0))
    assert any("--timeout" in row.reason for row in run.failures if row.codec == "endless")
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_an_interrupted_run_continues_where_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rows of changed code are never joined to earlier ones, and a checkout under work has uncommitted changes.
    monkeypatch.setattr(environment, "commit", lambda: ("0123456789", False))
    wanted = request(folder, tmp_path / "runs", "SKIPPING")
    first = api.run_with_options(wanted)
    lines = (first.folder / run_folder.ROWS).read_text().splitlines(keepends=True)
    (first.folder / run_folder.ROWS).write_text("".join(lines[:7]) + lines[7][:40])  # a crash in the middle of a row
    rewrite(first.folder / run_folder.HEADER, finished=None)
    second = api.run_with_options(wanted)
    assert second.folder == first.folder
    again = (second.folder / run_folder.ROWS).read_text().splitlines(keepends=True)
    assert again[:7] == lines[:7]
    assert len(again) == len(lines)
    assert second.header.finished is not None


def test_a_finished_run_is_not_continued(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "LOSSLESS")
    assert api.run_with_options(wanted).folder != api.run_with_options(wanted).folder


def test_two_workers_measure_the_same_with_a_caveat_on_times(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "SKIPPING", workers=2))
    assert len(measured(run)) == 15
    assert all(Caveat.SHARED_MACHINE in row.caveats for row in measured(run))


def test_points_narrow_a_run_and_a_wrong_one_is_refused(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "SKIPPING", points=("2", "8"), pictures=1))
    assert {(row.point, row.picture) for row in measured(run)} == {("2", "a.png"), ("8", "a.png")}
    with pytest.raises(RequestError, match="no operating point matches 99"):
        api.run_with_options(request(folder, tmp_path / "runs", "SKIPPING", points=("99",)))


def test_a_run_of_unreadable_pictures_only_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "broken"
    place.mkdir()
    (place / "empty.png").write_bytes(b"")
    with pytest.raises(RequestError, match=r"empty\.png is empty"):
        api.run_with_options(request(place, tmp_path / "runs", "LOSSLESS"))


def test_a_run_folder_travels(folder: Path, tmp_path: Path) -> None:
    run = api.run_with_options(request(folder, tmp_path / "runs", "SKIPPING"))
    moved = Path(shutil.move(run.folder, tmp_path / "elsewhere"))
    again = api.write_report(moved)
    assert again.page.parent == moved
    assert [row for row in again.rows if isinstance(row, Failure)] == []
    assert again.rows == run.rows


def test_an_unfinished_run_of_other_code_is_not_continued(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "LOSSLESS")
    first = api.run_with_options(wanted)
    rewrite(first.folder / run_folder.HEADER, finished=None, lic_bench="0.0.1")
    notes = Notes()
    second = api.run_with_options(wanted, notes)
    assert second.folder != first.folder
    assert any(str(first.folder) in text and "is not continued" in text for text in notes.texts)


def test_an_unfinished_run_of_another_format_is_not_continued(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "LOSSLESS")
    first = api.run_with_options(wanted)
    rewrite(first.folder / run_folder.HEADER, finished=None, format=1)
    before = (first.folder / run_folder.ROWS).read_bytes()
    notes = Notes()
    assert api.run_with_options(wanted, notes).folder != first.folder
    assert f"The run in {first.folder} has format 1; this version reads format 2. It is not continued." in notes.texts
    assert (first.folder / run_folder.ROWS).read_bytes() == before


SELF_TRAINED = """
import numpy as np

class SelfTrained:
    lic_bench = {"name": "self-trained", "trained": True, "trained_for": "ms-ssim", "year": 2026}

    def encode(self, image):
        return bytes(image.shape[:2]) + image.tobytes()

    def decode(self, stream):
        return np.frombuffer(stream[2:], np.uint8).reshape(stream[0], stream[1], 3).copy()
"""


def test_the_header_holds_the_card_of_every_planned_codec(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "self_trained_codec.py").write_text(SELF_TRAINED)
    self_trained = f"{tmp_path / 'self_trained_codec.py'}:SelfTrained"
    models = ["webp", self_trained, "jpeg", small_codecs.reference("LOSSLESS")]
    options = RunOptions(models=models, dataset=str(folder), output=tmp_path, points=("5", "1", "only"), **QUICK)  # type: ignore[arg-type]
    header = runner.run(replace(options, pictures=1, memory=False, macs=False)).header
    cards = {card.name: card for card in header.cards}
    assert list(cards) == list(dict.fromkeys(job.codec for job in header.jobs))
    assert cards["webp"].trained_for("5") is None
    assert cards["jpeg"].published == (CurveId("jpeg", "compressai-classical", "none"),)
    assert cards["self-trained"].trained_for("1") == "ms-ssim"
    assert (cards["self-trained"].learned, cards["self-trained"].year) == (True, 2026)
    registered = codecs.names()
    colours = {name: card.colour_index for name, card in cards.items()}
    assert colours["webp"] == registered.index("webp")
    assert colours["jpeg"] == registered.index("jpeg")
    assert {colours["self-trained"], colours["lossless"]} == {len(registered), len(registered) + 1}
