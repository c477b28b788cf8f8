"""Classical still-picture codecs in process: anchors that every machine can measure. One thread each.

Through Pillow: JPEG (libjpeg-turbo), WebP (libwebp), JPEG 2000 (OpenJPEG) and AVIF (libavif with libaom). Through
packages of the extra "anchors": JPEG with mozjpeg's scans, jpegli and JPEG XL (libjxl).
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.assets import requirements
from lic_bench.codec import Codec, CodecCard, CurveId, OperatingPoint, Requirement
from lic_bench.errors import PictureError, StreamError, WeightsError

if TYPE_CHECKING:
    from lic_bench.codec import Image

_LOADER = "lic_bench.zoo.classical:load"


class PillowCodec:
    """Codes with one of Pillow's plug-ins. `options` go to `Image.save`; `longest_side` is the format's limit."""

    def __init__(self, name: str, format: str, longest_side: int, **options: Any) -> None:
        self.name = name
        self.format = format
        self.longest_side = longest_side
        self.options = options

    def encode(self, image: Image) -> bytes:
        """The file of one picture (uint8, height x width x 3). PictureError beyond the format's largest side."""
        from PIL import Image as pillow

        _require_side(self.name, image, self.longest_side)
        out = BytesIO()
        pillow.fromarray(image).save(out, self.format, **self.options)
        return out.getvalue()

    def decode(self, stream: bytes) -> Image:
        """The picture of one file. StreamError when it is cut, damaged or of another format."""
        import numpy as np
        from PIL import Image as pillow

        try:
            with pillow.open(BytesIO(stream), formats=[self.format]) as opened:
                return np.array(opened.convert("RGB"))
        except MemoryError:
            raise
        except Exception as error:  # each library behind Pillow has errors of its own for damaged files
            raise StreamError(f"This is not a whole bitstream of {self.name}: {error}.") from error


class OptimisedJpeg(PillowCodec):
    """Pillow's JPEG with its coefficients coded again by mozjpeg: the same picture in fewer bytes."""

    def encode(self, image: Image) -> bytes:
        """The file of one picture (uint8, height x width x 3): progressive, with the scans that mozjpeg chooses."""
        import mozjpeg_lossless_optimization as mozjpeg

        optimised: bytes = mozjpeg.optimize(super().encode(image), copy=mozjpeg.COPY_MARKERS.NONE)
        return optimised


class Jpegli:
    """JPEG by jpegli's encoder and decoder, 4:2:0, which is all that the package offers."""

    def __init__(self, name: str, quality: int) -> None:
        self.name = name
        self.quality = quality

    def encode(self, image: Image) -> bytes:
        """The file of one picture (uint8, height x width x 3). PictureError beyond the format's largest side."""
        import numpy as np
        import pyjpegli

        _require_side(self.name, image, 65_500)
        height, width = image.shape[:2]
        file: bytes = pyjpegli.encode(np.ascontiguousarray(image), width, height, quality=self.quality)
        return file

    def decode(self, stream: bytes) -> Image:
        """The picture of one file. StreamError when it is cut, damaged or of another format."""
        import numpy as np
        import pyjpegli

        try:
            samples, width, height = pyjpegli.decode(stream)
        except RuntimeError as error:
            raise StreamError(f"This is not a whole bitstream of {self.name}: {error}.") from error
        return np.frombuffer(samples, np.uint8).reshape(height, width, 3).copy()


class JpegXl:
    """Codes with libjxl, lossy (VarDCT in XYB), as a bare codestream."""

    def __init__(self, name: str, quality: int) -> None:
        self.name = name
        self.quality = quality

    def encode(self, image: Image) -> bytes:
        """The codestream of one picture (uint8, height x width x 3)."""
        from pillow_jxl import Encoder

        height, width = image.shape[:2]
        settings: dict[str, Any] = {
            "mode": "RGB", "lossless": False, "quality": self.quality, "decoding_speed": 0, "effort": 7,
            "use_container": False, "use_original_profile": False, "num_threads": 0,
        }  # fmt: skip
        encoder = Encoder(**settings)
        return bytes(encoder(image.tobytes(), width, height, jpeg_encode=False))

    def decode(self, stream: bytes) -> Image:
        """The picture of one codestream. StreamError when it is cut, damaged or of another format."""
        import numpy as np
        from pillow_jxl import Decoder

        try:
            _, header, samples, _, _ = Decoder(num_threads=0)(stream)
            return np.frombuffer(samples, np.uint8).reshape(header.height, header.width, 3).copy()
        except (RuntimeError, ValueError) as error:
            raise StreamError(f"This is not a whole bitstream of {self.name}: {error}.") from error


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    """The codec at one quality. It runs on the CPU whatever `device` says; it has no weights."""
    if weights is not None:
        raise WeightsError(f"{card.name} is a classical codec and takes no weights; {weights} was given.")
    requirements.require(card)
    quality = int(point.settings["quality"])
    match card.name:
        case "jpeg" | "jpeg-444":
            sampling = "4:2:0" if card.name == "jpeg" else "4:4:4"
            return PillowCodec(card.name, "JPEG", 65_500, quality=quality, subsampling=sampling)
        case "jpeg-optimised":
            return OptimisedJpeg(card.name, "JPEG", 65_500, quality=quality, subsampling="4:2:0")
        case "jpegli":
            return Jpegli(card.name, quality)
        case "jpegxl":
            return JpegXl(card.name, quality)
        case "webp":
            return PillowCodec(card.name, "WEBP", 16_383, quality=quality, method=4)
        case "jpeg2000":
            # Without the multiple component transform (mct) the three channels are coded apart: 4.6 dB worse.
            return PillowCodec(
                card.name, "JPEG2000", 2**31 - 1, quality_mode="rates", quality_layers=[quality],
                irreversible=True, mct=1,
            )  # fmt: skip
        case "avif":
            return PillowCodec(
                card.name, "AVIF", 65_536, quality=quality, subsampling="4:4:4", speed=6, codec="aom", range="full",
                max_threads=1, autotiling=False, advanced={"tune": "psnr"},
            )  # fmt: skip
    raise ValueError(f"{card.name} is not one of the classical codecs of this file")


def _require_side(name: str, image: Image, longest: int) -> None:
    height, width = image.shape[:2]
    if max(width, height) > longest:
        raise PictureError(f"{name} cannot code a picture of {width}x{height}: the format ends at {longest} pixels.")


def _points(qualities: Sequence[int]) -> tuple[OperatingPoint, ...]:
    return tuple(OperatingPoint(label=str(quality), settings={"quality": quality}) for quality in qualities)


JPEG = CodecCard(
    name="jpeg",
    title="JPEG, 4:2:0",
    family="classical",
    paper="ITU-T T.81 | ISO/IEC 10918-1: Digital compression and coding of continuous-tone still images",
    year=1992,
    licence="IJG and BSD-3-Clause (libjpeg-turbo)",
    learned=False,
    points=_points((5, 10, 20, 30, 40, 50, 60, 70, 80, 85)),
    loader=_LOADER,
    qualities=(1, 95),
    published=(CurveId("jpeg", "compressai-classical", "none"),),
    claims=("jpeg",),
    notes=(
        "Pillow's defaults: standard Huffman tables, baseline, chroma at half width and height.",
        "The published curve is Pillow 7.1.2 with IJG libjpeg 9d, which gives its figures to the last digit. "
        "libjpeg-turbo (2.1.4 and 3.2.0 alike) decodes the same bitstreams 0.1 dB better: BD-rate -1.9 % on Kodak.",
    ),
)

JPEG_444 = CodecCard(
    name="jpeg-444",
    title="JPEG, 4:4:4",
    family="classical",
    paper=JPEG.paper,
    year=1992,
    licence=JPEG.licence,
    learned=False,
    points=_points((5, 10, 20, 30, 40, 50, 60, 70, 80, 85)),
    loader=_LOADER,
    qualities=(1, 95),
    notes=("As jpeg with the chroma at full size. No published curve is listed.",),
)

JPEG_OPTIMISED = CodecCard(
    name="jpeg-optimised",
    title="JPEG, 4:2:0, optimised by mozjpeg",
    family="classical",
    paper=JPEG.paper,
    year=2014,
    licence="IJG and BSD-3-Clause (libjpeg-turbo, mozjpeg)",
    learned=False,
    points=JPEG.points,
    loader=_LOADER,
    qualities=(1, 95),
    requirements=(Requirement("pip install mozjpeg-lossless-optimization", module="mozjpeg_lossless_optimization"),),
    notes=("The pictures of jpeg, its coefficients coded again without loss: mozjpeg's progressive scans.",),
)

JPEGLI = CodecCard(
    name="jpegli",
    title="JPEG, 4:2:0, by jpegli",
    family="classical",
    paper=JPEG.paper,
    year=2024,
    licence="BSD-3-Clause (jpegli)",
    learned=False,
    points=_points((5, 10, 20, 30, 40, 50, 60, 70, 80, 90)),
    loader=_LOADER,
    qualities=(1, 95),
    requirements=(Requirement("pip install pyjpegli", module="pyjpegli"),),
    notes=("Tuned for what people see and not for PSNR. Decoded by jpegli as well; any JPEG decoder reads its files.",),
)

JPEG_XL = CodecCard(
    name="jpegxl",
    title="JPEG XL, lossy",
    family="classical",
    paper="ISO/IEC 18181-1: JPEG XL image coding system, core coding system",
    year=2022,
    licence="BSD-3-Clause (libjxl)",
    learned=False,
    points=_points((5, 15, 30, 45, 60, 70, 80, 90)),
    loader=_LOADER,
    qualities=(1, 99),
    requirements=(Requirement("pip install pillow-jxl-plugin", module="pillow_jxl"),),
    notes=(
        "libjxl at effort 7: XYB colours, tuned for what people see and not for PSNR. No published curve is listed.",
    ),
)

WEBP = CodecCard(
    name="webp",
    title="WebP, lossy",
    family="classical",
    paper="IETF RFC 9649: WebP Image Format (2024); the codec is VP8's key frame, IETF RFC 6386",
    year=2010,
    licence="BSD-3-Clause (libwebp)",
    learned=False,
    points=_points((0, 5, 15, 30, 45, 60, 75, 80, 85, 90)),
    loader=_LOADER,
    qualities=(0, 100),
    published=(CurveId("webp", "compressai-classical", "none"),),
    claims=("webp",),
    notes=("Method 4; always 4:2:0. libwebp 1.6.0 gives the published curve: BD-rate -0.02 % on Kodak.",),
)

JPEG2000 = CodecCard(
    name="jpeg2000",
    title="JPEG 2000",
    family="classical",
    paper="ITU-T T.800 | ISO/IEC 15444-1: JPEG 2000 image coding system, core coding system",
    year=2000,
    licence="BSD-2-Clause (OpenJPEG)",
    learned=False,
    points=_points((240, 160, 120, 80, 60, 40, 30, 20, 15, 12)),
    loader=_LOADER,
    qualities=(1000, 2),
    published=(CurveId("jpeg2000", "compressai-classical", "none"),),
    claims=("jpeg2000",),
    notes=(
        "The label is the compression ratio asked for: 24 bits per pixel over it.",
        "Irreversible 9/7 wavelet with the colour transform. The published curve, whose settings are not stated, needs "
        "more rate: BD-rate -20 % against it on Kodak, half of which is the reversible 5/3 wavelet.",
    ),
)

AVIF = CodecCard(
    name="avif",
    title="AVIF, 4:4:4",
    family="classical",
    paper="Alliance for Open Media: AV1 Image File Format; the codec is an AV1 key frame",
    year=2019,
    licence="BSD-2-Clause (libavif, libaom)",
    learned=False,
    points=_points((10, 20, 30, 40, 50, 60, 70, 80)),
    loader=_LOADER,
    qualities=(0, 99),
    published=(CurveId("av1", "compressai-classical", "none"),),
    notes=(
        "libaom at speed 6, tuned for PSNR. The published AV1 curve is libaom at its slowest setting (cpu-used 0): "
        "BD-rate +16 % against it on Kodak.",
    ),
)
