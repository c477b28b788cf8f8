"""The pytest plug-in: light where it is not asked for, open about what was compared; devices are waited for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import small_codecs
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.check import baseline
from lic_bench.check.details import FactChange, NotComparable, NotCompared, PictureCount
from lic_bench.check.outcome import Change, Outcome, Verdict
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.doctor import Level
from lic_bench.pytest_plugin.assertions import problems, summary, update
from lic_bench.pytest_plugin.fixture import BenchmarkRun, Benchmarks
from lic_bench.records import Call

pytest_plugins = ["pytester"]

QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that a test begins is no worker of the one that runs the tests, in which nothing is timed."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


ACCELERATOR = """
import time

import pytest


class Accelerator:
    '''Puts calls in a queue and works them off when it is waited for.'''

    def __init__(self):
        self.queued, self.seen, self.device = 0, [], "abacus:0"

    def decode(self, stream):
        self.queued += 1
        self.seen.append("call")
        return stream[::-1]

    def wait(self):
        self.queued = 0
        self.seen.append("wait")


accelerator = Accelerator()


def clock():
    assert accelerator.queued == 0, "the clock was read while work was queued"
    return time.perf_counter()


"""


def test_a_session_that_does_not_ask_for_it_imports_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_light(pytestconfig):
            assert pytestconfig.pluginmanager.get_plugin("lic_bench").__name__ == "lic_bench.pytest_plugin.plugin"
            ours = {name for name in sys.modules if name.startswith("lic_bench")}
            light = {"lic_bench", "lic_bench.compressai_imports"}
            assert ours == light | {"lic_bench.pytest_plugin", "lic_bench.pytest_plugin.plugin"}
            heavy = {"torch", "compressai", "numpy", "pandas", "scipy", "PIL", "typer", "rich", "pydantic"}
            assert not heavy & set(sys.modules)
        """
    )
    done = pytester.runpytest_subprocess(*QUIET)
    done.assert_outcomes(passed=1)
    assert "= lic-bench =" not in done.stdout.str()


def test_the_clock_is_read_when_the_device_is_idle(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        ACCELERATOR
        + """
@pytest.mark.benchmark(timer=clock, min_rounds=2, max_time=0.001, min_time=0.000001)
def test_time(lic_benchmark, benchmark):
    assert lic_benchmark.time(accelerator.decode, b"ab", synchronise=accelerator.wait) == b"ba"
    assert accelerator.seen[0] == "wait"
    assert set(zip(accelerator.seen[1::2], accelerator.seen[2::2], strict=True)) == {("call", "wait")}
    assert accelerator.seen.count("call") >= 3 + 2
    assert benchmark.extra_info["device"] == "abacus:0"
    assert benchmark.extra_info["warm_ups"] == 3
    assert len(benchmark.stats.stats.data) >= 2
"""
    )
    done = pytester.runpytest(*QUIET)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["test_time*"])


def test_the_clock_of_this_test_notices_a_device_not_waited_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        ACCELERATOR
        + """
@pytest.mark.benchmark(timer=clock)
def test_time(lic_benchmark):
    lic_benchmark.time(accelerator.decode, b"ab", synchronise=lambda: None)
"""
    )
    done = pytester.runpytest(*QUIET)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*the clock was read while work was queued*"])


def test_a_wrong_request_fails_the_test_with_a_sentence(lic_benchmark: Benchmarks) -> None:
    class OnAbacus:
        device = "abacus:0"

        def decode(self, stream: bytes) -> bytes:
            return stream

    with pytest.raises(
        pytest.fail.Exception, match=r"'abacus:0' need a way to wait for it.*torch\.abacus\.synchronize"
    ):
        lic_benchmark.time(OnAbacus().decode, b"")
    with pytest.raises(pytest.fail.Exception, match="runs on abacus:0, not on cpu"):
        lic_benchmark.time(OnAbacus().decode, b"", device="cpu")
    with pytest.raises(pytest.fail.Exception, match="Did you mean jpeg"):
        lic_benchmark("jpge")


def test_times_on_a_processor_need_no_device(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_time(lic_benchmark, benchmark):
            assert lic_benchmark.time(sorted, [2, 1]) == [1, 2]
            assert benchmark.extra_info["device"] == "cpu"
            assert benchmark.extra_info["warm_ups"] == 0
        """
    )
    pytester.runpytest(*QUIET, "--benchmark-disable").assert_outcomes(passed=1)


OPTIONS = {"device": "cpu", "timing_repeats": 1, "timing_budget_seconds": 1, "memory": False}
"""Options that keep a run short."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    for name, width, height in (("a.png", 96, 32), ("b.png", 40, 56)):
        pillow.fromarray(picture(width, height, seed=ord(name[0]))).save(place / name)
    return place


@pytest.fixture
def run(lic_benchmark: Benchmarks, pictures: Path) -> BenchmarkRun:
    """The same run for all tests of this file: it is made when it is first asked for."""
    skipping = small_codecs.reference("SKIPPING")
    return lic_benchmark(skipping, str(pictures), points=("2", "4"), **OPTIONS)


def baseline_of(run: Path, path: Path, **changes: float) -> Path:
    """A baseline of a run, in which the first row differs by some figures."""
    first, *others = (whole := baseline.read(run)).rows
    changed = replace(first, **{name: getattr(first, name) + more for name, more in changes.items()})
    baseline.write(replace(whole, rows=(changed, *others)), path)
    return path


def test_a_run_is_made_once_and_is_no_worse_than_itself(
    run: BenchmarkRun, lic_benchmark: Benchmarks, pictures: Path, tmp_path: Path
) -> None:
    skipping = small_codecs.reference("SKIPPING")
    assert run.run is lic_benchmark(skipping, str(pictures), points=("2", "4"), **OPTIONS).run
    assert len(run.to_pandas()) == len(run.rows) == 4
    outcome = run.no_worse(than=baseline_of(run.folder, tmp_path / "baseline.json"))
    assert outcome is not None
    assert Verdict.SAME in outcome.counts
    run.no_worse(than=run.folder, only=("psnr", "stream*"))


def test_what_got_worse_is_named_with_before_and_now(run: BenchmarkRun, tmp_path: Path) -> None:
    better = baseline_of(run.folder, tmp_path / "better.json", psnr_db=3.0, stream_bytes=-500)
    with pytest.raises(AssertionError) as failure:
        run.no_worse(than=better)
    said = str(failure.value).splitlines()
    bytes_now = 2 * small_codecs.HEADER_BYTES + 3 * (48 * 16 + 20 * 28)  # every second row and column
    changed = f"skipping 2: stream bytes: {bytes_now - 500:,} → {bytes_now:,} bytes over 2 pictures"
    assert any(line.startswith(changed) for line in said)
    assert any(line.startswith("skipping 2: PSNR: ") and "-3.000 dB" in line for line in said)
    with pytest.raises(AssertionError) as narrowed:
        run.no_worse(than=better, only=("stream*",))
    assert "PSNR" not in str(narrowed.value)


def test_limits_decide_what_is_worse(run: BenchmarkRun, tmp_path: Path) -> None:
    better = baseline_of(run.folder, tmp_path / "better.json", psnr_db=3.0)
    (tmp_path / "limits.toml").write_text("psnr_db = 4.0\nbd_rate_percent = 100\n")
    run.no_worse(than=better, limits=tmp_path / "limits.toml")
    with pytest.raises(AssertionError, match="skipping 2: PSNR: "):
        run.no_worse(than=better)


def test_a_run_of_which_nothing_could_be_compared_fails(run: BenchmarkRun) -> None:
    why = "(too few samples|other programs were using the processor)"  # as the machine is quiet or busy
    with pytest.raises(
        AssertionError,
        match=rf"Asked for and not compared: \* time\. .*\nNot comparable: encode time, decode time: {why}",
    ):
        run.no_worse(than=run.folder, only=("* time", "psnr"))


def test_no_baseline_is_no_success(run: BenchmarkRun, tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="no baseline was given, so nothing was compared"):
        run.no_worse()
    with pytest.raises(pytest.fail.Exception, match="no baseline at"):
        run.no_worse(than=tmp_path / "nowhere.json")


def test_a_picture_that_failed_fails(lic_benchmark: Benchmarks, pictures: Path) -> None:
    run = lic_benchmark(small_codecs.reference("BREAKING"), str(pictures), **OPTIONS)
    with pytest.raises(AssertionError, match=r"breaking only on a\.png: .*too wide for me"):
        run.no_worse(than=run.folder)


def test_what_a_run_leaves_out_is_reported(
    lic_benchmark: Benchmarks, pictures: Path, request: pytest.FixtureRequest
) -> None:
    lic_benchmark("jpeg,asymmetric-published", str(pictures), pictures=1, **OPTIONS)
    (said,) = (message for _, message in request.node.user_properties)
    assert said.startswith("asymmetric-published: ")
    assert "not run, only counted and audited" in said


PSNR = Quantity(QuantityKind.PSNR)
OTHER_MACHINE = NotCompared(NotComparable.OTHER_MACHINE, facts=(FactChange("processor", "one", "two"),))


def few(quantity: Quantity, before: int) -> Change:
    """A time of which there are too few samples."""
    detail = NotCompared(NotComparable.TOO_FEW_SAMPLES, samples=(before, 1))
    return Change("codec", "1", quantity, Verdict.NOT_COMPARABLE, detail=detail)


def test_a_summary_gives_each_reason_once() -> None:
    encode, decode = (Quantity(QuantityKind.TIME, call) for call in (Call.ENCODE, Call.DECODE))
    same = Change("codec", "1", PSNR, Verdict.SAME)
    away = [Change("codec", "1", time, Verdict.NOT_COMPARABLE, detail=OTHER_MACHINE) for time in (encode, decode)]
    outcome = Outcome("run", "baseline", (same, *away, few(encode, 1), few(encode, 10)))
    assert summary(outcome).splitlines() == [
        "no worse than baseline: 4 not comparable, 1 same.",
        "    Not comparable: encode time, decode time: another machine: processor: one → two (and 1 like it).",
        "    Not comparable: encode time: too few samples (1 before, 1 now); more pictures or a larger --timing-budget "
        "help (and 1 like it).",
    ]


def test_nothing_compared_is_a_problem() -> None:
    away = Change("codec", "1", PSNR, Verdict.NOT_COMPARABLE, detail=OTHER_MACHINE)
    whole = Change("", "", Quantity(QuantityKind.DATA_SET), Verdict.SAME, detail=PictureCount(2))
    outcome = Outcome("run", "baseline", (whole, away))
    assert problems(outcome) == [
        "Nothing could be compared.",
        "Not comparable: PSNR: another machine: processor: one → two.",
    ]
    assert summary(outcome).startswith("not shown to be no worse than baseline: ")


SESSION = """
OPTIONS = {{"timing_repeats": 1, "memory": False}}

def test_no_worse(lic_benchmark):
    run = lic_benchmark({codec!r}, {pictures!r}, **OPTIONS)
    run.no_worse()

def test_failing(lic_benchmark):
    run = lic_benchmark({codec!r}, {pictures!r}, **OPTIONS)
    run.no_worse(than="other.json")
    assert False
"""


def test_a_session_whose_tests_pass_updates_its_baseline(
    pytester: pytest.Pytester, run: BenchmarkRun, pictures: Path
) -> None:
    run.no_worse(than=run.folder)  # what that imports must be imported before the sessions inside this one begin
    pytester.makeini("[pytest]\nlic_baseline = kept/baseline.json\n")
    pytester.makepyfile(SESSION.format(codec=small_codecs.reference("LOSSLESS"), pictures=str(pictures)))
    written = pytester.path / "kept" / "baseline.json"

    done = pytester.runpytest(*QUIET, "-o", "lic_baseline=")
    done.assert_outcomes(skipped=1, failed=1)
    done.stdout.fnmatch_lines(["There is no run and no baseline at other.json.*"])
    assert "During handling" not in done.stdout.str()
    done.stdout.fnmatch_lines(["*::test_no_worse: no baseline was given, so nothing was compared: *"])

    done = pytester.runpytest(*QUIET, "--lic-update")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*::test_no_worse: nothing compared, *baseline.json is not there yet"])
    done.stdout.fnmatch_lines(["*kept/baseline.json was written: the new baseline."])
    done.stdout.fnmatch_lines(["*other.json was not written, since a test of its run failed: *::test_failing."])
    assert not (pytester.path / "other.json").exists()

    first = written.read_bytes()
    done = pytester.runpytest(*QUIET)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*::test_no_worse: no worse than *kept/baseline.json: *same.", "    Not comparable: *"])
    assert written.read_bytes() == first

    before = baseline_of(written, written, stream_bytes=-500).read_bytes()
    done = pytester.runpytest(*QUIET, "--lic-update", "-x")
    done.stdout.fnmatch_lines(["*kept/baseline.json was not written, since the session was stopped before its end."])
    assert written.read_bytes() == before
    done = pytester.runpytest(*QUIET, "--lic-update")
    done.assert_outcomes(passed=1, failed=1)
    sizes = 2 * small_codecs.HEADER_BYTES + 3 * (96 * 32 + 40 * 56)
    done.stdout.fnmatch_lines([f"*::test_no_worse: lossless only: stream bytes: {sizes - 500:,} → {sizes:,} bytes *"])
    rows = baseline.read(written).measured
    assert sum(row.stream_bytes for row in rows) == sizes


def test_different_runs_do_not_become_one_baseline(
    run: BenchmarkRun, lic_benchmark: Benchmarks, pictures: Path, tmp_path: Path
) -> None:
    other = lic_benchmark(small_codecs.reference("SKIPPING"), str(pictures), points=("2",), **OPTIONS)
    place = tmp_path / "baseline.json"
    written, sentence = update(place, [run.folder, other.folder], failed=[])
    assert not written
    assert "different runs were compared with it" in sentence
    written, sentence = update(tmp_path, [run.folder], failed=[])
    assert not written
    assert f"{tmp_path} is a folder" in sentence
    assert not place.exists()
    assert update(place, [other.folder], failed=[])[0]
    assert baseline.read(place).rows == other.rows


def test_the_doctor_fails_a_test_for_what_is_wrong(lic_benchmark: Benchmarks) -> None:
    findings = lic_benchmark.doctor(small_codecs.reference("LOSSLESS"))
    assert any(finding.level is Level.PASS for finding in findings)
    with pytest.raises(AssertionError, match=r"fails its examination\.\n"):
        lic_benchmark.doctor(small_codecs.reference("CROPPING"))
    with pytest.raises(pytest.fail.Exception, match="Did you mean jpeg"):
        lic_benchmark.doctor("jpge")


def test_without_pytest_benchmark_only_times_fail(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_time(lic_benchmark):
            lic_benchmark.time(sorted, [2, 1])

        def test_other(lic_benchmark):
            assert lic_benchmark is not None
        """
    )
    done = pytester.runpytest(*QUIET, "-p", "no:benchmark")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*pip install pytest-benchmark*"])
