"""The plan of a run: codecs and pictures in, jobs out. Nothing is loaded or measured here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lic_bench.assets import requirements
from lic_bench.benchmark import targets
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
    """The jobs of every codec, and notes on what is left out.

    A learned codec runs at the points that have a checkpoint, and one that loads its own weights at all of them. With
    none at all it runs untrained, once per network (points that differ in nothing but weights cost the same) and on the
    first picture of each shape. A codec whose requirements are missing is left out. `points` are labels or globs that
    narrow the choice. Raises RequestError when nothing is left.
    """
    jobs: list[Job] = []
    notes: list[PlanNote] = []
    template = Job("", "", Training.TRAINED, dataset, (), data, settings=settings)
    for card in cards:
        if lacks := requirements.missing(card):
            notes.append(PlanNote(NoteKind.NOT_INSTALLED, card.name, install=lacks))
            continue
        chosen = list(card.points) if targets.is_searched(card) else wanted(card, points)
        if not chosen:
            notes.append(PlanNote(NoteKind.NO_MATCHING_POINT, card.name, labels(card.points), tuple(points)))
            continue
        job = replace(template, codec=card.name, reference=card.reference, source_sha256=card.source_sha256)
        planned, left_out = _jobs(card, chosen, bool(points), pictures, checkpoints, job)
        jobs += planned
        notes += left_out
    if not jobs:
        raise RequestError(" ".join(["Nothing is left to be measured.", *texts(notes)]))
    return Plan(tuple(jobs), tuple(notes))


def texts(notes: Iterable[PlanNote]) -> list[str]:
    """Notes as sentences for people; notes of a kind in _SHARED share one."""
    notes = tuple(notes)
    sentences = [
        _TEXTS[note.kind].format(codec=note.codec, points=", ".join(note.points), asked=", ".join(note.asked))
        for note in notes
        if note.kind not in _SHARED
    ]
    if by_name := [note.codec for note in notes if note.kind is NoteKind.BY_NAME_ONLY]:
        sentences.append(_TEXTS[NoteKind.BY_NAME_ONLY].format(codecs=", ".join(by_name)))
    missing = [f"{note.codec} ({'; '.join(note.install)})" for note in notes if note.kind is NoteKind.NOT_INSTALLED]
    if missing:
        sentences.append(_TEXTS[NoteKind.NOT_INSTALLED].format(codecs=", ".join(missing)))
    untrained = [f"{note.codec} ({', '.join(note.points)})" for note in notes if note.kind is NoteKind.UNTRAINED]
    if untrained:
        sentences.append(_TEXTS[NoteKind.UNTRAINED].format(codecs=", ".join(untrained)))
    return sentences


_SHARED = (NoteKind.UNTRAINED, NoteKind.NOT_INSTALLED, NoteKind.BY_NAME_ONLY)

_TEXTS = {
    NoteKind.BY_NAME_ONLY: 'Not part of "all", being too slow or too large for most machines; name them: {codecs}.',
    NoteKind.NO_MATCHING_POINT: "{codec}: no operating point matches {asked}; it has {points}.",
    NoteKind.NO_WEIGHTS: "{codec}: no weights for {points}; not measured.",
    NoteKind.ESTIMATES_ONLY: "{codec}: it estimates rates and codes nothing; not run, only counted and audited.",
    NoteKind.NOT_INSTALLED: "Not measured, because something is missing: {codecs}.",
    NoteKind.UNTRAINED: (
        "Without weights, and so run untrained: complexity, memory and time only, one operating point per network, "
        "on the first picture of each shape; rate and distortion are not shown: {codecs}."
    ),
}


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
    chosen: Sequence[OperatingPoint],
    chosen_by_label: bool,
    pictures: Sequence[PictureRecord],
    checkpoints: Mapping[tuple[str, str], Checkpoint],
    template: Job,
) -> tuple[list[Job], list[PlanNote]]:
    """The jobs of one codec at the chosen points, and what is left out or changed of what was asked for."""
    if card.estimates_only:
        return [], [PlanNote(NoteKind.ESTIMATES_ONLY, card.name)]
    trained = replace(template, pictures=tuple(picture.name for picture in pictures))
    if not card.learned:
        return [replace(trained, point=p.label, training=Training.NOT_LEARNED) for p in chosen], []
    files = {p.label: checkpoints[card.name, p.label] for p in chosen if (card.name, p.label) in checkpoints}
    if files:
        jobs = [
            replace(trained, point=label, weights=file.path, weights_sha256=file.sha256)
            for label, file in files.items()
        ]
        without = tuple(p.label for p in chosen if p.label not in files)
        return jobs, [PlanNote(NoteKind.NO_WEIGHTS, card.name, without)] if without else []
    if card.trained:
        return [replace(trained, point=p.label) for p in chosen], []
    runs = chosen if chosen_by_label else _one_per_network(chosen)
    untrained = replace(template, training=Training.UNTRAINED, pictures=one_per_shape(pictures))
    return [replace(untrained, point=p.label) for p in runs], [PlanNote(NoteKind.UNTRAINED, card.name, labels(runs))]


def _one_per_network(points: Iterable[OperatingPoint]) -> list[OperatingPoint]:
    """The first operating point of each network."""
    first: dict[str, OperatingPoint] = {}
    for point in points:
        first.setdefault(point.network, point)
    return list(first.values())
