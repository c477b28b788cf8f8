"""A table as data, CSV, Markdown and cells of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NONE = "–"


@dataclass(frozen=True)
class Table:
    """A frame with full precision, and how each column is written for people (a format such as ".3f")."""

    title: str
    frame: pd.DataFrame
    formats: Mapping[str, str] = field(default_factory=dict)

    def cells(self) -> list[list[str]]:
        """The rows as text; what does not exist as a dash."""
        columns = list(self.frame.columns)
        return [
            [_cell(value, self.formats.get(name, "")) for name, value in zip(columns, row, strict=True)]
            for row in self.frame.itertuples(index=False, name=None)
        ]

    def numeric(self, column: str) -> bool:
        """Whether a column holds numbers, to be set flush right."""
        return column in self.formats

    def to_csv(self) -> str:
        """Comma-separated with a header line, nothing rounded, empty where there is no figure."""
        return str(self.frame.to_csv(index=False, lineterminator="\n"))

    def to_markdown(self) -> str:
        """A heading and a pipe table."""
        columns = [str(name) for name in self.frame.columns]
        rule = ["---:" if self.numeric(name) else "---" for name in columns]
        lines = [columns, rule, *self.cells()]
        body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"## {self.title}\n\n{body}\n" if len(self.frame) else f"## {self.title}\n\nNone.\n"


def table(title: str, lines: Sequence[Mapping[str, Any]], formats: Mapping[str, str]) -> Table:
    """A table of lines that all have the same columns."""
    import pandas as pd

    return Table(title, pd.DataFrame(list(lines)), formats)


def _cell(value: Any, form: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if form.endswith("d"):
        value = int(value)  # pandas makes a column of integers floating when one is missing
    return format(value, form) if form else str(value)
