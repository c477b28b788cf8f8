"""What the doctor says: one finding for each check, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a finding means. Something that could not be examined is told, with the reason."""

    SOUND = "sound"
    DOUBTFUL = "doubtful"
    WRONG = "WRONG"
    TOLD = "told"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what it means, what was seen, and what to do ("" where nothing needs doing)."""

    check: str
    verdict: Verdict
    sentence: str
    advice: str = ""


def sound(check: str, sentence: str) -> Finding:
    """A check that was passed."""
    return Finding(check, Verdict.SOUND, sentence)


def doubtful(check: str, sentence: str, advice: str) -> Finding:
    """A check that leaves a caveat."""
    return Finding(check, Verdict.DOUBTFUL, sentence, advice)


def wrong(check: str, sentence: str, advice: str) -> Finding:
    """A check that was failed."""
    return Finding(check, Verdict.WRONG, sentence, advice)


def told(check: str, sentence: str, advice: str = "") -> Finding:
    """Something to know, or why a check could not be made."""
    return Finding(check, Verdict.TOLD, sentence, advice)


def unsound(findings: Sequence[Finding]) -> bool:
    """Whether any check was failed."""
    return any(finding.verdict is Verdict.WRONG for finding in findings)


def conclusion(findings: Sequence[Finding], codes: bool = True) -> str:
    """The closing line: "sound", "UNSOUND" or, for what `codes` nothing, "not a codec", and how many checks say so."""
    made = [finding for finding in findings if finding.verdict is not Verdict.TOLD]
    parts = [f"{_checks(len(made))} made"]
    for verdict in (Verdict.WRONG, Verdict.DOUBTFUL):
        if named := [finding.check for finding in made if finding.verdict is verdict]:
            parts.append(f"{len(named)} {verdict.value.lower()} ({', '.join(named)})")
    if len(parts) == 1 and made:
        parts.append("all sound")
    if left := len(findings) - len(made):
        parts.append(f"{left} told")
    return f"{verdict_of(findings, codes)}: {', '.join(parts)}."


def verdict_of(findings: Sequence[Finding], codes: bool = True) -> str:
    """The verdict in a word or three."""
    if unsound(findings):
        return "UNSOUND"
    return "sound" if codes else "not a codec"


def as_plain(findings: Sequence[Finding], codes: bool = True) -> dict[str, Any]:
    """Verdict and findings as what JSON can hold."""
    return {"verdict": verdict_of(findings, codes), "findings": [asdict(finding) for finding in findings]}


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"
