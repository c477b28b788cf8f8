"""Plug-ins that are really installed, sound and broken: each is named, and none stops another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.commands import QUICK, lic_bench
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.errors import RequestError
from lic_bench.registry import codecs, lookup

ENTRY_POINTS = """
[lic_bench.codecs]
zz-sound = zz_plugins:Codec
zz-import = zz_import:Codec
zz-leaving = zz_leaving:Codec
zz-crash = zz_crash:Codec
zz-number = zz_plugins:NUMBER
zz-nothing = zz_plugins:nothing
zz-raising = zz_plugins:Raising
zz-text = zz_plugins:Text
zz-dying = zz_plugins:Dying
zy-forever = zz_plugins:Forever
jpeg = zz_plugins:Codec

[lic_bench.datasets]
zz-pictures = zz_plugins:pictures
zz-lost = zz_plugins:lost
zz-ending = zz_crash:FOLDER
kodak = zz_plugins:pictures

[lic_bench.metrics]
zz-mean = zz_plugins:mean_error
"""

PLUGINS = """
import os, time
import numpy as np

NUMBER = 7

class Codec:
    lic_bench = {"title": "Sound"}
    def encode(self, image):
        return bytes([image.shape[0], image.shape[1]]) + image.tobytes()
    def decode(self, stream):
        return np.frombuffer(stream[2:], np.uint8).reshape(stream[0], stream[1], 3).copy()

class Raising(Codec):
    def __init__(self):
        raise ValueError("no luck today")

class Text(Codec):
    def encode(self, image):
        return "text"

class Dying(Codec):
    def encode(self, image):
        os._exit(7)

class Forever(Codec):
    def encode(self, image):
        while True:
            time.sleep(0.1)

def nothing():
    return None

def pictures():
    return "pictures"

def lost():
    return "nowhere"

def mean_error(original, decoded):
    return float(np.abs(original.astype(float) - decoded).mean())
"""


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with an installed package of plug-ins, and the pictures of its data set."""
    site = tmp_path / "site"
    about = site / "zz_plugins-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zz-plugins\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "zz_plugins.py").write_text(PLUGINS)
    (site / "zz_import.py").write_text("import not_installed_anywhere\n")
    (site / "zz_leaving.py").write_text("raise SystemExit('good bye')\n")
    (site / "zz_crash.py").write_text("import os\nos._exit(5)\n")
    (site / "pictures").mkdir()
    pillow.fromarray(picture(48, 32)).save(site / "pictures" / "a.png")
    return str(site)


def test_lists_name_what_is_broken(installed: str, tmp_path: Path) -> None:
    said = lic_bench("models", cwd=tmp_path, PYTHONPATH=installed).stdout
    lines = said.splitlines()
    for name in ("zz-sound", "zz-raising", "jpeg", "bmshj2018-factorized"):
        assert any(line.startswith(f"{name} ") and "broken" not in line for line in lines)
    for name in ("zz-import", "zz-leaving", "zz-crash", "zz-number", "zz-nothing"):
        assert any(line.startswith(f"{name} ") and "broken" in line for line in lines)
    assert "No module named 'not_installed_anywhere'" in said
    assert "SystemExit: good bye" in said
    assert "its process ended with exit code 5" in said
    assert "it is not a CodecCard but an int that gives no codec" in said
    assert "The name 'jpeg' is taken by lic_bench.zoo.classical:JPEG" in said
    sets = lic_bench("datasets", cwd=tmp_path, PYTHONPATH=installed).stdout
    assert any(line.split()[:2] == ["zz-pictures", "1"] for line in sets.splitlines())
    assert "zz-ending: The plug-in zz-ending cannot be looked up: its process ended with exit code 5" in sets
    assert "leads to" in sets
    assert "nowhere, which is not there" in sets
    assert "The data set 'kodak' is one of lic-bench's own" in sets


def test_broken_codecs_are_failures_of_the_run(installed: str, tmp_path: Path) -> None:
    asked = ("run", "-m", "zz-*", "--dataset", "zz-pictures", "--metric", "zz-mean", "--no-memory")
    done = lic_bench(*asked, *QUICK, cwd=tmp_path, code=1, PYTHONPATH=installed)
    assert "1 rows measured, 8 failed" in done.stdout
    (file,) = tmp_path.glob("runs/*/measurements.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (sound,) = (row for row in rows if row["status"] == "measured")
    assert (sound["codec"], sound["scores"], sound["stream_bytes"]) == ("zz-sound", {"zz-mean": 0.0}, 2 + 48 * 32 * 3)
    failed = {row["codec"]: row["reason"] for row in rows if row["status"] == "failed"}
    assert failed["zz-raising"] == "ValueError: no luck today"
    assert failed["zz-text"] == "encode returned str; a bitstream is bytes"
    assert "ended with exit code 7" in failed["zz-dying"]
    assert set(failed) > {"zz-import", "zz-leaving", "zz-crash", "zz-number", "zz-nothing"}


def test_a_codec_that_never_ends_is_a_failure(installed: str, tmp_path: Path) -> None:
    """Alone: the others of these plug-ins need not answer within a second."""
    asked = ("run", "-m", "zy-forever", "--dataset", "zz-pictures", "--metric", "zz-mean", "--timeout", "1")
    done = lic_bench(*asked, "--no-memory", *QUICK, cwd=tmp_path, code=1, PYTHONPATH=installed)
    assert "gave no result within 1 s" in done.stdout


def test_an_import_that_never_ends_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "endless.py"
    file.write_text("while True:\n    pass\n")
    chosen = lookup.selection(["jpeg", f"{file}:Codec"], least_seconds=4)
    assert [card.name for card in chosen.cards] == ["jpeg"]
    (reason,) = chosen.broken.values()
    assert "gave no result within 4 s" in reason
    with pytest.raises(RequestError, match="gave no result"):  # it is not tried twice
        codecs.get(f"{file}:Codec")
