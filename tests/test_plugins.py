"""Plug-ins that are really installed, sound and broken: each is named, and none stops another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from brought_parts import reference
from conftest import picture
from PIL import Image as pillow
from pretend_codecs import reference as pretend
from test_cli import QUICK, lic_bench

from lic_bench import catalogue, datasets, executors, plugins, runner, scores
from lic_bench.errors import DatasetError, LicBenchError, RequestError
from lic_bench.fetch import sha256_of
from lic_bench.records import Doubt, Failure, Measurement, Settings

SETTINGS = Settings(timing_repeats=1, timing_budget_seconds=0.2, memory=False)

ENTRY_POINTS = """
[lic_bench.codecs]
zz-sound = zz_plugins:Codec
zz-import = zz_import:Codec
zz-leaving = zz_leaving:Codec
zz-crash = zz_crash:Codec
zz-number = zz_plugins:NUMBER
zz-nothing = zz_plugins:nothing
zz-raising = zz_plugins:Raising
zz-text = zz_plugins:Text
zz-dying = zz_plugins:Dying
zy-forever = zz_plugins:Forever
jpeg = zz_plugins:Codec

[lic_bench.datasets]
zz-pictures = zz_plugins:pictures
zz-lost = zz_plugins:lost
zz-ending = zz_crash:FOLDER
kodak = zz_plugins:pictures

[lic_bench.metrics]
zz-mean = zz_plugins:mean_error
"""

PLUGINS = """
import os, time
import numpy as np

NUMBER = 7

class Codec:
    lic_bench = {"title": "Sound"}
    def encode(self, image):
        return bytes([image.shape[0], image.shape[1]]) + image.tobytes()
    def decode(self, stream):
        return np.frombuffer(stream[2:], np.uint8).reshape(stream[0], stream[1], 3).copy()

class Raising(Codec):
    def __init__(self):
        raise ValueError("no luck today")

class Text(Codec):
    def encode(self, image):
        return "text"

class Dying(Codec):
    def encode(self, image):
        os._exit(7)

class Forever(Codec):
    def encode(self, image):
        while True:
            time.sleep(0.1)

def nothing():
    return None

def pictures():
    return "pictures"

def lost():
    return "nowhere"

def mean_error(original, decoded):
    return float(np.abs(original.astype(float) - decoded).mean())
"""


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with an installed package of plug-ins, and the pictures of its data set."""
    site = tmp_path / "site"
    about = site / "zz_plugins-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-plugins\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "zz_plugins.py").write_text(PLUGINS)
    (site / "zz_import.py").write_text("import not_installed_anywhere\n")
    (site / "zz_leaving.py").write_text("raise SystemExit('good bye')\n")
    (site / "zz_crash.py").write_text("import os\nos._exit(5)\n")
    (site / "pictures").mkdir()
    pillow.fromarray(picture(48, 32)).save(site / "pictures" / "a.png")
    return str(site)


def test_the_list_names_what_is_broken_and_lists_the_others(installed: str, tmp_path: Path) -> None:
    said = lic_bench("models", cwd=tmp_path, PYTHONPATH=installed).stdout
    lines = said.splitlines()
    for name in ("zz-sound", "zz-raising", "jpeg", "bmshj2018-factorized"):
        assert any(line.startswith(f"{name} ") and "broken" not in line for line in lines)
    for name in ("zz-import", "zz-leaving", "zz-crash", "zz-number", "zz-nothing"):
        assert any(line.startswith(f"{name} ") and "broken" in line for line in lines)
    assert "No module named 'not_installed_anywhere'" in said
    assert "SystemExit: good bye" in said
    assert "its process ended with exit code 5" in said
    assert "it is not a CodecCard but an int that gives no codec" in said
    assert "The name 'jpeg' is taken by lic_bench.zoo.classical:JPEG" in said
    sets = lic_bench("datasets", cwd=tmp_path, PYTHONPATH=installed).stdout
    assert any(line.split()[:2] == ["zz-pictures", "1"] for line in sets.splitlines())
    assert "zz-ending: The plug-in zz-ending cannot be looked up: its process ended with exit code 5" in sets
    assert "leads to" in sets
    assert "nowhere, which is not there" in sets
    assert "The data set 'kodak' is one of lic-bench's own" in sets


def test_broken_codecs_are_failures_and_the_others_are_measured(installed: str, tmp_path: Path) -> None:
    asked = ("run", "-m", "zz-*", "--dataset", "zz-pictures", "--metric", "zz-mean", "--no-memory")
    done = lic_bench(*asked, *QUICK, cwd=tmp_path, code=1, PYTHONPATH=installed)
    assert "1 rows measured, 8 failed" in done.stdout
    (file,) = tmp_path.glob("runs/*/measurements.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (sound,) = (row for row in rows if row["status"] == "measured")
    assert (sound["codec"], sound["scores"], sound["stream_bytes"]) == ("zz-sound", {"zz-mean": 0.0}, 2 + 48 * 32 * 3)
    failed = {row["codec"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert failed["zz-raising"] == "ValueError: no luck today"
    assert failed["zz-text"] == "encode returned str; a stream is bytes"
    assert "ended with exit code 7" in failed["zz-dying"]
    assert set(failed) > {"zz-import", "zz-leaving", "zz-crash", "zz-number", "zz-nothing"}


def test_a_codec_that_never_ends_is_a_failure(installed: str, tmp_path: Path) -> None:
    """Alone: the others of these plug-ins need not answer within a second."""
    asked = ("run", "-m", "zy-forever", "--dataset", "zz-pictures", "--metric", "zz-mean", "--timeout", "1")
    done = lic_bench(*asked, "--no-memory", *QUICK, cwd=tmp_path, code=1, PYTHONPATH=installed)
    assert "gave no result within 1 s" in done.stdout


def test_an_import_that_never_ends_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "endless.py"
    file.write_text("while True:\n    pass\n")
    chosen = plugins.selection(["jpeg", f"{file}:Codec"], at_least=4)
    assert [card.name for card in chosen.cards] == ["jpeg"]
    (reason,) = chosen.broken.values()
    assert "gave no result within 4 s" in reason
    with pytest.raises(RequestError, match="gave no result"):  # it is not tried twice
        catalogue.card(f"{file}:Codec")


def run(folder: Path, output: Path, **changes: object) -> runner.Run:
    request = {"models": [pretend("LOSSLESS")], "dataset": str(folder), "output": output, "settings": SETTINGS}
    return runner.run(runner.Request(**request | changes))  # type: ignore[arg-type]


def test_metrics_of_others_stand_beside_psnr(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, models=[pretend("SKIPPING")], points=("2",), metrics=(reference("mean_error"),))
    (metric,) = done.header.metrics
    assert (metric.name, metric.heading, metric.higher_is_better) == ("mean_error", "mean error of 255", False)
    expected = {}
    for name in ("a.png", "b.png", "c.png"):
        image = np.asarray(pillow.open(folder / name)).astype(float)
        rebuilt = image[::2, ::2].repeat(2, 0).repeat(2, 1)[: image.shape[0], : image.shape[1]]
        expected[name] = np.abs(image - rebuilt).mean()
    frame = done.to_pandas().set_index("picture")
    assert frame["mean_error"].to_dict() == pytest.approx(expected)
    table = (done.folder / "report.csv").read_text().splitlines()
    column = table[0].split(",").index("mean error of 255")
    assert float(table[1].split(",")[column]) == pytest.approx(np.mean(list(expected.values())))
    assert not done.failures


@pytest.mark.parametrize(
    ("metric", "reason"),
    [("in_words", "returned 'very good', which is no number"), ("deadly", "exit code 9")],
)
def test_a_broken_metric_is_named_and_the_row_is_kept(metric: str, reason: str, folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, metrics=(reference(metric),))
    rows = [row for row in done.rows if isinstance(row, Measurement)]
    assert [(row.psnr_db, row.scores[metric]) for row in rows] == [(float("inf"), None)] * 3
    assert all(Doubt.NO_SCORE in row.doubts for row in rows)
    assert {row.stage for row in done.failures} == {f"metric {metric}"}
    assert reason in done.failures[0].reason


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("psnr", "is measured always"),
        ("nowhere", "There is no metric called 'nowhere'"),
        (reference("mean_eror"), "Did you mean mean_error"),
        (reference("HEADER_BYTES"), "there is no 'HEADER_BYTES'"),
        ("platform:__version__", "is a str, which cannot be called"),
    ],
)
def test_a_metric_that_is_not_there_is_refused_before_anything_is_measured(asked: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        plugins.metrics([asked])


def test_two_metrics_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "another.py").write_text("def mean_error(original, decoded): ...\n")
    with pytest.raises(RequestError, match="Two metrics are called 'mean_error'"):
        plugins.metrics([reference("mean_error"), f"{tmp_path / 'another.py'}:mean_error"])


def test_a_score_is_a_number_or_none() -> None:
    image = picture(8, 8)
    taken, wrong = scores.take([reference("mean_error"), "math:nan_"], image, image)
    assert taken == {"mean_error": 0.0, "nan_": None}
    assert list(wrong) == ["nan_"]


def test_what_an_executor_leaves_out_is_a_failure(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, executor=reference("losing"))
    assert [row.picture for row in done.rows if isinstance(row, Measurement)] == ["a.png"]
    assert {(row.picture, row.stage) for row in done.failures} == {("b.png", "executor"), ("c.png", "executor")}


def test_an_executor_that_breaks_is_named_and_what_it_gave_is_kept(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LicBenchError, match=r"failed: OSError: the cluster is gone\. What was measured is kept"):
        run(folder, tmp_path, executor=reference("stumbling"))
    (file,) = tmp_path.glob("*/measurements.jsonl")
    assert len(file.read_text().splitlines()) == 1
    with pytest.raises(RequestError, match="Did you mean processes"):
        executors.find("proceses")


def test_a_failure_of_a_job_speaks_of_all_its_pictures(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, models=[pretend("DYING"), pretend("LOSSLESS")])
    assert [(row.codec, row.stage) for row in done.failures if isinstance(row, Failure)] == [("dying", "process")]


DESCRIPTION = """title = "Two"
licence = "mine"
source = "here"
[[picture]]
name = "first"
file = "a.png"
sha256 = "{sha256}"
"""


def test_a_description_makes_a_data_set_of_the_pictures_beside_it(folder: Path) -> None:
    file = folder / "set.toml"
    file.write_text(DESCRIPTION.format(sha256=sha256_of(folder / "a.png")))
    found = datasets.find(str(file))
    assert [(one.name, one.path) for one in found.pictures] == [("first", folder / "a.png")]
    assert datasets.find(found.name) == found
    file.write_text(DESCRIPTION.format(sha256="00" * 32))
    with pytest.raises(DatasetError, match=r"a\.png is not the original"):
        datasets.find(str(file))
    file.write_text("title = 'Two'\n")
    with pytest.raises(DatasetError, match=r"it lacks licence, source, \[\[picture\]\]"):
        datasets.find(str(file))
    file.write_text("title = \n")
    with pytest.raises(DatasetError, match="is no description of a data set"):
        datasets.find(str(file))
