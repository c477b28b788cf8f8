"""What vanished, failed or is new, other pictures and other weights."""

from __future__ import annotations

from dataclasses import replace

from helpers.checked_runs import PICTURES, checked, only, rows, run
from helpers.made_records import measurement

from lic_bench.check import diagnosis_text
from lic_bench.check.compare import compare
from lic_bench.check.details import FailureDetail
from lic_bench.check.outcome import DiagnosisKind, Outcome, Verdict
from lic_bench.check.text import sentence
from lic_bench.records import Call, Failure, FailureKind, MacCount, PictureRecord, Training

MACS = MacCount(Call.DECODE, 768, 512, 3000, {"g_s": 2000, "h_s": 1000}, by_layer={"g_s.0": 2000, "h_s.0": 1000})


def failing(outcome: Outcome) -> list[tuple[str, str]]:
    return [(change.quantity.name, change.picture) for change in outcome.changes if change.fails]


def test_what_vanished_fails_and_what_is_new_does_not() -> None:
    other = measurement("other", "1", "a")
    second = measurement("net", "2", "a")
    outcome = checked(rows(), [*rows(), other, second])
    assert {(c.codec, c.point, c.quantity.name) for c in outcome.changes if c.verdict is Verdict.GONE} == {
        ("other", "", "codec"),
        ("net", "2", "operating point"),
    }
    assert outcome.failed
    outcome = checked([*rows(), other, second])
    assert not outcome.failed
    assert {(c.codec, c.point) for c in outcome.changes if c.verdict is Verdict.NEW} == {("other", ""), ("net", "2")}


def test_a_picture_that_left_the_data_set_or_the_rows_fails() -> None:
    assert failing(checked(rows()[:3])) == [("data set", "d")]
    everything = tuple(PictureRecord(name, 768, 512, "00" * 32) for name in PICTURES)
    unmeasured = compare(run(rows()[:3], pictures=everything), run(rows(), "baseline"))
    assert failing(unmeasured) == [("pictures", "d")]


def test_a_picture_that_is_another_file_is_not_compared() -> None:
    now = [replace(row, picture_sha256="11" * 32, psnr_db=5.0) if row.picture == "b" else row for row in rows()]
    outcome = checked(now)
    assert failing(outcome) == [("data set", "b")]
    assert "over 3 pictures" in sentence(only(outcome, "PSNR"))


def test_a_codec_that_fails_now_is_quoted_once_per_reason() -> None:
    reason = "ValueError: no sign bit"
    failures = [Failure("net", "1", "set", name, FailureKind.MEASURE, reason) for name in ("c", "d")]
    outcome = checked([*rows()[:2], *failures])
    coding = only(outcome, "coding")
    assert coding.verdict is Verdict.FAILED
    assert coding.detail == FailureDetail(FailureKind.MEASURE, reason, pictures=2, failed_before=False)
    assert sentence(coding) == "measure: ValueError: no sign bit (and 1 more picture)"
    said = diagnosis_text.sentence(outcome.diagnoses["net"])
    assert "does not code any more at 1: measure: ValueError: no sign bit" in said
    again = checked([*rows()[:2], *failures], [*rows(), *failures])
    assert sentence(only(again, "coding")).endswith("; it failed in the baseline too")


def test_a_metric_that_failed_is_named() -> None:
    failure = Failure("net", "1", "set", "a", FailureKind.METRIC, "no such file", metrics=("lpips",))
    assert sentence(only(checked([*rows(), failure]), "coding")) == "metric lpips: no such file"


def test_other_weights_and_lost_weights_fail() -> None:
    trained = {"training": Training.TRAINED, "weights_sha256": "aa" * 32}
    other = checked(rows(**trained | {"weights_sha256": "bb" * 32}), rows(**trained))
    assert only(other, "weights").fails
    assert other.diagnoses["net"].kind is DiagnosisKind.OTHER_WEIGHTS
    # As after training a changed network anew: the layers are the news.
    wider = replace(MACS, macs=4000, by_part={"g_s": 3000, "h_s": 1000}, by_layer={"g_s.0": 3000, "h_s.0": 1000})
    retrained = checked(rows(weights_sha256="bb" * 32, macs=(wider,)), rows(weights_sha256="aa" * 32, macs=(MACS,)))
    said = diagnosis_text.sentence(retrained.diagnoses["net"])
    assert said.startswith("The network was changed, in g_s of decode: g_s.0")
    assert said.endswith("It runs with other weights, too.")
    untrained = rows(training=Training.UNTRAINED, psnr_db=None, ms_ssim=None)
    outcome = checked(untrained, rows(**trained))
    assert [change.quantity.name for change in outcome.changes if change.fails] == ["weights"]
    assert all(change.quantity.name not in ("PSNR", "stream bytes") for change in outcome.comparisons)
