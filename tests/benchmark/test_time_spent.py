"""Where the time of a run went, in shares."""

from __future__ import annotations

from dataclasses import replace

from helpers import made_records as records

from lic_bench.benchmark import time_spent
from lic_bench.records import Pass


def test_shares_are_of_the_whole_and_the_rest_is_named() -> None:
    seconds = {Pass.SCORE: 2.0, Pass.CODE: 6.0, Pass.READ: 0.01}
    assert time_spent.shares(seconds, 10.0) == "coding 60%, metrics 20%, everything else 20%"
    assert time_spent.shares({Pass.CODE: 3.0, Pass.SCORE: 1.0}) == "coding 75%, metrics 25%"
    assert time_spent.shares({}) == "nothing"


def test_rows_from_the_cache_took_no_time_here() -> None:
    row = replace(records.measurement("c", "1", "a"), pass_seconds={Pass.CODE: 4.0})
    assert time_spent.by_pass([row, replace(row, from_cache="earlier")]) == {Pass.CODE: 4.0}
