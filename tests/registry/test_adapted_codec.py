"""User-supplied codecs loaded from their cards: with weights of the fixed seed, a checkpoint, or their own."""

from __future__ import annotations

import hashlib
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
from lic_bench.codec import HasParts
from lic_bench.complexity import codec_complexity
from lic_bench.errors import RequestError, WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Measurement, Training
from lic_bench.registry import codecs

QUICK = {"timing_repeats": 1, "timing_budget_seconds": 0.2, "memory": False}


def load(name: str, weights: Path | None = None) -> LearnedCodec:
    card = codecs.get(reference(name))
    return card.load(card.points[0], weights)  # type: ignore[return-value]


def run(folder: Path, output: Path, *names: str, **changes: object) -> dict[tuple[str, str], Measurement]:
    models = [reference(name) for name in names]
    request = RunOptions(models=models, dataset=str(folder), output=output, pictures=1, **QUICK, **changes)  # type: ignore[arg-type]
    done = api.run_with_options(request)
    assert not done.failures
    return {(row.codec, row.point): row for row in done.rows if isinstance(row, Measurement)}


def state_dict(seed: int, n: int, m: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {key: tensor.clone() for key, tensor in FactorizedPrior(n, m).state_dict().items()}


def test_untrained_networks_are_equal_and_code_any_size() -> None:
    one, other = load("MyPrior"), load("MyPrior")
    image = picture(37, 21)
    stream = one.encode(image)
    assert np.array_equal(one.decode(stream), other.decode(stream))
    assert one.multiple == FactorizedPrior(4, 6).downsampling_factor == 16
    assert one.padded_size(37, 21) == (48, 32)


def test_a_function_makes_the_network() -> None:
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


def test_a_network_without_metadata_is_refused() -> None:
    with pytest.raises(RequestError, match=r'must say what its figures are worth.*"trained": True'):
        load("Secretive")


def test_a_checkpoint_is_loaded_at_its_own_widths(tmp_path: Path) -> None:
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


def test_weights_are_found_beside_the_module(folder: Path, tmp_path: Path) -> None:
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
    done = api.run(models=models, dataset=str(folder), output=tmp_path, pictures=1, **QUICK)
    (row,) = (row for row in done.rows if isinstance(row, Measurement))
    assert row.training is Training.TRAINED
    assert row.weights_sha256 == hashlib.sha256((tmp_path / "first.safetensors").read_bytes()).hexdigest()
    assert row.psnr_db is not None
    assert Caveat.OWN_WEIGHTS in row.caveats


def test_user_supplied_codecs_are_counted() -> None:
    found = list(codec_complexity.of_cards([codecs.get(reference("MyPrior"))], [(64, 64)]))
    (expected,) = codec_complexity.of_cards([codecs.get(reference("AN_OBJECT"))], [(64, 64)], [found[0].count.call])
    assert found[0].total == expected.total  # the same widths, one drawn by a class, one made at import
    assert isinstance(load("WithNetwork"), HasParts)


def test_missing_weights_are_named(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listening(runner.Silent):
        def note(self, text: str) -> None:
            said.append(text)

    codecs.get(reference("LostWeights"))
    request = RunOptions(models=[reference("LostWeights")], dataset=str(folder), output=tmp_path, **QUICK)
    runner.prepare(request, Listening())
    assert any("lost-weights 1: missing: the codec names" in text and "nowhere.pth.tar" in text for text in said)
    assert any("run untrained" in text for text in said)
