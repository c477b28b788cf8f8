"""Pictures become 8-bit RGB in stated ways; what cannot be measured is refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.assets import pictures
from lic_bench.assets.pictures import Picture
from lic_bench.errors import PictureError


def read(path: Path) -> tuple[np.ndarray, str]:
    image, record = pictures.read(Picture(path.name, path))
    assert image.dtype == np.uint8
    assert image.shape == (record.height, record.width, 3)
    return image, record.treatment


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


def cmyk(path: Path) -> Path:
    pillow.fromarray(picture(8, 8)).convert("CMYK").save(path / "cmyk.jpg")
    return path / "cmyk.jpg"


def animation(path: Path) -> Path:
    frames = [pillow.fromarray(picture(8, 8, seed)) for seed in (1, 2)]
    frames[0].save(path / "moving.webp", save_all=True, append_images=frames[1:])
    return path / "moving.webp"


def floats(path: Path) -> Path:
    pillow.fromarray(np.ones((4, 4), np.float32)).save(path / "float.tif")
    return path / "float.tif"


def bomb(path: Path) -> Path:
    pillow.new("1", (30_000, 30_000)).save(path / "bomb.png")
    return path / "bomb.png"


def empty(path: Path) -> Path:
    (path / "empty.png").write_bytes(b"")
    return path / "empty.png"


def cut(path: Path) -> Path:
    pillow.fromarray(picture(64, 64)).save(path / "cut.png")
    content = (path / "cut.png").read_bytes()
    (path / "cut.png").write_bytes(content[: len(content) * 2 // 3])
    return path / "cut.png"


def cut_jpeg(path: Path) -> Path:
    pillow.fromarray(picture(64, 64)).save(path / "cut.jpg")
    content = (path / "cut.jpg").read_bytes()
    (path / "cut.jpg").write_bytes(content[: len(content) // 2])
    return path / "cut.jpg"


def text(path: Path) -> Path:
    (path / "text.png").write_text("<html>not a picture</html>")
    return path / "text.png"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (cmyk, "mode CMYK"),
        (animation, "2 frames"),
        (floats, "mode F"),
        (bomb, "too large|more than"),
        (empty, "0 bytes"),
        (cut, "damaged or cut short"),
        (cut_jpeg, "damaged or cut short"),
        (text, "not a picture"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(make: Callable[[Path], Path], error: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(PictureError, match=error) as refusal:
        read(path)
    assert path.name in str(refusal.value)


def test_a_picture_that_is_another_file_is_refused(tmp_path: Path) -> None:
    pillow.fromarray(picture(8, 8)).save(tmp_path / "x.png")
    with pytest.raises(PictureError, match="not the picture it should be"):
        pictures.read(Picture("x", tmp_path / "x.png", sha256=hashlib.sha256(b"other").hexdigest()))
