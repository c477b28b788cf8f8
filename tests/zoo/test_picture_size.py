"""The size of a decoded picture, read from headers that other encoders wrote and from those of two drafts of VVC."""

from __future__ import annotations

import pytest
from helpers.pictures import picture
from helpers.vtm_stand_in import parameter_set
from lic_bench.zoo import picture_size

from lic_bench.errors import StreamError
from lic_bench.registry import codecs


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (64, 48), (70, 51), (129, 33), (200, 131)])
def test_the_size_is_that_of_x265s_parameter_set(size: tuple[int, int]) -> None:
    pytest.importorskip("av", reason="HEVC NEEDS PyAV: pip install av")
    card = codecs.get("hevc")
    stream = card.load(card.points[0]).encode(picture(*size))
    assert picture_size.in_parameter_set(stream, size[0] * size[1]) == size
    with pytest.raises(StreamError, match=r"a picture of 7 pixels cannot be read from its bitstream; it may be: none"):
        picture_size.in_parameter_set(stream, 7)


@pytest.mark.parametrize("draft_9", [False, True], ids=["H.266", "draft 9"])
@pytest.mark.parametrize("size", [(768, 512), (512, 768), (1976, 1312), (65, 48), (33, 17), (8, 8), (7, 5)])
def test_the_size_is_that_of_vvcs_parameter_set(size: tuple[int, int], draft_9: bool) -> None:
    stream = parameter_set(*size, draft_9=draft_9) + b"\0\0\1\0\x41rest"
    assert picture_size.in_parameter_set(stream, size[0] * size[1]) == size


def test_a_header_of_yuv4mpeg2_says_the_size() -> None:
    content = b"YUV4MPEG2 W64 H48 F25:1 Ip C444p10 XYSCSS=444P10\nFRAME\nsamples"
    assert picture_size.of_y4m(content) == (64, 48, b"samples")
    for other in (b"", b"P6 1 1 255\nFRAME\nabc", b"YUV4MPEG2 W64 H48 F25:1"):
        with pytest.raises(StreamError, match="A decoder gave no picture"):
            picture_size.of_y4m(other)
