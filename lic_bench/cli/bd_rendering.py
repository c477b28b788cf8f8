"""What `lic-bench bd` and `lic-bench published` print: tables on standard output, remarks on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from lic_bench import api
from lic_bench.analysis import curves, default_curves, published
from lic_bench.analysis.curves import RDCurve
from lic_bench.cli.formats import print_rows, say
from lic_bench.complexity.tables import Format
from lic_bench.errors import RequestError, did_you_mean
from lic_bench.report import bd_report, bd_tables
from lic_bench.report.table import Table


def compare(names: Sequence[str], anchor: str | None, dataset: str | None, details: bool, form: Format) -> None:
    """Curves of any kind against one anchor."""
    found = api.find_curves(names, dataset)
    first = len({curve.codec for curve in found[0]}) == 1
    views = bd_report.views([curve for some in found for curve in some], anchor, first)
    if form is Format.MARKDOWN:
        print(bd_report.markdown(views), end="")
    elif form is Format.JSON:
        print(bd_report.to_json(views))
    else:
        for one in views:
            some = bd_report.main_tables(one) + (bd_report.further_tables(one) if details else [])
            print_tables(some, form)
            say([f"{one.title}: no BD figure, because {one.no_anchor}."] if one.no_anchor else bd_tables.remarks(one))


def published_curves(codec: str, dataset: str, form: Format) -> None:
    """A line per published curve, then the claims in words."""
    some = [
        curve
        for name in dict.fromkeys(
            point.dataset for point in published.rd_points() if fnmatchcase(point.dataset, dataset)
        )
        for curve in curves.published_curves(name)
        if fnmatchcase(curve.codec, codec)
    ]
    claims = [claim for claim in published.worded_claims() if fnmatchcase(claim.codec, codec)]
    if not some and not claims:
        known = sorted({point.codec for point in published.rd_points()} | {c.codec for c in published.worded_claims()})
        hint = did_you_mean(codec, known) or "`lic-bench published` lists what there is."
        raise RequestError(f"Nothing is published of {codec!r} on {dataset}. {hint}".replace(" on *", ""))
    rows = [["codec", "data set", "trained for", "source", "points", "bpp", "rate", "origin", "shown", "licence"]]
    rows += [_curve_line(curve) for curve in some]
    if some:
        print_rows(rows, form)
    said = [f"{name} looks like {other} and is not: other pictures, or not known to be the same. They are never mixed."
            for name, other in published.LOOK_ALIKES.items() if name in {curve.dataset for curve in some}]  # fmt: skip
    for curve in some:
        caution = published.cautions().get((curve.codec, curve.dataset, curve.source.source_id))
        said += [f"{curve.codec} on {curve.dataset}: {caution.text}."] if caution else []
    say([*said, *(claim.text for claim in claims)])


def print_tables(some: Iterable[Table], form: Format) -> None:
    """Tables one after another, each under its title."""
    for table in some:
        if form is Format.TABLE:
            print(f"{table.title}\n")
        elif form is Format.LATEX:
            print(f"% {table.title}")
        if form is Format.CSV:
            print(table.to_csv(), end="")
        else:
            print_rows([[str(name) for name in table.frame.columns], *table.cells()], form)
        print()


def _curve_line(curve: RDCurve) -> list[str]:
    target = curve.optimised_for or "none"
    use = published.use_of(curve.codec, curve.dataset, target, curve.source.source_id)
    shown = "by default" if curve in default_curves.default_published(curve.dataset) else "when asked for"
    reason = f": {use.reason}" if use and (use.use == "left_out" or shown == "by default") else ""
    return [
        curve.codec, curve.dataset, target, curve.source.source_id, str(len(curve.points)),
        f"{curve.points[0].bpp:.3f} to {curve.points[-1].bpp:.3f}", curve.rate_kind, curve.source.origin.value,
        f"{shown}{reason}", curve.source.licence or "none stated",
    ]  # fmt: skip
