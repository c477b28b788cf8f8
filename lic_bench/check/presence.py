"""What is there in both runs, what vanished, failed or is new, and whether it is the same data and weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lic_bench.check.baseline import StoredRun
from lic_bench.check.details import FailureDetail, PictureCount, RunDetail, RunProblem, WeightsChange, WeightsDetail
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs, by_point
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.records import EVERY, Failure, Training

WHOLE_RUN = ("", "")
"""In place of codec and operating point, for what concerns the whole run."""


def compare(before: StoredRun, now: StoredRun) -> Iterator[Change]:
    """Findings about the run, its data set, and codecs, points and pictures on one side only."""
    yield from _run(now)
    yield from _pictures(before, now)
    yield from _failures(before, now)
    yield from _vanished(before, now)
    yield from _new(before, now)


def weights(pairs: Pairs) -> Iterator[Change]:
    """Whether an operating point is measured with the same weights, and its figures are worth as much as before."""
    before, now = pairs.rows[0]
    quantity = Quantity(QuantityKind.WEIGHTS)
    if before.training is not now.training:
        yield Change(
            *pairs.where, quantity, Verdict.GONE if now.training is Training.UNTRAINED else Verdict.CHANGED,
            before=before.training.value, now=now.training.value, detail=WeightsDetail(WeightsChange.TRAINING),
        )  # fmt: skip
    elif before.weights_sha256 != now.weights_sha256:
        yield Change(
            *pairs.where, quantity, Verdict.CHANGED, before=before.weights_sha256, now=now.weights_sha256,
            required=True, detail=WeightsDetail(WeightsChange.FILE),
        )  # fmt: skip
    elif before.weights_sha256 is not None:
        yield Change(
            *pairs.where, quantity, Verdict.SAME, before=before.weights_sha256, now=now.weights_sha256,
            detail=WeightsDetail(WeightsChange.FILE),
        )  # fmt: skip


def run_problem(run: StoredRun, problem: RunProblem) -> Change:
    """A run that fails as a whole."""
    return Change(*WHOLE_RUN, Quantity(QuantityKind.RUN), Verdict.FAILED, detail=RunDetail(problem, run.name))


def _run(now: StoredRun) -> Iterator[Change]:
    if now.header.finished is None:
        yield run_problem(now, RunProblem.NOT_FINISHED)
    if not now.measured:
        yield run_problem(now, RunProblem.NOTHING_MEASURED)


def _pictures(before: StoredRun, now: StoredRun) -> Iterator[Change]:
    """The data set: the same pictures, by the hashes of their files."""
    quantity = Quantity(QuantityKind.DATA_SET)
    old, new = ({picture.name: picture.sha256 for picture in run.header.pictures} for run in (before, now))
    changed = [name for name in old if name in new and old[name] != new[name]]
    for name in changed:
        yield Change(
            *WHOLE_RUN, quantity, Verdict.CHANGED, picture=name, before=old[name], now=new[name], required=True
        )
    for name in (name for name in old if name not in new):
        yield Change(*WHOLE_RUN, quantity, Verdict.GONE, picture=name)
    for name in (name for name in new if name not in old):
        yield Change(*WHOLE_RUN, quantity, Verdict.NEW, picture=name)
    if set(old) == set(new) and not changed:
        yield Change(*WHOLE_RUN, quantity, Verdict.SAME, detail=PictureCount(len(old)))


def _failures(before: StoredRun, now: StoredRun) -> Iterator[Change]:
    """Each failure once per operating point and reason, with the first picture."""
    known = {_without_picture(row) for row in before.failures}
    alike: dict[Failure, list[Failure]] = {}
    for row in now.failures:
        alike.setdefault(_without_picture(row), []).append(row)
    for each, rows in alike.items():
        yield Change(
            "" if each.codec == EVERY else each.codec,
            "" if each.point == EVERY else each.point,
            Quantity(QuantityKind.DATA_SET if each.codec == EVERY else QuantityKind.CODING),
            Verdict.FAILED,
            picture=rows[0].picture or "",
            detail=FailureDetail(each.kind, each.reason, len(rows), each in known, each.metrics),
        )


def _without_picture(failure: Failure) -> Failure:
    """What failures of one cause have in common."""
    return replace(failure, picture=None, dataset="")


def _vanished(before: StoredRun, now: StoredRun) -> Iterator[Change]:
    old, new = by_point(before.measured), by_point(now.measured)
    broken = {(row.codec, row.point) for row in now.failures}
    codecs = {codec for codec, _ in new} | {codec for codec, _ in broken}
    in_run = {picture.name for picture in now.header.pictures}
    for codec in dict.fromkeys(codec for codec, _ in old):
        if codec not in codecs:
            yield Change(codec, "", Quantity(QuantityKind.CODEC), Verdict.GONE)
    for where, rows in old.items():
        if where[0] not in codecs or where in broken:
            continue
        if where not in new:
            yield Change(*where, Quantity(QuantityKind.OPERATING_POINT), Verdict.GONE)
            continue
        lost = [name for name in rows if name not in new[where] and name in in_run]
        if lost:
            yield Change(
                *where, Quantity(QuantityKind.PICTURES), Verdict.GONE, picture=lost[0], detail=PictureCount(len(lost))
            )


def _new(before: StoredRun, now: StoredRun) -> Iterator[Change]:
    old, new = by_point(before.measured), by_point(now.measured)
    codecs = {codec for codec, _ in old}
    for codec in dict.fromkeys(codec for codec, _ in new):
        if codec not in codecs:
            yield Change(codec, "", Quantity(QuantityKind.CODEC), Verdict.NEW)
    for codec, point in new:
        if codec in codecs and (codec, point) not in old:
            yield Change(codec, point, Quantity(QuantityKind.OPERATING_POINT), Verdict.NEW)
