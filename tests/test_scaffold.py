"""`lic-bench new`: the names it takes, the package it writes, and the way from nothing to a green workflow."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from helpers import bare_machine, github_steps
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench import scaffold
from lic_bench.errors import RequestError


@pytest.mark.parametrize(
    ("name", "module", "cls"),
    [("my-codec", "my_codec", "MyCodec"), ("oh-my-codec-2", "oh_my_codec_2", "OhMyCodec2"), ("blur", "blur", "Blur")],
)
def test_a_name_has_three_spellings(name: str, module: str, cls: str) -> None:
    names = scaffold.names(name)
    assert (names.codec, names.module, names.cls) == (name, module, cls)
    assert names.put_into("my-codec = my_codec.model:MyCodec") == f"{name} = {module}.model:{cls}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jpeg", "There is a codec called 'jpeg' already (lic_bench.zoo.classical:JPEG)"),
        ("MyCodec", "Did you mean my-codec?"),
        ("my_codec", "Did you mean my-codec?"),
        ("blur--net", "Did you mean blur-net?"),
        ("2blur", "a letter first"),
        ("", "a letter first"),
        ("../blur", "lower-case letters"),
        ("class", "a word of the Python language"),
        ("torch", "Something called 'torch' is installed here already"),
        ("json", "Something called 'json' is installed here already"),
        ("scikit-image", "Something called 'scikit-image' is installed here already"),
        ("lic-bench", "Something called 'lic-bench' is installed here already"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=re.escape(said)):
        scaffold.write(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_package_is_the_example_under_another_name(tmp_path: Path) -> None:
    folder, files = scaffold.write("blur-net", tmp_path / "a place")
    assert folder == tmp_path / "a place" / "blur-net"
    assert sorted(path for path in files) == sorted(
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file()
    )
    assert {"src/blur_net/model.py", "tests/test_blur_net.py", ".github/workflows/lic-bench.yml"} <= {*map(str, files)}
    for path in files:
        assert not re.search("my.?codec", f"{path} {(folder / path).read_text()}", re.IGNORECASE)
    assert "class BlurNet(CompressionModel)" in (folder / "src" / "blur_net" / "model.py").read_text()


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "blur-net").mkdir()
    with pytest.raises(RequestError, match="is there already and is left as it is"):
        scaffold.write("blur-net", tmp_path)
    assert not list((tmp_path / "blur-net").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="cannot be written: Not a directory"):
        scaffold.write("blur-net", tmp_path / "file")


def test_the_command_prints_the_commands_of_the_readme(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lic_bench", "new", "blur-net", "--into", "a place"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (first, *_) = blocks((tmp_path / "a place" / "blur-net" / "README.md").read_text())
    assert done.stdout.endswith(f"\ncd 'a place/blur-net'\n{first}")
    assert "src/blur_net/model.py" in done.stdout


def test_what_moves_bits_and_decibels_is_pinned(tmp_path: Path) -> None:
    import numpy as np
    import torch

    lines = scaffold.constraints().splitlines()
    assert f"numpy=={np.__version__}" in lines
    assert f"torch=={torch.__version__.partition('+')[0]}" in lines
    assert sum(line.startswith("lic-bench") for line in lines) == 1


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "blur-net==1.2"),
        (
            {"url": "https://example.org/blur.git", "vcs_info": {"vcs": "git", "commit_id": "0abc"}},
            "blur-net @ git+https://example.org/blur.git@0abc",
        ),
        (
            {
                "url": "https://example.org/blur.git",
                "vcs_info": {"vcs": "git", "commit_id": "0abc"},
                "subdirectory": "python",
            },
            "blur-net @ git+https://example.org/blur.git@0abc#subdirectory=python",
        ),
        (
            {"url": "https://example.org/blur.whl", "archive_info": {}},
            "blur-net @ https://example.org/blur.whl",
        ),
        ({"url": Path(__file__).parent.as_uri(), "dir_info": {}}, f"blur-net @ {Path(__file__).parent.as_uri()}"),
        ({"url": "file:///nowhere/blur.whl", "archive_info": {}}, "blur-net==1.2"),
    ],
    ids=["an index", "git", "a folder of git", "an archive", "a checkout", "a wheel that is gone"],
)
def test_a_requirement_names_the_origin_of_a_distribution(origin: object, expected: str, tmp_path: Path) -> None:
    """The records are those of PEP 610, as installers write them."""
    record = tmp_path / "blur_net-1.2.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: blur-net\nVersion: 1.2\n")
    if origin is not None:
        (record / "direct_url.json").write_text(json.dumps(origin))
    assert scaffold.requirement(Distribution.at(record)) == expected


@pytest.mark.slow
def test_the_readmes_commands_end_in_a_green_workflow(tmp_path: Path) -> None:
    """Shorter than a user's: fewer steps of training, and pictures of 64x64 in place of the data set `sample`."""
    folder, _ = scaffold.write("blur-net", tmp_path)
    pictures = tmp_path / "pictures"
    shorten(folder, pictures)
    machine = bare_machine.environment(tmp_path / "machine")
    readme = (folder / "README.md").read_text()
    for block in blocks(readme):
        shell(block, folder, machine)
    kept = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    assert {"baseline.json", "src/blur_net/weights/4.safetensors"} <= {*kept}
    assert not [path for path in kept if path.startswith(("runs/", ".venv/"))]

    checkout = tmp_path / "checkout"  # as a runner has it: nothing but what was committed
    subprocess.run(["git", "clone", "--quiet", folder, checkout], check=True)
    workflow = github_steps.read(checkout / ".github" / "workflows" / "lic-bench.yml")
    set_up = bare_machine.environment(tmp_path / "machine", folder / ".venv" / "bin")
    quick = {"RUN_OPTIONS": "--no-memory --timing-repeats 1"}
    job = github_steps.execute(workflow, checkout, set_up, tmp_path / "runner", env=quick, done=["Tests"])
    assert not job.failed, job.log
    assert [name for name, outcome in job.outcome.items() if outcome == "success"] == [
        "Install", "Tests", "Doctor", "Run", "Check", "Summary",
    ]  # fmt: skip
    assert job.summary.startswith((checkout / "lic-bench-reports" / "check.md").read_text())

    change(folder / "src" / "blur_net" / "model.py", "down(3, N)", "nn.Conv2d(3, N, 7, stride=2, padding=3)")
    change(folder / "src" / "blur_net" / "train.py", "FIRST_STEPS, STEPS = 1200, 100", "FIRST_STEPS, STEPS = 5, 2")
    again = f"lic-bench run --models blur-net,jpeg --dataset {pictures} {quick['RUN_OPTIONS']}"
    shell(f"python -m pip install -e .\npython -m blur_net.train\n{again}", folder, set_up)
    said = shell("lic-bench check runs --against baseline.json --limits limits.toml", folder, set_up, code=1)
    assert "g_a.0" in said  # 7 x 7 instead of 5 x 5 weights: 1.96 times the work
    assert "+96" in said


def blocks(readme: str) -> list[str]:
    """The shell commands that a README prints."""
    return re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)


def shell(commands: str, folder: Path, machine: dict[str, str], code: int = 0) -> str:
    """What commands print, typed one after another until one fails."""
    done = subprocess.run(["bash", "-e", "-c", commands], cwd=folder, env=machine, text=True, stdout=-1, stderr=-2)
    assert done.returncode == code, done.stdout
    return done.stdout


def shorten(folder: Path, pictures: Path) -> None:
    """Make a package quick to try, by what its files say and not by how they are used."""
    pictures.mkdir()
    for seed in (1, 2):
        pillow.fromarray(picture(64, 64, seed)).save(pictures / f"{seed}.png")
    change(folder / "src/blur_net/train.py", "FIRST_STEPS, STEPS = 1500, 500", "FIRST_STEPS, STEPS = 1200, 100")
    change(folder / "README.md", "--dataset sample", f"--dataset {pictures}")
    change(folder / "tests/test_blur_net.py", 'dataset="sample"', f'dataset="{pictures}"')
    change(folder / ".github/workflows/lic-bench.yml", "DATASET: sample", f"DATASET: {pictures}")


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
