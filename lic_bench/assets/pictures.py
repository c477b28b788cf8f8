"""Reads picture files as 8-bit RGB.

Whatever is done to make a picture 8-bit RGB is listed in its record; what cannot be made so is refused by name.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.errors import PictureError
from lic_bench.records import PictureRecord

if TYPE_CHECKING:
    from PIL import Image as pillow

    from lic_bench.codec import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
"""The file names that are taken for pictures."""

LARGEST_PIXELS = 180_000_000
"""Above this a file is taken for a decompression bomb (Pillow's own limit for an error)."""


@dataclass(frozen=True)
class Picture:
    """Where one picture lies. `crop` is left, top, width, height in pixels; `sha256` is None where none is known."""

    name: str
    path: Path
    sha256: str | None = None
    crop: tuple[int, int, int, int] | None = None


def read(picture: Picture) -> tuple[Image, PictureRecord]:
    """One picture as uint8, height x width x 3, and the record of what was done to make it so.

    Raises PictureError naming the file when it is empty, damaged, animated, too large, of a kind that has no single
    8-bit RGB reading (CMYK, floating point), or when its sha256 is not the one given.
    """
    import numpy as np

    try:
        content = picture.path.read_bytes()
    except OSError as error:
        raise PictureError(f"{picture.path.name} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(content).hexdigest()
    if picture.sha256 not in (None, digest):
        raise PictureError(f"{picture.path} is not the picture it should be: its sha256 is {digest}.")
    if not content:
        raise PictureError(f"{picture.path.name} is empty (0 bytes).")
    opened, treatment = _rgb(content, picture.path.name)
    if picture.crop is not None:
        left, top, width, height = picture.crop
        opened = opened.crop((left, top, left + width, top + height))
        treatment.append(f"cut to {width}x{height} at {left},{top}")
    image = np.asarray(opened, dtype=np.uint8)
    record = PictureRecord(picture.name, image.shape[1], image.shape[0], digest, "; ".join(treatment))
    return image, record


def size(picture: Picture) -> tuple[int, int]:
    """Width and height of a picture in pixels, from its crop or the file's header alone.

    The rest of the file may still be damaged. Raises PictureError when the header cannot be read.
    """
    from PIL import Image as pillow

    if picture.crop is not None:
        return picture.crop[2], picture.crop[3]
    try:
        with (
            warnings.catch_warnings(action="ignore", category=pillow.DecompressionBombWarning),
            pillow.open(picture.path) as opened,
        ):
            return opened.size
    except (OSError, SyntaxError, ValueError, IndexError, pillow.DecompressionBombError) as error:
        raise PictureError(f"{picture.path.name} is not a picture that can be read: {error}.") from error


def _rgb(content: bytes, name: str) -> tuple[pillow.Image, list[str]]:
    """A file's bytes as a Pillow picture of mode RGB, and the list of what was done."""
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)  # the limit below is stricter and named
        try:
            opened = pillow.open(io.BytesIO(content))
            width, height = opened.size
            if width * height > LARGEST_PIXELS:
                raise PictureError(f"{name} is {width}x{height}: more than {LARGEST_PIXELS:,} pixels are not measured.")
            frames = getattr(opened, "n_frames", 1)
            if frames > 1:
                raise PictureError(f"{name} has {frames} frames; an animation is not one picture.")
            sixteen_bit = ";16" in "".join(str(tile[3]) for tile in opened.tile) or opened.mode.startswith("I;16")
            opened.load()
        except PictureError:
            raise
        except pillow.DecompressionBombError as error:
            raise PictureError(f"{name} is too large to be measured: {error}") from error
        except UnidentifiedImageError as error:
            raise PictureError(f"{name} is not a picture that can be read, or its beginning is damaged.") from error
        except (OSError, SyntaxError, ValueError, IndexError) as error:
            raise PictureError(f"{name} is damaged or cut short: {error}.") from error
    return _eight_bit_rgb(opened, sixteen_bit, name)


def _eight_bit_rgb(opened: pillow.Image, sixteen_bit: bool, name: str) -> tuple[pillow.Image, list[str]]:
    from PIL import Image as pillow

    treatment = []
    if opened.info.get("icc_profile"):
        treatment.append("colour profile not applied")
    if sixteen_bit:
        treatment.append("16-bit samples reduced to their upper 8 bits")
        if opened.mode.startswith("I"):
            opened = _upper_bits(opened)
    if opened.mode in ("P", "PA"):
        transparent = "transparency" in opened.info or opened.mode == "PA"
        opened = opened.convert("RGBA" if transparent else "RGB")
        treatment.append("palette expanded")
    if opened.mode in ("1", "L", "LA"):
        treatment.append("grey repeated in three channels")
    if opened.mode in ("LA", "La", "RGBA", "RGBa") or "transparency" in opened.info:
        opened = opened.convert("RGBA")
        white = pillow.new("RGBA", opened.size, "white")
        opened = pillow.alpha_composite(white, opened)
        treatment.append("alpha laid over white")
    if opened.mode not in ("1", "L", "RGB", "RGBA"):
        raise PictureError(f"{name} is of mode {opened.mode}, which has no single 8-bit RGB reading; convert it first.")
    return opened.convert("RGB"), treatment


def _upper_bits(opened: pillow.Image) -> pillow.Image:
    """The upper 8 bits of a 16-bit grey picture, which is also what Pillow keeps of 16-bit colour."""
    import numpy as np
    from PIL import Image as pillow

    return pillow.fromarray((np.asarray(opened).astype(np.uint32) >> 8).astype(np.uint8))
