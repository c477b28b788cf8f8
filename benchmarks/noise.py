"""Checks of a model that did not change, on a machine with whatever noise it has: how many raise a false alarm?

    python benchmarks/noise.py --checks 200

Every check measures afresh, in fresh processes: the demonstration codec as it is, and the same codec with a decoder
that takes 1.5 times as long. Both are checked against the run of an earlier round, drawn with a fixed seed. Printed
are false alarms (there must be none), how often the slow decoder was caught, missed, and not comparable, and the same
over every pair of rounds. The runs are kept in --folder; with --checks 0 those kept before are judged again. The exit
code is 1 when there was a false alarm.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from lic_bench.zoo.demo import FACTORIZED
from PIL import Image as pillow

from lic_bench import __version__
from lic_bench.assets import datasets as described
from lic_bench.assets import weights
from lic_bench.assets.pictures import read
from lic_bench.benchmark import environment, run_folder
from lic_bench.benchmark.executors import processes
from lic_bench.check import baseline, text
from lic_bench.check.baseline import StoredRun
from lic_bench.check.compare import compare
from lic_bench.check.outcome import Outcome, Verdict
from lic_bench.check.quantity import QuantityKind
from lic_bench.codec import Codec, CodecCard, Image, OperatingPoint
from lic_bench.records import Call, Job, RunHeader, Settings, Training
from lic_bench.registry import codecs

SLOWER = 1.5
POINT = "2"
SIDE = 192
SEED = 2


class Slowed:
    """A codec whose decoder computes on for half as long again as it took."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec

    def __getattr__(self, name: str) -> object:
        return getattr(self.codec, name)

    def encode(self, image: Image) -> bytes:
        return self.codec.encode(image)

    def decode(self, stream: bytes) -> Image:
        begun = time.process_time()
        picture = self.codec.decode(stream)
        until = begun + SLOWER * (time.process_time() - begun)
        while time.process_time() < until:
            pass
        return picture


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Slowed:
    return Slowed(FACTORIZED.load(point, weights, device))


SLOW = replace(FACTORIZED, name="demo-factorized-slowed", loader=f"{Path(__file__).stem}:load")


def pictures(folder: Path, count: int) -> Path:
    """Small squares out of the sample pictures."""
    place = folder / "pictures"
    place.mkdir(parents=True, exist_ok=True)
    for picture in described.find("sample").pictures[:count]:
        image, _ = read(picture)
        pillow.fromarray(np.ascontiguousarray(image[:SIDE, :SIDE])).save(place / f"{picture.name}.png")
    return place


def job(folder: Path, reference: str, settings: Settings) -> Job:
    """The demonstration codec, or the slow one under its name."""
    file = weights.obtain(FACTORIZED, FACTORIZED.point(POINT))
    names = tuple(picture.name for picture in described.find(str(folder), None).pictures)
    return Job(
        codec=FACTORIZED.name,
        point=POINT,
        training=Training.TRAINED,
        dataset=str(folder),
        pictures=names,
        data=str(folder),
        weights=str(file.path),
        weights_sha256=file.sha256,
        reference=reference,
        settings=settings,
    )


def measured(done: Job, root: Path) -> None:
    """One run folder of one job, measured in fresh processes."""
    records = tuple(read(picture)[1] for picture in described.find(done.dataset, None).pictures)
    facts = environment.describe("cpu", done.settings.threads)
    header = RunHeader(
        started=run_folder.now(),
        command=environment.command(),
        lic_bench=__version__,
        commit=None,
        dirty=None,
        machine=facts,
        packages=environment.packages(),
        settings=done.settings,
        dataset=done.dataset,
        pictures=records,
        jobs=(done,),
    )
    run = run_folder.create(root, header)
    for row in processes.rows([done]):
        run.append(row)
    run.finish()


def decode_verdict(outcome: Outcome) -> Verdict:
    """The verdict on the time of decoding."""
    (verdict,) = (
        change.verdict
        for change in outcome.comparisons
        if change.quantity.kind is QuantityKind.TIME and change.quantity.call is Call.DECODE
    )
    return verdict


def alarms(outcome: Outcome) -> list[str]:
    """What a check of an unchanged model must not say: anything that fails, changed or became better."""
    fine = (Verdict.SAME, Verdict.NOT_COMPARABLE)
    moved = [change for change in outcome.comparisons if change.verdict not in fine]
    return [f"{change.quantity.name}: {change.verdict.value}: {text.sentence(change)}" for change in moved]


def judged(
    plain: Sequence[StoredRun], slow: Sequence[StoredRun], pairs: Iterator[tuple[int, int]]
) -> tuple[int, list[str]]:
    """False alarms over pairs of rounds (baseline, run), and the lines to print."""
    false: list[str] = []
    count, seen, unchanged = 0, Counter[str](), Counter[str]()
    for before, now in pairs:
        count += 1
        outcome = compare(plain[now], plain[before])
        false += [f"{plain[now].name} against {plain[before].name}: {alarm}" for alarm in alarms(outcome)]
        unchanged[decode_verdict(outcome).value] += 1
        seen[decode_verdict(compare(slow[now], plain[before])).value] += 1
    lines = [
        f"{count} checks of the unchanged codec: {len(false)} false alarms; decode time "
        + ", ".join(f"{word} {number}" for word, number in unchanged.most_common()),
        f"{count} checks of the codec with a {SLOWER} times slower decoder: "
        + ", ".join(f"{word} {number}" for word, number in seen.most_common()),
    ]
    return len(false), [*lines, *false[:20]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=200, help="how many rounds are measured (default 200)")
    parser.add_argument("--pictures", type=int, default=4, help=f"pictures of {SIDE} x {SIDE}, at most 4 (default 4)")
    parser.add_argument("--repeats", type=int, default=5, help="timed passes per picture (default 5, as lic-bench run)")
    parser.add_argument("--memory", action="store_true", help="measure memory too, in two more processes per run")
    parser.add_argument("--folder", type=Path, help="where runs are kept (default: a temporary folder)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        place = pictures(folder, given.pictures)
        settings = Settings(timing_repeats=given.repeats, timing_budget_seconds=60, memory=given.memory)
        codecs.get(f"{Path(__file__).resolve()}:SLOW")
        jobs = {
            name: job(place, reference, settings)
            for name, reference in (("plain", FACTORIZED.name), ("slow", f"{Path(__file__).resolve()}:SLOW"))
        }
        begun = time.monotonic()
        for _ in range(given.checks + (given.checks > 0)):  # one more: the first has nothing to be checked against
            for name, each in jobs.items():
                measured(each, folder / name)
        plain, slow = (
            [baseline.read_run(path.parent) for path in sorted((folder / name).glob("*/run.json"), key=_age)]
            for name in jobs
        )
        print(f"{len(plain)} rounds in {time.monotonic() - begun:.0f} s; {environment.processor()}")
        draw = random.Random(SEED)
        false, lines = judged(plain, slow, ((draw.randrange(now), now) for now in range(1, len(plain))))
        every, more = judged(plain, slow, combinations(range(len(plain)), 2))
        print("\n".join([*lines, "Every pair of rounds:", *more]))
    return 1 if false or every else 0


def _age(path: Path) -> tuple[float, str]:
    return path.stat().st_ctime, str(path)


if __name__ == "__main__":
    raise SystemExit(main())
