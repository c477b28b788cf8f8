"""How long the report of a large run takes.

    python benchmarks/report.py [--codecs 15] [--pictures 24] [--points 6]

A made-up run of that many codecs, pictures and points, with scores, times and caveats as real rows have them, is
written to a temporary folder, and `lic-bench report` is timed on it as a whole command, against the published VTM curve
and with intervals over pictures.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lic_bench.benchmark import run_folder
from lic_bench.records import (
    CardSummary,
    Job,
    Measurement,
    PictureRecord,
    PointSummary,
    RunHeader,
    Settings,
    Training,
)


def header(codecs: int, pictures: int, points: int) -> RunHeader:
    """The header of a made-up run on Kodak."""
    labels = tuple(PointSummary(str(label), "mse", str(label)) for label in range(points))
    names = tuple(f"kodim{number:02}" for number in range(1, pictures + 1))
    cards = tuple(
        CardSummary(f"codec{i}", f"Codec {i}", "made up", "none", 2026, None, True, False, labels, colour_index=i)
        for i in range(codecs)
    )
    jobs = tuple(Job(card.name, p.label, Training.TRAINED, "kodak", names) for card in cards for p in labels)
    records = tuple(PictureRecord(name, 768, 512, f"{number:064x}") for number, name in enumerate(names))
    return RunHeader(
        "2026-01-01T00:00:00Z", ("lic-bench", "run"), "0.1.0", None, None, {"processor": "made up"}, {}, Settings(),
        "kodak", records, jobs, cards=cards, finished="2026-01-01T01:00:00Z",
    )  # fmt: skip


def rows(made: RunHeader) -> list[Measurement]:
    """A row per job and picture: rates and scores along a curve, moved a little by codec and picture."""
    random.seed(1)
    shifts = {job.codec: 1 + 0.02 * random.random() for job in made.jobs}
    found = []
    for job in made.jobs:
        step = int(job.point)
        for picture in made.pictures:
            busy = random.uniform(0.8, 1.25)
            bits = int(39_000 * 1.7**step * shifts[job.codec] * busy)
            seconds = tuple(random.uniform(0.1, 0.11) for _ in range(5))
            found.append(
                Measurement(
                    job.codec,
                    job.point,
                    job.training,
                    "kodak",
                    picture.name,
                    picture.sha256,
                    768,
                    512,
                    bits // 8 + 20,
                    bits,
                    float(bits),
                    26.5 + 2.2 * step + random.gauss(0, 0.2),
                    1 - 0.1 * 0.6**step,
                    encode_seconds=seconds,
                    decode_seconds=seconds,
                    encode_cpu_seconds=seconds,
                    decode_cpu_seconds=seconds,
                    parameters=1_000_000,
                )
            )
    return found


def main() -> None:
    """Write the run, time the report, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("codecs", 15), ("pictures", 24), ("points", 6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    made = header(given.codecs, given.pictures, given.points)
    measured = rows(made)
    with tempfile.TemporaryDirectory() as scratch:
        folder = run_folder.create(Path(scratch), made)
        text = "".join(run_folder.as_json(row) + "\n" for row in measured)
        (folder.path / run_folder.ROWS).write_text(text, encoding="utf-8")
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lic_bench", "report", str(folder.path)], check=True)
        took = time.perf_counter() - start
        size = (folder.path / "report.html").stat().st_size
    print(f"{len(measured)} rows: {took:.1f} s, a page of {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
