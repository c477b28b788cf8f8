"""External encoders run as codecs: command lines, versions, and the check of what they give.

Programs are looked for in the folder that an environment variable names (LIC_BENCH_VTM_BIN and so on) and on PATH.
Each call runs in an empty folder that holds IN.yuv (or IN.png); the bitstream is the file that the encoder writes, and
the decoder runs on that file alone. Timing includes the start of the program and its files.
"""

from __future__ import annotations

import hashlib
import math
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lic_bench.assets import requirements
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.errors import LicBenchError, RequestError, StreamError, WeightsError
from lic_bench.records import Coding, ExternalProgram

from . import colour, picture_size
from .colour import TEN_BIT, TEN_BIT_420, ColourPath, Plane

if TYPE_CHECKING:
    from lic_bench.codec import Image

PROGRAM_SECONDS = 3 * 3600.0
"""A program that takes longer for one picture is stopped. `--timeout` bounds a run's passes as well."""

_VTM_PSNR = r"\[Y +([\d.]+) dB +U +([\d.]+) dB +V +([\d.]+) dB"


class ProgramError(LicBenchError):
    """An external program failed, hung, or gave something other than it must."""


@dataclass(frozen=True)
class Tool:
    """An external encoder: its command lines, and how its output is read.

    `encode` and `decode` are arguments with {quality}, {width}, {height}, {bits} and {configuration}; {output_bits} is
    empty at 8 bit. `stream` and `decoded` are the files they write. `colour` is None for programs that read and write
    RGB. `version` finds the program's line about itself in what it prints for `version_arguments`. `printed_psnr` finds
    the PSNR of Y, U and V that the encoder prints of its own reconstruction, relative to `peak` at 10 bit; "" where it
    prints none to go by (x265 counts 4:4:4 chroma as if it were 4:2:0). `complaint` finds what a decoder prints when it
    conceals damage and still ends well.
    """

    encode: str
    decode: str
    stream: str
    decoded: str = "REC.yuv"
    configuration: str = ""
    colour: ColourPath | None = TEN_BIT
    version: str = r"(?i).*version.*"
    version_arguments: tuple[str, ...] = ("--version",)
    printed_psnr: str = ""
    peak: int = 1020
    complaint: str = ""


TOOLS = {
    "vtm": Tool(
        encode="-i IN.yuv -c {configuration} -q {quality} -o /dev/null -b OUT.bin -wdt {width} -hgt {height} "
        "-fr 1 -f 1 --InputChromaFormat=444 --InputBitDepth={bits} {output_bits} --ConformanceWindowMode=1",
        decode="-b OUT.bin -o REC.yuv -d {bits}",
        stream="OUT.bin",
        configuration="encoder_intra_vtm.cfg",
        version_arguments=("--help",),
        printed_psnr=_VTM_PSNR,
    ),
    "hm": Tool(
        encode="-i IN.yuv -c {configuration} -q {quality} -o /dev/null -b OUT.bin -wdt {width} -hgt {height} "
        "-fr 1 -f 1 --InputChromaFormat=444 --InputBitDepth={bits} --InternalBitDepth={bits} {output_bits} "
        "--ConformanceWindowMode=1",
        decode="-b OUT.bin -o REC.yuv -d {bits}",
        stream="OUT.bin",
        configuration="encoder_intra_main_rext.cfg",
        version_arguments=("--help",),
        printed_psnr=_VTM_PSNR,
    ),
    "vvenc": Tool(
        encode="-i IN.yuv -s {width}x{height} -c yuv420_10 -r 1 -f 1 --preset slower --qpa 0 -q {quality} -t 1 "
        "-o OUT.266",
        decode="-b OUT.266 -o REC.yuv",
        stream="OUT.266",
        colour=TEN_BIT_420,
    ),
    "bpg": Tool(
        encode="-q {quality} -f 444 -c ycbcr_bt709 -b 10 -e x265 -m 9 -o OUT.bpg IN.png",
        decode="-o REC.png OUT.bpg",
        stream="OUT.bpg",
        decoded="REC.png",
        colour=None,
        version_arguments=("-h",),
    ),
    "x265": Tool(
        encode="--input IN.yuv --input-res {width}x{height} --input-csp i444 --input-depth 10 --output-depth 10 "
        "--fps 25 --frames 1 --preset veryslow --tune psnr --qp {quality} --ipratio 1 --keyint 1 --no-info "
        "--range full --colormatrix bt709 --pools none --frame-threads 1 --no-wpp --output OUT.hevc",
        decode="-q -o REC.yuv OUT.hevc",
        stream="OUT.hevc",
        complaint="(?i)warning|error",
    ),
    "aom": Tool(
        encode="--codec=av1 --cpu-used={speed} --end-usage=q --cq-level={quality} --i444 --profile=1 --bit-depth=10 "
        "--input-bit-depth=10 --tune=psnr --limit=1 --passes=1 --threads=1 --psnr=1 --obu -w {width} -h {height} "
        "-o OUT.obu IN.yuv",
        decode="-o REC.y4m OUT.obu",
        stream="OUT.obu",
        decoded="REC.y4m",
        version=r".*AV1 Encoder.*",
        version_arguments=("--help",),
        printed_psnr=r"\(Overall/Avg/Y/U/V\) +[\d.]+ +[\d.]+ +([\d.]+) +([\d.]+) +([\d.]+)",
        peak=1023,
        complaint="(?i)fail",
    ),
    "svt-av1": Tool(
        encode="-i IN.yuv -w {width} -h {height} --input-depth 10 --fps 25 -n 1 --rc 0 --aq-mode 0 -q {quality} "
        "--preset 2 --lp 1 -b OUT.ivf",
        decode="-o REC.y4m OUT.ivf",
        stream="OUT.ivf",
        decoded="REC.y4m",
        colour=TEN_BIT_420,
        version=r"SVT-AV1.*",
        complaint="(?i)fail",
    ),
}


class ExternalCodec:
    """Codes with the programs of a tool: `encoder` and `decoder` are their paths.

    `path` is the colour path, that of the tool where None. A decoded bitstream that this process has just made must be
    the encoder's reconstruction: its PSNR is compared with the one that the encoder printed.
    """

    def __init__(
        self,
        name: str,
        settings: dict[str, str],
        encoder: Path,
        decoder: Path,
        path: ColourPath | None = None,
        timeout_seconds: float = PROGRAM_SECONDS,
    ) -> None:
        self.name = name
        self.tool = TOOLS[name]
        self.colour = path or self.tool.colour
        self.encoder = encoder
        self.decoder = decoder
        self.timeout_seconds = timeout_seconds
        self.configuration = _configuration(encoder, self.tool.configuration) if self.tool.configuration else None
        bits = self.colour.bit_depth if self.colour else 8
        self._settings = settings | {
            "bits": str(bits),
            "output_bits": f"--OutputBitDepth={bits}" if bits > 8 else "",
            "configuration": str(self.configuration or ""),
        }
        self._programs: dict[str, ExternalProgram] = {}
        self._unchecked: tuple[bytes, Sequence[Plane], tuple[str, ...]] | None = None

    def encoder_command(self, width: int, height: int) -> tuple[str, ...]:
        """The command line that codes IN.yuv (or IN.png) of this size."""
        return (str(self.encoder), *self._arguments(self.tool.encode, width=str(width), height=str(height)))

    def decoder_command(self) -> tuple[str, ...]:
        """The command line that decodes the bitstream's file."""
        return (str(self.decoder), *self._arguments(self.tool.decode))

    def encode(self, image: Image) -> bytes:
        """The encoder's file of one picture (uint8, height x width x 3). ProgramError where it makes none."""
        height, width = image.shape[:2]
        command = self.encoder_command(width, height)
        planes = colour.to_planes(image, self.colour) if self.colour else ()
        with TemporaryDirectory(prefix="lic-bench-") as folder:
            if self.colour:
                Path(folder, "IN.yuv").write_bytes(colour.to_file(planes))
            else:
                _write_png(image, Path(folder, "IN.png"))
            said = self._run(command, Path(folder), ProgramError)
            stream = _content(Path(folder, self.tool.stream))
        if not stream:
            raise ProgramError(f"{self.encoder.name} made no bitstream. {_last_line(said)}")
        self._programs[hashlib.sha256(stream).hexdigest()] = self._program(command)
        printed = re.search(self.tool.printed_psnr, said) if self.tool.printed_psnr else None
        checked = printed is not None and self.colour is not None and self.colour.bit_depth == 10
        self._unchecked = (stream, planes, tuple(map(str, printed.groups()))) if printed and checked else None
        return stream

    def decode(self, stream: bytes) -> Image:
        """The picture of a file. StreamError where it is cut, damaged or of another format."""
        found = self.decoded_planes(stream)
        if isinstance(found, tuple):
            assert self.colour is not None
            return colour.to_rgb(found, self.colour)
        return found

    def decoded_planes(self, stream: bytes) -> tuple[Plane, ...] | Image:
        """The planes that the decoder writes of a file; the picture itself for a program that writes RGB."""
        with TemporaryDirectory(prefix="lic-bench-") as folder:
            Path(folder, self.tool.stream).write_bytes(stream)
            said = self._run(self.decoder_command(), Path(folder), StreamError)
            file = Path(folder, self.tool.decoded)
            content = _content(file)
            complaint = re.search(self.tool.complaint, said) if self.tool.complaint else None
            if not content or complaint:
                raise StreamError(f"This is not a whole bitstream of {self.name}: {_last_line(said)}")
            if self.colour is None:
                return _read_png(file, self.name)
        planes = self._planes(stream, content, self.colour)
        self._require_reconstruction(stream, planes)
        return planes

    def coding(self, stream: bytes) -> Coding:
        """The programs that made a bitstream of this process, as they were called."""
        return Coding(program=self._programs[hashlib.sha256(stream).hexdigest()])

    def _arguments(self, template: str, **size: str) -> list[str]:
        """The arguments of a template. Split first, so that a path with spaces stays one."""
        filled = (argument.format(**self._settings, **size) for argument in template.split())
        return [argument for argument in filled if argument]

    def _planes(self, stream: bytes, content: bytes, path: ColourPath) -> tuple[Plane, ...]:
        if self.tool.decoded.endswith(".y4m"):
            width, height, content = picture_size.of_y4m(content)
        else:
            samples = len(content) // (2 if path.bit_depth > 8 else 1)
            luma = samples * 2 // 3 if path.halves_chroma else samples // 3
            width, height = picture_size.in_parameter_set(stream, luma, 2 if path.halves_chroma else 1)
        return colour.from_file(content, width, height, path)

    def _require_reconstruction(self, stream: bytes, planes: Sequence[Plane]) -> None:
        """ProgramError where the decoder's planes have another PSNR than the encoder printed of its own."""
        unchecked, self._unchecked = self._unchecked, None
        if unchecked is None or unchecked[0] != stream:
            return
        _, originals, printed = unchecked
        for original, plane, text in zip(originals, planes, printed, strict=True):
            ours = colour.psnr(original, plane, self.tool.peak)
            theirs = float(text)
            last_digit = 10.0 ** -len(text.partition(".")[2])
            if not (math.isinf(ours) and theirs > 90) and abs(ours - theirs) > last_digit:
                raise ProgramError(
                    f"{self.decoder.name} does not give the reconstruction of {self.encoder.name}: PSNR {ours:.4f} dB "
                    f"where the encoder says {text} dB."
                )

    def _program(self, command: tuple[str, ...]) -> ExternalProgram:
        return ExternalProgram(
            encoder=command,
            decoder=self.decoder_command(),
            version=_version(self.encoder, self.tool.version_arguments, self.tool.version),
            configuration=str(self.configuration or ""),
            configuration_sha256=_sha256(self.configuration) if self.configuration else "",
            colour_path=self.colour.name if self.colour else "rgb",
        )

    def _run(self, command: Sequence[str], folder: Path, error: type[LicBenchError]) -> str:
        """What a program printed; `error` where it fails, ProgramError where it cannot be started or hangs."""
        name = Path(command[0]).name
        try:
            done = subprocess.run(
                [*_ends_with_its_parent(), *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=self.timeout_seconds, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ProgramError(f"{name} gave nothing within {self.timeout_seconds:g} s and was stopped.") from None
        except OSError as reason:
            raise ProgramError(f"{command[0]} cannot be started: {reason.strerror}.") from reason
        if done.returncode < 0:
            raise error(f"{name} was ended by {signal.Signals(-done.returncode).name}. {_last_line(done.stdout)}")
        if done.returncode:
            raise error(f"{name} ended with exit code {done.returncode}: {_last_line(done.stdout)}")
        return done.stdout


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> ExternalCodec:
    """The codec at one quality. Its programs run on the CPU whatever `device` says."""
    if weights is not None:
        raise WeightsError(f"{card.name} is a classical codec and takes no weights; {weights} was given.")
    requirements.require(card)
    encoder, decoder = (requirements.program(requirement) for requirement in card.requirements)
    assert encoder is not None
    assert decoder is not None
    return ExternalCodec(card.name, {name: str(value) for name, value in point.settings.items()}, encoder, decoder)


def _configuration(encoder: Path, name: str) -> Path:
    """The configuration file beside a program, or in the folder cfg beside it or up to two folders above."""
    bin = encoder.resolve().parent
    for folder in (bin, *(place / "cfg" for place in (bin, *bin.parents[:2]))):
        if (folder / name).is_file():
            return folder / name
    raise RequestError(f"{encoder} is here, and its configuration {name} is neither beside it nor in ../cfg.")


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _version(program: Path, arguments: tuple[str, ...], pattern: str) -> str:
    """The line in which a program says its version, "not stated" where it says none."""
    try:
        done = subprocess.run(
            [str(program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=60, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return "not stated"
    found = re.search(pattern, done.stdout)
    return found[0].strip() if found else "not stated"


@cache
def _ends_with_its_parent() -> tuple[str, ...]:
    """The command that has a program end when this process does, where the system has it (Linux)."""
    found = shutil.which("setpriv")
    return (found, "--pdeathsig", "KILL") if found else ()


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "It printed nothing."


def _write_png(image: Image, file: Path) -> None:
    from PIL import Image as pillow

    pillow.fromarray(image).save(file, compress_level=1)


def _read_png(file: Path, name: str) -> Image:
    import numpy as np
    from PIL import Image as pillow

    try:
        with pillow.open(file, formats=["PNG"]) as opened:
            return np.array(opened.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise StreamError(f"This is not a whole bitstream of {name}: {error}.") from error
