"""What the field's most used anchor really is: CompressAI's VTM curve on Kodak, beside real runs of the same encoder.

Its points are VTM-9.1 fed with 8-bit YCbCr that was cut off, and its PSNR compares the decoded picture with the
original after that same conversion. The runs are those of `zoo/published/vtm_runs.csv`, scored in every way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lic_bench.analysis import curves, published, published_checks
from lic_bench.analysis.curves import RDCurve, RDPoint
from lic_bench.analysis.published import VtmRun
from lic_bench.records import CurveId

ANCHOR = CurveId("vtm", "compressai-classical", "none")
OTHER_RUN = CurveId("vtm-9.1", "lalic-repo", "none")
DATASET = "kodak"

QPS = (47, 42, 37, 32, 27, 22, 17, 12)
"""The quantisation parameters of the anchor's points, by rising rate."""

THEIR_PATH, HONEST_PATH = "bt709-8bit-floored", "bt709-10bit-rounded"

CUT_OFF_DB = 46.4
"""PSNR of the 24 Kodak pictures after RGB to 8-bit YCbCr, cut off, and back, rounded; nothing is coded."""


@dataclass(frozen=True)
class VtmMean:
    """Means over the pictures of one run; PSNR in dB, see `published.VtmRun`. `bytes` is the sum."""

    pictures: int
    bytes: int
    bpp: float
    rounded_db: float
    truncated_db: float
    float_db: float
    against_converted_db: float


@dataclass(frozen=True)
class AnchorPoint:
    """One point of the anchor with what is known of it.

    `reproduction` is the encoder run in the anchor's way, `honest` at 10 bit, rounded, None where it was not run.
    `truncated_db` is predicted: the published PSNR with the error of a conversion to cut-off planes added to its MSE.
    `other_run` is the point of the same QP in another group's curve.
    """

    qp: int
    published: RDPoint
    truncated_db: float
    reproduction: VtmMean | None
    honest: VtmMean | None
    other_run: RDPoint | None

    @property
    def reproduced_to_db(self) -> float | None:
        """Our PSNR, scored in the anchor's way, less the published one."""
        if self.reproduction is None or self.published.psnr_db is None:
            return None
        return self.reproduction.against_converted_db - self.published.psnr_db


def audit() -> tuple[AnchorPoint, ...]:
    """The anchor's points by rising rate."""
    anchor, other = (_curve(wanted) for wanted in (ANCHOR, OTHER_RUN))
    by_label = {point.label: point for point in other.points}
    return tuple(
        AnchorPoint(
            qp,
            point,
            added_error(point.psnr_db or math.inf, CUT_OFF_DB),
            _mean([run for run in published.vtm_runs() if (run.qp, run.colour_path) == (qp, THEIR_PATH)]),
            _mean([run for run in published.vtm_runs() if (run.qp, run.colour_path) == (qp, HONEST_PATH)]),
            by_label.get(f"qp{qp}"),
        )
        for qp, point in zip(QPS, anchor.points, strict=True)
    )


def added_error(psnr_db: float, other_db: float) -> float:
    """The PSNR of two independent errors together, in dB: their MSEs add up."""
    return -10 * math.log10(10 ** (-psnr_db / 10) + 10 ** (-other_db / 10))


def _curve(wanted: CurveId) -> RDCurve:
    found = curves.find(DATASET, wanted)
    if found is None:
        raise published_checks.PublishedTableError(f"{wanted.codec} of {wanted.source_id} is not in rd_points.csv.")
    return found


def _mean(runs: Sequence[VtmRun]) -> VtmMean | None:
    if not runs:
        return None
    return VtmMean(
        len(runs),
        sum(run.bytes for run in runs),
        fmean(run.bpp for run in runs),
        fmean(run.psnr_rounded_db for run in runs),
        fmean(run.psnr_truncated_db for run in runs),
        fmean(run.psnr_float_db for run in runs),
        fmean(run.psnr_against_converted_original_db for run in runs),
    )
