"""Checks, the levels of what they find, and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | Sequence[str] | None
"""A figure or name behind a finding; units are in the names of figures."""


class Level(StrEnum):
    """What a finding means. A check that could not be made is an INFO with the reason."""

    PASS = "pass"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Check(StrEnum):
    """The checks by the names that users read, in the order in which they are made."""

    FILE = "file"
    LAYOUT = "layout"
    LOADING = "loading"
    WIDTH = "width"
    FIT = "fit"
    NUMBERS = "numbers"
    CODEC = "codec"
    CODING = "coding"
    SIZES = "sizes"
    PLAIN_PICTURES = "plain pictures"
    CALLERS_PICTURE = "caller's picture"
    REPETITION = "repetition"
    STREAM_ALONE = "stream alone"
    THREADS = "threads"
    ENCODING_THREADS = "encoding threads"
    DEVICE = "device"
    PAYLOAD = "payload"
    NETWORK = "network"
    FORWARD = "forward"
    RECONSTRUCTION = "reconstruction"
    RATE = "rate"
    FIRST_FIGURE = "first figure"
    BATCH = "batch"
    OPERATORS = "operators"
    FIGURES = "figures"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    `sentence` and `advice` ("" where nothing needs doing) are for people; `values` holds the figures and names behind
    them, for programs.
    """

    check: Check
    level: Level
    sentence: str
    advice: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)


def passed(check: Check, sentence: str, **values: Value) -> Finding:
    """A finding of level PASS."""
    return Finding(check, Level.PASS, sentence, "", values)


def info(check: Check, sentence: str, advice: str = "", **values: Value) -> Finding:
    """A finding of level INFO: something to know, or why a check could not be made."""
    return Finding(check, Level.INFO, sentence, advice, values)


def warning(check: Check, sentence: str, advice: str, **values: Value) -> Finding:
    """A finding of level WARNING."""
    return Finding(check, Level.WARNING, sentence, advice, values)


def error(check: Check, sentence: str, advice: str, **values: Value) -> Finding:
    """A finding of level ERROR."""
    return Finding(check, Level.ERROR, sentence, advice, values)


def passes(findings: Iterable[Finding]) -> bool:
    """Whether the examination passes: no finding is an error."""
    return all(finding.level is not Level.ERROR for finding in findings)
