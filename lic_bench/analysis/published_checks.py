"""What a published table must be before anything is made of it: known sources, plausible values, rising curves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from lic_bench.errors import LicBenchError

PLAUSIBLE = {"bpp": (0.005, 24.0), "psnr_db": (10.0, 70.0), "ms_ssim": (0.3, 1.0), "lpips": (0.0, 1.5)}
"""The least and the most of each column; 24 bit is a picture without any coding."""

BETTER_WHEN = {"psnr_db": 1, "ms_ssim": 1, "lpips": -1}
"""+1 where more is better, so that it rises with rate; -1 where less is."""

BPP_KINDS = ("bitstream", "estimated", "unknown")
HOWS = ("json", "table", "text", "digitised")
CURVE = ("codec", "dataset", "optimised_for", "source_id")

TableRow = Mapping[str, str]
"""A row of a table as it is written."""


class PublishedTableError(LicBenchError):
    """A table of published figures is damaged; the message says where."""


def points(rows: Sequence[TableRow], sources: Collection[str], table: str) -> None:
    """Raises PublishedTableError for an unknown source or kind, an implausible value, or a curve that does not rise."""
    by_curve: dict[tuple[str, ...], list[TableRow]] = {}
    for row in rows:
        _check_point(row, sources, f"{row['codec']} {row['quality']} on {row['dataset']} in {table}")
        by_curve.setdefault(tuple(row[column] for column in CURVE), []).append(row)
    for key, own in by_curve.items():
        _check_curve(sorted(own, key=lambda row: float(row["bpp"])), f"the curve {' / '.join(key)} in {table}")


def claims(rows: Iterable[TableRow], sources: Collection[str], table: str) -> None:
    """Raises PublishedTableError for a claim whose source is not described."""
    for row in rows:
        _check_source(row, sources, f"{row['codec']} in {table}")


def _check_source(row: TableRow, sources: Collection[str], place: str) -> None:
    if row["source_id"] not in sources:
        raise PublishedTableError(f"The source {row['source_id']!r} of {place} is not described.")


def _check_point(row: TableRow, sources: Collection[str], place: str) -> None:
    _check_source(row, sources, place)
    if row["bpp_kind"] not in BPP_KINDS or row["how"] not in HOWS:
        raise PublishedTableError(f"{place} has an unknown kind of rate or reading: {row['bpp_kind']}, {row['how']}.")
    for column, (low, high) in PLAUSIBLE.items():
        if row[column] and not low <= float(row[column]) <= high:
            raise PublishedTableError(f"{column} of {place} is {row[column]}, outside {low:g} to {high:g}.")


def _check_curve(own: Sequence[TableRow], place: str) -> None:
    for one, other in pairwise(own):
        if float(one["bpp"]) == float(other["bpp"]):
            raise PublishedTableError(f"Two points of {place} have {one['bpp']} bpp.")
    for column, sign in BETTER_WHEN.items():
        scores = [sign * float(row[column]) for row in own if row[column]]
        if any(after <= before for before, after in pairwise(scores)):
            raise PublishedTableError(f"{column} of {place} does not get better with rate.")
