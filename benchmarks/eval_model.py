"""What a run costs beside CompressAI's own evaluation tool, for the same figures.

    python benchmarks/eval_model.py PICTURES CHECKPOINTS [--passes 3] [--pictures N] [MODEL ...]
    python benchmarks/eval_model.py PICTURES untrained bmshj2018-hyperprior cheng2020-anchor --pictures 4

PICTURES is a folder of pictures, CHECKPOINTS one with MODEL/POINT.pth.tar ("untrained": networks of full width with the
weights of a fixed seed, as one checkpoint that both tools read). Each pass runs the peer, the suite with one worker and
the suite with two, one after the other, as whole commands on one thread; the suite takes nothing from its cache, times
nothing, and writes its page. Printed per model: the median wall seconds, the median ratios to the peer of the same
pass, and the largest differences in bits, dB and MS-SSIM over all pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
UNTRAINED = "untrained"

Figures = Mapping[tuple[str, str], tuple[float, float, float]]
"""By checkpoint and picture: payload bits per pixel, PSNR in dB, MS-SSIM."""


def seconds(command: Sequence[str]) -> float:
    """Wall seconds of one command; its output is shown where it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def peer(model: str, pictures: Path, checkpoints: Sequence[Path], output: Path) -> tuple[float, Figures]:
    """CompressAI's eval_model on all checkpoints: its seconds and its figures."""
    command = [sys.executable, "-m", "compressai.utils.eval_model", "checkpoint", str(pictures), "-a", model]
    command += ["--per-image", "-d", str(output), "-p", *map(str, checkpoints)]
    took = seconds(command)
    found = {}
    for file in output.rglob("*.json"):
        result = json.loads(file.read_text())
        picture = result.get("source")
        if picture is not None:
            point = file.stem.removeprefix(f"{picture}-").removesuffix("-ans")
            figures = result["results"]
            found[point, picture] = (figures["bpp"], figures["psnr-rgb"], figures["ms-ssim-rgb"])
    return took, found


def suite(model: str, pictures: Path, checkpoints: Sequence[Path], output: Path, workers: int) -> tuple[float, Figures]:
    """`lic-bench run` on all checkpoints: its seconds and its figures."""
    command = [sys.executable, "-m", "lic_bench", "run", "--models", model, "--dataset", str(pictures), "--no-memory"]
    command += ["--weights", str(checkpoints[0].parent.parent), "--timing-budget", "0", "--workers", str(workers)]
    command += ["--points", ",".join(path.name.split(".")[0] for path in checkpoints), "--no-cache", "--new"]
    command += ["--output", str(output), "--no-download"]
    took = seconds(command)
    (rows,) = output.glob("*/measurements.jsonl")
    measured = map(json.loads, rows.read_text().splitlines())
    return took, {
        (row["point"], Path(row["picture"]).stem): (
            row["payload_bits"] / (row["width"] * row["height"]), row["psnr_db"], row["ms_ssim"],
        )
        for row in measured
    }  # fmt: skip


@contextmanager
def inputs(pictures: Path, checkpoints: str, models: Sequence[str], first: int | None) -> Iterator[tuple[Path, Path]]:
    """A folder with the first pictures, and one with the checkpoints of all models."""
    with tempfile.TemporaryDirectory() as scratch:
        chosen = Path(scratch) / "pictures"
        chosen.mkdir()
        for path in sorted(pictures.glob("*.png"))[:first]:
            (chosen / path.name).symlink_to(path.resolve())
        weights = Path(scratch) / "weights" if checkpoints == UNTRAINED else Path(checkpoints).resolve()
        if checkpoints == UNTRAINED:
            for model in models:
                _save_untrained(model, weights / model)
        yield chosen, weights


def _save_untrained(model: str, folder: Path) -> None:
    """A checkpoint with the weights of a fixed seed, of the first point."""
    import torch

    from lic_bench.codec import HasParts
    from lic_bench.registry import codecs

    card = codecs.get(model)
    codec = card.load(card.points[0])
    assert isinstance(codec, HasParts)
    folder.mkdir(parents=True)
    torch.save(codec.network.state_dict(), folder / f"{card.points[0].label}.pth.tar")


def main() -> None:
    """Compare the tools and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path, metavar="PICTURES")
    parser.add_argument("checkpoints", metavar="CHECKPOINTS")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--pictures", type=int)
    given = parser.parse_intermixed_args()
    models = given.models or ["bmshj2018-factorized", "mbt2018-mean"]
    print(f"{'model':24}{'peer':>9}{'1 worker':>10}{'2 workers':>11}{'ratio':>8}{'ratio':>8}   largest differences")
    with inputs(given.place, given.checkpoints, models, given.pictures) as (pictures, weights):
        for model in models:
            checkpoints = sorted((weights / model).glob("*.pth.tar"))
            taken: dict[str, list[float]] = {"peer": [], "1": [], "2": []}
            differences = [0.0, 0.0, 0.0]
            for _ in range(given.passes):
                with tempfile.TemporaryDirectory() as scratch:
                    took, theirs = peer(model, pictures, checkpoints, Path(scratch) / "peer")
                    taken["peer"].append(took)
                    for workers in (1, 2):
                        took, ours = suite(model, pictures, checkpoints, Path(scratch) / str(workers), workers)
                        taken[str(workers)].append(took)
                        assert ours.keys() == theirs.keys()
                        for key, figures in ours.items():
                            apart = [abs(a - b) for a, b in zip(figures, theirs[key], strict=True)]
                            differences = [max(pair) for pair in zip(differences, apart, strict=True)]
            ratios = [
                statistics.median(a / b for a, b in zip(taken[key], taken["peer"], strict=True)) for key in ("1", "2")
            ]
            peer_s, one, two = (statistics.median(taken[key]) for key in ("peer", "1", "2"))
            print(
                f"{model:24}{peer_s:9.1f}{one:10.1f}{two:11.1f}{ratios[0]:8.2f}{ratios[1]:8.2f}   "
                f"{differences[0]:.1e} bpp, {differences[1]:.1e} dB, {differences[2]:.1e} MS-SSIM",
                flush=True,
            )


if __name__ == "__main__":
    main()
