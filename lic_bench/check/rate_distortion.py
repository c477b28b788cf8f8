"""Rate, container and distortion: compared over the data set and picture by picture, on any machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from lic_bench.analysis import bdrate, curves
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict, counted, found
from lic_bench.check.pairs import Pairs
from lic_bench.records import CardSummary, Measurement, MetricRecord

Both = tuple[Measurement, Measurement]

LENGTH_BYTES = 2
"""A container writes its strings' lengths, which may take this many bytes more or less where these have changed."""


@dataclass(frozen=True)
class Quantity:
    """A figure of every row. `better` is +1 where more is better, -1 where less is, 0 where nobody said.

    `relative` figures add up over pictures and are limited in per cent of the sum; the others are averaged and limited
    by their difference. `form` writes one value.
    """

    name: str
    read: Callable[[Measurement], float | None]
    limit: float
    better: int
    relative: bool
    form: str
    unit: str


def compare(pairs: Pairs, limits: Limits, same_machine: bool, metrics: Sequence[MetricRecord] = ()) -> Iterator[Change]:
    """Every rate and score of one operating point; bit by bit too where the machine is the same.

    `metrics` says of further scores whether more is better; one that nobody speaks of is reported without direction.
    """
    if pairs.has_quality:
        for quantity in (*_quantities(pairs, limits), *_scores(pairs, limits, metrics)):
            yield from _compared(pairs, quantity, limits)
        yield from _container(pairs, limits)
    if same_machine:
        yield _bit_by_bit(pairs, limits)
    yield from _fresh_process(pairs)


def bd_rates(
    before: Iterable[Measurement], now: Iterable[Measurement], limits: Limits, cards: Sequence[CardSummary] = ()
) -> Iterator[Change]:
    """BD-rate of a codec's curves in the run against its own in the baseline, for PSNR and MS-SSIM."""
    old = {curve.optimised_for: curve for curve in curves.measured(before, "baseline", cards=cards)}
    for curve in curves.measured(now, "run", cards=cards):
        anchor = old.get(curve.optimised_for)
        if anchor is None or min(len(anchor.points), len(curve.points)) < 2:
            continue
        target = f"optimised for {curve.optimised_for}" if len(old) > 1 else ""
        for metric, name in (("psnr_db", "PSNR"), ("ms_ssim_db", "MS-SSIM")):
            scored = sum(point.score(metric) is not None for point in anchor.points)  # type: ignore[arg-type]
            if scored < 2:
                continue
            figure = bdrate.bd_rate(anchor, curve, metric, bootstrap=False)  # type: ignore[arg-type]
            yield _bd(curve.codec, f"bd-rate ({name})", target, figure, limits)


def _bd(codec: str, quantity: str, part: str, figure: bdrate.BDFigure, limits: Limits) -> Change:
    if figure.value is None:
        sentence = f"no figure: {figure.reason}"
        return found((codec, ""), quantity, Verdict.NOT_COMPARABLE, sentence, part=part)
    moved, limit = figure.value, limits.bd_rate_percent
    verdict = Verdict.WORSE if moved > limit else Verdict.BETTER if moved < -limit else Verdict.SAME
    sentence = f"{moved:+.2f} % rate at equal quality, against the baseline's own curve"
    return found(
        (codec, ""), quantity, verdict, sentence, part=part, before=0.0, now=moved, unit="%", share=moved / 100
    )


def _quantities(pairs: Pairs, limits: Limits) -> list[Quantity]:
    fixed = [
        Quantity("stream bytes", lambda r: r.stream_bytes, limits.stream_percent, -1, True, ",.0f", "bytes"),
        Quantity("payload", lambda r: r.payload_bits, limits.payload_percent, -1, True, ",.0f", "bits"),
        Quantity("estimated rate", lambda r: r.estimated_bits, limits.estimated_percent, -1, True, ",.0f", "bits"),
        Quantity("PSNR", lambda r: r.psnr_db, limits.psnr_db, 1, False, ".3f", "dB"),
        Quantity("MS-SSIM", lambda r: r.ms_ssim, limits.ms_ssim, 1, False, ".5f", ""),
    ]
    return [quantity for quantity in fixed if any(quantity.read(before) is not None for before, _ in pairs.rows)]


def _scores(pairs: Pairs, limits: Limits, metrics: Sequence[MetricRecord]) -> Iterator[Quantity]:
    """Scores of further metrics; their limit is a share of what they were, since their scales are anybody's."""
    told = {metric.name: metric for metric in metrics}
    for name in dict.fromkeys(name for before, _ in pairs.rows for name in before.scores):
        values = [value for before, _ in pairs.rows if (value := before.scores.get(name)) is not None]
        if values:
            limit = limits.score_percent / 100 * abs(fmean(values))
            better = 0 if name not in told else 1 if told[name].higher_is_better else -1
            unit = told[name].unit if name in told else ""
            yield Quantity(name, partial(_score, name), limit, better, False, ".5g", unit)


def _score(name: str, row: Measurement) -> float | None:
    return row.scores.get(name)


def _compared(pairs: Pairs, quantity: Quantity, limits: Limits) -> Iterator[Change]:
    known = [(b, n) for b, n in pairs.rows if quantity.read(b) is not None]
    lost = [now.picture for _, now in known if quantity.read(now) is None]
    if lost:
        sentence = f"there was a figure before and there is none now ({counted(len(lost), 'picture')}, first {lost[0]})"
        yield found(pairs.where, quantity.name, Verdict.GONE, sentence, picture=lost[0])
        return
    values = [(b.picture, quantity.read(b) or 0.0, quantity.read(n) or 0.0) for b, n in known]
    whole = _whole(pairs, quantity, values)
    yield whole
    if not whole.fails:
        yield from _single(pairs, quantity, values, limits)


def _whole(pairs: Pairs, quantity: Quantity, values: Sequence[tuple[str, float, float]]) -> Change:
    """Over the data set: the sum, or the mean over pictures of a score."""
    count = counted(len(values), "picture")
    before = _together(quantity, [old for _, old, _ in values])
    now = _together(quantity, [new for _, _, new in values])
    moved = [(name, _moved(quantity, old, new)) for name, old, new in values]
    total = (now - before) / before * 100 if quantity.relative and before else fmean(m for _, m in moved)
    verdict = _verdict(quantity, total, quantity.limit)
    unit = f" {quantity.unit}" if quantity.unit else ""
    if all(old == new for _, old, new in values):
        sentence = f"{_text(quantity, now)}{unit} over {count}, as before"
    else:
        name, most = max(moved, key=lambda item: abs(item[1]))
        most_said = f"; most on {name} ({_difference(quantity, most)})" if len(values) > 1 else ""
        sentence = (
            f"{_text(quantity, before)} → {_text(quantity, now)}{unit} over {count} "
            f"({_difference(quantity, total)}{most_said})"
        )
    return found(
        pairs.where, quantity.name, verdict, sentence, before=_plain(before), now=_plain(now), unit=quantity.unit,
        share=_share(before, now), fails=None if quantity.better else False, detail={"pictures": len(values)},
    )  # fmt: skip


def _single(
    pairs: Pairs, quantity: Quantity, values: Sequence[tuple[str, float, float]], limits: Limits
) -> Iterator[Change]:
    """Pictures that got worse by much more than the data set may, hidden in a mean that has not."""
    for name, before, now in values:
        limit = quantity.limit * limits.single_picture_factor
        moved = _moved(quantity, before, now)
        if _verdict(quantity, moved, limit) is Verdict.WORSE:
            unit = f" {quantity.unit}" if quantity.unit else ""
            yield found(
                pairs.where, quantity.name, Verdict.WORSE,
                f"{_text(quantity, before)} → {_text(quantity, now)}{unit} ({_difference(quantity, moved)}) on this "
                "picture, while the data set as a whole did not get worse",
                picture=name, before=_plain(before), now=_plain(now), unit=quantity.unit, share=_share(before, now),
            )  # fmt: skip


def _container(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    """What the stream adds to its payload: exact, except for lengths of strings that have another length now."""
    if any(row.payload_bits is None for pair in pairs.rows for row in pair):
        return
    before, now = (sum(8 * row[at].stream_bytes - (row[at].payload_bits or 0) for row in pairs.rows) for at in (0, 1))
    spare = sum(LENGTH_BYTES for old, new in pairs.rows if old.payload_bits != new.payload_bits)
    moved, count = (now - before) / 8, counted(len(pairs.rows), "picture")
    limit = limits.container_bytes * len(pairs.rows) + spare
    verdict = Verdict.WORSE if moved > limit else Verdict.BETTER if moved < -limit else Verdict.SAME
    sentence = f"{before / 8:,.0f} → {now / 8:,.0f} bytes over {count} ({moved:+,.0f})"
    if before == now:
        sentence = f"{now / 8:,.0f} bytes over {count}, as before"
    yield found(
        pairs.where, "container", verdict, sentence, before=before // 8, now=now // 8, unit="bytes",
        share=_share(before, now),
    )  # fmt: skip


def _bit_by_bit(pairs: Pairs, limits: Limits) -> Change:
    lengths = [now.picture for before, now in pairs.rows if before.stream_bytes != now.stream_bytes]
    pictures = [
        now.picture
        for before, now in pairs.rows
        if before.decoded_sha256 and now.decoded_sha256 and before.decoded_sha256 != now.decoded_sha256
    ]
    told = [
        f"{what} of {len(names)} of {len(pairs.rows)} (first {names[0]})"
        for what, names in (("the stream's length", lengths), ("the decoded picture", pictures))
        if names
    ]
    if not told:
        decoded = all(row.decoded_sha256 for pair in pairs.rows for row in pair)
        what = "streams' lengths and decoded pictures" if decoded else "streams' lengths"
        return found(pairs.where, "bit by bit", Verdict.SAME, f"{what} are the same")
    return found(
        pairs.where, "bit by bit", Verdict.CHANGED,
        f"on the same machine with the same packages, {' and '.join(told)} changed",
        fails=limits.exact_on_same_machine, detail={"lengths": len(lengths), "pictures": len(pictures)},
    )  # fmt: skip


def _fresh_process(pairs: Pairs) -> Iterator[Change]:
    """Whether a process that saw only the stream still decodes the same picture."""
    for before, now in pairs.rows:
        if before.fresh_process is None or now.fresh_process is None:
            continue
        was, agreed = before.fresh_process, now.fresh_process
        verdict = Verdict.SAME if was == agreed else Verdict.CHANGED
        if verdict is Verdict.CHANGED and (was.is_exact or agreed.is_exact):
            verdict = Verdict.WORSE if was.is_exact else Verdict.BETTER
        moved = f"{was.text} → {agreed.text}" if was != agreed else f"{was.text}, as before"
        yield found(
            pairs.where, "fresh process", verdict, f"what another process makes of the stream: {moved}",
            picture=now.picture, before=was.text, now=agreed.text,
        )  # fmt: skip


def _together(quantity: Quantity, values: Sequence[float]) -> float:
    return sum(values) if quantity.relative else fmean(values)


def _moved(quantity: Quantity, before: float, now: float) -> float:
    """Per cent of a relative quantity, else the difference; a lossless picture (infinite) stays or stops being so."""
    if before == now:
        return 0.0
    if quantity.relative:
        return (now - before) / before * 100 if before else math.inf
    return now - before


def _verdict(quantity: Quantity, moved: float, limit: float) -> Verdict:
    if abs(moved) <= limit * (1 + 1e-9):
        return Verdict.SAME
    if not quantity.better:
        return Verdict.CHANGED
    return Verdict.BETTER if moved * quantity.better > 0 else Verdict.WORSE


def _difference(quantity: Quantity, moved: float) -> str:
    if math.isinf(moved) and not quantity.relative:
        return "lossless now" if moved > 0 else "lossless no more"
    return f"{moved:+.2f} %" if quantity.relative else f"{moved:+{quantity.form}} {quantity.unit}".rstrip()


def _text(quantity: Quantity, value: float) -> str:
    return "∞" if math.isinf(value) else format(value, quantity.form)


def _plain(value: float) -> float | str:
    """JSON has no infinity; it is written as the records write it."""
    return value if math.isfinite(value) else "Infinity"


def _share(before: float, now: float) -> float | None:
    return (now - before) / before if before and math.isfinite(before) and math.isfinite(now) else None
