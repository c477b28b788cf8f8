"""Rates, scores, containers and BD-rates of rows whose figures are known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from helpers.checked_runs import PICTURES, checked, only, rows, run
from helpers.made_records import measurement

from lic_bench.analysis.bdrate import Refusal
from lic_bench.check.compare import compare
from lic_bench.check.details import NotComparable
from lic_bench.check.outcome import Verdict
from lic_bench.check.text import sentence
from lic_bench.records import Measurement, MetricRecord


@pytest.mark.parametrize(
    ("changes", "quantity", "verdict"),
    [
        ({"stream_bytes": 1001}, "stream bytes", Verdict.SAME),  # 0.1 %, the limit itself
        ({"stream_bytes": 1002}, "stream bytes", Verdict.WORSE),
        ({"stream_bytes": 998}, "stream bytes", Verdict.BETTER),
        ({"stream_bytes": 1001}, "container", Verdict.WORSE),  # four bytes more around the same payload
        ({"payload_bits": 8009}, "payload", Verdict.WORSE),
        ({"psnr_db": 29.9951}, "PSNR", Verdict.SAME),
        ({"psnr_db": 29.9949}, "PSNR", Verdict.WORSE),
        ({"psnr_db": 30.1}, "PSNR", Verdict.BETTER),
        ({"psnr_db": math.inf}, "PSNR", Verdict.BETTER),
        ({"ms_ssim": 0.8998}, "MS-SSIM", Verdict.WORSE),
        ({"ms_ssim": 0.89995}, "MS-SSIM", Verdict.SAME),
        ({"ms_ssim": None}, "MS-SSIM", Verdict.GONE),
        ({"psnr_db": None}, "PSNR", Verdict.GONE),
    ],
)
def test_rates_and_scores_are_held_to_their_limits(changes: dict[str, Any], quantity: str, verdict: Verdict) -> None:
    change = only(checked(rows(**changes)), quantity)
    assert change.verdict is verdict
    assert change.fails == (verdict in (Verdict.WORSE, Verdict.GONE))


def test_a_sum_names_the_picture_that_moved_most() -> None:
    now = [replace(row, stream_bytes=1200 if row.picture == "c" else 1000) for row in rows()]
    change = only(checked(now), "stream bytes")
    assert (change.before, change.now, change.share) == (4000, 4200, 0.05)
    assert sentence(change) == "4,000 → 4,200 bytes over 4 pictures (+5.00 %; most on c (+20.00 %))"


def test_a_movement_within_its_limit_is_shown() -> None:
    assert sentence(only(checked(rows()), "stream bytes")) == "4,000 bytes over 4 pictures, as before"
    moved = only(checked(rows(stream_bytes=1001), container_bytes=1), "stream bytes")
    assert moved.verdict is Verdict.SAME
    assert sentence(moved).startswith("4,000 → 4,004 bytes over 4 pictures (+0.10 %")


def test_a_picture_that_lost_much_is_not_hidden_in_the_mean() -> None:
    moved = {"a": 28.0, "b": 31.0, "c": 31.0, "d": 30.0}
    outcome = checked([replace(row, psnr_db=moved[row.picture]) for row in rows()])
    worse = [(each.quantity.name, each.picture, each.before, each.now) for each in outcome.changes if each.fails]
    assert worse == [("PSNR", "a", 30, 28)]


def test_a_picture_that_is_lossless_no_more_is_worse() -> None:
    before = rows(psnr_db=math.inf)
    assert only(checked(before, before), "PSNR").verdict is Verdict.SAME
    change = only(checked(rows(), before), "PSNR")
    assert change.verdict is Verdict.WORSE
    assert sentence(change).startswith("∞ → 30.000 dB over 4 pictures (lossless no more")


def test_a_container_may_need_other_length_fields() -> None:
    longer = rows(stream_bytes=1002, payload_bits=8008)  # one byte of payload, one of its length
    assert only(checked(longer, stream_percent=1), "container").verdict is Verdict.SAME
    shorter = rows(stream_bytes=1005, payload_bits=8008)
    assert only(checked(shorter, stream_percent=1), "container").verdict is Verdict.WORSE


def test_a_further_metric_is_held_to_a_share_of_its_score() -> None:
    before, now = rows(scores={"lpips": 0.2, "mystery": 1.0}), rows(scores={"lpips": 0.3, "mystery": 2.0})
    known = {"metrics": (MetricRecord("lpips", "LPIPS", higher_is_better=False),)}
    outcome = compare(run(now, **known), run(before, "baseline", **known))
    assert only(outcome, "lpips").verdict is Verdict.WORSE
    assert only(outcome, "mystery").verdict is Verdict.CHANGED
    assert not only(outcome, "mystery").fails
    assert only(compare(run(before, **known), run(now, **known)), "lpips").verdict is Verdict.BETTER
    lost = rows(scores={"lpips": None})
    assert only(compare(run(lost, **known), run(before, **known)), "lpips").fails


def test_bd_rate_is_that_of_the_codec_against_its_own_curve() -> None:
    def curve(factor: float) -> list[Measurement]:
        return [
            measurement("net", str(at), name, stream_bytes=round(1000 * 2**at * factor), psnr_db=30.0 + 2 * at)
            for at in range(4)
            for name in PICTURES
        ]

    change = only(checked(curve(1.1), curve(1)), "bd-rate (PSNR)")
    assert change.verdict is Verdict.WORSE
    assert change.now == pytest.approx(10, abs=0.01)  # the same qualities at 1.1 times the rate: 10 %
    assert only(checked(curve(1), curve(1)), "bd-rate (PSNR)").verdict is Verdict.SAME
    far = [replace(row, psnr_db=(row.psnr_db or 0) + 20) for row in curve(1)]
    apart = only(checked(far, curve(1)), "bd-rate (PSNR)")
    assert apart.verdict is Verdict.NOT_COMPARABLE
    assert apart.not_compared is not None
    assert (apart.not_compared.reason, apart.not_compared.refusal) == (NotComparable.NO_BD_RATE, Refusal.NO_OVERLAP)
