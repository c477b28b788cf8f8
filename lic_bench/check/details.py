"""What a change carries beside its figures: one frozen record for each kind of finding, with no text in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lic_bench.analysis.bdrate import Refusal
from lic_bench.records import Agreement, FailureKind

Fact = str | int | float | bool | None


@dataclass(frozen=True)
class FactChange:
    """A fact of a machine that differs between two runs; None where a run does not record it."""

    name: str
    before: Fact
    now: Fact


class RunProblem(StrEnum):
    """What is wrong with a run as a whole."""

    NOT_FINISHED = "not_finished"
    NOTHING_MEASURED = "nothing_measured"
    NOTHING_COMPARED = "nothing_compared"


@dataclass(frozen=True)
class RunDetail:
    """A problem of the run of this name."""

    problem: RunProblem
    run: str


@dataclass(frozen=True)
class FailureDetail:
    """A failure: what the failing code gave as its reason, on how many pictures, and whether the baseline has it too.

    `metrics` names the metrics that failed, for failures of that kind.
    """

    kind: FailureKind
    reason: str
    pictures: int
    failed_before: bool
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class PictureCount:
    """How many pictures a change concerns."""

    pictures: int


class WeightsChange(StrEnum):
    """What about the weights changed: the checkpoint, or what training makes the figures worth."""

    FILE = "file"
    TRAINING = "training"


@dataclass(frozen=True)
class WeightsDetail:
    """What about the weights changed."""

    change: WeightsChange


class LayerEventKind(StrEnum):
    """What became of a layer."""

    CHANGED = "changed"  # it has another number of MACs
    ADDED = "added"
    REMOVED = "removed"
    REPEATED = "repeated"  # it is called twice: twice the MACs and no more parameters
    DUPLICATED = "duplicated"  # it was added beside a layer with as many MACs


@dataclass(frozen=True)
class LayerEvent:
    """What became of one layer, by path, with its MACs before and now.

    `pair` are the two layers, in the order they run, of which one duplicates the other.
    """

    kind: LayerEventKind
    layer: str
    before: int
    now: int
    pair: tuple[str, ...] = ()

    @property
    def is_doubled(self) -> bool:
        """Whether the layer's work is done twice."""
        return self.kind in (LayerEventKind.REPEATED, LayerEventKind.DUPLICATED)


@dataclass(frozen=True)
class LayersDetail:
    """Changed layers of a part, counted at a picture size."""

    width: int
    height: int
    events: tuple[LayerEvent, ...] = ()


@dataclass(frozen=True)
class MovementDetail:
    """How a rate or score moved over some pictures, in per cent for rates, else in the quantity's unit.

    `moved` is that of the sum or mean, `most` the largest on one picture, `most_picture`. Infinite where a picture
    became lossless or stopped being so.
    """

    pictures: int
    moved: float
    most: float
    most_picture: str


@dataclass(frozen=True)
class BitsDetail:
    """On how many pictures the bitstream's length and the decoded picture differ, with the first of each.

    `pictures` is the number compared; `decoded_known` says whether both runs recorded every decoded picture.
    """

    pictures: int
    lengths: int
    decoded: int
    first_length: str = ""
    first_decoded: str = ""
    decoded_known: bool = True


@dataclass(frozen=True)
class AgreementDetail:
    """How the picture decoded in a fresh process agreed with the encoder's, before and now."""

    before: Agreement
    now: Agreement


@dataclass(frozen=True)
class ChannelsDetail:
    """On how many pictures the colour channels changed their order, of how many compared."""

    exchanged: int
    pictures: int


class Clock(StrEnum):
    """Which clock a time was read from."""

    WALL = "wall"
    PROCESSOR = "processor"


@dataclass(frozen=True)
class TimeRatios:
    """How many times as long a call takes now as before, in several ways, each the median over pictures.

    Medians and minima of the passes: in seconds, in units of the calibration workload, in units of the other call.
    """

    median: float
    minimum: float
    median_per_calibration: float
    minimum_per_calibration: float
    median_per_other_call: float | None = None
    minimum_per_other_call: float | None = None


@dataclass(frozen=True)
class TimeDetail:
    """How a time moved; `p_value` is that of the rank test, None where the ratios decided without one."""

    clock: Clock
    ratios: TimeRatios
    p_value: float | None = None


class NotComparable(StrEnum):
    """Why a quantity cannot be compared."""

    OTHER_MACHINE = "other_machine"
    NOT_MEASURED = "not_measured"
    NOT_TIMED = "not_timed"
    BUSY_MACHINE = "busy_machine"
    TOO_FEW_SAMPLES = "too_few_samples"
    NO_CALIBRATION = "no_calibration"
    MACHINE_SPEED = "machine_speed"  # the calibration workload ran at another speed
    MAYBE_CHANCE = "maybe_chance"  # the rank test does not confirm the ratios
    CONTRADICTORY = "contradictory"  # some ratios exceed the limit and others do not
    UNCOUNTED_OPS = "uncounted_ops"
    NO_BD_RATE = "no_bd_rate"


@dataclass(frozen=True)
class NotCompared:
    """Why a quantity was not compared, with the numbers that belong to the reason.

    `facts` for another machine; `samples` (before, now) for too few of them; `machine_speed` is how many times as long
    the calibration workload took; `timing` for times that were measured and decide nothing; `operators` are uncounted
    now; `refusal` is why there is no BD-rate, with its text in `explanation`.
    """

    reason: NotComparable
    facts: tuple[FactChange, ...] = ()
    samples: tuple[int, int] | None = None
    machine_speed: float | None = None
    timing: TimeDetail | None = None
    operators: tuple[str, ...] = ()
    refusal: Refusal | None = None
    explanation: str = ""


Detail = (
    RunDetail
    | FailureDetail
    | PictureCount
    | WeightsDetail
    | LayersDetail
    | MovementDetail
    | BitsDetail
    | AgreementDetail
    | ChannelsDetail
    | TimeDetail
    | NotCompared
)
