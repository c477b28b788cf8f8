"""LoC-LIC and both versions of MLIC++ against the authors' networks, filled as `conformance/probe.py` says."""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import compare, families, probe
from conformance.compare import Seen
from conftest import threads
from lic_bench.zoo.networks.checkerboard import ANCHOR, NON_ANCHOR, squeeze, unsqueeze
from lic_bench.zoo.networks.mlic import MLIC, VARIANTS
from torch import Tensor

from lic_bench import catalogue
from lic_bench.errors import WeightsError
from lic_bench.learned import LearnedCodec
from lic_bench.macs import count, traces

HERE = Path(__file__).parent / "conformance"
SIZES = ("256x256", "256x384")
# Where loc-lic has latents within a few millionths of a tie, and what moves each to the side of the authors' float32.
MOVED = 1e-5
MEDIANS_TIES = {(264, 15, 2): -MOVED, (301, 6, 4): MOVED}

pytestmark = pytest.mark.slow


class Subject:
    """One filled network beside the numbers of the authors' own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers = json.loads((HERE / f"{name}.json").read_text())
        network = families.filled(name)
        assert isinstance(network, MLIC)
        self.network = network
        self.double = copy.deepcopy(network).double()
        self._passes: dict[str, Seen] = {}

    def exact(self, size: str) -> Seen:
        """The pass in float64, whose symbols, indexes and strings are the authors'."""
        if size not in self._passes:
            tie = self.numbers["pictures"][size].get("tie")
            with settled(self.double, {tuple(tie["symbol"]): MOVED} if tie else {}):
                seen = families.observe(self.name, self.double, picture(size).double())
            assert compare.differences(seen, families.figures(self.name, size)) == []
            self._passes[size] = seen
        return self._passes[size]

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


def picture(size: str) -> Tensor:
    return probe.picture(*map(int, size.split("x")))


@contextmanager
def settled(network: MLIC, ties: dict[tuple[int, int, int], float]) -> Iterator[None]:
    """Latents next to a tie are moved to the side on which the authors' float32 has them."""

    def move(_: Any, __: Any, y: Tensor) -> Tensor:
        moved = y.clone()
        for (channel, row, column), by in ties.items():
            moved[0, channel, row, column] += by
        return moved

    hook = network.g_a.register_forward_hook(move)
    try:
        yield
    finally:
        hook.remove()


def crc32(data: bytes | Tensor) -> str:
    if isinstance(data, Tensor):
        data = data.contiguous().numpy().astype("<i4").tobytes()
    return f"{zlib.crc32(data):08x}"


def assert_near(ours: Tensor, theirs: dict[str, Any]) -> None:
    assert compare.difference(ours, theirs) < compare.LIMIT


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
        if name == "gaussian_conditional" or crc32(ours) == table["crc32"]:
            assert crc32(ours) == table["crc32"]
        else:
            compare.say(f"{subject.name}: this machine's float32 makes another table for z; it is compared in float64.")
    prior = copy.deepcopy(subject.double.entropy_bottleneck)
    prior.update(force=True)
    assert compare.crc32(prior.quantized_cdf) == compare.expected("z")[subject.name]["table_float64"]


@pytest.mark.parametrize("size", SIZES)
def test_float64_gives_the_authors_numbers_and_symbols(subject: Subject, size: str) -> None:
    exact, theirs = subject.exact(size), subject.numbers["pictures"][size]
    assert compare.differences(exact, families.figures(subject.name, size)) == []
    assert [len(string) for string in exact.y_strings()] == [theirs["bytes_y"]]


@pytest.mark.parametrize("size", SIZES)
def test_float32_gives_them_up_to_the_first_tie(subject: Subject, size: str) -> None:
    seen, figures = families.observe(subject.name, subject.network, picture(size)), families.figures(subject.name, size)
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    exact = subject.exact(size)
    if torch.equal(seen.z.symbols, exact.z.symbols):
        assert compare.tensor_differences(seen, figures, ("hyper_params",)) == []
    if compare.float32_is_equal(f"{subject.name}, {size}", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


@pytest.mark.parametrize("size", SIZES)
def test_a_float32_stream_is_the_authors(subject: Subject, size: str) -> None:
    network, exact = subject.network, subject.exact(size)
    coded, written = compare.compressed(network, picture(size))
    tie = subject.numbers["pictures"][size].get("tie")  # an exact one, where both streams are right
    if tie and crc32(coded["strings"][0][0]) == tie["crc32_y"]:
        assert len(coded["strings"][0][0]) == tie["bytes_y"]
        assert crc32(coded["strings"][1][0]) == crc32(exact.z_string())
        return
    equal = compare.float32_strings_are_equal(f"{subject.name}, {size}", coded, written, exact)
    if size == SIZES[0]:
        decoded = network.decompress(coded["strings"], coded["shape"])["x_hat"]
        assert float((decoded - network(picture(size))["x_hat"]).abs().max() / decoded.std()) < compare.LIMIT
        if equal:
            assert_near(decoded, subject.numbers["pictures"][size]["x_hat"])


def test_the_one_exact_tie_is_where_it_is_said_to_be(loc_lic: Subject) -> None:
    tie = loc_lic.numbers["pictures"]["256x384"]["tie"]
    channel, row, column = tie["symbol"]
    with (
        settled(loc_lic.double, {(channel, row, column): MOVED}),
        listening(loc_lic.double.gaussian_conditional) as gaussian,
    ):
        loc_lic.double(picture("256x384").double())
    slice_, parity = channel // 32, (row + column) % 2
    values, _, means = gaussian[2 * slice_ + (parity == NON_ANCHOR)][0]
    at = float(unsqueeze(values - means, parity)[0, channel % 32, row, column])
    assert abs(at - MOVED - 3.5) < 4e-6


def test_every_module_of_three_slices_gives_what_the_authors_gives(subject: Subject) -> None:
    network, theirs = subject.double, subject.numbers["modules"]
    network.spares_work = False
    heard: dict[str, Any] = {}
    listeners = [(network.get_submodule(name), lambda _, out, name=name: heard.update({name: out})) for name in theirs]
    try:
        with families.heard(*listeners):
            out = network(picture("256x256").double())
    finally:
        network.spares_work = True
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

    with changed(network, quantiles=moved):
        double = copy.deepcopy(network).double()
    with settled(double, MEDIANS_TIES if subject.name == "loc-lic" else {}):
        seen = families.observe(subject.name, double, picture("256x256").double())
    figures = compare.Figures(
        {name: theirs[name] for name in ("y_hat", "x_hat")},
        {latent: theirs[f"bits_{latent}"] for latent in "yz"},
        y_strings=[int(theirs["crc32_y"], 16)],
        z_string=int(theirs["crc32_z"], 16),
        z_symbols=compare.expected("z")[subject.name]["symbols"]["medians"],
        z_table=int(theirs["table_crc32"], 16),
    )
    assert compare.differences(seen, figures) == []


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
        assert not counted.unseen
        # The products of this context run over the positions they use, not over zeros as well.
        assert theirs["parts"]["global_intra_context"] - ours["global_intra_context"] == pytest.approx(0.018, abs=1e-4)
        assert ours | {"global_intra_context": theirs["parts"]["global_intra_context"]} == pytest.approx(
            theirs["parts"], abs=1e-6
        )
        assert 0 < counted.spared_macs < 0.15 * counted.macs
        assert f"same results with {counted.macs_made / 65536 / 1000:.3f} kMAC/pixel" in counted.note


def test_work_per_pixel_is_the_same_for_a_larger_picture(loc_lic: Subject) -> None:
    authors = loc_lic.numbers["kmac_per_pixel"]["forward"]["total"]
    assert count(loc_lic.codec(), 768, 512, "forward").kmac_per_pixel == pytest.approx(authors - 0.018, abs=1e-3)


def test_another_number_of_threads_decodes_the_same_picture(loc_lic: Subject) -> None:
    codec = loc_lic.codec()
    image = np.random.default_rng(4).integers(0, 256, (60, 70, 3), dtype=np.uint8)
    with threads(2):
        stream, promised = codec.encode(image), codec.forward(image)[0]
    with threads(1):
        decoded = codec.decode(stream)
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
        card = catalogue.card(other)
        with pytest.raises(WeightsError, match=f"not of .*: give it to {name}"):
            card.load(card.points[0], path)
    if name == "loc-lic":
        card = catalogue.card(name)
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
    card = catalogue.card("loc-lic")
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
