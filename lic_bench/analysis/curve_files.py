"""Published curves in a file of their own: CSV with the columns of `zoo/published/rd_points.csv` and their source.

A row is a point, or one picture of a point where `picture` names it; the point is then the mean over its pictures.
`pictures` says over how many a mean was taken, where that is not all of a data set whose size is known.
`citation`, `licence` and `note` stand in every row, so that no curve is parted from its source. Empty is "not told".
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from lic_bench.analysis import curves, published
from lic_bench.analysis.curves import RDCurve, RDPoint, Source
from lic_bench.errors import RequestError

COLUMNS = (
    *(field.name for field in fields(published.PublishedPoint)), "picture", "pictures", "citation", "licence", "note",
)  # fmt: skip
NEEDED = ("codec", "dataset", "bpp")
SCORES = ("psnr_db", "ms_ssim", "lpips")


def read(path: Path) -> tuple[RDCurve, ...]:
    """The curves of a file, each of origin published (or digitised, where the file says so).

    Raises RequestError naming file and line for a file that is missing, damaged or of another kind.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"The curves in {path} cannot be read: {error}.") from error
    return parse(text, path.name)


def parse(text: str, name: str) -> tuple[RDCurve, ...]:
    """The curves of a file's text; `name` stands for the source where the file names none."""
    table = csv.DictReader(io.StringIO(text), strict=True)
    grouped: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    try:
        _check_header(table.fieldnames or (), name)
        for row in table:
            _check_row(row, f"Line {table.line_num} of {name}")
            key = row["codec"], row["dataset"], row.get("optimised_for") or "unknown", row.get("source_id") or name
            grouped.setdefault(key, []).append(row)
    except csv.Error as error:
        raise RequestError(f"Line {table.line_num} of {name} is damaged: {error}.") from error
    if not grouped:
        raise RequestError(f"{name} holds no curve: there is no line below its header.")
    return tuple(_curve(*key, rows, name) for key, rows in grouped.items())


def write(some: Iterable[RDCurve]) -> str:
    """Curves as the text of a file: `parse` gives back the same points, scores and sources, exactly."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for curve in some:
        about = {
            "codec": curve.codec,
            "dataset": curve.dataset,
            "optimised_for": "none" if curve.optimised_for is None else curve.optimised_for,
            "bpp_kind": curve.rate_kind,
            "source_id": curve.source.source_id,
            "how": curve.source.how,
            "uncertainty": curve.source.uncertainty,
            "citation": curve.source.text,
            "licence": curve.source.licence or "",
            "note": curve.source.note,
            "pictures": "" if curve.pictures or curve.picture_count is None else str(curve.picture_count),
        }
        for point in curve.points:
            for picture, one in (point.by_picture or {"": point}).items():
                scores = {score: _written(getattr(one, score)) for score in SCORES}
                table.writerow(about | scores | {"quality": point.label, "picture": picture, "bpp": repr(one.bpp)})
    return text.getvalue()


def _curve(
    codec: str, dataset: str, optimised_for: str, source_id: str, rows: Sequence[Mapping[str, str]], name: str
) -> RDCurve:
    def told(column: str) -> str:
        return "; or ".join(dict.fromkeys(row[column] for row in rows if row.get(column)))

    points: list[RDPoint] = []
    pictured: dict[str, dict[str, RDPoint]] = {}
    for row in rows:
        psnr_db, ms_ssim, lpips = (_number(row.get(score)) for score in SCORES)
        point = RDPoint(row.get("quality", ""), float(row["bpp"]), psnr_db, ms_ssim, lpips)
        if not row.get("picture"):
            points.append(point)
        elif row["picture"] in pictured.setdefault(point.label, {}):
            raise RequestError(f"{name} has {row['picture']} twice at point {point.label!r} of {codec}.")
        else:
            pictured[point.label][row["picture"]] = point
    if points and pictured:
        raise RequestError(f"{name} mixes means and single pictures in one curve of {codec}; they are not joined.")
    how = told("how")
    source = Source(
        published.origin(how),
        told("citation") or name,
        source_id,
        how or "table",
        told("uncertainty"),
        told("licence") or None,
        told("note"),
    )
    target = None if optimised_for == "none" else optimised_for
    rate = told("bpp_kind") or "unknown"
    if pictured:
        return curves.over_pictures(codec, codec, dataset, target, pictured, rate, source)
    counts = sorted({int(row["pictures"]) for row in rows if row.get("pictures")})
    if len(counts) > 1:
        raise RequestError(f"{name} has points of {codec} over different numbers of pictures; they are not one curve.")
    count = counts[0] if counts else published.PICTURES.get(dataset)
    return RDCurve(codec, codec, dataset, target, curves.by_rate(points), rate, source, picture_count=count)


def _check_header(header: Sequence[str], name: str) -> None:
    missing = [column for column in NEEDED if column not in header]
    if missing:
        raise RequestError(
            f"{name} is no file of curves: it has no column {', '.join(missing)}. Files of other tools are made into "
            "one by `lic-bench import`."
        )
    strange = [column for column in header if column not in COLUMNS]
    if strange or len(set(header)) < len(header):
        raise RequestError(
            f"{name} has columns that no curve has, or one twice: {', '.join(strange or header)}. "
            f"There are {', '.join(COLUMNS)}."
        )


def _check_row(row: Mapping[str | None, str | None], place: str) -> None:
    if None in row or None in row.values():
        raise RequestError(f"{place} has not as many fields as the header.")
    if not row["codec"] or not row["dataset"]:
        raise RequestError(f"{place} names no codec or no data set.")
    if not (row.get("pictures") or "1").isdecimal():
        raise RequestError(f"{place}: {row['pictures']!r} is no number of pictures.")
    for column in ("bpp", *SCORES):
        value = row.get(column)
        if not value and column != "bpp":
            continue
        try:
            number = float(value or "")
        except ValueError:
            raise RequestError(f"{place}: {value!r} is no number for {column}.") from None
        low, high = {"ms_ssim": (-1.0, 1.0), "psnr_db": (-math.inf, math.inf)}.get(column, (0.0, math.inf))
        if not low <= number <= high or (column == "bpp" and not 0 < number < math.inf):
            raise RequestError(f"{place}: {value} cannot be a value of {column}.")


def _number(field: str | None) -> float | None:
    return float(field) if field else None


def _written(value: float | None) -> str:
    return "" if value is None else repr(value)
