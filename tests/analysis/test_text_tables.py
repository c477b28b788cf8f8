"""Tables of text: every value as it is written, and no row of another length."""

from __future__ import annotations

import pytest

from lic_bench.analysis import text_tables
from lic_bench.analysis.text_tables import TableError


def test_values_stay_as_they_are_written():
    found = text_tables.read('a,b\n01, 1e3\nNA,""\n"x\r\ny",nan\n')
    assert found.to_dict("list") == {"a": ["01", "NA", "x\r\ny"], "b": [" 1e3", "", "nan"]}


def test_tabs_white_space_and_quotation_marks():
    wanted = {"a": ['"1', "3"], "b": ["2", "4"]}
    assert text_tables.read('a\tb\n"1\t2\n3\t4\n', "\t", quotes=False).to_dict("list") == wanted
    assert text_tables.read('a  b\n"1 2\n 3   4\n', r"\s+", quotes=False).to_dict("list") == wanted


def test_names_stand_for_a_missing_header():
    assert text_tables.read("1,2\n", names=("a", "b")).to_dict("list") == {"a": ["1"], "b": ["2"]}
    with pytest.raises(TableError, match="there are 1 names for 2 columns"):
        text_tables.read("1,2\n", names=("a",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no header line"),
        ("\n\n", "there is no header line"),
        ("a,b\n1,2\n3\n", "row 2 has 1 values for 2 columns"),
        ("a,b\n1,2,3\n", "Expected 2 fields in line 2, saw 3"),
        ('a,b\n1,"2"3\n', "the table is damaged"),
        ("a,a\n1,2\n", "the column 'a' is there twice"),
        ("a,\n1,2\n", "column 2 has no name"),
    ],
)
def test_a_damaged_table_is_refused(text, said):
    with pytest.raises(TableError, match=said):
        text_tables.read(text)
