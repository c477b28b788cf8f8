"""LoC-LIC and both versions of MLIC++ against the authors' networks, filled as `conformance/probe.py` says.

On the processor that the numbers were made on every symbol and every byte is equal. Another one adds in another order,
so that a value within a few millionths of a tie may be rounded the other way, after which nothing can be compared any
more: symbols are compared up to there.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import probe
from lic_bench.zoo.networks.checkerboard import ANCHOR, NON_ANCHOR, squeeze, unsqueeze
from lic_bench.zoo.networks.coding import scale_indexes
from lic_bench.zoo.networks.mlic import MLIC, VARIANTS
from torch import Tensor

from lic_bench.complexity.mac_counter import count, traces
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.registry import codecs

HERE = Path(__file__).parents[1] / "conformance"
SIZES = ("256x256", "256x384")
NEAR = 2e-5  # how near a tie two right implementations may disagree about a rounding
FEW = 8  # one symbol in 10,000 of a 256x256 picture

pytestmark = pytest.mark.slow


class Subject:
    """One filled network beside the numbers of the authors' own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers = json.loads((HERE / f"{name}.json").read_text())
        self.network = MLIC(VARIANTS[name]).eval()
        probe.fill(self.network, self.numbers["gain"])
        self.network.update(force=True)

    def codec(self) -> LearnedCodec:
        return LearnedCodec(self.network, self.name, padding="zeros-corner")


@pytest.fixture(scope="module")
def loc_lic() -> Subject:
    return Subject("loc-lic")


@pytest.fixture(scope="module", params=list(VARIANTS))
def subject(request: pytest.FixtureRequest) -> Subject:
    made: Subject = request.getfixturevalue("loc_lic") if request.param == "loc-lic" else Subject(request.param)
    return made


def shapes(numbers: dict[str, Any]) -> dict[str, list[int]]:
    """The authors' state dict; a line "name.0-9.weight 32x64" stands for ten entries."""
    found = {}
    for line in numbers["entries"]:
        name, shape = line.split()
        numbered = re.search(r"\.(\d+)-(\d+)\.", name)
        first, last = map(int, numbered.groups()) if numbered else (0, 0)
        for i in range(first, last + 1):
            found[re.sub(r"\.\d+-\d+\.", f".{i}.", name)] = [int(side) for side in shape.split("x")]
    return found


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def crc32(data: bytes | Tensor) -> str:
    if isinstance(data, Tensor):
        data = data.contiguous().numpy().astype("<i4").tobytes()
    return f"{zlib.crc32(data):08x}"


def assert_near(ours: Tensor, theirs: dict[str, Any]) -> None:
    """Within 1e-4 of the tensor's standard deviation at the sampled positions."""
    assert ours.double().std().item() == pytest.approx(theirs["std"], rel=1e-3)
    sampled = ours.flatten()[theirs["at"]].double()
    assert (sampled - torch.tensor(theirs["values"], dtype=torch.float64)).abs().max() < 1e-4 * theirs["std"]


@contextmanager
def listening(module: torch.nn.Module) -> Iterator[list[tuple[Any, Any]]]:
    """The arguments and results of all calls of a module."""
    heard: list[tuple[Any, Any]] = []
    hook = module.register_forward_hook(lambda _, arguments, result: heard.append((arguments, result)))
    try:
        yield heard
    finally:
        hook.remove()


@contextmanager
def changed(network: MLIC, **added: Any) -> Iterator[None]:
    """Every parameter with these last names changed by a function of its value, with new tables; then all as before."""
    before = {name: p.clone() for name, p in network.named_parameters() if name.rpartition(".")[2] in added}
    with torch.inference_mode(False), torch.no_grad():
        for name, value in before.items():
            network.get_parameter(name).copy_(added[name.rpartition(".")[2]](value))
        network.update(force=True)
        try:
            yield
        finally:
            for name, value in before.items():
                network.get_parameter(name).copy_(value)
            network.update(force=True)


def first_tie(groups: list[tuple[Tensor, Tensor, Tensor]], sums: list[str]) -> int | None:
    """The first group that differs from the authors' by ties alone, or None where all are equal.

    A group is (integers, whether each is near a tie, what it is there on the other side). Fails on any other
    difference.
    """
    for place, ((integers, near, other), expected) in enumerate(zip(groups, sums, strict=True)):
        if crc32(integers) == expected:
            continue
        ties = near.flatten().nonzero().flatten().tolist()
        assert 0 < len(ties) <= FEW, f"group {place} differs, with {len(ties)} values near a tie"
        for moved in (m for number in range(1, len(ties) + 1) for m in combinations(ties, number)):
            tried = integers.flatten().clone()
            tried[list(moved)] = other.flatten()[list(moved)]
            if crc32(tried) == expected:
                return place
        pytest.fail(f"group {place} differs by more than ties")
    return None


def symbol_group(values: Tensor, means: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Symbols, which of them are near a tie, and the integer on the other side of it."""
    exact = values - means
    symbols = torch.round(exact)
    away = exact - symbols
    return symbols.int(), away.abs() > 0.5 - NEAR, (symbols + away.sign()).int()


def index_group(scales: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Table numbers, which of them are at an edge of the table, and the number on the other side of it."""
    below, above = (scale_indexes(scales * (1 + s * NEAR), table) for s in (-1, 1))
    indexes = scale_indexes(scales, table)
    return indexes, below != above, below + above - indexes


def test_the_state_dict_has_the_authors_names_and_shapes(subject: Subject) -> None:
    ours = {probe.old_name(name): list(tensor.shape) for name, tensor in subject.network.state_dict().items()}
    assert ours == shapes(subject.numbers)


def test_the_parts_have_the_authors_number_of_parameters(subject: Subject) -> None:
    by_part = {name: sum(p.numel() for p in part.parameters()) for name, part in subject.network.named_children()}
    assert by_part == subject.numbers["parameter_count_by_part"]
    assert sum(by_part.values()) == subject.numbers["parameter_count"]


def test_the_coders_tables_are_the_authors(subject: Subject) -> None:
    for name, table in subject.numbers["tables"].items():
        ours = subject.network.get_submodule(name).quantized_cdf
        assert list(ours.shape) == table["shape"]
        assert crc32(ours) == table["crc32"]


@pytest.mark.parametrize("size", SIZES)
def test_latents_symbols_and_pictures_are_the_authors(subject: Subject, size: str) -> None:
    theirs, network = subject.numbers["pictures"][size], subject.network
    x = probe.picture(*map(int, size.split("x")))
    parts = {name: network.get_submodule(name) for name in ("g_a", "h_a", "h_s", "g_s", "gaussian_conditional")}
    with (
        listening(parts["g_a"]) as y,
        listening(parts["h_a"]) as z,
        listening(parts["h_s"]) as hyper,
        listening(parts["g_s"]) as y_hat,
        listening(parts["gaussian_conditional"]) as gaussian,
    ):
        out = network(x)
    assert_near(y[0][1], theirs["y"])
    assert_near(z[0][1], theirs["z"])
    assert_near(hyper[0][1], theirs["hyper_params"])
    calls = [arguments for arguments, _ in gaussian]
    symbols = [symbol_group(values, means) for values, _, means in calls]
    if first_tie(symbols, theirs["symbols"]) is not None:
        return
    assert_near(y_hat[0][0][0], theirs["y_hat"])
    assert_near(out["x_hat"], theirs["x_hat"])
    for latent in ("y", "z"):
        likelihood = out["likelihoods"][latent]
        assert_near(likelihood, theirs[f"{latent}_likelihoods"])
        assert -likelihood.double().log2().sum().item() == pytest.approx(theirs[f"bits_{latent}"], rel=1e-6)
    indexes = [index_group(scales, network.gaussian_conditional.scale_table) for _, scales, _ in calls]
    first_tie(indexes, theirs["indexes"])


@pytest.mark.parametrize("size", SIZES)
def test_streams_are_the_authors_and_give_the_picture_that_was_promised(subject: Subject, size: str) -> None:
    theirs, network = subject.numbers["pictures"][size], subject.network
    x = probe.picture(*map(int, size.split("x")))
    coded = network.compress(x)
    (y,), (z,) = coded["strings"]
    assert crc32(z) == theirs["crc32_z"]
    tie = theirs.get("tie", {})  # an exact one: both streams are right
    if (len(y), crc32(y)) not in [(s["bytes_y"], s["crc32_y"]) for s in (theirs, tie) if s]:
        # Ties alone may have done it, and the test above tells whether; they hardly change the length.
        assert len(y) == pytest.approx(theirs["bytes_y"], rel=1e-3)
        assert _has_ties(network, x, theirs)
    if size == SIZES[0]:
        decoded = network.decompress(coded["strings"], coded["shape"])["x_hat"]
        assert_near(decoded, theirs["x_hat"])


def _has_ties(network: MLIC, x: Tensor, theirs: dict[str, Any]) -> bool:
    with listening(network.gaussian_conditional) as gaussian:
        network(x)
    symbols = [symbol_group(a[0], a[2]) for a, _ in gaussian]
    indexes = [index_group(a[1], network.gaussian_conditional.scale_table) for a, _ in gaussian]
    return first_tie(symbols, theirs["symbols"]) is not None or first_tie(indexes, theirs["indexes"]) is not None


def test_the_one_exact_tie_is_where_it_is_said_to_be(loc_lic: Subject) -> None:
    theirs = loc_lic.numbers["pictures"]["256x384"]
    channel, row, column = theirs["tie"]["symbol"]
    with listening(loc_lic.network.gaussian_conditional) as gaussian:
        loc_lic.network(probe.picture(256, 384))
    slice_, parity = channel // 32, (row + column) % 2
    values, _, means = gaussian[2 * slice_ + (parity == NON_ANCHOR)][0]
    symbols, near, other = (unsqueeze(t, parity)[0, channel % 32, row, column] for t in symbol_group(values, means))
    assert near
    assert {int(symbols), int(other)} == {3, 4}


def test_every_module_of_three_slices_gives_what_the_authors_gives(subject: Subject) -> None:
    network, theirs = subject.network, subject.numbers["modules"]
    network.as_published = True
    heard = {}
    try:
        with torch.inference_mode():
            hooks = [
                network.get_submodule(name).register_forward_hook(
                    lambda _, arguments, result, name=name: heard.__setitem__(name, result)
                )
                for name in theirs
            ]
            out = network(probe.picture(256, 256))
    finally:
        network.as_published = False
        for hook in hooks:
            hook.remove()
    assert_near(out["x_hat"], subject.numbers["pictures"]["256x256"]["x_hat"])
    assert len(heard) == 21
    for name, result in heard.items():
        if isinstance(result, list):  # the local context, class by class
            result = unsqueeze(result[0], NON_ANCHOR) + unsqueeze(result[1], ANCHOR)
        assert_near(result, theirs[name])


def test_medians_other_than_zero_shift_z(subject: Subject) -> None:
    theirs, network = subject.numbers["medians"], subject.network

    def moved(quantiles: Tensor) -> Tensor:
        median = (0.4 * torch.sin(torch.arange(1, len(quantiles) + 1).double())).float()
        return torch.stack([median - 10, median, median + 10], dim=-1).view_as(quantiles)

    x = probe.picture(256, 256)
    with changed(network, quantiles=moved):
        assert crc32(network.entropy_bottleneck.quantized_cdf) == theirs["table_crc32"]
        out = network(x)
        (y,), (z,) = network.compress(x)["strings"]
    assert crc32(z) == theirs["crc32_z"]
    assert -out["likelihoods"]["z"].double().log2().sum().item() == pytest.approx(theirs["bits_z"], rel=1e-6)
    assert -out["likelihoods"]["y"].double().log2().sum().item() == pytest.approx(theirs["bits_y"], rel=1e-4)
    if crc32(y) == theirs["crc32_y"]:
        assert_near(out["x_hat"], theirs["x_hat"])
    else:  # on another processor
        assert 8 * len(y) == pytest.approx(theirs["bits_y"], rel=0.25)


def test_a_full_gdn_mixes_channels_both_ways(subject: Subject) -> None:
    theirs, network = subject.numbers["gdn"], subject.network

    def gamma(before: Tensor) -> Tensor:
        i, j = np.indices(before.shape)
        return before + torch.from_numpy((0.03 * (1 + np.sin(i + 2 * j))).astype(np.float32))

    def beta(before: Tensor) -> Tensor:
        return before + torch.from_numpy((0.2 * np.sin(np.arange(len(before)))).astype(np.float32))

    with changed(network, gamma=gamma, beta=beta):
        y = network.g_a(probe.picture(256, 256))
        assert_near(y, theirs["y"])
        assert_near(network.h_a(y), theirs["z"])
        assert_near(network.g_s(y / 4), theirs["g_s_of_y_over_4"])


def test_the_work_is_the_authors_part_by_part(subject: Subject) -> None:
    for trace in traces(subject.codec(), 256, 256):
        counted, theirs = trace.summary(), subject.numbers["kmac_per_pixel"][trace.call]
        ours = {part: macs / 65536 / 1000 for part, macs in counted.by_part.items()}
        assert not counted.uncounted
        # The products of this context run over the positions they use, not over zeros as well.
        assert theirs["parts"]["global_intra_context"] - ours["global_intra_context"] == pytest.approx(0.018, abs=1e-4)
        assert ours | {"global_intra_context": theirs["parts"]["global_intra_context"]} == pytest.approx(
            theirs["parts"], abs=1e-6
        )
        assert 0 < counted.redundant_macs < 0.15 * counted.macs
        assert f"same results with {counted.executed_macs / 65536 / 1000:.3f} kMAC/pixel" in counted.note


def test_work_per_pixel_is_the_same_for_a_larger_picture(loc_lic: Subject) -> None:
    authors = loc_lic.numbers["kmac_per_pixel"]["forward"]["total"]
    assert count(loc_lic.codec(), 768, 512, "forward").kmac_per_pixel == pytest.approx(authors - 0.018, abs=1e-3)


def test_another_number_of_threads_decodes_the_same_picture(loc_lic: Subject) -> None:
    codec = loc_lic.codec()
    image = np.random.default_rng(4).integers(0, 256, (60, 70, 3), dtype=np.uint8)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        stream, promised = codec.encode(image), codec.forward(image)[0]
        torch.set_num_threads(1)
        decoded = codec.decode(stream)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(decoded, promised)


def test_squeezing_takes_every_second_position_and_puts_it_back() -> None:
    grid = torch.arange(16).view(1, 1, 4, 4)
    assert squeeze(grid, ANCHOR).flatten().tolist() == [1, 3, 4, 6, 9, 11, 12, 14]
    assert squeeze(grid, NON_ANCHOR).flatten().tolist() == [0, 2, 5, 7, 8, 10, 13, 15]
    halves = [unsqueeze(squeeze(grid, parity), parity) for parity in (ANCHOR, NON_ANCHOR)]
    assert torch.equal(halves[0] + halves[1], grid)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_checkpoint_given_to_the_wrong_name_is_sent_to_the_right_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth.tar"
    authors = shapes(json.loads((HERE / f"{name}.json").read_text()))
    # Two shapes tell them apart; the other tensors need not be there for that.
    telling = ("g_a.analysis_transform.0.conv1.weight", "lrp_anchor.0.lrp_transform.0.weight")
    torch.save({"state_dict": {f"module.{key}": torch.zeros(authors[key]) for key in telling}}, path)
    for other in set(VARIANTS) - {name}:
        card = codecs.get(other)
        with pytest.raises(WeightsError, match=f"not of .*: give it to {name}"):
            card.load(card.points[0], path)
    if name == "loc-lic":
        card = codecs.get(name)
        with pytest.raises(WeightsError, match=r"is missing.*and \d+ more"):
            card.load(card.points[0], path)


@pytest.mark.parametrize("tables", ["empty", "filled"])
def test_a_checkpoint_in_the_authors_layout_loads_to_the_last_value(
    loc_lic: Subject, tables: str, tmp_path: Path
) -> None:
    filled = loc_lic.network.state_dict()
    state = {probe.old_name(name): tensor for name, tensor in filled.items()}
    assert "entropy_bottleneck._matrix0" in state
    if tables == "empty":
        emptied = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")
        state = {k: t.new_zeros(0) if k.rpartition(".")[2] in emptied else t for k, t in state.items()}
    path = tmp_path / "checkpoint_best_loss.pth.tar"
    torch.save({"epoch": 7, "state_dict": {f"module.{k}": t for k, t in state.items()}, "loss": 1.0}, path)
    card = codecs.get("loc-lic")
    loaded = card.load(card.points[0], path).network.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(loaded[key], tensor) for key, tensor in filled.items())


def test_training_passes_gradients_to_every_part() -> None:
    with torch.inference_mode(False):
        network = MLIC(VARIANTS["loc-lic"])
    with torch.inference_mode(False), torch.enable_grad():
        out = network(torch.tensor(probe.picture(64, 64).numpy()))
        bits = sum(-likelihood.log2().sum() for likelihood in out["likelihoods"].values())
        (bits + out["x_hat"].square().sum()).backward()
    still = [name for name, p in network.named_parameters() if p.grad is None]
    assert set(still) == {"entropy_bottleneck.quantiles"}
