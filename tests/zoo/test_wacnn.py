"""WACNN beside figures taken from the authors' network."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from conformance import compare, probe, wacnn
from conformance.compare import Seen
from helpers.pictures import picture
from lic_bench.zoo.networks.wacnn import WACNN, ShiftedAttention

from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec, torch_threads
from lic_bench.records import Call
from lic_bench.registry import codecs

NARROW = 32
EXPECTED = wacnn.EXPECTED
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> WACNN:
    return wacnn.filled()


@pytest.fixture(scope="module")
def exact(network: WACNN) -> Seen:
    """The pass in float64; its indexes are the authors' once they have been compared."""
    seen = wacnn.observe(copy.deepcopy(network).double(), probe.picture(256, 256).double())
    assert compare.differences(seen, wacnn.figures()) == []
    return seen


def test_the_state_dict_has_the_authors_names_shapes_and_order(network: WACNN) -> None:
    assert compare.layout(WACNN()) == EXPECTED["state_dict"]
    assert sum(p.numel() for p in network.parameters()) == EXPECTED["trainable_parameters"]


def test_float64_gives_the_authors_numbers_and_symbols(exact: Seen) -> None:
    assert compare.differences(exact, wacnn.figures()) == []
    assert [len(string) for string in exact.y_strings()] == [EXPECTED["coding_256x256"]["y_bytes"]]


def test_float32_gives_them_up_to_the_first_tie(network: WACNN, exact: Seen) -> None:
    seen, figures = wacnn.observe(network, probe.picture(256, 256)), wacnn.figures()
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    if compare.float32_is_equal("wacnn", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


def test_a_float32_stream_is_the_authors(network: WACNN, exact: Seen) -> None:
    out, written = compare.compressed(network, probe.picture(256, 256))
    assert list(out["shape"]) == EXPECTED["coding_256x256"]["z_shape"]
    compare.float32_strings_are_equal("wacnn", out, written, exact)


@pytest.mark.parametrize("size", [(64, 64), (64, 192)])
def test_decoding_gives_the_forward_pass_clipped(network: WACNN, size: tuple[int, int]) -> None:
    x = probe.picture(*size)  # the first has a single window in the latent
    out = network.compress(x)
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    with torch.no_grad():
        promised = network(x)["x_hat"].clamp(0, 1)
    assert float((decoded - promised).abs().max()) < 1e-5


def test_pictures_of_a_batch_share_a_string_and_come_back(network: WACNN) -> None:
    x = torch.cat((probe.picture(64, 64), probe.picture(64, 64).flip(-1)))
    out = network.compress(x)
    (y_strings, z_strings) = out["strings"]
    assert (len(y_strings), len(z_strings)) == (1, 2)
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    with torch.no_grad():
        assert float((decoded - network(x)["x_hat"].clamp(0, 1)).abs().max()) < 1e-5


def test_the_work_is_what_the_authors_network_does(network: WACNN) -> None:
    codec = LearnedCodec(network, "wacnn")
    for call, theirs in {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}.items():
        known = EXPECTED["kmac_per_pixel_512x768"][theirs]
        counted = mac_counter.count(codec, 256, 256, call)
        assert counted.kmac_per_pixel == pytest.approx(known["total"], abs=0.01)
        assert not counted.uncounted
        for part, work in counted.by_part.items():
            assert work / 65_536_000 == pytest.approx(known[part], abs=0.01), part


def test_a_decoder_reads_z_and_ten_slices(network: WACNN) -> None:
    counted = mac_counter.count(LearnedCodec(network, "wacnn"), 256, 256, Call.DECODE)
    assert counted.serial_steps == 11


@pytest.fixture(scope="module")
def authors_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the authors' training script writes it, of a narrow network."""
    older = {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"}
    state = {"module.h_s.0.weight": torch.zeros(1)}  # a part that some of their files hold and no network has
    for key, tensor in WACNN(NARROW).state_dict().items():
        for new, old in older.items():
            key = key.replace(f"entropy_bottleneck.{new}", f"entropy_bottleneck.{old}")
        state[f"module.{key}"] = tensor
    path = tmp_path_factory.mktemp("authors") / "checkpoint.pth.tar"
    beside = {"epoch": 49, "loss": 0.7, "optimizer": {}, "aux_optimizer": {}, "lr_scheduler": {"last_epoch": 49}}
    torch.save({"state_dict": state, **beside}, path)
    return path


def test_the_authors_checkpoint_codes_at_its_own_width(authors_file: Path) -> None:
    card = codecs.get("wacnn")
    codec, other = (card.load(card.points[0], authors_file) for _ in range(2))
    assert isinstance(codec, HasParts)
    assert compare.layout(codec.network)[0] == "g_a.0.weight 32x3x5x5"
    for width, height in ((1, 1), (129, 40), (40, 129)):
        image = picture(width, height)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        with torch_threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(other.decode(stream), decoded)


@pytest.mark.parametrize("missing", ["g_a.0.weight", "g_a.4.conv_b.0.attn.qkv.weight"])
def test_another_networks_checkpoint_is_refused(missing: str, tmp_path: Path) -> None:
    state = {"g_a.0.weight": torch.zeros(192, 3, 5, 5), "g_a.4.conv_b.0.attn.qkv.weight": torch.zeros(576, 192)}
    torch.save({"state_dict": {k: v for k, v in state.items() if k != missing} | {"x": torch.zeros(1)}},
               tmp_path / "other.pth")  # fmt: skip
    card = codecs.get("wacnn")
    with pytest.raises(WeightsError, match="is not a checkpoint of WACNN"):
        card.load(card.points[0], tmp_path / "other.pth")


def test_a_checkpoint_with_a_tensor_missing_is_refused(authors_file: Path, tmp_path: Path) -> None:
    state = torch.load(authors_file, weights_only=True)["state_dict"]
    del state["module.lrp_transforms.9.8.bias"]
    torch.save(state, tmp_path / "cut.pth")
    card = codecs.get("wacnn")
    with pytest.raises(WeightsError, match=r"does not fit WACNN .*lrp_transforms\.9\.8\.bias is missing"):
        card.load(card.points[0], tmp_path / "cut.pth")


def test_one_window_alone_keeps_opposite_borders_apart() -> None:
    attention = ShiftedAttention(16, window=4).eval()
    x = torch.randn(1, 4, 4, 16)
    changed = x.clone()
    changed[:, 0] += 1  # the first row: with the second it is one band, the third and fourth are the other
    with torch.no_grad():
        moved = (attention(changed) - attention(x)).abs().amax((0, 2, 3))
    assert bool((moved[:2] > 0).all())
    assert torch.equal(moved[2:], torch.zeros(2))
