"""How a picture decoded elsewhere compares with the one decoded here."""

from __future__ import annotations

import numpy as np

from lic_bench.doctor.comparison import compare
from lic_bench.doctor.probes import Cause, ProbeFailure, Step
from lic_bench.records import Agreement, AgreementKind

HERE = np.zeros((2, 3, 3), np.uint8)


def test_equal_pictures_agree_exactly() -> None:
    assert compare(HERE, HERE.copy()).is_exact


def test_the_largest_difference_is_that_of_a_sample() -> None:
    compared = compare(HERE, HERE + np.uint8(200))
    assert compared.agreement == Agreement(AgreementKind.PIXELS_DIFFER, 200)
    assert compared.text == "it comes back with samples that differ by up to 200 of 255"


def test_another_shape_or_type_is_no_drift() -> None:
    compared = compare(HERE, HERE[:1])
    assert compared.agreement.kind is AgreementKind.SIZE_DIFFERS
    assert compared.text == "it comes back as 1x3x3 uint8 instead of 2x3x3 uint8"
    assert compare(HERE, HERE.astype(np.float32)).agreement.kind is AgreementKind.SIZE_DIFFERS


def test_a_failed_decoder_keeps_its_reason() -> None:
    compared = compare(HERE, ProbeFailure(Cause.RAISED, "ValueError: no", Step.DECODE))
    assert compared.agreement.kind is AgreementKind.FAILED
    assert compared.text == "decoding fails (decode: ValueError: no)"
