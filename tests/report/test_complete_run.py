"""A run folder is complete: its report is made again, byte for byte, on a machine without the measured codecs."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys

import pytest

import lic_bench
from lic_bench.benchmark import run_folder

CODECS = '''
from compressai.models import FactorizedPrior
from helpers.small_codecs import Skipping

from lic_bench.codec import CodecCard, OperatingPoint


class Learned(FactorizedPrior):
    """A network that loads its own weights."""

    lic_bench = {
        "title": "A learned codec",
        "trained": True,
        "trained_for": "ms-ssim",
        "points": {"narrow": {"N": 4, "M": 6}, "wide": {"N": 8, "M": 12}},
    }


def load(card, point, weights, device):
    return Skipping(int(point.settings["step"]))


STEPS = CodecCard(
    name="steps",
    title="Every n-th pixel",
    family="classical",
    paper="none",
    year=2026,
    licence="Apache-2.0",
    learned=False,
    points=tuple(OperatingPoint(str(step), settings={"step": step}) for step in (2, 3, 4, 6, 8)),
    loader=f"{__name__}:load",
)
'''

REPORT_WITHOUT_CODECS = """
import sys


class Uninstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[:2] in (["lic_bench", "registry"], ["lic_bench", "zoo"]):
            raise AssertionError(f"{name} is imported to make a report")


sys.meta_path.insert(0, Uninstalled())
import lic_bench

lic_bench.write_report(sys.argv[1])
"""

RUN = {run_folder.HEADER, run_folder.ROWS}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of two user-supplied codecs and one of the zoo; the user's module is deleted afterwards."""
    folder = tmp_path_factory.mktemp("user")
    module = folder / "my_codecs.py"
    module.write_text(CODECS)
    models = ["jpeg", f"{module}:Learned", f"{module}:STEPS"]
    run = lic_bench.run(
        models=models, dataset="sample", pictures=2, timing_repeats=1, timing_budget_seconds=0.1, memory=False,
        output=folder / "runs",
    )  # fmt: skip
    module.unlink()
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    assert not run.failures
    return run


@pytest.fixture(scope="module")
def made_again(made, tmp_path_factory):
    """The report of a copy of the run, made in a process that can import neither registry nor zoo."""
    folder = tmp_path_factory.mktemp("elsewhere") / "copy"
    folder.mkdir()
    for name in RUN:
        shutil.copy(made.folder / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-c", REPORT_WITHOUT_CODECS, str(folder)], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_report_is_the_same_without_the_codecs(made, made_again):
    files = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    again = {path.name: path.read_bytes() for path in made_again.iterdir()}
    assert {"report.html", "report.md", "report.csv", "report-bd.csv", "report-time.csv"} <= files.keys()
    assert again.keys() == files.keys()
    assert [name for name, content in files.items() if again[name] != content] == []


def test_a_deleted_codec_keeps_its_training_target(made_again):
    with (made_again / "report.csv").open(encoding="utf-8", newline="") as file:
        targets = {(line["codec"], line["trained for"]) for line in csv.DictReader(file)}
    assert ("learned", "ms-ssim") in targets


def test_each_codec_has_a_colour_of_its_own(made):
    indices = [card.colour_index for card in made.header.cards]
    assert len(set(indices)) == len(indices) == 3
