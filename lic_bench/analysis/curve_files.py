"""Published curves in a file of their own: CSV with the columns of `zoo/published/rd_points.csv` and their source.

A row is a point, or one picture of a point where `picture` names it; the point is then the mean over its pictures.
`pictures` says over how many a mean was taken, where that is not all of a data set whose size is known.
`citation`, `licence` and `note` stand in every row, so that no curve is parted from its source. An empty field says
that it is not known.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from lic_bench.analysis import curves, published, text_tables
from lic_bench.analysis.curves import RDCurve, RDPoint, Source
from lic_bench.errors import RequestError

COLUMNS = (
    *(field.name for field in fields(published.PublishedPoint)), "picture", "pictures", "citation", "licence", "note",
)  # fmt: skip
NEEDED = ("codec", "dataset", "bpp")
SCORES = ("psnr_db", "ms_ssim", "lpips")


def read(path: Path) -> tuple[RDCurve, ...]:
    """The curves of a file, each of origin published (or digitised, where the file says so).

    Raises RequestError naming file and row for a file that is missing, damaged or of another kind.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"The curves in {path} cannot be read: {error}.") from error
    return parse(text, path.name)


def is_one(path: Path) -> bool:
    """Whether a file's first line names the columns that a file of curves must have."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return set(NEEDED) <= set(file.readline().strip().split(","))


def parse(text: str, name: str) -> tuple[RDCurve, ...]:
    """The curves of a file's text; `name` stands for the source where the file names none."""
    try:
        table = text_tables.read(text)
    except text_tables.TableError as error:
        raise RequestError(f"{name} is no file of curves: {error}.") from error
    _check_columns(list(table.columns), name)
    grouped: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        _check_row(row, f"Row {number} of {name}")
        key = row["codec"], row["dataset"], row.get("optimised_for") or "unknown", row.get("source_id") or name
        grouped.setdefault(key, []).append(row)
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
            "licence": curve.source.licence,
            "note": curve.source.note,
            "pictures": None if curve.pictures else curve.picture_count,
        }
        for point in curve.points:
            for picture, one in (point.by_picture or {"": point}).items():
                scores = {score: getattr(one, score) for score in SCORES}
                table.writerow(about | scores | {"quality": point.label, "picture": picture, "bpp": one.bpp})
    return text.getvalue()


def _curve(
    codec: str, dataset: str, optimised_for: str, source_id: str, rows: Sequence[Mapping[str, str]], name: str
) -> RDCurve:
    def every(column: str) -> str:
        return "; or ".join(dict.fromkeys(row[column] for row in rows if row.get(column)))

    points: list[RDPoint] = []
    pictured: dict[str, dict[str, RDPoint]] = {}
    for row in rows:
        psnr_db, ms_ssim, lpips = (float(row[score]) if row.get(score) else None for score in SCORES)
        point = RDPoint(row.get("quality", ""), float(row["bpp"]), psnr_db, ms_ssim, lpips)
        if not row.get("picture"):
            points.append(point)
        elif row["picture"] in pictured.setdefault(point.label, {}):
            raise RequestError(f"{name} has {row['picture']} twice at point {point.label!r} of {codec}.")
        else:
            pictured[point.label][row["picture"]] = point
    if points and pictured:
        raise RequestError(f"{name} mixes means and single pictures in one curve of {codec}; they are not joined.")
    how = every("how")
    source = Source(
        published.origin(how),
        every("citation") or name,
        source_id,
        how or "table",
        every("uncertainty"),
        every("licence") or None,
        every("note"),
    )
    target = None if optimised_for == "none" else optimised_for
    rate = every("bpp_kind") or "unknown"
    if pictured:
        return curves.over_pictures(codec, codec, dataset, target, pictured, rate, source)
    counts = sorted({int(row["pictures"]) for row in rows if row.get("pictures")})
    if len(counts) > 1:
        raise RequestError(f"{name} has points of {codec} over different numbers of pictures; they are not one curve.")
    count = counts[0] if counts else published.PICTURES.get(dataset)
    return RDCurve(codec, codec, dataset, target, curves.by_rate(points), rate, source, picture_count=count)


def _check_columns(columns: Sequence[str], name: str) -> None:
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise RequestError(
            f"{name} is no file of curves: it has no column {', '.join(missing)}. Files of other tools are made into "
            "one by `lic-bench import`."
        )
    strange = [column for column in columns if column not in COLUMNS]
    if strange:
        raise RequestError(
            f"{name} has columns that no curve has: {', '.join(strange)}. There are {', '.join(COLUMNS)}."
        )


def _check_row(row: Mapping[str, str], place: str) -> None:
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
