"""Bring your own codec in one file: what becomes a card, what its figures are worth, and which weights it takes."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from compressai.models import FactorizedPrior
from helpers.pictures import picture
from helpers.user_codecs import reference
from safetensors.torch import save_file

from lic_bench import api
from lic_bench.assets import weights
from lic_bench.benchmark import runner
from lic_bench.benchmark.options import RunOptions
from lic_bench.caveats import Caveat
from lic_bench.cli import app
from lic_bench.codec import HasParts
from lic_bench.complexity import codec_complexity
from lic_bench.errors import RequestError, WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Measurement, Training
from lic_bench.registry import adapters, codecs

PICKED = {"timing_repeats": 1, "timing_budget_seconds": 0.2, "memory": False}


def load(name: str, weights: Path | None = None) -> LearnedCodec:
    card = codecs.get(reference(name))
    return card.load(card.points[0], weights)  # type: ignore[return-value]


def command(*arguments: str) -> int:
    code: int | None = app(list(arguments), standalone_mode=False)
    return code or 0


def run(folder: Path, output: Path, *names: str, **changes: object) -> dict[tuple[str, str], Measurement]:
    models = [reference(name) for name in names]
    request = RunOptions(models=models, dataset=str(folder), output=output, pictures=1, **PICKED, **changes)  # type: ignore[arg-type]
    done = api.run(request)
    assert not done.failures
    return {(row.codec, row.point): row for row in done.rows if isinstance(row, Measurement)}


def state_dict(seed: int, n: int, m: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {key: tensor.clone() for key, tensor in FactorizedPrior(n, m).state_dict().items()}


@pytest.mark.parametrize(
    ("attribute", "name"),
    [("MyCodec", "my-codec"), ("my_codec", "my-codec"), ("TCM2Small", "tcm2-small"), ("ELIC", "elic")],
)
def test_a_name_is_made_of_the_attribute(attribute: str, name: str) -> None:
    assert adapters.tidy(attribute) == name


def test_the_mapping_fills_the_card() -> None:
    card = codecs.get(reference("MyPrior"))
    assert (card.name, card.title, card.licence, card.paper, card.year) == (
        "my-prior", "Mine", "MIT", "in preparation", 2026,
    )  # fmt: skip
    assert [(point.label, dict(point.settings)) for point in card.points] == [
        ("narrow", {"N": 4, "M": 6}),
        ("wide", {"N": 8, "M": 12}),
    ]
    assert (card.learned, card.trained) == (True, False)


@pytest.mark.parametrize(
    ("name", "learned", "trained"),
    [
        ("MyPrior", True, False),
        ("NoArguments", True, True),
        ("build_prior", True, False),
        ("AN_OBJECT", True, False),
        ("WithNetwork", True, False),
        ("Own", False, False),
        ("build_skipping", False, False),
    ],
)
def test_what_figures_are_worth_is_seen_or_said_and_never_guessed(name: str, learned: bool, trained: bool) -> None:
    card = codecs.get(reference(name))
    assert (card.learned, card.trained) == (learned, trained)


def test_networks_are_drawn_with_the_seed_and_code_any_size() -> None:
    one, other = load("MyPrior"), load("MyPrior")
    image = picture(37, 21)
    stream = one.encode(image)
    assert np.array_equal(one.decode(stream), other.decode(stream))
    assert one.multiple == FactorizedPrior(4, 6).downsampling_factor == 16
    assert one.padded_size(37, 21) == (48, 32)


def test_a_function_is_asked_for_its_network() -> None:
    assert sum(p.numel() for p in load("build_prior").network.parameters()) == sum(
        p.numel() for p in FactorizedPrior(4, 6).parameters()
    )


def test_only_trained_codecs_show_rate_and_distortion(folder: Path, tmp_path: Path) -> None:
    rows = run(folder, tmp_path, "NoArguments", "Own", "WithNetwork")
    assert {key: row.training for key, row in rows.items()} == {
        ("no-arguments", "1"): Training.TRAINED,
        ("own", "1"): Training.NOT_LEARNED,
        ("with-network", "1"): Training.UNTRAINED,
    }
    for row in rows.values():
        assert (row.psnr_db is None) == (row.training is Training.UNTRAINED)
    assert rows["own", "1"].stream_bytes == 8 + 96 * 32 * 3
    assert rows["own", "1"].psnr_db == math.inf
    assert Caveat.OWN_WEIGHTS in rows["no-arguments", "1"].caveats
    macs = {key: [count.macs for count in row.macs] for key, row in rows.items()}
    assert macs["with-network", "1"] != []  # shown, and of the same widths as the other one, which pads further
    assert rows["with-network", "1"].parameters == rows["no-arguments", "1"].parameters


def test_a_network_that_only_an_object_shows_must_be_spoken_of() -> None:
    with pytest.raises(RequestError, match=r'must say what its figures are worth.*"trained": True'):
        load("Secretive")


def test_weights_given_fill_the_network_at_their_own_widths(tmp_path: Path) -> None:
    given = state_dict(7, 6, 10)
    file = tmp_path / "mine.safetensors"
    save_file(given, file)
    codec = load("MyPrior", file)
    assert torch.equal(codec.network.g_a[0].weight, given["g_a.0.weight"])  # type: ignore[index, union-attr]
    assert codec.decode(codec.encode(picture(20, 20))).shape == (20, 20, 3)
    with pytest.raises(WeightsError, match=r"does not fit no-arguments: .*instead of"):
        load("NoArguments", file)  # its constructor takes no widths
    with pytest.raises(WeightsError, match="takes no checkpoint"):
        load("Own", file)


def test_a_package_brings_its_weights_beside_its_file(folder: Path, tmp_path: Path) -> None:
    save_file(state_dict(3, 4, 6), tmp_path / "first.safetensors")
    (tmp_path / "with_weights.py").write_text(
        "from compressai.models import FactorizedPrior\n"
        "class Shipped(FactorizedPrior):\n"
        "    lic_bench = {'weights': {'a': 'first.safetensors'}, 'points': {'a': {'N': 4, 'M': 6}}}\n"
    )
    card = codecs.get(f"{tmp_path / 'with_weights.py'}:Shipped")
    found = weights.obtain(card, card.points[0])
    assert found.path == tmp_path / "first.safetensors"
    models = f"{tmp_path / 'with_weights.py'}:Shipped"
    done = api.run(models=models, dataset=str(folder), output=tmp_path, pictures=1, **PICKED)
    (row,) = (row for row in done.rows if isinstance(row, Measurement))
    assert row.training is Training.TRAINED
    assert row.weights_sha256 == hashlib.sha256((tmp_path / "first.safetensors").read_bytes()).hexdigest()
    assert row.psnr_db is not None
    assert Caveat.OWN_WEIGHTS in row.caveats


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Misspelt", r"key 'tilte'\. Did you mean title"),
        ("WrongKind", "operating points: label -> keywords of the constructor"),
        ("Neither", "it is not a CodecCard but a class that gives no codec"),
        ("MyPryor", "Did you mean MyPrior"),
        ("FactorizedPrior", r"missing a required argument: 'N'; give them as lic_bench = {\"points\""),
    ],
)
def test_what_is_no_codec_is_refused_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        codecs.get(reference(name))


def test_a_file_named_like_another_module_is_refused_and_not_mistaken_for_it(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("class Codec:\n    def encode(self, image): ...\n    def decode(self, s): ...\n")
    with pytest.raises(RequestError, match=r"another module is called 'json'"):
        codecs.get(f"{tmp_path / 'json.py'}:Codec")


def test_changed_code_is_another_job(tmp_path: Path) -> None:
    file = tmp_path / "changing.py"
    file.write_text("class Codec:\n    def encode(self, image): ...\n    def decode(self, s): ...\n")
    before = codecs.CODECS.resolve(f"{file}:Codec").source_sha256  # type: ignore[union-attr]
    file.write_text(file.read_text() + "# another line\n")
    assert before != codecs.CODECS.resolve(f"{file}:Codec").source_sha256  # type: ignore[union-attr]
    assert len(before) == 64


def test_two_files_with_a_codec_of_one_name_are_told_apart(tmp_path: Path) -> None:
    doors = []
    for stem in ("first_file", "second_file"):
        (tmp_path / f"{stem}.py").write_text(
            "class Twin:\n    def encode(self, i): ...\n    def decode(self, s): ...\n"
        )
        doors.append(f"{tmp_path / stem}.py:Twin")
    cards = [codecs.get(door) for door in doors]
    assert [card.reference for card in cards] == doors
    with pytest.raises(RequestError, match="Two models are called 'twin'"):
        codecs.select(doors)


def test_counting_needs_no_card_either() -> None:
    found = list(codec_complexity.of_cards([codecs.get(reference("MyPrior"))], [(64, 64)]))
    (expected,) = codec_complexity.of_cards([codecs.get(reference("AN_OBJECT"))], [(64, 64)], [found[0].count.call])
    assert found[0].total == expected.total  # the same widths, one drawn by a class, one made at import
    assert isinstance(load("WithNetwork"), HasParts)


def test_weights_that_are_not_there_are_missed_by_name(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listening(runner.Silent):
        def note(self, text: str) -> None:
            said.append(text)

    codecs.get(reference("LostWeights"))
    request = RunOptions(models=[reference("LostWeights")], dataset=str(folder), output=tmp_path, **PICKED)
    runner.prepare(request, Listening())
    assert any("lost-weights 1: missing: the codec names" in text and "nowhere.pth.tar" in text for text in said)
    assert any("run untrained" in text for text in said)


def test_every_command_takes_what_was_brought(capsys: pytest.CaptureFixture[str]) -> None:
    prior, own, misspelt = reference("MyPrior"), reference("Own"), reference("Misspelt")
    command("models", f"{prior},{own}")
    assert "my-prior narrow (unknown): none published" in capsys.readouterr().out
    code = command("complexity", "-m", f"{prior},{own},{misspelt}", "--size", "64x64", "--format", "json")
    told = capsys.readouterr()
    assert {item["codec"] for item in json.loads(told.out)} == {"my-prior"}
    assert "Not learned, so nothing to count: own." in told.err
    assert "Did you mean title" in told.err
    assert code == 1
    assert command("audit", prior, "--against", "torch") == 0
    assert "my-prior" in capsys.readouterr().out
