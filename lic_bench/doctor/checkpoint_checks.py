"""Checks of a checkpoint's file and of the weights that were loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lic_bench.assets import checkpoints, weights
from lic_bench.assets.download import sha256_of
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.doctor.findings import Check, Finding, error, info, passed, warning
from lic_bench.doctor.probes import ProbeFailure
from lic_bench.doctor.weights_probe import ShapeDifference, WeightsReport, WeightsState
from lic_bench.doctor.wording import shape_text

SHOWN = 8
"""How many names a sentence lists."""


def local_checkpoint(card: CodecCard, point: OperatingPoint) -> Path | None:
    """The checkpoint of a point that is in the package or in the cache, its hash checked; None where there is none.

    Raises WeightsError for one that is not the file it should be.
    """
    if isinstance(weights.find(card, point), weights.Missing):
        return None
    return weights.obtain(card, point, allow_download=False).path


def file(point: OperatingPoint, path: Path) -> Iterator[Finding]:
    """The file's size and hash, and its layout. Raises WeightsError for what is no checkpoint."""
    layout = checkpoints.layout(path)
    size, digest = path.stat().st_size, sha256_of(path)
    published = point.weights.sha256 if point.weights is not None else None
    is_published = None if published is None else digest.startswith(published.lower())
    whose = {
        None: "nobody published one to compare it with",
        True: f"the published file ({published})",
        False: f"not the published file ({published})",
    }[is_published]
    yield info(
        Check.FILE,
        f"{size:,} bytes, sha256 {digest}; {whose}.",
        file_bytes=size,
        sha256=digest,
        published_sha256=published,
        is_published=is_published,
    )
    yield info(Check.LAYOUT, f"{layout.text}.", tensors=layout.tensors, types=layout.types)


def loading(failure: ProbeFailure, checkpoint: Path | None) -> Finding:
    """A codec that cannot be loaded, without or with a checkpoint."""
    if checkpoint is None:
        return error(Check.LOADING, failure.text, "The loader must build the codec without a checkpoint as well.")
    advice = "Give the checkpoint of this very network and operating point; `lic-bench models` says which there are."
    return error(Check.FIT, failure.text, advice)


def fit(card: CodecCard, point: OperatingPoint, checkpoint: Path | None, report: WeightsReport) -> Finding:
    """How large the network is, and with a checkpoint, whether it is as wide as the card's."""
    count = f"{report.parameters:,} parameters"
    if checkpoint is None:
        sentence = f"{count} ({point.network or 'of one width'}), no checkpoint given."
        return info(Check.WIDTH, sentence, parameters=report.parameters)
    if report.first_difference is None:
        sentence = f"every tensor fits; {count}, the widths of {card.name} {point.label} ({point.network})."
        return passed(Check.FIT, sentence, parameters=report.parameters)
    return warning(
        Check.FIT,
        f"every tensor fits, at widths of the checkpoint's own: {count} instead of {report.card_parameters:,}; "
        f"{_difference(report.first_difference)}.",
        "Say these widths beside every figure: it is not the network of the card.",
        parameters=report.parameters,
        card_parameters=report.card_parameters,
        first_difference=report.first_difference.name,
    )


def numbers(report: WeightsReport) -> Finding:
    """Whether every weight is finite, the entropy coder's tables are filled, and no layer is in training mode."""
    check, state = Check.NUMBERS, report.state
    if state is WeightsState.NOT_FINITE:
        sentence = f"{_some(report.not_finite)} hold what is not a finite number."
        advice = "Training diverged, or the file is damaged: take an earlier checkpoint."
        return error(check, sentence, advice, state=state, names=report.not_finite)
    if state is WeightsState.EMPTY_TABLES:
        sentence = f"the entropy coder's tables are empty ({_some(report.empty_tables)})."
        advice = "Call the network's update(force=True) after its weights are loaded."
        return error(check, sentence, advice, state=state, names=report.empty_tables)
    if state is WeightsState.TRAINING_MODE:
        sentence = f"{_some(report.in_training)} would run as in training."
        advice = "Call eval() on the network after it is built, and keep it so."
        return error(check, sentence, advice, state=state, names=report.in_training)
    return passed(check, "every weight is a finite number, and the entropy coder's tables are filled.", state=state)


def _difference(found: ShapeDifference) -> str:
    card_shape = "not there" if found.card_shape is None else shape_text(found.card_shape)
    return f"{found.name} is {shape_text(found.shape)} instead of {card_shape}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
