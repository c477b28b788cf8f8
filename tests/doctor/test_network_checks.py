"""Checks of networks: examined whole with one known fault each, and judged by their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import faulty_networks
from helpers.examinations import errors, examined, finding, saved

from lic_bench.doctor import Check, Finding, Level, network_checks
from lic_bench.doctor.network_probes import CodedSummary


def of_network(name: str, weights: Path | None = None) -> list[Finding]:
    return examined(faulty_networks.reference(name), weights)


def coded(**changes: Any) -> CodedSummary:
    values = {"name": "a", "pixels": 4, "stream_bytes": 4, "psnr_db": 30.0, "forward_psnr_db": 30.0,
              "payload_bits": 1000, "estimated_bits": 995.0, "largest_difference": 0}  # fmt: skip
    return CodedSummary(**(values | changes))


@pytest.mark.usefixtures("forkserver")
def test_a_correct_network_passes() -> None:
    findings = of_network("Correct")
    assert not errors(findings)
    for check in (Check.RECONSTRUCTION, Check.BATCH, Check.OPERATORS):
        assert finding(findings, check).level is Level.PASS
    assert "untrained" in finding(findings, Check.FIGURES).sentence


@pytest.mark.usefixtures("forkserver")
@pytest.mark.parametrize(
    ("name", "check", "said"),
    [
        ("BatchMean", Check.BATCH, "broken: two pictures at once differ"),
        ("Inverted", Check.RECONSTRUCTION, "decoded differs from the forward pass by up to"),
    ],
)
def test_a_faulty_network_fails_its_check_only(name: str, check: Check, said: str) -> None:
    findings = of_network(name)
    assert errors(findings) == [check]
    assert said in finding(findings, check).sentence


@pytest.mark.usefixtures("forkserver")
def test_likelihoods_of_half_the_rate_are_an_error(tmp_path: Path) -> None:
    weights = saved(faulty_networks.Correct(8, 12).state_dict(), tmp_path)
    rate = finding(of_network("HalfRate", weights), Check.RATE)
    assert rate.level is Level.ERROR
    assert "The likelihoods under-report the rate" in rate.sentence


@pytest.mark.usefixtures("forkserver")
def test_an_uncounted_operator_is_named() -> None:
    operators = finding(of_network("UncountedOperator"), Check.OPERATORS)
    assert (operators.level, "linalg" in operators.sentence) == (Level.WARNING, True)


def test_a_decoder_that_misses_the_forward_pass_is_an_error() -> None:
    summaries = [coded(), coded(name="b", largest_difference=60, psnr_db=22.0)]
    reconstruction = network_checks.reconstruction(summaries)
    assert reconstruction.level is Level.ERROR
    assert "b decoded differs from the forward pass by up to 60 of 255 (+8.00 dB lost)" in reconstruction.sentence
    assert reconstruction.values == {"picture": "b", "largest_difference": 60, "lost_db": 8.0}


@pytest.mark.parametrize(
    ("estimated", "level"),
    [(995.0, "pass"), (900.5, "error"), (950.0, "warning"), (1050.0, "warning"), (1200.0, "error")],
)
def test_a_rate_gap_warns_above_1_and_fails_above_10_percent(estimated: float, level: str) -> None:
    assert network_checks.rate([coded(estimated_bits=estimated)], trained=True).level == level


def test_an_untrained_rate_warns_when_far_off_only() -> None:
    assert network_checks.rate([coded(estimated_bits=900.0)], trained=False).level is Level.INFO
    assert network_checks.rate([coded(estimated_bits=500.0)], trained=False).level is Level.WARNING


def test_a_stream_larger_than_the_picture_is_an_error() -> None:
    figure = network_checks.first_figure([coded(stream_bytes=13)])
    assert (figure.level, figure.values["bpp"]) == (Level.ERROR, 26.0)  # 13 bytes for 4 pixels
