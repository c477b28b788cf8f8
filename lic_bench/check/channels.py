"""Whether the colour channels were exchanged: told from the errors between every pair of channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from lic_bench.check.outcome import Change, Verdict, found
from lic_bench.check.pairs import Pairs

Errors = Sequence[Sequence[float]]
"""3 x 3 mean squared errors: row i is the original's channel i, column j the decoded picture's channel j."""

NAMES = "RGB"
CLEARLY = 0.5
"""An order of channels explains what changed when it leaves less than this share of the change over."""


def compare(pairs: Pairs) -> Iterator[Change]:
    """One comparison where both runs kept the errors between channels."""
    known = [(b.channel_mse, n.channel_mse) for b, n in pairs.rows if b.channel_mse and n.channel_mse]
    if not known:
        return
    orders = [order(before, now) for before, now in known]
    most = max(set(orders), key=orders.count)
    if most == (0, 1, 2) or orders.count(most) * 2 <= len(orders):
        yield found(pairs.where, "channel order", Verdict.SAME, "red, green, blue, as before")
        return
    now_order = "".join(NAMES[channel] for channel in most)
    yield found(
        pairs.where, "channel order", Verdict.WORSE,
        f"the decoded picture's channels were exchanged: {NAMES} → {now_order}, on {orders.count(most)} of "
        f"{len(orders)} pictures",
        before=NAMES, now=now_order,
    )  # fmt: skip


def order(before: Errors, now: Errors) -> tuple[int, ...]:
    """Which former channel each decoded channel is now; (0, 1, 2) unless another order clearly explains the change."""
    best = min(permutations(range(3)), key=lambda candidate: _left_over(before, now, candidate))
    if _left_over(before, now, best) < CLEARLY * _left_over(before, now, (0, 1, 2)):
        return best
    return 0, 1, 2


def _left_over(before: Errors, now: Errors, order: Sequence[int]) -> float:
    return sum(abs(now[i][j] - before[i][order[j]]) for i in range(3) for j in range(3))
