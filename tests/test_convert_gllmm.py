"""Checkpoints in the layout of GLLMM's authors, made here, and what the converter makes of them."""

from __future__ import annotations

import copy
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conformance import probe
from lic_bench.zoo import convert_gllmm
from lic_bench.zoo.networks.gllmm import Gllmm
from safetensors.torch import load_file

from lic_bench import catalogue, cli
from lic_bench.codec import HasParts
from lic_bench.convert import convert
from lic_bench.errors import RequestError, WeightsError

CHANNELS = 16
NUMBERS: dict[str, Any] = json.loads((Path(__file__).parent / "conformance" / "gllmm.json").read_text())
# Which of our layers the examples of each kind stand for.
STANDS_FOR = {
    "c3": "g_a.block1.crm.conv1",
    "f3": "h_s.conv0",
    "f3_ps": "g_s.block0.conv1",
    "t3": "h_s.up1",
    "c1": "g_a.block1.shortcut",
    "c1_ps": "g_s.block0.shortcut",
}


@pytest.mark.parametrize("example", NUMBERS["conversion_examples"], ids=lambda example: example["what"])
def test_a_kernel_becomes_the_one_that_gives_the_same_results(example: dict[str, Any]) -> None:
    theirs = np.array(example["tf"], dtype=np.float32).reshape(example["tf_shape"])
    layer = STANDS_FOR[example["kind"]]
    leaf = "kernel" if theirs.ndim == 4 else "kernel_rdft"
    outputs = example["torch_shape"][1 if example["kind"] == "t3" else 0]
    ours = convert_gllmm.as_ours(f"{layer}.weight", f"scope/{leaf}", theirs, outputs)
    assert list(ours.shape) == example["torch_shape"]
    assert ours.flatten().tolist() == pytest.approx(example["torch"], abs=1e-6)


def test_gdn_becomes_the_one_that_gives_the_same_results() -> None:
    from compressai.layers import GDN

    example = NUMBERS["gdn_example"]
    theirs = np.array(example["reparam_gamma_torch_rows_are_outputs"], dtype=np.float32).T  # stored inputs by outputs
    for name in ("gdn", "igdn"):
        layer = GDN(3, inverse=name == "igdn").double()
        with torch.no_grad():
            gamma = convert_gllmm.as_ours(f"g_a.block0.{name}.gamma", "scope/reparam_gamma", theirs, 3)
            layer.gamma.copy_(torch.from_numpy(gamma.copy()))
            layer.beta.copy_(torch.tensor(example["reparam_beta"]))
        x = torch.tensor(example["x_c_by_2"], dtype=torch.float64)[None, :, :, None]
        assert layer(x)[0, :, :, 0].flatten().tolist() == pytest.approx(np.ravel(example[name]).tolist(), rel=1e-5)


@cache
def network() -> Gllmm:
    """A narrow network with no parameter at its initial value."""
    made = Gllmm(CHANNELS)
    probe.fill(made, 0.5)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if name.endswith(("beta", "gamma", "quantiles")) or "factors" in name or "matrices" in name:
                parameter.add_(0.05 * torch.rand(parameter.shape, generator=torch.Generator().manual_seed(len(name))))
    made.update(force=True)
    return made.eval()


FLIPPED = {f"h_s.conv{i}" for i in (0, 2, 4)} | {"g_s.block3.conv"}
FLIPPED |= {f"g_s.block{i}.crm.conv{c}" for i in range(4) for c in (1, 2)}
FLIPPED |= {f"g_s.block{i}.conv{c}" for i in range(3) for c in (1, 2)}
SHUFFLED = {f"g_s.block{i}.{layer}" for i in range(3) for layer in ("shortcut", "conv1")} | {"g_s.block3.conv"}


def depth_to_space_order(values: np.ndarray) -> np.ndarray:
    """Channel 4 c + q moved to q C + c."""
    channels = len(values) // 4
    return values[[4 * c + q for q in range(4) for c in range(channels)]]


def authors(layer: str) -> str:
    """The authors' scope of one of our convolutions, written out from their naming."""
    part, *rest = layer.split(".")
    top = {"g_a": "analysis", "g_s": "synthesis", "h_a": "hyper_analysis", "h_s": "hyper_synthesis"}.get(part, "")
    if part == "entropy_parameters":
        number = int(rest[0][-1])
        return f"entropy_parameter/layer_{number}/signal_conv2d{f'_{number}' if number else ''}"
    if part in ("h_a", "h_s"):
        return f"{top}/layer_{rest[0][-1]}/signal_conv2d"
    if rest[0].startswith("nlab"):
        inside = "conv_1x1" if rest[1] == "conv" else f"{rest[1]}_RB_{rest[2]}/conv{int(rest[3][-1]) - 1}"
        return f"{top}/NLAB_{rest[0][-1]}/{inside}/signal_conv2d"
    block = int(rest[0][-1])
    behind_residuals = "_1" if part == "g_a" and block else ""
    inside = {
        "shortcut": f"Block_{block}_shortcut",
        "conv": f"Block_{block}_layer_2{behind_residuals}",
        "conv1": f"Block_{block}_layer_2{behind_residuals}",
        "conv2": f"Block_{block}_layer_3{behind_residuals}",
    }.get(rest[1], "")
    if rest[1] == "crm":
        number = int(rest[2][-1]) - 1
        inside = f"Block_{block}_layer_{number}"
        if part == "g_s" and number >= 2:  # their second residual block is called inside the first one's scope
            inside = f"Block_{block}_layer_1/{inside}"
    return f"{top}/{inside}/signal_conv2d"


def fourier(kernel: np.ndarray) -> np.ndarray:
    """A kernel (3 x 3 x inputs x outputs) in TensorFlow Compression's basis of real cosines and sines."""
    angle = 2 * np.pi * np.arange(3) / 3
    basis = np.stack((np.full(3, 3**-0.5), (2 / 3) ** 0.5 * np.cos(angle), -((2 / 3) ** 0.5) * np.sin(angle)), axis=1)
    return np.einsum("rk,cl,rcio->klio", basis, basis, kernel).reshape(9, -1).astype(np.float32)


@cache
def variables() -> dict[str, np.ndarray]:
    """The network as the authors' program would have saved it, with what such checkpoints hold besides."""
    saved: dict[str, np.ndarray] = {"global_step": np.array(1500001), "beta1_power": np.array(0.9, np.float32)}
    for name, parameter in network().named_parameters():
        value = parameter.detach().float().numpy()
        layer, _, leaf = name.rpartition(".")
        if name.startswith("entropy_bottleneck"):
            kind = {"matrices": "matrix", "biases": "bias", "factors": "factor"}.get(name.split(".")[1])
            saved[f"entropy_bottleneck/{kind}_{leaf}" if kind else "entropy_bottleneck/quantiles"] = value
        elif layer == "context_prediction":
            saved[f"entropy_parameter/masked/{'weights' if leaf == 'weight' else 'biases'}"] = (
                value.transpose(2, 3, 1, 0) if leaf == "weight" else value
            )
        elif leaf in ("beta", "gamma"):
            block, _, kind = layer.rpartition(".")
            saved[f"{authors(block + '.conv2')}/{kind}/reparam_{leaf}"] = value.T if leaf == "gamma" else value
        elif leaf == "bias":
            saved[f"{authors(layer)}/bias"] = depth_to_space_order(value) if layer in SHUFFLED else value
        else:
            value = depth_to_space_order(value) if layer in SHUFFLED else value
            kernel = value.transpose((2, 3, 0, 1) if layer.startswith("h_s.up") else (2, 3, 1, 0))
            kernel = kernel[::-1, ::-1] if layer in FLIPPED else kernel
            one = kernel.shape[0] == 1
            saved[f"{authors(layer)}/{'kernel' if one else 'kernel_rdft'}"] = kernel if one else fourier(kernel)
            saved[f"{authors(layer)}/{'kernel' if one else 'kernel_rdft'}/Adam"] = np.zeros(3, np.float32)
    return saved


def test_names_are_those_the_authors_graph_creates() -> None:
    assert {
        "analysis/Block_0_layer_3/signal_conv2d/gdn/reparam_gamma",
        "analysis/Block_1_layer_2_1/signal_conv2d/kernel_rdft",
        "analysis/Block_3_layer_2_1/signal_conv2d/kernel_rdft",
        "analysis/NLAB_0/trunk_RB_2/conv1/signal_conv2d/kernel_rdft",
        "synthesis/NLAB_1/conv_1x1/signal_conv2d/kernel",
        "synthesis/Block_2_layer_1/Block_2_layer_3/signal_conv2d/kernel_rdft",
        "synthesis/Block_3_layer_2/signal_conv2d/bias",
        "hyper_synthesis/layer_3/signal_conv2d/kernel_rdft",
        "entropy_parameter/layer_1/signal_conv2d_1/kernel",
        "entropy_parameter/masked/weights",
        "entropy_bottleneck/matrix_3",
    } <= set(variables())
    assert "analysis/Block_3_layer_2_1/signal_conv2d/bias" not in variables()


def assert_equal_to_the_network(path: Path) -> None:
    state = load_file(path)
    expected = dict(network().named_parameters())
    assert set(state) == set(expected)
    for name, tensor in state.items():
        assert torch.allclose(tensor, expected[name].float(), rtol=0, atol=2e-6), name
    card = catalogue.card("gllmm-128")
    codec = card.load(card.points[0], path)
    assert isinstance(codec, HasParts)
    x = probe.picture(64, 64).double()  # in float32 the smallest difference may round a latent to its other side
    with torch.inference_mode():
        ours, before = codec.network.double()(x), copy.deepcopy(network()).double()(x)
    assert torch.allclose(ours["likelihoods"]["y"], before["likelihoods"]["y"], atol=1e-4)
    assert torch.allclose(ours["x_hat"], before["x_hat"], rtol=1e-3, atol=1e-3)


def test_saved_variables_become_a_checkpoint_that_the_codec_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "model.npz", **variables())
    output = tmp_path / "weights" / "gllmm-128" / "0.0016.safetensors"
    monkeypatch.setattr(sys, "argv", ["lic-bench", "convert", "gllmm", str(tmp_path / "model.npz"), "-o", str(output)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert "holds GLLMM with 16 channels" in capsys.readouterr().out
    assert_equal_to_the_network(output)
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_tensorflows_own_files_become_a_checkpoint_that_the_codec_takes(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TENSORFLOW IS NOT HERE: install lic-bench[tensorflow]")
    prefix = tmp_path / "model.ckpt-1500001"
    names = list(variables())
    tensorflow.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tensorflow.constant(variables()[name]) for name in names],
    )
    for given in (prefix, tmp_path / "model.ckpt-1500001.index", tmp_path / "model.ckpt-1500001.data-00000-of-00001"):
        convert("gllmm", given, tmp_path / "converted.safetensors")
        assert_equal_to_the_network(tmp_path / "converted.safetensors")
    with pytest.raises(WeightsError, match=r"no file other\.index is there"):
        convert("gllmm", tmp_path / "other", tmp_path / "converted.safetensors")


def test_without_tensorflow_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # what Python does where a package is missing
    with pytest.raises(RequestError, match=r"takes TensorFlow, which is not installed: `pip install 'lic-bench\[tens"):
        convert("gllmm", tmp_path / "model.ckpt", tmp_path / "converted.safetensors")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    left = {name: value for name, value in variables().items() if "NLAB_1/conv_1x1" not in name}
    with pytest.raises(WeightsError, match=r"is not a checkpoint of GLLMM: it has no analysis/NLAB_1/conv_1x1/"):
        convert_gllmm.converted(left)
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(WeightsError, match=r"other\.npz is not a checkpoint of GLLMM: it has no .* and \d+ more\."):
        convert("gllmm", tmp_path / "other.npz", tmp_path / "x.safetensors")


def test_a_variable_of_another_size_is_named() -> None:
    wrong = variables() | {authors("h_a.conv1") + "/kernel_rdft": np.zeros((9, 100), np.float32)}
    with pytest.raises(WeightsError, match=r"hyper_analysis/layer_1/signal_conv2d/kernel_rdft is \(9, 100\)"):
        convert_gllmm.converted(wrong)


@pytest.mark.parametrize(
    ("family", "checkpoint", "output", "said"),
    [
        ("glmm", "x.npz", "x.safetensors", "No checkpoints of 'glmm' can be converted, only those of gllmm"),
        ("gllmm", "x.npz", "x.pth", "another ending"),
        ("gllmm", "x.npz", "x.safetensors", "There is no checkpoint at"),
    ],
)
def test_a_wrong_request_is_answered_by_a_sentence(
    family: str, checkpoint: str, output: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises((RequestError, WeightsError), match=said):
        convert(family, tmp_path / checkpoint, tmp_path / output)
