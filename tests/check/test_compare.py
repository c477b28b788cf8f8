"""What a check says of rows whose figures are known: within limits, worse, better, gone, new, not comparable."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.checked_runs import HEADER, run
from helpers.made_records import measurement

from lic_bench.check import limits as limitations
from lic_bench.check.compare import compare
from lic_bench.check.limits import LimitBook, Limits
from lic_bench.check.machines import different_for_bits, different_for_times
from lic_bench.check.outcome import Change, Outcome, Verdict
from lic_bench.check.work import layer_changes
from lic_bench.errors import RequestError
from lic_bench.records import Call, Failure, MacCount, Measurement, MemoryUse, MetricRecord, PictureRecord, Training

PICTURES = ("a", "b", "c", "d")
MACS = MacCount(Call.DECODE, 768, 512, 3000, {"g_s": 2000, "h_s": 1000}, by_layer={"g_s.0": 2000, "h_s.0": 1000})


def rows(**changes: Any) -> list[Measurement]:
    """One point on four pictures."""
    return [measurement("net", "1", name, **changes) for name in PICTURES]


def checked(now: list[Any], before: list[Any] | None = None, **limits: Any) -> Outcome:
    book = LimitBook(Limits(**limits)) if limits else None
    return compare(run(now), run(rows() if before is None else before, "baseline"), book)


def only(outcome: Outcome, quantity: str) -> Change:
    (change,) = (each for each in outcome.comparisons if each.quantity == quantity)
    return change


def test_the_same_run_is_the_same_in_everything() -> None:
    outcome = checked(rows())
    assert not outcome.failed
    assert not outcome.diagnoses
    assert {change.verdict for change in outcome.changes} == {
        Verdict.NOT_COMPARABLE
    }  # its rows have no calibration_workload
    assert only(outcome, "PSNR").verdict is Verdict.SAME


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
    outcome = checked(rows(**changes))
    change = only(outcome, quantity)
    assert change.verdict is verdict
    assert change.fails == (verdict in (Verdict.WORSE, Verdict.GONE))


def test_a_sum_is_told_with_its_share_and_the_picture_that_moved_most() -> None:
    now = [replace(row, stream_bytes=1200 if row.picture == "c" else 1000) for row in rows()]
    change = only(checked(now), "stream bytes")
    assert (change.before, change.now, change.share) == (4000, 4200, 0.05)
    assert change.sentence == "4,000 → 4,200 bytes over 4 pictures (+5.00 %; most on c (+20.00 %))"


def test_what_moved_within_its_limit_is_not_said_to_be_as_before() -> None:
    assert only(checked(rows()), "stream bytes").sentence == "4,000 bytes over 4 pictures, as before"
    moved = only(checked(rows(stream_bytes=1001), container_bytes=1), "stream bytes")
    assert moved.verdict is Verdict.SAME
    assert moved.sentence.startswith("4,000 → 4,004 bytes over 4 pictures (+0.10 %")


def test_a_picture_that_lost_much_is_not_hidden_in_the_mean() -> None:
    moved = {"a": 28.0, "b": 31.0, "c": 31.0, "d": 30.0}
    outcome = checked([replace(row, psnr_db=moved[row.picture]) for row in rows()])
    worse = [change for change in outcome.changes if change.fails]
    assert [(change.quantity, change.picture, change.before, change.now) for change in worse] == [("PSNR", "a", 30, 28)]


def test_a_picture_that_is_lossless_no_more_is_worse_and_one_that_still_is_is_not() -> None:
    before = rows(psnr_db=math.inf)
    assert only(checked(before, before), "PSNR").verdict is Verdict.SAME
    change = only(checked(rows(), before), "PSNR")
    assert change.verdict is Verdict.WORSE
    assert change.sentence.startswith("∞ → 30.000 dB over 4 pictures (lossless no more")


def test_lengths_of_strings_may_take_other_bytes_in_a_container_whose_payload_moved() -> None:
    longer = rows(stream_bytes=1002, payload_bits=8008)  # one byte of payload, one of its length
    assert only(checked(longer, stream_percent=1), "container").verdict is Verdict.SAME
    shorter = rows(stream_bytes=1005, payload_bits=8008)
    assert only(checked(shorter, stream_percent=1), "container").verdict is Verdict.WORSE


def test_on_the_same_machine_a_picture_that_is_not_the_same_bit_by_bit_is_told() -> None:
    before, now = rows(decoded_sha256="11"), rows(decoded_sha256="22")
    outcome = checked(now, before)
    assert only(outcome, "bit by bit").verdict is Verdict.CHANGED
    assert not outcome.failed
    assert "bit by bit" in outcome.diagnoses["net"]
    assert checked(now, before, exact_on_same_machine=True).failed
    elsewhere = compare(run(now, packages={"torch": "3.0"}), run(before, "baseline"))
    assert all(change.quantity != "bit by bit" for change in elsewhere.comparisons)


def test_a_stream_that_another_process_cannot_decode_to_the_same_picture_any_more_is_worse() -> None:
    before, now = rows(fresh_process="exact"), rows(fresh_process="differs by up to 3 of 255")
    assert {c.verdict for c in checked(now, before).changes if c.quantity == "fresh process"} == {Verdict.WORSE}
    assert {c.verdict for c in checked(before, now).changes if c.quantity == "fresh process"} == {Verdict.BETTER}
    assert not any(change.quantity == "fresh process" for change in checked(before, before).changes)


def test_a_further_metric_is_held_to_a_share_of_what_it_was_in_the_direction_it_has() -> None:
    before, now = rows(scores={"lpips": 0.2, "mystery": 1.0}), rows(scores={"lpips": 0.3, "mystery": 2.0})
    told = {"metrics": (MetricRecord("lpips", "LPIPS", higher_is_better=False),)}
    outcome = compare(run(now, **told), run(before, "baseline", **told))
    assert only(outcome, "lpips").verdict is Verdict.WORSE
    assert only(outcome, "mystery").verdict is Verdict.CHANGED
    assert not only(outcome, "mystery").fails
    assert only(compare(run(before, **told), run(now, **told)), "lpips").verdict is Verdict.BETTER
    lost = rows(scores={"lpips": None})
    assert only(compare(run(lost, **told), run(before, **told)), "lpips").fails


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
    assert only(checked(far, curve(1)), "bd-rate (PSNR)").verdict is Verdict.NOT_COMPARABLE


def test_work_is_exact_and_told_by_part_and_layer() -> None:
    more = replace(MACS, macs=3001, by_part={"g_s": 2001, "h_s": 1000}, by_layer={"g_s.0": 2001, "h_s.0": 1000})
    change = only(checked(rows(macs=(more,)), rows(macs=(MACS,))), "decode macs")
    assert (change.verdict, change.part, change.before, change.now) == (Verdict.WORSE, "g_s", 2000, 2001)
    assert "g_s.0" in change.sentence
    assert only(checked(rows(macs=(MACS,)), rows(macs=(MACS,))), "decode macs").verdict is Verdict.SAME
    assert only(checked(rows(), rows(macs=(MACS,))), "macs").verdict is Verdict.GONE


def test_work_that_goes_by_uncounted_now_is_no_improvement() -> None:
    less = replace(MACS, macs=10, by_part={"g_s": 10}, by_layer={"g_s.0": 10}, uncounted={"aten.mystery": 1})
    change = only(checked(rows(macs=(less,)), rows(macs=(MACS,))), "decode macs")
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert "aten.mystery" in change.sentence


def test_more_parameters_and_more_serial_steps_are_worse() -> None:
    before = rows(parameters=1000, macs=(replace(MACS, serial_steps=10),))
    outcome = checked(rows(parameters=1001, macs=(replace(MACS, serial_steps=11),)), before)
    assert only(outcome, "parameters").fails
    assert only(outcome, "decode serial steps").fails
    assert not checked(rows(parameters=1001), rows(parameters=1000), parameters_percent=1).failed


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({"a": 10**6, "b": 2}, {"a": 2 * 10**6, "b": 2}, {"a": "a 1 MMAC → 2 MMAC (+100.0 %): it is there twice"}),
        ({"a": 10**6, "b": 2}, {"a": 3 * 10**6, "b": 2}, {"a": "a 1 MMAC → 3 MMAC (+200.0 %)"}),
        (
            {"g.0": 5 * 10**6, "g.1": 10**6},
            {"g.0": 5 * 10**6, "g.1": 7 * 10**6, "g.2": 10**6},
            {"g.1": "g.1 is new (7 MMAC)"},
        ),
        ({"g.0": 5 * 10**6, "g.1": 10**6}, {"g.0": 10**6}, {"g.0": "g.0 is gone (5 MMAC)"}),
    ],
)
def test_layers_are_matched_by_name_or_else_in_order(
    before: dict[str, int], now: dict[str, int], said: dict[str, str]
) -> None:
    assert layer_changes(before, now, same_parameters=True) == said


def test_a_layer_put_in_a_sequence_is_told_from_those_it_renumbers() -> None:
    before = {"g.0": 5 * 10**6, "g.1": 10**6, "g.2": 4 * 10**6}
    now = {"g.0": 5 * 10**6, "g.1": 10**6, "g.2": 10**6, "g.3": 4 * 10**6}
    (said,) = layer_changes(before, now).values()
    assert said == "a layer is there twice: g.1 and g.2 do the same work (1 MMAC each)"


def test_what_vanished_fails_and_what_is_new_does_not() -> None:
    other = measurement("other", "1", "a")
    second = measurement("net", "2", "a")
    outcome = checked(rows(), [*rows(), other, second])
    assert {(c.codec, c.point, c.quantity) for c in outcome.changes if c.verdict is Verdict.GONE} == {
        ("other", "", "codec"),
        ("net", "2", "operating point"),
    }
    assert outcome.failed
    outcome = checked([*rows(), other, second])
    assert not outcome.failed
    assert {(c.codec, c.point) for c in outcome.changes if c.verdict is Verdict.NEW} == {("other", ""), ("net", "2")}


def test_a_picture_that_vanished_fails_whether_it_left_the_data_set_or_only_the_rows() -> None:
    left = checked(rows()[:3])
    assert [(c.quantity, c.picture) for c in left.changes if c.fails] == [("data set", "d")]
    everything = tuple(PictureRecord(name, 768, 512, "00" * 32) for name in PICTURES)
    unmeasured = compare(run(rows()[:3], pictures=everything), run(rows(), "baseline"))
    assert [(c.quantity, c.picture) for c in unmeasured.changes if c.fails] == [("pictures", "d")]


def test_a_picture_that_is_another_file_now_fails_and_is_not_compared() -> None:
    now = [replace(row, picture_sha256="11" * 32, psnr_db=5.0) if row.picture == "b" else row for row in rows()]
    outcome = checked(now)
    assert [(c.quantity, c.picture) for c in outcome.changes if c.fails] == [("data set", "b")]
    assert "over 3 pictures" in only(outcome, "PSNR").sentence


def test_a_codec_that_fails_now_is_quoted_once_per_reason() -> None:
    failures = [Failure("net", "1", "set", name, "measure", "ValueError: no sign bit") for name in ("c", "d")]
    outcome = checked([*rows()[:2], *failures])
    coding = only(outcome, "coding")
    assert coding.verdict is Verdict.FAILED
    assert coding.sentence == "measure: ValueError: no sign bit (and 1 more picture)"
    assert "does not code any more at 1: measure: ValueError: no sign bit" in outcome.diagnoses["net"]


def test_a_run_that_measured_nothing_and_one_that_shares_nothing_fail() -> None:
    empty = checked([])
    assert empty.failed
    assert any("measured nothing" in change.sentence for change in empty.changes)
    apart = checked([measurement("other", "1", name) for name in PICTURES])
    assert any("nothing could be compared" in change.sentence for change in apart.changes)


def test_an_unfinished_run_is_named_and_an_unfinished_baseline_noted() -> None:
    outcome = compare(run(rows(), finished=None), run(rows(), "baseline"))
    assert any(change.fails and "runs/now was not finished" in change.sentence for change in outcome.changes)
    outcome = compare(run(rows()), run(rows(), "baseline", finished=None))
    assert not outcome.failed
    assert "baseline was never finished" in outcome.notes[0]


def test_other_weights_fail_and_a_network_that_lost_its_weights_does() -> None:
    trained = {"training": Training.TRAINED, "weights_sha256": "aa" * 32}
    other = checked(rows(**trained | {"weights_sha256": "bb" * 32}), rows(**trained))
    assert only(other, "weights").fails
    assert "other weights" in other.diagnoses["net"]
    # As after training a changed network anew: the layers are the news.
    wider = replace(MACS, macs=4000, by_part={"g_s": 3000, "h_s": 1000}, by_layer={"g_s.0": 3000, "h_s.0": 1000})
    retrained = checked(rows(weights_sha256="bb" * 32, macs=(wider,)), rows(weights_sha256="aa" * 32, macs=(MACS,)))
    assert retrained.diagnoses["net"].startswith("The network was changed, in g_s of decode: g_s.0")
    assert retrained.diagnoses["net"].endswith("It runs with other weights, too.")
    untrained = rows(training=Training.UNTRAINED, psnr_db=None, ms_ssim=None)
    outcome = checked(untrained, rows(**trained))
    assert [change.quantity for change in outcome.changes if change.fails] == ["weights"]
    assert all(change.quantity not in ("PSNR", "stream bytes") for change in outcome.comparisons)


def test_a_baseline_of_quite_another_data_set_is_a_wrong_request() -> None:
    elsewhere = [replace(row, picture_sha256="22" * 32) for row in rows()]
    with pytest.raises(RequestError, match="they share no picture"):
        compare(run(elsewhere, dataset="kodak"), run(rows(), "baseline"))


def test_imported_figures_are_not_checked() -> None:
    theirs = run(rows(), "theirs", imported_from=("theirs.json",))
    with pytest.raises(RequestError, match=r"The figures in theirs were imported \(theirs\.json\) and not measured"):
        compare(run(rows()), theirs)


def test_the_run_of_the_baseline_itself_and_limits_for_nobody_are_told() -> None:
    book = LimitBook(by_codec={"net": {}, "codex": {}})
    (same, idle) = compare(run(rows()), run(rows()), book).notes
    assert same == "This is the very run that the baseline was made of, so nothing can have moved."
    assert idle == 'The limits for [codec."codex"] concern no codec of the run or the baseline.'


def test_limits_are_read_with_those_of_some_codecs_on_top(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('psnr_db = 0.5\n[codec."net*"]\nstream_percent = 10\nrequire_times = true\n')
    book = limitations.read(file)
    assert (book.of("jpeg").psnr_db, book.of("jpeg").stream_percent) == (0.5, Limits().stream_percent)
    assert (book.of("net").psnr_db, book.of("net").stream_percent) == (0.5, 10)
    outcome = compare(run(rows(stream_bytes=1050, payload_bits=8400)), run(rows(), "baseline"), book)
    assert not any(change.fails for change in outcome.changes if change.quantity == "stream bytes")
    assert only(outcome, "decode time").fails  # not comparable, and required
    assert outcome.failed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("psnr_bd = 1", "Did you mean psnr_db"),
        ('[codec."net"]\ndecode_tiem_percent = 1', "Did you mean decode_time_percent"),
        ("psnr_db = -1", "0 or more"),
        ('psnr_db = "much"', "0 or more"),
        ("psnr_db = nan", "0 or more"),
        ("require_times = 1", "true or false"),
        ("psnr_db 1", "no TOML"),
        ("codec = 3", "table of tables"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_what_was_meant(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(RequestError, match=said):
        limitations.read(file)


def test_machines_are_told_apart_by_what_moves_times_and_bits() -> None:
    assert different_for_times(HEADER, replace(HEADER, started="later", lic_bench="0.2.0")) == ()
    patched = dict(HEADER.machine) | {
        "system": "Linux-6.8.0-99-x",
        "python": "3.11.9",
        "cpu_pressure_avg10_percent": 5.0,
    }
    patched["memory_bytes"] = 2**33 - 4096
    assert different_for_times(HEADER, replace(HEADER, machine=patched)) == ()
    other = replace(HEADER, machine=dict(HEADER.machine) | {"processor": "two"})
    assert different_for_times(HEADER, other) == ("processor: one → two",)
    newer = replace(HEADER, packages=dict(HEADER.packages) | {"scipy": "1.18"})
    assert different_for_times(HEADER, newer) == ()
    assert different_for_bits(HEADER, newer) == ("scipy: 1.17 → 1.18",)
    threads = replace(HEADER, settings=replace(HEADER.settings, threads=2))
    assert different_for_times(HEADER, threads) == ("threads: 1 → 2",)
    unknown = replace(HEADER, machine={})
    assert different_for_times(unknown, unknown) == different_for_bits(unknown, unknown) == ("machine: not told",)


def test_memory_is_compared_on_the_same_machine_beyond_what_allocators_do() -> None:
    def peak(mebibytes: int) -> list[Measurement]:
        use = MemoryUse(Call.DECODE, 10, mebibytes * 2**20)
        return [replace(row, memory=(use,)) if row.picture == "a" else row for row in rows()]

    assert only(checked(peak(130), peak(100)), "decode memory").verdict is Verdict.WORSE
    assert only(checked(peak(115), peak(100)), "decode memory").verdict is Verdict.SAME
    assert only(checked(peak(10), peak(1)), "decode memory").verdict is Verdict.SAME
    assert only(checked(peak(60), peak(100)), "decode memory").verdict is Verdict.BETTER
    assert only(checked(rows(), peak(100)), "decode memory").verdict is Verdict.NOT_COMPARABLE
    elsewhere = compare(run(peak(500), packages={"torch": "3.0"}), run(peak(100), "baseline"))
    assert "torch: 2.14.1 → 3.0" in only(elsewhere, "decode memory").sentence
