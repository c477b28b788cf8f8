"""The data types of runs: frozen, plain, with units in their names.

Nothing is stored that can be derived: bits per pixel come from bytes and pixels, medians from raw samples.
The records know nothing of files, codecs or pages: `benchmark.run_folder` writes them, `report` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from lic_bench.caveats import Caveat

FORMAT = 2
"""The number of the run folder's format; folders of any other number are refused."""

EVERY = "*"
"""Stands for all codecs or all operating points in a failure that concerns them all, such as an unreadable picture."""


class Origin(StrEnum):
    """How a figure was obtained. A figure without one is a bug."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    PUBLISHED = "published"
    DIGITISED = "digitised"


class Training(StrEnum):
    """What a codec's rate and distortion are worth."""

    TRAINED = "trained"
    UNTRAINED = "untrained"
    NOT_LEARNED = "not learned"


class Status(StrEnum):
    """What a row of a run is: measured here, imported from somebody else's file, or a failure."""

    MEASURED = "measured"
    IMPORTED = "imported"
    FAILED = "failed"


class FailureKind(StrEnum):
    """What failed. A failed metric leaves the measurement itself standing."""

    LOOKUP = "lookup"  # the codec's card, data set or metric cannot be found or imported
    READ = "read"  # a picture is no picture
    LOAD = "load"  # the codec cannot be built
    MEASURE = "measure"  # encoding, decoding or scoring
    FRESH_PROCESS = "fresh_process"  # the memory pass in a process of its own
    PROCESS = "process"  # the process ended or was stopped
    METRIC = "metric"
    EXECUTOR = "executor"  # the executor gave no row


class AgreementKind(StrEnum):
    """How two decodings of one picture compare."""

    EXACT = "exact"
    OTHER_STREAM = "other_stream"  # the same picture from another bitstream
    PIXELS_DIFFER = "pixels_differ"
    SIZE_DIFFERS = "size_differs"
    FAILED = "failed"  # the other decoder gave no picture


@dataclass(frozen=True)
class Agreement:
    """How two decodings of one picture compare; `largest` is the largest difference of a sample, 0 to 255."""

    kind: AgreementKind
    largest: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether both pictures and both bitstreams are equal."""
        return self.kind is AgreementKind.EXACT

    @property
    def text(self) -> str:
        """The agreement as shown to people."""
        return {
            AgreementKind.EXACT: "exact",
            AgreementKind.OTHER_STREAM: "same picture from another bitstream",
            AgreementKind.PIXELS_DIFFER: f"differs by up to {self.largest} of 255",
            AgreementKind.SIZE_DIFFERS: "another size",
            AgreementKind.FAILED: "not decoded",
        }[self.kind]


class NoteKind(StrEnum):
    """What a plan leaves out or changes of what was asked for."""

    NO_MATCHING_POINT = "no_matching_point"
    ESTIMATES_ONLY = "estimates_only"
    NO_WEIGHTS = "no_weights"
    UNTRAINED = "untrained"
    NOT_INSTALLED = "not_installed"
    BY_NAME_ONLY = "by_name_only"


@dataclass(frozen=True)
class PlanNote:
    """One thing that a plan leaves out or changes: of which codec, at which operating points (labels).

    `asked` are the labels and globs that match no operating point, where that is the reason; `install` says how to get
    what is missing.
    """

    kind: NoteKind
    codec: str
    points: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    install: tuple[str, ...] = ()


@dataclass(frozen=True)
class CurveId:
    """A published curve: rows of `rd_points.csv` with this codec, source and training target."""

    codec: str
    source_id: str
    optimised_for: str = "mse"


class Call(StrEnum):
    """What of a learned codec is counted: the network called once, or what coding really runs."""

    FORWARD = "forward"
    ENCODE = "encode"
    DECODE = "decode"


@dataclass(frozen=True)
class Settings:
    """How measurements are taken; part of every job and of the run's header. The defaults stand here alone.

    `device` is "cpu", "cuda" or "auto" (CUDA where there is one). `timing_budget_seconds` is per operating point and
    picture shape. `metrics` says how those beside PSNR and MS-SSIM are found: by name, "module:NAME" or
    "file.py:NAME". `vtm_bin` is the folder of VTM's programs, where they are not on PATH.
    """

    device: str = "auto"
    threads: int = 1
    timing_repeats: int = 5
    timing_budget_seconds: float = 10.0
    memory: bool = True
    macs: bool = True
    metrics: tuple[str, ...] = ()
    vtm_bin: str | None = None


class Pass(StrEnum):
    """What a job spends time on. SCORE is what it waits for metrics, some of which are computed beside other passes."""

    LOAD = "load"
    FRESH_PROCESS = "fresh_process"
    READ = "read"
    COUNT = "count"
    CODE = "code"
    ESTIMATE = "estimate"
    SCORE = "score"
    TIME = "time"


@dataclass(frozen=True)
class Job:
    """One operating point of one codec on some pictures: names and numbers only, so that it can travel.

    `weights` is a checkpoint's path, or None for classical and untrained codecs; `data` is the folder that holds the
    data set. `reference` is where the codec's card or class stands ("module:NAME", "/path/file.py:NAME"), so that any
    process finds it. `source_sha256` is a digest of a user-supplied codec's source, "" for codecs of this package.
    """

    codec: str
    point: str
    training: Training
    dataset: str
    pictures: tuple[str, ...]
    data: str | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    reference: str = ""
    source_sha256: str = ""
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class MacCount:
    """Multiply-accumulates of one call on one picture size.

    `by_part` adds up to `macs`. `non_mac_ops` holds element-wise work, normalisation, softmax, interpolation and FFT
    as operations by kind: never part of `macs`. `uncounted` names operators that are neither counted nor known to be
    free: with any of them the figure is a lower bound. `activation_bytes` is the most memory taken at one time by
    what the call makes (weights and inputs not included). `serial_steps` is how often a decoder waits for its entropy
    coder, None for other calls and where it is not known. `redundant_macs` are counted, because the authors' code makes
    them, and left out by the code here, which gets the same results without. `fallback_reason` says why a network was
    run to be counted, "" for one counted on the meta device.
    """

    call: Call
    width: int
    height: int
    macs: int
    by_part: Mapping[str, int]
    by_operator: Mapping[str, int] = field(default_factory=dict)
    by_layer: Mapping[str, int] = field(default_factory=dict)
    non_mac_ops: Mapping[str, int] = field(default_factory=dict)
    uncounted: Mapping[str, int] = field(default_factory=dict)
    origin: Origin = Origin.PREDICTED
    padded_width: int = 0
    padded_height: int = 0
    activation_bytes: int | None = None
    serial_steps: int | None = None
    redundant_macs: int = 0
    fallback_reason: str = ""

    @property
    def kmac_per_pixel(self) -> float:
        """Thousand MAC per pixel of the picture as given (not padded)."""
        return self.macs / (self.width * self.height) / 1000

    @property
    def executed_macs(self) -> int:
        """The MACs that the code here executes, which times are compared with."""
        return self.macs - self.redundant_macs

    @property
    def is_lower_bound(self) -> bool:
        """Whether some operator was not counted."""
        return bool(self.uncounted)


@dataclass(frozen=True)
class MemoryUse:
    """Peak memory of one call in a fresh process. Host and device columns are never mixed.

    `host_above_loaded_bytes` is the peak resident size less the size after loading; the device columns are the
    allocator's peak above the loaded model, its peak in all, and what was reserved.
    """

    call: Call
    host_loaded_bytes: int
    host_above_loaded_bytes: int
    device_above_loaded_bytes: int | None = None
    device_allocated_bytes: int | None = None
    device_reserved_bytes: int | None = None


@dataclass(frozen=True)
class ExternalProgram:
    """The programs outside this process that coded a picture, exactly as they were called.

    `encoder` and `decoder` are command lines, run in an empty folder that holds the picture's samples or the bitstream.
    `version` is the encoder's line about itself. `configuration` is the path of its configuration file, "" where it
    takes none. `colour_path` names how RGB became the samples.
    """

    encoder: tuple[str, ...]
    decoder: tuple[str, ...]
    version: str
    configuration: str = ""
    configuration_sha256: str = ""
    colour_path: str = ""


@dataclass(frozen=True)
class Coding:
    """How a bitstream was made beyond what its operating point says.

    `quality` is what a search for a target chose, None where nothing was searched for.
    """

    quality: int | None = None
    program: ExternalProgram | None = None


@dataclass(frozen=True)
class Measurement:
    """The row of one codec at one operating point on one picture: everything measured.

    `psnr_db` is infinite for a lossless picture. Scores and estimated bits are None where they do not exist: always
    for untrained networks, whose rate and distortion mean nothing. `payload_bits` is None where others measured and
    gave none. `fresh_process` is how fresh processes agree with this one, None where that was not tried. `scaling`
    holds counts at larger picture sizes, on the first row of an operating point only. `calibration_seconds` is how long
    the calibration workload took right after each timed pass: how fast the machine was at that moment. `channel_mse` is
    3 x 3: the mean squared error between the original's channel i and the decoded picture's channel j; empty without
    scores. `scores` are those of further metrics by name, None where one does not apply or failed; empty for untrained
    networks. `coding` says how the bitstream was made, None where the operating point says it all. `pass_seconds` is
    the wall time of each pass for this row; those of the whole job stand in its first row. `from_cache` names the
    earlier run that measured the row, "" for one measured in its own run. `status` is
    "measured", or "imported" for figures that others measured elsewhere.
    """

    # JSON has no infinity; a lossless PSNR is written as the string "Infinity".
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "strings"}

    codec: str
    point: str
    training: Training
    dataset: str
    picture: str
    picture_sha256: str
    width: int
    height: int
    stream_bytes: int
    payload_bits: int | None
    estimated_bits: float | None
    psnr_db: float | None
    ms_ssim: float | None
    encode_seconds: tuple[float, ...]
    decode_seconds: tuple[float, ...]
    encode_cpu_seconds: tuple[float, ...] = ()
    decode_cpu_seconds: tuple[float, ...] = ()
    calibration_seconds: tuple[float, ...] = ()
    calibration_cpu_seconds: tuple[float, ...] = ()
    device: str = "cpu"
    threads: int = 1
    parameters: int | None = None
    weights_sha256: str | None = None
    decoded_sha256: str | None = None
    channel_mse: tuple[tuple[float, ...], ...] = ()
    fresh_process: Agreement | None = None
    macs: tuple[MacCount, ...] = ()
    scaling: tuple[MacCount, ...] = ()
    memory: tuple[MemoryUse, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    coding: Coding | None = None
    caveats: tuple[Caveat, ...] = ()
    pass_seconds: Mapping[Pass, float] = field(default_factory=dict)
    from_cache: str = ""
    status: Status = Status.MEASURED

    @property
    def pixels(self) -> int:
        """Pixels of the picture as given."""
        return self.width * self.height

    @property
    def bpp(self) -> float:
        """Bits per pixel of the whole self-contained bitstream."""
        return 8 * self.stream_bytes / self.pixels

    @property
    def payload_bpp(self) -> float | None:
        """Bits per pixel of the entropy-coded strings alone (CompressAI's convention); None where unknown."""
        return None if self.payload_bits is None else self.payload_bits / self.pixels

    @property
    def estimated_bpp(self) -> float | None:
        """Bits per pixel that the likelihoods estimate, None where the codec gives no estimate."""
        return None if self.estimated_bits is None else self.estimated_bits / self.pixels

    @property
    def origin(self) -> Origin:
        """Measured here, or published by others and imported."""
        return Origin.PUBLISHED if self.status is Status.IMPORTED else Origin.MEASURED


@dataclass(frozen=True)
class Failure:
    """Something that failed on a picture (or on all of them: `picture` None). A row of the run, not a crash.

    `codec` and `point` are EVERY where all are concerned. `reason` is what the failing code said. `metrics` names the
    metrics that failed, for failures of that kind.
    """

    codec: str
    point: str
    dataset: str
    picture: str | None
    kind: FailureKind
    reason: str
    metrics: tuple[str, ...] = ()
    status: Status = Status.FAILED


Row = Measurement | Failure


@dataclass(frozen=True)
class PictureRecord:
    """A picture a run used: its name, size, the file's sha256, and what was done to make it 8-bit RGB."""

    name: str
    width: int
    height: int
    sha256: str
    treatment: str = ""


@dataclass(frozen=True)
class MetricRecord:
    """A metric of a run beside PSNR and MS-SSIM: the name of its scores, a title, their unit ("" for none)."""

    name: str
    title: str
    unit: str = ""
    higher_is_better: bool = True

    @property
    def heading(self) -> str:
        """The title and unit, as over a column."""
        return f"{self.title} {self.unit}".rstrip()


@dataclass(frozen=True)
class PointSummary:
    """What a report needs of an operating point: its label, training target and the network it runs."""

    label: str
    trained_for: str | None
    network: str


@dataclass(frozen=True)
class CardSummary:
    """What a report needs of a codec's card, kept in the run so that no card is looked up to make a report.

    `published` are the curves and `claims` the names under which others published figures of the codec.
    `colour_index` is the codec's place in the registry when the run was made: its colour on every page.
    """

    name: str
    title: str
    family: str
    paper: str
    year: int
    licence: str | None
    learned: bool
    demonstration: bool
    points: tuple[PointSummary, ...]
    published: tuple[CurveId, ...] = ()
    claims: tuple[str, ...] = ()
    colour_index: int = 0

    def trained_for(self, label: str) -> str | None:
        """What a point was trained for: "mse", "ms-ssim", None for classical codecs, "unknown" for no such point."""
        return next((point.trained_for for point in self.points if point.label == label), "unknown")


@dataclass(frozen=True)
class ImportedFile:
    """A file of another tool whose figures a run holds.

    `citation` says whose figures they are, `remarks` what the file says of itself, `unused_columns` what was not taken
    over because nothing here holds it.
    """

    name: str
    sha256: str
    format: str
    citation: str = ""
    licence: str | None = None
    remarks: tuple[str, ...] = ()
    unused_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunHeader:
    """Under what conditions a run was made; written before the first row.

    `cards` hold what a report needs of each codec, in the order of the jobs. `measuring_seconds` is the wall time that
    measuring took, all continuations together, and `workers` how many jobs ran at a time. `imported_from` names the
    files whose figures the rows hold: nothing of such a run was measured by this suite, and the machine is unknown.
    """

    started: str
    command: tuple[str, ...]
    lic_bench: str
    commit: str | None
    dirty: bool | None
    machine: Mapping[str, str | int | float | bool | None]
    packages: Mapping[str, str]
    settings: Settings
    dataset: str
    pictures: tuple[PictureRecord, ...]
    jobs: tuple[Job, ...]
    cards: tuple[CardSummary, ...] = ()
    notes: tuple[PlanNote, ...] = ()
    imported_from: tuple[ImportedFile, ...] = ()
    metrics: tuple[MetricRecord, ...] = ()
    workers: int = 1
    measuring_seconds: float = 0.0
    finished: str | None = None
    format: int = FORMAT

    def card(self, codec: str) -> CardSummary | None:
        """The summary of a codec's card, or None where the run has none (imported figures)."""
        return next((card for card in self.cards if card.name == codec), None)
