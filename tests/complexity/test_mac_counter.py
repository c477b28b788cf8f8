"""The counter against arithmetic, against itself on real data, and against what is known of published networks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from compressai import ans, models
from compressai.entropy_models import EntropyBottleneck, EntropyModel
from helpers.one_operator import CASES, HEIGHT, PIXELS, WIDTH, Case, Does, tokens
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from lic_bench.complexity import meta_device
from lic_bench.complexity.mac_counter import ELSEWHERE, CountingError, count, count_module, trace
from lic_bench.complexity.meta_shapes import RESULT_SHAPES
from lic_bench.errors import RequestError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Call, MacCount, Origin

COUNTED = ("macs", "by_part", "by_operator", "by_layer", "non_mac_ops", "uncounted")


def small(module: nn.Module, **arguments: object) -> MacCount:
    return count_module(module.eval(), (WIDTH, HEIGHT), **arguments)  # type: ignore[arg-type]


def codec(name: str, *widths: int) -> LearnedCodec:
    """One of CompressAI's networks without weights: nothing to initialise, nothing to store."""
    with meta_device.building_on_meta():
        return LearnedCodec(getattr(models, name)(*widths), name)


def real_codec(name: str, *widths: int, multiple: int = 64) -> LearnedCodec:
    network = getattr(models, name)(*widths)
    network.update()
    return LearnedCodec(network, name, multiple=multiple)


def kmac(counted: MacCount) -> float:
    return round(counted.kmac_per_pixel, 3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_op_costs_what_arithmetic_says(case: Case) -> None:
    predicted, measured = small(case.make()), small(case.make(), run=True)
    assert (predicted.macs, measured.macs) == (case.macs, case.macs)
    assert set(predicted.by_operator) == case.operators
    assert predicted.origin is Origin.PREDICTED
    assert measured.origin is Origin.MEASURED
    for column in COUNTED if not case.fused else COUNTED[:-2]:
        assert getattr(predicted, column) == getattr(measured, column)
    assert not predicted.uncounted


def test_work_that_is_no_product_stands_in_columns_of_its_own() -> None:
    def several(x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0)  # 4 x 48 pixels of 3 channels
        x = F.softmax(F.layer_norm(x, x.shape[1:]), dim=1)
        return F.gelu(x)

    counted = small(Does(several))
    assert counted.macs == 0
    assert counted.non_mac_ops == dict.fromkeys(("element-wise", "interpolation", "normalisation", "softmax"), 4 * 144)


def test_a_real_fft_is_half_of_five_n_log_n_and_no_mac() -> None:
    counted = small(Does(lambda x: torch.fft.rfft2(x[..., :4, :8])))
    # 3 channels of 4 x 8 = 32 values, log2 32 = 5
    assert (counted.macs, counted.non_mac_ops) == (0, {"FFT": 2.5 * 96 * 5})


def test_moving_data_is_free() -> None:
    def moving(x: Tensor) -> Tensor:
        return torch.cat([F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2).roll(1, 2), x.repeat(1, 1, 2, 2)])

    counted = small(Does(moving))
    assert (counted.macs, counted.non_mac_ops, counted.uncounted) == (0, {}, {})


def test_an_uncounted_op_makes_the_figure_a_lower_bound() -> None:
    counted = small(Does(lambda x, w: torch.linalg.qr(F.linear(tokens(x), w)), (5, 3)))
    assert counted.macs == PIXELS * 15
    assert counted.uncounted == {"linalg_qr": 1}
    assert counted.is_lower_bound


def test_weights_used_elsewhere_count_for_their_owner() -> None:
    class Borrowing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.owner = nn.Conv2d(3, 5, 1)
            self.register_buffer("mask", torch.ones(1))
            self.rest = nn.Conv2d(5, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.rest(F.conv2d(x, (self.owner.weight * self.owner.weight.abs()).flip(2))) @ x[:, :2].mT

    counted = small(Borrowing())
    assert counted.by_part == {"owner": PIXELS * 15, "rest": PIXELS * 10, ELSEWHERE: 2 * 6 * 6 * 8}


def test_the_networks_own_weights_count_where_they_are_used() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.entries = nn.Parameter(torch.ones(3, 5))
            self.reader = Reader()

        def forward(self, x: Tensor) -> Tensor:
            read: Tensor = self.reader(x.movedim(1, -1), self.entries.abs())
            return read

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(5, 2)

        def forward(self, x: Tensor, entries: Tensor) -> Tensor:
            read: Tensor = self.linear(x @ entries)
            return read

    assert small(Reading()).by_part == {"reader": PIXELS * (15 + 10)}


def test_shared_weights_count_for_the_module_that_runs() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
            self.other.weight = self.one.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.other(self.one(x))

    assert small(Shared()).by_part == {"one": 18 * 64, "other": 18 * 64}


@pytest.mark.parametrize(
    ("name", "widths", "size", "known"),
    [
        ("ScaleHyperprior", (128, 192), (256, 256), (87.082, 44.904, 43.540)),
        ("MeanScaleHyperprior", (128, 192), (256, 256), (91.106, 48.928, 47.564)),
        ("JointAutoregressiveHierarchicalPriors", (192, 192), (256, 256), (201.647, 110.348, 107.927)),
        ("JointAutoregressiveHierarchicalPriors", (192, 192), (7680, 4352), (201.647, 110.348, 107.927)),
        ("Cheng2020Anchor", (128,), (256, 256), (426.627, 174.720, 260.284)),
        ("Cheng2020Attention", (192,), (7680, 4352), (1056.971, 442.592, 633.239)),
        ("Elic2022Official", (), (256, 256), (585.905, 317.650, 314.365)),
        ("Elic2022Chandelier", (), (768, 512), (598.129, 324.358, 321.073)),
    ],
)
def test_published_networks_cost_what_is_known(
    name: str, widths: tuple[int, ...], size: tuple[int, int], known: tuple[float, ...]
) -> None:
    network = codec(name, *widths)
    counts = [count(network, *size, call) for call in Call]
    assert tuple(kmac(counted) for counted in counts) == known
    for counted in counts:
        assert not counted.uncounted
        for column in (counted.by_part, counted.by_layer, counted.by_operator):
            assert sum(column.values()) == counted.macs


def test_hyperprior_transforms_cost_what_arithmetic_says() -> None:
    # Four 5x5 stride-2 convolutions 3-128-128-128-192 and GDN (1x1) after the first three, per pixel of the picture.
    convolutions = 25 * (3 * 128 / 4 + 128 * 128 / 16 + 128 * 128 / 64 + 128 * 192 / 256)
    gdn = 128 * 128 * (1 / 4 + 1 / 16 + 1 / 64)
    parts = count(codec("ScaleHyperprior", 128, 192), 256, 256).by_part
    assert parts["g_a"] == parts["g_s"] == 256 * 256 * (convolutions + gdn)


@pytest.mark.parametrize(
    ("name", "widths", "size", "calls"),
    [
        ("FactorizedPrior", (16, 24), (768, 512), tuple(Call)),
        ("ScaleHyperprior", (128, 192), (256, 256), tuple(Call)),
        ("MeanScaleHyperprior", (16, 24), (256, 256), tuple(Call)),
        ("JointAutoregressiveHierarchicalPriors", (8, 12), (128, 256), tuple(Call)),
        ("Cheng2020Attention", (8,), (256, 256), (Call.FORWARD,)),
        ("Elic2022Official", (16, 144), (256, 256), tuple(Call)),
    ],
)
def test_counting_without_running_agrees_exactly_with_running(
    name: str, widths: tuple[int, ...], size: tuple[int, int], calls: tuple[Call, ...]
) -> None:
    real = real_codec(name, *widths)
    for call in calls:
        predicted, measured = count(real, *size, call), count(real, *size, call, run=True)
        assert predicted.origin is Origin.PREDICTED
        for column in COUNTED:
            assert getattr(predicted, column) == getattr(measured, column)


def test_a_picture_is_counted_padded_over_its_own_pixels() -> None:
    network = codec("ScaleHyperprior", 128, 192)
    odd, padded = count(network, 250, 1), count(network, 256, 64)
    assert (odd.padded_width, odd.padded_height) == (256, 64)
    assert odd.macs == padded.macs
    assert odd.kmac_per_pixel == odd.macs / 250 / 1000


def test_parts_may_gather_modules_and_the_smallest_part_wins() -> None:
    class Grouped(LearnedCodec):
        def parts(self) -> Mapping[str, nn.Module]:
            h = self.network.get_submodule("h_a"), self.network.get_submodule("h_s")
            return {"all": self.network, "hyper": nn.ModuleList(h)}

    with meta_device.building_on_meta():
        grouped = Grouped(models.ScaleHyperprior(128, 192), "grouped")
    parts, single = count(grouped, 256, 256).by_part, count(codec("ScaleHyperprior", 128, 192), 256, 256).by_part
    assert parts["hyper"] == single["h_a"] + single["h_s"]
    assert parts["all"] == single["g_a"] + single["g_s"] + single["entropy_bottleneck"]


def test_counting_leaves_network_and_library_as_they_were() -> None:
    network = real_codec("JointAutoregressiveHierarchicalPriors", 8, 12).network
    weights = {name: (id(tensor), tensor.clone()) for name, tensor in network.state_dict(keep_vars=True).items()}
    methods = EntropyBottleneck.forward, EntropyModel.compress, ans.RansDecoder, models.google.RansDecoder
    count_module(network, (64, 64), Call.DECODE)
    assert methods == (EntropyBottleneck.forward, EntropyModel.compress, ans.RansDecoder, models.google.RansDecoder)
    assert {name: id(tensor) for name, tensor in network.state_dict(keep_vars=True).items()} == {
        name: before for name, (before, _) in weights.items()
    }
    assert all(torch.equal(tensor, weights[name][1]) for name, tensor in network.state_dict().items())


def test_predicted_activation_memory_is_what_a_real_run_holds() -> None:
    real = real_codec("MeanScaleHyperprior", 16, 24)
    exact, *coding = ((trace(real, 256, 192, call), trace(real, 256, 192, call, run=True)) for call in Call)
    assert exact[0].peak_bytes == exact[1].peak_bytes
    for predicted, measured in coding:  # an entropy coder's lists become small tensors for a moment
        assert predicted.peak_bytes == pytest.approx(measured.peak_bytes, rel=1e-3)


def test_predicted_activation_memory_is_what_is_known() -> None:
    for name, widths, mebibytes in (
        ("ScaleHyperprior", (128, 192), 148.7),
        ("JointAutoregressiveHierarchicalPriors", (192, 192), 234.6),
    ):
        assert round(trace(codec(name, *widths), 768, 512).peak_bytes / 2**20, 1) == mebibytes


def test_serial_steps_of_a_decoder_are_its_reads() -> None:
    # z, then (channel by channel groups of ELIC, anchors and the rest) or (every one of 16 x 16 positions)
    steps = {
        ("FactorizedPrior", 16, 24): 1,
        ("ScaleHyperprior", 16, 24): 2,
        ("Elic2022Official", 16, 144): 1 + 2 * 5,
        ("Cheng2020Anchor", 16): 1 + 16 * 16,
    }
    assert {key: trace(codec(*key), 256, 256, Call.DECODE).serial_reads for key in steps} == steps


def test_meta_execution_is_undone_after_an_error_and_nests() -> None:
    def fail() -> None:
        with meta_device.on_meta_device(), meta_device.on_meta_device():
            assert EntropyBottleneck.forward is not before
            raise ZeroDivisionError

    before = EntropyBottleneck.forward
    with pytest.raises(ZeroDivisionError):
        fail()
    assert EntropyBottleneck.forward is before


@pytest.mark.parametrize("operator", RESULT_SHAPES, ids=str)
def test_rules_know_what_torch_works_out(operator: torch._ops.OpOverload) -> None:
    x, y = torch.rand(2, 6, 4), torch.rand(2, 6, 4)
    arguments = {
        "addmm": (torch.rand(5), x[0], torch.rand(4, 5)),
        "native_layer_norm": (x, [6, 4], None, None, 1e-5),
        "native_group_norm": (x, None, None, 2, 6, 4, 3, 1e-5),
        "roll": (x, [1], [2]),
        "_safe_softmax": (x, 1),
        "clamp_": (x, 0.1),
        "mul": (x, 2.0) if operator is torch.ops.aten.mul.Scalar else (x, y),
    }.get(operator._schema.name.removeprefix("aten::"), (x, y)[: 1 + ("other" in str(operator._schema))])
    meta = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), arguments)
    known, worked_out = RESULT_SHAPES[operator](meta), operator(*arguments)
    for one, other in zip(*(item if isinstance(item, tuple) else (item,) for item in (known, worked_out)), strict=True):
        assert (one.shape, one.dtype, one.stride()) == (other.shape, other.dtype, other.stride())


def test_rules_leave_what_is_not_plain_to_torch() -> None:
    x = torch.rand(2, 6, 4, device="meta")
    aten = torch.ops.aten
    assert RESULT_SHAPES[aten.add.Tensor]((x, x[:, :1])) is None
    assert RESULT_SHAPES[aten.add.Tensor]((x, x.double())) is None
    assert RESULT_SHAPES[aten.exp.default]((x.int(),)) is None
    assert RESULT_SHAPES[aten.addmm.default]((x[0, 0], x[0], x[0])) is None


class NeedsData(nn.Module):
    """Takes a road that depends on the picture's values."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if x.mean() > 0 else x


class ReadsNumbers(NeedsData):
    """Computes a width from the values of a tensor."""

    def forward(self, x: Tensor) -> Tensor:
        (width,) = torch.full((1,), 3).tolist()
        return self.layer(x[..., :width].repeat(1, 1, 1, WIDTH // width + 1)[..., :WIDTH])


def test_tensors_from_elsewhere_and_other_devices_do_no_harm() -> None:
    class Bringing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.plain = torch.rand(3, 1, 1)  # no buffer: stays where and what it was

        def forward(self, x: Tensor) -> Tensor:
            made = torch.zeros(WIDTH, 5, device="cpu") + torch.tensor([1.0], device=x.device)
            return (x * self.plain).to("cpu", torch.float64).float() @ made

    counted = small(Bringing())
    assert (counted.macs, counted.origin) == (3 * PIXELS * 5, Origin.PREDICTED)


@pytest.mark.parametrize("network", [NeedsData, ReadsNumbers])
def test_a_network_that_needs_data_is_run_and_says_so(network: type[nn.Module]) -> None:
    counted = small(network())
    assert counted.macs == PIXELS * 15
    assert counted.origin is Origin.MEASURED
    assert counted.fallback_reason


def test_a_meta_network_that_needs_data_is_not_counted() -> None:
    with meta_device.building_on_meta():
        module = NeedsData()
    with pytest.raises(CountingError, match="NeedsData was built without data"):
        small(module)


@pytest.mark.parametrize("size", [(0, 8), (8, -1), (8.5, 8), ("8", 8)])
def test_nonsense_sizes_are_refused_in_a_sentence(size: tuple[int, int]) -> None:
    with pytest.raises(RequestError, match="does not exist; both sides must be whole"):
        count_module(nn.Conv2d(3, 5, 1), size)


def test_a_module_that_rejects_the_size_says_why() -> None:
    with pytest.raises(RequestError, match=r"Linear does not take a 8 x 6 picture \(forward\): RuntimeError: mat1"):
        small(nn.Linear(7, 5))


def test_a_module_of_two_inputs_asks_for_them_and_takes_them() -> None:
    bilinear = Does(lambda x, w: x)
    bilinear.forward = lambda x, y: x.mT @ y  # type: ignore[method-assign]
    with pytest.raises(RequestError, match=r"1 input\(s\) \(missing a required argument: 'y'\).*inputs=\(\.\.\.\)"):
        small(bilinear)
    assert small(bilinear, inputs=(torch.rand(4, 5), torch.rand(4, 6))).macs == 4 * 5 * 6


def test_a_module_without_a_coder_has_only_a_forward() -> None:
    with pytest.raises(RequestError, match=r'Conv2d has no compress\(\); only call="forward" can be counted'):
        small(nn.Conv2d(3, 5, 1), call="encode")
