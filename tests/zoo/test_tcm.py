"""LIC-TCM beside figures taken from the authors' network, in the three sizes."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import compare, probe
from lic_bench.zoo.networks import tcm, windows
from lic_bench.zoo.networks.tcm import TCM
from torch import Tensor

from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Call
from lic_bench.registry import codecs

SIZES = {"tcm-small": 64, "tcm-middle": 96, "tcm-large": 128}
NARROW = 32
EXPECTED = compare.expected("tcm-small")
pytestmark = pytest.mark.slow


def filled(name: str, dtype: torch.dtype = torch.float32) -> TCM:
    network = TCM(SIZES[name]).eval()
    probe.fill(network, compare.expected(name)["gain"])
    network.update(force=True)
    return network.to(dtype)


@pytest.fixture(scope="module")
def small() -> TCM:
    return filled("tcm-small")


def coded(network: TCM, monkeypatch: pytest.MonkeyPatch, x: Tensor) -> tuple[dict[str, Any], Tensor, Tensor]:
    """What `compress` returns, and all symbols of y and their table indexes in the order of coding."""
    seen: list[tuple[Tensor, Tensor]] = []

    class Recorder(tcm.SymbolWriter):  # type: ignore[misc]
        def write(self, symbols: Tensor, indexes: Tensor) -> None:
            seen.append((symbols.flatten(), indexes.flatten()))
            super().write(symbols, indexes)

    monkeypatch.setattr(tcm, "SymbolWriter", Recorder)
    out = network.compress(x)
    symbols, indexes = (torch.cat(group) for group in zip(*seen, strict=True))
    return out, symbols, indexes


def assert_same_strings(out: dict[str, Any], expected: dict[str, Any]) -> None:
    (y,), (z,) = out["strings"]
    assert (len(y), len(z), list(out["shape"])) == (expected["y_bytes"], expected["z_bytes"], expected["z_shape"])
    assert zlib.crc32(y) == expected["crc32"]["y_string"]
    assert zlib.crc32(z) == expected["crc32"]["z_string"]


def test_the_state_dict_has_the_authors_names_shapes_and_order(small: TCM) -> None:
    assert compare.layout(TCM(64)) == EXPECTED["state_dict"]
    assert sum(p.numel() for p in small.parameters()) == EXPECTED["trainable_parameters"]


@torch.no_grad()
def test_a_forward_pass_gives_the_authors_numbers(small: TCM) -> None:
    seen: dict[str, Tensor] = {}
    hooks = [
        small.g_a.register_forward_hook(lambda _, __, out: seen.update(y=out)),
        small.h_a.register_forward_hook(lambda _, __, out: seen.update(z=out)),
        small.g_s.register_forward_pre_hook(lambda _, inputs: seen.update(y_hat=inputs[0])),
    ]
    out = small(probe.picture(256, 256))
    for hook in hooks:
        hook.remove()
    expected = EXPECTED["forward_256x256"]
    for name in ("y", "z", "y_hat"):
        assert compare.difference(seen[name], expected[name]) < 1e-4, name
    assert compare.difference(out["x_hat"], expected["x_hat"]) < 1e-3
    for name, likelihood in out["likelihoods"].items():
        assert compare.difference(likelihood, expected[f"likelihoods_{name}"]) < 1e-4, name
        assert float(-torch.log2(likelihood.double()).sum()) == pytest.approx(expected[f"bits_{name}"], rel=1e-5)


def test_symbols_are_the_authors_exactly_and_so_are_the_strings(small: TCM, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = EXPECTED["coding_256x256"]
    exact = filled("tcm-small", torch.float64)
    _, symbols, indexes = coded(exact, monkeypatch, probe.picture(256, 256).double())
    assert compare.crc32(symbols) == expected["crc32"]["symbols_int32_le"]
    assert compare.crc32(indexes) == expected["crc32"]["indexes_int32_le"]
    # In float32 another processor may round a few symbols in ten thousand the other way; with none, bytes are equal.
    out, ours, tables = coded(small, monkeypatch, probe.picture(256, 256))
    assert int((ours != symbols).sum()) <= len(symbols) / 10_000
    if torch.equal(ours, symbols) and torch.equal(tables, indexes):
        assert_same_strings(out, expected)


def test_decoding_gives_the_forward_pass_clipped(small: TCM) -> None:
    x = probe.picture(128, 256)  # a single window at the latent: the authors' code fails on these
    out = small.compress(x)
    decoded = small.decompress(out["strings"], out["shape"])["x_hat"]
    with torch.no_grad():
        promised = small(x)["x_hat"].clamp(0, 1)
    assert float((decoded - promised).abs().max()) < 1e-5


@pytest.mark.parametrize("name", ["tcm-middle", "tcm-large"])
def test_the_wider_networks_code_the_authors_symbols(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = compare.expected(name)
    network = filled(name)
    layout = "\n".join(compare.layout(TCM(SIZES[name])))
    assert hashlib.sha256(layout.encode()).hexdigest() == expected["state_dict_sha256"]
    assert sum(p.numel() for p in network.parameters()) == expected["trainable_parameters"]
    out, symbols, indexes = coded(network, monkeypatch, probe.picture(256, 256))
    told = expected["coding_256x256"]
    assert symbols[:48].tolist() == told["symbols"]["first"]
    assert int(symbols.abs().sum()) == pytest.approx(told["symbols"]["abs_sum"], abs=len(symbols) / 10_000)
    if compare.crc32(symbols) == told["crc32"]["symbols_int32_le"]:
        assert compare.crc32(indexes) != told["crc32"]["indexes_int32_le"] or assert_same_strings(out, told) is None
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    x_hat = expected["forward_256x256"]["x_hat"]
    clipped = x_hat | {"values": np.clip(x_hat["values"], 0, 1).tolist()}
    at = decoded.flatten()[clipped["at"]].double()
    assert float((at - torch.tensor(clipped["values"])).abs().max()) < 1e-3 * x_hat["std"]
    assert_same_work(network, name, {Call.FORWARD: "forward"})


def assert_same_work(network: TCM, name: str, calls: dict[Call, str]) -> None:
    told = compare.expected(name)["kmac_per_pixel_512x768"]
    for call, theirs in calls.items():
        counted = mac_counter.count(LearnedCodec(network, name, multiple=128), 256, 256, call)
        assert counted.kmac_per_pixel == pytest.approx(told[theirs]["total"], abs=0.01)
        assert not counted.uncounted
        for part, work in counted.by_part.items():
            assert work / 65_536_000 == pytest.approx(told[theirs][part], abs=0.01), part


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
    card = codecs.get("tcm-small")
    codec = card.load(card.points[0], authors_file)
    assert isinstance(codec, HasParts)
    assert compare.layout(codec.network)[20] == compare.layout(TCM(NARROW))[20] == "g_a.0.conv1.weight 64x3x3x3"


def test_a_stream_decodes_alone_at_any_size_and_thread_count(authors_file: Path) -> None:
    card = codecs.get("tcm-small")
    codec, other = (card.load(card.points[0], authors_file) for _ in range(2))
    for width, height in ((1, 1), (129, 40)):
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        torch.set_num_threads(2)
        try:
            assert np.array_equal(other.decode(stream), decoded)
        finally:
            torch.set_num_threads(1)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"g_a.0.weight": torch.zeros(128, 3, 5, 5)}, tmp_path / "other.pth")
    card = codecs.get("tcm-small")
    with pytest.raises(WeightsError, match="is not a checkpoint of TCM"):
        card.load(card.points[0], tmp_path / "other.pth")


def test_a_checkpoint_of_another_size_is_told_from_its_width(tmp_path: Path) -> None:
    torch.save({"g_a.0.conv1.weight": torch.zeros(256, 3, 3, 3)}, tmp_path / "large.pth")
    card = codecs.get("tcm-small")
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
