"""Published complexity claims beside our own counts, under every convention by which people count.

A claim such as "270 kMAC/pixel" or "252 GFLOPs" means little without its convention: which operators, which of several
networks, whose mean, for what picture size, one FLOP or two for a multiply-accumulate. So each claim is compared with
our count under each of them; the first that gives the digits as printed, or comes near enough, explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from lic_bench.analysis import published
from lic_bench.analysis.published import ComplexityClaim
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.complexity.codec_complexity import built, networks
from lic_bench.complexity.mac_counter import Trace, traces
from lic_bench.complexity.op_log import OpRecord
from lic_bench.records import Call
from lic_bench.registry import codecs

SIZE = (256, 256)
"""What the papers use for figures per pixel."""

SIZES = (SIZE, (768, 512))
"""Pictures, width x height, that a total of one picture is tried with: sources that print one rarely name the size."""

TOLERANCE = 0.006
"""How far a count may be from a claim that it explains; papers round to three figures and plots are read by hand."""

MEAN = "mean over the levels"
ALL, LAYERS, AT_OUTPUT = "all", "layers", "deconv-at-output"
MIB = "MiB"
"""A size said to be in MB may be in units of 2^20 bytes."""


class ClaimVerdict(StrEnum):
    """What comes out for one claim."""

    HOLDS = "holds"
    HOLDS_UNDER = "holds_under_another_convention"
    DOES_NOT_HOLD = "does_not_hold"
    NOT_CHECKABLE = "not_checkable"


@dataclass(frozen=True)
class Convention:
    """A way to count: a name, what it means, and what of each record of work it counts."""

    name: str
    meaning: str
    counted: Callable[[OpRecord], int]


CONVENTIONS = (
    Convention(ALL, "every multiply-accumulate of the network", lambda record: record.macs),
    Convention(LAYERS, "convolution and linear modules only: no GDN, no attention products, no raw weights",
               lambda record: record.macs if record.in_layer else 0),
    Convention(AT_OUTPUT, "as layers, with stride-2 transposed convolutions counted four times too high (thop's way)",
               lambda record: record.at_output if record.in_layer else 0),
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """Our figure for a claim under one convention: of one network, or the mean over a codec's levels.

    `size` is the picture's, width x height, where the figure is a total of one picture. `mac_as_flop` says that each
    multiply-accumulate is taken for one FLOP of a claim, as by counters that print the one under the other's name.
    """

    convention: str
    variant: str
    value: float
    size: tuple[int, int] | None = None
    mac_as_flop: bool = False

    @property
    def setting(self) -> tuple[str, tuple[int, int] | None, bool]:
        """What it has in common with the same figure under the other conventions."""
        return self.variant, self.size, self.mac_as_flop


@dataclass(frozen=True)
class ClaimCheck:
    """One claim, our figures, and the verdict.

    `explained` is the figure that meets the claim, if one does. `correct` are the figures of the same network by
    convention, where the claim counts transposed convolutions too high. `in_zoo` says whether the codec is here at all.
    """

    claim: ComplexityClaim
    what: str
    figures: tuple[Figure, ...]
    verdict: ClaimVerdict
    explained: Figure | None = None
    correct: Mapping[str, float] = field(default_factory=dict)
    in_zoo: bool = True

    @property
    def counts(self) -> dict[str, float]:
        """Under each convention, the figure of the network (or mean) that explains the claim, else the nearest."""
        figures = [figure for figure in self.figures if self.explained and figure.setting == self.explained.setting]
        chosen = sorted(figures or self.figures, key=self._distance, reverse=True)
        return {
            name: {figure.convention: figure.value for figure in chosen}[name]
            for name in dict.fromkeys(figure.convention for figure in self.figures)
        }

    def _distance(self, figure: Figure) -> float:
        return abs(figure.value / self.claim.value - 1)

    @property
    def digits(self) -> int:
        """Decimals worth showing."""
        return 1 if self.claim.unit == "kMAC/pixel" else 2

    @property
    def nearest(self) -> Figure | None:
        """The figure nearest to the claim; None without figures."""
        return min(self.figures, key=lambda figure: round(self._distance(figure), 6), default=None)


@dataclass(frozen=True)
class CountedNetwork:
    """One network of a codec, counted once: its traces by call, its weights, and how many quality levels use it.

    `traces` are those at SIZE; `totals` the traces at each of SIZES, where a claim needs them.
    """

    card: CodecCard
    point: OperatingPoint
    traces: Mapping[Call, Trace]
    totals: Mapping[tuple[int, int], Mapping[Call, Trace]]
    parameters: int
    layer_parameters: int
    weight_bytes: int
    levels: int

    @property
    def label(self) -> str:
        """The network in words."""
        several = len(networks(self.card)) > 1
        return f"{self.card.name} {self.point.network}" if several else self.card.name


@dataclass
class Ledger:
    """The counted networks by the names under which claims list their codecs."""

    by_claim: dict[str, list[CountedNetwork]] = field(default_factory=dict)

    def add(self, card: CodecCard) -> None:
        """Count every network of a card that published claims speak of."""
        names = card.claims or (card.name,)
        if not card.learned:
            return
        totals = any(claim.unit == FLOPS and claim.codec in names for claim in claims())
        counted = [_counted(card, point, SIZES if totals else (SIZE,)) for point in networks(card)]
        for name in names:
            self.by_claim.setdefault(name, []).extend(counted)


def audit(models: str = "all", cards: Sequence[CodecCard] | None = None) -> tuple[ClaimCheck, ...]:
    """Every published claim on work, parameters and model size; of the models asked for, or all of them.

    `cards` are those of the models, where they were looked up already. Claims on codecs that the zoo has not are
    reported as not checkable when all are asked for. Times are no claims that can be checked by counting and are left
    out.
    """
    cards = codecs.select(models) if cards is None else cards
    ledger = Ledger()
    for card in cards:
        if card.learned and any(claim.codec in (card.claims or (card.name,)) for claim in claims()):
            ledger.add(card)
    asked = {name for card in cards for name in (card.claims or (card.name,))}
    return tuple(check(claim, ledger) for claim in claims() if models == "all" or claim.codec in asked)


def claims() -> tuple[ComplexityClaim, ...]:
    """The published claims that are about work, parameters or size."""
    return tuple(claim for claim in published.complexity_claims() if claim.quantity in _QUANTITIES)


def check(claim: ComplexityClaim, ledger: Ledger) -> ClaimCheck:
    """One claim against what was counted."""
    what, figures_of = _QUANTITIES[claim.quantity]
    counted = ledger.by_claim.get(claim.codec, [])
    figures = tuple(figures_of(counted)) if counted and claim.unit in _UNITS else ()
    if not figures:
        return ClaimCheck(claim, what, (), ClaimVerdict.NOT_CHECKABLE, in_zoo=bool(counted))
    near = [figure for figure in figures if abs(figure.value / claim.value - 1) <= TOLERANCE]
    met = [figure for figure in near if round(figure.value, claim.decimals) == claim.value] or near
    if not met:
        return ClaimCheck(claim, what, figures, ClaimVerdict.DOES_NOT_HOLD)
    order = [convention.name for convention in CONVENTIONS]
    best = min(met, key=lambda figure: (figure.variant == MEAN, _place(order, figure.convention),
                                        abs(figure.value - claim.value)))  # fmt: skip
    plain = best.convention == ALL and best.variant != MEAN and not best.mac_as_flop
    verdict = ClaimVerdict.HOLDS if plain else ClaimVerdict.HOLDS_UNDER
    return ClaimCheck(claim, what, figures, verdict, best, _correctly(best, figures))


@dataclass(frozen=True)
class FailingOrder:
    """A source that puts one codec below others, while counting all alike puts it clearly above.

    `claimed` and `kmac_per_pixel` are the codec's, `above` the others' counts by name; counted under LAYERS.
    """

    source_id: str
    codec: str
    claimed: float
    kmac_per_pixel: float
    above: Mapping[str, float]


def orders_that_fail(checks: Sequence[ClaimCheck]) -> tuple[FailingOrder, ...]:
    """Where a source puts one codec below another, and counting both alike (layers, mean) puts it clearly above."""
    found = []
    for source in dict.fromkeys(check.claim.source_id for check in checks):
        known = [item for item in checks if item.claim.source_id == source and item.figures
                 and item.claim.quantity == "kmac_per_pixel_total"]  # fmt: skip
        for low in known:
            above = [high for high in known if low.claim.value < high.claim.value and _alike(low) > 1.05 * _alike(high)]
            if above:
                others = {high.claim.codec: _alike(high) for high in above}
                found.append(FailingOrder(source, low.claim.codec, low.claim.value, _alike(low), others))
    return tuple(found)


def _alike(item: ClaimCheck) -> float:
    """The count under `layers`, over the levels where there are several."""
    figures = [figure for figure in item.figures if figure.convention == LAYERS]
    return next((figure.value for figure in figures if figure.variant == MEAN), figures[0].value)


def _correctly(best: Figure, figures: Sequence[Figure]) -> dict[str, float]:
    """The correct figures by convention, where the claim is explained by an inflated one."""
    if best.convention != AT_OUTPUT:
        return {}
    return {figure.convention: figure.value for figure in figures if figure.setting == best.setting}


def _counted(card: CodecCard, point: OperatingPoint, sizes: Sequence[tuple[int, int]]) -> CountedNetwork:
    codec = built(card, point)
    totals = {size: {trace.call: trace for trace in traces(codec, *size)} for size in sizes}
    counted = totals[SIZE]
    weights = list(codec.network.parameters())
    layered = {record.path for record in counted[Call.FORWARD].op_records if record.in_layer}
    modules = dict(codec.network.named_modules())
    in_layers = sum(weight.numel() for path in layered for weight in modules[path].parameters(recurse=False))
    levels = [other for other in card.points if other.network == point.network and other.trained_for in ("mse", None)]
    return CountedNetwork(
        card, point, counted, totals, sum(weight.numel() for weight in weights), in_layers,
        sum(weight.numel() * weight.element_size() for weight in weights), len(levels),
    )  # fmt: skip


def _macs(trace: Trace, convention: Convention) -> int:
    return sum(convention.counted(record) for record in trace.op_records)


def _kmac(trace: Trace, convention: Convention) -> float:
    return _macs(trace, convention) / (trace.width * trace.height) / 1000


def _work(call: Call) -> Callable[[Sequence[CountedNetwork]], Iterator[Figure]]:
    def figures(counted: Sequence[CountedNetwork]) -> Iterator[Figure]:
        for convention in CONVENTIONS:
            able = [item for item in counted if call in item.traces]
            yield from _with_means(convention.name, able, [_kmac(item.traces[call], convention) for item in able])

    return figures


def _total(call: Call) -> Callable[[Sequence[CountedNetwork]], Iterator[Figure]]:
    def figures(counted: Sequence[CountedNetwork]) -> Iterator[Figure]:
        for convention, item, mac_as_flop in product(CONVENTIONS, counted, (True, False)):
            for size, by_call in item.totals.items():
                if call in by_call:
                    giga = _macs(by_call[call], convention) / 1e9
                    yield Figure(convention.name, item.label, giga * (2 - mac_as_flop), size, mac_as_flop)

    return figures


def _parameters(counted: Sequence[CountedNetwork]) -> Iterator[Figure]:
    yield from _with_means(ALL, counted, [item.parameters / 1e6 for item in counted])
    yield from _with_means(LAYERS, counted, [item.layer_parameters / 1e6 for item in counted])


def _size(counted: Sequence[CountedNetwork]) -> Iterator[Figure]:
    yield from _with_means(ALL, counted, [item.weight_bytes / 1e6 for item in counted])
    yield from _with_means(MIB, counted, [item.weight_bytes / 2**20 for item in counted])


def _with_means(convention: str, counted: Sequence[CountedNetwork], values: Sequence[float]) -> Iterator[Figure]:
    """Each network by itself, and the mean over the levels of every codec that changes its network between them."""
    for item, value in zip(counted, values, strict=True):
        yield Figure(convention, item.label, value)
    for card in dict.fromkeys(item.card.name for item in counted):
        own = [(item.levels, value) for item, value in zip(counted, values, strict=True) if item.card.name == card]
        levels = sum(number for number, _ in own)
        if len(own) > 1 and levels:
            yield Figure(convention, MEAN, sum(number * value for number, value in own) / levels)


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


FLOPS = "GFLOPs"
"""The unit of totals of one picture."""
_UNITS = {"kMAC/pixel", "million", "MB", FLOPS}
_QUANTITIES: Mapping[str, tuple[str, Callable[[Sequence[CountedNetwork]], Iterator[Figure]]]] = {
    "kmac_per_pixel_total": ("forward", _work(Call.FORWARD)),
    "kmac_per_pixel_decode": ("decode", _work(Call.DECODE)),
    "encode_gflops": ("encode", _total(Call.ENCODE)),
    "decode_gflops": ("decode", _total(Call.DECODE)),
    "params_m": ("parameters", _parameters),
    "model_mb": ("model size", _size),
}
