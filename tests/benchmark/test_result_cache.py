"""The same figure is measured once; whatever it is made of, another one is measured again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import small_codecs

from lic_bench import api
from lic_bench.assets.download import cache_folder
from lic_bench.benchmark import result_cache
from lic_bench.records import Measurement
from lic_bench.report.page import PAGE

QUICK = {"device": "cpu", "timing_repeats": 1, "timing_budget_seconds": 1e9, "memory": False, "download": False}


def run(folder: Path, tmp_path: Path, models: str = "jpeg", **options: object) -> api.Run:
    chosen = {**QUICK, "points": "20,50", **options}
    return api.run(models, str(folder), output=tmp_path / "runs", new=True, **chosen)


def from_cache(done: api.Run) -> set[str]:
    return {row.from_cache for row in done.rows if isinstance(row, Measurement)}


def test_a_repeated_run_measures_nothing(folder: Path, tmp_path: Path) -> None:
    first, again = run(folder, tmp_path), run(folder, tmp_path)
    assert from_cache(first) == {""}
    assert from_cache(again) == {first.folder.name}
    assert [replace(row, from_cache="") for row in again.rows] == list(first.rows)
    third = run(folder, tmp_path)
    assert from_cache(third) == {first.folder.name}


def test_the_page_says_which_rows_were_measured_before(folder: Path, tmp_path: Path) -> None:
    first, again = run(folder, tmp_path), run(folder, tmp_path)
    page = (again.folder / PAGE).read_text()
    assert f"6 measured in {first.folder.name}; the conditions were the same" in page
    assert "where the time went" in (first.folder / PAGE).read_text()


def test_without_the_cache_all_is_measured(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path)
    assert from_cache(run(folder, tmp_path, cache=False)) == {""}


def test_another_picture_or_setting_is_measured(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path)
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes() + b"trailing")
    changed = run(folder, tmp_path)
    known = {row.picture: row.from_cache for row in changed.rows if isinstance(row, Measurement)}
    # c.png has the shape of the others now, which therefore share the time with it.
    assert known == {"a.png": "", "b.png": "", "c.png": ""}
    assert from_cache(run(folder, tmp_path, timing_repeats=2)) == {""}
    assert from_cache(run(folder, tmp_path, workers=2)) == {""}
    assert first.folder != changed.folder


def test_a_renamed_picture_is_the_same(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path)
    (folder / "c.png").rename(folder / "d.png")
    again = run(folder, tmp_path)
    assert from_cache(again) == {first.folder.name}
    assert {row.picture for row in again.rows} == {"a.png", "b.png", "d.png"}


def test_other_source_is_measured(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, tmp_path)
    monkeypatch.setattr(result_cache, "source_sha256", lambda: "other")
    assert from_cache(run(folder, tmp_path)) == {""}


def test_other_machines_and_packages_are_measured(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lic_bench.benchmark import environment

    run(folder, tmp_path)
    facts, packages = environment.describe("cpu", 1), environment.packages()
    with monkeypatch.context() as changed:
        changed.setattr(environment, "describe", lambda *_: facts | {"processor": "another"})
        assert from_cache(run(folder, tmp_path)) == {""}
    with monkeypatch.context() as changed:
        changed.setattr(environment, "packages", lambda: packages | {"pillow": "0"})
        assert from_cache(run(folder, tmp_path)) == {""}


def test_a_users_codec_is_always_measured(folder: Path, tmp_path: Path) -> None:
    models = small_codecs.reference("LOSSLESS")
    first, again = (run(folder, tmp_path, models, points=()) for _ in range(2))
    assert from_cache(first) == from_cache(again) == {""}


def test_a_damaged_entry_is_measured_again(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path)
    entries = sorted((cache_folder() / "results").rglob("*.json"))
    assert len(entries) == 6
    entries[0].write_text("{")
    again = run(folder, tmp_path)
    assert sum(isinstance(row, Measurement) and row.from_cache == "" for row in again.rows) == 1


def test_a_cache_that_cannot_be_written_ends_no_run(folder: Path, tmp_path: Path) -> None:
    cache_folder().mkdir(parents=True, exist_ok=True)
    (cache_folder() / "results").write_text("a file where the rows' folder would be")
    done = run(folder, tmp_path)
    assert from_cache(done) == {""}
    assert len(done.rows) == 6


def test_weights_and_names_are_in_the_hash(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    weights = tmp_path / "demo" / "1.safetensors"
    seen = set()
    for content in (b"0", b"1"):
        weights.write_bytes(content)
        seen.add(result_cache.hash_of_files([tmp_path]))
    weights.rename(tmp_path / "demo" / "2.safetensors")
    seen.add(result_cache.hash_of_files([tmp_path]))
    assert len(seen) == 3
