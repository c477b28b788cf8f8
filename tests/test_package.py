"""The installed package is whole: data files travel with it, and what must answer at once imports nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import pytest

from lic_bench.analysis import published
from lic_bench.assets import datasets, resources
from lic_bench.registry import codecs

HEAVY = {"torch", "compressai", "pandas", "scipy", "plotly", "matplotlib", "skimage", "PIL", "numpy"}
ROOT = Path(__file__).resolve().parent.parent


def test_cards_data_sets_evidence_and_templates_are_found() -> None:
    assert len(codecs.select("all")) >= 10
    assert {"kodak", "sample"} <= set(datasets.names())
    assert len(published.rd_points()) > 1000
    assert "<html" in resources.text("reports", "report.html")


def test_only_our_own_name_is_installed() -> None:
    """Top-level names like `datasets` or `zoo` would hide other people's packages."""
    record = distribution("lic-bench").read_text("RECORD")
    if record is None or "__editable__" in record:
        pytest.skip("an editable install has no files of its own; the wheel is what is tested")
    tops = {line.split("/")[0] for line in record.splitlines() if not line.startswith("..")}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lic_bench"}


def test_the_demonstration_weights_are_small() -> None:
    sizes = [file.stat().st_size for file in Path(str(files("lic_bench.zoo.demo"))).glob("*.safetensors")]
    assert len(sizes) == 4
    assert sum(sizes) <= 8_000_000


@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="only in a checkout")
def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = re.findall(r"^(python3 -m venv .*tox run.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("arguments", [["--help"], ["models"], ["--version"]], ids=" ".join)
def test_what_must_answer_at_once_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from lic_bench.cli import main\n"
        f"sys.argv = ['lic-bench', *{arguments}]\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = f"import lic_bench, sys; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
