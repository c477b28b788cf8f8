"""Checkpoints: read without running code, put into one form, and loaded strictly."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lic_bench.assets.checkpoints import Layout, build, fixed_seed, layout, load_strictly, normalise, read
from lic_bench.errors import WeightsError


class Prior(nn.Module):
    """The names of a factorized prior, small: two matrices, and the entropy coder's tables."""

    def __init__(self) -> None:
        super().__init__()
        self.matrices = nn.ParameterList([nn.Parameter(torch.full((2,), float(k))) for k in range(2)])
        self.biases = nn.ParameterList([nn.Parameter(torch.full((3,), 5.0))])
        self.register_buffer("_quantized_cdf", torch.IntTensor())
        self.register_buffer("_cdf_length", torch.IntTensor())
        self.register_buffer("_offset", torch.IntTensor())


class Network(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.g_a = nn.Conv2d(3, width, 3)
        self.deep = nn.ModuleDict({"prior": Prior()})


def state() -> dict[str, Tensor]:
    return dict(Network().state_dict())


def kept() -> set[str]:
    return {"g_a.weight", "g_a.bias", "deep.prior.matrices.0", "deep.prior.matrices.1", "deep.prior.biases.0"}


@pytest.mark.parametrize("wrapper", ["state_dict", "network", "model"])
def test_tensors_are_taken_out_of_their_wrapper(wrapper: str) -> None:
    assert set(normalise({"epoch": 3, wrapper: state(), "optimizer": {"lr": 0.1}})) == kept()


def test_a_wrapper_in_a_wrapper_is_opened_too() -> None:
    assert set(normalise({"state_dict": {"network": state()}})) == kept()


@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
def test_the_prefix_of_parallel_training_is_dropped(prefix: str) -> None:
    assert set(normalise({prefix + key: tensor for key, tensor in state().items()})) == kept()


@pytest.mark.parametrize(
    ("matrices", "biases"), [("_matrix", "_bias"), ("_matrices.", "_biases."), ("matrices.", "biases.")]
)
@pytest.mark.parametrize("prefix", ["", "entropy_bottleneck.", "latent_codec.hyper.entropy_bottleneck."])
def test_every_name_the_prior_ever_had_is_understood(prefix: str, matrices: str, biases: str) -> None:
    old = {f"{prefix}{matrices}0": torch.ones(1), f"{prefix}{biases}3": torch.ones(1)}
    assert set(normalise(old)) == {f"{prefix}matrices.0", f"{prefix}biases.3"}


@pytest.mark.parametrize("filled", [False, True])
def test_the_entropy_coders_tables_are_left_out(filled: bool) -> None:
    table = torch.ones(7, dtype=torch.int32) if filled else torch.IntTensor()
    names = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")
    assert set(normalise({"x.weight": torch.ones(1)} | {f"x.{name}": table for name in names})) == {"x.weight"}


@pytest.mark.parametrize("held", [[1, 2], {"epoch": 3}, {}, torch.ones(3), {"state_dict": {}}])
def test_what_holds_no_network_is_refused(held: object) -> None:
    with pytest.raises(WeightsError, match="holds no network"):
        normalise(held, "x.pth")


def test_a_network_among_other_things_is_refused() -> None:
    with pytest.raises(WeightsError, match="not tensors: epoch"):
        normalise({**state(), "epoch": 3})


def test_a_fitting_checkpoint_fills_the_network() -> None:
    filled, given = Network(), normalise({key: tensor + 1 for key, tensor in state().items()})
    load_strictly(filled, given, "Network")
    assert all(torch.equal(filled.state_dict()[key], given[key]) for key in kept())


def test_what_does_not_fit_is_named() -> None:
    given = normalise(state())
    given["g_a.extra"] = given.pop("g_a.bias")
    given["g_a.weight"] = torch.ones(5, 3, 3, 3)
    with pytest.raises(WeightsError) as refusal:
        load_strictly(Network(), given, "Network (x.pth)")
    assert str(refusal.value) == (
        "The checkpoint does not fit Network (x.pth): g_a.bias is missing; g_a.extra is not part of the network; "
        "g_a.weight is 5x3x3x3 instead of 4x3x3x3."
    )


def test_of_many_differences_eight_are_named() -> None:
    given = normalise(state()) | {f"other.{k}": torch.ones(1) for k in range(11)}
    with pytest.raises(WeightsError, match=r"other\.7 is not part of the network; and 3 more\."):
        load_strictly(Network(), given, "Network")


def test_a_refused_checkpoint_leaves_the_network_as_it_was() -> None:
    network = Network()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with pytest.raises(WeightsError):
        load_strictly(network, {"g_a.bias": torch.ones(4)}, "Network")
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in before.items())


@pytest.mark.parametrize("old_format", [False, True])
def test_pytorch_files_are_read(tmp_path: Path, old_format: bool) -> None:
    path = tmp_path / "3.pth.tar"
    torch.save({"state_dict": state()}, path, _use_new_zipfile_serialization=not old_format)
    assert set(read(path)) == kept()


def test_safe_tensors_are_read(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "3.safetensors")
    assert set(read(tmp_path / "3.safetensors")) == kept()


class Bomb:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("saved_by", ["torch", "torch, old format", "pickle"])
def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, saved_by: str) -> None:
    path, made = tmp_path / "bomb.pth.tar", tmp_path / "made"
    if saved_by == "pickle":
        path.write_bytes(pickle.dumps({"bomb": Bomb(made)}, protocol=2))
    else:
        zipped = saved_by == "torch"
        torch.save({"state_dict": state(), "bomb": Bomb(made)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"was refused: reading it would run code .*mkdir"):
        read(path)
    assert not made.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_of_protocol_4_runs_no_code_either(tmp_path: Path) -> None:
    path, made = tmp_path / "bomb.pth.tar", tmp_path / "made"
    path.write_bytes(pickle.dumps({"bomb": Bomb(made)}, protocol=4))
    with pytest.raises(WeightsError) as refusal:
        read(path)
    assert "weights_only" not in str(refusal.value)
    assert not made.exists()


@pytest.mark.parametrize("suffix", [".pth.tar", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html>Quota exceeded</html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "108 bytes are of another format"),
        (b"just text", "9 bytes are of another format"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_words(tmp_path: Path, suffix: str, content: bytes, sentence: str) -> None:
    path = tmp_path / f"3{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=sentence):
        read(path)


@pytest.mark.parametrize("suffix", [".pth.tar", ".safetensors"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"3{suffix}"
    if suffix == ".safetensors":
        save_file(state(), path)
    else:
        torch.save(state(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=str(path)):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no checkpoint at .*gone\.pth"):
        read(tmp_path / "gone.pth")


def test_the_layout_of_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "3.pth.tar"
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": tensor for key, tensor in state().items()}}, path)
    found = layout(path)
    # Five weights and three empty tables.
    assert found == Layout(("state_dict",), ("epoch",), 8, ("float32", "int32"), parallel=True, tables=False)
    assert found.text == (
        "a state dict under state_dict of 8 tensors (float32, int32); beside it epoch; "
        'names begin with "module.", as several GPUs leave them; '
        "the entropy coder's tables are in it, empty, and computed anew"
    )


def test_the_layout_of_a_bare_state_dict(tmp_path: Path) -> None:
    save_file(
        {"deep._matrix0": torch.ones(2), "deep._offset": torch.ones(3, dtype=torch.int32)}, tmp_path / "x.safetensors"
    )
    found = layout(tmp_path / "x.safetensors")
    assert found == Layout((), (), 2, ("float32", "int32"), old_prior=True, tables=True)
    assert found.text == (
        "a bare state dict of 2 tensors (float32, int32); the factorized prior is named as before CompressAI 1.2.7; "
        "the entropy coder's tables are in it, filled, and computed anew"
    )


class Coder(Network):
    """Computes its tables as networks of CompressAI do."""

    updates = 0

    def update(self, force: bool) -> None:
        assert force
        self.updates += 1


def test_a_network_is_built_with_the_seed_or_a_checkpoint() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    untrained = build(Coder, None, "Coder")
    assert torch.equal(torch.rand(1), expected)  # the caller's random numbers go on as before
    with fixed_seed():
        assert torch.equal(Coder().g_a.weight, untrained.g_a.weight)
    given = normalise({key: tensor + 1 for key, tensor in state().items()})
    trained = build(Coder, given, "Coder")
    assert torch.equal(trained.g_a.weight, given["g_a.weight"])
    assert (untrained.updates, trained.updates, untrained.training, trained.training) == (1, 1, False, False)
