"""How passes are shared out, and what counts as a disturbed clock. No test asserts a time."""

from __future__ import annotations

from lic_bench.timing import Budget, looks_disturbed, timed, yardstick

WIDE, TALL = (768, 512), (512, 768)


def test_a_fast_codec_gets_all_its_repeats() -> None:
    assert Budget(seconds=10, repeats=5).passes(WIDE, expected_seconds=0.01, pictures_left=24) == 5


def test_a_slow_codec_gets_at_least_one_pass_per_shape() -> None:
    budget = Budget(seconds=10, repeats=5)
    assert budget.passes(WIDE, expected_seconds=60, pictures_left=24) == 1
    budget.spend(WIDE, 60)
    assert budget.passes(WIDE, expected_seconds=60, pictures_left=23) == 0
    assert budget.passes(TALL, expected_seconds=60, pictures_left=6) == 1


def test_no_repeats_are_no_passes() -> None:
    assert Budget(seconds=10, repeats=0).passes(WIDE, expected_seconds=0.01, pictures_left=24) == 0


def test_what_one_picture_leaves_goes_to_the_next() -> None:
    budget = Budget(seconds=10, repeats=5)
    budget.spend(WIDE, 2)
    assert budget.passes(WIDE, expected_seconds=2, pictures_left=2) == 2
    assert budget.passes(WIDE, expected_seconds=2, pictures_left=1) == 4


def test_waiting_for_a_processor_shows() -> None:
    assert looks_disturbed(wall_seconds=1.0, cpu_seconds=0.5)
    assert not looks_disturbed(wall_seconds=1.0, cpu_seconds=0.99)
    assert not looks_disturbed(wall_seconds=0.01, cpu_seconds=0.0)  # below what the clocks resolve


def test_the_timed_call_runs_exactly_once() -> None:
    calls: list[int] = []
    sample = timed(lambda: calls.append(1), "cpu")
    assert calls == [1]
    assert sample.wall_seconds >= 0


def test_the_yardstick_is_always_the_same_work() -> None:
    assert yardstick("cpu")() == yardstick("cpu")()
