"""The page and the files beside it: self-contained, escaped, and nothing shown that does not exist."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from helpers.made_runs import classical, figures, header, on_kodak, untrained

from lic_bench.errors import RunFolderError
from lic_bench.records import Failure, FailureKind, NoteKind, PlanNote
from lic_bench.report import page, tables
from lic_bench.report.content import gather


def without_scripts(html):
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_untrained_rows_are_never_shown_as_measured():
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


def test_the_page_loads_nothing_from_anywhere():
    html = without_scripts(page.render(on_kodak(untrained())))
    assert not re.findall(r"(?:src|srcset|poster|data)\s*=\s*[\"']?https?:", html)
    assert not re.findall(r"@import|url\(", html)
    assert not [link for link in re.findall(r"<link[^>]*>", html) if "data:," not in link]


def test_the_page_shows_every_section_with_its_conditions():
    broken = Failure("webp", "50", "kodak", "kodim03", FailureKind.MEASURE, "OSError: encoder error -2")
    html = page.render(on_kodak(untrained(), broken))
    sections = ("curves", "efficiency", "bd", "codecs", "parts", "time", "failures", "untrained", "caveats",
                "conditions", "sources")  # fmt: skip
    assert re.findall(r'<section id="(\w+)"', html) == ["summary", *sections]
    for text in (
        "encoder error -2",
        f"{23:064x}",
        "Apache-2.0",
        "mlic-repo-figures",
        "0.1396",
        "2.14.1",
        "Untrained weights; ",
        "Remark: ",
    ):
        assert text in html, text


def test_names_from_files_are_escaped():
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    rows = [*classical(bad), Failure(bad, bad, "kodak", bad, FailureKind.METRIC, bad, (bad,))]
    html = page.render(gather(rows, header(names=[bad], notes=(PlanNote(NoteKind.NO_WEIGHTS, bad, (bad,)),))))
    assert "alert(1)</script>" not in html
    assert "<img" not in without_scripts(html)
    assert html.count("<script") == html.count("</script>")


def test_the_page_is_written_with_its_tables_and_no_draft(tmp_path):
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


def test_a_codec_without_a_card_is_rendered_from_its_rows():
    html = page.render(gather(classical("from-elsewhere"), header()))
    assert "from-elsewhere · measured" in [trace["name"] for trace in figures(html)[0]["data"]]


def test_a_caveats_text_keeps_its_capitals():
    rows = [replace(row, ms_ssim=None) for row in classical()]
    assert "MS-SSIM needs both sides above 160 pixels." in page.render(gather(rows, header(names=["jpeg"])))
