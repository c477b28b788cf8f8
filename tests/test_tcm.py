"""LIC-TCM beside figures taken from the authors' network, in the three sizes."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from conformance import compare, families, probe
from conformance.compare import Seen
from conftest import threads
from lic_bench.zoo.networks import tcm, windows
from lic_bench.zoo.networks.tcm import TCM

from lic_bench import catalogue, macs
from lic_bench.codec import HasParts
from lic_bench.errors import WeightsError
from lic_bench.learned import LearnedCodec
from lic_bench.records import Call

NARROW = 32
EXPECTED = compare.expected("tcm-small")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def small() -> TCM:
    network = families.filled("tcm-small")
    assert isinstance(network, TCM)
    return network


@pytest.fixture(scope="module")
def exact(small: TCM) -> Seen:
    """The pass in float64; its indexes are the authors' once the test of float64 has compared them."""
    seen = families.observe("tcm-small", copy.deepcopy(small).double(), probe.picture(256, 256).double())
    assert compare.differences(seen, families.figures("tcm-small")) == []
    return seen


def test_the_state_dict_has_the_authors_names_shapes_and_order(small: TCM) -> None:
    assert compare.layout(TCM(64)) == EXPECTED["state_dict"]
    assert sum(p.numel() for p in small.parameters()) == EXPECTED["trainable_parameters"]


def test_float64_gives_the_authors_numbers_and_symbols(exact: Seen) -> None:
    assert compare.differences(exact, families.figures("tcm-small")) == []
    assert [len(string) for string in exact.y_strings()] == [EXPECTED["coding_256x256"]["y_bytes"]]


def test_float32_gives_them_up_to_the_first_tie(small: TCM, exact: Seen) -> None:
    seen, figures = families.observe("tcm-small", small, probe.picture(256, 256)), families.figures("tcm-small")
    before_rounding = ("y", "z")
    assert compare.tensor_differences(seen, figures, before_rounding) == []
    if compare.float32_is_equal("tcm-small", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


def test_a_float32_stream_is_the_authors(small: TCM, exact: Seen) -> None:
    out, written = compare.compressed(small, probe.picture(256, 256))
    assert list(out["shape"]) == EXPECTED["coding_256x256"]["z_shape"]
    compare.float32_strings_are_equal("tcm-small", out, written, exact)


def test_decoding_gives_the_forward_pass_clipped(small: TCM) -> None:
    x = probe.picture(128, 256)  # a single window at the latent: the authors' code fails on these
    out = small.compress(x)
    decoded = small.decompress(out["strings"], out["shape"])["x_hat"]
    with torch.no_grad():
        promised = small(x)["x_hat"].clamp(0, 1)
    assert float((decoded - promised).abs().max()) < 1e-5


@pytest.mark.parametrize("name", ["tcm-middle", "tcm-large"])
def test_the_wider_networks_are_the_authors(name: str) -> None:
    expected, figures = compare.expected(name), families.figures(name)
    network = families.filled(name)
    assert isinstance(network, TCM)
    layout = "\n".join(compare.layout(TCM(families.TCM_WIDTHS[name])))
    assert hashlib.sha256(layout.encode()).hexdigest() == expected["state_dict_sha256"]
    assert sum(p.numel() for p in network.parameters()) == expected["trainable_parameters"]
    assert_same_work(network, name, {Call.FORWARD: "forward"})
    out, written = compare.compressed(network, probe.picture(256, 256))
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    exact = families.observe(name, network.double(), probe.picture(256, 256).double())
    assert compare.differences(exact, figures) == []
    if compare.float32_strings_are_equal(name, out, written, exact):
        apart = (decoded - exact.tensors["x_hat"].clamp(0, 1)).abs().max()
        assert float(apart) < compare.LIMITS["x_hat"] * figures.tensors["x_hat"]["std"]


def assert_same_work(network: TCM, name: str, calls: dict[Call, str]) -> None:
    known = compare.expected(name)["kmac_per_pixel_512x768"]
    for call, theirs in calls.items():
        counted = macs.count(LearnedCodec(network, name, multiple=128), 256, 256, call)
        assert counted.kmac_per_pixel == pytest.approx(known[theirs]["total"], abs=0.01)
        assert not counted.unseen
        for part, work in counted.by_part.items():
            assert work / 65_536_000 == pytest.approx(known[theirs][part], abs=0.01), part


def test_the_work_is_what_the_authors_network_does(small: TCM) -> None:
    calls = {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}
    assert_same_work(small, "tcm-small", calls)


@pytest.fixture(scope="module")
def authors_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the authors' training script writes it, of a narrow network."""
    network = TCM(NARROW)
    network.update(force=True)
    older = {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"}
    state = {}
    for key, tensor in network.state_dict().items():
        for new, old in older.items():
            key = key.replace(f"entropy_bottleneck.{new}", f"entropy_bottleneck.{old}")
        state[f"module.{key}"] = tensor
    path = tmp_path_factory.mktemp("authors") / "checkpoint.pth.tar"
    scheduler = {"milestones": Counter([45, 48]), "last_epoch": 49}
    torch.save({"state_dict": state, "epoch": 49, "loss": 0.7, "optimizer": {}, "lr_scheduler": scheduler}, path)
    return path


def test_the_authors_checkpoint_loads_at_its_own_width(authors_file: Path) -> None:
    card = catalogue.card("tcm-small")
    codec = card.load(card.points[0], authors_file)
    assert isinstance(codec, HasParts)
    assert compare.layout(codec.network)[20] == compare.layout(TCM(NARROW))[20] == "g_a.0.conv1.weight 64x3x3x3"


def test_a_stream_decodes_alone_at_any_size_and_thread_count(authors_file: Path) -> None:
    card = catalogue.card("tcm-small")
    codec, other = (card.load(card.points[0], authors_file) for _ in range(2))
    for width, height in ((1, 1), (129, 40)):
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        with threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(other.decode(stream), decoded)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"g_a.0.weight": torch.zeros(128, 3, 5, 5)}, tmp_path / "other.pth")
    card = catalogue.card("tcm-small")
    with pytest.raises(WeightsError, match="is not a checkpoint of TCM"):
        card.load(card.points[0], tmp_path / "other.pth")


def test_a_checkpoint_of_another_size_is_told_from_its_width(tmp_path: Path) -> None:
    torch.save({"g_a.0.conv1.weight": torch.zeros(256, 3, 3, 3)}, tmp_path / "large.pth")
    card = catalogue.card("tcm-small")
    with pytest.raises(WeightsError, match=r"is a checkpoint of tcm-large \(N = 128\), not of tcm-small"):
        card.load(card.points[0], tmp_path / "large.pth")


def test_windows_are_cut_row_after_row_and_put_back() -> None:
    grid = torch.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    cut = windows.split(grid, 2, 3)
    assert cut.shape == (8, 6, 3)
    assert torch.equal(cut[1], grid[0, 0:2, 3:6].reshape(6, 3))  # the second window of the first row
    assert torch.equal(windows.merge(cut, (2, 3), (4, 6)), grid)


def test_relative_positions_are_the_query_less_the_key() -> None:
    table = windows.relative_positions(2, 3)
    # Query (1, 2) against key (0, 0): one down, two across, the largest of 3 x 5 offsets.
    assert table[5, 0] == 14
    assert table[0, 5] == 0
    assert set(table.diagonal().tolist()) == {7}


def test_a_shifted_window_never_joins_opposite_borders() -> None:
    attention = tcm.WindowAttention(8, 8, window=4, shifted=True).eval()
    x = torch.randn(1, 8, 8, 8)
    changed = x.clone()
    changed[:, 0] += 1  # the first row of the picture
    with torch.no_grad():
        moved = (attention(changed) - attention(x)).abs().amax((0, 2, 3))
    assert moved[0] > 0
    assert torch.equal(moved[2:], torch.zeros(6))  # the first window reaches two rows down; the last rows are apart
