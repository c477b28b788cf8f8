"""Aliases: which column is which quantity, and what its values can be."""

from __future__ import annotations

import math

import pytest

from lic_bench.analysis.text_tables import TableError
from lic_bench.interchange import aliases


@pytest.mark.parametrize(
    ("column", "quantity"),
    [
        ("psnr-rgb", "psnr_db"), ("PSNR", "psnr_db"), ("MS-SSIM", "ms_ssim"), ("msssim_db", "ms_ssim_db"),
        (" Encoded Size ", "stream_bytes"), ("rate_bpp", "bpp"), ("lmbda", "label"), ("seq_name", "picture"),
    ],
)  # fmt: skip
def test_a_column_is_found_by_its_alias(column, quantity):
    assert aliases.find(["other", column]) == {quantity: column}


def test_an_alias_means_one_quantity():
    every = [alias for known in aliases.COLUMNS.values() for alias in known.aliases]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("cell", [None, "", " ", "NaN", "n/a", "-", math.nan])
def test_a_missing_value_is_none(cell):
    assert aliases.number(cell, "psnr_db", "there") is None


@pytest.mark.parametrize(
    ("cell", "quantity", "said"),
    [
        ("x", "bpp", "there: 'x' is no number"),
        (True, "bpp", "there: True is no number"),
        (14, "ms_ssim", "14 cannot be a value of ms_ssim; a column in dB is called ms_ssim_db"),
        (-0.1, "bpp", "-0.1 cannot be a value of bpp"),
        (0, "width", "0 cannot be a value of width"),
        ("1.5", "stream_bytes", "'1.5' is no whole number"),
    ],
)
def test_a_value_outside_its_range_is_refused(cell, quantity, said):
    with pytest.raises(TableError, match=said):
        aliases.number(cell, quantity, "there")


def test_numbers_are_read_exactly():
    for value in (0.1, 1 / 3, 5e-324, math.inf):
        assert aliases.number(repr(value), "psnr_db", "there") == aliases.number(value, "psnr_db", "there") == value
