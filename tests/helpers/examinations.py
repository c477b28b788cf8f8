"""Examinations by the doctor with few and small pictures, and what is picked out of their findings."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch

from lic_bench.doctor import Check, Finding, Level
from lic_bench.doctor.examination import examine
from lic_bench.registry import codecs

WEIGHTS = Path(str(import_module("lic_bench.zoo.demo").__file__)).parent / "1.safetensors"
"""The checkpoint of the demonstration network that is in the package."""

SIZES = ((1, 1), (17, 33), (48, 32))


def examined(reference: str, weights: Path | None = None, label: str | None = None, **options: Any) -> list[Finding]:
    """Every finding about a codec at one operating point, by default the first."""
    card = codecs.get(reference)
    point = card.points[0] if label is None else card.point(label)
    small: dict[str, Any] = {"sizes": SIZES, "large": None, "threads": 1}
    return list(examine(card, point, weights, **(small | options)))


def before_coding(weights: Path | None, model: str = "demo-factorized") -> dict[Check, Finding]:
    """The findings before any picture is coded."""
    card = codecs.get(model)
    findings = examine(card, card.points[0], weights, sizes=(), large=None, threads=1)
    return {finding.check: finding for finding in takewhile(lambda finding: finding.check != Check.SIZES, findings)}


def errors(findings: Iterable[Finding]) -> list[Check]:
    """The checks that found an error."""
    return [finding.check for finding in findings if finding.level is Level.ERROR]


def finding(findings: Iterable[Finding], check: Check) -> Finding:
    """The one finding of a check."""
    (found,) = (each for each in findings if each.check is check)
    return found


def saved(state: object, folder: Path) -> Path:
    """A checkpoint of a state, written by torch.save."""
    path = folder / "examined.pth.tar"
    torch.save(state, path)
    return path
