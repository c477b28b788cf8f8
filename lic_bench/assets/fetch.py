"""Downloads checkpoints on request; for those that no program can read, says how a person gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lic_bench.assets import lock_file, weights
from lic_bench.assets.download import Progress, cache_folder
from lic_bench.assets.weights import Found, Lack, Missing, Place
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.errors import FetchError, WeightsError


class FetchOutcome(StrEnum):
    """What became of one checkpoint."""

    DOWNLOADED = "downloaded"
    PRESENT = "present"  # it was there already, and is the right file
    NOT_FETCHED = "not_fetched"  # there is none, or no program can get it
    FAILED = "failed"


@dataclass(frozen=True)
class Fetched:
    """What became of one operating point's checkpoint.

    `found` is the file that is there, `missing` says why there is none. `reason` is what failed, a sentence; then
    `page` and `path` say where a person gets the file and where to put it ("" and None where that is not known).
    `published_sha256` says whether the file was compared with a published sha256; where not, `first_seen_day` is the
    day of its entry in `lock_path`.
    """

    codec: str
    point: str
    outcome: FetchOutcome
    found: Found | None = None
    missing: Missing | None = None
    reason: str = ""
    page: str = ""
    path: Path | None = None
    published_sha256: bool = False
    lock_path: Path | None = None
    first_seen_day: str = ""

    @property
    def failed(self) -> bool:
        """Whether a file should be here and is not, or is another one."""
        return self.outcome is FetchOutcome.FAILED


def fetch_all(
    wanted: Iterable[tuple[CodecCard, OperatingPoint]],
    cache: Path | None = None,
    progress_for: Callable[[str], Progress | None] = lambda _: None,
) -> Iterator[Fetched]:
    """Download the checkpoint of each operating point into the cache, where it is not yet and can be.

    `progress_for` gives the progress to report to for a file of this name. A checkpoint that fails does not stop the
    others.
    """
    cache = cache_folder() if cache is None else cache
    for card, point in wanted:
        yield _fetch(card, point, cache, progress_for)


def text(fetched: Fetched) -> str:
    """The outcome as a sentence."""
    if fetched.missing is not None:
        return f"{weights.text(fetched.missing)}."
    if fetched.found is None:
        by_hand = f" Or get it from {fetched.page} and put the file at {fetched.path}." if fetched.page else ""
        return f"{fetched.outcome}: {fetched.reason}{by_hand}"
    proof = f"sha256 {fetched.found.sha256}"
    if fetched.published_sha256:
        proof += " as published"
    elif fetched.lock_path is not None:
        day = f", first seen {fetched.first_seen_day}" if fetched.first_seen_day else ""
        proof += f"; nobody published one, so it is kept in {fetched.lock_path}{day}"
    return f"{fetched.outcome}: {fetched.found.path}, {proof}."


def _fetch(
    card: CodecCard, point: OperatingPoint, cache: Path, progress_for: Callable[[str], Progress | None]
) -> Fetched:
    """One checkpoint, downloaded where it is missing and downloadable."""
    before = weights.find(card, point, (), cache)
    if isinstance(before, Missing) and before.lack is not Lack.DOWNLOADABLE:
        return Fetched(card.name, point.label, FetchOutcome.NOT_FETCHED, missing=before)
    try:
        found = weights.obtain(card, point, (), cache, progress=progress_for(f"{card.name} {point.label}"))
    except WeightsError as error:
        return Fetched(card.name, point.label, FetchOutcome.FAILED, reason=str(error))
    except FetchError as error:
        page, path = (point.weights and point.weights.page) or "", before.path
        return Fetched(card.name, point.label, FetchOutcome.FAILED, reason=str(error), page=page, path=path)
    outcome = FetchOutcome.DOWNLOADED if isinstance(before, Missing) else FetchOutcome.PRESENT
    published = point.weights is not None and point.weights.sha256 is not None
    if published or point.weights is None or found.place is Place.GIVEN:
        return Fetched(card.name, point.label, outcome, found, published_sha256=published)
    folder = cache / weights.FOLDER
    first = lock_file.entry(folder, point.weights.file)
    return Fetched(
        card.name, point.label, outcome, found,
        lock_path=folder / lock_file.NAME, first_seen_day="" if first is None else first.day,
    )  # fmt: skip
