"""Probes report what a codec gives, and leave the process as it was."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers import faulty_codecs

from lic_bench.codec import Codec
from lic_bench.doctor import probes
from lic_bench.doctor.opened_files import OpenedFiles
from lic_bench.doctor.pictures import of_size
from lic_bench.doctor.probes import Cause, CodecUnderTest, ProbeFailure, RoundTrip, Step

PICTURE = of_size((8, 8))


def under_test(name: str) -> CodecUnderTest:
    return CodecUnderTest(faulty_codecs.reference(name), "1", None, "cpu", threads=2)


def surroundings(codec: Codec | None = None) -> tuple[object, ...]:
    names = ("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME")
    return Path.cwd(), tempfile.gettempdir(), torch.get_num_threads(), *(os.environ.get(name) for name in names)


def test_probes_run_in_the_folder_and_restore_the_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMP", raising=False)
    before = surroundings()
    asked = (surroundings, partial(probes.round_trip, PICTURE))
    inside, *steps, trip = probes.run(under_test("Printing"), asked, tmp_path)
    print("after")
    assert inside == (tmp_path, str(tmp_path), 2, *[str(tmp_path)] * 5)
    assert surroundings() == before
    assert steps == [Step.ENCODE, Step.DECODE, Step.PAYLOAD_BITS]
    assert isinstance(trip, RoundTrip)
    assert (trip.stream, trip.input_changed, trip.payload_bits) == (PICTURE.image.tobytes(), False, None)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("after\n", "encoding\n")


def test_an_error_is_an_answer_with_its_step() -> None:
    asked = [partial(probes.round_trip, of_size((7, 8)))]
    *_, answer = probes.run(under_test("EvenSides"), asked)
    assert answer == ProbeFailure(Cause.RAISED, "ValueError: sides must be even", Step.ENCODE)


def test_read_and_written_files_are_distinguished(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with OpenedFiles() as files:
        path.write_bytes(b"1")
        path.rename(tmp_path / "renamed")
        (tmp_path / "renamed").read_bytes()
    (tmp_path / "later").write_bytes(b"1")
    assert files.written == {str(path), str(tmp_path / "renamed")}
    assert str(tmp_path / "renamed") in files.read
