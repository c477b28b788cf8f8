"""Whether the colour channels were exchanged, from the errors between every pair of channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from lic_bench.check.details import ChannelsDetail
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import Quantity, QuantityKind

Errors = Sequence[Sequence[float]]
"""3 x 3 mean squared errors: row i is the original's channel i, column j the decoded picture's channel j."""

NAMES = "RGB"
UNCHANGED = (0, 1, 2)
CLEARLY = 0.5
"""An order of channels explains what changed when it leaves less than this share of the change over."""


def compare(pairs: Pairs) -> Iterator[Change]:
    """One comparison where both runs recorded the errors between channels."""
    known = [(before.channel_mse, now.channel_mse) for before, now in pairs.rows if before.channel_mse]
    orders = [order(before, now) for before, now in known if now]
    if not orders:
        return
    most = max(set(orders), key=orders.count)
    exchanged = orders.count(most) if most != UNCHANGED and orders.count(most) * 2 > len(orders) else 0
    yield Change(
        *pairs.where, Quantity(QuantityKind.CHANNEL_ORDER), Verdict.WORSE if exchanged else Verdict.SAME,
        before=NAMES, now="".join(NAMES[channel] for channel in most) if exchanged else NAMES,
        detail=ChannelsDetail(exchanged, len(orders)),
    )  # fmt: skip


def order(before: Errors, now: Errors) -> tuple[int, ...]:
    """Which former channel each decoded channel is now; (0, 1, 2) unless another order clearly explains the change."""
    best = min(permutations(range(3)), key=lambda candidate: _left_over(before, now, candidate))
    if _left_over(before, now, best) < CLEARLY * _left_over(before, now, UNCHANGED):
        return best
    return UNCHANGED


def _left_over(before: Errors, now: Errors, order: Sequence[int]) -> float:
    return sum(abs(now[i][j] - before[i][order[j]]) for i in range(3) for j in range(3))
