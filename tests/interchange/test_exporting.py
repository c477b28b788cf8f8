"""A run's figures in other tools' files: they read back as the same curve, and what is left out is named."""

from __future__ import annotations

import math
import runpy
import sys
from dataclasses import replace

import pytest
from helpers.made_records import measurement
from helpers.made_runs import KODAK, classical, untrained
from helpers.result_files import curve_of, imported_run, run_of, vtm

from lic_bench import bd_rate
from lic_bench.analysis import curve_files, curves
from lic_bench.benchmark import run_folder
from lic_bench.errors import RequestError
from lic_bench.interchange import exporting, importing
from lic_bench.interchange.formats import ResultFormat
from lic_bench.interchange.importing import ImportOptions
from lic_bench.records import Measurement


def run_curves(path, **options):
    """The curves of a run folder that are exported, and the sentences on what is not."""
    header, rows = run_folder.read(path)
    return exporting.run_curves(header, [row for row in rows if isinstance(row, Measurement)], **options)


def exported(path, form, rate="stream", **options):
    """The file of a run's only curve, and what is left out of it."""
    ((one,), _) = run_curves(path, rate=rate)
    return exporting.result_file(one, ResultFormat(form), **options)


def cells(file, column):
    return file.table[column].tolist()


@pytest.mark.parametrize("form", list(ResultFormat))
@pytest.mark.parametrize("awkward", [False, True])
def test_an_exported_curve_comes_back_the_same(form, awkward, tmp_path):
    rows = classical(pictures=KODAK[:3])
    if awkward:
        rows = [
            replace(row, stream_bytes=row.stream_bytes + 7, psnr_db=row.psnr_db / 3, codec="jpég, 2") for row in rows
        ]
    ((one,), _) = run_curves(run_of(tmp_path, *rows))
    file = tmp_path / f"x{form.suffix}"
    file.write_text(exporting.text(one, form)[0], encoding="utf-8", newline="")
    results = importing.read([file], ImportOptions("kodak", trained_for="none"))
    assert results[0].format is form
    (back,) = importing.as_curves(results, ImportOptions())
    (original,) = curves.measured(rows, "run")
    assert [(p.bpp, p.psnr_db, p.ms_ssim) for p in back.points] == [
        (p.bpp, p.psnr_db, p.ms_ssim) for p in original.points
    ]
    per_picture = form in exporting.PER_PICTURE
    assert back.pictures == (original.pictures if per_picture else ())
    if per_picture:
        anchor = at_a_tenth_more_rate(original)
        assert bd_rate(anchor, back).by_picture == bd_rate(anchor, original).by_picture


def at_a_tenth_more_rate(curve):
    def dearer(point):
        return replace(point, bpp=point.bpp * 1.1, by_picture={n: dearer(p) for n, p in point.by_picture.items()})

    return replace(curve, points=tuple(map(dearer, curve.points)))


def test_every_format_can_be_exported():
    assert set(exporting.COLUMNS) == set(exporting.NOT_HELD) == set(ResultFormat)
    assert set(exporting.COLUMNS[ResultFormat.CODEC_COMPARE]) <= set(exporting.MEANINGS)


def test_means_over_a_part_of_a_data_set_stay_so(tmp_path):
    ((one,), _) = run_curves(run_of(tmp_path, *classical(pictures=KODAK[:3])))
    curve = curve_of(tmp_path, exporting.text(one, ResultFormat.COMPRESSAI)[0], dataset=None)
    assert (curve.dataset, curve.picture_count, curve.rate_kind) == ("kodak", 3, "stream")
    assert curve_files.parse(curve_files.write([curve]), "x.csv") == (curve,)
    assert bd_rate(vtm(), curve).reason == "the anchor is a mean over 24 pictures, the test over 3"


def test_times_are_means_of_each_pictures_median(tmp_path):
    rows = [
        measurement("c", "1", "a", encode_seconds=(1.0, 2.0, 9.0), decode_seconds=(1.0,)),
        measurement("c", "1", "b", encode_seconds=(4.0,), decode_seconds=()),
    ]
    file, left_out = exported(run_of(tmp_path, *rows), "compressai")
    assert cells(file, "encoding_time") == [3.0]
    assert "decoding_time" not in file.table
    assert "decoding_time, which not every point has" in left_out


def test_the_payload_is_exported_as_compressai_counts_it(tmp_path):
    path = run_of(tmp_path, measurement("c", "1", "a", stream_bytes=2000, payload_bits=8000))
    stream, _ = exported(path, "compressai")
    payload, _ = exported(path, "compressai", rate="payload", plain_keys=True)
    assert cells(stream, "bpp") == [16000 / (768 * 512)]
    assert cells(payload, "bpp") == [8000 / (768 * 512)]
    assert "Rate: the whole self-contained stream." in stream.facts["description"]
    assert "Rate: the entropy-coded strings alone." in payload.facts["description"]
    assert {"psnr", "ms-ssim"} <= set(payload.table)
    with pytest.raises(RequestError, match="--rate stream is the only rate"):
        exported(path, "codec-compare", rate="payload")


def test_a_picture_without_the_rate_asked_for_is_left_out(tmp_path):
    path = run_of(tmp_path, measurement("c", "1", "a"), measurement("c", "1", "b", payload_bits=None))
    assert cells(exported(path, "cool-chic", rate="payload")[0], "seq_name") == ["a"]


def test_untrained_networks_are_not_exported_and_named(tmp_path):
    rows = [measurement("jpeg", "1", KODAK[0], dataset="kodak"), untrained()]
    found, skipped = run_curves(run_of(tmp_path, *rows))
    assert [one.curve.codec for one in found] == ["jpeg"]
    assert skipped == ["bmshj2018-hyperprior ran untrained: it has no rate and no distortion, and is not exported."]
    with pytest.raises(RequestError, match=r"nothing to export\. bmshj2018-hyperprior ran untrained"):
        run_curves(run_of(tmp_path, untrained()))


def test_only_the_codec_asked_for_is_exported(tmp_path):
    path = run_of(tmp_path, *(measurement(codec, "1", "a") for codec in ("jpeg", "webp")))
    assert [one.curve.codec for one in run_curves(path, codec="webp")[0]] == ["webp"]
    with pytest.raises(RequestError, match=r"no codec called 'wepb' in this run. Did you mean webp\?"):
        run_curves(path, codec="wepb")


def test_a_point_over_fewer_pictures_is_not_mixed_in(tmp_path):
    rows = [measurement("c", "1", "a"), measurement("c", "1", "b"), measurement("c", "2", "a", stream_bytes=3000)]
    path = run_of(tmp_path, *rows)
    file, left_out = exported(path, "tensorflow-compression")
    assert cells(file, "q") == ["1"]
    assert left_out == ["point 2, which lacks pictures that the others have"]
    assert len(exported(path, "cool-chic")[0].table) == 3


def test_lossless_pictures_are_infinite_or_named(tmp_path):
    lossless = [measurement("c", "1", name, psnr_db=math.inf, ms_ssim=1.0) for name in ("a", "b")]
    path = run_of(
        tmp_path, *lossless, measurement("c", "0", "a", stream_bytes=10), measurement("c", "0", "b", stream_bytes=10)
    )
    assert cells(exported(path, "compressai")[0], "psnr-rgb") == [30.0, math.inf]
    ((one,), _) = run_curves(path)
    assert exporting.text(one, ResultFormat.TENSORFLOW_COMPRESSION)[0].splitlines()[2].split(",")[2] == "inf"
    batch, left_out = exported(path, "codec-compare")
    assert cells(batch, "psnr") == [30.0, 30.0, None, None]
    assert left_out == ["the PSNR of 2 lossless pictures, since JSON has no infinity"]


def test_compressais_own_plot_tool_reads_our_files(tmp_path, monkeypatch):
    rows = classical(pictures=KODAK[:2])
    ((one,), _) = run_curves(run_of(tmp_path, *rows))
    (tmp_path / "jpeg.json").write_text(exporting.text(one, ResultFormat.COMPRESSAI)[0])
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


def test_an_exported_imported_run_says_whose_figures(tmp_path):
    file, _ = exported(imported_run(tmp_path), "codec-compare")
    assert "Not measured by lic-bench but imported from batch.json" in file.facts["description"]
    assert cells(file, "encoded_size") == [12288, 6144, 24576, 12288]
    assert cells(file, "quality") == [50, 50, 90, 90]
    with pytest.raises(RequestError, match="webp has no payload rate"):
        exported(imported_run(tmp_path), "compressai", rate="payload")


def test_two_curves_never_share_a_file(tmp_path):
    rows = [measurement(codec, "1", "a") for codec in ("a/b", "a:b", "jpeg")]
    found, _ = run_curves(run_of(tmp_path, *rows))
    assert [one.stem for one in found] == ["a_b", "a_b-2", "jpeg"]
