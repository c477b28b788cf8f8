"""Parts of sentences that several checks need."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shortened(files: Sequence[str]) -> str:
    """A few names of perhaps many: "a, b and 5 more files"."""
    return listed(files) if len(files) < 4 else f"{', '.join(files[:2])} and {len(files) - 2} more files"


def shape_text(shape: Sequence[int]) -> str:
    """A shape: "2x3x3"; "a scalar" without dimensions."""
    return "x".join(map(str, shape)) or "a scalar"


def plural(count: int, noun: str) -> str:
    """A count of things: "1 thread", "2 threads"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
