"""An outcome as JSON, for programs: every comparison with its fields, and beside them the text that people read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from lic_bench.check import diagnosis_text, outcome_text, text
from lic_bench.check.outcome import Change, Diagnosis, Outcome, Verdict

FORMAT = 2
"""The number of the JSON's format."""


def render(outcome: Outcome) -> str:
    """Every comparison with both values, what failed and how many of each verdict. No infinity: it is a string."""
    content = {
        "format": FORMAT,
        "failed": outcome.failed,
        "run": outcome.run,
        "baseline": outcome.baseline,
        "counts": {verdict.value: number for verdict, number in outcome.counts.items()},
        "diagnoses": {codec: _diagnosis(diagnosis) for codec, diagnosis in outcome.diagnoses.items()},
        "notes": [asdict(note) | {"text": outcome_text.note(note)} for note in outcome.notes],
        "changes": [_change(change) for change in outcome.changes],
        "same": [_change(change) for change in outcome.comparisons if change.verdict is Verdict.SAME],
    }
    return json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False)


def _change(change: Change) -> dict[str, Any]:
    quantity = change.quantity
    return {
        "codec": change.codec,
        "point": change.point,
        "quantity": quantity.name,
        "kind": quantity.kind,
        "call": quantity.call,
        "metric": quantity.metric,
        "picture": change.picture,
        "part": change.part,
        "verdict": change.verdict,
        "fails": change.fails,
        "before": change.before,
        "now": change.now,
        "unit": change.unit,
        "share": change.share,
        "detail": None if change.detail is None else asdict(change.detail),
        "text": text.sentence(change),
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "kind": diagnosis.kind,
        "evidence": [change.quantity.name for change in diagnosis.evidence],
        "other_weights": diagnosis.other_weights,
        "same_macs": diagnosis.same_macs,
        "text": diagnosis_text.sentence(diagnosis),
    }


def _finite(value: Any) -> Any:
    """JSON has no infinity; it is written as the records write it."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
