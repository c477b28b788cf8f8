"""The package as a pytest plug-in: the `lic_benchmark` fixture, its options, and the summary of a session.

pytest loads this file in every session of every environment that lic-bench is installed in; so it imports pytest and
nothing else until a test asks for the fixture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from lic_bench.pytest_plugin import MESSAGES, UPDATES

if TYPE_CHECKING:
    from lic_bench.pytest_plugin.fixture import Benchmarks, RunCache


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the same as settings of pytest's configuration file."""
    group = parser.getgroup("lic-bench", "lic-bench: no worse than a baseline")
    baseline = "baseline that lic_benchmark(...).no_worse() compares with: a run folder, or a JSON file"
    limits = "TOML file with the limits of what counts as worse"
    group.addoption("--lic-baseline", metavar="PATH", help=f"{baseline} [setting: lic_baseline]")
    group.addoption("--lic-limits", metavar="FILE", help=f"{limits} [setting: lic_limits]")
    group.addoption(
        "--lic-update",
        action="store_true",
        help="do not fail on what got worse: write the runs as new baselines, if every test that compares them passes",
    )
    parser.addini("lic_baseline", f"{baseline}; relative to the configuration file")
    parser.addini("lic_limits", f"{limits}; relative to the configuration file")


def pytest_configure(config: pytest.Config) -> None:
    """The session that reports to the user collects what the tests report; workers of pytest-xdist only measure."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SessionSummary(), "lic_bench_summary")


@pytest.fixture(scope="session")
def lic_bench_runs(tmp_path_factory: pytest.TempPathFactory) -> RunCache:
    """The runs made in this session, so that tests that ask for the same one share it."""
    from lic_bench.pytest_plugin.fixture import RunCache

    return RunCache(tmp_path_factory)


@pytest.fixture
def lic_benchmark(request: pytest.FixtureRequest, lic_bench_runs: RunCache) -> Benchmarks:
    """Measure codecs, time calls, examine a codec.

    `lic_benchmark(models="my-codec", dataset="sample").no_worse()` makes a run and compares it with the baseline.
    `lic_benchmark.time(codec.decode, stream)` times a call with pytest-benchmark, the device synchronised.
    `lic_benchmark.doctor("my-codec")` fails when a finding of the doctor is an error.
    """
    from lic_bench.pytest_plugin.fixture import Benchmarks, ComparisonSettings

    config = request.config
    properties = request.node.user_properties
    settings = ComparisonSettings(
        baseline=_path(config, "lic_baseline"),
        limits=_path(config, "lic_limits"),
        update=config.getoption("lic_update"),
        report=lambda name, value: properties.append((name, value)),
    )
    return Benchmarks(request, lic_bench_runs, settings)


class SessionSummary:
    """Collects what tests report of their comparisons; writes new baselines, and shows all at the end.

    Tests report by user properties, which travel with the report: from the workers of pytest-xdist, and into JUnit
    files.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.candidates: dict[str, list[str]] = {}  # by baseline: the run folders that were compared with it
        self.failed: dict[str, list[str]] = {}  # by baseline: the tests that failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test is over, here or in a worker."""
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == MESSAGES:
                self.lines.append(f"{report.nodeid}: {value}")
            elif name == UPDATES:
                run, baseline = cast("tuple[str, str]", value)
                self.candidates.setdefault(baseline, []).append(run)
                self.failed.setdefault(baseline, []).extend([] if report.passed else [report.nodeid])

    @pytest.hookimpl(tryfirst=True)  # temporary folders, and so the runs, may be removed as the session ends
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the baselines whose tests all passed; one that was asked for and is not written fails the session."""
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        whole = ended and not (session.shouldstop or session.shouldfail)
        for baseline, runs in self.candidates.items():
            from lic_bench.pytest_plugin.assertions import update

            if not whole:
                self.lines.append(f"{baseline} was not written, since the session was stopped before its end.")
                continue
            places = [Path(run) for run in dict.fromkeys(runs)]
            written, sentence = update(Path(baseline), places, list(dict.fromkeys(self.failed[baseline])))
            self.lines.append(sentence)
            if not written and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line per comparison: also a test that passed says what could not be compared."""
        if self.lines:
            terminalreporter.section("lic-bench")
            for line in self.lines:
                terminalreporter.write_line(line)


def _path(config: pytest.Config, name: str) -> Path | None:
    """An option's path, relative to where pytest was called; else the setting's, relative to its file."""
    option, setting = config.getoption(name), config.getini(name)
    if option:
        return Path(config.invocation_params.dir, option)
    return Path(config.inipath.parent if config.inipath else config.rootpath, setting) if setting else None
