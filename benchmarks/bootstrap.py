"""What intervals cost: 2,000 paired resamples for 15 codecs on 24 pictures, against one anchor and between all pairs.

    OMP_NUM_THREADS=1 python benchmarks/bootstrap.py [ROUNDS]

Prints the median seconds and the largest difference from a loop that takes each resample's figure by scipy (the first
100 resamples of one pair).
"""

from __future__ import annotations

import sys
import time
from itertools import combinations
from statistics import median

import numpy as np

from lic_bench.analysis import bootstrap
from lic_bench.analysis.bdrate import bd_rate
from lic_bench.analysis.curves import RDCurve, RDPoint, Source, over_pictures
from lic_bench.analysis.interpolation import delta, in_unit, rising_line
from lic_bench.records import Origin

CODECS, PICTURES, POINTS = 15, 24, 6


def codec(number: int, random: np.random.Generator) -> RDCurve:
    """A codec whose rate differs from the others' by a few per cent, and by picture."""
    hardness = np.exp(np.random.default_rng(0).normal(0, 0.5, PICTURES))  # of the pictures: the same for all codecs
    factors = (1 - 0.01 * number) * np.exp(random.normal(0, 0.05, PICTURES))
    points = {
        str(place): {
            f"picture{at}": RDPoint(
                str(place), 0.1 * 1.7**place * hardness[at] * factors[at], 28 + 2.2 * place + random.normal(0, 0.05)
            )
            for at in range(PICTURES)
        }
        for place in range(POINTS)
    }
    return over_pictures(f"codec{number}", "", "made up", None, points, "stream", Source(Origin.MEASURED, "made up"))


def largest_difference(anchor: RDCurve, test: RDCurve, resamples: int = 100) -> float:
    """The largest difference between the vectorised figures and a loop over the same resamples."""
    fast = bootstrap.resampled(anchor.points, test.points, anchor.pictures, "psnr_db", "%").values[:resamples]
    slow = []
    for counts in bootstrap.drawn(PICTURES)[:resamples]:
        lines = []
        for curve in (anchor, test):
            pictures = [[point.by_picture[name] for name in anchor.pictures] for point in curve.points]
            rates = [np.average([one.bpp for one in row], weights=counts) for row in pictures]
            scores = [np.average([one.psnr_db for one in row], weights=counts) for row in pictures]
            lines.append(rising_line(np.array(rates), np.array(scores), "%"))
        slow.append(in_unit(delta(lines[0], lines[1]), "%"))
    return float(np.max(np.abs(fast - slow)))


def main(rounds: int) -> None:
    random = np.random.default_rng(1)
    some = [codec(number, random) for number in range(CODECS)]
    bd_rate(some[0], some[1])  # imports scipy
    seconds: dict[str, list[float]] = {"against one anchor": [], "between all pairs": []}
    for _ in range(rounds):
        start = time.perf_counter()
        found = [bd_rate(some[0], one) for one in some[1:]]
        seconds["against one anchor"].append(time.perf_counter() - start)
        start = time.perf_counter()
        found += [bd_rate(one, other) for one, other in combinations(some, 2)]
        seconds["between all pairs"].append(time.perf_counter() - start)
        assert all(figure.interval for figure in found)
    for what, each in seconds.items():
        print(f"{bootstrap.RESAMPLES} resamples, {CODECS} codecs, {PICTURES} pictures, {what}: {median(each):.2f} s")
    print(f"largest difference from the loop: {largest_difference(some[0], some[1]):.1e} points")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
