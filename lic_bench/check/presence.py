"""What is there in both runs, what vanished, failed or is new, and whether it is the same data and weights."""

from __future__ import annotations

from collections.abc import Iterator

from lic_bench.check.baseline import Kept
from lic_bench.check.outcome import Change, Verdict, counted, found
from lic_bench.check.pairs import Pairs, by_point
from lic_bench.records import EVERY, Failure, Training

"""What a failure that concerns all codecs or points writes in their place."""


def compare(before: Kept, now: Kept) -> Iterator[Change]:
    """Findings about the run, its data set, and codecs, points and pictures on one side only."""
    yield from _run(now)
    yield from _pictures(before, now)
    yield from _failures(now, before)
    yield from _vanished(before, now)
    yield from _new(before, now)


def weights(pairs: Pairs) -> Iterator[Change]:
    """Whether an operating point is still measured with the same weights, and still means what it meant."""
    before, now = pairs.rows[0]
    if before.training is not now.training:
        untrained = now.training is Training.UNTRAINED
        what = ": its rate and distortion do not exist any more; give its weights with --weights" if untrained else ""
        yield found(
            pairs.where, "weights", Verdict.GONE if untrained else Verdict.CHANGED,
            f"was {before.training.value} and is {now.training.value}{what}",
            before=before.training.value, now=now.training.value,
        )  # fmt: skip
    elif before.weights_sha256 != now.weights_sha256:
        hashes = [(row.weights_sha256 or "none")[:12] for row in (before, now)]
        yield found(
            pairs.where, "weights", Verdict.CHANGED,
            f"another file of weights (sha256 {hashes[0]} → {hashes[1]}): it is another model; "
            "if that is meant, make a new baseline with --update",
            before=hashes[0], now=hashes[1], fails=True,
        )  # fmt: skip
    elif before.weights_sha256 is not None:
        yield found(pairs.where, "weights", Verdict.SAME, f"sha256 {before.weights_sha256[:12]}, as before")


def _run(now: Kept) -> Iterator[Change]:
    if now.header.finished is None:
        sentence = f"the run in {now.name} was not finished; the command that made it continues it"
        yield found(("", ""), "run", Verdict.FAILED, sentence)
    if not now.measured:
        yield found(("", ""), "run", Verdict.FAILED, f"the run in {now.name} measured nothing")


def _pictures(before: Kept, now: Kept) -> Iterator[Change]:
    """The data set: the same pictures, bit by bit."""
    old, new = ({picture.name: picture for picture in run.header.pictures} for run in (before, now))
    changed = [name for name in old if name in new and old[name].sha256 != new[name].sha256]
    for name in changed:
        sentence = f"another picture under the same name (sha256 {old[name].sha256[:12]} → {new[name].sha256[:12]})"
        yield found(("", ""), "data set", Verdict.CHANGED, sentence, picture=name, fails=True)
    for name in (name for name in old if name not in new):
        yield found(("", ""), "data set", Verdict.GONE, "this picture of the baseline is not in the run", picture=name)
    for name in (name for name in new if name not in old):
        yield found(("", ""), "data set", Verdict.NEW, "this picture is not in the baseline", picture=name)
    if set(old) == set(new) and not changed:
        yield found(("", ""), "data set", Verdict.SAME, f"{counted(len(old), 'picture')}, the same files")


def _failures(now: Kept, before: Kept) -> Iterator[Change]:
    """Each failure once per operating point and reason, with the first picture."""
    known = {(row.codec, row.point, row.reason) for row in before.failures}
    told: dict[tuple[str, str, str], list[Failure]] = {}
    for row in now.failures:
        told.setdefault((row.codec, row.point, row.reason), []).append(row)
    for (codec, point, reason), rows in told.items():
        first = rows[0]
        where = "" if codec == EVERY else codec, "" if point == EVERY else point
        more = f" (and {counted(len(rows) - 1, 'more picture')})" if len(rows) > 1 else ""
        again = "; it failed in the baseline too" if (codec, point, reason) in known else ""
        yield found(
            where, "coding" if codec != EVERY else "data set", Verdict.FAILED,
            f"{first.kind.value}: {reason}{more}{again}", picture=first.picture or "",
        )  # fmt: skip


def _vanished(before: Kept, now: Kept) -> Iterator[Change]:
    old, new = by_point(before.measured), by_point(now.measured)
    broken = {(row.codec, row.point) for row in now.failures}
    codecs = {codec for codec, _ in new} | {codec for codec, _ in broken}
    here = {picture.name for picture in now.header.pictures}
    for codec in dict.fromkeys(codec for codec, _ in old):
        if codec not in codecs:
            yield found((codec, ""), "codec", Verdict.GONE, "the baseline has this codec and the run has not")
    for (codec, point), rows in old.items():
        if codec not in codecs:
            continue
        if (codec, point) not in new:
            if (codec, point) not in broken:
                sentence = "the baseline has this operating point and the run has not"
                yield found((codec, point), "operating point", Verdict.GONE, sentence)
            continue
        lost = [name for name in rows if name not in new[codec, point] and name in here]
        if lost and (codec, point) not in broken:
            sentence = f"no figures in the run for {counted(len(lost), 'picture')} of the baseline, first {lost[0]}"
            yield found((codec, point), "pictures", Verdict.GONE, sentence, picture=lost[0])


def _new(before: Kept, now: Kept) -> Iterator[Change]:
    old, new = by_point(before.measured), by_point(now.measured)
    codecs = {codec for codec, _ in old}
    for codec in dict.fromkeys(codec for codec, _ in new):
        if codec not in codecs:
            yield found((codec, ""), "codec", Verdict.NEW, "not in the baseline; --update takes it in")
    for codec, point in new:
        if codec in codecs and (codec, point) not in old:
            yield found((codec, point), "operating point", Verdict.NEW, "not in the baseline; --update takes it in")
