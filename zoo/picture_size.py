"""The size of a picture that a decoder wrote as bare samples: read from a YUV4MPEG2 header or from the bitstream.

Decoders of HEVC and VVC write samples without a size. The size stands in the sequence parameter set, as two
Exp-Golomb numbers followed by the conformance window (H.265, 7.3.2.2; H.266, 7.3.2.4). What stands before them differs
between HEVC, VVC and the drafts of VVC that older encoders write, so the two numbers are found by what they must
give: sides in multiples of 8 that, less the window, make exactly the number of samples that the decoder wrote.
"""

from __future__ import annotations

from collections.abc import Iterator

from lic_bench.errors import StreamError

START_CODE = b"\0\0\1"
HEVC_SPS, VVC_SPS = 33, 15
"""nal_unit_type of a sequence parameter set: H.265, table 7-1; H.266, table 5."""
SEARCHED_BITS = 512
LONGEST_PREFIX = 16


def of_y4m(content: bytes) -> tuple[int, int, bytes]:
    """Width, height and samples of the one picture of a YUV4MPEG2 file. StreamError for anything else."""
    header, _, rest = content.partition(b"\n")
    fields = {field[:1]: field[1:] for field in header.split()[1:]}
    _, newline, samples = rest.partition(b"\n")  # the line FRAME
    if not (header.startswith(b"YUV4MPEG2 ") and newline and fields.get(b"W", b"").isdigit()):
        raise StreamError("A decoder gave no picture.")
    return int(fields[b"W"]), int(fields[b"H"]), samples


def in_parameter_set(stream: bytes, luma_samples: int, crop_unit: int = 1) -> tuple[int, int]:
    """Width and height of a byte stream of HEVC or VVC whose decoder wrote this many samples of luma.

    `crop_unit` is what the conformance window counts in: 1 sample, 2 for 4:2:0. StreamError where no size or more than
    one fits.
    """
    found = {size for bits in _parameter_sets(stream) for size in _sizes(bits, luma_samples, crop_unit)}
    if len(found) != 1:
        fitting = ", ".join(f"{width}x{height}" for width, height in sorted(found)) or "none"
        raise StreamError(
            f"The size of a picture of {luma_samples} pixels cannot be read from its bitstream; it may be: {fitting}."
        )
    return found.pop()


def _parameter_sets(stream: bytes) -> Iterator[str]:
    """The beginnings of what may be sequence parameter sets, as text of 0 and 1, without the NAL unit's header."""
    for unit in stream.split(START_CODE)[1:]:
        if len(unit) > 2 and (unit[0] >> 1 == HEVC_SPS or (unit[0] < 64 and unit[1] >> 3 == VVC_SPS)):
            content = unit[2 : 2 + SEARCHED_BITS // 8].replace(b"\0\0\3", b"\0\0")  # emulation prevention
            yield "".join(f"{byte:08b}" for byte in content)


def _sizes(bits: str, luma_samples: int, crop_unit: int) -> Iterator[tuple[int, int]]:
    for start in range(len(bits)):
        try:
            width, at = _number(bits, start)
            height, at = _number(bits, at)
            if width % 8 or height % 8 or not width * height >= luma_samples > 0:
                continue
            if width * height == luma_samples:
                yield width, height
            elif bits[at] == "1":
                left, at = _number(bits, at + 1)
                right, at = _number(bits, at)
                top, at = _number(bits, at)
                bottom, at = _number(bits, at)
                inner = width - crop_unit * (left + right), height - crop_unit * (top + bottom)
                if inner[0] > 0 and inner[0] * inner[1] == luma_samples:
                    yield inner
        except IndexError:
            continue


def _number(bits: str, at: int) -> tuple[int, int]:
    """An unsigned Exp-Golomb number (H.265, 9.2) and where the next begins. IndexError where there is none."""
    one = bits.find("1", at, at + LONGEST_PREFIX + 1)
    end = one + 1 + one - at
    if one < 0 or end > len(bits):
        raise IndexError
    return int(bits[one:end], 2) - 1, end
