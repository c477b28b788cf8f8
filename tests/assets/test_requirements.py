"""What codecs need beyond a plain install: found, missing, and where programs are looked for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lic_bench.assets import requirements
from lic_bench.codec import CodecCard, OperatingPoint, Requirement
from lic_bench.errors import RequestError

PLAIN = CodecCard("old", "Old", "f", "p", 1992, "MIT", False, (OperatingPoint("10"),), "nowhere:load")
PROGRAM = Requirement("build it", programs=("coder", "coder-static"), folder_variable="LIC_BENCH_CODER_BIN")


def made(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_a_module_that_is_not_here_is_missing() -> None:
    card = replace(
        PLAIN,
        requirements=(
            Requirement("pip install pillow", module="PIL"),
            Requirement("pip install x", module="no_such_x"),
        ),
    )
    assert requirements.missing(PLAIN) == ()
    assert requirements.missing(card) == ("pip install x",)
    requirements.require(PLAIN)
    with pytest.raises(RequestError, match="old is missing: pip install x"):
        requirements.require(card)


def test_a_program_is_found_in_its_own_folder_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert requirements.program(PROGRAM) is None
    assert requirements.missing(replace(PLAIN, requirements=(PROGRAM,))) == ("build it",)
    on_path = made(tmp_path / "bin", "coder-static")
    assert requirements.program(PROGRAM) == on_path
    own = made(tmp_path / "own", "coder")
    monkeypatch.setenv("LIC_BENCH_CODER_BIN", str(own.parent))
    assert requirements.program(PROGRAM) == own


def test_the_folder_of_vtm_holds_inside_the_block_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(requirements.VTM_FOLDER, raising=False)
    with requirements.vtm_folder(str(tmp_path)):
        assert os.environ[requirements.VTM_FOLDER] == str(tmp_path)
        with requirements.vtm_folder(None):
            assert os.environ[requirements.VTM_FOLDER] == str(tmp_path)
    assert requirements.VTM_FOLDER not in os.environ
    monkeypatch.setenv(requirements.VTM_FOLDER, "before")
    with requirements.vtm_folder(str(tmp_path)):
        pass
    assert os.environ[requirements.VTM_FOLDER] == "before"
