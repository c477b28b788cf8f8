"""How right a run's estimates of the time left were, replayed from its folder.

    python benchmarks/time_left.py RUN

Rows of a run with one worker say what each of their passes took. Replayed one after the other they give, at any row,
the time that was truly left and the time that would have been shown. Printed at each tenth of the run's time: the ratio
of what was shown to the truth; wanted from a tenth on are ratios between 0.5 and 1.5.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lic_bench.benchmark import network_work, run_folder
from lic_bench.benchmark.estimate import TimeLeft
from lic_bench.records import Measurement


def main(folder: Path) -> None:
    """Replay a run and print what came out."""
    header, rows = run_folder.read(folder)
    measured = [row for row in rows if isinstance(row, Measurement) and not row.from_cache]
    learned = tuple(job for job in header.jobs if header.card(job.codec) is not None)
    work, rate = network_work.of_jobs(learned, header.settings.device, header.settings.threads)
    left = TimeLeft(header.jobs, header.pictures, 1, work, rate)
    total = sum(sum(row.pass_seconds.values()) for row in measured)
    print(f"{len(measured)} rows, {total:.1f} s; shown before the first: {left.seconds():.1f} s")
    spent, tenth = 0.0, 1
    for row in measured[:-1]:
        left.row(row)
        spent += sum(row.pass_seconds.values())
        if spent >= tenth * total / 10:
            tenth = int(10 * spent / total) + 1
            print(
                f"{spent / total:4.0%} done: {left.seconds() / (total - spent):.2f} of the {total - spent:.1f} s left"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
