"""One promise, tested over every codec there is.

The networks run in one child process, which hands nothing but streams to a second one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from lic_bench.zoo.elic import from_chandelier
from safetensors.torch import save_file

from lic_bench.analysis import published
from lic_bench.assets import requirements
from lic_bench.assets.checkpoints import normalise
from lic_bench.benchmark import plan
from lic_bench.codec import Codec, CodecCard, HasParts
from lic_bench.errors import NotACodecError, RequestError, WeightsError
from lic_bench.records import Call, Settings
from lic_bench.registry import codecs

CARDS = {card.name: card for card in codecs.select("all")}
# Made and called where LIC_BENCH_LARGE is set: 4 GB of weights, two minutes.
LARGE = () if os.environ.get("LIC_BENCH_LARGE") else ("hpcm-1b",)
LEARNED = [name for name, card in CARDS.items() if card.learned]
CODECS = [
    name for name, card in CARDS.items() if not card.estimates_only and card.family != "external" and name not in LARGE
]
"""External programs have tests of their own: not every size is within their reach."""
HERE = [name for name in CODECS if not requirements.missing(CARDS[name])]
SIZES = ((1, 1), (17, 33), (65, 48))

every_card = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)


@every_card
def test_a_card_says_what_it_stands_for(card: CodecCard) -> None:
    assert all((card.title, card.family, card.paper, card.loader, card.points))
    assert 1990 < card.year < 2100
    assert card.licence is None or len(card.licence) > 2


@every_card
def test_a_loader_is_there_to_be_called(card: CodecCard) -> None:
    module, _, function = card.loader.partition(":")
    assert callable(getattr(import_module(module), function))


@every_card
def test_points_have_labels_and_training_targets(card: CodecCard) -> None:
    labels = [point.label for point in card.points]
    assert len(set(labels)) == len(labels)
    for point in card.points:
        assert point.trained_for in (("mse", "ms-ssim") if card.learned else (None,))
        assert card.learned or not point.network


@every_card
def test_published_curves_and_claims_are_in_the_tables(card: CodecCard) -> None:
    curves = {(point.codec, point.source_id, point.optimised_for) for point in published.rd_points()}
    assert {(curve.codec, curve.source_id, curve.optimised_for) for curve in card.published} <= curves
    claims = [*published.complexity_claims(), *published.worded_claims()]
    assert set(card.claims) <= {claim.codec for claim in claims}


@every_card
def test_a_published_checkpoint_can_be_had_and_proved(card: CodecCard) -> None:
    for point in card.points:
        weights = point.weights
        if weights is None or not weights.urls:
            continue
        assert all(url.startswith(("https://", "package:")) for url in weights.urls)
        if weights.sha256 is None:  # not every author publishes one; then the address at least must be theirs
            assert weights.urls[0].startswith("https://")
        else:
            assert re.fullmatch("[0-9a-f]{8}|[0-9a-f]{64}", weights.sha256)
        if "compressai" in weights.urls[0]:
            assert f"-{weights.sha256}.pth.tar" in weights.urls[0]  # the first digits are part of the file's name


def test_cards_name_every_checkpoint_of_compressais_zoo() -> None:
    from compressai.zoo.image import model_urls

    for name in ("bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018-mean", "mbt2018", "cheng2020-anchor",
                 "cheng2020-attn"):  # fmt: skip
        theirs = {
            ("" if metric == "mse" else f"{metric}-") + str(quality): url
            for metric, urls in model_urls[name].items()
            for quality, url in urls.items()
        }
        assert {point.label: point.weights.urls[0] for point in CARDS[name].points if point.weights} == theirs


def test_cards_have_the_widths_of_compressais_zoo() -> None:
    from compressai.zoo.image import cfgs

    for name, theirs in cfgs.items():
        if name in CARDS:
            ours = {p.label: tuple(v for k, v in p.settings.items() if k in "NM") for p in CARDS[name].points}
            assert {label: widths for label, widths in ours.items() if "ms" not in label} == {
                str(quality): widths for quality, widths in theirs.items()
            }
            assert all(ours[label] == ours[label.removeprefix("ms-ssim-")] for label in ours)


# Child processes. The first encodes and prints hashes of its decoded pictures; the second decodes the bytes alone.
_CODE = """
import hashlib, json, pathlib, sys
import numpy as np
import torch
from lic_bench.registry import codecs
torch.set_num_threads(1 if sys.argv[1] == "encode" else 2)
folder, names, sizes = pathlib.Path(sys.argv[2]), json.loads(sys.argv[3]), json.loads(sys.argv[4])
hashes = {}
for name in names:
    card = codecs.get(name)
    weights = pathlib.Path(sys.argv[5]) if name == "demo-factorized" else None
    codec = card.load(card.points[0], weights)
    for width, height in sizes:
        file = folder / f"{name}-{width}x{height}"
        if sys.argv[1] == "encode":
            rows, columns = np.mgrid[0:height, 0:width]
            image = np.stack([(rows * 5 + columns * (c + 2)) % 256 for c in range(3)], axis=-1).astype(np.uint8)
            stream = codec.encode(image)
            assert height != 33 or codec.encode(image) == stream, name
            file.write_bytes(stream)
        decoded = codec.decode(file.read_bytes())
        assert decoded.shape == (height, width, 3) and decoded.dtype == np.uint8, name
        hashes[file.name] = hashlib.sha256(decoded.tobytes()).hexdigest()
print(json.dumps(hashes))
"""


def _decoded(step: str, folder: Path) -> dict[str, str]:
    weights = Path(str(import_module("lic_bench.zoo.demo").__file__)).parent / "1.safetensors"
    command = [sys.executable, "-W", "ignore", "-c", _CODE, step, str(folder), json.dumps(HERE),
               json.dumps(SIZES), str(weights)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    result: dict[str, str] = json.loads(done.stdout)
    return result


@pytest.mark.slow
def test_every_stream_decodes_in_another_process(tmp_path: Path) -> None:
    encoded = _decoded("encode", tmp_path)
    assert len(encoded) == len(HERE) * len(SIZES)
    assert _decoded("decode", tmp_path) == encoded
    if HERE != CODECS:
        pytest.skip(f"NOT INSTALLED AND SO NOT TESTED: {', '.join(sorted(set(CODECS) - set(HERE)))}")


def test_what_is_not_a_codec_says_so_and_is_left_out_of_runs() -> None:
    (card,) = (card for card in CARDS.values() if card.estimates_only)
    assert "not a codec" in card.title
    codec = card.load(card.points[0])
    with pytest.raises(NotACodecError, match="is not a codec"):
        codec.encode(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(NotACodecError, match="is not a codec"):
        codec.decode(b"")
    with pytest.raises(RequestError, match=f"{card.name}: .* not run, only counted and audited"):
        plan.plan([card], [], "sample", {}, Settings())


@pytest.fixture(scope="module")
def elic() -> Codec:
    return CARDS["elic-chandelier"].load(CARDS["elic-chandelier"].points[0])


def chandeliers_names(key: str) -> str | None:
    """CompressAI's name in the layout of Chandelier's files (CompressAI 1.1.5), or None for a copy that it has not."""
    if not key.startswith("latent_codec."):
        return key
    key = key.removeprefix("latent_codec.")
    if key.startswith("hyper."):
        key = key.removeprefix("hyper.")
        for new, old in (("matrices.", "_matrix"), ("biases.", "_bias"), ("factors.", "_factor")):
            key = key.replace(f"entropy_bottleneck.{new}", f"entropy_bottleneck.{old}")
        return key
    if key.startswith("y.channel_context.y"):
        group, _, rest = key.removeprefix("y.channel_context.y").partition(".")
        return f"cc_transforms.{int(group) - 1}.{rest}"
    group, _, rest = key.removeprefix("y.latent_codec.y").partition(".")
    if rest.startswith("y.gaussian_conditional."):
        return rest.removeprefix("y.") if group == "0" else None
    part, _, rest = rest.partition(".")
    return f"{'ParamAggregation' if part == 'entropy_parameters' else part}.{group}.{rest}"


def test_chandeliers_layout_loads_into_compressais_network(elic: HasParts, tmp_path: Path) -> None:
    state = elic.network.state_dict()
    theirs = {name: tensor.clone() for key, tensor in state.items() if (name := chandeliers_names(key)) is not None}
    assert "cc_transforms.0.0.weight" in theirs
    assert "ParamAggregation.4.4.bias" in theirs
    assert "entropy_bottleneck._matrix0" in theirs
    theirs["g_s.14.bias"] += 1  # something only this file says
    path = tmp_path / "1.pth.tar"
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in theirs.items()}}, path)
    loaded = CARDS["elic-chandelier"].load(CARDS["elic-chandelier"].points[0], path)
    assert isinstance(loaded, HasParts)
    for key, tensor in loaded.network.state_dict().items():
        assert torch.equal(tensor, state[key] + (key == "g_s.14.bias")), key


def test_compressais_own_layout_of_elic_passes_through(elic: HasParts) -> None:
    state = normalise(elic.network.state_dict())
    assert set(from_chandelier(state)) == set(state)


def test_elic_refuses_chandeliers_weights(elic: HasParts, tmp_path: Path) -> None:
    save_file(normalise(elic.network.state_dict()), tmp_path / "1.safetensors")
    with pytest.raises(WeightsError, match=r"does not fit Elic2022Official .*instead of"):
        CARDS["elic"].load(CARDS["elic"].points[0], tmp_path / "1.safetensors")


@pytest.mark.parametrize("name", LEARNED)
def test_untrained_networks_are_the_same_every_time(name: str) -> None:
    if name in LARGE:
        pytest.skip(f"{name} IS LARGE: set LIC_BENCH_LARGE to run this test, and the one of its bitstreams")
    card = CARDS[name]

    def digest() -> str:
        network = card.load(card.points[0]).network  # type: ignore[attr-defined]
        digest = hashlib.sha256()
        for parameter in network.parameters():
            digest.update(parameter.detach().numpy().tobytes())
        return digest.hexdigest()

    torch.manual_seed(1)
    first = digest()
    torch.manual_seed(2)
    assert digest() == first


@pytest.mark.parametrize(("model", "network"), [("bmshj2018-factorized", "FactorizedPrior"), ("mbt2018", "Joint")])
def test_a_narrow_checkpoint_makes_a_narrow_network(model: str, network: str, tmp_path: Path) -> None:
    from compressai.models import FactorizedPrior, JointAutoregressiveHierarchicalPriors

    made = {"FactorizedPrior": FactorizedPrior, "Joint": JointAutoregressiveHierarchicalPriors}[network](12, 18)
    torch.save(made.state_dict(), tmp_path / "x.pth.tar")
    loaded = CARDS[model].load(CARDS[model].points[0], tmp_path / "x.pth.tar")
    assert isinstance(loaded, HasParts)
    assert loaded.network.g_a[0].weight.shape[0] == 12
    assert loaded.network.g_a[6].weight.shape[0] == 18


def test_another_models_checkpoint_is_refused_by_its_names(tmp_path: Path) -> None:
    from compressai.models import ScaleHyperprior

    torch.save(ScaleHyperprior(12, 18).state_dict(), tmp_path / "x.pth.tar")
    with pytest.raises(WeightsError, match=r"h_a\.0\.weight is not part of the network.*and \d+ more\."):
        CARDS["bmshj2018-factorized"].load(CARDS["bmshj2018-factorized"].points[0], tmp_path / "x.pth.tar")


# kMAC/pixel of one forward pass, as CompressAI's classes were counted before by torch and fvcore alike.
@pytest.mark.parametrize(("name", "kmac"), [("elic", 585.91), ("elic-chandelier", 598.13)])
def test_elics_parts_add_up_to_the_known_work(name: str, kmac: float) -> None:
    from lic_bench.complexity.mac_counter import count

    codec = CARDS[name].load(CARDS[name].points[0])
    assert isinstance(codec, HasParts)
    counted = count(codec, 256, 256, Call.FORWARD)
    assert counted.kmac_per_pixel == pytest.approx(kmac, abs=0.01)
    assert sum(counted.by_part.values()) == counted.macs
    parts = {part: macs / 65536 / 1000 for part, macs in counted.by_part.items()}
    assert parts["g_a"] == pytest.approx(254.97, abs=0.01)
    assert parts["g_s"] == pytest.approx(254.97, abs=0.01)
    assert parts["h_a"] == pytest.approx(3.29, abs=0.01)
    assert parts["context_prediction"] == pytest.approx(16.60, abs=0.01)
    assert not counted.uncounted


def test_elics_streams_have_headers_under_30_bytes(elic: Codec) -> None:
    stream = elic.encode(np.zeros((64, 64, 3), np.uint8))
    assert 8 * len(stream) - elic.payload_bits(stream) < 30 * 8  # type: ignore[attr-defined]
