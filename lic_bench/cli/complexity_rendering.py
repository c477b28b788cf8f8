"""What `lic-bench complexity` and `lic-bench audit` print: results on standard output, remarks on standard error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lic_bench.benchmark import run_folder
from lic_bench.cli.formats import print_rows, say
from lic_bench.codec import CodecCard
from lic_bench.complexity import audit as audits
from lic_bench.complexity import codec_complexity, external_counters, roofline, tables
from lic_bench.complexity.tables import By, Format
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Call, Measurement
from lic_bench.registry import lookup


def complexity(models: str, sizes: Sequence[str], by: By | None, form: Format, calls: Sequence[Call]) -> bool:
    """Count the learned codecs asked for, at every size and call, without running them; whether nothing was broken."""
    chosen = lookup.selection(models)
    classical = [card.name for card in chosen.cards if not card.learned]
    if len(classical) == len(chosen.cards):
        raise RequestError(f"{', '.join(classical)} is not learned: there is no network to count.")
    found, uncounted, broken = _counted(chosen.cards, [tables.size(text) for text in sizes], calls)
    if form is Format.JSON:
        print(tables.to_json(found, by))
    elif form is Format.CSV:
        print(tables.to_csv(found, by), end="")
    else:
        print_rows(tables.rows(found, by), form)
    say(tables.remarks(found))
    if classical:
        say([f"Not learned, so nothing to count: {', '.join(classical)}."])
    say([*uncounted, *broken, *chosen.broken.values()])
    return not broken and not chosen.broken


def _counted(
    cards: Sequence[CodecCard], sizes: Sequence[tuple[int, int]], calls: Sequence[Call]
) -> tuple[list[codec_complexity.Complexity], list[str], list[str]]:
    """What was counted, why some codecs have nothing to count, and which could not be built. Nothing counted raises."""
    found: list[codec_complexity.Complexity] = []
    uncounted: list[RequestError] = []
    broken: list[LicBenchError] = []
    for card in cards:
        try:
            found += codec_complexity.of_cards([card], sizes, calls)
        except RequestError as error:
            uncounted.append(error)
        except Exception as error:  # somebody else's codec may break in any way, and must not stop the others
            broken.append(LicBenchError(f"{card.name} cannot be counted: {type(error).__name__}: {error}."))
    if not found and (uncounted or broken):
        raise [*uncounted, *broken][0]
    return found, [str(error) for error in uncounted], [str(error) for error in broken]


def achieved(run: Path, form: Format) -> None:
    """The rate each codec of a run reached, beside what this machine reaches with products and convolutions."""
    header, rows = run_folder.read(run)
    found = roofline.achieved([row for row in rows if isinstance(row, Measurement)])
    if not found:
        raise RequestError(f"{run} has no timed and counted rows of learned codecs.")
    rates = roofline.measure_rates(found[0].device, found[0].threads)
    print_rows(tables.roofline_rows(found, rates), form)
    say(
        [
            f"This machine, {rates.threads} thread(s), {rates.device}: matrix product "
            f"{rates.matmul_macs_per_second / 1e9:.1f} GMAC/s, convolution "
            f"{rates.convolution_macs_per_second / 1e9:.1f} GMAC/s. The run was made on "
            f"{header.machine.get('processor')}; shares mean something on that machine only."
        ]
    )


def audit(models: str, form: Format) -> bool:
    """Published claims with verdicts; whether no plug-in was broken."""
    chosen = lookup.selection(models)
    checks = audits.audit(models, chosen.cards)
    if not checks:
        raise RequestError(f"There is no published claim on work, parameters or model size of {models}.")
    if form is Format.JSON:
        print(json.dumps(tables.audit_objects(checks), indent=2))
    else:
        print_rows(tables.audit_rows(checks), form)
    say([tables.order_text(order) for order in audits.orders_that_fail(checks)])
    say([f"{convention.name}: {convention.meaning}." for convention in audits.CONVENTIONS])
    say(list(chosen.broken.values()))
    return not chosen.broken


def against(models: str, sizes: Sequence[str], counters: str, form: Format) -> bool:
    """External counters beside ours on the forward call, and the ops that each misses; whether nothing was broken."""
    asked = external_counters.named(counters)
    chosen = lookup.selection(models)
    found = [
        comparison
        for text in sizes
        for card in chosen.cards
        for comparison in external_counters.of_card(card, *tables.size(text), asked)
    ]
    if not found:
        raise RequestError(f"{models} is not learned: there is no network to count.")
    print_rows(tables.external_count_rows(found), form)
    say(tables.missed_ops(found))
    say(list(chosen.broken.values()))
    return not chosen.broken
