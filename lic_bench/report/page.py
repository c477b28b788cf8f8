"""The report's files: one HTML page that opens from disk without a network, with CSV and Markdown beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lic_bench.analysis.curves import RDCurve
from lic_bench.assets import resources
from lic_bench.assets.files import atomic_write
from lic_bench.errors import RunFolderError
from lic_bench.records import Call, Origin, Row, RunHeader
from lic_bench.report import bd_tables, charts, scaling_charts, tables, text, wording
from lic_bench.report.charts import Chart
from lic_bench.report.content import Content, View, gather
from lic_bench.report.table import Table

PAGE, MARKDOWN = "report.html", "report.md"


@dataclass(frozen=True)
class Section:
    """A view as the page shows it: charts of rate and distortion, the plot of efficiency, and tables."""

    view: View
    charts: tuple[Chart, ...]
    efficiency: Chart | None
    difference: Chart | None
    bd: Table
    more_bd: tuple[Table, ...]
    remarks: tuple[str, ...]
    points: Table


def write(
    rows: Sequence[Row], header: RunHeader, anchor: str | None, folder: Path, given: Sequence[RDCurve] = ()
) -> Path:
    """Write report.html, report.md and the CSV tables into a folder that exists; returns the page's path.

    `given` are published curves to be drawn besides. Raises RequestError for an anchor that does not exist,
    RunFolderError where the files cannot be written.
    """
    content = gather(rows, header, anchor, given=given)
    written = {PAGE: render(content), MARKDOWN: markdown(content), **csv(content)}
    if not folder.is_dir():
        raise RunFolderError(f"The report cannot be written to {folder}: there is no such folder.")
    try:
        for name, file in written.items():
            atomic_write(folder / name, file)
    except OSError as error:
        raise RunFolderError(f"The report cannot be written to {folder}: {error.strerror}.") from error
    return folder / PAGE


def render(content: Content) -> str:
    """The page as HTML. It depends on the run's rows and header alone: the same on any machine at any time."""
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(resources.text("reports", "report.html"))
    styles = charts.codec_styles(content)
    return template.render(
        content=content,
        header=content.header,
        sections=list(_sections(content)),
        parts=_drawn(charts.macs_by_part(content, call, f"parts-{call}") for call in Call),
        scaling=_drawn(
            (
                scaling_charts.macs_against_size(content.scaling, styles, "macs-size"),
                scaling_charts.memory_against_size(content.scaling, styles, "memory-size"),
            )
        ),
        tables=tables,
        wording=wording,
        sentences=text.sentences(content),
        conditions=text.conditions(content.header, content.rows),
        notes=text.notes(content.header),
        untrained=text.untrained(content),
        sources=_sources(content),
        origins=[origin.value for origin in Origin],
        style=resources.text("reports", "style.css"),
        script=resources.text("reports", "page.js"),
        plotly=get_plotlyjs(),
    )


def markdown(content: Content) -> str:
    """The same tables as Markdown, under the page's first sentences."""
    said = "\n".join(f"- {sentence}" for sentence in text.sentences(content))
    head = f"# lic-bench, {content.header.dataset}, run {content.run}\n\n{said}"
    body = [tables.quality(content), *map(bd_tables.overview, content.views), tables.complexity(content)]
    body += [tables.time_and_memory(content), tables.failures(content)]
    caveats = "\n".join(f"- {caveat.text}: {', '.join(where)}" for caveat, where in content.caveats.items()) or "None."
    return "\n\n".join([head, *(table.to_markdown().strip() for table in body), f"## Caveats\n\n{caveats}"]) + "\n"


def csv(content: Content) -> dict[str, str]:
    """The tables as CSV by file name, with full precision."""
    found = {
        "report.csv": tables.quality(content).to_csv(),
        "report-complexity.csv": tables.complexity(content).to_csv(),
        "report-parts.csv": tables.parts(content).to_csv(),
        "report-time.csv": tables.time_and_memory(content).to_csv(),
    }
    for number, view in enumerate(content.views):
        found[f"report-bd{f'-{number + 1}' if number else ''}.csv"] = bd_tables.every_figure(view).to_csv()
    return found


def _sections(content: Content) -> Iterable[Section]:
    styles = charts.codec_styles(content)
    for number, view in enumerate(content.views):
        quality = (charts.rate_distortion(view, metric, styles, f"rd-{number}-{metric}") for metric in charts.AXES)
        efficiency = charts.complexity_against_efficiency(content, view, styles, f"efficiency-{number}")
        short, remarks = bd_tables.overview(view), tuple(bd_tables.remarks(view))
        points = tables.curve_points(view)
        difference = charts.rate_difference(view, styles, f"difference-{number}")
        yield Section(view, tuple(_drawn(quality)), efficiency, difference, short, _more_bd(view), remarks, points)


def _more_bd(view: View) -> tuple[Table, ...]:
    """The tables of BD figures that are folded at first, less those without a line."""
    own = bd_tables.own(view)
    some = [bd_tables.every_figure(view), bd_tables.against_counterpart(view), bd_tables.over_pictures(view)]
    some += [bd_tables.pairs(view), bd_tables.sensitivities(view, own), bd_tables.rate_differences(view, own)]
    return tuple(one for one in some if len(one.frame))


def _drawn(some: Iterable[Chart | None]) -> list[Chart]:
    """The charts that there is something to draw in."""
    return [chart for chart in some if chart]


def _sources(content: Content) -> list[RDCurve]:
    """One curve per published source on the page, for its citation and licence."""
    shown = [curve for view in content.views for curve in view.curves]
    by_source = {curve.source.source_id: curve for curve in shown if curve.source.origin is not Origin.MEASURED}
    return [by_source[name] for name in sorted(by_source)]
