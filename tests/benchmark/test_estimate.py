"""The least time of a run, by arithmetic."""

from __future__ import annotations

import pytest

from lic_bench.benchmark import estimate
from lic_bench.complexity.roofline import Rates
from lic_bench.records import Job, PictureRecord, Settings, Training

RATES = Rates(2e10, 1e10, "cpu", 1)
PICTURES = [PictureRecord("a", 1000, 100, "0"), PictureRecord("b", 1000, 100, "1")]


def job(**settings: float) -> Job:
    names = ("a", "b")
    return Job(
        "c", "1", Training.UNTRAINED, "set", names, reference="bmshj2018-hyperprior", settings=Settings(**settings)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"timing_repeats": 0, "memory": False}, 2),  # scoring alone
        ({"timing_repeats": 0, "memory": True}, 3),
        ({"timing_repeats": 5, "timing_budget_seconds": 1e9, "memory": False}, 12),
        ({"timing_repeats": 5, "timing_budget_seconds": 0.4, "memory": False}, 2 + 4),  # 0.1 s a picture
        ({"timing_repeats": 5, "timing_budget_seconds": 0.01, "memory": False}, 2 + 1),  # never none
    ],
)
def test_passes_are_those_of_the_settings(settings: dict[str, float], expected: int) -> None:
    passed = estimate.passed_pixels(job(**settings), {"a": 100_000, "b": 100_000}, seconds_per_pixel=1e-6)
    assert passed == expected * 100_000


def test_the_least_time_is_the_known_macs_at_the_rate_given() -> None:
    found = estimate.at_least([job(timing_repeats=0, memory=False)], PICTURES, RATES)
    # 44.9 kMAC/pixel to encode and 43.5 to decode, 200,000 pixels, 10 GMAC/s
    assert found.seconds == pytest.approx((44.9e3 + 43.5e3) * 200_000 / 1e10, rel=2e-3)
