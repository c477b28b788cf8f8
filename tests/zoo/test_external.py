"""External encoders: VTM's command lines against a stand-in that behaves like it, and real encoders where installed."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from array import array
from pathlib import Path

import numpy as np
import pytest
from helpers import vtm_stand_in
from helpers.pictures import picture
from lic_bench.zoo import colour
from lic_bench.zoo.colour import EIGHT_BIT_FLOORED, TEN_BIT, ColourPath
from lic_bench.zoo.external_programs import ExternalCodec, ProgramError
from lic_bench.zoo.hevc import END

from lic_bench import api
from lic_bench.assets import requirements
from lic_bench.benchmark import run_folder, worker
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError, StreamError
from lic_bench.records import Job, Measurement, Settings, Training
from lic_bench.registry import codecs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stand-in's programs, which the codec finds."""
    folder = vtm_stand_in.install(tmp_path / "a tree" / "bin")
    monkeypatch.setenv(requirements.VTM_FOLDER, str(folder))
    return folder


def vtm(point: str = "32") -> ExternalCodec:
    card = codecs.get("vtm")
    loaded = card.load(card.point(point))
    assert isinstance(loaded, ExternalCodec)
    return loaded


def stand_in(programs: Path, qp: int = 32, path: ColourPath | None = None, seconds: float = 60) -> ExternalCodec:
    encoder, decoder = programs / "EncoderApp", programs / "DecoderApp"
    return ExternalCodec("vtm", {"quality": str(qp)}, encoder, decoder, path, timeout_seconds=seconds)


def test_vtms_command_lines_at_10_bit(programs: Path) -> None:
    configuration = programs.parent / "cfg" / "encoder_intra_vtm.cfg"
    assert vtm("47").encoder_command(768, 512) == (
        str(programs / "EncoderApp"), "-i", "IN.yuv", "-c", str(configuration), "-q", "47", "-o", "/dev/null",
        "-b", "OUT.bin", "-wdt", "768", "-hgt", "512", "-fr", "1", "-f", "1", "--InputChromaFormat=444",
        "--InputBitDepth=10", "--OutputBitDepth=10", "--ConformanceWindowMode=1",
    )  # fmt: skip
    assert vtm("47").decoder_command() == (
        str(programs / "DecoderApp"), "-b", "OUT.bin", "-o", "REC.yuv", "-d", "10",
    )  # fmt: skip


def test_vtms_command_lines_at_8_bit(programs: Path) -> None:
    codec = stand_in(programs, 27, EIGHT_BIT_FLOORED)
    encoder = " ".join(codec.encoder_command(512, 768)[5:])
    assert encoder == (
        "-q 27 -o /dev/null -b OUT.bin -wdt 512 -hgt 768 -fr 1 -f 1 --InputChromaFormat=444 --InputBitDepth=8 "
        "--ConformanceWindowMode=1"
    )
    assert " ".join(codec.decoder_command()[1:]) == "-b OUT.bin -o REC.yuv -d 8"


@pytest.mark.parametrize("size", [(64, 48), (33, 17), (7, 5)])
def test_a_picture_comes_back_as_the_encoders_reconstruction(size: tuple[int, int], programs: Path) -> None:
    image, codec = picture(*size), vtm()
    stream = codec.encode(image)
    planes = colour.to_planes(image, TEN_BIT)
    expected = [
        np.array(vtm_stand_in.reconstruction(array("H", plane.ravel().tolist()), 32, 1023)).reshape(plane.shape)
        for plane in planes
    ]
    assert np.array_equal(codec.decode(stream), colour.to_rgb(expected, TEN_BIT))
    assert codec.encode(image) == stream
    assert vtm("47").decode(stream).shape == image.shape  # by the bitstream alone


def test_a_decoder_in_another_process_needs_the_bitstream_alone(programs: Path, tmp_path: Path) -> None:
    image, codec = picture(64, 48), vtm()
    (tmp_path / "stream").write_bytes(codec.encode(image))
    code = (
        "import hashlib, pathlib, sys; from lic_bench.registry import codecs; card = codecs.get('vtm');"
        "decoded = card.load(card.points[-1]).decode(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(decoded.shape, hashlib.sha256(decoded.tobytes()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "stream")], capture_output=True, text=True
    )
    expected = codec.decode((tmp_path / "stream").read_bytes())
    assert done.stdout.strip() == f"{expected.shape} {hashlib.sha256(expected.tobytes()).hexdigest()}", done.stderr


def test_every_row_records_the_programs(programs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(device="cpu", timing_repeats=1, memory=False, vtm_bin=str(programs))
    job = Job("vtm", "37", Training.NOT_LEARNED, str(folder), ("a.png",), reference="vtm", settings=settings)
    with monkeypatch.context() as elsewhere:  # the job says where the programs are
        elsewhere.delenv(requirements.VTM_FOLDER)
        (row,) = worker.measure(job)
    assert isinstance(row, Measurement), row
    assert run_folder.row_from_json(run_folder.as_json(row)) == row
    assert row.coding is not None
    program = row.coding.program
    assert program is not None
    assert program.encoder == vtm("37").encoder_command(96, 32)
    assert program.decoder == vtm("37").decoder_command()
    assert program.version == vtm_stand_in.VERSION
    configuration = Path(program.configuration)
    assert configuration.name == "encoder_intra_vtm.cfg"
    assert program.configuration_sha256 == hashlib.sha256(configuration.read_bytes()).hexdigest()
    assert program.colour_path == "bt709-10bit-rounded"
    assert Caveat.EXTERNAL_PROGRAM in row.caveats
    assert Caveat.BUSY_MACHINE not in row.caveats  # waiting for a program is not waiting for the processor
    assert len(row.encode_seconds) == 1
    assert row.encode_cpu_seconds == ()


def test_a_run_takes_vtms_folder_and_a_target(
    programs: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(requirements.VTM_FOLDER)
    done = api.run("vtm", str(folder), pictures=1, target_psnr=35, vtm_bin=programs, output=tmp_path, timing_repeats=0)
    (row,) = done.rows
    assert isinstance(row, Measurement), row
    assert row.psnr_db == pytest.approx(35, abs=0.5)
    assert row.fresh_process is not None
    assert row.fresh_process.is_exact
    assert row.memory == ()  # of programs that are not seen
    assert row.coding is not None
    assert row.coding.program is not None
    assert f"-q {row.coding.quality} " in " ".join(row.coding.program.encoder)


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("crash", r'EncoderApp ended with exit code 1: ERROR: In function "encode": out of luck'),
        ("segfault", "EncoderApp was ended by SIGSEGV"),
        ("hang", "EncoderApp gave nothing within 0.5 s and was stopped"),
        ("nothing", "EncoderApp made no bitstream"),
    ],
)
def test_an_encoder_that_fails_is_named(
    behaviour: str, message: str, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", behaviour)
    with pytest.raises(ProgramError, match=message):
        stand_in(programs, seconds=0.5 if behaviour == "hang" else 60).encode(picture(16, 16))


@pytest.mark.parametrize(
    ("behaviour", "error", "message"),
    [
        ("crash", StreamError, "DecoderApp ended with exit code 1"),
        ("segfault", StreamError, "DecoderApp was ended by SIGSEGV"),
        ("hang", ProgramError, "DecoderApp gave nothing within 0.5 s and was stopped"),
        ("nothing", StreamError, "not a whole bitstream of vtm"),
    ],
)
def test_a_decoder_that_fails_is_named(
    behaviour: str, error: type[Exception], message: str, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = vtm().encode(picture(16, 16))
    monkeypatch.setenv("STAND_IN", behaviour)
    with pytest.raises(error, match=message):
        stand_in(programs, seconds=0.5 if behaviour == "hang" else 60).decode(stream)


def test_a_truncated_file_is_refused(programs: Path) -> None:
    codec = vtm()
    stream = codec.encode(picture(32, 32))
    for length in (0, 4, len(stream) // 2, len(stream) - 1):
        with pytest.raises(StreamError, match="past the end of the bitstream"):
            codec.decode(stream[:length])


def test_another_picture_than_the_encoders_is_refused(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN", "liar")
    codec = vtm()
    with pytest.raises(ProgramError, match="DecoderApp does not give the reconstruction of EncoderApp: PSNR"):
        codec.decode(codec.encode(picture(32, 32)))


def test_an_encoder_without_its_configuration_says_where_it_looked(programs: Path) -> None:
    (programs.parent / "cfg" / "encoder_intra_vtm.cfg").unlink()
    with pytest.raises(RequestError, match=r"encoder_intra_vtm\.cfg is neither beside it nor in \.\./cfg"):
        vtm()


def test_a_program_that_cannot_be_started_is_named(programs: Path) -> None:
    (programs / "EncoderApp").write_text("#!/no/such/interpreter\n")
    with pytest.raises(ProgramError, match="EncoderApp"):
        vtm().encode(picture(16, 16))


def test_vtm_that_is_not_here_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        RequestError, match=r"vtm is missing: EncoderApp \(build VTM, then give --vtm-bin\); DecoderApp"
    ):
        vtm()


def test_the_ways_of_scoring_differ_as_arithmetic_says(programs: Path) -> None:
    image = picture(64, 48)
    codec = stand_in(programs, 22, EIGHT_BIT_FLOORED)
    stream = codec.encode(image)
    decoded = codec.decoded_planes(stream)
    assert isinstance(decoded, tuple)
    found = colour.scores(image, decoded, EIGHT_BIT_FLOORED)
    as_float = [colour.to_float_rgb(planes, EIGHT_BIT_FLOORED).astype(np.float64) * 255
                for planes in (decoded, colour.to_planes(image, EIGHT_BIT_FLOORED))]  # fmt: skip

    def db(a: np.ndarray, b: np.ndarray) -> float:
        return 10 * math.log10(255**2 / np.mean((a - b) ** 2))

    assert found.rounded == pytest.approx(db(np.rint(as_float[0]), image), abs=1e-3)
    assert found.truncated == pytest.approx(db(np.floor(as_float[0] + 1e-5), image), abs=1e-3)
    assert found.against_converted_original == pytest.approx(db(as_float[0], as_float[1]), abs=1e-3)
    assert found.truncated < found.rounded < found.against_converted_original
    assert np.array_equal(codec.decode(stream), np.rint(as_float[0]))


@pytest.fixture(params=["x265", "aom", "svt-av1"])
def real(request: pytest.FixtureRequest) -> ExternalCodec:
    """A codec of programs that Debian packages, at a middle quality."""
    card = codecs.get(request.param)
    if lacks := requirements.missing(card):
        pytest.skip(f"{request.param.upper()} IS NOT HERE: {'; '.join(lacks)}")
    loaded = card.load(card.points[5])
    assert isinstance(loaded, ExternalCodec)
    return loaded


def test_a_real_encoder_codes_and_decodes(real: ExternalCodec) -> None:
    image = picture(130, 98)
    stream = real.encode(image)
    decoded = real.decode(stream)  # compared there with the encoder's own PSNR, where it prints one
    assert decoded.shape == image.shape
    assert colour.psnr(image, decoded, 255) > 33
    assert len(stream) < image.size / 5
    program = real.coding(stream).program
    assert program is not None
    assert any(digit.isdigit() for digit in program.version)


def test_a_real_decoder_refuses_a_truncated_file(real: ExternalCodec) -> None:
    stream = real.encode(picture(130, 98))
    with pytest.raises(StreamError):
        real.decode(stream[: len(stream) // 2])


def test_x265s_picture_is_that_of_another_decoder() -> None:
    card = codecs.get("x265")
    if lacks := requirements.missing(card):
        pytest.skip(f"X265 IS NOT HERE: {'; '.join(lacks)}")
    pytest.importorskip("av", reason="HEVC NEEDS PyAV: pip install av")
    codec = card.load(card.points[3])
    stream = codec.encode(picture(130, 98))
    ffmpeg = codecs.get("hevc")
    assert np.array_equal(ffmpeg.load(ffmpeg.points[0]).decode(stream + END), codec.decode(stream))
