"""The floors of the house: imports go down only, and what must answer at once imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lic_bench

# Ground floor first. A module may import from floors at or below its own within its wing, never from above.
FLOORS = [
    {"errors", "records", "codec", "stream", "published", "fetch", "lock", "weights", "fetch_all", "doors"}
    | {"dataset_doors", "datasets", "learned", "pretend", "shortcuts"},
    {"zoo"},
    {"store", "catalogue", "brought", "brought_codec"},
    {"curves", "curve_files", "metrics", "scores", "operators", "op_log", "macs", "timing", "memory", "machine"},
    {"bdrate", "measure", "cost", "limits", "auditors", "convert"},
    {"check", "audit", "interchange", "starter"},
    {"report", "execute", "plan", "estimate", "plugins", "executors", "doctor"},
    {"runner"},
    {"show", "api", "cost_tables", "show_cost", "show_check"},
    {"cli", "no_worse", "testing", "pytest_plugin", "__main__", "__init__"},
]
ANALYSIS = {"curves", "bdrate", "check", "interchange", "report"}
MEASURING = {"metrics", "macs", "timing", "memory", "measure", "execute"}
HEAVY = {"torch", "compressai", "pandas", "scipy", "plotly", "matplotlib", "skimage", "PIL", "numpy"}


def sources() -> dict[str, Path]:
    package = Path(lic_bench.__file__).parent
    zoo = Path(next(p for p in lic_bench.__path__ if (Path(p) / "zoo").is_dir())) / "zoo"
    files = (path for path in package.rglob("*.py") if not {"zoo", "_data"} & {*path.parts})
    engine = {f"{p.relative_to(package).with_suffix('')}": p for p in files}
    return engine | {f"zoo/{p.relative_to(zoo).with_suffix('')}": p for p in zoo.rglob("*.py")}


def imported(path: Path) -> set[str]:
    """Rooms of the house a file imports: the first name below lic_bench."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            parts = node.module.split(".")
            if parts[0] == "lic_bench":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lic_bench.")}
    return found - {"__version__", "annotations"}


def floor(room: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number
    raise AssertionError(f"{room} stands on no floor; add it to FLOORS")


@pytest.mark.parametrize(("name", "path"), sources().items(), ids=list(sources()))
def test_imports_go_down_only(name: str, path: Path) -> None:
    room = name.split("/")[0]
    for other in imported(path) - {room}:
        assert floor(other) <= floor(room), f"{name} imports {other}, which stands above it"


def test_the_analysing_and_the_measuring_wing_do_not_know_each_other() -> None:
    for name, path in sources().items():
        room = name.split("/")[0]
        others = MEASURING - {"metrics"} if room in ANALYSIS else ANALYSIS if room in MEASURING else set()
        assert not imported(path) & others, f"{name} imports {imported(path) & others}"


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
