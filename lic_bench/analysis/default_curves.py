"""Which of several published curves stands for a codec, and the curves that a name stands for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from lic_bench.analysis import published
from lic_bench.analysis.curves import RDCurve, published_curves
from lic_bench.errors import RequestError, did_you_mean


@cache
def default_published(dataset: str) -> tuple[RDCurve, ...]:
    """The published curves of a data set that are shown by default: at most one per codec and training target.

    Of several sources the one that `default_curves.csv` names stands for the codec; what that table leaves out, and a
    codec with several sources of which it names none, is shown only where it is asked for.
    """
    grouped: dict[tuple[str, str | None], dict[str, RDCurve]] = {}
    for curve in published_curves(dataset):
        use = published.use_of(curve.codec, dataset, curve.optimised_for or "none", curve.source.source_id)
        if use is None or use.use != "left_out":
            named = "default" if use else curve.source.source_id
            grouped.setdefault((curve.codec, curve.optimised_for), {})[named] = curve
    chosen = (
        some.get("default") or (next(iter(some.values())) if len(some) == 1 else None) for some in grouped.values()
    )
    return tuple(curve for curve in chosen if curve is not None)


def published_called(name: str, dataset: str) -> tuple[RDCurve, ...]:
    """The published curves on a data set that a name stands for: "all" defaults, a glob, NAME or NAME/SOURCE.

    A name without a source is its default curves, for every training target, that for MSE first. Raises RequestError
    where there is none.
    """
    codec, _, source_id = name.partition("/")
    some = published_curves(dataset) if source_id else default_published(dataset)
    found = tuple(
        curve
        for curve in some
        if (name == "all" or fnmatchcase(curve.codec, codec)) and source_id in ("", curve.source.source_id)
    )
    if not found:
        there = sorted({f"{curve.codec}/{curve.source.source_id}" for curve in published_curves(dataset)})
        own = [each for each in there if each.partition("/")[0] == codec]
        hint = (
            f"There is {' and '.join(own)}." if own else did_you_mean(name, [*there, *(t.split("/")[0] for t in there)])
        )
        raise RequestError(
            f"{name} is no run folder, no file, and no curve published on {dataset}. "
            f"{hint or '`lic-bench published` lists the curves there are.'}"
        )
    return tuple(sorted(found, key=lambda curve: curve.optimised_for == "ms-ssim"))
