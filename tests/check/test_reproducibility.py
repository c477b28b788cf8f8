"""Bitstreams and pictures bit by bit, and decoded in a fresh process."""

from __future__ import annotations

from helpers.checked_runs import checked, only, rows, run

from lic_bench.check.compare import compare
from lic_bench.check.details import AgreementDetail
from lic_bench.check.outcome import DiagnosisKind, Outcome, Verdict
from lic_bench.check.quantity import QuantityKind
from lic_bench.records import Agreement, AgreementKind


def fresh(outcome: Outcome) -> set[Verdict]:
    return {each.verdict for each in outcome.comparisons if each.quantity.kind is QuantityKind.FRESH_PROCESS}


def test_other_bits_on_the_same_machine_are_reported() -> None:
    before, now = rows(decoded_sha256="11"), rows(decoded_sha256="22")
    outcome = checked(now, before)
    assert only(outcome, "bit by bit").verdict is Verdict.CHANGED
    assert not outcome.failed
    assert outcome.diagnoses["net"].kind is DiagnosisKind.BITS
    assert checked(now, before, exact_on_same_machine=True).failed
    elsewhere = compare(run(now, packages={"torch": "3.0"}), run(before, "baseline"))
    assert all(change.quantity.kind is not QuantityKind.BIT_BY_BIT for change in elsewhere.comparisons)


def test_a_fresh_process_that_decodes_another_picture_is_worse() -> None:
    exact, differs = Agreement(AgreementKind.EXACT), Agreement(AgreementKind.PIXELS_DIFFER, 3)
    before, now = rows(fresh_process=exact), rows(fresh_process=differs)
    outcome = checked(now, before)
    assert fresh(outcome) == {Verdict.WORSE}
    details = {each.detail for each in outcome.changes if each.quantity.kind is QuantityKind.FRESH_PROCESS}
    assert details == {AgreementDetail(exact, differs)}
    assert fresh(checked(before, now)) == {Verdict.BETTER}
    assert fresh(checked(before, before)) == {Verdict.SAME}
    assert fresh(checked(rows(fresh_process=Agreement(AgreementKind.PIXELS_DIFFER, 9)), now)) == {Verdict.CHANGED}
