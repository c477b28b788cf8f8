"""Data sets are proved, pictures become 8-bit RGB in stated ways, and what cannot be measured is refused by name."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.assets import datasets
from lic_bench.assets.datasets import Picture
from lic_bench.errors import DatasetError, PictureError


def read(path: Path) -> tuple[np.ndarray, str]:
    image, record = datasets.read(Picture(path.name, path))
    assert image.dtype == np.uint8
    assert image.shape == (record.height, record.width, 3)
    return image, record.treatment


def test_the_sample_pictures_are_there_and_proved() -> None:
    found = datasets.find("sample")
    assert [picture.name for picture in found.pictures] == ["astronaut", "chelsea", "coffee", "motorcycle"]
    for one in found.pictures:
        image, record = datasets.read(one)
        assert image.shape == (256, 256, 3)
        assert "cut to 256x256" in record.treatment


def test_every_description_lists_whole_digests_and_sizes() -> None:
    for name in datasets.names():
        told = datasets.description(name)
        assert {"title", "licence", "source", "picture"} <= told.keys()
        assert all(len(entry["sha256"]) == 64 and entry["width"] > 0 for entry in told["picture"])
    assert len(datasets.description("kodak")["picture"]) == 24


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


def test_a_missing_data_set_says_where_it_looked_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIC_BENCH_DATA", raising=False)
    with pytest.raises(DatasetError) as error:
        datasets.find("kodak", tmp_path, download=False)
    said = str(error.value)
    assert str(tmp_path / "kodak") in said
    assert "none of the files" in said
    assert "r0k.us" in said
    assert "--data DIR" in said


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DatasetError, match="Did you mean kodak"):
        datasets.find("kodac")


def test_a_folder_is_a_data_set_and_says_what_it_leaves_out(folder: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    found = datasets.find(str(folder))
    assert [one.name for one in found.pictures] == ["a.png", "b.png", "c.png"]
    assert found.left_out == ("notes.txt",)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no picture"):
        datasets.find(str(tmp_path))


def test_rgb_is_taken_as_it_is(tmp_path: Path) -> None:
    original = picture(30, 20)
    pillow.fromarray(original).save(tmp_path / "x.png")
    image, treatment = read(tmp_path / "x.png")
    assert np.array_equal(image, original)
    assert treatment == ""


def test_grey_is_repeated(tmp_path: Path) -> None:
    grey = picture(30, 20)[..., 0]
    pillow.fromarray(grey).save(tmp_path / "x.png")
    image, treatment = read(tmp_path / "x.png")
    assert np.array_equal(image, np.stack([grey] * 3, axis=-1))
    assert treatment == "grey repeated in three channels"


def test_a_palette_is_expanded(tmp_path: Path) -> None:
    palette = pillow.fromarray(picture(30, 20)).quantize(16)
    palette.save(tmp_path / "x.png")
    image, treatment = read(tmp_path / "x.png")
    assert np.array_equal(image, np.asarray(palette.convert("RGB")))
    assert treatment == "palette expanded"


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    rgba = np.dstack([picture(2, 1), np.array([[0, 255]], np.uint8)])
    pillow.fromarray(rgba).save(tmp_path / "x.png")
    image, treatment = read(tmp_path / "x.png")
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 1].tolist() == rgba[0, 1, :3].tolist()
    assert treatment == "alpha laid over white"


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_keeps_its_upper_8_bits(tmp_path: Path, suffix: str) -> None:
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    pillow.fromarray(deep).save(tmp_path / f"x.{suffix}")
    image, treatment = read(tmp_path / f"x.{suffix}")
    assert image[0, :, 0].tolist() == [0, 0, 1, 255]
    assert "16-bit samples reduced to their upper 8 bits" in treatment


def test_sixteen_bit_colour_keeps_its_upper_8_bits(tmp_path: Path) -> None:
    import struct
    import zlib

    deep = np.array([[[0, 255, 256], [65535, 511, 512]]], ">u2")
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\x00" + deep.tobytes())), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    (tmp_path / "x.png").write_bytes(content)
    image, treatment = read(tmp_path / "x.png")
    assert image[0].tolist() == [[0, 0, 1], [255, 1, 2]]
    assert "16-bit samples reduced" in treatment


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tiff"])
def test_other_kinds_of_files_are_read(tmp_path: Path, suffix: str) -> None:
    pillow.fromarray(picture(31, 17)).save(tmp_path / f"x.{suffix}")
    assert read(tmp_path / f"x.{suffix}")[0].shape == (17, 31, 3)


def _cmyk(path: Path) -> Path:
    pillow.fromarray(picture(8, 8)).convert("CMYK").save(path / "cmyk.jpg")
    return path / "cmyk.jpg"


def _animation(path: Path) -> Path:
    frames = [pillow.fromarray(picture(8, 8, seed)) for seed in (1, 2)]
    frames[0].save(path / "moving.webp", save_all=True, append_images=frames[1:])
    return path / "moving.webp"


def _floats(path: Path) -> Path:
    pillow.fromarray(np.ones((4, 4), np.float32)).save(path / "float.tif")
    return path / "float.tif"


def _bomb(path: Path) -> Path:
    pillow.new("1", (30_000, 30_000)).save(path / "bomb.png")
    return path / "bomb.png"


def _empty(path: Path) -> Path:
    (path / "empty.png").write_bytes(b"")
    return path / "empty.png"


def _cut(path: Path) -> Path:
    pillow.fromarray(picture(64, 64)).save(path / "cut.png")
    content = (path / "cut.png").read_bytes()
    (path / "cut.png").write_bytes(content[: len(content) * 2 // 3])
    return path / "cut.png"


def _cut_jpeg(path: Path) -> Path:
    pillow.fromarray(picture(64, 64)).save(path / "cut.jpg")
    content = (path / "cut.jpg").read_bytes()
    (path / "cut.jpg").write_bytes(content[: len(content) // 2])
    return path / "cut.jpg"


def _text(path: Path) -> Path:
    (path / "text.png").write_text("<html>not a picture</html>")
    return path / "text.png"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_cmyk, "mode CMYK"),
        (_animation, "2 frames"),
        (_floats, "mode F"),
        (_bomb, "too large|more than"),
        (_empty, "0 bytes"),
        (_cut, "damaged or cut short"),
        (_cut_jpeg, "damaged or cut short"),
        (_text, "not a picture"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(make, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = make(tmp_path)
    with pytest.raises(PictureError, match=said) as error:
        read(path)
    assert path.name in str(error.value)


def test_a_picture_that_is_another_file_is_refused(tmp_path: Path) -> None:
    pillow.fromarray(picture(8, 8)).save(tmp_path / "x.png")
    with pytest.raises(PictureError, match="not the picture it should be"):
        datasets.read(Picture("x", tmp_path / "x.png", sha256=hashlib.sha256(b"other").hexdigest()))
