"""Sentences of a report: what the run measured, under what conditions, and what its plan left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lic_bench.benchmark import plan, time_spent
from lic_bench.records import ImportedFile, Measurement, Origin, Row, RunHeader, Training
from lic_bench.report.content import BD_RATE, Content, View
from lic_bench.report.wording import plural


def sentences(content: Content) -> list[str]:
    """The page's findings in a few sentences."""
    header = content.header
    codecs = {point.codec for point in content.points}
    here = [point for point in content.points if point.origin is Origin.MEASURED]
    trained = {point.codec for point in here if point.training is Training.TRAINED}
    said = [
        f"{plural(len(codecs), 'codec')} on {plural(len(header.pictures), 'picture')} of {header.dataset}. "
        f"Rate and distortion of {len(content.measured)} were measured here, "
        f"{plural(len(trained), 'trained network')} among them."
    ]
    if content.imported:
        imported = plural(len(content.imported), "codec")
        said.append(f"Rate and distortion of {imported} were imported: others measured them, and the notes say who.")
    if content.untrained:
        said.append(
            f"{plural(len(content.untrained), 'network')} had no weights and ran with random ones: complexity, times "
            "and memory hold, rate and distortion do not exist. Published curves are drawn in their place and marked "
            "as published."
        )
    said += filter(None, (_best(view) for view in content.views[:1]))
    failed = len(content.failures)
    said.append(f"{plural(failed, 'failure')}, listed below." if failed else "Nothing failed.")
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


def conditions(header: RunHeader, rows: Sequence[Row]) -> dict[str, Mapping[str, Any]]:
    """Under what conditions the run was made, by group."""
    run = {
        "started": header.started,
        "finished": header.finished or "not finished",
        "command": " ".join(header.command),
        "lic-bench": header.lic_bench,
        "commit": f"{header.commit or 'unknown'}{' with local changes' if header.dirty else ''}",
    }
    if spent := time_spent.text(header, rows):
        run["where the time went"] = spent
    if earlier := Counter(row.from_cache for row in rows if isinstance(row, Measurement) and row.from_cache):
        said = ", ".join(f"{count} measured in {name}" for name, count in earlier.most_common())
        run["rows from the cache"] = f"{said}; the conditions were the same"
    if header.imported_from:
        run["imported from"] = "; ".join(map(imported_text, header.imported_from))
    return {
        "Run": run,
        "Machine": header.machine,
        "Settings": asdict(header.settings),
        "Packages": dict(header.packages),
    }


def untrained(content: Content) -> list[tuple[str, str]]:
    """Each untrained codec with the published curves that are shown in place of its rate and distortion."""
    return [(codec, _shown_for(content, codec)) for codec in content.untrained]


def _shown_for(content: Content, codec: str) -> str:
    shown = [curve.name for view in content.views for curve in view.curves if codec in view.codecs(curve)]
    return "; ".join(shown) if shown else "no published curve is known; nothing is drawn"


def _best(view: View) -> str:
    """The measured codec with the lowest BD-rate of a view, or why there is none."""
    if view.no_anchor:
        return f"There is no BD-rate for what was measured: {view.no_anchor}."
    own = [curve for curve in view.curves if curve.source.origin is Origin.MEASURED]
    figures = [figure for curve in own if (figure := view.figures_of(curve).get(BD_RATE)) and figure.value is not None]
    if not figures:
        return ""
    best = min(figures, key=lambda figure: figure.value or 0.0)
    interval = f" (95 % interval {best.interval[0]:+.1f} to {best.interval[1]:+.1f})" if best.interval else ""
    return f"Lowest measured BD-rate over PSNR: {best.test}, {best.value:+.1f} %{interval} against {best.anchor}."
