"""The page and its tables, from made-up rows: each figure says its origin; what does not exist is not shown."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from helpers.made_records import measurement
from helpers.made_runs import KODAK, classical, figures, header, untrained

from lic_bench.analysis import curves
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError, RunFolderError
from lic_bench.records import Call, Failure, MacCount, MemoryUse, Training
from lic_bench.report import labels, page, palette, tables
from lic_bench.report.content import BD_RATE, Content, efficiencies, gather
from lic_bench.report.growth import Growth, Size, distinct, growths
from lic_bench.report.growth_charts import memory_against_size, work_against_size
from lic_bench.report.palette import looks


def on_kodak(*rows, request=None):
    found = [*classical(), *rows]
    return gather(found, header(names=dict.fromkeys(row.codec for row in found)), request)


def without_scripts(html):
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_on_the_published_pictures_measured_and_published_curves_share_a_view_and_vtm_is_the_anchor():
    (view,) = on_kodak(untrained()).views
    assert {curve.source.origin.value for curve in view.curves} == {"measured", "published", "digitised"}
    assert view.anchors["psnr_db"].codec == "vtm-17.0"
    assert view.anchors["ms_ssim_db"].codec == "vtm"


def test_a_codec_with_a_tenth_less_rate_than_the_anchor_is_at_minus_ten_percent():
    (view,) = gather(classical(factor=0.9), header(names=["jpeg"])).views
    mine = next(curve for curve in view.curves if curve.source.origin.value == "measured")
    assert view.of(mine)[BD_RATE].percent == pytest.approx(-10, abs=0.01)


def test_fewer_pictures_than_published_are_never_drawn_with_the_published_curves():
    some = KODAK[:4]
    content = gather(
        [*classical(pictures=some), untrained()], header(pictures=some, names=["jpeg", "bmshj2018-hyperprior"])
    )
    mine, theirs = content.views
    assert {curve.source.origin.value for curve in mine.curves} == {"measured"}
    assert "measured" not in {curve.source.origin.value for curve in theirs.curves}
    assert mine.anchors["psnr_db"].codec == "jpeg"
    assert theirs.anchors["psnr_db"].codec == "vtm-17.0"


def test_untrained_rows_are_never_drawn_or_tabled_as_measured():
    content = gather([untrained()], header(names=["bmshj2018-hyperprior"]))
    (line,) = tables.quality(content).frame.to_dict("records")
    assert line["origin"] == "none: untrained"
    assert {line[name] for name in ("bpp", "payload bpp", "estimated bpp", "PSNR dB", "MS-SSIM")} == {None}
    assert all(curve.source.origin.value != "measured" for view in content.views for curve in view.curves)
    drawn = [
        trace for figure in figures(page.render(content)) for trace in figure["data"] if trace["type"] == "scatter"
    ]
    assert drawn
    assert not [trace["name"] for trace in drawn if "measured" in trace["name"]]


def test_an_untrained_network_stands_in_the_efficiency_plot_with_its_published_rate_and_our_count():
    (view,) = (content := on_kodak(untrained())).views
    (one,) = efficiencies(content, view, Call.FORWARD)
    # 1,000,000 MAC over 768 x 512 pixels
    assert (one.cost.kmac_per_pixel, one.cost.origin) == (pytest.approx(1000 / 393216), "predicted")
    assert (one.curve.source.origin.value, one.curve.codec) == ("published", "bmshj2018-hyperprior")
    assert one.figure.percent == pytest.approx(33.5, abs=0.1)  # PCHIP against VTM-17.0


def test_every_line_of_every_table_says_an_origin():
    content = on_kodak(untrained())
    for table in (tables.quality(content), tables.complexity(content), tables.parts(content),
                  tables.time_and_memory(content), *map(tables.bd, content.views),
                  *map(tables.bd_overview, content.views), *map(tables.curve_points, content.views)):  # fmt: skip
        assert len(table.frame)
        assert set(table.frame["origin"]) <= {"measured", "predicted", "published", "digitised", "none: untrained"}


def test_the_parts_of_a_call_share_all_of_its_work():
    frame = tables.parts(on_kodak(untrained())).frame
    assert frame.groupby("call")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    assert frame["part"].unique().tolist() == ["g_a", "h_a", "g_s"]


def test_times_keep_median_quartiles_minimum_and_number():
    row = measurement("jpeg", "1", "a", encode_seconds=(5.0, 1.0, 2.0, 3.0, 4.0))
    (line,) = tables.time_and_memory(gather([row], header(names=["jpeg"]))).frame.to_dict("records")
    assert [line[f"encode {what}"] for what in ("s", "quartiles", "min s", "n")] == [3.0, "2 to 4", 1.0, 5]


def test_the_page_loads_nothing_from_anywhere(tmp_path):
    html = without_scripts(page.render(on_kodak(untrained())))
    assert not re.findall(r"(?:src|srcset|poster|data)\s*=\s*[\"']?https?:", html)
    assert not re.findall(r"@import|url\(", html)
    assert not [link for link in re.findall(r"<link[^>]*>", html) if "data:," not in link]


def test_the_page_shows_every_section_with_its_conditions_pictures_and_sources():
    broken = Failure("webp", "50", "kodak", "kodim03", "measure", "OSError: encoder error -2")
    html = page.render(on_kodak(untrained(), broken))
    for name in (
        "curves",
        "efficiency",
        "bd",
        "codecs",
        "parts",
        "time",
        "failures",
        "untrained",
        "caveats",
        "conditions",
        "sources",
    ):
        assert f'<section id="{name}"' in html
    for text in (
        "encoder error -2",
        f"{23:064x}",
        "Apache-2.0",
        "mlic-repo-figures",
        "0.1396",
        "2.14.1",
        "untrained weights",
        "Remark: ",
    ):
        assert text in html or text.capitalize() in html, text


def test_names_from_elsewhere_are_shown_as_they_are_typed_and_run_nothing():
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    rows = [*classical(bad), Failure(bad, bad, "kodak", bad, bad, bad)]
    html = page.render(gather(rows, header(names=[bad], notes=(bad,))))
    assert "alert(1)</script>" not in html
    assert "<img" not in without_scripts(html)
    assert html.count("<script") == html.count("</script>")


def test_the_page_is_written_with_its_tables_beside_it_and_no_draft_is_left(tmp_path):
    written = page.write([*classical(), untrained()], header(names=["jpeg", "bmshj2018-hyperprior"]), None, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert written == tmp_path / "report.html"
    assert names == ["report-bd.csv", "report-complexity.csv", "report-parts.csv", "report-time.csv", "report.csv",
                     "report.html", "report.md"]  # fmt: skip
    lines = list(csv.DictReader(io.StringIO((tmp_path / "report.csv").read_text())))
    assert [line["codec"] for line in lines] == ["jpeg"] * 9 + ["bmshj2018-hyperprior"]
    assert "| jpeg | v1 |" in (tmp_path / "report.md").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RunFolderError, match="nowhere"):
        page.write(classical(), header(names=["jpeg"]), None, tmp_path / "nowhere")


def test_a_run_without_any_row_still_makes_a_page():
    html = page.render(gather([], header(dataset="sample", pictures=("a",))))
    assert "there is no curve to draw" in html


def test_a_codec_that_is_not_installed_any_more_is_rendered_from_its_rows():
    html = page.render(gather(classical("from-elsewhere"), header(names=["from-elsewhere"])))
    assert "from-elsewhere · measured" in [trace["name"] for trace in figures(html)[0]["data"]]


def test_a_measured_codec_of_the_run_can_be_the_anchor():
    (view,) = on_kodak(*classical("webp", 0.8), request="jpeg").views
    webp = next(curve for curve in view.curves if (curve.codec, curve.source.origin.value) == ("webp", "measured"))
    assert view.of(webp)[BD_RATE].percent == pytest.approx(-20, abs=0.01)
    assert view.of(webp)[BD_RATE].interval == (pytest.approx(-20, abs=0.01), pytest.approx(-20, abs=0.01))


def test_a_published_curve_can_be_the_anchor_by_codec_and_source():
    (view,) = on_kodak(request="bpg-444/compressai-classical").views
    assert view.anchors["psnr_db"].name == "bpg-444 (published: compressai-classical)"


def test_an_anchor_that_there_is_not_is_answered_with_those_meant():
    with pytest.raises(RequestError, match=r"vtm-17\.1.*Did you mean .*vtm-17\.0"):
        on_kodak(request="vtm-17.1")
    with pytest.raises(RequestError, match="not published by 'nobody'"):
        on_kodak(request="vtm-17.0/nobody")
    with pytest.raises(RequestError, match="jpeg2000/compressai-classical or jpeg2000/tfc-results"):
        on_kodak(request="jpeg2000")


def test_a_published_anchor_is_not_held_against_other_pictures():
    rows = classical(dataset="sample", pictures=("a", "b"))
    (view,) = gather(rows, header(dataset="sample", pictures=("a", "b"), codecs=["from"]), "vtm-17.0").views[:1]
    assert view.anchors == {}
    assert "vtm-17.0 was published on kodak" in view.no_anchor
    html = page.render(gather(rows, header(dataset="sample", pictures=("a", "b")), "vtm-17.0"))
    assert "no BD figure, because vtm-17.0 was published on kodak" in html


def test_the_summary_at_the_end_of_a_run_has_a_line_per_codec():
    rows = [*classical(factor=0.9), untrained(), Failure("elic", "1", "kodak", None, "load", "no")]
    names, jpeg, hyperprior, elic = tables.summary(rows, header(names=["jpeg", "bmshj2018-hyperprior", "elic"]), None)
    assert dict(zip(names, jpeg, strict=True)) | {"BD-rate %": "-10.0", "bpp": "0.13 to 0.86"} == dict(
        zip(names, jpeg, strict=True)
    )
    assert dict(zip(names, hyperprior, strict=True))["bpp"] == "–"
    assert elic[:2] == ("elic", "failed")


def test_doubts_are_listed_with_the_figures_they_hang_on():
    content = on_kodak(untrained())
    assert content.caveats[Caveat.UNTRAINED] == ("bmshj2018-hyperprior 1",)
    assert "BD-rate (MS-SSIM) of vtm-17.0" not in str(content.caveats)


def test_doubts_about_time_stand_beside_times_and_those_about_quality_beside_quality():
    row = measurement("jpeg", "1", "a", caveats=(Caveat.BUSY_MACHINE, Caveat.DRIFT))
    content = gather([row], header(names=["jpeg"]))
    assert tables.quality(content).frame["caveats"].tolist() == ["drift"]
    assert tables.time_and_memory(content).frame["caveats"].tolist() == ["busy machine"]


def test_a_lower_bound_is_said_to_be_one():
    row = untrained()
    open_end = tuple(replace(count, uncounted={"aten::new_thing": 1}) for count in row.macs)
    content = on_kodak(replace(row, macs=open_end))
    assert tables.complexity(content).frame["lower bound"].tolist() == ["yes"]
    summary = tables.summary([replace(row, macs=open_end)], header(names=[row.codec]), None)
    assert summary[1][5].startswith("≥")


def test_colours_never_repeat_and_are_readable_on_light_and_dark():
    colours = [palette.colour(index) for index in range(60)]
    assert len(set(colours)) == 60
    for colour in colours:
        light = palette.luminance(tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
        assert 1.05 / (light + 0.05) >= 3  # against white, WCAG 2.2, 1.4.11
        assert (light + 0.05) / (0.0085 + 0.05) >= 3  # against the dark page, #14171a


def test_neighbours_in_the_palette_differ_in_marker_too():
    looks = list(palette.looks([f"codec-{index}" for index in range(40)]).values())
    assert all(one != other for one, other in combinations(looks, 2))
    assert all(one.marker != other.marker for one, other in pairwise(looks))


def test_names_beside_marks_keep_clear_of_each_other():
    marks = {"elic": (100.0, 50.0), "flic": (108.0, 42.0), "elsewhere": (500.0, 50.0), "mbt2018": (100.0, 75.0)}
    found = labels.places(marks)
    boxes = [labels.box(name, *marks[name], found[name]) for name in marks]
    assert all(labels.common(one, other) == 0 for one, other in combinations(boxes, 2))
    assert found["elsewhere"] == "top center"


def test_a_codec_looks_the_same_whatever_else_is_on_the_page():
    assert palette.looks(["webp"])["webp"] == palette.looks(["jpeg", "webp", "else"])["webp"]


def test_one_row_per_picture_can_be_had_as_a_frame():
    frame = tables.per_picture([measurement("jpeg", "50", "a"), Failure("jpeg", "50", "set", "b", "measure", "no")])
    assert frame.to_dict("records")[0]["bpp"] == pytest.approx(8000 / (768 * 512))
    assert len(frame) == 1


def test_curves_of_the_run_carry_its_name():
    (view,) = on_kodak().views
    mine = next(curve for curve in view.curves if curve.source.origin.value == "measured")
    assert mine.name == "jpeg (measured: 20261120T130000-abc1234)"
    assert isinstance(mine, curves.RDCurve)


def test_work_and_memory_are_drawn_against_megapixels_predicted_and_measured_apart():
    def count(width, height, macs, activations):
        return MacCount(Call.DECODE, width, height, macs, {"g_s": macs}, activation_bytes=activations)

    row = measurement(
        "loc-lic",
        "m1",
        "a",
        width=1000,
        height=1000,
        training=Training.UNTRAINED,
        macs=(count(1000, 1000, 2_000_000_000, 8 * 2**20),),
        scaling=(count(2000, 2000, 8_000_000_000, 32 * 2**20),),
        memory=(MemoryUse(Call.DECODE, 0, 16 * 2**20),),
    )
    (growth,) = growths([row])
    assert [(size.pixels, size.kmac_per_pixel) for size in growth.sizes] == [(1_000_000, 2.0), (4_000_000, 2.0)]
    assert [size.measured_bytes for size in growth.sizes] == [16 * 2**20, None]
    content = Content(header=header(), run="", points=(), failures=(), views=(), growth=(growth,))
    memory = json.loads(memory_against_size(content, looks(["loc-lic"]), "memory").json)["data"]
    assert [(trace["mode"], trace["x"], trace["y"]) for trace in memory] == [
        ("lines+markers", [1.0, 4.0], [8.0, 32.0]),
        ("markers", [1.0], [16.0]),
    ]
    work = json.loads(work_against_size(content, looks(["loc-lic"]), "work").json)["data"]
    assert [trace["y"] for trace in work] == [[2.0, 2.0]]


def test_points_that_run_the_same_network_are_one_line():
    sizes = (Size(100, 2.0, 1), Size(400, 2.0, 4))
    same = [Growth("net", label, Call.DECODE, sizes) for label in ("1", "2")]
    other = Growth("net", "3", Call.DECODE, (Size(100, 3.0, 1), Size(400, 3.0, 4)))
    assert [one.label for one in distinct([*same, other])] == ["1", "3"]
