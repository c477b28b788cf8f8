"""HPCM beside figures taken from the authors' networks."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import compare, hpcm, probe
from conformance.compare import Seen
from lic_bench.zoo.networks import hpcm_lattices as lattices
from lic_bench.zoo.networks.coding import SymbolReader, SymbolWriter, keep_variance, scale_indexes
from lic_bench.zoo.networks.generalised_gaussian import GeneralisedGaussian, scale_table
from lic_bench.zoo.networks.hpcm import HPCM, STEPS
from lic_bench.zoo.networks.hpcm_variants import VARIANTS, Variant, variant_of
from scipy.stats import gennorm
from torch import Tensor, nn

from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.complexity.codec_complexity import built
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec, torch_threads
from lic_bench.records import Call
from lic_bench.registry import codecs

NARROW = Variant(1, (1, 1, 0), (2, 1, 0), widths=(8, 8, 16), latent=16, hyper=8)
DEAD_CALL = 6.72  # kMAC/pixel of the authors' last attention, which nothing uses
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def base() -> HPCM:
    return hpcm.filled("hpcm-base")


@pytest.fixture(scope="module")
def exact(base: HPCM) -> Seen:
    """The pass in float64; its indexes are the authors' once it has been compared."""
    seen = hpcm.observe(copy.deepcopy(base).double(), probe.picture(256, 256).double())
    assert compare.differences(seen, hpcm.figures("hpcm-base")) == []
    return seen


@cache
def without_data(name: str) -> HPCM:
    with torch.device("meta"):
        return HPCM(VARIANTS[name])


@pytest.mark.parametrize("name", VARIANTS)
def test_the_state_dict_has_the_authors_names_shapes_and_order(name: str) -> None:
    network, expected = without_data(name), compare.expected(name)
    layout = compare.layout(network)
    if "state_dict" in expected:
        assert layout == expected["state_dict"]
    else:
        assert hashlib.sha256("\n".join(layout).encode()).hexdigest() == expected["state_dict_sha256"]
    assert sum(p.numel() for p in network.parameters()) == expected["trainable_parameters"]
    assert variant_of(network.state_dict(), name) == VARIANTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_work_is_what_the_authors_network_does(name: str) -> None:
    known = compare.expected(name)["kmac_per_pixel"]
    codec = built(codecs.get(name), codecs.get(name).points[0])
    for call in (Call(call) for call in known):
        counted = mac_counter.count(codec, 768, 512, call)
        parts = {part: macs / 768 / 512 / 1000 for part, macs in counted.by_part.items()}
        assert parts | {"total": counted.kmac_per_pixel} == pytest.approx(known[call], abs=1e-3)
        assert counted.redundant_macs / 768 / 512 / 1000 == pytest.approx(
            DEAD_CALL if VARIANTS[name].attention else 0, abs=1e-6
        )
        assert not counted.uncounted
        assert counted.serial_steps == (1 + len(STEPS) if call is Call.DECODE else None)


@slow
def test_float64_gives_the_authors_numbers_and_symbols(exact: Seen) -> None:
    assert compare.differences(exact, hpcm.figures("hpcm-base")) == []
    sizes = compare.expected("hpcm-base")["bytes"]
    assert [len(string) for string in exact.y_strings()] == [sizes["y"]]
    assert len(exact.z_string()) == sizes["z"]


@slow
def test_what_is_misplaced_depends_on_the_width(base: HPCM) -> None:
    seen = hpcm.observe(copy.deepcopy(base).double(), probe.picture(256, 512).double())
    figures = hpcm.figures("hpcm-base", "256x512")
    assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


@slow
def test_factors_and_scales_near_one_give_the_authors_numbers() -> None:
    seen = hpcm.observe(hpcm.filled(hpcm.ONES).double(), probe.picture(256, 256).double())
    assert compare.differences(seen, hpcm.figures(hpcm.ONES)) == []


@slow
def test_float32_gives_them_up_to_the_first_tie(base: HPCM, exact: Seen) -> None:
    seen, figures = hpcm.observe(base, probe.picture(256, 256)), hpcm.figures("hpcm-base")
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    if compare.float32_is_equal("hpcm-base", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []


@slow
def test_a_float32_stream_is_the_authors(base: HPCM, exact: Seen) -> None:
    out, written = compare.compressed(base, probe.picture(256, 256))
    assert out["shape"] == (4, 4)
    compare.float32_strings_are_equal("hpcm-base", out, written, exact)


@slow
@pytest.mark.parametrize("name", ["hpcm-large", "hpcm-base-phicontext"])
def test_the_other_networks_are_the_authors(name: str) -> None:
    figures, network = hpcm.figures(name), hpcm.filled(name)
    out, written = compare.compressed(network, probe.picture(256, 256))
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    exact = hpcm.observe(network.double(), probe.picture(256, 256).double())
    assert compare.differences(exact, figures) == []
    if compare.float32_strings_are_equal(name, out, written, exact):
        apart = (decoded - exact.tensors["x_hat"].clamp(0, 1)).abs().max()
        assert float(apart) < compare.LIMITS["x_hat"] * figures.tensors["x_hat"]["std"]


# Small errors, each of which the comparison in float64 must find.
def exchanged(part: str, one: int, other: int) -> Callable[[HPCM], None]:
    """Two members of a list change places."""

    def exchange(network: HPCM) -> None:
        members = network.get_submodule(part)
        assert isinstance(members, nn.ModuleList)
        members[one], members[other] = members[other], members[one]

    return exchange


def other_slope(network: HPCM) -> None:
    for activation in (module for module in network.modules() if isinstance(module, nn.LeakyReLU)):
        activation.negative_slope *= 1.1


def other_window(network: HPCM) -> None:
    network.attn_s2.window = 4


def other_bound(network: HPCM) -> None:
    network.entropy_estimation.scale_lower_bound.bound *= 1.1


ERRORS: dict[str, Callable[[HPCM], None]] = {
    "adaptors in another order": exchanged("y_spatial_prior_adaptor_list_s2", 0, 1),
    "slope": other_slope,
    "window": other_window,
    "scale bound": other_bound,
}


@slow
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_found_in_float64(error: str, base: HPCM) -> None:
    network = copy.deepcopy(base).double()
    ERRORS[error](network)
    seen = hpcm.observe(network, probe.picture(256, 256).double())
    assert compare.differences(seen, hpcm.figures("hpcm-base"))


def test_the_hyper_prior_is_misplaced_as_in_the_authors_code() -> None:
    ramp = torch.arange(1.0, 33).view(1, 1, 4, 8).expand(1, 8, 4, 8)
    moved = lattices.misplaced_hyper(ramp)
    assert moved[0].tolist() == compare.expected("hpcm-base")["misplaced_ramp"]
    # Zero where scale 1 lies, in every group of channels.
    assert not lattices.take(moved, lattices.LATTICE_1).any()


def test_lattices_are_taken_and_put_back() -> None:
    grid = torch.arange(8 * 4 * 4.0).view(1, 8, 4, 4) + 1
    taken = lattices.take(grid, lattices.LATTICE_2)
    assert taken[0, :, 0, 0].tolist() == [grid[0, c, a, b] for c, (a, b) in enumerate(lattices.LATTICE_2)]
    assert torch.equal(lattices.put(taken, lattices.LATTICE_2) + lattices.without(grid, lattices.LATTICE_2), grid)


def test_every_element_is_coded_once() -> None:
    sizes = {1: (2, 4), 2: (4, 8), 3: (8, 16)}
    times = torch.zeros(1, 16, 8, 16)
    for step in STEPS:
        groups = lattices.coded_groups(step.scale, step.turn, *sizes[step.scale], torch.device("cpu"))
        once = lattices.unpack(torch.ones(1, 16 // step.groups, *sizes[step.scale]), groups, step.groups)
        assert lattices.pack(once, groups, step.groups).all()
        times += lattices.on_full_grid(once, step.scale)
    assert torch.equal(times, torch.ones_like(times))


def test_likelihoods_are_those_of_a_generalised_gaussian() -> None:
    values, scales = torch.linspace(-3, 3, 25).double(), torch.tensor([-1.0, 0.05, 0.12, 0.7, 5.0]).double()[:, None]
    means = torch.tensor(0.25).double()
    rounded, likelihoods = GeneralisedGaussian().double()(values, scales, means)
    whole = np.round(values.numpy() - 0.25)
    ours = gennorm(1.5, scale=np.maximum(scales.numpy(), np.float32(0.12)))
    assert rounded.numpy() == pytest.approx(whole + 0.25)
    assert likelihoods.numpy() == pytest.approx(np.maximum(ours.cdf(whole + 0.5) - ours.cdf(whole - 0.5), 1e-9))


def test_the_tables_are_the_authors() -> None:
    tables = GeneralisedGaussian().tables(scale_table())
    assert f"{compare.crc32(tables.quantized_cdf):08x}" == compare.expected("hpcm-base")["y_table_crc32"]


def test_a_real_stream_is_within_a_thousandth_of_the_tables_ideal() -> None:
    model, levels = GeneralisedGaussian(), scale_table()
    tables = model.tables(levels)
    chance = np.random.default_rng(0)
    scales = np.exp(chance.uniform(np.log(0.12), np.log(20), 50_000))
    symbols = np.round(gennorm.rvs(1.5, scale=scales, random_state=chance)).astype(np.int32)
    indexes = scale_indexes(torch.from_numpy(scales).float(), levels)
    writer = SymbolWriter(tables)
    writer.write(torch.from_numpy(symbols), indexes)
    stream = writer.finish()
    assert np.array_equal(SymbolReader(tables, stream).read(indexes).numpy(), symbols)
    rows, places = indexes.numpy(), symbols - tables.offset.numpy()[indexes.numpy()]
    inside = (places >= 0) & (places < tables.cdf_length.numpy()[rows] - 2)
    cdf = tables.quantized_cdf.numpy()
    counts = cdf[rows[inside], places[inside] + 1] - cdf[rows[inside], places[inside]]
    assert (~inside).sum() < 5
    ideal = -np.log2(counts / 65536).sum()
    assert 8 * len(stream) == pytest.approx(ideal, rel=1e-3)


@pytest.fixture(scope="module")
def narrow() -> HPCM:
    torch.manual_seed(0)
    network = HPCM(NARROW)
    keep_variance(network)
    with torch.no_grad():
        network.means_hyper.normal_()
    network.update(force=True)
    return network.eval()


def test_decoding_gives_the_forward_pass_clipped(narrow: HPCM) -> None:
    x = probe.picture(256, 512)
    out = narrow.compress(x)
    with torch.no_grad():
        seen = narrow(x)
    assert torch.equal(narrow.decompress(out["strings"], out["shape"])["x_hat"], seen["x_hat"].clamp(0, 1))
    assert {latent: tuple(one.shape) for latent, one in seen["likelihoods"].items()} == {
        "y": (1, 16, 16, 32),
        "z": (1, 8, 4, 8),
    }


def test_encoder_and_decoder_make_the_same_calls_on_the_same_layout(narrow: HPCM) -> None:
    calls: list[tuple[Any, ...]] = []
    shared = {name: m for name, m in narrow.named_modules() if not name.startswith(("g_a", "h_a", "g_s")) and name}

    def hear(name: str) -> Callable[..., None]:
        def note(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            calls.append((name, *((tensor.shape, tensor.stride()) for tensor in given)))

        return note

    hooks = [module.register_forward_pre_hook(hear(name)) for name, module in shared.items()]
    try:
        out = narrow.compress(probe.picture(256, 256))
        encoder = calls.copy()
        calls.clear()
        narrow.decompress(out["strings"], out["shape"])
    finally:
        for hook in hooks:
            hook.remove()
    assert len(encoder) > 100
    assert calls == encoder


def authors_state(network: HPCM) -> dict[str, Tensor]:
    """A state dict as the authors' training saves it on several GPUs: names begin with "module.", tables are empty."""
    tables = ("scale_table", "quantized_cdf", "cdf_length", "offset")
    return {
        f"module.{name}": torch.empty(0) if name.startswith(tables) else tensor
        for name, tensor in network.state_dict().items()
    }


def loaded(file: Path, name: str = "hpcm-base") -> LearnedCodec:
    card = codecs.get(name)
    codec = card.load(card.points[0], file)
    assert isinstance(codec, LearnedCodec)
    return codec


def test_a_checkpoint_loads_at_its_own_widths_and_decodes_alone(narrow: HPCM, tmp_path: Path) -> None:
    torch.save(authors_state(narrow), tmp_path / "narrow.pth.tar")
    codec, other = loaded(tmp_path / "narrow.pth.tar"), loaded(tmp_path / "narrow.pth.tar")
    assert isinstance(codec, HasParts)
    for name, tensor in narrow.state_dict().items():
        assert torch.equal(codec.network.state_dict()[name], tensor), name
    for width, height in ((1, 1), (300, 40), (40, 257)):
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        with torch_threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(other.decode(stream), decoded)


def test_a_public_checkpoint_without_factors_has_ones(narrow: HPCM, tmp_path: Path) -> None:
    state = {k: v for k, v in authors_state(narrow).items() if "adaptive_params_list" not in k}
    torch.save(state, tmp_path / "public.pth.tar")
    factors = list(loaded(tmp_path / "public.pth.tar").network.adaptive_params_list)
    assert len(factors) == 10
    assert all(torch.equal(factor, torch.ones(1, 48, 1, 1)) for factor in factors)


@pytest.mark.parametrize("lost", ["adaptive_params_list.3", "h_s.branch.0.bias"])
def test_any_other_gap_is_refused(lost: str, narrow: HPCM, tmp_path: Path) -> None:
    state = {k: v for k, v in authors_state(narrow).items() if k != f"module.{lost}"}
    torch.save(state, tmp_path / "gap.pth.tar")
    with pytest.raises(WeightsError, match=f"does not fit HPCM-Base .*{lost} is missing"):
        loaded(tmp_path / "gap.pth.tar")


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"g_a.0.weight": torch.zeros(128, 3, 5, 5)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="is not a checkpoint of HPCM"):
        loaded(tmp_path / "other.pth")


@slow
def test_a_checkpoint_of_another_variant_is_recognised(base: HPCM, tmp_path: Path) -> None:
    torch.save(base.state_dict(), tmp_path / "base.pth")
    with pytest.raises(WeightsError, match="is a checkpoint of HPCM-Base, not of HPCM-Large: give it to hpcm-base"):
        loaded(tmp_path / "base.pth", "hpcm-large")
