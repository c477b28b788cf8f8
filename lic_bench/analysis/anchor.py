"""The anchor: the curve that BD figures are taken against, as asked for or by default of the data set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lic_bench.analysis import curves, default_curves, published
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError, did_you_mean
from lic_bench.records import CurveId

MEASURED_DEFAULT = "jpeg"
"""The codec whose measured curve is the anchor where published curves are over other pictures."""

PUBLISHED_DATASET = "kodak"
"""The data set whose published curves are shown where the run's own pictures have none."""

PUBLISHED_DEFAULTS: dict[str, dict[Metric, CurveId]] = {
    "kodak": {
        "psnr_db": CurveId("vtm-17.0", "mlic-repo-figures", "none"),
        "ms_ssim_db": CurveId("vtm", "compressai-classical", "none"),
    },
    "tecnick": {"psnr_db": CurveId("vtm-17.0", "mlic-repo-figures", "none")},
    "clic2020-professional-valid": {"psnr_db": CurveId("vtm-17.0", "c3-baselines", "none")},
}
"""The VTM curves to compare with; the first has no MS-SSIM on Kodak, so that metric has an anchor of its own."""


def check(
    request: str | None,
    codecs: Collection[str],
    dataset: str = PUBLISHED_DATASET,
    given: Sequence[RDCurve] = (),
) -> None:
    """Raises RequestError for an anchor that is neither a codec of the run, nor a given curve, nor published.

    The message names those that may be meant.
    """
    if request is None or request in codecs:
        return
    sources = sorted({curve.source.source_id for curve in _called(request, given)})
    if len(sources) > 1:
        raise RequestError(f"{request} is in more than one file of curves; say {_choices(request, sources)}.")
    if sources:
        return
    name, _, source_id = request.partition("/")
    known = sorted({point.codec for point in published.rd_points()})
    if name not in known:
        hint = did_you_mean(name, [*codecs, *(curve.codec for curve in given), *known])
        hint = hint or "vtm-17.0 and jpeg are two that there are."
        raise RequestError(f"There is no anchor called {request!r}, neither in the run nor published. {hint}")
    there = sorted({point.source_id for point in published.rd_points() if point.codec == name})
    if source_id and source_id not in there:
        raise RequestError(f"{name} is not published by {source_id!r}; there is {_choices(name, there)}.")
    find_published(request, dataset if dataset in published.PICTURES else PUBLISHED_DATASET)


def find(request: str, some: Sequence[RDCurve]) -> RDCurve | None:
    """The curve called `codec` or `codec/source_id`, for MSE where there are several targets; None without one."""
    found = _called(request, some)
    return min(found, key=lambda curve: curve.optimised_for == "ms-ssim", default=None)


def find_published(request: str, dataset: str) -> RDCurve | None:
    """The published curve called `codec` or `codec/source_id` on a data set; None where there is none.

    Raises RequestError naming the sources when several published it and none was named.
    """
    name, _, source_id = request.partition("/")
    found = [
        curve
        for curve in curves.published_curves(dataset)
        if curve.codec == name and source_id in ("", curve.source.source_id)
    ]
    sources = sorted({curve.source.source_id for curve in found})
    defaults = {wanted.source_id for wanted in PUBLISHED_DEFAULTS.get(dataset, {}).values() if wanted.codec == name}
    defaults |= {curve.source.source_id for curve in default_curves.default_published(dataset) if curve.codec == name}
    if len(sources) > 1 and not defaults:
        raise RequestError(f"{name} was published on {dataset} more than once; say {_choices(name, sources)}.")
    if len(sources) > 1:
        found = [curve for curve in found if curve.source.source_id in defaults]
    return find(name, found)


def honest_counterpart(anchor: RDCurve) -> RDCurve | None:
    """For an anchor scored against a converted original: another run of the same encoder, near an honest one.

    None for any other anchor, and where no such run is held on its data set.
    """
    if Caveat.CONVERTED_REFERENCE not in anchor.caveats:
        return None
    return curves.find(anchor.dataset, CurveId("vtm-9.1", "lalic-repo", "none"))


def defaults(dataset: str) -> dict[Metric, RDCurve]:
    """The published curve to compare with on a data set, by metric; empty where there is none."""
    found = {metric: curves.find(dataset, wanted) for metric, wanted in PUBLISHED_DEFAULTS.get(dataset, {}).items()}
    return {metric: curve for metric, curve in found.items() if curve is not None}


def _called(request: str, some: Iterable[RDCurve]) -> list[RDCurve]:
    return [curve for curve in some if request in (curve.codec, f"{curve.codec}/{curve.source.source_id}")]


def _choices(name: str, sources: Iterable[str]) -> str:
    return " or ".join(f"{name}/{source}" for source in sources)
