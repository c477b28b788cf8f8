"""Data sets are found by name, folder or description, and every file is proved by its sha256."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.assets import datasets
from lic_bench.assets.download import sha256_of
from lic_bench.assets.pictures import read
from lic_bench.errors import DatasetError


def test_the_sample_pictures_are_there_and_proved() -> None:
    found = datasets.find("sample")
    assert [picture.name for picture in found.pictures] == ["astronaut", "chelsea", "coffee", "motorcycle"]
    for one in found.pictures:
        image, record = read(one)
        assert image.shape == (256, 256, 3)
        assert "cut to 256x256" in record.treatment


def test_every_description_lists_whole_digests_and_sizes() -> None:
    for name in datasets.names():
        described = datasets.description(name)
        assert described.title
        assert described.licence
        assert described.source
        assert all(len(one.sha256) == 64 and one.size is not None and min(one.size) > 0 for one in described.pictures)
    assert len(datasets.description("kodak").pictures) == 24


def test_kodak_is_found_by_folder_and_by_environment(kodak: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIC_BENCH_DATA", raising=False)
    found = datasets.find("kodak", kodak, download=False)
    assert len(found.pictures) == 24
    monkeypatch.setenv("LIC_BENCH_DATA", str(kodak))
    assert datasets.find("kodak", download=False).pictures == found.pictures


def test_a_changed_kodak_picture_is_refused(kodak: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIC_BENCH_DATA", raising=False)
    for one in datasets.find("kodak", kodak, download=False).pictures:
        shutil.copy(one.path, tmp_path)
    (tmp_path / "kodim07.png").chmod(0o644)
    pillow.fromarray(picture(768, 512)).save(tmp_path / "kodim07.png")
    with pytest.raises(DatasetError, match=r"kodim07\.png is not the original"):
        datasets.find("kodak", tmp_path, download=False)


def test_a_missing_data_set_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIC_BENCH_DATA", raising=False)
    with pytest.raises(DatasetError) as error:
        datasets.find("kodak", tmp_path, download=False)
    said = str(error.value)
    assert str(tmp_path / "kodak") in said
    assert "none of the files" in said
    assert "r0k.us" in said
    assert "--data DIR" in said


def test_a_folder_is_a_data_set_and_says_what_it_leaves_out(folder: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    found = datasets.find(str(folder))
    assert [one.name for one in found.pictures] == ["a.png", "b.png", "c.png"]
    assert found.left_out == ("notes.txt",)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no picture"):
        datasets.find(str(tmp_path))


DESCRIPTION = """title = "Two"
licence = "mine"
source = "here"
[[picture]]
name = "first"
file = "a.png"
sha256 = "{sha256}"
"""


def test_a_description_names_the_pictures_beside_it(folder: Path) -> None:
    file = folder / "set.toml"
    file.write_text(DESCRIPTION.format(sha256=sha256_of(folder / "a.png")))
    found = datasets.find(str(file))
    assert [(one.name, one.path) for one in found.pictures] == [("first", folder / "a.png")]
    assert datasets.find(found.name) == found
    file.write_text(DESCRIPTION.format(sha256="00" * 32))
    with pytest.raises(DatasetError, match=r"a\.png is not the original"):
        datasets.find(str(file))
    file.write_text("title = 'Two'\n")
    with pytest.raises(DatasetError, match=r"it lacks licence, source, \[\[picture\]\]"):
        datasets.find(str(file))
    file.write_text("title = \n")
    with pytest.raises(DatasetError, match="is no description of a data set"):
        datasets.find(str(file))
