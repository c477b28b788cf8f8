"""Where imported and exported files go, and the commands that put them there."""

from __future__ import annotations

import json

import pytest
from helpers.commands import lic_bench
from helpers.made_runs import classical, figures
from helpers.result_files import BATCH, CSV, PSNR, run_of, vtm

from lic_bench.benchmark import run_folder
from lic_bench.errors import RequestError
from lic_bench.interchange import output


def test_a_slash_or_an_existing_folder_means_a_folder(tmp_path):
    (tmp_path / "there").mkdir()
    assert str(output.file_path("out/", "a.csv")) == "out/a.csv"
    assert output.file_path(str(tmp_path / "there"), "a.csv") == tmp_path / "there" / "a.csv"
    assert str(output.file_path("out", "a.csv")) == "out"
    assert str(output.file_path(None, "a.csv")) == "a.csv"


def test_nothing_is_overwritten_unasked(tmp_path):
    first, second = tmp_path / "new" / "1.csv", tmp_path / "2.csv"
    second.write_text("old")
    with pytest.raises(RequestError, match=r"2\.csv is there already; --overwrite replaces it"):
        output.write({first: "1", second: "2"})
    assert not first.exists()
    output.write({first: "1", second: "2"}, overwrite=True)
    assert (first.read_text(), second.read_text()) == ("1", "2")


def test_a_source_is_never_overwritten(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "link.csv").symlink_to("a.csv")
    for name in ("a.csv", "link.csv"):
        with pytest.raises(RequestError, match=f"{name} is what is imported"):
            output.write({tmp_path / name: ""}, overwrite=True, sources=[tmp_path / "a.csv"])
    assert (tmp_path / "a.csv").read_text() == CSV


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match=r"file/a\.csv cannot be written: "):
        output.write({tmp_path / "file" / "a.csv": ""})


def test_two_imports_into_a_folder_give_two_files(tmp_path):
    for name in ("A", "B"):
        (tmp_path / f"{name}.json").write_text(PSNR.replace("VTM", name))
        done = lic_bench("import", f"{name}.json", "--dataset", "kodak", "-o", "out/", cwd=tmp_path)
        assert done.stdout.strip() == f"out/{name}.json.curve.csv"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"A.json.curve.csv", "B.json.curve.csv"}
    done = lic_bench("import", "A.json", "--dataset", "kodak", "-o", "out", cwd=tmp_path, code=2)
    assert "out/A.json.curve.csv is there already; --overwrite replaces it" in done.stderr
    lic_bench("import", "A.json", "--dataset", "kodak", "-o", "out", "--overwrite", cwd=tmp_path)


def test_the_commands_export_import_and_compare(tmp_path):
    path = run_of(tmp_path, *classical())
    (tmp_path / "vtm.json").write_text(json.dumps({"name": "VTM", "results": {
        "bpp": [p.bpp * 2 for p in vtm().points], "psnr": [p.psnr_db for p in vtm().points]}, "meta": 1}))  # fmt: skip
    done = lic_bench("import", "vtm.json", "--dataset", "kodak", "--trained-for", "none", cwd=tmp_path)
    assert done.stdout.strip() == "vtm.json.curve.csv"
    assert "vtm.json: not taken over: meta." in done.stderr
    lic_bench("report", str(path), "--curve", "vtm.json.curve.csv", "--anchor", "VTM", cwd=tmp_path)
    html = (path / "report.html").read_text()
    assert "VTM · published · anchor" in {trace["name"] for trace in figures(html)[0]["data"]}
    assert "VTM (published: vtm.json)" in html
    done = lic_bench("export", str(path), "--keys", "psnr", "-o", "out", cwd=tmp_path)
    assert done.stdout.strip() == "out/jpeg.json"
    assert "Files of compressai do not hold the points' labels, single pictures" in done.stderr
    assert "psnr" in json.loads((tmp_path / "out" / "jpeg.json").read_text())["results"]
    done = lic_bench("export", str(path), "-o", "out", cwd=tmp_path, code=2)
    assert "out/jpeg.json is there already; --overwrite replaces it" in done.stderr
    done = lic_bench("import", "out/jpeg.json", "--as", "curve", "-o", "out", cwd=tmp_path)
    assert done.stdout.strip() == "out/jpeg.json.curve.csv"
    done = lic_bench("import", "nothing.json", "--dataset", "kodak", cwd=tmp_path, code=2)
    assert "nothing.json cannot be read" in done.stderr


def test_a_batch_becomes_a_run_with_a_page(tmp_path):
    (tmp_path / "batch.json").write_text(BATCH)
    done = lic_bench("import", "batch.json", "--dataset", "kodak", cwd=tmp_path)
    page = tmp_path / done.stdout.strip()
    assert page.name == "report.html"
    header, rows = run_folder.read(page.parent)
    assert header.imported_from
    assert len(rows) == 4


def test_a_curve_is_not_written_over_its_source(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    done = lic_bench("import", "a.csv", "--dataset", "kodak", "-o", "a.csv", "--overwrite", cwd=tmp_path, code=2)
    assert "a.csv is what is imported" in done.stderr
    assert (tmp_path / "a.csv").read_text() == CSV
