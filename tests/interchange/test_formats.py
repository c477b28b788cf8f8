"""The four formats: every value comes in and goes out as it is written, and damage is named with its place."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from helpers.result_files import BARE, BATCH, CSV, PSNR, PSNR_RGB, SINGLE, TSV
from hypothesis import given, settings
from hypothesis import strategies as st

from lic_bench.analysis.text_tables import TableError
from lic_bench.errors import RequestError
from lic_bench.interchange import formats, importing
from lic_bench.interchange.formats import ResultFile, ResultFormat
from lic_bench.interchange.importing import ImportOptions

QUICK = settings(max_examples=60, deadline=None)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
FLOATS = st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | FLOATS | NAMES
FINITE = SCALARS.filter(lambda value: not isinstance(value, float) or math.isfinite(value))
FACTS = st.dictionaries(NAMES.filter(lambda name: name != "results"), SCALARS | st.lists(SCALARS, max_size=2))
LENGTHS = st.integers(1, 4)


@st.composite
def columns_of(draw, cells, names=NAMES, lengths=LENGTHS):
    """Columns of equal length."""
    length = draw(lengths)
    chosen = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    return {name: draw(st.lists(cells, min_size=length, max_size=length)) for name in chosen}


def frame(columns):
    return pd.DataFrame(columns, dtype=object)


def content(file):
    """What is compared of a file: its cells with their types, its facts."""
    cells = {name: [(type(value), value) for value in values] for name, values in file.table.to_dict("list").items()}
    return file.format, cells, file.facts


def again(file):
    """A file written and read again."""
    return formats.parse(formats.write(file), file.format)


@QUICK
@given(columns_of(SCALARS), FACTS)
def test_compressai_lists_come_back_exactly(columns, facts):
    file = ResultFile(ResultFormat.COMPRESSAI, frame(columns), facts)
    assert content(again(file)) == content(file)
    text = json.dumps(facts | {"results": columns})
    assert content(formats.parse(text, ResultFormat.COMPRESSAI)) == content(file)


@QUICK
@given(columns_of(SCALARS, lengths=st.just(1)), FACTS)
def test_single_numbers_are_a_file_of_one_picture(columns, facts):
    text = json.dumps(facts | {"results": {name: values[0] for name, values in columns.items()}})
    found = formats.parse(text, ResultFormat.COMPRESSAI)
    assert found.is_one_picture
    assert content(found) == content(ResultFile(ResultFormat.COMPRESSAI, frame(columns), facts))


@QUICK
@given(columns_of(SCALARS), st.dictionaries(NAMES, SCALARS))
def test_lists_without_results_around_them_are_columns(columns, facts):
    facts = {name: fact for name, fact in facts.items() if name not in {*columns, "results"}}
    columns = {name.replace("results", "bpp"): values for name, values in columns.items()}
    found = formats.parse(json.dumps(facts | columns), ResultFormat.COMPRESSAI)
    assert content(found) == content(ResultFile(ResultFormat.COMPRESSAI, frame(columns), facts))


@QUICK
@given(columns_of(FINITE), st.dictionaries(NAMES, FINITE))
def test_a_codec_compare_batch_comes_back_exactly(columns, facts):
    facts = {name: fact for name, fact in facts.items() if name not in columns}
    file = ResultFile(ResultFormat.CODEC_COMPARE, frame(columns), facts)
    assert content(again(file)) == content(file)


@pytest.mark.parametrize("form", [ResultFormat.TENSORFLOW_COMPRESSION, ResultFormat.COOL_CHIC])
def test_a_table_of_text_comes_back_exactly(form):
    held = []

    @settings(max_examples=150, deadline=None)
    @given(columns_of(CELLS | FLOATS.map(repr), st.sampled_from(["bpp", "psnr", "naïve", "q #"])))
    def holds(columns):
        rates = [str(number) for number in range(len(next(iter(columns.values()))))]
        file = ResultFile(form, frame({"rate_bpp": rates, "seq_name": rates} | columns))
        try:
            text = formats.write(file)
        except TableError:
            held.append(False)
            assert any(mark in value for values in columns.values() for value in values for mark in "\t\r\n")
        else:
            held.append(True)
            assert content(formats.parse(text, form)) == content(file)

    holds()
    assert sum(held) > 10  # plain tables are held, so that something was compared


@pytest.mark.parametrize("numbers", [[0.1, 1 / 3, 1e-7, math.inf], [30.0, None, 0.30000000000000004, 5e-324]])
def test_numbers_are_written_so_that_they_read_back(numbers):
    for form in (ResultFormat.TENSORFLOW_COMPRESSION, ResultFormat.COOL_CHIC):
        found = again(ResultFile(form, frame({"q": list("abcd"), "psnr": numbers})))
        assert [float(cell) if cell else None for cell in found.table["psnr"]] == numbers


@pytest.mark.parametrize("text", [PSNR_RGB, PSNR])
def test_both_key_styles_of_compressai_are_kept(text):
    assert json.loads(formats.write(formats.parse(text, ResultFormat.COMPRESSAI))) == json.loads(text)


def test_a_batch_says_the_same_when_written_again():
    found = formats.parse(BATCH, ResultFormat.CODEC_COMPARE)
    assert json.loads(formats.write(found, {"name": "Codec's name", "time": "When"})) == json.loads(BATCH)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (ResultFormat.TENSORFLOW_COMPRESSION, CSV),
        (ResultFormat.COOL_CHIC, TSV),
        (ResultFormat.COOL_CHIC, TSV.replace("\t", " ")),
    ],
)
def test_tables_are_written_again_as_they_were(form, text):
    written = formats.write(formats.parse(text, form))
    assert written == text.removeprefix("# float metrics\n").replace(" ", "\t")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (PSNR, "compressai"), (BARE, "compressai"), (SINGLE, "compressai"), (BATCH, "codec-compare"),
        (PSNR.replace("VTM-9.1", 'like \\"field_values\\"'), "compressai"),
        (CSV, "tensorflow-compression"), (TSV, "cool-chic"), (TSV.replace("\t", "  "), "cool-chic"),
        ("\n# one\n\n# two\na,b\n1,2\n", "tensorflow-compression"), ("a, b\tc\n1\t2\n", "cool-chic"),
    ],
)  # fmt: skip
def test_a_format_is_recognised_by_its_fields(text, form):
    assert formats.recognise(text) == form


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", PSNR.replace('"psnr": [30.123456789012345, ', '"psnr": ['), "not equally long (bpp 2, psnr 1"),
        ("a.json", '{"results": {"bpp": [], "psnr": []}}', "the columns are empty"),
        ("a.json", '{"name": "nothing"}', "there is no column"),
        ("a.json", '{"results": {"bpp": [1, [2]], "psnr": [1, 2]}}', "'bpp' is no list of numbers"),
        ("a.json", '{"results": [1]}', '"results" is no object'),
        ("a.json", PSNR[:80], "line 2, column"),
        ("a.json", PSNR.replace('"ms-ssim"', '"bpp"'), "the name 'bpp' is there twice"),
        ("a.json", "{" * 100_000, "line 1, column 2 is no JSON"),
        ("a.json", '{"a": ' * 100_000, "the JSON cannot be read (maximum recursion depth"),
        ("a.json", PSNR.replace("VTM-9.1", "\\ud800"), "the JSON cannot be read ('utf-8' codec can't encode"),
        ("a.json", PSNR.replace("0.9", "9" * 5000), "the JSON cannot be read (Exceeds the limit"),
        ("a.json", PSNR.replace("0.9", "13.5"), "row 1, column 'ms-ssim': 13.5 cannot be a value of ms_ssim"),
        ("a.json", PSNR.replace("[0.1,", '["much",'), "row 1, column 'bpp': 'much' is no number"),
        ("a.json", PSNR.replace("[0.1,", "[null,"), "row 1 has no rate"),
        ("a.json", PSNR.replace("bpp", "kbps"), "no column has the rate"),
        ("a.json", '{"results": {"bpp": [1, 2], "vmaf": [1, 2]}}', "no column has the quality"),
        ("a.json", BATCH.replace('"constant_values": ["webp", ', '"constant_values": ['), "has 1 values for 2 names"),
        ("a.json", BATCH.replace(", 31.5, 0.9]", ", 31.5]"), "row 1 of field_values has 9 values for 10 names"),
        ("a.json", BATCH.replace('{"effort": ""}', '"effort"'), "entry 4 of field_descriptions is no object"),
        ("a.json", BATCH.replace("constant_values", "values"), "there is no list 'constant_values'"),
        ("a.json", BATCH.replace("12288, 0.1", "12288.5, 0.1"), "12288.5 is no whole number"),
        ("a.json", BATCH.replace("90, 12288", "50, 12288"), "more than one row for kodim02.png at 50"),
        ("a.csv", CSV + "0.04,0.5\n", "row 3 has 2 values for 5 columns"),
        ("a.csv", CSV + "0.04,0.5,1,1,1,1\n", "the table is damaged (Expected 5 fields in line 4, saw 6)"),
        ("a.csv", "bpp,psnr\n", "the columns are empty"),
        ("a.csv", "0.1,30\n0.2,31\n", "the first line holds numbers; a line with the columns' names must stand above"),
        ("a.csv", "bpp,psnr,bpp\n1,2,3\n", "the column 'bpp' is there twice"),
        ("a.csv", "bpp,,psnr\n1,2,3\n", "column 2 has no name"),
        ("a.csv", 'bpp,psnr\n1,"2"3\n', "the table is damaged"),
        ("a.csv", 'bpp,psnr\n1,"2\n', "the table is damaged"),
        ("a.tsv", TSV.replace("\t2300\nkodim02\t0.001", "\nkodim02\t0.001"), "row 1 has 5 values for 6 columns"),
        ("a.tsv", TSV.replace("kodim02\t0.01\t", "\t0.01\t"), "some rows of a name a picture and some do not"),
        ("a.txt", "hello", "looks like no result file"),
        ("a.txt", "", "looks like no result file"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_the_place(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(RequestError) as error:
        importing.read([tmp_path / name], ImportOptions("kodak"))
    assert str(tmp_path / name) in str(error.value)
    assert said in str(error.value)


def test_an_unreadable_file_is_named(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"name": "\xff"}')
    with pytest.raises(RequestError, match=r"a\.json is no text in UTF-8: byte 10"):
        formats.read(tmp_path / "a.json")
    with pytest.raises(RequestError, match=r"b\.json cannot be read: No such file"):
        formats.read(tmp_path / "b.json")


def test_names_are_not_given_to_json(tmp_path):
    (tmp_path / "a.json").write_text(PSNR)
    with pytest.raises(RequestError, match="--columns is for tables without a header line"):
        formats.read(tmp_path / "a.json", columns=("bpp", "psnr"))


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        (ResultFormat.CODEC_COMPARE, math.inf, "JSON has no infinity"),
        (ResultFormat.COOL_CHIC, "1\t2", "cannot stand between tabs"),
        (ResultFormat.COOL_CHIC, "1\r2", "a carriage return"),
        (ResultFormat.TENSORFLOW_COMPRESSION, "\r", "a carriage return"),
    ],
)
def test_a_value_that_a_format_cannot_hold_is_refused(form, value, said):
    with pytest.raises(TableError, match=said):
        formats.write(ResultFile(form, frame({"a": [value], "b": ["1"]})))


def test_blank_lines_and_byte_order_marks_are_no_rows(tmp_path):
    (tmp_path / "a.csv").write_bytes("\ufeffbpp,psnr\r\n\r\n1,2\r\n".encode())
    assert formats.read(tmp_path / "a.csv").table.to_dict("list") == {"bpp": ["1"], "psnr": ["2"]}
