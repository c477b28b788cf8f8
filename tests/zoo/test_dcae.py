"""DCAE beside figures taken from the authors' network."""

from __future__ import annotations

import copy
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from conformance import compare, dcae
from conformance.compare import Seen
from conformance.dcae import EXPECTED, LARGE, SMALL
from lic_bench.zoo.networks.dcae import DCAE, Size, size_of
from torch import Tensor, nn

from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.complexity.mac_counter import as_published
from lic_bench.errors import WeightsError
from lic_bench.learned_codec import LearnedCodec, torch_threads
from lic_bench.records import Call
from lic_bench.registry import codecs

NARROW = Size(widths=(8, 16, 32), depths=(1, 2, 2), hyper=32, entries=8, entry_width=32)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> DCAE:
    return dcae.filled()


@pytest.fixture(scope="module")
def double(network: DCAE) -> DCAE:
    return copy.deepcopy(network).double()


@pytest.fixture(scope="module")
def exact(double: DCAE) -> Seen:
    """The pass in float64; its indexes are the authors' once they were compared."""
    seen = dcae.observe(double, dcae.picture(LARGE).double())
    assert compare.differences(seen, dcae.figures(LARGE)) == []
    return seen


def test_the_state_dict_has_the_authors_names_shapes_and_order(network: DCAE) -> None:
    assert compare.layout(DCAE()) == EXPECTED["state_dict"]
    assert sum(p.numel() for p in network.parameters()) == EXPECTED["trainable_parameters"]


def test_float64_gives_the_authors_numbers_symbols_and_strings(exact: Seen) -> None:
    assert [len(string) for string in exact.y_strings()] == [EXPECTED["float64"][LARGE]["y_bytes"]]


def test_float64_codes_the_smallest_picture_as_the_authors(double: DCAE) -> None:
    known, figures = EXPECTED["float64"][SMALL], dcae.figures(SMALL)
    assert (
        compare.tensor_differences(dcae.observe(double, dcae.picture(SMALL).double()), figures, [*figures.tensors])
        == []
    )
    out = double.compress(dcae.picture(SMALL).double())
    assert (zlib.crc32(out["strings"][0][0]), list(out["shape"])) == (known["crc32_y"], known["z_shape"])


def test_float32_gives_them_up_to_the_first_tie(network: DCAE, exact: Seen) -> None:
    x, figures = dcae.picture(LARGE), dcae.figures(LARGE)
    seen = dcae.observe(network, x)
    assert compare.tensor_differences(seen, figures, ("y", "z")) == []
    if compare.float32_is_equal("dcae", seen, exact):
        assert compare.tensor_differences(seen, figures, [*figures.tensors]) == []
    out, written = compare.compressed(network, x)
    same = compare.float32_strings_are_equal("dcae", out, written, exact)
    known = EXPECTED["float32"][LARGE]  # the authors' float32 took the other side of one edge of the scale table
    if compare.crc32(torch.cat([indexes.flatten() for _, indexes in written[1:]])) == known["indexes"]:
        assert [zlib.crc32(strings[0]) for strings in out["strings"]] == [known["crc32_y"], known["crc32_z"]]
    decoded = network.decompress(out["strings"], out["shape"])["x_hat"].clamp(0, 1)
    assert float((decoded - seen.tensors["x_hat"].clamp(0, 1)).abs().max()) < 1e-5
    if same:
        assert compare.difference(decoded, known["x_hat_decompress"]) < compare.LIMITS["x_hat"]


@contextmanager
def swapped_slices(network: DCAE) -> Iterator[None]:
    """One of the networks of the means takes two earlier slices for each other."""

    def swap(_: nn.Module, given: tuple[Tensor, ...]) -> Tensor:
        before, one, other, rest = given[0].split((640, 64, 64, 320), dim=1)
        return torch.cat((before, other, one, rest), dim=1)

    handle = network.cc_mean_transforms[2].register_forward_pre_hook(swap)
    yield
    handle.remove()


@contextmanager
def other_epsilon(network: DCAE) -> Iterator[None]:
    """The norms of the analysis have a tenth of their epsilon."""
    norms = [module for module in network.g_a.modules() if isinstance(module, nn.LayerNorm)]
    for norm in norms:
        norm.eps /= 10
    yield
    for norm in norms:
        norm.eps *= 10


@contextmanager
def scaled_logits(network: DCAE) -> Iterator[None]:
    """The attention to the dictionary divides its logits by the square root of the heads' width."""
    with torch.no_grad():
        for attention in network.dt_cross_attention:
            attention.scale *= 32**-0.5
        yield
        for attention in network.dt_cross_attention:
            attention.scale *= 32**0.5


@pytest.mark.parametrize("error", [swapped_slices, other_epsilon, scaled_logits])
def test_an_error_is_found_in_float64(double: DCAE, error: Callable[[DCAE], AbstractContextManager[None]]) -> None:
    with error(double):
        seen = dcae.observe(double, dcae.picture(SMALL).double())
    figures = dcae.figures(SMALL)
    found = compare.tensor_differences(seen, figures, [*figures.tensors])
    print("\n".join(found))
    assert found


def test_the_work_is_what_the_authors_network_does(network: DCAE) -> None:
    codec = LearnedCodec(network, "dcae", multiple=128)
    calls = {Call.FORWARD: "forward", Call.ENCODE: "compress", Call.DECODE: "decompress"}
    for trace in mac_counter.traces(codec, 768, 512):
        counted, known = trace.summary(), EXPECTED["kmac_per_pixel_512x768"][calls[trace.call]]
        assert counted.kmac_per_pixel == pytest.approx(known["total"], abs=1e-3)
        parts = {part: macs / (768 * 512 * 1000) for part, macs in counted.by_part.items()}
        assert parts == pytest.approx({part: work for part, work in known.items() if part in parts}, abs=1e-3)
        assert not counted.uncounted
        assert counted.serial_steps == (6 if trace.call is Call.DECODE else None)  # z and five slices
        # The encoder leaves out 1280 inputs to 224, 128 and 64 channels at a sixteenth of the sides.
        left_out = 9 * (1280 * 224 + 224 * 128 + 128 * 64) * (768 * 512 // 256) if trace.call is Call.ENCODE else 0
        assert counted.redundant_macs == left_out


def test_leaving_out_redundant_work_changes_no_string(authors_file: Path) -> None:
    codec = codecs.get("dcae").load(codecs.get("dcae").points[0], authors_file)
    assert isinstance(codec, HasParts)
    x = dcae.picture(SMALL)
    strings = codec.network.compress(x)["strings"]  # type: ignore[operator]
    with as_published(codec.network):
        assert codec.network.compress(x)["strings"] == strings  # type: ignore[operator]


@pytest.fixture(scope="module")
def authors_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the authors' training script writes it, of a narrow network."""
    torch.manual_seed(0)
    network = DCAE(NARROW)
    older = {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"}
    state = {}
    for key, tensor in network.state_dict().items():
        for new, old in older.items():
            key = key.replace(f"entropy_bottleneck.{new}", f"entropy_bottleneck.{old}")
        state[f"module.{key}"] = tensor * 3 if key.endswith(("conv.weight", "g_a.6.weight")) else tensor
    path = tmp_path_factory.mktemp("authors") / "checkpoint.pth.tar"
    scheduler = {"milestones": Counter([46]), "last_epoch": 49}
    loss = torch.tensor(0.7)
    torch.save({"epoch": 49, "state_dict": state, "loss": loss, "optimizer": {}, "lr_scheduler": scheduler}, path)
    return path


def test_the_authors_checkpoint_loads_at_its_own_size(authors_file: Path) -> None:
    card = codecs.get("dcae")
    codec = card.load(card.points[0], authors_file)
    assert isinstance(codec, HasParts)
    assert size_of(codec.network.state_dict(), "") == NARROW
    assert compare.layout(codec.network)[0] == "dt 8x32"


def test_a_stream_decodes_alone_at_any_size_and_thread_count(authors_file: Path) -> None:
    card = codecs.get("dcae")
    codec, other = (card.load(card.points[0], authors_file) for _ in range(2))
    for width, height in ((1, 1), (129, 40), (40, 129)):
        image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        assert decoded.shape == image.shape
        with torch_threads(3 - min(2, torch.get_num_threads())):
            assert np.array_equal(other.decode(stream), decoded)


def test_pictures_of_a_batch_are_coded_one_by_one(authors_file: Path) -> None:
    card = codecs.get("dcae")
    codec = card.load(card.points[0], authors_file)
    assert isinstance(codec, HasParts)
    x = torch.cat((dcae.picture(SMALL), dcae.picture(SMALL).flip(2)))
    out = codec.network.compress(x)  # type: ignore[operator]
    decoded = codec.network.decompress(out["strings"], out["shape"])["x_hat"]  # type: ignore[operator]
    alone = codec.network.compress(x[1:])  # type: ignore[operator]
    assert [kind[1:] for kind in out["strings"]] == alone["strings"]
    assert torch.equal(decoded[1:], codec.network.decompress(alone["strings"], alone["shape"])["x_hat"])  # type: ignore[operator]


@pytest.mark.parametrize(
    "state",
    [{"g_a.0.weight": torch.zeros(128, 3, 5, 5)}, {"dt": torch.zeros(128, 640)}],
    ids=["of another network", "of a part"],
)
def test_another_networks_checkpoint_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "other.pth")
    card = codecs.get("dcae")
    with pytest.raises(WeightsError, match="is not a checkpoint of DCAE: there is no"):
        card.load(card.points[0], tmp_path / "other.pth")
