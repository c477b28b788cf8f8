"""Metrics beside PSNR and MS-SSIM: found, called, and recorded; a broken one costs nothing but its score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import picture
from helpers.small_codecs import reference as small
from helpers.user_parts import reference
from PIL import Image as pillow

from lic_bench import api
from lic_bench.benchmark.metrics import scores
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.records import FailureKind, Measurement
from lic_bench.registry import lookup

QUICK = {"timing_repeats": 1, "timing_budget_seconds": 0.2, "memory": False}


def run(folder: Path, output: Path, **changes: object) -> api.Run:
    request = {"models": [small("LOSSLESS")], "dataset": str(folder), "output": output, **QUICK}
    return api.run(**request | changes)


def test_further_metrics_stand_beside_psnr(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, models=[small("SKIPPING")], points=("2",), metrics=(reference("mean_error"),))
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
    assert all(Caveat.NO_SCORE in row.caveats for row in rows)
    assert {(row.kind, row.metrics) for row in done.failures} == {(FailureKind.METRIC, (metric,))}
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
def test_an_unusable_metric_is_refused_beforehand(asked: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        lookup.metric_records([asked])


def test_two_metrics_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "another.py").write_text("def mean_error(original, decoded): ...\n")
    with pytest.raises(RequestError, match="Two metrics are called 'mean_error'"):
        lookup.metric_records([reference("mean_error"), f"{tmp_path / 'another.py'}:mean_error"])


def test_a_score_is_a_number_or_none() -> None:
    image = picture(8, 8)
    found, failed = scores([reference("mean_error"), "math:nan_"], image, image)
    assert found == {"mean_error": 0.0, "nan_": None}
    assert list(failed) == ["nan_"]
