"""What a check compares: the kind of a quantity, with the call or metric it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lic_bench.records import Call


class QuantityKind(StrEnum):
    """The kinds of quantities that a check compares."""

    RUN = "run"
    DATA_SET = "data_set"
    CODEC = "codec"
    OPERATING_POINT = "operating_point"
    PICTURES = "pictures"
    CODING = "coding"
    WEIGHTS = "weights"
    PARAMETERS = "parameters"
    MACS = "macs"
    SERIAL_STEPS = "serial_steps"
    ACTIVATION_MEMORY = "activation_memory"
    STREAM_BYTES = "stream_bytes"
    PAYLOAD = "payload"
    ESTIMATED_RATE = "estimated_rate"
    CONTAINER = "container"
    PSNR = "psnr"
    MS_SSIM = "ms_ssim"
    SCORE = "score"  # of a further metric
    BD_RATE = "bd_rate"
    CHANNEL_ORDER = "channel_order"
    BIT_BY_BIT = "bit_by_bit"
    FRESH_PROCESS = "fresh_process"
    TIME = "time"
    MEMORY = "memory"


RATES = (QuantityKind.STREAM_BYTES, QuantityKind.PAYLOAD, QuantityKind.ESTIMATED_RATE)
"""Sums over pictures, compared in per cent."""

SCORES = (QuantityKind.PSNR, QuantityKind.MS_SSIM)
"""Means over pictures, compared by their difference."""

_NAMES = {QuantityKind.PSNR: "PSNR", QuantityKind.MS_SSIM: "MS-SSIM"}


@dataclass(frozen=True)
class Quantity:
    """One quantity: `call` for MACs, times and memory, `metric` for further scores and the BD-rate."""

    kind: QuantityKind
    call: Call | None = None
    metric: str = ""

    @property
    def name(self) -> str:
        """The name as shown and as asked for: "decode macs", "PSNR", "bd-rate (PSNR)", "lpips"."""
        if self.kind is QuantityKind.SCORE:
            return self.metric
        if self.kind is QuantityKind.BD_RATE:
            return f"bd-rate ({self.metric})"
        word = _NAMES.get(self.kind, self.kind.value.replace("_", " "))
        return word if self.call is None else f"{self.call.value} {word}"
