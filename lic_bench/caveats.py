"""Caveat codes: why a figure is weak, with the text that is shown for each. Files hold the codes."""

from __future__ import annotations

from enum import StrEnum


class Caveat(StrEnum):
    """A reason why a figure is weak. It travels with the figure to the report; `text` says what to do about it."""

    FEW_TIMINGS = "few_timings"
    NOT_TIMED = "not_timed"
    SHARED_MACHINE = "shared_machine"
    BUSY_MACHINE = "busy_machine"
    UNTRAINED = "untrained"
    UNCOUNTED_OPS = "uncounted_ops"
    RATE_GAP = "rate_gap"
    NO_MS_SSIM = "no_ms_ssim"
    NO_SCORE = "no_score"
    LOSSLESS = "lossless"
    DRIFT = "drift"
    MEMORY_UNKNOWN = "memory_unknown"
    FEW_POINTS = "few_points"
    NOT_MONOTONE = "not_monotone"
    LITTLE_OVERLAP = "little_overlap"
    NO_OVERLAP = "no_overlap"
    OWN_WEIGHTS = "own_weights"
    DEMONSTRATION = "demonstration"
    UNCONFIRMED = "unconfirmed"
    CONVERTED_REFERENCE = "converted_reference"
    DIFFERENT_PICTURES = "different_pictures"
    RATE_KIND = "rate_kind"
    EXTERNAL_PROGRAM = "external_program"
    OFF_TARGET = "off_target"

    @property
    def text(self) -> str:
        """The caveat as shown to people."""
        return _TEXTS[self]


_TEXTS = {
    Caveat.FEW_TIMINGS: "fewer than 3 timed passes; raise --timing-budget for a steadier figure",
    Caveat.NOT_TIMED: "not timed within the time budget; raise --timing-budget",
    Caveat.SHARED_MACHINE: "several workers shared the machine while timing; use --workers 1 for quotable times",
    Caveat.BUSY_MACHINE: "other programs were using the processor; time it again on a quiet machine",
    Caveat.UNTRAINED: "untrained weights; times and sizes hold for the network, rate and distortion do not exist",
    Caveat.UNCOUNTED_OPS: "some operators were not counted; the MAC figure is a lower bound",
    Caveat.RATE_GAP: "estimated and coded rate differ by more than 1 %; check the entropy coder's tables",
    Caveat.NO_MS_SSIM: "MS-SSIM needs both sides above 160 pixels",
    Caveat.NO_SCORE: "a metric that was asked for failed on some picture; the run's failures say how",
    Caveat.LOSSLESS: "decoded without any error; PSNR is infinite and left out of means",
    Caveat.DRIFT: "a fresh process made another bitstream or picture; the codec is not deterministic",
    Caveat.MEMORY_UNKNOWN: "peak memory could not be read on this system",
    Caveat.FEW_POINTS: "fewer than four points on a curve",
    Caveat.NOT_MONOTONE: "quality does not rise with rate; points were left out of the interpolation",
    Caveat.LITTLE_OVERLAP: "the anchor covers less than 75 % of the curve's range",
    Caveat.NO_OVERLAP: "the anchor covers less than 25 % of the curve's range; no figure",
    Caveat.OWN_WEIGHTS: "weights that match no published hash; the curve is that of this file, not the paper's",
    Caveat.DEMONSTRATION: "a briefly trained demonstration network; no paper's result",
    Caveat.UNCONFIRMED: (
        "a published curve that contradicts other figures of its own source; zoo/published/cautions.csv says why"
    ),
    Caveat.CONVERTED_REFERENCE: (
        "a curve whose PSNR was taken against the original after a colour conversion, not against the picture as "
        "given (docs/anchors.md); --anchor vtm-9.1/lalic-repo is another run of the same encoder, near the honest one"
    ),
    Caveat.DIFFERENT_PICTURES: "the curves were not taken over the same pictures",
    Caveat.RATE_KIND: "one curve counts whole bitstreams, the other payload or estimated bits",
    Caveat.EXTERNAL_PROGRAM: (
        "coded by an external program; times include its start and temporary files, its memory is not measured"
    ),
    Caveat.OFF_TARGET: "the codec's steps come no nearer to the target than this",
}
