"""Foreign files -> published curves, or a run folder of imported rows. Nothing of either passes for measured here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lic_bench import __version__
from lic_bench.analysis import curves, published
from lic_bench.analysis.curves import RDCurve, RDPoint, Source
from lic_bench.assets import datasets
from lic_bench.benchmark import run_folder
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.interchange import formats
from lic_bench.interchange.entries import Entry, entries, left_out
from lic_bench.interchange.sheet import Format, Sheet, SheetError
from lic_bench.records import ImportedFile, Measurement, Origin, PictureRecord, RunHeader, Settings, Status, Training
from lic_bench.registry import codecs

RATES = ("stream", "payload", "estimated", "bitstream")
TARGETS = ("mse", "ms-ssim", "none", "unknown")


@dataclass(frozen=True)
class Asked:
    """What the user says of the files, where they do not say it themselves. None or "" leaves it to the file."""

    dataset: str | None = None
    name: str = ""
    trained_for: str = ""
    citation: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Taken:
    """What was taken over from one file (or from one folder of single pictures), under its name.

    `left_out` names what no curve and no run holds; `about` is what the file says of itself. `picture_count` is over
    how many pictures its means are, where the file or the data set tells.
    """

    file: str
    form: Format
    dataset: str
    entries: tuple[Entry, ...]
    trained_for: str
    rate: str
    about: str
    picture_count: int | None
    left_out: tuple[str, ...]
    fingerprints: tuple[tuple[str, str], ...]

    @property
    def weighed(self) -> bool:
        """Whether every entry has what a row of a run needs."""
        return all(entry.weighed for entry in self.entries)


def take(
    paths: Sequence[Path], asked: Asked, form: str | None = None, columns: tuple[str, ...] = ()
) -> tuple[Taken, ...]:
    """Read files. RequestError for one that is damaged or unknown, and where nobody says the data set."""
    found = [_taken(path, *formats.read(path, form, columns), asked) for path in paths]
    joined: dict[str, Taken] = {}
    for path, one in zip(paths, found, strict=True):
        if one.file not in joined:
            joined[one.file] = one
        elif one.file == path.name:
            raise RequestError(f"Two files are called {path.name}; they would be taken for one source.")
        else:
            joined[one.file] = _join(joined[one.file], one)
    return tuple(joined.values())


def as_curves(taken: Sequence[Taken], asked: Asked) -> tuple[RDCurve, ...]:
    """Published curves, one or more for each file; points of two files are never joined."""
    found: list[RDCurve] = []
    for one in taken:
        note = "; ".join(filter(None, (*one.form.notes, _not_taken(one))))
        source = Source(
            Origin.PUBLISHED,
            asked.citation or one.about,
            one.file,
            f"{one.form.name} file",
            licence=asked.licence or None,
            note=note,
        )
        for codec in dict.fromkeys(entry.codec for entry in one.entries):
            found.append(_curve(codec, one, source))
    return tuple(found)


def as_run(taken: Sequence[Taken], asked: Asked, root: Path, command: tuple[str, ...]) -> Path:
    """A run folder of imported rows below `root`, finished; its path.

    Raises RequestError for files without sizes, for several data sets, and for what a run cannot hold.
    """
    for one in taken:
        if not one.weighed:
            raise RequestError(
                f"{one.file} does not give picture, width, height and bytes in every row, which a run needs; "
                "--as curve makes a published curve of it."
            )
        if one.trained_for in ("mse", "ms-ssim"):
            raise RequestError("A run knows what a codec was trained for by its card; --trained-for is for --as curve.")
    names = sorted({one.dataset for one in taken})
    if len(names) > 1:
        raise RequestError(f"A run is over one data set; these files are over {' and '.join(names)}.")
    rows = [_row(entry, one) for one in taken for entry in one.entries]
    twice = len(rows) - len({(row.codec, row.point, row.picture) for row in rows})
    if twice:
        raise RequestError(f"{twice} rows are in more than one of the files; import them one by one.")
    folder = run_folder.create(root, _header(taken, names[0], rows, asked, command))
    for row in rows:
        folder.append(row)
    folder.finish()
    return folder.path


def _taken(path: Path, form: Format, sheet: Sheet, asked: Asked) -> Taken:
    single = sheet.layout == "single"
    told = {name: str(fact) for name, fact in sheet.facts.items() if isinstance(fact, str | int)}
    dataset = asked.dataset or told.get("dataset", "")
    if not dataset:
        raise RequestError(f"{path} does not say which pictures it is about; --dataset NAME does (kodak, ...).")
    try:
        found = entries(sheet, asked.name or told.get("codec") or told.get("name") or path.stem)
    except SheetError as error:
        raise RequestError(f"{path}, read as {form.name}: {error}.") from error
    found = tuple(_pictured(one, dataset, path) for one in found)
    if single:
        picture = told.get("source", "")
        label = path.stem.removeprefix(f"{picture}-")
        found = tuple(replace(one, label=label) for one in found)
    target = asked.trained_for or told.get("trained_for") or "unknown"
    if target not in TARGETS:
        raise RequestError(f"{target!r} is nothing a codec is trained for; there is {', '.join(TARGETS)}.")
    about = ": ".join(dict.fromkeys(filter(None, (path.name, told.get("description", "")))))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Taken(
        file=f"{path.resolve().parent.name}/" if single else path.name,
        form=form,
        dataset=dataset,
        entries=found,
        trained_for=target,
        rate=_rate(told),
        about=about,
        picture_count=int(told["pictures"])
        if told.get("pictures", "").isdecimal()
        else published.PICTURES.get(dataset),
        left_out=left_out(sheet),
        fingerprints=((path.name, digest),),
    )


def _join(one: Taken, other: Taken) -> Taken:
    """Two files of single pictures as one source."""
    if (one.dataset, one.trained_for, one.rate) != (other.dataset, other.trained_for, other.rate):
        raise RequestError(f"The files of single pictures in {one.file} are not of one kind; import them one by one.")
    keys = {(entry.codec, entry.label, entry.picture) for entry in one.entries}
    for entry in other.entries:
        if (entry.codec, entry.label, entry.picture) in keys:
            raise RequestError(f"{entry.picture} comes twice at {entry.label} of {entry.codec}.")
    lost = tuple(dict.fromkeys((*one.left_out, *other.left_out)))
    prints = (*one.fingerprints, *other.fingerprints)
    return replace(
        one, entries=(*one.entries, *other.entries), about=f"{one.file}*", left_out=lost, fingerprints=prints
    )


def _curve(codec: str, one: Taken, source: Source) -> RDCurve:
    some = [entry for entry in one.entries if entry.codec == codec]
    target = None if one.trained_for == "none" else one.trained_for
    if some[0].picture is None:
        points = [_point(entry) for entry in some]
        return RDCurve(
            codec, codec, one.dataset, target, curves.by_rate(points), one.rate, source, picture_count=one.picture_count
        )
    pictured: dict[str, dict[str, RDPoint]] = {}
    for entry in some:
        pictured.setdefault(entry.label, {})[entry.picture or ""] = _point(entry)
    return curves.over_pictures(codec, codec, one.dataset, target, pictured, one.rate, source)


def _point(entry: Entry) -> RDPoint:
    return RDPoint(entry.label, entry.bpp, entry.psnr_db, entry.ms_ssim, entry.lpips)


def _row(entry: Entry, one: Taken) -> Measurement:
    learned = one.trained_for != "none" and (entry.codec not in codecs.names() or codecs.get(entry.codec).learned)
    return Measurement(
        codec=entry.codec,
        point=entry.label,
        training=Training.TRAINED if learned else Training.NOT_LEARNED,
        dataset=one.dataset,
        picture=entry.picture or "",
        picture_sha256="",
        width=entry.width or 0,
        height=entry.height or 0,
        stream_bytes=entry.stream_bytes or 0,
        payload_bits=None,
        estimated_bits=None,
        psnr_db=entry.psnr_db,
        ms_ssim=entry.ms_ssim,
        encode_seconds=(),
        decode_seconds=(),
        device="unknown",
        threads=0,
        caveats=(Caveat.LOSSLESS,) if entry.psnr_db == float("inf") else (),
        status=Status.IMPORTED,
    )


def _header(
    taken: Sequence[Taken], dataset: str, rows: Sequence[Measurement], asked: Asked, command: tuple[str, ...]
) -> RunHeader:
    pictures = {row.picture: PictureRecord(row.picture, row.width, row.height, "") for row in rows}
    for row in rows:
        if (row.width, row.height) != (pictures[row.picture].width, pictures[row.picture].height):
            raise RequestError(f"{row.picture} has two sizes in these files; it cannot be one picture.")
    return RunHeader(
        started=run_folder.now(),
        command=command,
        lic_bench=__version__,
        commit=None,
        dirty=None,
        machine={"processor": "unknown: imported figures"},
        packages={},
        settings=Settings(device="unknown", threads=0, timing_repeats=0, memory=False, macs=False),
        dataset=dataset,
        pictures=tuple(pictures.values()),
        jobs=(),
        cards=tuple(
            codecs.get(name).summary(codecs.names().index(name))
            for name in dict.fromkeys(row.codec for row in rows)
            if name in codecs.names()
        ),
        imported_from=tuple(_imported(one, asked, *each) for one in taken for each in one.fingerprints),
    )


def _imported(one: Taken, asked: Asked, name: str, sha256: str) -> ImportedFile:
    lpips = ("lpips",) if any(entry.lpips is not None for entry in one.entries) else ()
    remarks = tuple(filter(None, (one.about, *one.form.notes)))
    return ImportedFile(
        name, sha256, one.form.name, asked.citation or "", asked.licence, remarks, (*one.left_out, *lpips)
    )


def _rate(told: dict[str, str]) -> str:
    """Which bits were counted, where the file says it: ours by name, CompressAI's `eval_model` by its description.

    `eval_model` adds up likelihoods, or the lengths of the entropy-coded strings, which is the payload.
    """
    if told.get("rate") in RATES:
        return told["rate"]
    description = told.get("description", "")
    if re.fullmatch(r"Inference \(entropy[ -]estimation\)", description):
        return "estimated"
    return "payload" if re.fullmatch(r"Inference \((ans|rangecoder)\)", description) else "unknown"


def _pictured(entry: Entry, dataset: str, path: Path) -> Entry:
    """The entry with its picture called as in the data set. RequestError where it is not that picture's size."""
    for name, file, size in _described(dataset):
        if entry.picture in (name, file):
            told = entry.width, entry.height
            if None not in told and told != size:
                raise RequestError(
                    f"{path} says that {entry.picture} is {told[0]}x{told[1]}; in {dataset} it is {size[0]}x{size[1]}. "
                    "It is about other pictures."
                )
            return replace(entry, picture=name)
    return entry


@cache
def _described(dataset: str) -> tuple[tuple[str, str, tuple[int, int]], ...]:
    """Name, file and size of each picture of a described data set; nothing for another."""
    if dataset not in datasets.names():
        return ()
    some = datasets.description(dataset)["picture"]
    return tuple((one["name"], one.get("file", one["name"]), (one["width"], one["height"])) for one in some)


def _not_taken(one: Taken) -> str:
    return f"not taken over from the file: {', '.join(one.left_out)}" if one.left_out else ""
