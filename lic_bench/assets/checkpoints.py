"""Reads checkpoints without running their code, puts them into one form, and loads them into networks strictly.

Raises WeightsError for whatever is not a checkpoint of the network asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lic_bench.errors import WeightsError

SEED = 2018
"""The seed of untrained networks' weights."""

TABLES = ("_quantized_cdf", "_cdf_length", "_offset", "scale_table")
"""Buffers that `update(force=True)` computes from the weights; their sizes differ from checkpoint to checkpoint."""

_WRAPPERS = ("state_dict", "network", "model", "model_state_dict", "net")
# CompressAI's factorized prior: "_matrices.0" before 1.1, "_matrix0" up to 1.2.6, "matrices.0" since.
_PRIOR_NAMES = {
    "_matrix": "matrices", "_matrices": "matrices",
    "_bias": "biases", "_biases": "biases",
    "_factor": "factors", "_factors": "factors",
}  # fmt: skip
_OLD_PRIOR = re.compile(r"(^|\.)(_matrix|_matrices|_bias|_biases|_factor|_factors)\.?(\d+)$")
_SHOWN = 8  # how many names an error lists


@dataclass(frozen=True)
class Layout:
    """How a checkpoint is laid out.

    `wrappers` are the keys around the tensors from the outside in, `beside` the other keys next to them. `types` are
    those of the tensors ("float32"). `parallel` says that names begin with "module.", `old_prior` that the factorized
    prior is named as before CompressAI 1.2.7, `tables` whether the entropy coder's tables are filled, None without any.
    """

    wrappers: tuple[str, ...]
    beside: tuple[str, ...]
    tensors: int
    types: tuple[str, ...]
    parallel: bool = False
    old_prior: bool = False
    tables: bool | None = None

    @property
    def text(self) -> str:
        """The layout as shown to people."""
        where = f"a state dict under {'/'.join(self.wrappers)}" if self.wrappers else "a bare state dict"
        parts = [f"{where} of {self.tensors} tensors ({', '.join(self.types)})"]
        if self.beside:
            parts.append(f"beside it {_first_few(self.beside)}")
        if self.parallel:
            parts.append('names begin with "module.", as several GPUs leave them')
        if self.old_prior:
            parts.append("the factorized prior is named as before CompressAI 1.2.7")
        if self.tables is not None:
            filled = "filled" if self.tables else "empty"
            parts.append(f"the entropy coder's tables are in it, {filled}, and computed anew")
        return "; ".join(parts)


def layout(path: Path) -> Layout:
    """The layout of a `.safetensors` file or a PyTorch checkpoint. WeightsError for what cannot be read."""
    state, wrappers, beside = _unwrapped(_open(path))
    names = [key for key in state if isinstance(key, str)] if isinstance(state, Mapping) else []
    tensors = {name: state[name] for name in names if isinstance(state[name], Tensor)}
    tables = [tensor for name, tensor in tensors.items() if _is_table(name)]
    return Layout(
        wrappers=tuple(wrappers),
        beside=tuple(sorted(map(str, beside))),
        tensors=len(tensors),
        types=tuple(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()})),
        parallel=any(name.startswith("module.") for name in names),
        old_prior=any(_OLD_PRIOR.search(name) for name in names),
        tables=any(table.numel() for table in tables) if tables else None,
    )


def read(path: Path) -> dict[str, Tensor]:
    """The state dict (see `normalise`) of a `.safetensors` file or a PyTorch checkpoint, on the CPU.

    A pickle is opened with PyTorch's restricted unpickler, which builds tensors and plain containers only; one that
    would run code is refused before it does.
    """
    return normalise(_open(path), str(path))


def normalise(loaded: Any, origin: str = "this checkpoint") -> dict[str, Tensor]:
    """A flat state dict with today's names from what a file held.

    Takes tensors out of wrappers ("state_dict", "network", ...), drops a leading "module." (DataParallel), renames
    the factorized prior's tensors under any prefix, and leaves out the entropy coder's tables, filled or empty: call
    `update(force=True)` on the network afterwards, which computes them anew from the weights.
    """
    state, _, _ = _unwrapped(loaded)
    if not isinstance(state, Mapping) or not any(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{origin} holds no network: there is no dictionary of tensors in it.")
    stray = [key for key, value in state.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if stray:
        raise WeightsError(f"{origin} holds things that are not tensors: {_first_few(map(str, stray))}.")
    return {_rename(key): tensor for key, tensor in state.items() if not _is_table(key)}


@contextmanager
def fixed_seed() -> Iterator[None]:
    """Draw torch's random numbers on the CPU from SEED inside, and go back to the state before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        yield


def build(make: Callable[[], nn.Module], state: Mapping[str, Tensor] | None, name: str) -> Any:
    """The network that `make` builds, with a normalised state dict, or with weights of a fixed seed without one.

    Ready to code: in evaluation mode, with the entropy coder's tables computed from the weights. `name` says in the
    WeightsError what the state dict does not fit.
    """
    with fixed_seed():
        network: Any = make()
    if state is not None:
        load_strictly(network, state, name)
    network.update(force=True)
    return network.eval()


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load a normalised state dict into a network; every tensor must be there, fit, and be wanted.

    The entropy coder's tables are neither wanted nor loaded. `name` says in the error what was loaded.
    """
    wanted = {key: value for key, value in network.state_dict().items() if not _is_table(key)}
    wrong = [f"{key} is missing" for key in wanted if key not in state]
    wrong += [f"{key} is not part of the network" for key in state if key not in wanted]
    wrong += [
        f"{key} is {_shape(state[key])} instead of {_shape(value)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    if wrong:
        raise WeightsError(f"The checkpoint does not fit {name}: {_first_few(wrong, '; ')}.")
    # Past the comparison above only the tables can be missing; CompressAI's own load_state_dict insists on them.
    nn.Module.load_state_dict(network, dict(state), strict=False)


def _is_table(key: str) -> bool:
    """Whether a tensor is one of the entropy coder's tables."""
    return key.rpartition(".")[2] in TABLES


def _unwrapped(loaded: Any) -> tuple[Any, list[str], list[Any]]:
    """The content of all wrappers, their keys from the outside in, and the keys beside them."""
    state, wrappers, beside = loaded, [], []
    while isinstance(state, Mapping):
        inside = [key for key in _WRAPPERS if isinstance(state.get(key), Mapping)]
        if not inside:
            break
        wrappers.append(inside[0])
        beside += [key for key in state if key != inside[0]]
        state = state[inside[0]]
    return state, wrappers, beside


def _rename(key: str) -> str:
    """A tensor's name without "module." and with today's names of the factorized prior."""
    while key.startswith("module."):
        key = key.removeprefix("module.")
    return _OLD_PRIOR.sub(lambda found: f"{found[1]}{_PRIOR_NAMES[found[2]]}.{found[3]}", key)


def _open(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"There is no checkpoint at {path}.")
    return _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dictionary
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as safetensors: {_why(path)}.") from error


def _pickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is no checkpoint can fail in any way inside an unpickler
        # PyTorch's own message is not shown: it advises to run the file's code.
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked is None:
            raise WeightsError(f"{path} is no PyTorch checkpoint: {_why(path)}.") from error
        raise WeightsError(
            f"{path} was refused: reading it would run code ({asked[1]}), and a checkpoint is nothing but tensors. "
            "If you trust it, save its state_dict alone, as .safetensors, and give that file."
        ) from error


def _why(path: Path) -> str:
    """What is most likely wrong with a file that could not be read."""
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if not start:
        return "it is empty"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, not a file of weights; the download was answered by a page"
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file itself"
    return f"its {path.stat().st_size:,} bytes are of another format, damaged or cut short"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a scalar"


def _first_few(items: Iterable[str], between: str = ", ") -> str:
    """The first few of some items, and how many more there are."""
    everything = list(items)
    more = f"{between}and {len(everything) - _SHOWN} more" if len(everything) > _SHOWN else ""
    return between.join(everything[:_SHOWN]) + more
