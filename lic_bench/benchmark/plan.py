"""What is to be done: codecs and pictures in, jobs out. Decides only; nothing is loaded or measured here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lic_bench.codec import CodecCard, OperatingPoint, labels
from lic_bench.errors import RequestError
from lic_bench.records import Job, Measurement, NoteKind, PictureRecord, PlanNote, Row, Settings, Training


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds an operating point's weights, and its sha256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Plan:
    """The jobs of a run, and notes on whatever was asked for and is not among them."""

    jobs: tuple[Job, ...]
    notes: tuple[PlanNote, ...]

    @property
    def rows(self) -> int:
        """How many rows the jobs will make if nothing fails."""
        return sum(len(job.pictures) for job in self.jobs)


def plan(
    cards: Sequence[CodecCard],
    pictures: Sequence[PictureRecord],
    dataset: str,
    checkpoints: Mapping[tuple[str, str], Checkpoint],
    settings: Settings,
    points: Collection[str] = (),
    data: str | None = None,
) -> Plan:
    """Jobs for every codec.

    A learned codec runs at the points that have a checkpoint, and one that loads its own weights at all of them. With
    none at all it runs untrained, once per network (points that differ in nothing but weights cost the same) and on the
    first picture of each shape. `points` are labels or globs that narrow the choice. Raises RequestError when they
    match nothing.
    """
    jobs: list[Job] = []
    notes: list[PlanNote] = []
    blank = Job("", "", Training.TRAINED, dataset, (), data, settings=settings)
    for card in cards:
        chosen = wanted(card, points)
        if not chosen:
            notes.append(PlanNote(NoteKind.NO_MATCHING_POINT, card.name, labels(card.points)))
            continue
        named = replace(blank, codec=card.name, reference=card.reference, source_sha256=card.source_sha256)
        planned, left_out = _jobs(card, chosen, bool(points), pictures, checkpoints, named)
        jobs += planned
        notes += left_out
    if not jobs:
        raise RequestError(" ".join(["Nothing is left to be measured.", *texts(notes)]))
    return Plan(tuple(jobs), tuple(notes))


def texts(notes: Iterable[PlanNote]) -> list[str]:
    """Notes as sentences for people; the untrained codecs share one."""
    notes = list(notes)
    said = []
    for note in notes:
        points = ", ".join(note.points)
        if note.kind is NoteKind.NO_MATCHING_POINT:
            said.append(f"{note.codec}: no operating point matches what was asked for; it has {points}.")
        elif note.kind is NoteKind.NO_WEIGHTS:
            said.append(f"{note.codec}: no weights for {points}; not measured.")
        elif note.kind is NoteKind.ESTIMATES_ONLY:
            said.append(f"{note.codec}: it estimates rates and codes nothing; not run, only counted and audited.")
    untrained = [f"{note.codec} ({', '.join(note.points)})" for note in notes if note.kind is NoteKind.UNTRAINED]
    if untrained:
        said.append(
            "Without weights, and so run untrained: complexity, memory and time only, one operating point per network, "
            f"on the first picture of each shape; rate and distortion are not shown: {', '.join(untrained)}."
        )
    return said


def wanted(card: CodecCard, points: Collection[str]) -> list[OperatingPoint]:
    """The operating points of a codec that match some label or glob; all of them where none is given."""
    return [p for p in card.points if not points or any(fnmatchcase(p.label, pattern) for pattern in points)]


def still_to_do(jobs: Iterable[Job], rows: Iterable[Row]) -> tuple[Job, ...]:
    """The jobs with the pictures that have no measurement yet; what failed before is tried again."""
    done = {(row.codec, row.point, row.picture) for row in rows if isinstance(row, Measurement)}
    left = (
        replace(job, pictures=tuple(name for name in job.pictures if (job.codec, job.point, name) not in done))
        for job in jobs
    )
    return tuple(job for job in left if job.pictures)


def one_per_shape(pictures: Iterable[PictureRecord]) -> tuple[str, ...]:
    """The first picture of each width and height."""
    first: dict[tuple[int, int], str] = {}
    for picture in pictures:
        first.setdefault((picture.width, picture.height), picture.name)
    return tuple(first.values())


def _jobs(
    card: CodecCard,
    wanted: Sequence[OperatingPoint],
    by_hand: bool,
    pictures: Sequence[PictureRecord],
    checkpoints: Mapping[tuple[str, str], Checkpoint],
    blank: Job,
) -> tuple[list[Job], list[PlanNote]]:
    """The jobs of one codec, and what is left out or changed of what was asked for."""
    every = tuple(picture.name for picture in pictures)
    if card.estimates_only:
        return [], [PlanNote(NoteKind.ESTIMATES_ONLY, card.name)]
    if not card.learned:
        return [replace(blank, point=p.label, training=Training.NOT_LEARNED, pictures=every) for p in wanted], []
    found = [(p, checkpoints[card.name, p.label]) for p in wanted if (card.name, p.label) in checkpoints]
    if card.trained and not found:
        return [replace(blank, point=p.label, pictures=every) for p in wanted], []
    if found:
        jobs = [
            replace(blank, point=p.label, pictures=every, weights=file.path, weights_sha256=file.sha256)
            for p, file in found
        ]
        without = tuple(p.label for p in wanted if (card.name, p.label) not in checkpoints)
        return jobs, [PlanNote(NoteKind.NO_WEIGHTS, card.name, without)] if without else []
    networks = list({p.network: p for p in reversed(wanted)}.values())[::-1]
    runs = wanted if by_hand else networks
    untrained = replace(blank, training=Training.UNTRAINED, pictures=one_per_shape(pictures))
    jobs = [replace(untrained, point=p.label) for p in runs]
    return jobs, [PlanNote(NoteKind.UNTRAINED, card.name, tuple(p.label for p in runs))]
