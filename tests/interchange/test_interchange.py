"""Other people's files: nothing is lost on the way in or out, and nothing passes for measured that was not."""

from __future__ import annotations

import json
import math
import random
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.made_records import measurement
from helpers.made_runs import KODAK, classical, figures, header, untrained
from hypothesis import given, settings
from hypothesis import strategies as st

from lic_bench import bd_rate, read_curves
from lic_bench.analysis import curve_files, curves, published
from lic_bench.benchmark import run_folder, runner
from lic_bench.caveats import Caveat
from lic_bench.cli import interchange
from lic_bench.errors import RequestError
from lic_bench.interchange import codec_compare, compressai_json, cool_chic, delimited, exporting, formats, importing
from lic_bench.interchange import tensorflow_compression as tfc
from lic_bench.interchange.sheet import Sheet, SheetError
from lic_bench.records import Measurement, Origin, Training
from lic_bench.report import page, tables
from lic_bench.report.content import BD_RATE, gather

QUICK = settings(max_examples=60, deadline=None)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
FLOATS = st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | FLOATS | NAMES


FEW = st.integers(1, 4)


def tables_of(names, cells, rows=FEW):
    """Columns of equal length."""
    return st.tuples(st.lists(names, min_size=1, max_size=4, unique=True), rows).flatmap(
        lambda drawn: st.fixed_dictionaries({name: st.tuples(*[cells] * drawn[1]) for name in drawn[0]})
    )


FACTS = st.dictionaries(NAMES.filter(lambda name: name != "results"), SCALARS | st.lists(SCALARS, max_size=2))
SCALAR_FACTS = st.dictionaries(NAMES.filter(lambda name: name != "results"), SCALARS)
FINITE = SCALARS.filter(lambda value: not isinstance(value, float) or math.isfinite(value))


def written(form, sheet):
    """The text of a sheet, or None where the format says that it cannot hold it."""
    try:
        return form.write(sheet)
    except SheetError:
        return None


@QUICK
@given(tables_of(NAMES, SCALARS), FACTS)
def test_what_compressai_can_hold_comes_back_exactly(columns, facts):
    sheet = Sheet(columns, facts, layout="lists")
    assert compressai_json.read(compressai_json.write(sheet)) == sheet


@QUICK
@given(tables_of(NAMES, SCALARS, st.just(1)), FACTS)
def test_a_file_of_one_picture_stays_one_of_single_numbers(columns, facts):
    sheet = Sheet(columns, facts, layout="single")
    assert compressai_json.read(compressai_json.write(sheet)) == sheet


@QUICK
@given(tables_of(NAMES, SCALARS), SCALAR_FACTS)
def test_lists_without_results_around_them_stay_so(columns, facts):
    sheet = Sheet(columns, facts, layout="bare")
    text = written(compressai_json, sheet)
    assert text is None or compressai_json.read(text) == sheet
    assert (text is None) == bool("results" in columns or set(facts) & set(columns))


@QUICK
@given(tables_of(NAMES, FINITE), st.dictionaries(NAMES, FINITE), st.data())
def test_what_a_batch_of_codec_compare_can_hold_comes_back_exactly(columns, facts, data):
    facts = {name: fact for name, fact in facts.items() if name not in columns}
    meanings = {name: data.draw(NAMES) for name in [*facts, *columns]}
    sheet = Sheet(columns, facts, meanings)
    assert codec_compare.read(codec_compare.write(sheet)) == sheet


@pytest.mark.parametrize(("form", "layout"), [(tfc, ""), (cool_chic, "tabs"), (cool_chic, "spaces")])
def test_what_a_table_of_text_can_hold_comes_back_exactly(form, layout):
    words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | FLOATS.map(repr)
    held = []

    @settings(max_examples=150, deadline=None)
    @given(tables_of(NAMES | st.sampled_from(["bpp", "psnr", "naïve", "#q"]), words), st.lists(NAMES, max_size=2))
    def holds(columns, comments):
        facts = {"comments": [f"#{line}" for line in comments]} if comments else {}
        sheet = Sheet(columns, facts, layout=layout)
        text = written(form, sheet)
        held.append(text is not None)
        assert text is None or form.read(text) == sheet

    holds()
    assert sum(held) > 10  # plain tables are held, so that the line above compared something


PSNR_RGB = """{"name": "VTM", "description": "VTM-9.1", "results": {
  "bpp": [0.1, 0.30000000000000004], "psnr-rgb": [30.123456789012345, Infinity], "ms-ssim-rgb": [0.9, null]}}"""
PSNR = PSNR_RGB.replace("-rgb", "")
BARE = '{"bpp": [0.1, 0.2], "psnr": [30, 31], "name": "bare"}'
SINGLE = """{"source": "kodim01", "name": "mbt2018", "description": "Inference (ans)",
  "results": {"psnr-rgb": 30.5, "ms-ssim-rgb": 0.95, "bpp": 0.25, "encoding_time": 1.5, "decoding_time": 2.5}}"""
CSV = "# float metrics\nlmbda,bpp,mse,psnr,msssim\n0.01,0.115239,127,27.1064,\n0.02,0.3,50,30.5,0.97\n"
TSV = (
    "seq_name\tlmbda\trate_bpp\tpsnr_db\tn_itr\tmac\n"
    "kodim01\t0.001\t0.5\t30.0\t1000\t2300\nkodim02\t0.001\t0.3\t34.0\t1000\t2300\n"
    "kodim01\t0.01\t0.1\t26.0\t1000\t2300\nkodim02\t0.01\t0.08\t29.0\t1000\t2300\n"
)
BATCH = json.dumps(
    {
        "constant_descriptions": [{"name": "Codec's name"}, {"time": "When"}],
        "constant_values": ["webp", "2024-01-01"],
        "field_descriptions": [
            {name: ""}
            for name in ("original_name", "width", "height", "effort", "quality", "encoded_size", "encoding_time",
                         "decoding_time", "psnr", "ssim")
        ],
        "field_values": [
            ["kodim01.png", 768, 512, 4, 50, 12288, 0.1, 0.01, 31.5, 0.9],
            ["kodim02.png", 768, 512, 4, 50, 6144, 0.1, 0.01, 33.5, 0.9],
            ["kodim01.png", 768, 512, 4, 90, 24576, 0.1, 0.01, 36.5, 0.9],
            ["kodim02.png", 768, 512, 4, 90, 12288, 0.1, 0.01, 38.5, 0.9],
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize("text", [PSNR_RGB, PSNR, BARE, SINGLE])
def test_both_key_styles_and_all_layouts_of_compressai_are_kept(text):
    assert json.loads(compressai_json.write(compressai_json.read(text))) == json.loads(text)


def test_a_batch_says_the_same_when_written_again():
    assert json.loads(codec_compare.write(codec_compare.read(BATCH))) == json.loads(BATCH)


@pytest.mark.parametrize(("form", "text"), [(tfc, CSV), (cool_chic, TSV), (cool_chic, TSV.replace("\t", " "))])
def test_tables_are_written_again_as_they_were(form, text):
    assert form.write(form.read(text)) == text


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
        ("a.json", '{"a": ' * 100_000, "nested too deeply"),
        ("a.json", PSNR.replace("VTM-9.1", "\\ud800"), "half a character"),
        ("a.json", PSNR.replace("0.9", "13.5"), "row 1, column 'ms-ssim': 13.5 cannot be a value of ms_ssim"),
        ("a.json", PSNR.replace("[0.1,", '["much",'), "row 1, column 'bpp': 'much' is no number"),
        ("a.json", PSNR.replace("[0.1,", "[null,"), "row 1 has no rate"),
        ("a.json", PSNR.replace("bpp", "kbps"), "no column tells the rate"),
        ("a.json", '{"results": {"bpp": [1, 2], "vmaf": [1, 2]}}', "no column tells the quality"),
        ("a.json", BATCH.replace('"constant_values": ["webp", ', '"constant_values": ['), "2 constants and 1 values"),
        ("a.json", BATCH.replace(", 31.5, 0.9]", ", 31.5]"), "row 1 of field_values has 9 values for 10 fields"),
        ("a.json", BATCH.replace("31.5", "Infinity"), "Infinity is no JSON"),
        ("a.json", BATCH.replace('{"effort": ""}', '"effort"'), "entry 4 of field_descriptions"),
        ("a.json", BATCH.replace("constant_values", "values"), "not so: constant_values, values"),
        ("a.json", BATCH.replace("12288, 0.1", "12288.5, 0.1"), "12288.5 is no whole number"),
        ("a.json", BATCH.replace("90, 12288", "50, 12288"), "more than one row for kodim02.png at 50"),
        ("a.csv", CSV + "0.04,0.5\n", "row 3 has 2 values for 5 columns"),
        ("a.csv", "bpp,psnr\n", "the columns are empty"),
        ("a.csv", "0.1,30\n0.2,31\n", "the first line holds numbers; a line with the columns' names must stand above"),
        ("a.csv", "bpp,psnr,bpp\n1,2,3\n", "the column 'bpp' is there twice"),
        ("a.csv", "bpp,,psnr\n1,2,3\n", "column 2 has no name"),
        ("a.csv", 'bpp,psnr\n1,"2"3\n', "line 2 is damaged"),
        ("a.tsv", TSV.replace("\t2300\nkodim02\t0.001", "\nkodim02\t0.001"), "row 1 has 5 values for 6 columns"),
        ("a.tsv", TSV.replace("kodim02\t0.01\t", "\t0.01\t"), "some rows of a name a picture and some do not"),
        ("a.txt", "hello", "looks like no result file"),
        ("a.txt", "", "looks like no result file"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_with_the_place(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(RequestError) as error:
        importing.take([tmp_path / name], importing.Asked("kodak"))
    assert str(tmp_path / name) in str(error.value)
    assert said in str(error.value)


def test_what_is_no_text_and_what_is_not_there_is_a_sentence(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"name": "\xff"}')
    with pytest.raises(RequestError, match=r"a\.json is no text in UTF-8: byte 10"):
        formats.read(tmp_path / "a.json")
    with pytest.raises(RequestError, match=r"b\.json cannot be read: No such file"):
        formats.read(tmp_path / "b.json")
    with pytest.raises(RequestError, match="There are compressai, "):
        formats.read(tmp_path / "a.json", "compresai")


@pytest.mark.parametrize(
    ("form", "sheet", "said"),
    [
        (codec_compare, Sheet({"psnr": (math.inf,)}), "JSON has no infinity"),
        (codec_compare, Sheet({"psnr": (1.0,)}, {"psnr": 1}), "'psnr' is there twice"),
        (compressai_json, Sheet({"bpp": (1.0, 2.0)}, layout="single"), "holds one row"),
        (compressai_json, Sheet({"bpp": ()}, layout="lists"), "the columns are empty"),
        (compressai_json, Sheet({"bpp": (1.0,), "psnr": ()}, layout="lists"), "not equally long (bpp 1, psnr 0)"),
        (tfc, Sheet({"bpp": ("1",)}, {"codec": "x"}), "no place for facts"),
        (tfc, Sheet({"bpp": (1.0,)}), "holds what is no text"),
        (tfc, Sheet({"1": ("1",)}), "would not be read as a header"),
        (cool_chic, Sheet({"a": ("1\t2",), "b": ("",)}, layout="tabs"), "cannot stand between tabs"),
        (cool_chic, Sheet({"a": ("1 2",), "b": ("3",)}, layout="spaces"), "cannot stand between spaces"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_in_words(form, sheet, said):
    with pytest.raises(SheetError) as error:
        form.write(sheet)
    assert said in str(error.value)


def taken(tmp_path, text, name="a.json", **asked):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return importing.take([tmp_path / name], importing.Asked(**{"dataset": "kodak"} | asked))


def curve_of(tmp_path, text, name="a.json", **asked):
    (found,) = importing.as_curves(
        taken(tmp_path, text, name, **asked), importing.Asked(**{"dataset": "kodak"} | asked)
    )
    return found


@pytest.mark.parametrize("text", [PSNR, PSNR_RGB])
def test_a_file_of_means_becomes_a_published_curve_with_its_name_as_the_source(text, tmp_path):
    curve = curve_of(tmp_path, text, "vtm.json")
    assert (curve.codec, curve.source.origin, curve.source.source_id) == ("VTM", Origin.PUBLISHED, "vtm.json")
    assert [(p.label, p.bpp, p.psnr_db, p.ms_ssim) for p in curve.points] == [
        ("p1", 0.1, 30.123456789012345, 0.9),
        ("p2", 0.30000000000000004, math.inf, None),
    ]
    assert (curve.rate_kind, curve.optimised_for, curve.picture_count) == ("unknown", "unknown", 24)
    assert curve.source.text == "vtm.json: VTM-9.1"


def test_pictures_are_joined_by_name_and_a_point_is_their_mean(tmp_path):
    curve = curve_of(tmp_path, TSV, "cool-chic-9.tsv")
    assert [(p.label, p.bpp, p.psnr_db) for p in curve.points] == [("0.01", 0.09, 27.5), ("0.001", 0.4, 32.0)]
    assert (curve.codec, curve.pictures, curve.caveats) == ("cool-chic-9", ("kodim01", "kodim02"), ())
    assert "mean MSE" in curve.source.note
    assert "not taken over from the file: n_itr, mac" in curve.source.note


def test_tables_take_means_labels_and_decibels(tmp_path):
    (one,) = taken(tmp_path, "q,bpp,msssim_db,vmaf\n3,0.5,20,99\n", "x.csv")
    assert (one.entries[0].label, one.entries[0].ms_ssim, one.left_out) == ("3", 0.99, ("vmaf",))
    both = curve_of(tmp_path, CSV, "hyperprior.csv")
    assert [(p.label, p.ms_ssim) for p in both.points] == [("0.01", None), ("0.02", 0.97)]


def test_of_two_columns_that_say_the_same_the_other_is_told_as_left_out(tmp_path):
    (one,) = taken(tmp_path, "bpp,psnr,psnr_rgb,ms_ssim,ms_ssim_db\n1,2,3,0.9,9\n", "x.csv")
    assert (one.entries[0].psnr_db, one.entries[0].ms_ssim, one.left_out) == (3, 0.9, ("psnr", "ms_ssim_db"))


def test_a_table_without_a_header_is_read_with_the_names_given(tmp_path):
    (tmp_path / "x.csv").write_text("0.1,30\n0.2,31\n")
    (one,) = importing.take([tmp_path / "x.csv"], importing.Asked("kodak"), columns=("bpp", "psnr"))
    assert [(entry.bpp, entry.psnr_db) for entry in one.entries] == [(0.1, 30), (0.2, 31)]


def test_a_setting_that_varies_beside_the_quality_makes_curves_of_its_own(tmp_path):
    (one,) = taken(tmp_path, BATCH.replace("512, 4, 90", "512, 7, 90"))
    assert {entry.codec for entry in one.entries} == {"webp effort 4", "webp effort 7"}
    assert one.left_out == ("encoding_time", "decoding_time", "ssim", "time")


def test_single_pictures_of_compressai_are_joined_into_one_curve(tmp_path):
    for picture, bpp in (("kodim01", 0.25), ("kodim02", 0.75)):
        text = SINGLE.replace("kodim01", picture).replace("0.25", str(bpp))
        (tmp_path / f"{picture}-mbt2018-mse-1-ans.json").write_text(text)
    asked = importing.Asked("kodak", trained_for="mse")
    (curve,) = importing.as_curves(importing.take(sorted(tmp_path.iterdir()), asked), asked)
    assert [(p.label, p.bpp) for p in curve.points] == [("mbt2018-mse-1-ans", 0.5)]
    assert (curve.pictures, curve.rate_kind, curve.source.source_id) == (
        ("kodim01", "kodim02"), "payload", f"{tmp_path.name}/",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind"), [("entropy estimation", "estimated"), ("entropy-estimation", "estimated"), ("ans", "payload")]
)
def test_compressais_description_says_which_bits_were_counted(said, kind, tmp_path):
    assert curve_of(tmp_path, PSNR.replace("VTM-9.1", f"Inference ({said})")).rate_kind == kind


def test_a_file_that_does_not_say_its_pictures_is_not_guessed(tmp_path):
    with pytest.raises(RequestError, match=r"a\.json does not say which pictures it is about; --dataset"):
        taken(tmp_path, PSNR, dataset=None)


def vtm():
    return curves.published_curves("kodak")[[c.codec for c in curves.published_curves("kodak")].index("vtm")]


def test_bd_rates_of_imported_curves_are_those_of_the_originals(tmp_path):
    for original in (vtm(), curves.find("kodak", curves.CurveId("mbt2018", "compressai-8bit", "mse"))):
        results = {
            "bpp": [p.bpp for p in original.points],
            "psnr-rgb": [p.psnr_db for p in original.points],
            "ms-ssim-rgb": [p.ms_ssim for p in original.points],
        }
        text = json.dumps({"name": original.codec, "results": results})
        back = curve_of(tmp_path, text, f"{original.codec}.json")
        (tmp_path / "curve.csv").write_text(curve_files.write([back]))
        assert read_curves(tmp_path / "curve.csv") == (back,)
        test = curves.find("kodak", curves.CurveId("cheng2020-anchor", "compressai-8bit", "mse"))
        for metric in ("psnr_db", "ms_ssim_db"):
            wanted, found = bd_rate(original, test, metric), bd_rate(back, test, metric)
            assert wanted.value is not None
            assert (found.value, found.by_method, found.overlap) == (wanted.value, wanted.by_method, wanted.overlap)


def test_every_published_curve_comes_back_from_a_file_of_curves():
    for dataset in ("kodak", "tecnick"):
        some = curves.published_curves(dataset)
        back = curve_files.parse(curve_files.write(some), "x.csv")
        assert [replace(curve, caveats=()) for curve in some] == list(back)


def test_the_table_of_the_zoo_is_a_file_of_curves_as_it_is():
    text = Path(published.__file__).parent.parent / "zoo" / "published" / "rd_points.csv"
    if not text.exists():
        from importlib.resources import files

        text = files("lic_bench.zoo.published").joinpath("rd_points.csv")
    found = curve_files.parse(text.read_text(encoding="utf-8"), "rd_points.csv")
    assert sum(len(curve.points) for curve in found) == len(published.rd_points())
    assert {curve.source.origin for curve in found} == {Origin.PUBLISHED, Origin.DIGITISED}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("codec,bpp\nx,1\n", "has no column|no column dataset"),
        ("codec,dataset,bpp,vmaf\nx,kodak,1,2\n", "columns that no curve has, or one twice: vmaf"),
        ("codec,dataset,bpp\n", "there is no line below its header"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,1\n", "Line 2 of x.csv has not as many fields"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,one,2\n", "Line 2 of x.csv: 'one' is no number for bpp"),
        ("codec,dataset,bpp,ms_ssim\nx,kodak,1,14\n", "14 cannot be a value of ms_ssim"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,0,2\n", "0 cannot be a value of bpp"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,nan,2\n", "nan cannot be a value of bpp"),
        ("codec,dataset,bpp\n,kodak,1\n", "names no codec or no data set"),
        ("codec,dataset,bpp,picture\nx,kodak,1,a\nx,kodak,1,\n", "mixes means and single pictures"),
        ("codec,dataset,bpp,picture\nx,kodak,1,a\nx,kodak,1,a\n", "has a twice at point ''"),
        ("codec,dataset,bpp,pictures\nx,kodak,1,2\nx,kodak,1,3\n", "over different numbers of pictures"),
        ("codec,dataset,bpp,pictures\nx,kodak,1,many\n", "'many' is no number of pictures"),
    ],
)
def test_a_damaged_file_of_curves_is_named_with_the_line(text, said):
    with pytest.raises(RequestError, match=said):
        curve_files.parse(text, "x.csv")


def run_of(tmp_path, *rows, **changes):
    """A run folder with these rows."""
    codecs = dict.fromkeys(row.codec for row in rows)
    pictures = tuple(dict.fromkeys(row.picture for row in rows))
    folder = run_folder.create(
        tmp_path / "runs", header(names=codecs, pictures=pictures, dataset=rows[0].dataset, **changes)
    )
    for row in rows:
        folder.append(row)
    folder.finish()
    return folder.path


def exported(path, form, **options):
    head, rows = run_folder.read(path)
    rows = [row for row in rows if isinstance(row, Measurement)]
    (chosen,), said = exporting.choose(head, rows, rate=options.pop("rate", "stream"))
    return exporting.WRITERS[form](chosen, **options), said


@pytest.mark.parametrize("form", list(formats.FORMATS))
@pytest.mark.parametrize("as_text", [False, True])
def test_what_is_exported_and_imported_again_is_the_same_curve(form, as_text, tmp_path):
    rows = classical(pictures=KODAK[:3])
    if as_text:  # awkward numbers and names
        rows = [
            replace(row, stream_bytes=row.stream_bytes + 7, psnr_db=row.psnr_db / 3, codec="jpég, 2") for row in rows
        ]
    written, _ = exported(run_of(tmp_path, *rows), form)
    kind = formats.FORMATS[form]
    (tmp_path / f"x{kind.suffix}").write_text(kind.write(written.sheet), encoding="utf-8", newline="")
    taken = importing.take([tmp_path / f"x{kind.suffix}"], importing.Asked("kodak", trained_for="none"))
    assert taken[0].form is kind
    (back,) = importing.as_curves(taken, importing.Asked())
    (original,) = curves.measured(rows, "run")
    assert [(p.bpp, p.psnr_db, p.ms_ssim) for p in back.points] == [
        (p.bpp, p.psnr_db, p.ms_ssim) for p in original.points
    ]
    per_picture = form in ("cool-chic", "codec-compare")
    assert back.pictures == (original.pictures if per_picture else ())
    if per_picture:
        assert bd_rate(vtm_over(original), back).by_picture == bd_rate(vtm_over(original), original).by_picture


def vtm_over(curve):
    """An anchor over the same pictures: the same curve at a tenth more rate."""

    def dearer(point):
        return replace(point, bpp=point.bpp * 1.1, by_picture={n: dearer(p) for n, p in point.by_picture.items()})

    return replace(curve, points=tuple(map(dearer, curve.points)))


def test_means_over_a_part_of_a_data_set_stay_so(tmp_path):
    written, _ = exported(run_of(tmp_path, *classical(pictures=KODAK[:3])), "compressai")
    curve = curve_of(tmp_path, compressai_json.write(written.sheet), dataset=None)
    assert (curve.dataset, curve.picture_count, curve.rate_kind) == ("kodak", 3, "stream")
    assert curve_files.parse(curve_files.write([curve]), "x.csv") == (curve,)
    assert bd_rate(vtm(), curve).reason == "the anchor is a mean over 24 pictures, the test over 3"


def test_times_are_means_over_pictures_of_each_pictures_median(tmp_path):
    rows = [
        measurement("c", "1", "a", encode_seconds=(1.0, 2.0, 9.0), decode_seconds=(1.0,)),
        measurement("c", "1", "b", encode_seconds=(4.0,), decode_seconds=()),
    ]
    written, _ = exported(run_of(tmp_path, *rows), "compressai")
    assert written.sheet.columns["encoding_time"] == (3.0,)
    assert "decoding_time" not in written.sheet.columns
    assert any("decoding_time, which not every point has" in sentence for sentence in written.lost)


def test_the_payload_can_be_exported_as_compressai_counts_it_and_is_said(tmp_path):
    path = run_of(tmp_path, measurement("c", "1", "a", stream_bytes=2000, payload_bits=8000))
    stream, _ = exported(path, "compressai")
    payload, _ = exported(path, "compressai", rate="payload", plain_keys=True)
    assert stream.sheet.columns["bpp"] == (16000 / (768 * 512),)
    assert payload.sheet.columns["bpp"] == (8000 / (768 * 512),)
    assert "Rate: the whole self-contained stream." in stream.sheet.facts["description"]
    assert "Rate: the entropy-coded strings alone." in payload.sheet.facts["description"]
    assert {"psnr", "ms-ssim"} <= set(payload.sheet.columns)
    with pytest.raises(RequestError, match="--rate stream is the only rate"):
        exported(path, "codec-compare", rate="payload")


def test_untrained_networks_are_not_exported_and_named(tmp_path):
    rows = [measurement("jpeg", "1", KODAK[0], dataset="kodak"), untrained()]
    _, said = exported(run_of(tmp_path, *rows), "compressai")
    assert said == ["bmshj2018-hyperprior ran untrained: it has no rate and no distortion, and is not exported."]
    with pytest.raises(RequestError, match=r"nothing to export\. bmshj2018-hyperprior ran untrained"):
        exported(run_of(tmp_path, untrained()), "compressai")


def test_a_point_over_fewer_pictures_is_not_mixed_into_means(tmp_path):
    rows = [measurement("c", "1", "a"), measurement("c", "1", "b"), measurement("c", "2", "a", stream_bytes=3000)]
    path = run_of(tmp_path, *rows)
    written, _ = exported(path, "tensorflow-compression")
    assert written.sheet.columns["q"] == ("1",)
    assert any("point 2, which lacks pictures" in sentence for sentence in written.lost)
    assert exported(path, "cool-chic")[0].sheet.length == 3


def test_lossless_pictures_are_infinite_where_a_format_has_infinity_and_said_where_not(tmp_path):
    lossless = [measurement("c", "1", name, psnr_db=math.inf, ms_ssim=1.0) for name in ("a", "b")]
    path = run_of(
        tmp_path, *lossless, measurement("c", "0", "a", stream_bytes=10), measurement("c", "0", "b", stream_bytes=10)
    )
    assert exported(path, "compressai")[0].sheet.columns["psnr-rgb"] == (30.0, math.inf)
    assert exported(path, "tensorflow-compression")[0].sheet.columns["psnr"] == ("30.0", "inf")
    batch, _ = exported(path, "codec-compare")
    assert batch.sheet.columns["psnr"] == (30.0, 30.0, None, None)
    assert any("PSNR of 2 lossless pictures" in sentence for sentence in batch.lost)


def test_compressais_own_plot_tool_reads_ours(tmp_path, monkeypatch):
    rows = classical(pictures=KODAK[:2])
    written, _ = exported(run_of(tmp_path, *rows), "compressai")
    (tmp_path / "jpeg.json").write_text(compressai_json.write(written.sheet))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for metric in ("psnr", "ms-ssim-rgb"):
        monkeypatch.setattr(sys, "argv", ["plot", "-f", "jpeg.json", "-m", metric, "-o", f"{metric}.png"])
        tool = runpy.run_module("compressai.utils.plot", run_name="__main__")  # as python -m does
        assert (tmp_path / f"{metric}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (mine,) = curves.measured(rows, "run")
    for metric, score in (("psnr", "psnr_db"), ("ms-ssim", "ms_ssim_db")):
        drawn = tool["parse_json_file"]("jpeg.json", metric)
        assert (drawn["name"], drawn["xs"]) == ("jpeg", [point.bpp for point in mine.points])
        assert list(drawn["ys"]) == pytest.approx([point.score(score) for point in mine.points], rel=1e-12)


def imported_run(tmp_path):
    (one,) = taken(tmp_path, BATCH, "batch.json", trained_for="none")
    return importing.as_run([one], importing.Asked("kodak"), tmp_path / "runs", ("lic-bench", "import"))


def test_an_imported_run_never_passes_for_measured(tmp_path):
    path = imported_run(tmp_path)
    head, rows = run_folder.read(path)
    assert {row.status for row in rows} == {"imported"}
    assert {row.origin for row in rows} == {Origin.PUBLISHED}
    assert head.imported_from[0].startswith("batch.json (sha256 ")
    assert head.machine == {"processor": "unknown: imported figures"}
    assert "not taken over from the file: effort, encoding_time, decoding_time, ssim, time" in head.notes[1]
    (curve,) = curves.measured(rows, "run")
    assert (curve.source.origin, curve.name) == (Origin.PUBLISHED, "webp (published: run)")
    # 12288 and 6144 bytes on 768 x 512 pixels: 0.25 and 0.125 bits per pixel
    assert [(p.bpp, p.psnr_db) for p in curve.points] == [(0.1875, 32.5), (0.375, 37.5)]
    content = gather(rows, head)
    assert (content.measured, content.imported) == ((), ("webp",))
    assert tables.quality(content).frame["origin"].tolist() == ["published", "published"]
    assert tables.time_and_memory(content).cells() == []
    html = page.render(content)
    assert "others measured them" in html
    assert {trace["name"] for chart in figures(html)[:1] for trace in chart["data"]} == {"webp · published"}


def test_an_imported_run_can_be_exported_and_says_whose_figures_they_are(tmp_path):
    written, _ = exported(imported_run(tmp_path), "codec-compare")
    assert "Not measured by lic-bench but imported from batch.json" in written.sheet.facts["description"]
    assert written.sheet.columns["encoded_size"] == (12288, 6144, 24576, 12288)
    with pytest.raises(RequestError, match="webp has no payload rate"):
        exported(imported_run(tmp_path), "compressai", rate="payload")


def test_a_picture_of_another_size_than_the_data_sets_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"kodim01\.png is 768x256; in kodak it is 768x512"):
        taken(tmp_path, BATCH.replace("768, 512", "768, 256"))


def test_two_curves_never_share_a_file(tmp_path):
    rows = [measurement(codec, "1", "a") for codec in ("a/b", "a:b", "jpeg")]
    chosen, _ = exporting.choose(*run_folder.read(run_of(tmp_path, *rows)))
    assert [one.stem for one in chosen] == ["a_b", "a_b-2", "jpeg"]


def test_files_changed_at_random_end_in_a_sentence_or_in_whole_curves(tmp_path):
    chance = random.Random(5)
    pieces = [
        b"null",
        b"Infinity",
        b"1e999",
        b"true",
        b"[",
        b"}",
        b",",
        b"\t",
        b"\n",
        b"\xff",
        b"NaN",
        b'"',
        b"\r",
        b"-1",
        b"",
    ]
    whole = 0
    for _ in range(600):
        text = bytearray(chance.choice([PSNR_RGB, BARE, SINGLE, CSV, TSV, BATCH]).encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text[at : at + chance.choice([0, 1, 1, 5])] = chance.choice([*pieces, bytes([chance.randrange(32, 127)])])
        (tmp_path / "x").write_bytes(bytes(text))
        try:
            found = importing.as_curves(importing.take([tmp_path / "x"], importing.Asked("kodak")), importing.Asked())
        except RequestError:
            continue
        assert curve_files.parse(curve_files.write(found), "x.csv") == found
        whole += 1
    assert whole > 20


def test_the_commands_know_every_format():
    assert (
        {form.value for form in interchange.Form}
        == set(formats.FORMATS)
        == set(exporting.WRITERS)
        == set(exporting.LOST)
    )


def test_files_without_sizes_make_no_run(tmp_path):
    with pytest.raises(RequestError, match=r"a\.tsv does not give picture, width, height and bytes"):
        importing.as_run(taken(tmp_path, TSV, "a.tsv"), importing.Asked(), tmp_path, ())


def given_curve(factor=0.8, name="mine", dataset="kodak", pictures=False):
    base = vtm()
    points = [replace(p, bpp=p.bpp * factor) for p in base.points]
    source = curves.Source(Origin.PUBLISHED, "somebody", f"{name}.csv", "table")
    return replace(base, codec=name, title=name, dataset=dataset, points=tuple(points), source=source)


def test_a_given_curve_is_drawn_with_the_run_over_the_same_pictures_and_can_be_the_anchor():
    rows, head = classical(), header(names=["jpeg"])
    mine = given_curve()
    (view,) = gather(rows, head, "vtm/compressai-classical", given=[mine]).views
    assert view.of(mine)[BD_RATE].percent == pytest.approx(-20, abs=1e-6)
    for request in ("mine", "mine/mine.csv"):
        (view,) = gather(rows, head, request, given=[mine]).views
        assert view.anchors["psnr_db"] is mine
    jpeg = next(curve for curve in view.curves if curve.codec == "jpeg")
    assert view.of(jpeg)[BD_RATE].anchor == "mine (published: mine.csv)"


def test_a_given_curve_over_other_pictures_gets_a_view_of_its_own():
    rows, head = classical(pictures=KODAK[:4]), header(pictures=KODAK[:4], names=["jpeg"])
    content = gather(rows, head, given=[given_curve(), given_curve(name="other", dataset="tecnick")])
    first, kodak, tecnick = content.views
    assert [curve.codec for curve in first.curves] == ["jpeg"]
    assert "mine" in [curve.codec for curve in kodak.curves]
    assert [curve.codec for curve in tecnick.curves] == ["other"]
    assert "--anchor names one" in tecnick.no_anchor
    anchored = gather(rows, head, "mine", given=[given_curve()]).views
    assert "mine has no curve over this run's pictures" in anchored[0].no_anchor
    assert anchored[1].anchors["psnr_db"].codec == "mine"


def test_an_anchor_that_several_given_files_have_must_be_named_with_its_file():
    other = replace(given_curve(), source=curves.Source(Origin.PUBLISHED, "else", "else.csv"))
    with pytest.raises(RequestError, match=r"mine/else\.csv or mine/mine\.csv"):
        gather(classical(), header(names=["jpeg"]), "mine", given=[given_curve(), other])


def lic_bench(*arguments, cwd, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "lic_bench", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_commands_export_import_and_compare(tmp_path):
    path = run_of(tmp_path, *classical())
    (tmp_path / "vtm.json").write_text(json.dumps({"name": "VTM", "results": {
        "bpp": [p.bpp * 2 for p in vtm().points], "psnr": [p.psnr_db for p in vtm().points]}, "meta": 1}))  # fmt: skip
    done = lic_bench("import", "vtm.json", "--dataset", "kodak", "--trained-for", "none", cwd=tmp_path)
    assert done.stdout.strip() == "vtm.json.curve.csv"
    assert "vtm.json: not taken over: meta." in done.stderr
    lic_bench("report", path, "--curve", "vtm.json.curve.csv", "--anchor", "VTM", cwd=tmp_path)
    html = (path / "report.html").read_text()
    assert "VTM · published · anchor" in {trace["name"] for trace in figures(html)[0]["data"]}
    assert "VTM (published: vtm.json)" in html
    done = lic_bench("export", path, "--keys", "psnr", "-o", "out", cwd=tmp_path)
    assert done.stdout.strip() == "out/jpeg.json"
    assert "Files of compressai do not hold the points' labels, single pictures" in done.stderr
    done = lic_bench("import", "out/jpeg.json", "--as", "curve", "-o", "out", cwd=tmp_path)
    assert done.stdout.strip() == "out/jpeg.json.curve.csv"
    assert "psnr" in json.loads((tmp_path / "out" / "jpeg.json").read_text())["results"]
    done = lic_bench("import", "nothing.json", "--dataset", "kodak", cwd=tmp_path, code=2)
    assert "nothing.json cannot be read" in done.stderr


def test_a_batch_becomes_a_run_with_a_page(tmp_path):
    (tmp_path / "batch.json").write_text(BATCH)
    done = lic_bench("import", "batch.json", "--dataset", "kodak", cwd=tmp_path)
    folder = (tmp_path / done.stdout.strip()).parent
    assert runner.report(folder).header.imported_from
    assert len(run_folder.read(folder)[1]) == 4


def test_a_curve_is_not_written_over_what_it_was_made_of(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    done = lic_bench("import", "a.csv", "--dataset", "kodak", "-o", "a.csv", cwd=tmp_path, code=2)
    assert "a.csv is what is imported" in done.stderr
    assert (tmp_path / "a.csv").read_text() == CSV


def test_blank_lines_and_byte_order_marks_are_no_rows():
    assert delimited.read_csv("a,b\n\n1,2\n\n") == [["a", "b"], ["1", "2"]]
    assert list(tfc.read("\ufeffbpp,psnr\r\n1,2\r\n").columns) == ["bpp", "psnr"]


def test_scores_that_others_did_not_take_are_not_blamed_on_the_pictures_size(tmp_path):
    assert Caveat.NO_MS_SSIM not in curve_of(tmp_path, TSV, "a.tsv").caveats


def test_a_learned_codec_comes_as_trained_for_what_nobody_told(tmp_path):
    path = importing.as_run(taken(tmp_path, BATCH.replace("webp", "c3")), importing.Asked(), tmp_path / "runs", ())
    _, rows = run_folder.read(path)
    assert {row.training for row in rows} == {Training.TRAINED}
    assert curves.measured(rows, "run")[0].optimised_for == "unknown"
