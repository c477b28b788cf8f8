"""Made-up runs for tests of what only reads runs: headers with cards, rows of classical and untrained codecs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from helpers.made_records import measurement
from lic_bench.analysis import anchor
from lic_bench.caveats import Caveat
from lic_bench.records import (
    Call,
    CardSummary,
    Job,
    MacCount,
    MemoryUse,
    PictureRecord,
    PointSummary,
    RunHeader,
    Settings,
    Training,
)
from lic_bench.registry import codecs
from lic_bench.report.content import gather

KODAK = tuple(f"kodim{number:02}" for number in range(1, 25))
PARTS = {"g_a": 400_000, "h_a": 100_000, "g_s": 500_000}


def card(name, place=0):
    """The summary of a codec's card, as a run keeps it; `place` counts the codecs that are not registered."""
    if name in codecs.names():
        return codecs.get(name).summary(codecs.names().index(name))
    points = tuple(PointSummary(str(label), "mse", str(label)) for label in range(1, 9))
    index = len(codecs.names()) + place
    return CardSummary(name, name, "none", "none", 0, None, True, False, points, colour_index=index)


def header(dataset="kodak", pictures=KODAK, names=(), **changes):
    """A finished run's header with a job and a card for each codec."""
    jobs = tuple(Job(codec, "1", Training.TRAINED, dataset, pictures) for codec in names)
    records = tuple(PictureRecord(name, 768, 512, f"{number:064x}") for number, name in enumerate(pictures))
    blank = RunHeader(
        "2026-11-20T13:00:00+00:00", ("lic-bench", "run"), "0.1.0", "abc1234", False, {"processor": "none"},
        {"torch": "2.14.1"}, Settings(), dataset, records, jobs,
        cards=tuple(card(name, place) for place, name in enumerate(names)), finished="2026-11-20T13:05:00+00:00",
    )  # fmt: skip
    return replace(blank, **changes)


def classical(codec="jpeg", factor=1.0, dataset="kodak", pictures=KODAK):
    """Rows whose rate is `factor` times that of the published VTM curve at its PSNR."""
    vtm = anchor.defaults("kodak")["psnr_db"]
    return [
        measurement(
            codec, point.label, picture, dataset=dataset, stream_bytes=round(factor * point.bpp * 768 * 512 / 8),
            psnr_db=point.psnr_db, ms_ssim=0.9 + 0.01 * place,
        )
        for place, point in enumerate(vtm.points)
        for picture in pictures
    ]  # fmt: skip


def untrained(codec="bmshj2018-hyperprior", dataset="kodak", **changes):
    """A row of an untrained network: counted, and without rate or distortion."""
    counts = tuple(MacCount(call, 768, 512, 1_000_000, PARTS) for call in Call)
    memory = (MemoryUse(Call.ENCODE, 10**8, 50 * 2**20), MemoryUse(Call.DECODE, 10**8, 60 * 2**20))
    return measurement(
        codec, "1", KODAK[0], dataset=dataset, training=Training.UNTRAINED, psnr_db=None, ms_ssim=None,
        stream_bytes=123456, payload_bits=987654, macs=counts, memory=memory, parameters=5_000_000,
        caveats=(Caveat.UNTRAINED,), **changes,
    )  # fmt: skip


def on_kodak(*rows, request=None):
    """What a report shows of `classical()` and further rows on Kodak, against the anchor asked for."""
    found = [*classical(), *rows]
    return gather(found, header(names=dict.fromkeys(row.codec for row in found)), request)


def figures(html):
    """The charts of a page, as plotly's dictionaries."""
    pattern = r'<script type="application/json" id="[^"]*">(.*?)</script>'
    return [json.loads(found) for found in re.findall(pattern, html, flags=re.DOTALL)]
