"""Rows of text on standard output in the format asked for, and remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from lic_bench.cli import terminal
from lic_bench.complexity import tables
from lic_bench.complexity.tables import Format, Rows


def print_rows(rows: Rows, form: Format) -> None:
    """Print rows of text; the first one holds the headings."""
    if form is Format.LATEX:
        print(tables.to_latex(rows), end="")
    elif form is Format.JSON:
        print(json.dumps([dict(zip(rows[0], line, strict=True)) for line in rows[1:]], indent=2))
    elif form is Format.CSV:
        print(tables.rows_to_csv(rows), end="")
    elif form is Format.MARKDOWN:
        print(tables.rows_to_markdown(rows), end="")
    else:
        terminal.print_table(rows)


def say(sentences: Iterable[str]) -> None:
    """Print sentences on standard error."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
