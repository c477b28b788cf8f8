"""Which jobs a run has, and which of them are left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.made_records import measurement

from lic_bench.benchmark.plan import Checkpoint, one_per_shape, plan, still_to_do, texts
from lic_bench.benchmark.run_folder import latest
from lic_bench.codec import CodecCard, OperatingPoint, Requirement, Weights
from lic_bench.errors import RequestError
from lic_bench.records import Failure, FailureKind, NoteKind, PictureRecord, PlanNote, Settings, Training

PICTURES = [
    PictureRecord("wide", 768, 512, "0"),
    PictureRecord("tall", 512, 768, "1"),
    PictureRecord("wide too", 768, 512, "2"),
]
LEARNED = CodecCard(
    name="net",
    title="Net",
    family="f",
    paper="p",
    year=2020,
    licence=None,
    learned=True,
    points=tuple(
        OperatingPoint(str(q), "mse", weights=Weights(f"net/{q}"), network="narrow" if q < 3 else "wide")
        for q in (1, 2, 3)
    ),
    loader="nowhere:load",
)
CLASSICAL = CodecCard(
    "old", "Old", "f", "p", 1992, "MIT", False, (OperatingPoint("10"), OperatingPoint("20")), "nowhere:load"
)


def test_a_classical_codec_runs_at_every_point_on_every_picture() -> None:
    made = plan([CLASSICAL], PICTURES, "set", {}, Settings())
    assert [(job.point, job.training, len(job.pictures)) for job in made.jobs] == [
        ("10", Training.NOT_LEARNED, 3),
        ("20", Training.NOT_LEARNED, 3),
    ]
    assert made.rows == 6
    assert made.notes == ()


def test_a_codec_that_is_not_installed_is_noted_and_left_out() -> None:
    lacking = replace(CLASSICAL, name="new", requirements=(Requirement("pip install new", module="no_such_module"),))
    made = plan([CLASSICAL, lacking], PICTURES, "set", {}, Settings())
    assert {job.codec for job in made.jobs} == {"old"}
    assert made.notes == (PlanNote(NoteKind.NOT_INSTALLED, "new", install=("pip install new",)),)
    assert texts(made.notes) == ["Not measured, because something is missing: new (pip install new)."]
    with pytest.raises(RequestError, match=r"Nothing is left to be measured\. .* new \(pip install new\)"):
        plan([lacking], PICTURES, "set", {}, Settings())


def test_untrained_networks_run_once_per_network_and_shape() -> None:
    made = plan([LEARNED], PICTURES, "set", {}, Settings())
    assert [(job.point, job.training, job.pictures) for job in made.jobs] == [
        ("1", Training.UNTRAINED, ("wide", "tall")),
        ("3", Training.UNTRAINED, ("wide", "tall")),
    ]
    assert made.notes == (PlanNote(NoteKind.UNTRAINED, "net", ("1", "3")),)
    (text,) = texts(made.notes)
    assert "untrained" in text
    assert "net (1, 3)" in text


def test_points_with_weights_run_trained_and_others_are_noted() -> None:
    made = plan([LEARNED], PICTURES, "set", {("net", "2"): Checkpoint("/w/2", "abc")}, Settings())
    (job,) = made.jobs
    assert (job.point, job.training, job.weights, job.weights_sha256) == ("2", Training.TRAINED, "/w/2", "abc")
    assert job.pictures == ("wide", "tall", "wide too")
    assert made.notes == (PlanNote(NoteKind.NO_WEIGHTS, "net", ("1", "3")),)
    assert texts(made.notes) == ["net: no weights for 1, 3; not measured."]


def test_chosen_points_run_even_when_they_share_a_network() -> None:
    made = plan([LEARNED], PICTURES, "set", {}, Settings(), points=("1", "2"))
    assert [job.point for job in made.jobs] == ["1", "2"]


def test_points_that_match_nothing_are_refused() -> None:
    with pytest.raises(RequestError, match="no operating point matches 99; it has 10, 20"):
        plan([CLASSICAL], PICTURES, "set", {}, Settings(), points=("99",))


def test_what_failed_is_done_again_and_what_was_measured_is_not() -> None:
    made = plan([CLASSICAL], PICTURES, "set", {}, Settings())
    rows = [measurement("old", "10", name) for name in ("wide", "tall", "wide too")]
    failed = Failure("old", "20", "set", "tall", FailureKind.MEASURE, "broke")
    left = still_to_do(made.jobs, [*rows, measurement("old", "20", "wide"), failed])
    assert [(job.point, job.pictures) for job in left] == [("20", ("tall", "wide too"))]


def test_a_failure_is_dropped_once_the_picture_is_measured() -> None:
    failed = Failure("old", "10", "set", "wide", FailureKind.MEASURE, "broke")
    other = Failure("old", "20", "set", "wide", FailureKind.MEASURE, "broke too")
    good = measurement("old", "10", "wide")
    assert latest([failed, other, other, good]) == [other, good]


def test_one_picture_stands_for_its_shape() -> None:
    assert one_per_shape(PICTURES) == ("wide", "tall")
