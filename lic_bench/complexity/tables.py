"""Complexity as text: a table for people, JSON and CSV for programs, LaTeX and Markdown for papers and pages."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lic_bench.errors import RequestError

if TYPE_CHECKING:  # the commands' choices are asked for without torch
    from lic_bench.complexity.audit import ClaimCheck, FailingOrder, Figure
    from lic_bench.complexity.codec_complexity import Complexity
    from lic_bench.complexity.external_counters import Comparison
    from lic_bench.complexity.roofline import Achieved, Rates
    from lic_bench.records import MacCount

NONE = "–"
MIB = 2**20

Rows = list[list[str]]
"""Cells as text; the first row is the heads."""


class By(StrEnum):
    """How the multiply-accumulates of a call are taken apart."""

    PART = "part"
    LAYER = "layer"
    OPERATOR = "operator"


class Format(StrEnum):
    """How complexity is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    LATEX = "latex"
    MARKDOWN = "markdown"


def size(text: str) -> tuple[int, int]:
    """ "768x512" to width and height; RequestError for anything else."""
    found = re.fullmatch(r"([1-9]\d*)[xX×]([1-9]\d*)", text.strip())
    if not found:
        raise RequestError(f"{text!r} is not a size; write width x height in pixels, such as 768x512.")
    return int(found[1]), int(found[2])


def objects(found: Sequence[Complexity], by: By | None = None) -> list[dict[str, Any]]:
    """One plain object per network, size and call. `by_part` adds up to `kmac_per_pixel`, `macs_by_part` to `macs`."""
    return [_object(item, by) for item in found]


def to_json(found: Sequence[Complexity], by: By | None = None) -> str:
    """The list of objects as JSON."""
    return json.dumps(objects(found, by), indent=2)


def to_csv(found: Sequence[Complexity], by: By | None = None) -> str:
    """A header line and one line per call, or per part (layer, operator) of it; nothing rounded."""
    lines = [line for item in found for line in _flat(item, by)]
    text = io.StringIO()
    if lines:
        writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return text.getvalue()


def rows(found: Sequence[Complexity], by: By | None = None) -> Rows:
    """The table for people: what a call costs, or where in the network it costs it."""
    if by is not None:
        heads = ["model", "point", "size", "call", by.value, "kMAC/px", "share"]
        return [heads, *(line for item in found for line in _shares(item, by))]
    heads = ["model", "point", "size", "call", "kMAC/px", "parameters", "weights MiB", "activations MiB",
             "serial steps", "origin"]  # fmt: skip
    return [heads, *(_line(item) for item in found)]


def remarks(found: Sequence[Complexity]) -> list[str]:
    """What a reader must know besides: uncounted operators, padding, networks that had to be run; each once."""
    said: dict[str, None] = {}
    for item in found:
        who = f"{item.codec} {item.point}".strip()
        if item.uncounted:
            said[f"{who}: a lower bound, not counted: {', '.join(item.uncounted)}."] = None
        for remark in count_remarks(item.count):
            said[f"{who} ({item.count.call.value}): {remark}."] = None
        padded = item.count.padded_width, item.count.padded_height
        if padded != (item.count.width, item.count.height):
            said[f"{who}: {_size(item)} is padded to {padded[0]}x{padded[1]}; divided by the pixels given."] = None
    return list(said)


def count_remarks(count: MacCount) -> list[str]:
    """How a count was taken, where that is not the plain way."""
    said = []
    if count.fallback_reason:
        said.append(f"run to be counted, because it cannot be called on the meta device: {count.fallback_reason}")
    if count.redundant_macs:
        kmac = count.executed_macs / (count.width * count.height) / 1000
        said.append(f"counted as published; the code here gets the same results with {kmac:.3f} kMAC/pixel")
    return said


def roofline_rows(found: Sequence[Achieved], rates: Rates) -> Rows:
    """How near each codec of a run came to the machine's limits, and what keeps it from them."""
    heads = ["model", "point", "call", "GMAC/s", "of matmul", "of convolution", "serial steps",
             "predicted MiB", "measured MiB"]  # fmt: skip
    lines = [heads]
    for item in found:
        matmul, convolution = item.share(rates)
        lines.append([
            item.codec, item.point, item.call.value, f"{item.macs_per_second / 1e9:.1f}", f"{matmul:.1%}",
            f"{convolution:.1%}", _integer(item.serial_steps), _mebibytes(item.predicted_bytes),
            _mebibytes(item.measured_bytes),
        ])  # fmt: skip
    return lines


def audit_rows(checks: Sequence[ClaimCheck]) -> Rows:
    """Claims beside counts under every convention, and the verdicts."""
    conventions = list(dict.fromkeys(name for check in checks for name in check.counts))
    heads = ["claim of", "what", "claimed", *conventions, "verdict", "source"]
    return [heads, *(_check(check, conventions) for check in checks)]


_VERDICTS = {"holds_under_another_convention": "holds under another convention", "does_not_hold": "does not hold",
             "not_checkable": "not checkable here"}  # fmt: skip


def verdict_text(check: ClaimCheck) -> str:
    """The verdict on a claim in words, with the figure that explains it or comes nearest."""
    text = _VERDICTS.get(check.verdict.value, check.verdict.value)
    if check.explained is not None:
        figure = check.explained
        convention = _convention(figure)
        text = "holds" if convention == "all" else f"holds under {convention}"
        text += f" ({_network(figure)}: {figure.value:.{check.digits}f})"
    elif check.nearest is not None:
        near = check.nearest
        text += f" (nearest: {_convention(near)}, {_network(near)}: {near.value:.{check.digits}f})"
    if check.correct:
        text += f"; correctly {check.correct['layers']:.1f} in layers, {check.correct['all']:.1f} in all"
    return text if check.in_zoo else f"{text}; not in the zoo"


def _convention(figure: Figure) -> str:
    """How a figure is counted."""
    return f"{figure.convention}, a MAC as one FLOP" if figure.mac_as_flop else figure.convention


def _network(figure: Figure) -> str:
    """The network that a figure is of, and the picture where it is a total of one."""
    return figure.variant if figure.size is None else f"{figure.variant} at {figure.size[0]}x{figure.size[1]}"


def order_text(order: FailingOrder) -> str:
    """A failing order in a sentence."""
    others = ", ".join(f"{codec} ({kmac:.1f})" for codec, kmac in order.above.items())
    return (
        f"{order.source_id} puts {order.codec} ({order.claimed:g}) below {others}; counted alike (layers, mean over "
        f"the levels) it takes {order.kmac_per_pixel:.1f}, more than each of them: the order does not hold."
    )


def audit_objects(checks: Sequence[ClaimCheck]) -> list[dict[str, Any]]:
    """One plain object per claim, with our figure under every convention and of every network."""
    return [
        {
            "codec": check.claim.codec,
            "quantity": check.claim.quantity,
            "claimed": check.claim.value,
            "unit": check.claim.unit,
            "source_id": check.claim.source_id,
            "how": check.claim.how,
            "conditions": check.claim.conditions,
            "verdict": check.verdict.value,
            "convention": check.explained.convention if check.explained else None,
            "network": check.explained.variant if check.explained else None,
            "size": check.explained.size if check.explained else None,
            "mac_as_flop": check.explained.mac_as_flop if check.explained else None,
            "text": verdict_text(check),
            "counts": check.counts,
            "figures": [
                {
                    "convention": figure.convention,
                    "network": figure.variant,
                    "size": figure.size,
                    "mac_as_flop": figure.mac_as_flop,
                    "value": figure.value,
                }
                for figure in check.figures
            ],
        }
        for check in checks
    ]


def external_count_rows(found: Iterable[Comparison]) -> Rows:
    """Other counters beside ours, and why they differ."""
    from lic_bench.complexity.external_counters import reason

    lines = [["network", "counter", "kMAC/px", "ours", "theirs - ours", "because"]]
    for item in found:
        theirs, ours = (f"{macs / item.pixels / 1000:.3f}" for macs in (item.theirs.macs, item.ours))
        head = [item.network, item.theirs.counter, theirs, ours]
        if not item.differences:
            lines.append([*head, "0", "the two agree"])
        for difference in item.differences:
            more = f"{difference.macs / item.pixels / 1000:+.3f}"
            lines.append([*head, more, f"{difference.kind}: {reason(difference)}"])
            head = ["", "", "", ""]
    return lines


def missed_ops(found: Iterable[Comparison]) -> list[str]:
    """What external counters say they do not know, a sentence per network and counter; ops with MACs by name."""
    from lic_bench.complexity.external_counters import missed_products

    said = []
    for item in found:
        if item.theirs.unsupported:
            missed = missed_products(item.theirs)
            with_macs = (
                ", ".join(f"{name} ({item.theirs.unsupported[name]} times)" for name in missed) or "none with MACs"
            )
            number = len(item.theirs.unsupported)
            said.append(f"{item.theirs.counter} does not know {number} ops of {item.network}: {with_macs}.")
    return said


def rows_to_csv(rows: Rows) -> str:
    """A table for people as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def rows_to_markdown(rows: Rows) -> str:
    """A table for people as a pipe table; columns of numbers flush right."""
    heads, *lines = rows
    rule = ["---:" if _numeric(lines, at) else "---" for at in range(len(heads))]
    cells = [[cell.replace("|", r"\|") for cell in line] for line in (heads, rule, *lines)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def to_latex(rows: Rows) -> str:
    """A booktabs tabular; columns of numbers flush right."""
    heads, *lines = rows
    columns = "".join("r" if _numeric(lines, at) else "l" for at in range(len(heads)))
    body = [" & ".join(_escaped(cell) for cell in line) + r" \\" for line in (heads, *lines)]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\toprule", body[0], r"\midrule", *body[1:], r"\bottomrule",
                      r"\end{tabular}"]) + "\n"  # fmt: skip


def _object(item: Complexity, by: By | None) -> dict[str, Any]:
    count = item.count
    plain: dict[str, Any] = {
        "codec": item.codec,
        "point": item.point,
        "width": count.width,
        "height": count.height,
        "call": count.call.value,
        "kmac_per_pixel": count.kmac_per_pixel,
        "by_part": {name: _kmac(item, macs) for name, macs in count.by_part.items()},
        "uncounted": dict(count.uncounted),
        "parameters": item.parameters,
        "weight_bytes": item.weight_bytes,
        "activation_bytes": count.activation_bytes,
        "serial_steps": count.serial_steps,
        "macs": count.macs,
        "redundant_macs": count.redundant_macs,
        "macs_by_part": dict(count.by_part),
        "macs_by_operator": dict(count.by_operator),
        "non_mac_ops": dict(count.non_mac_ops),
        "padded_width": count.padded_width,
        "padded_height": count.padded_height,
        "origin": count.origin.value,
        "fallback_reason": count.fallback_reason,
    }
    return plain | ({"macs_by_layer": dict(count.by_layer)} if by is By.LAYER else {})


def _flat(item: Complexity, by: By | None) -> list[dict[str, Any]]:
    count = item.count
    line: dict[str, Any] = {
        "codec": item.codec, "point": item.point, "width": count.width, "height": count.height,
        "call": count.call.value, "kmac_per_pixel": count.kmac_per_pixel, "macs": count.macs,
        "parameters": item.parameters, "weight_bytes": item.weight_bytes, "activation_bytes": count.activation_bytes,
        "serial_steps": count.serial_steps, "uncounted": " ".join(count.uncounted), "origin": count.origin.value,
    }  # fmt: skip
    if by is None:
        return [line]
    return [line | {by.value: name, f"{by.value}_macs": macs} for name, macs in _taken_apart(item, by).items()]


def _line(item: Complexity) -> list[str]:
    bound = "≥ " if item.uncounted else ""
    return [
        item.codec, item.point, _size(item), item.count.call.value, f"{bound}{item.kmac_per_pixel:.2f}",
        f"{item.parameters:,d}", _mebibytes(item.weight_bytes), _mebibytes(item.activation_bytes),
        _integer(item.serial_steps), item.origin.value,
    ]  # fmt: skip


def _shares(item: Complexity, by: By) -> list[list[str]]:
    head = [item.codec, item.point, _size(item), item.count.call.value]
    return [
        [*head, name, f"{_kmac(item, macs):.2f}", f"{macs / item.total:.1%}"]
        for name, macs in _taken_apart(item, by).items()
    ]


def _check(check: ClaimCheck, conventions: Sequence[str]) -> list[str]:
    digits = check.digits
    counts = [f"{check.counts[name]:.{digits}f}" if name in check.counts else NONE for name in conventions]
    return [
        check.claim.codec,
        check.what,
        f"{check.claim.value:g} {check.claim.unit}",
        *counts,
        verdict_text(check),
        check.claim.source_id,
    ]


def _taken_apart(item: Complexity, by: By) -> Mapping[str, int]:
    choose: Mapping[By, Callable[[], Mapping[str, int]]] = {
        By.PART: lambda: item.count.by_part,
        By.LAYER: lambda: item.count.by_layer,
        By.OPERATOR: lambda: item.count.by_operator,
    }
    return choose[by]()


def _kmac(item: Complexity, macs: int) -> float:
    return macs / (item.count.width * item.count.height) / 1000


def _size(item: Complexity) -> str:
    return f"{item.count.width}x{item.count.height}"


def _mebibytes(number: int | None) -> str:
    return NONE if number is None else f"{number / MIB:.1f}"


def _integer(number: int | None) -> str:
    return NONE if number is None else f"{number:,d}"


def _numeric(lines: Rows, at: int) -> bool:
    return all(re.fullmatch(r"[≥ \d.,%]*|–", line[at]) for line in lines)


def _escaped(cell: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", cell).replace("≥", r"$\geq$").replace(NONE, "--")
