"""Standard output as a rich console, and rows of text as tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def standard_output() -> Console:
    """Standard output; wide where it is not a terminal, so that tables are not folded in logs.

    Square brackets are printed as they are: "lic-bench[drive]" is no markup.
    """
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text as a table on standard output; the first row holds the headings."""
    standard_output().print(table(rows))


def table(rows: Sequence[Sequence[str]]) -> Table:
    """Rows of text as a table; the first row holds the headings. Columns of numbers are aligned to the right."""
    found = Table(box=None, header_style="bold", pad_edge=False)
    for index, heading in enumerate(rows[0]):
        numeric = all(_is_number(row[index]) for row in rows[1:])
        found.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows[1:]:
        found.add_row(*row)
    return found


def _is_number(text: str) -> bool:
    return text.strip("+-0123456789.,% ~<>∞") in ("", "n/a", "–")


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "3 min", "2 h 10 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
