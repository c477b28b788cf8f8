"""Made-up records for tests of what only reads records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lic_bench.records import Measurement, Training

_BLANK = Measurement(
    codec="codec",
    point="1",
    training=Training.NOT_LEARNED,
    dataset="set",
    picture="a",
    picture_sha256="00" * 32,
    width=768,
    height=512,
    stream_bytes=1000,
    payload_bits=8000,
    estimated_bits=None,
    psnr_db=30.0,
    ms_ssim=0.9,
    encode_seconds=(0.1, 0.1, 0.1),
    decode_seconds=(0.2, 0.2, 0.2),
)


def measurement(codec: str, point: str, picture: str, **changes: Any) -> Measurement:
    """A row with everything filled in."""
    return replace(_BLANK, codec=codec, point=point, picture=picture, **changes)
