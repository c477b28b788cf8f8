"""The pytest plug-in: light where nobody asks for it, honest about what was compared, and patient with devices."""

from __future__ import annotations

import pytest

from lic_bench.testing import Benchmarks

pytest_plugins = ["pytester"]

QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
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
            assert pytestconfig.pluginmanager.get_plugin("lic_bench").__name__ == "lic_bench.pytest_plugin"
            ours = {name for name in sys.modules if name.startswith("lic_bench")}
            assert ours == {"lic_bench", "lic_bench.pytest_plugin"}
            heavy = {"torch", "compressai", "numpy", "pandas", "scipy", "PIL", "typer", "rich", "pydantic"}
            assert not heavy & set(sys.modules)
        """
    )
    done = pytester.runpytest_subprocess(*QUIET)
    done.assert_outcomes(passed=1)
    assert "= lic-bench =" not in done.stdout.str()


def test_the_clock_is_read_only_when_the_device_has_done_its_work(pytester: pytest.Pytester) -> None:
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


def test_the_clock_of_this_test_notices_a_device_that_nobody_waits_for(pytester: pytest.Pytester) -> None:
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


def test_without_pytest_benchmark_all_but_the_times_work_and_that_is_said(pytester: pytest.Pytester) -> None:
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
