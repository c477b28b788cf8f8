"""Networks beside the figures in this folder.

In float64 a network rounds the same way on any machine, so symbols are compared exactly. In float32 a processor adds in
an order of its own, and a value next to a tie may be rounded the other way; whatever is coded later then differs too.
There all is compared up to the first symbol that differs, and `say` names what is not compared.
"""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from compressai.entropy_models import EntropyModel
from lic_bench.zoo.networks.coding import SymbolWriter, scale_indexes
from torch import Tensor, nn

LIMIT = 1e-4
"""Largest difference of a tensor, in its own standard deviations."""
LIMITS = {"x_hat": 1e-3}
NEAR = 3e-6
"""How near an edge of the scale table the authors' float32 may choose the other one, in deviations of the scales."""
FEW = 10
"""The most edges at which both sides are tried."""


class LessCompared(UserWarning):
    """On this machine a test compares less than it could; the warning says what and why."""


def say(line: str) -> None:
    """Show in pytest's summary what was not compared."""
    print(line)
    warnings.warn(line, LessCompared, stacklevel=3)


def expected(name: str) -> Any:
    """The figures of one network."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())


def layout(model: nn.Module) -> list[str]:
    """Names and shapes of the state dict, in order: "g_a.0.weight 128x3x5x5"."""
    return [f"{name} {'x'.join(map(str, tensor.shape))}" for name, tensor in model.state_dict().items()]


def difference(tensor: Tensor, summary: Mapping[str, Any]) -> float:
    """The largest difference at the sampled positions, in mean and in deviation, over the standard deviation."""
    assert list(tensor.shape) == summary.get("shape", list(tensor.shape))
    flat = tensor.detach().double().flatten()
    sampled = (flat[summary["at"]] - torch.tensor(summary["values"], dtype=torch.float64)).abs().max().item()
    moments = abs(flat.mean().item() - summary.get("mean", flat.mean().item())), abs(flat.std().item() - summary["std"])
    return float(max(sampled, *moments) / summary["std"])


def crc32(integers: Tensor) -> int:
    """The CRC-32 of integers written as little-endian int32 in row-major order."""
    return zlib.crc32(integers.detach().cpu().numpy().astype("<i4").tobytes())


@dataclass
class Group:
    """What a network codes at once: values less their means, before rounding, and the scales that choose the tables."""

    name: str
    values: Tensor
    scales: Tensor | None = None
    scale_table: Tensor | None = None
    indexes: Tensor = field(init=False)

    def __post_init__(self) -> None:
        if self.scales is None or self.scale_table is None:
            self.indexes = torch.zeros_like(self.values, dtype=torch.int32)
        else:
            self.indexes = scale_indexes(self.scales, self.scale_table)

    @property
    def symbols(self) -> Tensor:
        """The values rounded, int32."""
        return torch.round(self.values).int()

    def at_edges(self) -> tuple[Tensor, Tensor]:
        """Which scales lie at an edge of the table, and every index as it is on the other side."""
        if self.scales is None or self.scale_table is None:
            return torch.zeros_like(self.indexes, dtype=torch.bool), self.indexes
        near = NEAR * float(self.scales.std())
        below, above = (scale_indexes(self.scales + side * near, self.scale_table) for side in (-1, 1))
        return below != above, below + above - self.indexes


@dataclass
class Seen:
    """One pass: tensors by the names of the figures, z, and the groups of y in the order of coding."""

    tensors: dict[str, Tensor]
    z: Group
    y: list[Group]
    prior: EntropyModel
    conditional: EntropyModel | None
    string_per_group: bool = False

    def groups(self) -> list[Group]:
        """All groups in the order of coding."""
        return [self.z, *self.y]

    def z_string(self) -> bytes:
        """The string of z, from its symbols."""
        rows = torch.arange(self.z.values.shape[1], dtype=torch.int32).view(1, -1, 1, 1)
        return string(self.prior, [(self.z.symbols, rows.expand(self.z.values.shape))])

    def y_strings(self) -> list[bytes]:
        """The strings of y, from its symbols and indexes."""
        if self.conditional is None:
            return []
        coded = [(group.symbols, group.indexes) for group in self.y]
        parts = [[one] for one in coded] if self.string_per_group else [coded]
        return [string(self.conditional, part) for part in parts]


@dataclass(frozen=True)
class Figures:
    """What the authors' network gave; CRC-32s of symbols and of indexes are of single groups, or of all in one."""

    tensors: Mapping[str, Mapping[str, Any]]
    bits: Mapping[str, float]
    symbols: Sequence[int] = ()
    indexes: Sequence[int] = ()
    y_strings: Sequence[int] = ()
    z_string: int = 0
    z_symbols: int = 0
    z_table: int = 0


def string(model: EntropyModel, coded: Sequence[tuple[Tensor, Tensor]]) -> bytes:
    """Symbols and their table indexes as one string."""
    writer = SymbolWriter(model)
    for symbols, indexes in coded:
        writer.write(symbols, indexes)
    return bytes(writer.finish())


def differences(seen: Seen, figures: Figures) -> list[str]:
    """How a pass in float64 differs from the authors' figures; empty where it does not.

    The authors chose tables in float32: indexes at an edge of the scale table are moved to the side of theirs.
    """
    found = tensor_differences(seen, figures, [*figures.tensors])
    for name, bits in figures.bits.items():
        ours = float(-torch.log2(seen.tensors[f"likelihoods_{name}"].double()).sum())
        if not abs(ours / bits - 1) < 1e-7:
            found.append(f"{name} takes {ours:.2f} bits, not {bits:.2f}")
    parts = [seen.y] if len(figures.symbols) == 1 else [[group] for group in seen.y]
    for part, crc in zip(parts, figures.symbols, strict=bool(figures.symbols)):
        if crc32(_joined([group.symbols for group in part])) != crc:
            found.append(f"symbols of {part[0].name} differ")
    for part, crc in zip(parts, figures.indexes, strict=bool(figures.indexes)):
        if not _settle(part, lambda indexes, crc=crc: crc32(indexes) == crc):
            found.append(f"indexes of {part[0].name} differ")
    if not figures.indexes and seen.conditional is not None:
        made_of = partial(string, seen.conditional)
        parts = [[group] for group in seen.y] if seen.string_per_group else [seen.y]
        for part, crc in zip(parts, figures.y_strings, strict=True):
            flat = _joined([group.symbols for group in part])
            _settle(part, lambda indexes, flat=flat, crc=crc: zlib.crc32(made_of([(flat, indexes)])) == crc)
    if [zlib.crc32(one) for one in seen.y_strings()] != list(figures.y_strings):
        found.append("strings of y differ")
    if crc32(seen.z.symbols) != figures.z_symbols:
        found.append("symbols of z differ")
    elif crc32(seen.prior.quantized_cdf) != figures.z_table:
        say("This machine's float32 makes another table for z than the authors', so the string of z is not compared.")
    elif zlib.crc32(seen.z_string()) != figures.z_string:
        found.append("the string of z differs")
    return found


def tensor_differences(seen: Seen, figures: Figures, names: Sequence[str]) -> list[str]:
    """Which of these tensors differ from the authors' figures by more than rounding."""
    found = {name: difference(seen.tensors[name], figures.tensors[name]) for name in names}
    return [
        f"{name} differs by {by:.1e} of its deviation" for name, by in found.items() if not by < LIMITS.get(name, LIMIT)
    ]


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])


def _settle(groups: list[Group], right: Callable[[Tensor], bool]) -> bool:
    """Whether the indexes are right, or were made so by moving some at edges to the other side."""
    indexes, near, other = (
        _joined(list(parts)) for parts in zip(*((g.indexes, *g.at_edges()) for g in groups), strict=True)
    )
    edges = near.nonzero().flatten().tolist()
    for count in range(len(edges) + 1 if len(edges) <= FEW else 1):
        for moved in combinations(edges, count):
            tried = indexes.clone()
            tried[list(moved)] = other[list(moved)]
            if right(tried):
                sizes = [group.indexes.numel() for group in groups]
                for group, part in zip(groups, tried.split(sizes), strict=True):
                    group.indexes = part.view(group.indexes.shape)
                return True
    return False


def float32_is_equal(name: str, ours: Seen, exact: Seen) -> bool:
    """Whether float32 on this machine gives the symbols of float64; all is compared up to the first other one.

    Raises AssertionError where values differ by more than rounding before that. Where one symbol differs, says so, with
    the share of symbols that differ in each group from it on.
    """
    pairs = list(zip(ours.groups(), exact.groups(), strict=True))
    for place, (mine, true) in enumerate(pairs):
        assert _apart(mine.values, true.values) < LIMIT, f"values of {true.name} differ by more than rounding"
        if mine.scales is not None and true.scales is not None:
            assert _apart(mine.scales, true.scales) < LIMIT, f"scales of {true.name} differ by more than rounding"
        if not torch.equal(mine.symbols, true.symbols):
            shares = {t.name: float((m.symbols != t.symbols).double().mean()) for m, t in pairs[place:]}
            followed = ", ".join(f"{group} {share:.3%}" for group, share in shares.items())
            say(
                f"{name}: in float32 this machine rounds {int((mine.symbols != true.symbols).sum())} symbols of "
                f"{true.name} to the other side of a tie. What is made from them is compared in float64 alone. "
                f"Symbols that differ: {followed}."
            )
            return False
    print(f"{name}: in float32 this machine gives all the symbols of float64.")
    return True


def _apart(ours: Tensor, exact: Tensor) -> float:
    return float((ours.double() - exact.double()).abs().max() / exact.double().std())


@torch.no_grad()
def compressed(network: nn.Module, x: Tensor) -> tuple[dict[str, Any], list[tuple[Tensor, Tensor]]]:
    """What `compress` returns, and the symbols and indexes of z and of every group of y as they were written."""
    written: list[tuple[Tensor, Tensor]] = []
    write, compress = SymbolWriter.write, EntropyModel.compress

    def ours(writer: SymbolWriter, symbols: Tensor, indexes: Tensor) -> None:
        written.append((symbols, indexes))
        write(writer, symbols, indexes)

    def compressais(model: EntropyModel, inputs: Tensor, indexes: Tensor, means: Tensor | None = None) -> Any:
        written.append((model.quantize(inputs, "symbols", means), indexes))
        return compress(model, inputs, indexes, means)

    with patch.object(SymbolWriter, "write", ours), patch.object(EntropyModel, "compress", compressais):
        return network.compress(x), written  # type: ignore[operator]


def float32_strings_are_equal(
    name: str, out: dict[str, Any], written: Sequence[tuple[Tensor, Tensor]], exact: Seen
) -> bool:
    """Whether a stream made in float32 holds the symbols and indexes of float64; if so, its bytes must be the authors'.

    `exact` went through `differences` before, which makes its indexes and strings the authors'.
    """
    for (symbols, indexes), group in zip(written, exact.groups(), strict=True):
        for what, these, those in (("symbols", symbols, group.symbols), ("indexes", indexes, group.indexes)):
            differ = 0 if what == "indexes" and group is exact.z else int((these.flatten() != those.flatten()).sum())
            if differ:
                say(
                    f"{name}: in float32 this machine writes {differ} other {what} of {group.name} than float64, so "
                    "the bytes of its stream are not compared."
                )
                return False
    strings = [s for kind in out["strings"] for s in kind]
    assert strings == [*exact.y_strings(), exact.z_string()]
    return True
