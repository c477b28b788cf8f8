"""A run from request to page, with codecs whose figures are known by arithmetic."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pretend_codecs
import pytest
from PIL import Image as pillow

from lic_bench import runner, store
from lic_bench.errors import RequestError
from lic_bench.records import Failure, Measurement, Settings

QUICK = Settings(timing_repeats=1, timing_budget_seconds=1e9)  # one pass per picture, however slow the machine


def request(folder: Path, output: Path, *names: str, **changes: object) -> runner.Request:
    models = [pretend_codecs.reference(name) for name in names]
    return runner.Request(models=models, dataset=str(folder), output=output, settings=QUICK, **changes)  # type: ignore[arg-type]


def measured(run: runner.Run) -> list[Measurement]:
    return [row for row in run.rows if isinstance(row, Measurement)]


def test_sizes_and_errors_are_what_arithmetic_says(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "SKIPPING"))
    rows = {(row.point, row.picture): row for row in measured(run)}
    assert len(rows) == 5 * 3
    assert not run.failures
    for (point, name), row in rows.items():
        step = int(point)
        image = np.asarray(pillow.open(folder / name)).astype(float)
        kept = image[::step, ::step]
        rebuilt = kept.repeat(step, 0).repeat(step, 1)[: image.shape[0], : image.shape[1]]
        assert row.stream_bytes == pretend_codecs.HEADER_BYTES + kept.size
        assert row.psnr_db == pytest.approx(10 * math.log10(255**2 / np.mean((image - rebuilt) ** 2)), abs=1e-9)
        assert row.bpp == pytest.approx(8 * row.stream_bytes / (row.width * row.height))


def test_every_row_says_what_a_fresh_process_made_of_the_stream(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "LOSSLESS", "REMEMBERING"))
    told = {(row.codec, row.picture): row.fresh_process for row in measured(run)}
    assert told["lossless", "a.png"] == "exact"
    assert told["remembering", "a.png"].startswith("differs by up to")
    assert told["lossless", "b.png"] is None


def test_every_timed_pass_has_a_yardstick_beside_it(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "LOSSLESS"))
    for row in measured(run):
        assert len(row.yardstick_seconds) == len(row.yardstick_cpu_seconds) == len(row.decode_seconds) == 1
        assert [row.channel_mse[at][at] for at in range(3)] == [0, 0, 0]


def test_the_fresh_processes_meter_memory(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "LOSSLESS"))
    (row,) = (row for row in measured(run) if row.picture == "a.png")
    assert [use.call for use in row.memory] == ["encode", "decode"]
    assert all(use.host_loaded_bytes > 10e6 for use in row.memory)


def test_a_broken_picture_is_named_and_the_others_are_measured(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    run = runner.run(request(folder, tmp_path / "runs", "LOSSLESS"))
    assert {row.picture for row in measured(run)} == {"a.png", "b.png", "c.png"}
    (failure,) = run.failures
    assert failure.picture == "cut.png"
    assert "cut.png is damaged" in failure.reason


def test_a_codec_that_breaks_is_a_row_and_stops_nobody(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "BREAKING", "CROPPING", "LOSSLESS"))
    failed = {(row.codec, row.picture, row.stage) for row in run.failures}
    assert ("breaking", "a.png", "measure") in failed
    assert ("breaking", "c.png", "measure") not in failed
    assert ("cropping", "c.png", "measure") in failed
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_a_process_that_dies_is_named_with_its_signal(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "DYING", "LOSSLESS"))
    assert any("SIGKILL" in row.reason for row in run.failures if row.codec == "dying")
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_a_codec_that_never_ends_is_stopped_by_the_timeout(folder: Path, tmp_path: Path) -> None:
    """The codec that ends needs a fraction of a second for a picture, far less than the timeout."""
    run = runner.run(request(folder, tmp_path / "runs", "ENDLESS", "LOSSLESS", timeout_seconds=5.0))
    assert any("--timeout" in row.reason for row in run.failures if row.codec == "endless")
    assert sum(row.codec == "lossless" for row in measured(run)) == 3


def test_an_interrupted_run_continues_where_it_was(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "SKIPPING")
    first = runner.run(wanted)
    lines = (first.folder / store.ROWS).read_text().splitlines(keepends=True)
    (first.folder / store.ROWS).write_text("".join(lines[:7]) + lines[7][:40])  # a crash in the middle of a row
    header = json.loads((first.folder / store.HEADER).read_text()) | {"finished": None, "dirty": False}
    (first.folder / store.HEADER).write_text(json.dumps(header))
    second = runner.run(wanted)
    if header["commit"] is not None and second.header.dirty:
        pytest.skip("the checkout is dirty, and rows of changed code are never joined to earlier ones")
    assert second.folder == first.folder
    again = (second.folder / store.ROWS).read_text().splitlines(keepends=True)
    assert again[:7] == lines[:7]
    assert len(again) == len(lines)


def test_a_finished_run_is_not_continued(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "LOSSLESS")
    assert runner.run(wanted).folder != runner.run(wanted).folder


def test_two_workers_measure_the_same_and_put_a_doubt_on_times(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "SKIPPING", workers=2))
    assert len(measured(run)) == 15
    assert all("SHARED_MACHINE" in {doubt.name for doubt in row.doubts} for row in measured(run))


def test_points_narrow_a_run_and_a_wrong_one_is_refused(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "SKIPPING", points=("2", "8"), pictures=1))
    assert {(row.point, row.picture) for row in measured(run)} == {("2", "a.png"), ("8", "a.png")}
    with pytest.raises(RequestError, match="no operating point matches 99"):
        runner.run(request(folder, tmp_path / "runs", "SKIPPING", points=("99",)))


def test_a_run_of_unreadable_pictures_only_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "broken"
    place.mkdir()
    (place / "empty.png").write_bytes(b"")
    with pytest.raises(RequestError, match=r"empty\.png is empty"):
        runner.run(request(place, tmp_path / "runs", "LOSSLESS"))


def test_a_run_folder_travels(folder: Path, tmp_path: Path) -> None:
    run = runner.run(request(folder, tmp_path / "runs", "SKIPPING"))
    moved = Path(shutil.move(run.folder, tmp_path / "elsewhere"))
    again = runner.report(moved)
    assert again.page.parent == moved
    assert [row for row in again.rows if isinstance(row, Failure)] == []
    assert again.rows == run.rows


def test_an_unfinished_run_of_other_code_is_not_continued_and_that_is_said(folder: Path, tmp_path: Path) -> None:
    wanted = request(folder, tmp_path / "runs", "LOSSLESS")
    first = runner.run(wanted)
    header = json.loads((first.folder / store.HEADER).read_text()) | {"finished": None, "lic_bench": "0.0.1"}
    (first.folder / store.HEADER).write_text(json.dumps(header))
    said: list[str] = []

    class Listening(runner.Silent):
        def note(self, text: str) -> None:
            said.append(text)

    second = runner.run(wanted, Listening())
    assert second.folder != first.folder
    assert any(str(first.folder) in text and "is not continued" in text for text in said)
