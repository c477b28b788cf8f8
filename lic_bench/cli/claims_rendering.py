"""What `lic-bench audit --claims bd` and `--claims anchors` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lic_bench.analysis import anchor as anchor_names
from lic_bench.analysis import anchor_audit, bd_claims, published
from lic_bench.analysis.anchor_audit import AnchorPoint
from lic_bench.analysis.bd_claims import BDClaimCheck, BDVerdict, Fit, Missing, Standing
from lic_bench.analysis.curves import RDCurve
from lic_bench.cli.formats import print_rows, say
from lic_bench.complexity.tables import NONE, Format, Rows
from lic_bench.errors import RequestError, did_you_mean

UNITS = {"bd_rate_psnr_percent": "%", "bd_psnr_db": "dB", "bd_ms_ssim": "MS-SSIM", "bd_rate_mean_of_7_percent": "%"}


def bd(codec: str, anchor: str, dataset: str, form: Format) -> None:
    """Every BD claim with our figures and a verdict, then who is ahead when all are put against one anchor."""
    checks = bd_claims.audit(codec)
    if not checks:
        known = sorted({claim.codec for claim in published.bd_claims()})
        raise RequestError(f"There is no published BD claim on {codec!r}. {did_you_mean(codec, known)}".rstrip())
    one = anchor_names.find_published(anchor, dataset)
    if one is None:
        raise RequestError(f"{anchor} was not published on {dataset}; `lic-bench published` lists the curves.")
    others = [curve for curve in bd_claims.vtm_curves(dataset) if curve != one]
    standings = bd_claims.standings(dataset, [one, *others]) if codec == "all" else ()
    if form is Format.JSON:
        print(json.dumps({"claims": [_claim(check) for check in checks],
                          "standings": [_standing(standing) for standing in standings]}, indent=2))  # fmt: skip
        return
    print_rows(claim_rows(checks), form)
    if standings:
        print()
        print_rows(standing_rows(standings, [one, *others]), form)
        ordered = (
            f"In order of the BD-rate over PSNR against {one.name} on {dataset}, by PCHIP, each from its own points."
        )
        say([f"{ordered} A claim is followed by the anchor as its source words it, and the source."])
    say([*_explained(checks), *_remarks(checks)])


def anchors(form: Format) -> None:
    """CompressAI's VTM curve on Kodak: published point, our reproduction, the honest figure."""
    points = anchor_audit.audit()
    if form is Format.JSON:
        print(json.dumps([_anchor_point(point) for point in points], indent=2))
        return
    print_rows(anchor_rows(points), form)
    for known in points:
        say(_run_text(known))
    say(
        [
            "Predicted: the published PSNR with the error of a conversion to cut-off planes "
            f"({anchor_audit.CUT_OFF_DB} dB) added to its MSE, which is about what scoring cut-off pictures "
            "against the given ones costs. docs/anchors.md explains it. BD-rates against another run of the same "
            "encoder: --anchor vtm-9.1/lalic-repo.",
        ]
    )


def claim_rows(checks: Sequence[BDClaimCheck]) -> Rows:
    """A line per claim: what was claimed, ours against the anchor it names, what explains it, the verdict."""
    heads = ["codec", "data set", "claimed", "anchor as worded", "ours, that anchor", "ours, default anchor",
             "explained or nearest", "by", "gives", "verdict", "source"]  # fmt: skip
    return [heads, *map(_claim_line, checks)]


def standing_rows(standings: Sequence[Standing], against: Sequence[RDCurve]) -> Rows:
    """A line per codec: its BD-rates against every anchor, and what was claimed for it."""
    heads = ["", "codec", *(f"{curve.codec}/{curve.source.source_id}" for curve in against), "claimed"]
    lines = [
        [
            str(place),
            one.curve.codec + (" (unconfirmed)" if one.curve.caveats else ""),
            *(_value(one.figures[curve.name].value) for curve in against),
            "; ".join(
                f"{claim.value:g} {UNITS[claim.metric]} ({claim.anchor}, {claim.source_id})" for claim in one.claims
            ),
        ]
        for place, one in enumerate(standings, start=1)
    ]
    return [heads, *lines]


def anchor_rows(points: Sequence[AnchorPoint]) -> Rows:
    """A line per point of the anchor."""
    heads = ["QP", "published bpp", "published dB", "reproduced bpp", "reproduced dB", "dB against the given picture",
             "cut off, predicted dB", "honest bpp", "honest dB", "vtm-9.1/lalic-repo bpp", "dB"]  # fmt: skip
    return [heads, *map(_anchor_line, points)]


def verdict_text(check: BDClaimCheck) -> str:
    """The verdict in words; where a claim cannot be checked, what is missing."""
    claim = check.claim
    if check.verdict is BDVerdict.NOT_CHECKABLE:
        return f"cannot be checked: {'; '.join(_missing_text(check, one) for one in check.missing)}"
    if check.verdict is BDVerdict.NOT_EXPLAINED:
        return f"no anchor held explains it; missing: points of {claim.anchor} on {claim.dataset}"
    return {
        BDVerdict.HOLDS: "holds",
        BDVerdict.HOLDS_AGAINST_ANOTHER: "holds against another anchor",
        BDVerdict.DOES_NOT_HOLD: "does not follow from the published points",
    }[check.verdict]


def _missing_text(check: BDClaimCheck, missing: Missing) -> str:
    claim = check.claim
    return {
        Missing.METRIC: f"{claim.metric} needs metrics that no source gives",
        Missing.DATASET: f"no curve is held on the pictures, which are {claim.dataset!r}",
        Missing.POINTS: f"points of {claim.codec} on {claim.dataset}",
        Missing.ANCHOR: f"points of {claim.anchor} on {claim.dataset}",
        Missing.OVERLAP: "the curves do not overlap enough",
    }[missing]


def _claim_line(check: BDClaimCheck) -> list[str]:
    claim, fit = check.claim, check.explained or check.nearest
    own = check.own.get("pchip") if check.own else None
    return [
        claim.codec,
        claim.dataset,
        f"{claim.value:g} {UNITS.get(claim.metric, claim.metric)}",
        claim.anchor,
        _value(own),
        _value(_by_default_anchor(check)),
        fit.anchor_id if fit else NONE,
        fit.method if fit else NONE,
        _value(fit.value) if fit else NONE,
        verdict_text(check),
        claim.source_id,
    ]


def _run_text(point: AnchorPoint) -> list[str]:
    """What was coded at this point for this project, in sentences; nothing where it was not."""
    ours, honest = point.reproduction, point.honest
    if ours is None or honest is None:
        return []
    return [
        f"Reproduced at QP {point.qp}: {ours.bytes:,d} bytes over {ours.pictures} pictures and "
        f"{ours.against_converted_db:.6f} dB, with VTM-9.1, 8-bit YCbCr cut off, and PSNR against the original "
        "after that same conversion.",
        f"Against the pictures as given the same bitstreams have {ours.rounded_db:.4f} dB (rounded to 8 bit), "
        f"{ours.truncated_db:.4f} dB (cut off), {ours.float_db:.4f} dB (neither).",
        f"The honest run, 10 bit and rounded, has {honest.bytes:,d} bytes and {honest.rounded_db:.4f} dB.",
    ]


def _by_default_anchor(check: BDClaimCheck) -> float | None:
    """Our figure against the data set's default anchor, where that is of the kind that the claim names."""
    anchor = anchor_names.defaults(check.claim.dataset).get("psnr_db")
    return check.against(anchor) if anchor else None


def _anchor_line(point: AnchorPoint) -> list[str]:
    ours, honest, other = point.reproduction, point.honest, point.other_run
    return [
        str(point.qp), f"{point.published.bpp:.6f}", f"{point.published.psnr_db:.4f}",
        f"{ours.bpp:.6f}" if ours else NONE, f"{ours.against_converted_db:.4f}" if ours else NONE,
        f"{ours.rounded_db:.4f}" if ours else NONE, f"{point.truncated_db:.2f}",
        f"{honest.bpp:.6f}" if honest else NONE, f"{honest.rounded_db:.4f}" if honest else NONE,
        f"{other.bpp:.6f}" if other else NONE, f"{other.psnr_db:.4f}" if other else NONE,
    ]  # fmt: skip


def _explained(checks: Sequence[BDClaimCheck]) -> list[str]:
    """For every anchor that explains claims, which; and how many none explains."""
    found: dict[str, list[str]] = {}
    for check in checks:
        if check.explained:
            claim = f"{check.claim.codec} {check.claim.value:g} ({check.claim.dataset}, {check.claim.source_id})"
            found.setdefault(check.explained.anchor_id, []).append(claim)
    said = [f"{anchor} explains {len(claims)}: {'; '.join(claims)}." for anchor, claims in found.items()]
    return [*said, "; ".join(f"{_count(checks, verdict)} {verdict.replace('_', ' ')}" for verdict in BDVerdict) + "."]


def _count(checks: Sequence[BDClaimCheck], verdict: BDVerdict) -> int:
    return sum(check.verdict is verdict for check in checks)


def _remarks(checks: Sequence[BDClaimCheck]) -> list[str]:
    """What is known of the claims besides, each once, with where it belongs."""
    found: dict[str, dict[str, None]] = {}
    for check in checks:
        if check.remark:
            found.setdefault(check.remark, {})[check.claim.source_id] = None
    return [f"{', '.join(sources)}: {remark}" for remark, sources in found.items()]


def _value(value: float | None) -> str:
    return NONE if value is None else f"{value:+.2f}"


def _fit(fit: Fit | None) -> dict[str, Any] | None:
    return None if fit is None else asdict(fit) | {"anchor_id": fit.anchor_id}


def _claim(check: BDClaimCheck) -> dict[str, Any]:
    return {
        "claim": asdict(check.claim),
        "verdict": check.verdict,
        "explained": _fit(check.explained),
        "nearest": _fit(check.nearest),
        "within": [_fit(fit) for fit in check.within],
        "own": check.own,
        "missing": check.missing,
        "remark": check.remark,
    }


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "codec": one.curve.codec,
        "source_id": one.curve.source.source_id,
        "bd_rate_percent": {name: figure.value for name, figure in one.figures.items()},
        "claims": [asdict(claim) for claim in one.claims],
    }


def _anchor_point(point: AnchorPoint) -> dict[str, Any]:
    return {
        "qp": point.qp,
        "published": {"bpp": point.published.bpp, "psnr_db": point.published.psnr_db},
        "truncated_db_predicted": point.truncated_db,
        "reproduction": asdict(point.reproduction) if point.reproduction else None,
        "honest": asdict(point.honest) if point.honest else None,
        "other_run": {"bpp": point.other_run.bpp, "psnr_db": point.other_run.psnr_db} if point.other_run else None,
    }
