"""Whether bitstreams and decoded pictures are the same: on the same machine bit by bit, and from a fresh process."""

from __future__ import annotations

from collections.abc import Iterator

from lic_bench.check.details import AgreementDetail, BitsDetail
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import Quantity, QuantityKind


def bit_by_bit(pairs: Pairs, limits: Limits) -> Change:
    """Whether bitstreams have the same lengths and decoded pictures the same bits; for runs of one machine only."""
    lengths = [now.picture for before, now in pairs.rows if before.stream_bytes != now.stream_bytes]
    decoded = [
        now.picture
        for before, now in pairs.rows
        if before.decoded_sha256 and now.decoded_sha256 and before.decoded_sha256 != now.decoded_sha256
    ]
    detail = BitsDetail(
        len(pairs.rows),
        len(lengths),
        len(decoded),
        "".join(lengths[:1]),
        "".join(decoded[:1]),
        all(row.decoded_sha256 for pair in pairs.rows for row in pair),
    )
    return Change(
        *pairs.where, Quantity(QuantityKind.BIT_BY_BIT), Verdict.CHANGED if lengths or decoded else Verdict.SAME,
        required=limits.exact_on_same_machine, detail=detail,
    )  # fmt: skip


def fresh_process(pairs: Pairs) -> Iterator[Change]:
    """Whether a process that has only the bitstream still decodes the same picture."""
    for before, now in pairs.rows:
        if before.fresh_process is None or now.fresh_process is None:
            continue
        was, agrees = before.fresh_process, now.fresh_process
        verdict = Verdict.SAME if was == agrees else Verdict.CHANGED
        if was.is_exact != agrees.is_exact:
            verdict = Verdict.WORSE if was.is_exact else Verdict.BETTER
        yield Change(
            *pairs.where, Quantity(QuantityKind.FRESH_PROCESS), verdict, picture=now.picture, before=was.kind.value,
            now=agrees.kind.value, detail=AgreementDetail(was, agrees),
        )  # fmt: skip
