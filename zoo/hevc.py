"""HEVC intra in process: x265 of PyAV's wheels, 4:4:4 at 10 bit, decoded by FFmpeg's decoder in the same wheels.

ITU-T H.265, range extensions, Annex B byte stream with its parameter sets: it decodes alone in any HEVC decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.assets import requirements
from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Requirement
from lic_bench.errors import PictureError, StreamError, WeightsError

if TYPE_CHECKING:
    from lic_bench.codec import Image

    from .colour import Plane

PIXELS = "yuv444p10le"
LONGEST_SIDE = 8192
SMALLEST_SIDE = 16
"""One coding tree unit of x265; smaller pictures are coded larger and cropped."""
CROPPED = b"\0\0\1\x60\1"
"""Start code and header of a NAL unit of type 48, which H.265 leaves unspecified and decoders skip: the true size."""
END = b"\0\0\1\x4a\1"
"""The NAL unit that ends a bitstream (type 37). FFmpeg conceals what is cut off, so that only this shows it."""
PARAMETERS = {
    "keyint": 1,
    "ipratio": 1,  # the QP asked for is that of the one intra picture
    "info": 0,  # no text about the encoder in the bitstream
    "colormatrix": "bt709",
    "range": "full",
    "pools": "none",
    "frame-threads": 1,
    "wpp": 0,
    "log-level": "none",
}


class Hevc:
    """Codes one picture as one intra frame at a constant QP, on one thread."""

    def __init__(self, name: str, qp: int) -> None:
        self.name = name
        self.qp = qp

    def encode(self, image: Image) -> bytes:
        """The byte stream of a picture (uint8, height x width x 3). PictureError for one that x265 refuses."""
        import av
        import numpy as np

        from . import colour

        height, width = image.shape[:2]
        if max(width, height) > LONGEST_SIDE:
            raise PictureError(f"{self.name} cannot code a picture of {width}x{height}: level 6.2 ends at 8192 pixels.")
        crop = b""
        if min(width, height) < SMALLEST_SIDE:
            crop = CROPPED + _number(width) + _number(height)
            below, right = (max(0, SMALLEST_SIDE - side) for side in (height, width))
            image = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
        encoder = av.CodecContext.create("libx265", "w")
        encoder.height, encoder.width = image.shape[:2]
        encoder.pix_fmt = PIXELS
        encoder.time_base = Fraction(1, 25)
        settings = ":".join(f"{name}={value}" for name, value in (PARAMETERS | {"qp": self.qp}).items())
        encoder.options = {"preset": "veryslow", "tune": "psnr", "x265-params": settings}
        frame = _frame(colour.to_planes(image, colour.TEN_BIT))
        return crop + b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None))) + END

    def decode(self, stream: bytes) -> Image:
        """The picture of a byte stream. StreamError when it is cut, damaged or of another format."""
        import av

        from . import colour

        if not stream.endswith(END):
            raise StreamError(f"This is not a whole bitstream of {self.name}: its end is missing.")
        size = None
        if stream.startswith(CROPPED):
            at = len(CROPPED)
            size, stream = (_side(stream[at : at + 2]), _side(stream[at + 2 : at + 4])), stream[at + 4 :]
        decoder = av.CodecContext.create("hevc", "r")
        decoder.thread_count = 1
        decoder.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        try:
            frames = [*decoder.decode(av.Packet(stream)), *decoder.decode(None)]
        except (av.FFmpegError, ValueError) as error:
            raise StreamError(f"This is not a whole bitstream of {self.name}: {error}.") from error
        if len(frames) != 1 or frames[0].format.name != PIXELS or frames[0].is_corrupt:
            raise StreamError(f"This is not a whole bitstream of {self.name}: it holds no whole picture of {PIXELS}.")
        image = colour.to_rgb(_planes(frames[0]), colour.TEN_BIT)
        return image if size is None else image[: size[1], : size[0]].copy()


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Hevc:
    """The codec at one QP. It runs on the CPU whatever `device` says; it has no weights."""
    if weights is not None:
        raise WeightsError(f"{card.name} is a classical codec and takes no weights; {weights} was given.")
    requirements.require(card)
    return Hevc(card.name, int(point.settings["quality"]))


def _number(side: int) -> bytes:
    """A side in two bytes that are never zero, so that they look like no start code."""
    return bytes((side >> 7 | 0x80, side & 0x7F | 0x80))


def _side(two: bytes) -> int:
    if len(two) != 2 or not (side := (two[0] & 0x7F) << 7 | two[1] & 0x7F):
        raise StreamError("This is not a whole bitstream of hevc: its size is cut.")
    return side


def _frame(planes: Sequence[Plane]) -> Any:
    """FFmpeg's frame of planes; its lines are longer than a picture's."""
    import av
    import numpy as np

    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, PIXELS)
    frame.pts = 0
    for theirs, ours in zip(frame.planes, planes, strict=True):
        lines = np.zeros((height, theirs.line_size // 2), np.uint16)
        lines[:, :width] = ours
        theirs.update(lines.tobytes())
    return frame


def _planes(frame: Any) -> list[Plane]:
    import numpy as np

    return [
        np.frombuffer(bytes(plane), "<u2").reshape(frame.height, plane.line_size // 2)[:, : frame.width]
        for plane in frame.planes
    ]


HEVC = CodecCard(
    name="hevc",
    title="HEVC intra, 4:4:4, 10 bit",
    family="classical",
    paper="ITU-T H.265 | ISO/IEC 23008-2: High efficiency video coding",
    year=2013,
    licence="GPL-2.0-or-later (x265)",
    learned=False,
    points=tuple(OperatingPoint(str(qp), settings={"quality": qp}) for qp in (47, 42, 37, 32, 27, 22, 17, 12)),
    loader="lic_bench.zoo.hevc:load",
    published=(CurveId("hm", "compressai-classical", "none"), CurveId("bpg-444", "compressai-classical", "none")),
    requirements=(Requirement("pip install av", module="av"),),
    qualities=(51, 0),
    notes=(
        "The label is the QP. x265, preset veryslow, tune psnr, one intra frame of BT.709 full-range YCbCr 4:4:4 at "
        "10 bit. The published curves are HM, the reference encoder, and BPG, which is x265 with its own colour "
        "conversion: BD-rate -0.7 % and -0.3 % against them on Kodak.",
    ),
)
