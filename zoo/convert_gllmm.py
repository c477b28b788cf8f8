"""The checkpoints of GLLMM's authors, made by TensorFlow 1, turned into ours.

TensorFlow Compression keeps 3x3 kernels in a Fourier basis, has convolutions that flip their kernels, orders kernels'
axes and the channels before a pixel shuffle differently, and stores gamma of GDN the other way round. Variables that
the network does not need (coder tables, optimiser slots, the global step) are left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lic_bench.errors import RequestError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float32]

_NO_TENSORFLOW = (
    "Reading a TensorFlow checkpoint takes TensorFlow, which is not installed: `pip install 'lic-bench[tensorflow]'`. "
    "Or save the checkpoint's variables by name into an .npz file where TensorFlow is, and give that file."
)
_ONE_FILE = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")
# Declared as convolutions without upsampling, which flip their kernels; all others are declared as correlations.
_FLIPPED = re.compile(r"h_s\.conv\d|g_s\.block\d\.(crm\.conv[12]|conv[12]?)")
_TRANSPOSED = re.compile(r"h_s\.up\d")
_BEFORE_SHUFFLE = re.compile(r"g_s\.block[012]\.(shortcut|conv1)|g_s\.block3\.conv")
_WITHOUT_BIAS = ("g_a.block3.conv", "entropy_parameters.conv2")


def convert(checkpoint: Path, output: Path) -> str:
    """Write our checkpoint of an authors' one as safetensors; returns a sentence about what it is.

    `checkpoint` is what TensorFlow saved (the common prefix of its files, or one of them), or an .npz file with the
    variables by name. Raises WeightsError when it is not GLLMM's, RequestError when TensorFlow is missing.
    """
    from safetensors.torch import save_file

    from lic_bench.assets import checkpoints
    from lic_bench.assets.files import draft_beside

    from .gllmm import with_constants
    from .networks.gllmm import Gllmm

    if output.suffix != ".safetensors":
        raise RequestError(f"The converted checkpoint is a .safetensors file; {output.name!r} has another ending.")
    state = converted(variables(checkpoint), str(checkpoint))
    channels = state["g_a.block3.conv.weight"].shape[0]
    checkpoints.load_strictly(Gllmm(channels), with_constants(state), f"GLLMM with {channels} channels ({checkpoint})")
    with draft_beside(output) as draft:
        save_file(state, draft)
    return f"{output} holds GLLMM with {channels} channels; give it to gllmm-{channels} by --weights."


def variables(checkpoint: Path) -> dict[str, Any]:
    """The variables of a TensorFlow checkpoint, or of an .npz file, by name."""
    if checkpoint.suffix == ".npz":
        return _archived(checkpoint)
    try:
        import tensorflow
    except ImportError:
        raise RequestError(_NO_TENSORFLOW) from None
    prefix = checkpoint.with_name(_ONE_FILE.sub("", checkpoint.name))
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        raise WeightsError(f"There is no TensorFlow checkpoint at {prefix}: no file {prefix.name}.index is there.")
    try:
        reader = tensorflow.train.load_checkpoint(str(prefix))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except Exception as error:  # TensorFlow has errors of its own for files that are cut, damaged or not all there
        raise WeightsError(f"{prefix} cannot be read as a TensorFlow checkpoint: {error}.") from error


def _archived(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"There is no checkpoint at {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is no .npz file of arrays: {error}.") from error


def converted(arrays: Mapping[str, Any], origin: str = "this checkpoint") -> dict[str, Tensor]:
    """Our state dict, in float32, from the authors' variables.

    Raises WeightsError that names variables which are missing or have impossible sizes.
    """
    import torch

    wanted = dict(_sources())
    missing = [names[0] for names in wanted.values() if not any(name in arrays for name in names)]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise WeightsError(f"{origin} is not a checkpoint of GLLMM: it has no {', '.join(missing[:4])}{more}.")
    found = {}
    for ours, names in wanted.items():
        theirs = next(name for name in names if name in arrays)
        value = np.asarray(arrays[theirs], dtype=np.float32)
        outputs = _outputs(ours, arrays)
        try:
            found[ours] = torch.from_numpy(np.ascontiguousarray(as_ours(ours, theirs, value, outputs)))
        except ValueError as error:
            raise WeightsError(f"{origin}: {theirs} is {value.shape} and cannot become {ours}: {error}.") from error
    return found


def _outputs(ours: str, arrays: Mapping[str, Any]) -> int:
    """How many channels a layer gives, which a kernel in the Fourier basis does not show."""
    layer = ours.rpartition(".")[0]
    width = layer if layer in layers() and layer not in _WITHOUT_BIAS else "h_a.conv0"
    return len(arrays[f"{layers()[width]}/bias"])


def as_ours(ours: str, theirs: str, value: Array, outputs: int) -> Array:
    """One variable as our tensor of that name; `outputs` is how many channels its layer gives."""
    layer, _, leaf = ours.rpartition(".")
    if leaf == "gamma":
        return value.T
    shuffled = bool(_BEFORE_SHUFFLE.fullmatch(layer))
    if leaf == "bias" and shuffled:
        return regrouped(value)
    if leaf != "weight":
        return value
    if theirs.endswith("/kernel_rdft"):
        value = from_fourier(value, outputs)
    if _FLIPPED.fullmatch(layer) and value.shape[0] > 1:
        value = value[::-1, ::-1]
    kernel = value.transpose(2, 3, 0, 1) if _TRANSPOSED.fullmatch(layer) else value.transpose(3, 2, 0, 1)
    return regrouped(kernel) if shuffled else kernel


def from_fourier(coefficients: Array, outputs: int) -> Array:
    """A 3x3 kernel, 3 x 3 x inputs x outputs, from its coefficients, 9 x (inputs * outputs)."""
    a, b, c = 1 / math.sqrt(3), math.sqrt(2 / 3), 1 / math.sqrt(2)
    basis = np.array([[a, b, 0], [a, -b / 2, -c], [a, -b / 2, c]])
    kernel = np.kron(basis, basis) @ coefficients.astype(np.float64)
    return kernel.reshape(3, 3, -1, outputs).astype(np.float32)


def regrouped(values: Array) -> Array:
    """Output channels (first axis) from the order of TensorFlow's depth to space to that of PyTorch's pixel shuffle.

    Channel c of C at quadrant q is number q C + c there and 4 c + q here.
    """
    quarter = values.reshape(4, -1, *values.shape[1:])
    return np.ascontiguousarray(quarter.swapaxes(0, 1)).reshape(values.shape)


def _sources() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each of our tensors and the names that the variable it comes from may have."""
    for layer, scope in layers().items():
        yield f"{layer}.weight", (f"{scope}/kernel_rdft", f"{scope}/kernel")
        if layer not in _WITHOUT_BIAS:
            yield f"{layer}.bias", (f"{scope}/bias",)
    for part, block in (*(("g_a", i) for i in range(3)), *(("g_s", i) for i in range(3))):
        name = "gdn" if part == "g_a" else "igdn"
        scope = layers()[f"{part}.block{block}.conv2"]
        for leaf in ("beta", "gamma"):
            yield f"{part}.block{block}.{name}.{leaf}", (f"{scope}/{name}/reparam_{leaf}",)
    for ours, theirs in (("weight", "weights"), ("bias", "biases")):
        yield f"context_prediction.{ours}", (f"entropy_parameter/masked/{theirs}",)
    for ours, theirs, count in (("matrices", "matrix", 4), ("biases", "bias", 4), ("factors", "factor", 3)):
        for i in range(count):
            yield f"entropy_bottleneck.{ours}.{i}", (f"entropy_bottleneck/{theirs}_{i}",)
    yield "entropy_bottleneck.quantiles", ("entropy_bottleneck/quantiles",)


def layers() -> dict[str, str]:
    """Our convolutions and the scopes of the authors' (names as their published graph creates them)."""
    hyper = ("conv0", "up1", "conv2", "up3", "conv4")
    scopes = {
        **_attention("g_a", "analysis"),
        **_attention("g_s", "synthesis"),
        **{f"h_a.conv{i}": f"hyper_analysis/layer_{i}" for i in range(5)},
        **{f"h_s.{ours}": f"hyper_synthesis/layer_{i}" for i, ours in enumerate(hyper)},
        "g_a.block3.conv": "analysis/Block_3_layer_2_1",
        "g_s.block3.conv": "synthesis/Block_3_layer_2",
    }
    for i in range(3):  # a scope that is entered again gets the suffix _1, which is so behind g_a's residuals
        again = "_1" if i else ""
        scopes[f"g_a.block{i}.shortcut"] = f"analysis/Block_{i}_shortcut"
        scopes[f"g_a.block{i}.conv1"] = f"analysis/Block_{i}_layer_2{again}"
        scopes[f"g_a.block{i}.conv2"] = f"analysis/Block_{i}_layer_3{again}"
        scopes[f"g_s.block{i}.shortcut"] = f"synthesis/Block_{i}_shortcut"
        scopes[f"g_s.block{i}.conv1"] = f"synthesis/Block_{i}_layer_2"
        scopes[f"g_s.block{i}.conv2"] = f"synthesis/Block_{i}_layer_3"
    for i in range(1, 4):
        scopes |= {f"g_a.block{i}.crm.conv{c}": f"analysis/Block_{i}_layer_{c - 1}" for c in range(1, 5)}
    for i in range(4):
        first, second = f"synthesis/Block_{i}_layer_0", f"synthesis/Block_{i}_layer_1"
        inner = (first, second, f"{second}/Block_{i}_layer_2", f"{second}/Block_{i}_layer_3")
        scopes |= {f"g_s.block{i}.crm.conv{c}": scope for c, scope in enumerate(inner, start=1)}
    found = {ours: f"{scope}/signal_conv2d" for ours, scope in scopes.items()}
    for i, number in enumerate(("", "_1", "_2")):
        found[f"entropy_parameters.conv{i}"] = f"entropy_parameter/layer_{i}/signal_conv2d{number}"
    return found


def _attention(part: str, scope: str) -> dict[str, str]:
    """The convolutions of the two attention blocks of a transform."""
    found = {}
    for k in range(2):
        for branch in ("trunk", "attention"):
            for r in range(3):
                for c in range(1, 4):
                    theirs = f"{scope}/NLAB_{k}/{branch}_RB_{r}/conv{c - 1}"
                    found[f"{part}.nlab{k}.{branch}.{r}.conv{c}"] = theirs
        found[f"{part}.nlab{k}.conv"] = f"{scope}/NLAB_{k}/conv_1x1"
    return found
