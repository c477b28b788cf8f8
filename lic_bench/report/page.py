"""Writes the report: one HTML file that opens from disk without a network, with CSV and Markdown beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import lic_bench
from lic_bench.analysis.curves import RDCurve
from lic_bench.benchmark import plan
from lic_bench.errors import RunFolderError
from lic_bench.records import Call, ImportedFile, Origin, Row, RunHeader, Training
from lic_bench.report import charts, growth_charts, tables
from lic_bench.report.charts import Chart
from lic_bench.report.content import BD_RATE, Content, View, gather
from lic_bench.report.groups import counted
from lic_bench.report.table import Table

PAGE, MARKDOWN = "report.html", "report.md"


@dataclass(frozen=True)
class Section:
    """A view as the page shows it."""

    view: View
    charts: tuple[Chart, ...]
    efficiency: Chart | None
    bd: Table
    every_bd: Table
    points: Table


def write(
    rows: Sequence[Row], header: RunHeader, anchor: str | None, folder: Path, given: Sequence[RDCurve] = ()
) -> Path:
    """Write report.html, report.md and the CSV tables into a folder and return the page's path.

    `given` are published curves to be drawn besides. Raises RequestError for an anchor that there is not,
    RunFolderError where the files cannot be written.
    """
    content = gather(rows, header, anchor, given=given)
    written = {PAGE: render(content), MARKDOWN: markdown(content), **csv(content)}
    draft = folder / ".report.draft"
    try:
        for name, text in written.items():
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, folder / name)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RunFolderError(f"The report cannot be written to {folder}: {error.strerror}.") from error
    return folder / PAGE


def render(content: Content) -> str:
    """The page as HTML."""
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(resource("report.html"))
    return template.render(
        content=content,
        header=content.header,
        sections=list(_sections(content)),
        work=[chart for call in Call if (chart := charts.work_by_part(content, call, f"work-{call}"))],
        growth=[
            chart
            for chart in (
                growth_charts.work_against_size(content, charts.all_looks(content), "work-size"),
                growth_charts.memory_against_size(content, charts.all_looks(content), "memory-size"),
            )
            if chart
        ],
        tables=tables,
        sentences=sentences(content),
        conditions=conditions(content.header),
        notes=notes(content.header),
        untrained=list(_untrained(content)),
        sources=_sources(content),
        style=resource("style.css"),
        script=resource("page.js"),
        plotly=get_plotlyjs(),
        Origin=Origin,
    )


def resource(name: str) -> str:
    """A file of `reports/`: beside the package in a checkout, else inside the installed package."""
    checkout = Path(lic_bench.__file__).resolve().parent.parent / "reports" / name
    if (checkout.parent.parent / "pyproject.toml").exists() and checkout.exists():
        return checkout.read_text(encoding="utf-8")
    return files("lic_bench._data.reports").joinpath(name).read_text(encoding="utf-8")


def markdown(content: Content) -> str:
    """The same tables as Markdown, under the page's first sentences."""
    head = f"# lic-bench, {content.header.dataset}, run {content.run}\n\n" + "\n".join(
        f"- {s}" for s in sentences(content)
    )
    body = [tables.quality(content), *map(tables.bd_overview, content.views), tables.complexity(content)]
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
        found[f"report-bd{f'-{number + 1}' if number else ''}.csv"] = tables.bd(view).to_csv()
    return found


def sentences(content: Content) -> list[str]:
    """What the page says, in a few sentences."""
    header = content.header
    codecs = {point.codec for point in content.points}
    here = [point for point in content.points if point.origin is Origin.MEASURED]
    trained = {point.codec for point in here if point.training is Training.TRAINED}
    said = [
        f"{counted(len(codecs), 'codec')} on {counted(len(header.pictures), 'picture')} of {header.dataset}. "
        f"Rate and distortion of {len(content.measured)} were measured here, "
        f"{counted(len(trained), 'trained network')} among them."
    ]
    if content.imported:
        codecs_there = counted(len(content.imported), "codec")
        said.append(
            f"Rate and distortion of {codecs_there} were imported: others measured them, and the notes say who."
        )
    if content.untrained:
        said.append(
            f"{counted(len(content.untrained), 'network')} had no weights and ran with random ones: work, times and "
            "memory hold, rate and distortion do not exist. Published curves are drawn in their place and said to be."
        )
    said += filter(None, (_best(view) for view in content.views[:1]))
    failed = len(content.failures)
    said.append(f"{counted(failed, 'failure')}, listed below." if failed else "Nothing failed.")
    if header.finished is None:
        said.append("The run is not finished: this page shows the rows there are.")
    return said


def notes(header: RunHeader) -> list[str]:
    """What the run's plan left out or changed, and whose figures an imported run holds."""
    if not header.imported_from:
        return plan.texts(header.notes)
    first = "Nothing of this run was measured by lic-bench: others measured it, on a machine that is not known."
    return [first, *map(imported_text, header.imported_from)]


def imported_text(file: ImportedFile) -> str:
    """An imported file in a sentence."""
    unused = f"not taken over from the file: {', '.join(file.unused_columns)}" if file.unused_columns else ""
    licence = f"licence: {file.licence}" if file.licence else ""
    said = (f"{file.name} (sha256 {file.sha256})", file.citation, licence, *file.remarks, unused)
    return "; ".join(filter(None, said)) + "."


def _best(view: View) -> str:
    """The measured codec with the lowest BD-rate of a view, or why there is none."""
    if view.no_anchor:
        return f"There is no BD-rate for what was measured: {view.no_anchor}."
    mine = [curve for curve in view.curves if curve.source.origin is Origin.MEASURED]
    figures = [figure for curve in mine if (figure := view.of(curve).get(BD_RATE)) and figure.value is not None]
    if not figures:
        return ""
    best = min(figures, key=lambda figure: figure.value or 0.0)
    interval = f" (95 % interval {best.interval[0]:+.1f} to {best.interval[1]:+.1f})" if best.interval else ""
    return f"Lowest measured BD-rate over PSNR: {best.test}, {best.value:+.1f} %{interval} against {best.anchor}."


def conditions(header: RunHeader) -> dict[str, Mapping[str, Any]]:
    """Under what conditions the run was made, by group."""
    run = {
        "started": header.started,
        "finished": header.finished or "not finished",
        "command": " ".join(header.command),
        "lic-bench": header.lic_bench,
        "commit": f"{header.commit or 'unknown'}{' with local changes' if header.dirty else ''}",
    }
    if header.imported_from:
        run["imported from"] = "; ".join(map(imported_text, header.imported_from))
    return {
        "Run": run,
        "Machine": header.machine,
        "Settings": asdict(header.settings),
        "Packages": dict(header.packages),
    }


def _sections(content: Content) -> Iterable[Section]:
    known = charts.all_looks(content)
    for number, view in enumerate(content.views):
        drawn = [charts.rate_distortion(view, metric, known, f"rd-{number}-{metric}") for metric in charts.AXES]
        efficiency = charts.complexity_against_efficiency(content, view, known, f"efficiency-{number}")
        shown = tuple(chart for chart in drawn if chart)
        short, every, points = tables.bd_overview(view), tables.bd(view), tables.curve_points(view)
        yield Section(view, shown, efficiency, short, every, points)


def _untrained(content: Content) -> Iterable[tuple[str, str]]:
    """Each untrained codec with what is shown in place of its rate and distortion."""
    for codec in content.untrained:
        shown = [curve.name for view in content.views for curve in view.curves if codec in view.codecs(curve)]
        yield codec, "; ".join(shown) if shown else "no published curve is known; nothing is drawn"


def _sources(content: Content) -> list[RDCurve]:
    """One curve per published source on the page, which tells citation and licence."""
    drawn = [curve for view in content.views for curve in view.curves]
    by_source = {curve.source.source_id: curve for curve in drawn if curve.source.origin is not Origin.MEASURED}
    return [by_source[name] for name in sorted(by_source)]
