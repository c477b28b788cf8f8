"""Executes the shell steps of a GitHub workflow's job or a composite action, as GitHub's runner does.

What is done as there: the environment of workflow, job and step; `${{ }}` of inputs, env and steps; `if`; the shell
and its flags; the file behind GITHUB_STEP_SUMMARY; a failed step fails the job, and later steps run as their `if`
says. Steps that use other actions are not executed: they are listed, and their outputs are given. An expression that
is not known here is an error, never a guess.

    python tests/helpers/github_steps.py FILE...     passes the scripts of every step to shellcheck
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SHELLS = {
    "bash": ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail"),
    None: ("bash", "-e"),  # GitHub's default on Linux, which goes on after a failure inside a pipe
}
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_OUTCOME = re.compile(r"steps\.([\w-]+)\.outcome == '(\w+)'")


@dataclass(frozen=True)
class Step:
    """One step: its script and shell, or the action it uses."""

    name: str
    key: str
    condition: str
    script: str
    shell: str | None
    uses: str
    env: Mapping[str, str]
    given: Mapping[str, str]


@dataclass(frozen=True)
class Steps:
    """The steps of a job or of an action; `env` is of the workflow and the job, `inputs` an action's defaults."""

    steps: tuple[Step, ...]
    env: Mapping[str, str]
    inputs: Mapping[str, str]


@dataclass
class Job:
    """What became of a job. `outcome` is of every step by name: success, failure, skipped, or "used"."""

    outcome: dict[str, str] = field(default_factory=dict)
    log: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def failed(self) -> bool:
        """Whether the job is red."""
        return "failure" in self.outcome.values()


def read(path: Path) -> Steps:
    """The steps of a workflow with one job, or of a composite action."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "runs" in found:
        assert found["runs"]["using"] == "composite"
        inputs = {name: str(about.get("default", "")) for name, about in found["inputs"].items()}
        return Steps(tuple(_step(step, None) for step in found["runs"]["steps"]), {}, inputs)
    (job,) = found["jobs"].values()
    shell = found.get("defaults", {}).get("run", {}).get("shell")
    env = {name: str(value) for name, value in {**found.get("env", {}), **job.get("env", {})}.items()}
    return Steps(tuple(_step(step, shell) for step in job["steps"]), env, {})


def execute(
    steps: Steps,
    folder: Path,
    machine: Mapping[str, str],
    scratch: Path,
    inputs: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    outputs: Mapping[str, Mapping[str, str]] | None = None,
    done: Collection[str] = (),
) -> Job:
    """Run the steps in a folder, with the environment of a machine and a folder of the runner's own.

    `inputs` are an action's, `env` replaces values of the job's environment, `outputs` are those of the steps that use
    other actions, by id. `done` names steps that succeeded before and are not executed again.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    files = {name: scratch / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV")}
    for file in files.values():
        file.touch()
    runner = {**machine, **{name: str(file) for name, file in files.items()}, "RUNNER_TEMP": str(scratch)}
    job = Job()
    ids: dict[str, str] = {}
    known: dict[str, str] = {f"inputs.{name}": value for name, value in {**steps.inputs, **(inputs or {})}.items()}
    around = {**steps.env, **(env or {})}
    known |= {f"env.{name}": value for name, value in around.items()}
    for step in steps.steps:
        said, outcome = "", "skipped"
        if step.name in done:
            outcome = "success"
        elif _holds(step.condition, job, ids):
            if step.uses:
                outcome = "used"
                for name, value in (outputs or {}).get(step.key, {}).items():
                    known[f"steps.{step.key}.outputs.{name}"] = value
            else:
                own = {name: _filled(value, known) for name, value in {**around, **step.env}.items()}
                outcome, said = _run(step, folder, {**runner, **own}, scratch)
        job.outcome[step.name] = outcome
        job.log[step.name] = said
        if step.key:
            ids[step.key] = outcome
    for name in ("GITHUB_OUTPUT", "GITHUB_ENV"):
        assert not files[name].read_text(), f"a step wrote to {name}, which is not read here"
    job.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    return job


def _run(step: Step, folder: Path, env: Mapping[str, str], scratch: Path) -> tuple[str, str]:
    script = scratch / "step.sh"
    script.write_text(step.script, encoding="utf-8")
    command = [*SHELLS[step.shell], str(script)]
    done = subprocess.run(command, cwd=folder, env=dict(env), text=True, stdout=-1, stderr=subprocess.STDOUT)
    return ("failure" if done.returncode else "success"), f"{done.stdout}\n(exit code {done.returncode})"


def _step(described: Mapping[str, Any], shell: str | None) -> Step:
    known = {"name", "id", "if", "run", "shell", "uses", "env", "with"}
    assert set(described) <= known, f"{set(described) - known} of a step are not known here"
    script = described.get("run", "")
    assert "${{" not in script, f"an expression inside a script is code that others write: {script}"
    return Step(
        name=described.get("name") or described.get("uses") or script,
        key=described.get("id", ""),
        condition=described.get("if", "success()"),
        script=script,
        shell=described.get("shell", shell),
        uses=described.get("uses", ""),
        env={name: str(value) for name, value in described.get("env", {}).items()},
        given={name: str(value) for name, value in described.get("with", {}).items()},
    )


def _holds(condition: str, job: Job, ids: Mapping[str, str]) -> bool:
    inside = _EXPRESSION.fullmatch(condition)
    return all(_term(term.strip(), job, ids) for term in (inside[1] if inside else condition).split("&&"))


def _term(term: str, job: Job, ids: Mapping[str, str]) -> bool:
    if term in ("always()", "!cancelled()"):
        return True
    if term == "success()":
        return not job.failed
    wanted = _OUTCOME.fullmatch(term)
    assert wanted, f"the condition {term} is not known here"
    return ids.get(wanted[1]) == wanted[2]


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A value with its expressions; the outputs of a step that did not run are empty, as there."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in known:
            assert name.startswith("steps."), f"the expression {name} is not known here"
        return known.get(name, "")

    return _EXPRESSION.sub(value, text)


def main(files: list[str]) -> int:
    """Pass every script of workflows and actions to shellcheck; how many were found wanting."""
    wrong = 0
    for file in files:
        for step in read(Path(file)).steps:
            if step.script:
                said = subprocess.run(["shellcheck", "--shell=bash", "-"], input=step.script, text=True, stdout=-1)
                wrong += bool(said.returncode)
                print(f"{file}, {step.name}:\n{said.stdout}" if said.returncode else f"{file}, {step.name}: sound")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
