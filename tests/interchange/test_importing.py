"""Result files become published curves and imported runs: nothing is lost, and nothing passes for measured."""

from __future__ import annotations

import json
import math
import random

import pytest
from helpers.made_runs import figures
from helpers.result_files import (
    BARE,
    BATCH,
    CSV,
    PSNR,
    PSNR_RGB,
    SINGLE,
    TSV,
    curve_of,
    imported_run,
    results_of,
    vtm,
)

from lic_bench import bd_rate, read_curves
from lic_bench.analysis import curve_files, curves
from lic_bench.benchmark import run_folder
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.interchange import importing
from lic_bench.interchange.importing import ImportOptions
from lic_bench.records import Origin, Training
from lic_bench.report import page, tables
from lic_bench.report.content import gather


@pytest.mark.parametrize("text", [PSNR, PSNR_RGB])
def test_a_file_of_means_becomes_a_published_curve(text, tmp_path):
    curve = curve_of(tmp_path, text, "vtm.json")
    assert (curve.codec, curve.source.origin, curve.source.source_id) == ("VTM", Origin.PUBLISHED, "vtm.json")
    assert [(p.label, p.bpp, p.psnr_db, p.ms_ssim) for p in curve.points] == [
        ("p1", 0.1, 30.123456789012345, 0.9),
        ("p2", 0.30000000000000004, math.inf, None),
    ]
    assert (curve.rate_kind, curve.optimised_for, curve.picture_count) == ("unknown", "unknown", 24)
    assert curve.source.text == "vtm.json: VTM-9.1"


def test_pictures_are_joined_by_name_into_means(tmp_path):
    curve = curve_of(tmp_path, TSV, "cool-chic-9.tsv")
    assert [(p.label, p.bpp, p.psnr_db) for p in curve.points] == [("0.01", 0.09, 27.5), ("0.001", 0.4, 32.0)]
    assert (curve.codec, curve.pictures, curve.caveats) == ("cool-chic-9", ("kodim01", "kodim02"), ())
    assert "mean MSE" in curve.source.note
    assert "not taken over from the file: n_itr, mac" in curve.source.note


def test_tables_take_means_labels_and_decibels(tmp_path):
    one = results_of(tmp_path, "q,bpp,msssim_db,vmaf\n3,0.5,20,99\n", "x.csv")
    assert (one.points[0].label, one.points[0].ms_ssim, one.unused_columns) == ("3", 0.99, ("vmaf",))
    both = curve_of(tmp_path, CSV, "hyperprior.csv")
    assert [(p.label, p.ms_ssim) for p in both.points] == [("0.01", None), ("0.02", 0.97)]


def test_of_two_columns_for_one_quantity_the_other_is_named(tmp_path):
    one = results_of(tmp_path, "bpp,psnr,psnr_rgb,ms_ssim,ms_ssim_db\n1,2,3,0.9,9\n", "x.csv")
    assert (one.points[0].psnr_db, one.points[0].ms_ssim, one.unused_columns) == (3, 0.9, ("psnr", "ms_ssim_db"))


@pytest.mark.parametrize(("name", "text"), [("x.csv", "0.1,30\n0.2,31\n"), ("x.tsv", "0.1  30\n0.2  31\n")])
def test_a_table_without_a_header_takes_given_names(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    (one,) = importing.read([tmp_path / name], ImportOptions("kodak"), columns=("bpp", "psnr"))
    assert [(point.bpp, point.psnr_db) for point in one.points] == [(0.1, 30), (0.2, 31)]
    with pytest.raises(RequestError, match="there are 3 names for 2 columns"):
        importing.read([tmp_path / name], ImportOptions("kodak"), columns=("bpp", "psnr", "lpips"))


def test_an_encoder_setting_that_varies_makes_its_own_curves(tmp_path):
    one = results_of(tmp_path, BATCH.replace("512, 4, 90", "512, 7, 90"))
    assert {point.codec for point in one.points} == {"webp effort 4", "webp effort 7"}
    assert one.unused_columns == ("encoding_time", "decoding_time", "ssim", "time")


def test_compressais_single_pictures_become_one_curve(tmp_path):
    for picture, bpp in (("kodim01", 0.25), ("kodim02", 0.75)):
        text = SINGLE.replace("kodim01", picture).replace("0.25", str(bpp))
        (tmp_path / f"{picture}-mbt2018-mse-1-ans.json").write_text(text)
    options = ImportOptions("kodak", trained_for="mse")
    results = importing.read(sorted(tmp_path.iterdir()), options)
    assert [file.name for file in results[0].files] == [path.name for path in sorted(tmp_path.iterdir())]
    (curve,) = importing.as_curves(results, options)
    assert [(p.label, p.bpp) for p in curve.points] == [("mbt2018-mse-1-ans", 0.5)]
    assert (curve.pictures, curve.rate_kind, curve.source.source_id) == (
        ("kodim01", "kodim02"), "payload", f"{tmp_path.name}/",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind"), [("entropy estimation", "estimated"), ("entropy-estimation", "estimated"), ("ans", "payload")]
)
def test_compressais_description_says_which_bits_count(said, kind, tmp_path):
    assert curve_of(tmp_path, PSNR.replace("VTM-9.1", f"Inference ({said})")).rate_kind == kind


def test_an_unstated_data_set_is_not_guessed(tmp_path):
    with pytest.raises(RequestError, match=r"a\.json does not say which pictures it is about; --dataset"):
        results_of(tmp_path, PSNR, dataset=None)


def test_two_files_of_one_name_are_refused(tmp_path):
    (tmp_path / "b").mkdir()
    results_of(tmp_path, PSNR)
    results_of(tmp_path / "b", PSNR)
    with pytest.raises(RequestError, match=r"Two files are called a\.json"):
        importing.read([tmp_path / "a.json", tmp_path / "b" / "a.json"], ImportOptions("kodak"))


def test_bd_rates_of_imported_curves_equal_the_originals(tmp_path):
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


def test_missing_scores_of_others_are_not_blamed_on_size(tmp_path):
    assert Caveat.NO_MS_SSIM not in curve_of(tmp_path, TSV, "a.tsv").caveats


def test_an_imported_run_never_passes_for_measured(tmp_path):
    head, rows = run_folder.read(imported_run(tmp_path))
    assert {row.status for row in rows} == {"imported"}
    assert {row.origin for row in rows} == {Origin.PUBLISHED}
    (file,) = head.imported_from
    assert (file.name, file.format, file.citation, file.licence) == ("batch.json", "codec-compare", "Somebody", "CC0")
    assert len(file.sha256) == 64
    assert file.unused_columns == ("effort", "encoding_time", "decoding_time", "ssim", "time")
    assert head.machine == {"processor": "unknown: imported figures"}
    assert [card.name for card in head.cards] == ["webp"]
    (curve,) = curves.measured(rows, "run")
    assert (curve.source.origin, curve.name) == (Origin.PUBLISHED, "webp (published: run)")
    # 12288 and 6144 bytes on 768 x 512 pixels: 0.25 and 0.125 bits per pixel
    assert [(p.bpp, p.psnr_db) for p in curve.points] == [(0.1875, 32.5), (0.375, 37.5)]


def test_the_report_of_an_imported_run_says_so(tmp_path):
    head, rows = run_folder.read(imported_run(tmp_path))
    content = gather(rows, head)
    assert (content.measured, content.imported) == ((), ("webp",))
    assert tables.quality(content).frame["origin"].tolist() == ["published", "published"]
    assert tables.time_and_memory(content).cells() == []
    html = page.render(content)
    assert "others measured them" in html
    assert f"batch.json (sha256 {head.imported_from[0].sha256}); Somebody; licence: CC0; " in html
    assert "not taken over from the file: effort, encoding_time, decoding_time, ssim, time" in html
    assert {trace["name"] for chart in figures(html)[:1] for trace in chart["data"]} == {"webp · published"}


def test_a_picture_of_another_size_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"kodim01\.png is 768x256; in kodak it is 768x512"):
        results_of(tmp_path, BATCH.replace("768, 512", "768, 256"))


def test_files_without_sizes_make_no_run(tmp_path):
    with pytest.raises(RequestError, match=r"a\.tsv does not give picture, width, height and bytes"):
        importing.as_run([results_of(tmp_path, TSV, "a.tsv")], tmp_path, ())


def test_an_imported_learned_codec_has_an_unknown_target(tmp_path):
    path = importing.as_run([results_of(tmp_path, BATCH.replace("webp", "c3"))], tmp_path / "runs", ())
    _, rows = run_folder.read(path)
    assert {row.training for row in rows} == {Training.TRAINED}
    assert curves.measured(rows, "run")[0].optimised_for == "unknown"


def test_random_damage_gives_a_sentence_or_whole_curves(tmp_path):
    chance = random.Random(5)
    inserts = [
        b"null", b"Infinity", b"1e999", b"true", b"[", b"}", b",", b"\t", b"\n", b"\xff", b"NaN", b'"', b"\r", b"-1",
        b"",
    ]  # fmt: skip
    whole = 0
    for _ in range(600):
        text = bytearray(chance.choice([PSNR_RGB, BARE, SINGLE, CSV, TSV, BATCH]).encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text[at : at + chance.choice([0, 1, 1, 5])] = chance.choice([*inserts, bytes([chance.randrange(32, 127)])])
        (tmp_path / "x").write_bytes(bytes(text))
        try:
            found = importing.as_curves(importing.read([tmp_path / "x"], ImportOptions("kodak")), ImportOptions())
        except RequestError:
            continue
        assert curve_files.parse(curve_files.write(found), "x.csv") == found
        whole += 1
    assert whole > 20
