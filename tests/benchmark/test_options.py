"""The options of a run: one set of defaults, and what the Python API takes for them."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from lic_bench.benchmark.options import RunOptions, changed
from lic_bench.cli.benchmark import run
from lic_bench.errors import RequestError
from lic_bench.records import Settings

NAMES = {"timeout": "timeout_seconds", "timing_budget": "timing_budget_seconds", "metric": "metrics"}
"""Options of the command that are called otherwise than the fields of RunOptions."""


def test_the_command_has_the_defaults_of_the_options() -> None:
    for name, parameter in inspect.signature(run).parameters.items():
        if name != "dry_run":
            default = getattr(RunOptions(), NAMES.get(name, name))
            assert (parameter.default or None) == (default or None), name


def test_one_value_stands_for_a_sequence_of_one() -> None:
    options = changed(RunOptions(), {"weights": "here", "metrics": "file.py:mean", "points": "1, 2", "output": "there"})
    assert options.weights == (Path("here"),)
    assert options.metrics == ("file.py:mean",)
    assert options.points == ("1", "2")
    assert options.output == Path("there")


def test_fields_that_are_not_changed_stay() -> None:
    options = changed(RunOptions(models="jpeg", threads=3), {"dataset": "kodak"})
    assert options == RunOptions(models="jpeg", threads=3, dataset="kodak")


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"There is no option 'thread'\. Did you mean threads"):
        changed(RunOptions(), {"thread": 2})


def test_jobs_get_the_settings_among_the_options() -> None:
    assert RunOptions(threads=3, metrics=("m",), workers=2).settings == Settings(threads=3, metrics=("m",))
