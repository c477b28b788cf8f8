"""CCA beside figures taken from the authors' network, its coder beside the ideal, and its checkpoints."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import cca, compare, probe
from conformance.cca import EXPECTED, SIZES
from conformance.compare import Group, Seen
from lic_bench.zoo.networks.cca import CCA, Widths
from lic_bench.zoo.networks.naf import ChannelNorm, NAFBlock
from torch import Tensor
from torch.nn.functional import conv2d, pad

from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec, torch_threads
from lic_bench.records import Call
from lic_bench.registry import codecs

NARROW = Widths(stages=(8, 10, 12), stack=16, slices=(2, 4, 6))
CARD = codecs.get("cca")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> CCA:
    return cca.filled(Widths())


@pytest.fixture(scope="module")
def double(network: CCA) -> CCA:
    return copy.deepcopy(network).double()


@pytest.fixture(scope="module")
def exact(double: CCA) -> Seen:
    """The pass in float64; its indexes are the authors' once the test of float64 has compared them."""
    seen = cca.observe(double, probe.picture(256, 256).double())
    assert compare.differences(seen, cca.figures()) == []
    return seen


@pytest.fixture(scope="module")
def narrow() -> CCA:
    return cca.filled(NARROW)


def test_the_state_dict_has_the_authors_names_shapes_and_order(network: CCA) -> None:
    assert compare.layout(CCA(Widths())) == EXPECTED["state_dict"]
    by_part = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert by_part == EXPECTED["trainable_parameters_by_part"] | {"gaussian_conditional": 0}
    assert sum(by_part.values()) == EXPECTED["trainable_parameters"]


def test_float64_gives_the_authors_numbers_and_symbols(double: CCA, exact: Seen) -> None:
    assert compare.differences(exact, cca.figures()) == []
    assert [len(string) for string in exact.y_strings()] == [EXPECTED["coding_256x256"]["y_bytes"]]
    prior = copy.deepcopy(double.z_entropy_bottleneck)
    prior.update(force=True)
    assert compare.crc32(prior.quantized_cdf) == EXPECTED["z"]["table_float64"]


def test_float64_gives_the_authors_numbers_of_a_wide_picture(double: CCA) -> None:
    size = SIZES[1]
    height, width = map(int, size.split("x"))
    seen, theirs = cca.observe(double, probe.picture(height, width).double()), cca.tensors(size)
    assert len(theirs) == 8
    assert compare.tensor_differences(seen, compare.Figures(theirs, {}), [*theirs]) == []
    for latent, bits in cca.bits(size).items():
        assert float(-torch.log2(seen.tensors[f"likelihoods_{latent}"]).sum()) == pytest.approx(bits, rel=1e-7)


def test_float32_gives_them_up_to_the_first_tie(network: CCA, exact: Seen) -> None:
    seen, figures = cca.observe(network, probe.picture(256, 256)), cca.figures()
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    if compare.float32_is_equal("cca", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []
    out, written = compare.compressed(network, probe.picture(256, 256))
    assert list(out["shape"]) == EXPECTED["coding_256x256"]["z_shape"]
    compare.float32_strings_are_equal("cca", out, written, exact)
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"]
    assert float((decoded - seen.tensors["x_hat"].clamp(0, 1)).abs().max()) < 1e-5


def test_swapped_slices_are_found(double: CCA) -> None:
    def swap(_: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hyper, one, other, rest = given[0].split((320, 8, 8, 20), dim=1)
        return (torch.cat((hyper, other, one, rest), dim=1),)

    hook = double.mean_NAF_transforms[2].register_forward_pre_hook(swap)
    try:
        seen = cca.observe(double, probe.picture(256, 256).double())
    finally:
        hook.remove()
    found = compare.differences(seen, cca.figures())
    print("\n".join(found))
    assert found
    assert not any(line.startswith(("y differs", "z differs")) for line in found)


def test_another_epsilon_is_found_in_the_latent(double: CCA) -> None:
    analysis = copy.deepcopy(double.g_a)
    for norm in (module for module in analysis.modules() if isinstance(module, ChannelNorm)):
        norm.eps *= 10
    with torch.no_grad():
        y = analysis(probe.picture(256, 256).double())
    assert compare.difference(y, cca.tensors("256x256")["y"]) > compare.LIMIT


def by_definition(block: NAFBlock, x: Tensor) -> Tensor:
    """A NAF block in the words of its definition, on the whole map."""

    def norm(v: Tensor, of: ChannelNorm) -> Tensor:
        mean = v.mean(1, keepdim=True)
        deviation = torch.sqrt((v - mean).square().mean(1, keepdim=True) + 1e-6)
        return (v - mean) / deviation * of.weight.view(1, -1, 1, 1) + of.bias.view(1, -1, 1, 1)

    def gate(v: Tensor) -> Tensor:
        return v[:, : v.shape[1] // 2] * v[:, v.shape[1] // 2 :]

    widen, depthwise, attention = block.dwconv[0], block.dwconv[1], block.sca[1]
    wide = pad(conv2d(norm(x, block.norm1), widen.weight, widen.bias), (1, 1, 1, 1))
    u = gate(conv2d(wide, depthwise.weight, depthwise.bias, groups=wide.shape[1]))
    u = u * conv2d(u.mean((2, 3), keepdim=True), attention.weight, attention.bias)
    x = x + block.beta * conv2d(u, block.conv1.weight, block.conv1.bias)
    first, last = block.FFN[0], block.FFN[2]
    inner = gate(conv2d(norm(x, block.norm2), first.weight, first.bias))
    return x + block.gamma * conv2d(inner, last.weight, last.bias)


@pytest.mark.parametrize("height", [1, 16, 37])
def test_a_block_in_strips_is_the_block_by_definition(narrow: CCA, height: int) -> None:
    block, x = copy.deepcopy(narrow.g_a.blocks[1][4]).double(), torch.randn(2, 10, height, 5).double()
    assert isinstance(block, NAFBlock)
    with torch.no_grad():
        assert torch.allclose(block(x), by_definition(block, x), rtol=0, atol=1e-12)


def ideal_bits(network: CCA, group: Group) -> float:
    """The bits of symbols under the coder's tables, with what its escapes add: nibbles and their number."""
    model = network.gaussian_conditional
    tables, lengths, offsets = (t.numpy() for t in (model.quantized_cdf, model.cdf_length, model.offset))
    rows = group.indexes.flatten().numpy()
    above, last = group.symbols.flatten().numpy() - offsets[rows], lengths[rows] - 2
    entries = np.where((above >= 0) & (above < last), above, last)
    bits = -np.log2((tables[rows, entries + 1] - tables[rows, entries]) / 2**16)
    beyond = np.where(above < 0, -2 * above - 1, 2 * (above - last))[entries == last]
    nibbles = np.ceil(np.log2(beyond + 1) / 4)
    return float(bits.sum() + (4 + 4 * nibbles).sum())


def test_a_stream_is_within_a_thousandth_of_ideal(network: CCA, exact: Seen) -> None:
    (y_string,) = exact.y_strings()
    ideal = sum(ideal_bits(network, group) for group in exact.y)
    assert ideal < 8 * len(y_string) < 1.001 * ideal


def test_the_work_is_the_authors_part_by_part(network: CCA) -> None:
    width, height, known = 768, 512, EXPECTED["kmac_per_pixel"]
    codec = LearnedCodec(network, "cca", multiple=128)
    names = {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}
    for trace in mac_counter.traces(codec, width, height):
        counted = trace.summary()
        ours = {part: macs / (width * height) / 1000 for part, macs in counted.by_part.items()}
        assert not counted.uncounted
        assert ours | {"total": counted.kmac_per_pixel} == pytest.approx(known["512x768"][names[trace.call]], abs=1e-5)
        # The residual prediction of the last slice, at 1/256 of the pixels, which only a decoder needs.
        left_out = 9 * (640 * 224 + 224 * 128 + 128 * 136) * width * height // 256
        assert counted.redundant_macs == (left_out if trace.call is Call.ENCODE else 0)
        assert trace.serial_reads == (6 if trace.call is Call.DECODE else 0)  # z and five slices
    # The attention's layers work once a picture, which is more for each pixel of a small one.
    small = mac_counter.count(codec, 256, 256)
    assert small.kmac_per_pixel == pytest.approx(known["256x256"]["forward"]["total"], abs=1e-5)


def test_the_strings_are_those_with_all_the_authors_work(narrow: CCA) -> None:
    x = probe.picture(64, 128)
    with mac_counter.as_published(narrow):
        authors = narrow.compress(x)
    assert narrow.compress(x) == authors


def test_training_passes_gradients_to_every_part(narrow: CCA) -> None:
    network = copy.deepcopy(narrow).train()
    out = network(probe.picture(64, 64))
    bits = sum(-likelihood.log2().sum() for likelihood in out["likelihoods"].values())
    (bits + out["x_hat"].square().sum()).backward()
    still = [name for name, p in network.named_parameters() if p.grad is None]
    assert still == ["z_entropy_bottleneck.quantiles"]


@pytest.fixture(scope="module")
def authors_file(narrow: CCA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the authors' training script writes it, of a narrow network and part of its second model."""
    path = tmp_path_factory.mktemp("authors") / "checkpoint_lambda_0.3.pth.tar"
    torch.save(authors_checkpoint(narrow), path)
    return path


def authors_checkpoint(narrow: CCA) -> dict[str, Any]:
    tables = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")  # never computed in training
    state = {
        probe.old_name(name): tensor.new_zeros(0) if name.endswith(tables) else tensor
        for name, tensor in narrow.state_dict().items()
    }
    assert "z_entropy_bottleneck._matrix0" in state
    training = {
        "lrp_transforms.0.0.weight": torch.zeros(224, 328, 3, 3),
        "y_entropy_bottleneck._matrix0": torch.zeros(320, 3, 1),
        "gaussian_conditional.scale_table": torch.zeros(0),
    }
    state |= {f"aux_entropymodel.{name}": tensor for name, tensor in training.items()}
    rest = {"epoch": 64, "loss": 1.2, "optimizer": {}, "aux_optimizer": {}, "lr_scheduler": {"last_epoch": 64}}
    return {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}, **rest}


def test_the_authors_checkpoint_loads_at_its_own_widths(narrow: CCA, authors_file: Path) -> None:
    codec = CARD.load(CARD.points[0], authors_file)
    assert isinstance(codec, HasParts)
    loaded = codec.network.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in narrow.state_dict().items())
    assert len(loaded) == len(narrow.state_dict())


def test_a_stream_decodes_alone_at_any_size_and_thread_count(authors_file: Path) -> None:
    codec, other = (CARD.load(CARD.points[0], authors_file) for _ in range(2))
    for width, height in ((1, 1), (129, 40), (40, 129)):
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        assert isinstance(codec, LearnedCodec)
        assert np.array_equal(codec.forward(image)[0], decoded)
        with torch_threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(other.decode(stream), decoded)


def test_a_checkpoint_must_fit_but_for_the_second_model(narrow: CCA, tmp_path: Path) -> None:
    checkpoint = authors_checkpoint(narrow)
    weight = checkpoint["state_dict"].pop("module.g_s.blocks.2.3.sca.1.weight")
    checkpoint["state_dict"]["module.g_s.blocks.2.3.sca.2.weight"] = weight
    torch.save(checkpoint, tmp_path / "other.pth.tar")
    with pytest.raises(WeightsError, match=r"sca\.1\.weight is missing; .*sca\.2\.weight is not part of the network"):
        CARD.load(CARD.points[0], tmp_path / "other.pth.tar")


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"g_a.0.weight": torch.zeros(128, 3, 5, 5)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"is not a checkpoint of CCA: there is no convolution mean_NAF_transforms"):
        CARD.load(CARD.points[0], tmp_path / "other.pth")
