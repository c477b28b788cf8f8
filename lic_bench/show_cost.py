"""What `lic-bench complexity` and `lic-bench audit` print: results on standard output, remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lic_bench import audit as audits
from lic_bench import auditors, cost, cost_tables, limits, plugins, show, store
from lic_bench.codec import CodecCard
from lic_bench.cost_tables import By, Format, Rows
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Call, Measurement


def complexity(models: str, sizes: Sequence[str], by: By | None, form: Format, calls: Sequence[Call]) -> bool:
    """Count the learned codecs asked for, at every size and call, without running them; whether nothing was broken."""
    chosen = plugins.selection(models)
    classical = [card.name for card in chosen.cards if not card.learned]
    if len(classical) == len(chosen.cards):
        raise RequestError(f"{', '.join(classical)} is not learned: there is no network to count.")
    found, uncounted, broken = _counted(chosen.cards, [cost_tables.size(text) for text in sizes], calls)
    if form is Format.JSON:
        print(cost_tables.to_json(found, by))
    elif form is Format.CSV:
        print(cost_tables.to_csv(found, by), end="")
    else:
        _print(cost_tables.rows(found, by), form)
    _remark(cost_tables.remarks(found))
    if classical:
        _remark([f"Not learned, so nothing to count: {', '.join(classical)}."])
    _remark([*uncounted, *broken, *chosen.broken.values()])
    return not broken and not chosen.broken


def _counted(
    cards: Sequence[CodecCard], sizes: Sequence[tuple[int, int]], calls: Sequence[Call]
) -> tuple[list[cost.Complexity], list[str], list[str]]:
    """What was counted, why some codecs have nothing to count, and which could not be built. Nothing counted raises."""
    found: list[cost.Complexity] = []
    uncounted: list[RequestError] = []
    broken: list[LicBenchError] = []
    for card in cards:
        try:
            found += cost.of_cards([card], sizes, calls)
        except RequestError as error:
            uncounted.append(error)
        except Exception as error:  # somebody else's codec may break in any way, and must not stop the others
            broken.append(LicBenchError(f"{card.name} cannot be counted: {type(error).__name__}: {error}."))
    if not found and (uncounted or broken):
        raise [*uncounted, *broken][0]
    return found, [str(error) for error in uncounted], [str(error) for error in broken]


def achieved(run: Path, form: Format) -> None:
    """The rate each codec of a run reached, beside what this machine reaches with products and convolutions."""
    header, rows = store.read(run)
    found = limits.achieved([row for row in rows if isinstance(row, Measurement)])
    if not found:
        raise RequestError(f"{run} has no timed and counted rows of learned codecs.")
    rates = limits.measure_rates(found[0].device, found[0].threads)
    _print(cost_tables.limit_rows(found, rates), form)
    _remark(
        [
            f"This machine, {rates.threads} thread(s), {rates.device}: matrix product "
            f"{rates.matmul_macs_per_second / 1e9:.1f} GMAC/s, convolution "
            f"{rates.convolution_macs_per_second / 1e9:.1f} GMAC/s. The run was made on "
            f"{header.machine.get('processor')}; shares mean something on that machine only."
        ]
    )


def audit(models: str, against: str, form: Format) -> bool:
    """Published claims with verdicts, or other counters beside ours; whether no plug-in was broken."""
    counters = auditors.named(against)
    chosen = plugins.selection(models)
    if counters:
        _print(cost_tables.auditor_rows(_compared(chosen.cards, counters)), form)
        _remark(list(chosen.broken.values()))
        return not chosen.broken
    checks = audits.audit(models, chosen.cards)
    if not checks:
        raise RequestError(f"No published claim on work, parameters or model size speaks of {models}.")
    if form is Format.JSON:
        print(json.dumps(cost_tables.audit_objects(checks), indent=2))
    else:
        _print(cost_tables.audit_rows(checks), form)
    _remark([*audits.orders_that_fail(checks), *(f"{item.name}: {item.meaning}." for item in audits.CONVENTIONS)])
    _remark(list(chosen.broken.values()))
    return not chosen.broken


def _compared(cards: Sequence[CodecCard], counters: Sequence[auditors.Auditor]) -> Iterator[auditors.Comparison]:
    """Every network of some models under each counter."""
    for card in cards:
        for point in cost.networks(card):
            name = card.name if point.network in ("", card.name) else f"{card.name} {point.network}"
            yield from auditors.compare(name, cost.loaded(card, point), *audits.SIZE, counters)


def _print(rows: Rows, form: Format) -> None:
    if form is Format.LATEX:
        print(cost_tables.to_latex(rows), end="")
    elif form is Format.JSON:
        print(json.dumps([dict(zip(rows[0], line, strict=True)) for line in rows[1:]], indent=2))
    elif form is Format.CSV:
        print(cost_tables.rows_to_csv(rows), end="")
    else:
        show.rows(rows)


def _remark(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
