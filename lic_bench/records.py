"""The data types that travel through the suite: frozen, plain, with units in their names.

Nothing is stored that can be derived: bits per pixel come from bytes and pixels, medians from raw samples.
The records know nothing of files, codecs or pages; `store` writes them, `curves` and `report` read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

FORMAT = 1

IMPORTED = "imported"
"""The status of a row that holds somebody else's figures."""


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


class Doubt(StrEnum):
    """A reason why a figure is thin, with what to do about it. It travels with the figure to the report."""

    FEW_TIMINGS = "fewer than 3 timed passes; raise --timing-budget for a steadier figure"
    NOT_TIMED = "not timed within the time budget; raise --timing-budget"
    SHARED_MACHINE = "several workers shared the machine while timing; use --workers 1 for quotable times"
    BUSY_MACHINE = "other programs were using the processor; time it again on a quiet machine"
    UNTRAINED = "untrained weights; times and sizes hold for the network, rate and distortion do not exist"
    UNSEEN_WORK = "some operators were not counted; the MAC figure is a lower bound"
    RATE_GAP = "estimated and coded rate differ by more than 1 %; check the entropy coder's tables"
    NO_MS_SSIM = "MS-SSIM needs both sides above 160 pixels"
    NO_SCORE = "a metric that was asked for failed on some picture; the run's failures say how"
    LOSSLESS = "decoded without any error; PSNR is infinite and left out of means"
    DRIFT = "a fresh process decoded the same stream to another picture; the codec is not deterministic"
    MEMORY_UNKNOWN = "peak memory could not be read on this system"
    FEW_POINTS = "fewer than four points on a curve"
    NOT_MONOTONE = "quality does not rise with rate; points were left out of the interpolation"
    LITTLE_OVERLAP = "the anchor covers less than 75 % of the curve's range"
    NO_OVERLAP = "the anchor covers less than 25 % of the curve's range; no figure"
    OWN_WEIGHTS = "weights that no published hash vouches for; the curve is that of this file, not the paper's"
    DEMONSTRATION = "a briefly trained demonstration network; no paper's result"
    UNCONFIRMED = (
        "a published curve that contradicts other figures of its own source; zoo/published/cautions.csv says why"
    )
    DIFFERENT_PICTURES = "the curves were not taken over the same pictures"
    RATE_KIND = "one curve counts whole streams, the other payload or estimated bits"


class Call(StrEnum):
    """What of a learned codec is counted: the network called once, or what coding really runs."""

    FORWARD = "forward"
    ENCODE = "encode"
    DECODE = "decode"


@dataclass(frozen=True)
class Settings:
    """How measurements are taken; part of every job and of the run's header.

    `metrics` says how those beside PSNR and MS-SSIM are found: by name, "module:NAME" or "file.py:NAME".
    """

    device: str = "cpu"
    threads: int = 1
    timing_repeats: int = 5
    timing_budget_seconds: float = 20.0
    memory: bool = True
    macs: bool = True
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """One operating point of one codec on some pictures: names and numbers only, so that it can travel.

    `weights` is a checkpoint's path, or None for classical and untrained codecs; `data` is the folder or data set
    to be looked up again where the work is done, `door` how the codec's card is found there. `code` is a digest of
    other people's source, "" for codecs of this package.
    """

    codec: str
    point: str
    training: Training
    dataset: str
    pictures: tuple[str, ...]
    data: str | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    door: str = ""
    code: str = ""
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class MacCount:
    """Multiply-accumulates of one call on one picture size.

    `by_part` adds up to `macs`. `other_work` holds element-wise work, normalisation, softmax, interpolation and FFT
    as operations by kind: never part of `macs`. `unseen` names operators that are neither counted nor known to be
    free: with any of them the figure is a lower bound. `activation_bytes` is the most memory taken at one time by
    what the call makes (weights and inputs not included). `serial_steps` is how often a decoder waits for its entropy
    coder, None for other calls and where it is not known. `spared_macs` are counted, because the authors' code makes
    them, and left out by the code here, which gets the same results without. `note` says what else a reader must know,
    such as why a network was run to be counted.
    """

    call: Call
    width: int
    height: int
    macs: int
    by_part: Mapping[str, int]
    by_operator: Mapping[str, int] = field(default_factory=dict)
    by_layer: Mapping[str, int] = field(default_factory=dict)
    other_work: Mapping[str, int] = field(default_factory=dict)
    unseen: Mapping[str, int] = field(default_factory=dict)
    origin: Origin = Origin.PREDICTED
    padded_width: int = 0
    padded_height: int = 0
    activation_bytes: int | None = None
    serial_steps: int | None = None
    spared_macs: int = 0
    note: str = ""

    @property
    def kmac_per_pixel(self) -> float:
        """Thousand MAC per pixel of the picture as given (not padded)."""
        return self.macs / (self.width * self.height) / 1000

    @property
    def macs_made(self) -> int:
        """What the code here really multiplies: what times are to be set against."""
        return self.macs - self.spared_macs

    @property
    def is_lower_bound(self) -> bool:
        """Whether some operator went by uncounted."""
        return bool(self.unseen)


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
class Measurement:
    """Everything measured of one codec at one operating point on one picture.

    `psnr_db` is infinite for a lossless picture. Scores and estimated bits are None where they do not exist: always
    for untrained networks, whose rate and distortion mean nothing. `fresh_process` says what another process made of
    the stream: "exact", by how much it differed, or None where that was not tried. `scaling` holds counts at other
    picture sizes, on the first row of an operating point only. `yardstick_seconds` is how long a fixed piece of
    arithmetic took right after each timed pass: how fast the machine was just then. `channel_mse` is 3 x 3: the mean
    squared error between the original's channel i and the decoded picture's channel j; empty without scores.
    `status` is "measured", or "imported" for figures that others measured elsewhere; of those `payload_bits` is None
    where nobody told. `scores` are those of further metrics by name, None where one does
    not apply or failed; empty for untrained networks.
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
    yardstick_seconds: tuple[float, ...] = ()
    yardstick_cpu_seconds: tuple[float, ...] = ()
    device: str = "cpu"
    threads: int = 1
    parameters: int | None = None
    weights_sha256: str | None = None
    decoded_sha256: str | None = None
    channel_mse: tuple[tuple[float, ...], ...] = ()
    fresh_process: str | None = None
    macs: tuple[MacCount, ...] = ()
    scaling: tuple[MacCount, ...] = ()
    memory: tuple[MemoryUse, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    status: str = "measured"

    @property
    def pixels(self) -> int:
        """Pixels of the picture as given."""
        return self.width * self.height

    @property
    def bpp(self) -> float:
        """Bits per pixel of the whole self-contained stream."""
        return 8 * self.stream_bytes / self.pixels

    @property
    def payload_bpp(self) -> float | None:
        """Bits per pixel of the entropy-coded strings alone (CompressAI's convention); None where it was not told."""
        return None if self.payload_bits is None else self.payload_bits / self.pixels

    @property
    def estimated_bpp(self) -> float | None:
        """Bits per pixel the likelihoods promise, or None where the codec cannot say."""
        return None if self.estimated_bits is None else self.estimated_bits / self.pixels

    @property
    def origin(self) -> Origin:
        """Measured here, or published by others and imported."""
        return Origin.PUBLISHED if self.status == IMPORTED else Origin.MEASURED

    @property
    def is_lossless(self) -> bool:
        """Whether the decoded picture equals the original."""
        return self.psnr_db is not None and math.isinf(self.psnr_db)


@dataclass(frozen=True)
class Failure:
    """A codec that broke on a picture (or on all of them: `picture` None). A row of the run, not a crash."""

    codec: str
    point: str
    dataset: str
    picture: str | None
    stage: str
    reason: str
    status: str = "failed"


Row = Measurement | Failure

METRIC_STAGE = "metric "
"""What the stage of a failure begins with when a metric failed and not the codec; the row itself is kept."""


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
class RunHeader:
    """Under what conditions a run was made; written before the first row.

    `imported_from` names the files whose figures the rows hold, with their sha256: nothing of such a run was measured
    by this suite, and the machine is unknown.
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
    notes: tuple[str, ...] = ()
    imported_from: tuple[str, ...] = ()
    metrics: tuple[MetricRecord, ...] = ()
    finished: str | None = None
    format: int = FORMAT
