"""What the terminal shows of failures and of rows of text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lic_bench.cli.rendering import failure_line
from lic_bench.cli.terminal import print_table, standard_output, table
from lic_bench.records import EVERY, Failure, FailureKind


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (Failure("net", "3", "set", "a.png", FailureKind.MEASURE, "no"), "Failed: net 3 on a.png (measure): no"),
        (Failure("net", "3", "set", None, FailureKind.LOAD, "no"), "Failed: net 3 on all pictures (load): no"),
        (Failure("net", EVERY, "set", None, FailureKind.LOOKUP, "no"), "Failed: net on all pictures (lookup): no"),
        (Failure(EVERY, EVERY, "set", "a.png", FailureKind.READ, "no"), "Failed: every codec on a.png (read): no"),
        (
            Failure("net", "3", "set", "a.png", FailureKind.FRESH_PROCESS, "no"),
            "Failed: net 3 on a.png (fresh process): no",
        ),
        (
            Failure("net", "3", "set", "a.png", FailureKind.METRIC, "no", ("one", "two")),
            "Failed: net 3 on a.png (metric one, two): no",
        ),
    ],
)
def test_a_failure_is_one_line(row: Failure, line: str) -> None:
    assert failure_line(row) == line


def test_columns_of_numbers_are_to_the_right() -> None:
    out = io.StringIO()
    Console(file=out, width=40).print(table([("codec", "bpp"), ("jpeg", "0.3"), ("longer-name", "10.25"), ("c", "–")]))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == ["codec          bpp", "jpeg           0.3", "longer-name  10.25", "c                –"]


def test_square_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("model", "weights"), ("mine", "pip install lic-bench[drive]")])
    standard_output().print("install lic-bench[drive]")
    said = capsys.readouterr().out
    assert said.count("lic-bench[drive]") == 2
