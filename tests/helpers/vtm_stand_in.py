"""Stands in for VTM: EncoderApp and DecoderApp with its arguments, files, output and exit codes, and a toy coder.

`install` writes both programs and their configuration. The programs need nothing but Python's standard library: they
quantise samples with a step that doubles every 6 QP, and put a sequence parameter set as in H.266 before them. The
environment variable STAND_IN has them misbehave: crash, segfault, hang, nothing, liar.
"""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import time
import zlib
from array import array
from pathlib import Path

CONFIGURATION = "encoder_intra_vtm.cfg"
VERSION = "VVCSoftware: VTM Encoder Version 9.1 [Linux][GCC 12.2.0][64 bit]"
ENCODER_OPTIONS = {
    "-i", "-c", "-q", "-o", "-b", "-wdt", "-hgt", "-fr", "-f", "--InputChromaFormat", "--InputBitDepth",
    "--OutputBitDepth", "--ConformanceWindowMode",
}  # fmt: skip
DECODER_OPTIONS = {"-b", "-o", "-d"}
SLICE = b"\0\0\0\1\0\x41"  # IDR_N_LP


def install(folder: Path) -> Path:
    """EncoderApp and DecoderApp in a folder, the configuration in ../cfg as in VTM's tree; returns the folder."""
    folder.mkdir(parents=True)
    for name in ("EncoderApp", "DecoderApp"):
        program = folder / name
        program.write_text(f"#!{sys.executable} -IS\n{Path(__file__).read_text()}\nmain()\n")
        program.chmod(0o755)
    (folder.parent / "cfg").mkdir()
    (folder.parent / "cfg" / CONFIGURATION).write_text("IntraPeriod : 1\n")
    return folder


def step(qp: int) -> float:
    """The quantiser's step at a QP."""
    return 2 ** ((qp - 4) / 6)


def reconstruction(samples: array, qp: int, largest: int) -> array:
    """Samples as the decoder gives them."""
    return array("H", [min(largest, round(round(sample / step(qp)) * step(qp))) for sample in samples])


def parameter_set(width: int, height: int, draft_9: bool = False) -> bytes:
    """A sequence parameter set (H.266, 7.3.2.4) up to the conformance window, with sides padded to multiples of 8.

    `draft_9` has the order of the draft (JVET-R2001) in the fields before the size, which VTM-9.1 writes.
    """
    padded = [(side + 7) // 8 * 8 for side in (width, height)]
    crops = [0, padded[0] - width, 0, padded[1] - height]
    head = "00000000000"
    level = "0000001001010011110"  # profile, tier, level, frame only, multilayer, no constraints
    bits = head + ("00001" if draft_9 else "11101") + level
    bits += "0" * (-len(bits) % 8) + "00000000"  # alignment, no sub-profiles
    bits += "01100" if draft_9 else "00"
    bits += "".join(map(exp_golomb, padded)) + ("1" + "".join(map(exp_golomb, crops)) if any(crops) else "0")
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    content = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return b"\0\0\0\1\0\x79" + escaped(content)


def exp_golomb(number: int) -> str:
    """An unsigned Exp-Golomb number (H.266, 9.2)."""
    text = f"{number + 1:b}"
    return "0" * (len(text) - 1) + text


def escaped(content: bytes) -> bytes:
    """Content with emulation prevention, so that it holds no start code."""
    return re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)


def main() -> None:
    """Runs as the program whose name the file has."""
    if "--help" in sys.argv:
        print(f"\n{VERSION}\nUsage")
        sys.exit(0)
    (encode if Path(sys.argv[0]).name == "EncoderApp" else decode)()


def options(known: set) -> dict:
    """The command line as VTM reads it: -name value, or --name=value."""
    found, arguments = {}, iter(sys.argv[1:])
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in known:
            fail(f'Error parsing option "{name}" with argument "{value}".')
        found[name] = value if equals else next(arguments, "")
    return found


def fail(reason: str) -> None:
    """End as VTM does when something is wrong."""
    print(reason, file=sys.stderr)
    sys.exit(1)


def misbehave() -> None:
    """What STAND_IN asks for, before anything is done."""
    match os.environ.get("STAND_IN"):
        case "crash":
            fail('ERROR: In function "encode": out of luck')
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(60)


def samples_of(content: bytes, bits: int) -> array:
    """The samples of a file."""
    samples = array("H" if bits > 8 else "B")
    samples.frombytes(content)
    return samples


def encode() -> None:
    """EncoderApp."""
    asked = options(ENCODER_OPTIONS)
    misbehave()
    if not Path(asked["-c"]).is_file():
        fail(f"Error opening configuration {asked['-c']}")
    qp, width, height, bits = (int(asked[name]) for name in ("-q", "-wdt", "-hgt", "--InputBitDepth"))
    content = Path(asked["-i"]).read_bytes()
    if len(content) != width * height * 3 * (2 if bits > 8 else 1) or asked["--InputChromaFormat"] != "444":
        fail("The input has another size.")
    samples = samples_of(content, bits)
    decoded = reconstruction(samples, qp, 2**bits - 1)
    symbols = array("H", [round(sample / step(qp)) for sample in samples])
    packed = zlib.compress(symbols.tobytes(), 9)
    stream = parameter_set(width, height) + SLICE + escaped(bytes([qp]) + zlib.crc32(packed).to_bytes(4) + packed)
    size = width * height
    scores = [psnr(samples[at : at + size], decoded[at : at + size], bits) for at in (0, size, 2 * size)]
    if os.environ.get("STAND_IN") == "liar":
        scores[1] += 0.01
    if os.environ.get("STAND_IN") != "nothing":
        Path(asked["-b"]).write_bytes(stream)
    printed = "    ".join(f"{plane} {score:.4f} dB" for plane, score in zip("YUV", scores, strict=True))
    print(f"{VERSION}\nPOC    0 LId:  0 TId: 0 ( IDR_N_LP, I-SLICE, QP {qp} ) {8 * len(stream):10d} bits [{printed}]")


def psnr(original: array, decoded: array, bits: int) -> float:
    """PSNR as VTM prints it: relative to 255 shifted to the bit depth, 999.99 for equal planes."""
    error = sum((a - b) ** 2 for a, b in zip(original, decoded, strict=True)) / len(original)
    return 10 * math.log10((255 << (bits - 8)) ** 2 / error) if error else 999.99


def decode() -> None:
    """DecoderApp."""
    asked = options(DECODER_OPTIONS)
    misbehave()
    content = Path(asked["-b"]).read_bytes().partition(SLICE)[2].replace(b"\0\0\3", b"\0\0")
    if len(content) < 5 or zlib.crc32(content[5:]) != int.from_bytes(content[1:5]):
        fail('ERROR: In function "parse": attempted read past the end of the bitstream')
    symbols = array("H")
    symbols.frombytes(zlib.decompress(content[5:]))
    bits = int(asked["-d"])
    decoded = [min(2**bits - 1, round(symbol * step(content[0]))) for symbol in symbols]
    if os.environ.get("STAND_IN") != "nothing":
        Path(asked["-o"]).write_bytes(array("H" if bits > 8 else "B", decoded).tobytes())
