"""What the fixture `lic_benchmark` gives to a test: runs that must be no worse than a baseline, times, the doctor."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from lic_bench.benchmark import timing
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.pytest_plugin import MESSAGES, UPDATES

if TYPE_CHECKING:
    import pandas as pd

    from lic_bench.api import Run
    from lic_bench.check.outcome import Outcome
    from lic_bench.doctor import Finding
    from lic_bench.records import Row

T = TypeVar("T")

Report = Callable[[str, object], None]
"""Adds a user property (name, value) to the report of a test."""


class RunCache:
    """The runs of a session by what was asked for, kept in its temporary folder."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._runs: dict[str, Run] = {}

    def get(self, options: Mapping[str, Any], report: Report) -> Run:
        """The run of these arguments of `lic_bench.run`, made when first asked for; what it leaves out is reported."""
        import lic_bench
        from lic_bench.benchmark import plan

        key = repr(sorted(options.items()))
        if key not in self._runs:
            self._runs[key] = lic_bench.run(**{"output": self._folders.mktemp("lic-bench"), **options})
            for sentence in plan.texts(self._runs[key].header.notes):
                report(MESSAGES, sentence)
        return self._runs[key]


@dataclass(frozen=True)
class ComparisonSettings:
    """What a test compares with unless it says otherwise, and how it reports what was compared."""

    baseline: Path | None
    limits: Path | None
    update: bool
    report: Report


class BenchmarkRun:
    """A run made for a test."""

    def __init__(self, run: Run, settings: ComparisonSettings) -> None:
        self.run = run
        self._settings = settings

    @property
    def folder(self) -> Path:
        """Where the run lies, with its page."""
        return self.run.folder

    @property
    def rows(self) -> tuple[Row, ...]:
        """A row per picture, of measurements and failures."""
        return self.run.rows

    def to_pandas(self) -> pd.DataFrame:
        """One line per measured picture, with the derived rates beside the raw figures."""
        return self.run.to_pandas()

    def no_worse(
        self, than: str | Path | None = None, limits: str | Path | None = None, only: Collection[str] = ()
    ) -> Outcome | None:
        """Fail the test where this run is worse than a baseline, naming each quantity, its part, before and now.

        `than` and `limits` win over `--lic-baseline` and `--lic-limits`; as every path in a test they are relative to
        where pytest was called. `only` narrows the comparison to quantities by name or glob ("psnr", "* macs"; case
        does not matter); for each of them something must then have been compared. A picture that failed and a codec
        that vanished fail in any case, and so does a run of which nothing could be compared. Without a baseline the
        test is skipped. What could not be compared is shown at the end of the session.

        With `--lic-update` nothing fails for being worse; None where there is no baseline yet.
        """
        __tracebackhide__ = True
        from lic_bench.check import diagnosis_text
        from lic_bench.pytest_plugin import assertions

        baseline = self._settings.baseline if than is None else Path(than)
        if baseline is None:
            why = "no baseline was given, so nothing was compared: --lic-baseline PATH, or no_worse(than=PATH)"
            self._settings.report(MESSAGES, why)
            pytest.skip(why)
        self._require_no_failure()
        if self._settings.update:
            self._settings.report(UPDATES, [str(self.folder.resolve()), str(baseline.resolve())])
            if not baseline.exists():
                self._settings.report(MESSAGES, f"nothing compared, {baseline} is not there yet")
                return None
        try:
            outcome = assertions.compared(
                self.folder, baseline, self._settings.limits if limits is None else Path(limits), only
            )
        except LicBenchError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        self._settings.report(MESSAGES, assertions.summary(outcome, only))
        if self._settings.update:
            for line in assertions.review(outcome):
                self._settings.report(MESSAGES, line)
        elif problems := assertions.problems(outcome, only):
            diagnoses = {} if only else outcome.diagnoses
            lines = [f"{codec}: {diagnosis_text.sentence(diagnosis)}" for codec, diagnosis in diagnoses.items()]
            raise AssertionError(
                "\n".join([f"This run is not shown to be no worse than {baseline}.", *lines, *problems])
            )
        return outcome

    def _require_no_failure(self) -> None:
        __tracebackhide__ = True
        failures = [
            f"{failure.codec} {failure.point} on {failure.picture or 'all pictures'}: {failure.reason}"
            for failure in self.run.failures
        ]
        if failures:
            raise AssertionError("\n".join(["This run is not whole.", *failures]))


class Benchmarks:
    """What a test asks for; see `lic_bench.pytest_plugin.plugin.lic_benchmark`."""

    def __init__(self, request: pytest.FixtureRequest, runs: RunCache, settings: ComparisonSettings) -> None:
        self._request = request
        self._runs = runs
        self._settings = settings

    def __call__(self, models: str | Sequence[str], dataset: str = "sample", **options: Any) -> BenchmarkRun:
        """Run codecs on pictures, as `lic_bench.run` with the same arguments; once per session for equal arguments.

        Runs are kept in pytest's temporary folder unless `output` says where. A wrong request fails the test with a
        sentence; a codec that breaks is a row of the run, on which `no_worse` fails.
        """
        __tracebackhide__ = True
        try:
            run = self._runs.get({"models": models, "dataset": dataset, **options}, self._settings.report)
        except LicBenchError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        return BenchmarkRun(run, self._settings)

    def doctor(
        self, model: str, point: str | None = None, weights: str | Path | None = None, device: str = "cpu"
    ) -> tuple[Finding, ...]:
        """Examine a codec as `lic-bench doctor` does, and fail the test where a finding is an error.

        Returns every finding; warnings are shown at the end of the session.
        """
        __tracebackhide__ = True
        from lic_bench.doctor import Level

        try:
            findings = examined(model, point, None if weights is None else Path(weights), device)
        except LicBenchError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        self._settings.report(MESSAGES, findings_line(model, findings))
        errors = [f"{each.check}: {each.sentence} {each.advice}" for each in findings if each.level is Level.ERROR]
        if errors:
            raise AssertionError("\n".join([f"{model} fails its examination.", *errors]))
        return findings

    def time(
        self,
        call: Callable[..., T],
        *arguments: object,
        device: str | None = None,
        synchronise: Callable[[], object] | None = None,
    ) -> T:
        """Time `call(*arguments)` with pytest-benchmark, and return what the call returns.

        The device is waited for before the first call and inside the clock after each, so that every reading of the
        clock finds it idle. `device` is by default that of the codec whose method is called, else "cpu".
        `synchronise` waits for a device other than cpu and cuda, as `torch.mps.synchronize` does. The device, the
        threads of torch and the warm-ups go into `extra_info`; the options of pytest-benchmark hold. Its own
        `--benchmark-only` keeps a test only when the test asks for the fixture `benchmark` as well.
        """
        __tracebackhide__ = True
        if not self._request.config.pluginmanager.hasplugin("benchmark"):
            pytest.fail(
                "lic_benchmark.time measures with pytest-benchmark, which is not installed or was switched off; "
                "`pip install pytest-benchmark`.",
                pytrace=False,
            )
        try:
            place = device_of(call, device)
            wait = synchronise or waiting(place)
        except RequestError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        benchmark = self._request.getfixturevalue("benchmark")

        def call_and_wait() -> T:
            result = call(*arguments)
            wait()
            return result

        warm_ups = timing.ACCELERATOR_WARM_UPS if benchmark.enabled and place != "cpu" else 0  # a CPU's is calibration
        wait()
        for _ in range(warm_ups):
            call_and_wait()
        benchmark.extra_info.update(conditions(place), warm_ups=warm_ups)
        result: T = benchmark(call_and_wait)
        return result


def examined(model: str, point: str | None, weights: Path | None, device: str) -> tuple[Finding, ...]:
    """What the doctor finds at one operating point, by default the first."""
    from lic_bench.doctor.checkpoint_checks import local_checkpoint
    from lic_bench.doctor.examination import examine
    from lic_bench.registry import codecs

    card = codecs.get(model)
    chosen = card.points[0] if point is None else card.point(point)
    return tuple(examine(card, chosen, weights or local_checkpoint(card, chosen), device))


def findings_line(model: str, findings: Collection[Finding]) -> str:
    """What the doctor found, in a line; warnings in their own words."""
    from lic_bench.doctor import Level

    count = Counter(finding.level for finding in findings)
    numbers = ", ".join(f"{count[level]} {level.value}" for level in Level if count[level])
    warnings = [f"{each.check}: {each.sentence}" for each in findings if each.level is Level.WARNING]
    return " ".join([f"{model} examined: {numbers}.", *warnings])


def device_of(call: object, asked: str | None) -> str:
    """Where a call runs: as asked, else on the device of the codec whose method it is, else on the CPU.

    Raises RequestError where the codec says that it runs elsewhere.
    """
    own = getattr(getattr(call, "__self__", None), "device", None)
    if own is None:
        return str(asked or "cpu")
    if asked is not None and _device_type(str(asked)) != _device_type(str(own)):
        raise RequestError(f"The codec runs on {own}, not on {asked}; what is timed would not be {asked}.")
    return str(asked or own)


def waiting(device: str) -> Callable[[], None]:
    """A function that waits for a device; RequestError for one that this package cannot wait for."""
    if _device_type(device) not in ("cpu", "cuda"):
        raise RequestError(
            f"Times on the device {device!r} need a way to wait for it: give `synchronise`, such as "
            f"torch.{_device_type(device)}.synchronize. A clock that does not wait shows less than the call takes."
        )
    return partial(timing.synchronise, device)


def conditions(device: str) -> dict[str, object]:
    """What a time depends on and pytest-benchmark does not record: the accelerator, and the threads of torch."""
    torch = sys.modules.get("torch")  # a codec without it has no such threads
    known: dict[str, object] = {"device": device}
    if torch is not None:
        known["torch_threads"] = torch.get_num_threads()
        if _device_type(device) == "cuda":
            known["accelerator"] = torch.cuda.get_device_name(device)
    return known


def _device_type(device: str) -> str:
    """ "cuda" of "cuda:1"."""
    return device.partition(":")[0]
