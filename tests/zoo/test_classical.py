"""Classical codecs: sizes, settings that the bitstream shows, damaged bitstreams, and the published curves."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.analysis.bdrate import delta
from lic_bench.analysis.published import rd_points
from lic_bench.assets import datasets, requirements
from lic_bench.assets.pictures import read
from lic_bench.benchmark.metrics import psnr
from lic_bench.codec import Codec
from lic_bench.errors import PictureError, RequestError, StreamError, WeightsError
from lic_bench.registry import codecs

PLAIN = ("jpeg", "jpeg-444", "jpeg2000", "webp", "avif")
EXTRA = ("jpeg-optimised", "jpegli", "jpegxl", "hevc")
NAMES = [
    *PLAIN,
    *(
        pytest.param(name, marks=pytest.mark.skipif(bool(lacks), reason=f"{name.upper()} IS NOT HERE: {lacks}"))
        for name in EXTRA
        for lacks in [requirements.missing(codecs.get(name))]
    ),
]


def codec(name: str, point: str | None = None) -> Codec:
    card = codecs.get(name)
    return card.load(card.point(point) if point else card.points[-1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 1), (1, 17), (2, 2), (33, 17), (65, 48), (300, 3)])
def test_every_size_from_one_pixel_comes_back(name: str, width: int, height: int) -> None:
    image = picture(width, height)
    for point in codecs.get(name).points[:: len(codecs.get(name).points) - 1]:
        coder = codec(name, point.label)
        stream = coder.encode(image)
        assert coder.decode(stream).shape == image.shape
        assert np.array_equal(coder.decode(stream), coder.decode(stream))
        assert coder.encode(image) == stream


@pytest.mark.parametrize("name", NAMES)
def test_points_are_in_order_of_rate_and_quality(name: str) -> None:
    image = picture(192, 128)
    streams = [codec(name, point.label).encode(image) for point in codecs.get(name).points]
    decoded = [codec(name).decode(stream) for stream in streams]
    scores = [psnr(image, one) for one in decoded]
    assert sorted(map(len, streams)) == list(map(len, streams))
    assert sorted(scores) == scores
    assert scores[-1] > 30


def test_jpeg_halves_the_chroma_and_jpeg_444_does_not() -> None:
    image = picture(32, 32)
    sampling = {name: pillow.open(BytesIO(codec(name).encode(image))).layer for name in ("jpeg", "jpeg-444")}
    assert [layer[1:3] for layer in sampling["jpeg"]] == [(2, 2), (1, 1), (1, 1)]
    assert [layer[1:3] for layer in sampling["jpeg-444"]] == [(1, 1), (1, 1), (1, 1)]


def test_jpeg2000_uses_the_colour_transform_and_the_9_7_wavelet() -> None:
    stream = codec("jpeg2000").encode(picture(64, 64))
    # ISO/IEC 15444-1, A.6.1: marker, length (2), style, progression, layers (2), colour transform, levels, code-block
    # width, height and style, wavelet (0: irreversible 9-7)
    coding_style = stream[stream.index(b"\xff\x52") + 4 :]
    assert coding_style[4] == 1
    assert coding_style[9] == 0


def test_avif_keeps_the_chroma_at_full_size() -> None:
    stream = codec("avif").encode(picture(64, 64))
    # AV1 in ISOBMFF, 2.3.3: marker and version, profile and level, then flags with subsampling in x and y
    configuration = stream[stream.index(b"av1C") + 4 :]
    assert configuration[1] >> 5 == 1  # the profile for 4:4:4
    assert configuration[2] & 0b1100 == 0


@pytest.mark.parametrize("name", EXTRA)
def test_a_codec_without_its_package_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "find_spec", lambda module: None)
    (install,) = requirements.missing(codecs.get(name))
    assert install.startswith("pip install ")
    with pytest.raises(RequestError, match=f"{name} is missing: {install}"):
        codec(name)


def test_mozjpeg_codes_the_same_picture_in_fewer_bytes() -> None:
    pytest.importorskip("mozjpeg_lossless_optimization", reason="MOZJPEG IS NOT HERE")
    image = picture(192, 128)
    plain, optimised = (codec(name, "50") for name in ("jpeg", "jpeg-optimised"))
    assert np.array_equal(plain.decode(optimised.encode(image)), plain.decode(plain.encode(image)))
    assert len(optimised.encode(image)) < len(plain.encode(image))


def test_jpeglis_file_is_a_jpeg_of_half_chroma() -> None:
    pytest.importorskip("pyjpegli", reason="JPEGLI IS NOT HERE")
    image = picture(192, 128)
    coder = codec("jpegli", "80")
    stream = coder.encode(image)
    opened = pillow.open(BytesIO(stream))
    assert [layer[1:3] for layer in opened.layer] == [(2, 2), (1, 1), (1, 1)]
    # the standard leaves the inverse transform's rounding open, and chroma's interpolation
    assert psnr(np.array(opened.convert("RGB")), coder.decode(stream)) > 35


def test_hevc_is_coded_as_4_4_4_at_10_bit() -> None:
    av = pytest.importorskip("av", reason="PYAV IS NOT HERE")
    decoder = av.CodecContext.create("hevc", "r")
    (frame,) = [*decoder.decode(av.Packet(codec("hevc").encode(picture(64, 48)))), *decoder.decode(None)]
    assert frame.format.name == "yuv444p10le"
    assert (frame.width, frame.height) == (64, 48)
    assert frame.pict_type == av.video.frame.PictureType.I
    assert frame.color_range == av.video.reformatter.ColorRange.JPEG  # full range
    assert frame.colorspace == av.video.reformatter.Colorspace.ITU709


def test_a_picture_beyond_the_limit_of_webp_is_refused() -> None:
    with pytest.raises(PictureError, match=r"webp cannot code a picture of 16384x1: the format ends at 16383 pixels"):
        codec("webp").encode(np.zeros((1, 16384, 3), np.uint8))
    codec("webp").encode(np.zeros((1, 16383, 3), np.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_a_bitstream_that_was_cut_is_refused(name: str) -> None:
    stream = codec(name).encode(picture(64, 64))
    with pytest.raises(StreamError, match=f"not a whole bitstream of {name}"):
        codec(name).decode(stream[: len(stream) // 3])


def damaged(stream: bytes, seed: int) -> Iterator[bytes]:
    """A bitstream cut in 40 places, and 300 times with one to four bits flipped, half of them among the first 200."""
    for cut in range(40):
        yield stream[: cut * len(stream) // 40]
    draw = np.random.default_rng(seed)
    for number in range(300):
        flipped = bytearray(stream)
        for _ in range(1 + number % 4):
            at = draw.integers(0, min(200, len(stream)) if number % 2 else len(stream))
            flipped[at] ^= 1 << draw.integers(0, 8)
        yield bytes(flipped)


@pytest.mark.filterwarnings("ignore:Image size:PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_bitstream_is_a_picture_or_a_stream_error(name: str) -> None:
    coder = codec(name, codecs.get(name).points[3].label)
    refused = 0
    for number, stream in enumerate(damaged(coder.encode(picture(64, 48)), seed=7)):
        try:
            decoded = coder.decode(stream)
        except StreamError:
            refused += 1
        else:
            assert decoded.dtype == np.uint8, number
            assert decoded.shape[2] == 3, number
    assert refused >= 40


@pytest.mark.parametrize("name", NAMES)
def test_a_bitstream_of_another_format_is_refused(name: str) -> None:
    with pytest.raises(StreamError):
        codec(name).decode(b"P6 1 1 255 abc")


def test_weights_for_a_classical_codec_are_refused(tmp_path: Path) -> None:
    card = codecs.get("jpeg")
    with pytest.raises(WeightsError, match="takes no weights"):
        card.load(card.points[0], tmp_path / "jpeg.pth")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "points"), [("jpeg", ("10", "30", "50", "70", "85")), ("webp", ("5", "45", "75", "90"))]
)
def test_kodak_gives_compressais_published_curve(name: str, points: tuple[str, ...], kodak: Path) -> None:
    images = [read(one)[0] for one in datasets.find("kodak", kodak, download=False).pictures]
    ours = []
    for coder in (codec(name, point) for point in points):
        streams = [coder.encode(image) for image in images]
        rates = [8 * len(stream) / image[..., 0].size for stream, image in zip(streams, images, strict=True)]
        scores = [psnr(image, coder.decode(stream)) for stream, image in zip(streams, images, strict=True)]
        ours.append((np.mean(scores), np.log10(np.mean(rates))))
    theirs = [
        (point.psnr_db, np.log10(point.bpp))
        for point in rd_points()
        if (point.codec, point.source_id, point.dataset) == (name, "compressai-classical", "kodak")
    ]
    lines = [tuple(np.array(sorted(line)).T) for line in (theirs, ours)]
    assert abs(10 ** delta(lines[0], lines[1]) - 1) < 0.02
