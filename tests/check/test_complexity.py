"""MACs by part and layer, serial steps and parameters: exact, with what became of each layer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.checked_runs import checked, only, rows

from lic_bench.check.complexity import layer_events
from lic_bench.check.details import LayerEvent, LayerEventKind, LayersDetail, NotComparable, NotCompared
from lic_bench.check.outcome import Verdict
from lic_bench.check.text import layer_event, sentence
from lic_bench.records import Call, MacCount

MACS = MacCount(Call.DECODE, 768, 512, 3000, {"g_s": 2000, "h_s": 1000}, by_layer={"g_s.0": 2000, "h_s.0": 1000})
CHANGED, ADDED, REMOVED = LayerEventKind.CHANGED, LayerEventKind.ADDED, LayerEventKind.REMOVED


def test_macs_are_exact_and_reported_by_part_and_layer() -> None:
    more = replace(MACS, macs=3001, by_part={"g_s": 2001, "h_s": 1000}, by_layer={"g_s.0": 2001, "h_s.0": 1000})
    change = only(checked(rows(macs=(more,)), rows(macs=(MACS,))), "decode macs")
    assert (change.verdict, change.part, change.before, change.now) == (Verdict.WORSE, "g_s", 2000, 2001)
    assert change.detail == LayersDetail(768, 512, (LayerEvent(CHANGED, "g_s.0", 2000, 2001),))
    assert "g_s.0" in sentence(change)
    assert only(checked(rows(macs=(MACS,)), rows(macs=(MACS,))), "decode macs").verdict is Verdict.SAME
    assert only(checked(rows(), rows(macs=(MACS,))), "macs").verdict is Verdict.GONE
    encode = replace(MACS, call=Call.ENCODE)
    assert only(checked(rows(macs=(MACS,)), rows(macs=(encode,))), "encode macs").verdict is Verdict.GONE


def test_macs_with_newly_uncounted_ops_are_no_improvement() -> None:
    less = replace(MACS, macs=10, by_part={"g_s": 10}, by_layer={"g_s.0": 10}, uncounted={"aten.mystery": 1})
    change = only(checked(rows(macs=(less,)), rows(macs=(MACS,))), "decode macs")
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert change.detail == NotCompared(NotComparable.UNCOUNTED_OPS, operators=("aten.mystery",))


def test_more_parameters_and_more_serial_steps_are_worse() -> None:
    before = rows(parameters=1000, macs=(replace(MACS, serial_steps=10),))
    outcome = checked(rows(parameters=1001, macs=(replace(MACS, serial_steps=11),)), before)
    assert only(outcome, "parameters").fails
    assert only(outcome, "decode serial steps").fails
    assert not checked(rows(parameters=1001), rows(parameters=1000), parameters_percent=1).failed


@pytest.mark.parametrize(
    ("before", "now", "event", "text"),
    [
        (
            {"a": 10**6, "b": 2},
            {"a": 2 * 10**6, "b": 2},
            LayerEvent(LayerEventKind.REPEATED, "a", 10**6, 2 * 10**6),
            "a 1 MMAC → 2 MMAC (+100.0 %): it is there twice",
        ),
        (
            {"a": 10**6, "b": 2},
            {"a": 3 * 10**6, "b": 2},
            LayerEvent(CHANGED, "a", 10**6, 3 * 10**6),
            "a 1 MMAC → 3 MMAC (+200.0 %)",
        ),
        (
            {"g.0": 5 * 10**6, "g.1": 10**6},
            {"g.0": 5 * 10**6, "g.1": 7 * 10**6, "g.2": 10**6},
            LayerEvent(ADDED, "g.1", 0, 7 * 10**6),
            "g.1 is new (7 MMAC)",
        ),
        (
            {"g.0": 5 * 10**6, "g.1": 10**6},
            {"g.0": 10**6},
            LayerEvent(REMOVED, "g.0", 5 * 10**6, 0),
            "g.0 is gone (5 MMAC)",
        ),
    ],
)
def test_layers_are_matched_by_name_or_else_in_order(
    before: dict[str, int], now: dict[str, int], event: LayerEvent, text: str
) -> None:
    assert layer_events(before, now, same_parameters=True) == (event,)
    assert layer_event(event) == text


def test_a_layer_put_in_a_sequence_renumbers_those_behind_it() -> None:
    before = {"g.0": 5 * 10**6, "g.1": 10**6, "g.2": 4 * 10**6}
    now = {"g.0": 5 * 10**6, "g.1": 10**6, "g.2": 10**6, "g.3": 4 * 10**6}
    (event,) = layer_events(before, now)
    assert (event.kind, event.pair, event.now) == (LayerEventKind.DUPLICATED, ("g.1", "g.2"), 10**6)
    assert layer_event(event) == "a layer is there twice: g.1 and g.2 do the same work (1 MMAC each)"


def test_a_layer_replaced_by_several_is_removed_and_they_added() -> None:
    events = layer_events({"g.0": 1, "g.1": 5}, {"g.0": 1, "g.1": 3, "g.2": 2})
    assert [(event.kind, event.layer) for event in events] == [(REMOVED, "g.1"), (ADDED, "g.1"), (ADDED, "g.2")]
