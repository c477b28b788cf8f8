"""Result files of other tools as published curves, or as a run folder of imported rows; never as measured figures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lic_bench import __version__
from lic_bench.analysis import curves, published
from lic_bench.analysis.curves import RDCurve, RDPoint, Source
from lic_bench.analysis.text_tables import TableError
from lic_bench.assets import datasets
from lic_bench.benchmark import run_folder
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.interchange import aliases, formats, result_points
from lic_bench.interchange.formats import ResultFile, ResultFormat, TrainingTarget
from lic_bench.interchange.result_points import ResultPoint
from lic_bench.records import ImportedFile, Measurement, Origin, PictureRecord, RunHeader, Settings, Status, Training
from lic_bench.registry import codecs

RATE_KINDS = ("stream", "payload", "estimated", "bitstream")


@dataclass(frozen=True)
class ImportOptions:
    """What the user says of the files. None or "" leaves it to the files."""

    dataset: str | None = None
    name: str = ""
    trained_for: str = ""
    citation: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Results:
    """The results of one file, or of the files of single pictures in one folder, under the file's or folder's name.

    `description` is what the file says of itself. `picture_count` is over how many pictures its means are, where the
    file or the data set says so.
    """

    name: str
    format: ResultFormat
    dataset: str
    points: tuple[ResultPoint, ...]
    trained_for: TrainingTarget
    rate_kind: str
    description: str
    picture_count: int | None
    files: tuple[ImportedFile, ...]

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Columns and facts of the files that are not taken over, each once."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.unused_columns))

    @property
    def has_sizes(self) -> bool:
        """Whether every point has what a row of a run needs."""
        return all(point.has_sizes for point in self.points)


def read(
    paths: Sequence[Path], options: ImportOptions, form: ResultFormat | None = None, columns: Sequence[str] = ()
) -> tuple[Results, ...]:
    """The results of files. Raises RequestError for a damaged or unknown file, and where the data set is not stated."""
    by_name: dict[str, Results] = {}
    for path in paths:
        file = formats.read(path, form, columns)
        found = _results(path, file, options)
        if found.name in by_name and not file.is_one_picture:
            raise RequestError(f"Two files are called {path.name}; they would be taken for one source.")
        by_name[found.name] = _joined(by_name[found.name], found) if found.name in by_name else found
    return tuple(by_name.values())


def as_curves(results: Sequence[Results], options: ImportOptions) -> tuple[RDCurve, ...]:
    """Published curves, one or more for each file; points of two files are never joined."""
    found: list[RDCurve] = []
    for one in results:
        unused = f"not taken over from the file: {', '.join(one.unused_columns)}" if one.unused_columns else ""
        source = Source(
            Origin.PUBLISHED,
            options.citation or ": ".join(filter(None, (one.name, one.description))),
            one.name,
            f"{one.format} file",
            licence=options.licence or None,
            note="; ".join(filter(None, (one.format.remark, unused))),
        )
        found += [_curve(codec, one, source) for codec in dict.fromkeys(point.codec for point in one.points)]
    return tuple(found)


def as_run(results: Sequence[Results], root: Path, command: tuple[str, ...]) -> Path:
    """A finished run folder of imported rows below `root`; its path.

    Raises RequestError for files without sizes, for several data sets, and for what a run cannot hold.
    """
    for one in results:
        if not one.has_sizes:
            raise RequestError(
                f"{one.name} does not give picture, width, height and bytes in every row, which a run needs; "
                "--as curve makes a published curve of it."
            )
        if one.trained_for in (TrainingTarget.MSE, TrainingTarget.MS_SSIM):
            raise RequestError("A run knows what a codec was trained for by its card; --trained-for is for --as curve.")
    names = sorted({one.dataset for one in results})
    if len(names) > 1:
        raise RequestError(f"A run is over one data set; these files are over {' and '.join(names)}.")
    rows = [_row(point, one) for one in results for point in one.points]
    twice = len(rows) - len({(row.codec, row.point, row.picture) for row in rows})
    if twice:
        raise RequestError(f"{twice} rows are in more than one of the files; import them one by one.")
    folder = run_folder.create(root, _header(results, rows, command))
    for row in rows:
        folder.append(row)
    folder.finish()
    return folder.path


def _results(path: Path, file: ResultFile, options: ImportOptions) -> Results:
    dataset = options.dataset or file.fact("dataset")
    if not dataset:
        raise RequestError(f"{path} does not say which pictures it is about; --dataset NAME does (kodak, ...).")
    try:
        points = result_points.read(file, options.name or file.fact("codec") or file.fact("name") or path.stem)
    except TableError as error:
        raise RequestError(f"{path}, read as {file.format}: {error}.") from error
    if file.is_one_picture:
        label = path.stem.removeprefix(f"{file.fact('source')}-")
        points = tuple(replace(point, label=label) for point in points)
    target = options.trained_for or file.fact("trained_for") or TrainingTarget.UNKNOWN
    if target not in list(TrainingTarget):
        raise RequestError(f"{target!r} is nothing a codec is trained for; there is {', '.join(TrainingTarget)}.")
    count, description = file.fact("pictures"), file.fact("description")
    imported = ImportedFile(
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        file.format,
        options.citation,
        options.licence or None,
        tuple(filter(None, (description.rstrip("."), file.format.remark))),
        result_points.unused_columns(file),
    )
    return Results(
        name=f"{path.resolve().parent.name}/" if file.is_one_picture else path.name,
        format=file.format,
        dataset=dataset,
        points=_with_names_of_dataset(points, dataset, path),
        trained_for=TrainingTarget(target),
        rate_kind=_rate_kind(file),
        description=description,
        picture_count=int(count) if count.isdecimal() else published.PICTURES.get(dataset),
        files=(imported,),
    )


def _joined(one: Results, other: Results) -> Results:
    """Two files of single pictures as one source."""
    if (one.dataset, one.trained_for, one.rate_kind) != (other.dataset, other.trained_for, other.rate_kind):
        raise RequestError(f"The files of single pictures in {one.name} are not of one kind; import them one by one.")
    there = {(point.codec, point.label, point.picture) for point in one.points}
    for point in other.points:
        if (point.codec, point.label, point.picture) in there:
            raise RequestError(f"{point.picture} comes twice at {point.label} of {point.codec}.")
    return replace(one, points=(*one.points, *other.points), files=(*one.files, *other.files))


def _curve(codec: str, one: Results, source: Source) -> RDCurve:
    points = [point for point in one.points if point.codec == codec]
    target = None if one.trained_for is TrainingTarget.NONE else one.trained_for.value
    if points[0].picture is None:
        by_rate = curves.by_rate([_rd_point(point) for point in points])
        count = one.picture_count
        return RDCurve(codec, codec, one.dataset, target, by_rate, one.rate_kind, source, picture_count=count)
    by_label: dict[str, dict[str, RDPoint]] = {}
    for point in points:
        by_label.setdefault(point.label, {})[point.picture or ""] = _rd_point(point)
    return curves.over_pictures(codec, codec, one.dataset, target, by_label, one.rate_kind, source)


def _rd_point(point: ResultPoint) -> RDPoint:
    return RDPoint(point.label, point.bpp, point.psnr_db, point.ms_ssim, point.lpips)


def _row(point: ResultPoint, one: Results) -> Measurement:
    known = point.codec in codecs.names()
    learned = one.trained_for is not TrainingTarget.NONE and (not known or codecs.get(point.codec).learned)
    return Measurement(
        codec=point.codec,
        point=point.label,
        training=Training.TRAINED if learned else Training.NOT_LEARNED,
        dataset=one.dataset,
        picture=point.picture or "",
        picture_sha256="",
        width=point.width or 0,
        height=point.height or 0,
        stream_bytes=point.stream_bytes or 0,
        payload_bits=None,
        estimated_bits=None,
        psnr_db=point.psnr_db,
        ms_ssim=point.ms_ssim,
        encode_seconds=(),
        decode_seconds=(),
        device="unknown",
        threads=0,
        caveats=(Caveat.LOSSLESS,) if point.psnr_db == float("inf") else (),
        status=Status.IMPORTED,
    )


def _header(results: Sequence[Results], rows: Sequence[Measurement], command: tuple[str, ...]) -> RunHeader:
    pictures = {row.picture: PictureRecord(row.picture, row.width, row.height, "") for row in rows}
    for row in rows:
        if (row.width, row.height) != (pictures[row.picture].width, pictures[row.picture].height):
            raise RequestError(f"{row.picture} has two sizes in these files; it cannot be one picture.")
    known = [name for name in dict.fromkeys(row.codec for row in rows) if name in codecs.names()]
    return RunHeader(
        started=run_folder.now(),
        command=command,
        lic_bench=__version__,
        commit=None,
        dirty=None,
        machine={"processor": "unknown: imported figures"},
        packages={},
        settings=Settings(device="unknown", threads=0, timing_repeats=0, memory=False, macs=False),
        dataset=results[0].dataset,
        pictures=tuple(pictures.values()),
        jobs=(),
        cards=tuple(codecs.get(name).summary(codecs.names().index(name)) for name in known),
        imported_from=tuple(file for one in results for file in _files_of_run(one)),
    )


def _files_of_run(one: Results) -> tuple[ImportedFile, ...]:
    """The files of some results, with what a run's rows do not hold among the unused."""
    lpips = ("lpips",) if any(point.lpips is not None for point in one.points) else ()
    return tuple(replace(file, unused_columns=(*file.unused_columns, *lpips)) for file in one.files)


def _rate_kind(file: ResultFile) -> str:
    """Which bits were counted: as files written here name it, or by CompressAI's fixed descriptions."""
    if file.fact("rate") in RATE_KINDS:
        return file.fact("rate")
    return aliases.COMPRESSAI_RATES.get(file.fact("description"), "unknown")


def _with_names_of_dataset(points: Sequence[ResultPoint], dataset: str, path: Path) -> tuple[ResultPoint, ...]:
    """The points with their pictures named as in the data set. RequestError for a picture of another size."""
    described = datasets.description(dataset).pictures if dataset in datasets.names() else ()
    known = {name: picture for picture in described for name in (picture.name, picture.file)}
    renamed = []
    for point in points:
        picture = known.get(point.picture or "")
        size = point.width, point.height
        if picture and picture.size and None not in size and size != picture.size:
            raise RequestError(
                f"{path} says that {point.picture} is {size[0]}x{size[1]}; in {dataset} it is "
                f"{picture.size[0]}x{picture.size[1]}. It is about other pictures."
            )
        renamed.append(replace(point, picture=picture.name) if picture else point)
    return tuple(renamed)
