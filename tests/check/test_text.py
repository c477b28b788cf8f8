"""The sentence of each kind of change."""

from __future__ import annotations

import math

import pytest

from lic_bench.check.details import (
    BitsDetail,
    ChannelsDetail,
    Clock,
    LayerEvent,
    LayerEventKind,
    LayersDetail,
    MovementDetail,
    NotComparable,
    NotCompared,
    PictureCount,
    TimeDetail,
    TimeRatios,
    WeightsChange,
    WeightsDetail,
)
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.check.text import sentence
from lic_bench.records import Call

KIND = QuantityKind
RATIOS = TimeRatios(1.5, 1.1, 1.4, 1.2)


def change(kind: QuantityKind, verdict: Verdict = Verdict.WORSE, call: Call | None = None, **fields: object) -> Change:
    return Change("net", "1", Quantity(kind, call), verdict, **fields)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (change(KIND.CODEC, Verdict.GONE), "the baseline has this codec and the run has not"),
        (change(KIND.OPERATING_POINT, Verdict.GONE), "the baseline has this operating point and the run has not"),
        (change(KIND.CODEC, Verdict.NEW), "not in the baseline; --update takes it in"),
        (change(KIND.DATA_SET, Verdict.GONE), "this picture of the baseline is not in the run"),
        (change(KIND.DATA_SET, Verdict.NEW), "this picture is not in the baseline"),
        (
            change(KIND.DATA_SET, Verdict.CHANGED, before="a" * 64, now="b" * 64),
            "another picture under the same name (sha256 aaaaaaaaaaaa → bbbbbbbbbbbb)",
        ),
        (change(KIND.DATA_SET, Verdict.SAME, detail=PictureCount(1)), "1 picture, the same files"),
        (
            change(KIND.PICTURES, Verdict.GONE, picture="a", detail=PictureCount(2)),
            "no figures in the run for 2 pictures of the baseline, first a",
        ),
        (
            change(KIND.PSNR, Verdict.GONE, picture="a", detail=PictureCount(2)),
            "there was a figure before and there is none now (2 pictures, first a)",
        ),
        (
            change(KIND.WEIGHTS, Verdict.CHANGED, before="a" * 64, detail=WeightsDetail(WeightsChange.FILE)),
            "another file of weights (sha256 aaaaaaaaaaaa → none): it is another model; if that is meant, make a new "
            "baseline with --update",
        ),
        (
            change(KIND.WEIGHTS, before="trained", now="untrained", detail=WeightsDetail(WeightsChange.TRAINING)),
            "was trained and is untrained: its rate and distortion do not exist any more; give its weights with "
            "--weights",
        ),
        (change(KIND.PARAMETERS, before=1000, now=1010, share=0.01), "1,000 → 1,010 (+1 %)"),
        (change(KIND.PARAMETERS, Verdict.SAME, before=1000, now=1000), "1,000, as before"),
        (change(KIND.PARAMETERS, Verdict.GONE, before=1000), "the network shows no parameters any more"),
        (change(KIND.MACS, Verdict.GONE), "MACs were counted before and are not counted any more"),
        (
            change(
                KIND.MACS,
                Verdict.CHANGED,
                before=4000,
                now=4000,
                detail=LayersDetail(2, 1, (LayerEvent(LayerEventKind.REMOVED, "g.0", 2000, 0),)),
            ),
            "work moved between layers: g.0 is gone (0.002 MMAC)",
        ),
        (
            change(KIND.MACS, Verdict.SAME, before=4000, now=4000, detail=LayersDetail(2, 1)),
            "2 kMAC/pixel, as before",
        ),
        (
            change(KIND.SERIAL_STEPS, before=10, now=2000),
            "waits for its entropy coder 10 → 2,000 times",
        ),
        (
            change(KIND.ACTIVATION_MEMORY, before=2**20, now=2**21, share=1.0),
            "1.0 → 2.0 MiB (+100.0 %)",
        ),
        (change(KIND.ACTIVATION_MEMORY, Verdict.SAME, before=2**20, now=2**20), "1.0 MiB, as before"),
        (change(KIND.MEMORY, before=2**20, now=2**21), "peak 1.0 → 2.0 MiB above the loaded model"),
        (change(KIND.BD_RATE, now=1.25), "+1.25 % rate at equal quality, against the baseline's own curve"),
        (
            change(KIND.CONTAINER, before=10.0, now=12.0, detail=PictureCount(2)),
            "10 → 12 bytes over 2 pictures (+2)",
        ),
        (
            change(KIND.PSNR, picture="a", before=30.0, now=28.0, unit="dB", detail=MovementDetail(1, -2.0, -2.0, "a")),
            "30.000 → 28.000 dB (-2.000 dB) on this picture, while the data set as a whole did not get worse",
        ),
        (
            change(KIND.PSNR, before=30.0, now=math.inf, unit="dB", detail=MovementDetail(1, math.inf, math.inf, "a")),
            "30.000 → ∞ dB over 1 picture (lossless now)",
        ),
        (
            change(KIND.BIT_BY_BIT, detail=BitsDetail(3, 1, 2, "b", "a")),
            "on the same machine with the same packages, the stream's length of 1 of 3 (first b) and the decoded "
            "picture of 2 of 3 (first a) changed",
        ),
        (
            change(KIND.BIT_BY_BIT, Verdict.SAME, detail=BitsDetail(3, 0, 0, decoded_known=False)),
            "streams' lengths are the same",
        ),
        (
            change(KIND.CHANNEL_ORDER, before="RGB", now="BGR", detail=ChannelsDetail(2, 3)),
            "the decoded picture's channels were exchanged: RGB → BGR, on 2 of 3 pictures",
        ),
        (
            change(KIND.TIME, call=Call.DECODE, before=0.1, now=2.0, detail=TimeDetail(Clock.WALL, RATIOS, 0.001)),
            "100 ms → 2 s per picture: 1.50 times as long, p = 0.001 by a rank test",
        ),
    ],
)
def test_each_change_has_its_sentence(found: Change, text: str) -> None:
    assert sentence(found) == text


@pytest.mark.parametrize(
    ("why", "text"),
    [
        (NotCompared(NotComparable.NOT_MEASURED), "it was not measured in this run"),
        (
            NotCompared(NotComparable.MACHINE_SPEED, machine_speed=0.5),
            "the machine itself was faster: the calibration workload took 0.50 times as long as before",
        ),
        (
            NotCompared(NotComparable.UNCOUNTED_OPS, operators=("aten.a", "aten.b")),
            "aten.a, aten.b are not counted now, so the count is only a lower bound",
        ),
        (NotCompared(NotComparable.NO_BD_RATE, explanation="no overlap"), "no figure: no overlap"),
        (
            NotCompared(NotComparable.MAYBE_CHANCE, timing=TimeDetail(Clock.PROCESSOR, RATIOS, 0.25)),
            "1 s → 2 s per picture of processor time, as other programs were running: 1.50 times as long, but that may "
            "be chance: p = 0.25 by a rank test",
        ),
        (
            NotCompared(NotComparable.CONTRADICTORY, timing=TimeDetail(Clock.WALL, RATIOS)),
            "1 s → 2 s per picture: samples contradict one another: 1.50 times as long by the median, 1.10 times by "
            "the minimum; time both runs again on a quiet machine",
        ),
    ],
)
def test_each_reason_for_no_comparison_has_its_sentence(why: NotCompared, text: str) -> None:
    found = change(KIND.TIME, Verdict.NOT_COMPARABLE, Call.DECODE, before=1.0, now=2.0, detail=why)
    assert sentence(found) == text


def test_every_reason_for_no_comparison_has_words() -> None:
    for reason in NotComparable:
        timing = TimeDetail(Clock.WALL, RATIOS, 0.5)
        assert sentence(change(KIND.TIME, Verdict.NOT_COMPARABLE, detail=NotCompared(reason, timing=timing)))
