"""The action and the workflow: their shell steps, executed as a runner of GitHub does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from helpers import bare_machine, github_steps, small_codecs
from helpers.pictures import picture
from PIL import Image as pillow

import lic_bench
from lic_bench import scaffold
from lic_bench.check import baseline

ROOT = Path(__file__).resolve().parent.parent
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "examples" / "my-codec" / ".github" / "workflows" / "lic-bench.yml"
OURS = ROOT / ".github" / "workflows" / "ci.yml"
WHEEL = ("lic_bench", "zoo", "datasets", "reports", "examples", "pyproject.toml", "README.md", "LICENSE")
PAGE = {"upload": {"artifact-url": "https://example.org/artifact"}}
INPUTS = {
    "codecs": "jpeg",
    "beside": "",
    "dataset": "pictures",
    "run-options": "--points 50 --timing-repeats 0 --no-memory",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A machine with Python set up, where pip installs into a folder of its own."""
    place = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", place / "python"], check=True)
    sources = place / "action"
    for name in WHEEL:
        there = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        sources.mkdir(exist_ok=True)
        there(ROOT / name, sources / name)
    return bare_machine.environment(place / "bin", place / "python" / "bin") | {
        "GITHUB_ACTION_PATH": str(sources),
        "PIP_TARGET": str(place / "installed"),
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's repository: a package, two pictures, and a baseline of JPEG on them."""
    place = tmp_path_factory.mktemp("project")
    (place / "pyproject.toml").write_text(
        '[project]\nname = "a-project"\nversion = "1"\n[tool.setuptools]\npackages=[]'
    )
    (place / "pictures").mkdir()
    for seed in (1, 2):
        pillow.fromarray(picture(48, 32, seed)).save(place / "pictures" / f"{seed}.png")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(place)
        run = lic_bench.run(
            "jpeg", "pictures", points=("50",), timing_repeats=0, memory=False, output=place / "earlier"
        )
    baseline.write(baseline.read(run.folder), place / "baseline.json")
    return place


@pytest.fixture(scope="module")
def green(machine: Mapping[str, str], project: Path, tmp_path_factory: pytest.TempPathFactory) -> github_steps.Job:
    """The action, executed where nothing changed."""
    action = github_steps.read(ACTION)
    return github_steps.execute(action, project, machine, tmp_path_factory.mktemp("runner"), INPUTS, outputs=PAGE)


def test_the_action_is_green_where_nothing_changed(
    green: github_steps.Job, project: Path, machine: Mapping[str, str]
) -> None:
    assert not green.failed, green.log
    steps = [name for name, outcome in green.outcome.items() if outcome == "success"]
    assert steps == ["Install", "Doctor", "Run", "Check", "Summary"]
    assert "Successfully installed a-project-1 lic-bench" in green.log["Install"]
    reports = project / "lic-bench-reports"
    assert green.summary.startswith((reports / "check.md").read_text())
    assert (reports / "doctor.txt").read_text() in green.summary
    assert "[The page and every figure](https://example.org/artifact)" in green.summary
    assert ElementTree.parse(reports / "check.xml").getroot().get("failures") == "0"
    assert json.loads((reports / "check.json").read_text())["failed"] is False
    (page,) = (project / "runs").glob("*/report.html")
    assert "jpeg" in page.read_text()


@pytest.mark.usefixtures("green")
def test_what_the_action_installs_is_whole(machine: Mapping[str, str]) -> None:
    example = Path(machine["PIP_TARGET"]) / "lic_bench" / "_data" / "example"
    there = {str(file.relative_to(example)) for file in example.rglob("*") if file.is_file()}
    assert {file for file in there if not file.endswith(".pyc")} == {*scaffold.FILES}  # which pip compiles


@pytest.mark.usefixtures("green")
def test_a_worse_codec_fails_the_action_with_a_summary(
    machine: Mapping[str, str], project: Path, tmp_path: Path
) -> None:
    kept = baseline.read(project / "baseline.json")
    better = tuple(replace(row, psnr_db=row.psnr_db + 1) for row in kept.measured)
    baseline.write(replace(kept, rows=better), project / "better.json")
    job = check_alone(machine, project, tmp_path, "better.json")
    assert job.outcome["Check"] == "failure"
    assert "(exit code 1)" in job.log["Check"]
    assert job.failed
    assert job.outcome["Summary"] == "success"
    assert job.summary.startswith((project / "lic-bench-reports" / "check.md").read_text())
    assert re.search(r"jpeg.*psnr.*worse|worse.*jpeg.*psnr", job.summary.lower())
    assert int(ElementTree.parse(project / "lic-bench-reports" / "check.xml").getroot().get("failures") or 0) > 0


@pytest.mark.usefixtures("green")
def test_a_missing_baseline_is_named(machine: Mapping[str, str], project: Path, tmp_path: Path) -> None:
    job = check_alone(machine, project, tmp_path, "nowhere.json")
    assert "(exit code 2)" in job.log["Check"]
    assert "nowhere.json" in job.log["Check"]
    assert job.summary.startswith("Nothing was checked")


def test_a_failing_doctor_fails_the_action_after_the_run(
    machine: Mapping[str, str], project: Path, tmp_path: Path
) -> None:
    """The codec fails on pictures wider than 64, and those of the run are not."""
    fresh = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("runs", "lic-bench-reports"))
    failing = small_codecs.reference("BREAKING")
    options = INPUTS["run-options"].replace("50", "50,only")
    inputs = {**INPUTS, "codecs": failing, "beside": "jpeg", "run-options": options}
    action = github_steps.read(ACTION)
    job = github_steps.execute(action, fresh, machine, tmp_path / "runner", inputs, done=["Install"])
    assert {name for name, outcome in job.outcome.items() if outcome == "failure"} == {"Doctor"}, job.log
    assert job.failed
    assert job.outcome["Run"] == job.outcome["Check"] == job.outcome["Summary"] == "success"
    assert "too wide for me" in job.summary
    assert "(exit code 1)" in job.log["Doctor"]


def check_alone(machine: Mapping[str, str], project: Path, scratch: Path, against: str) -> github_steps.Job:
    """The action's last steps, in a project where the first ones were executed."""
    shutil.rmtree(project / "lic-bench-reports")
    inputs = {**INPUTS, "baseline": against}
    action = github_steps.read(ACTION)
    return github_steps.execute(action, project, machine, scratch, inputs, done=("Install", "Doctor", "Run"))


def test_the_action_and_the_workflow_run_the_same_scripts() -> None:
    action = {step.name: step.script for step in github_steps.read(ACTION).steps if step.script}
    workflow = {step.name: step.script for step in github_steps.read(WORKFLOW).steps if step.script}
    assert set(workflow) - set(action) == {"Tests"}
    assert {name for name in action if action[name] != workflow[name]} == {"Install"}


def test_the_documented_action_inputs_exist() -> None:
    page = (ROOT / "docs" / "your-codec.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    _, step = yaml.safe_load(example)
    assert set(step["with"]) <= set(github_steps.read(ACTION).inputs)


def test_our_own_workflow_runs_what_every_machine_runs() -> None:
    assert [step.script for step in github_steps.read(OURS).steps if step.script] == ["bash .ci/run"]


@pytest.mark.parametrize("path", [ACTION, WORKFLOW, OURS], ids=lambda path: path.name)
def test_actions_of_others_are_githubs_own_and_of_a_version(path: Path) -> None:
    for step in github_steps.read(path).steps:
        if step.uses:
            owner, _, version = step.uses.partition("@")
            assert owner.startswith("actions/")
            assert version.startswith("v")


def test_a_runner_does_with_steps_what_githubs_does(tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text("""
env: {WHO: workflow, WHERE: there}
jobs:
  only:
    env: {WHO: job}
    steps:
      - {name: default shell, run: "false | echo $WHO $WHERE"}
      - {name: pipe, id: pipe, shell: bash, run: "false | echo $WHO; echo not reached", env: {WHO: "${{ env.WHERE }}"}}
      - {name: after, run: "true"}
      - {name: say, if: "${{ always() && steps.pipe.outcome == 'failure' }}", run: "echo failed > $GITHUB_STEP_SUMMARY"}
      - {name: other, if: "!cancelled() && steps.pipe.outcome == 'success'", run: "true"}
      - {name: used, if: always(), uses: actions/cache@v4}
""")
    steps = github_steps.read(tmp_path / "workflow.yml")
    job = github_steps.execute(steps, tmp_path, {"PATH": os.environ["PATH"]}, tmp_path / "runner")
    assert list(job.outcome.values()) == ["success", "failure", "skipped", "success", "skipped", "used"]
    assert job.log["default shell"] == "job there\n\n(exit code 0)"
    assert job.log["pipe"] == "there\n\n(exit code 1)"
    assert job.summary == "failed\n"
    assert job.failed


@pytest.mark.parametrize(
    "step",
    [
        '{run: "echo ${{ github.event.title }}"}',
        '{run: "true", if: "github.actor == 1"}',
        "{run: x, timeout-minutes: 5}",
    ],
)
def test_what_a_runner_here_does_not_know_is_an_error(step: str, tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text(f"jobs: {{only: {{steps: [{step}]}}}}")
    with pytest.raises(AssertionError, match=r"not known here|code that others write"):
        github_steps.execute(github_steps.read(tmp_path / "workflow.yml"), tmp_path, {}, tmp_path)
