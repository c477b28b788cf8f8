"""What was installed is whole: data files travel with it, and the house's promises to readers hold."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import pytest

from lic_bench.analysis import published
from lic_bench.assets import datasets
from lic_bench.registry import codecs
from lic_bench.report import page

ROOT = Path(__file__).resolve().parent.parent


def test_cards_data_sets_evidence_and_templates_are_found() -> None:
    assert len(codecs.select("all")) >= 10
    assert {"kodak", "sample"} <= set(datasets.names())
    assert len(published.rd_points()) > 1000
    assert "<html" in page.resource("report.html")


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
