"""One pass of each family's network, and its figures, in the one form that `compare` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from conformance import compare, probe
from conformance.compare import Figures, Group, Seen
from lic_bench.zoo.networks.flic import FLIC
from lic_bench.zoo.networks.gllmm import Gllmm
from lic_bench.zoo.networks.mixture import mixture
from lic_bench.zoo.networks.mlic import MLIC, VARIANTS
from lic_bench.zoo.networks.tcm import TCM
from torch import Tensor, nn

from lic_bench.codec import HasParts
from lic_bench.registry import codecs

TCM_WIDTHS = {"tcm-small": 64, "tcm-middle": 96, "tcm-large": 128}
ELIC_FIGURES = {"elic": "elic-official", "elic-chandelier": "elic-chandelier"}
SLICE = 64  # of FLIC's latent


def filled(name: str) -> nn.Module:
    """A family's network as `probe` fills it, in float32, and with the tables made in float32, as the authors' are."""
    network: nn.Module
    if name in TCM_WIDTHS:
        network = TCM(TCM_WIDTHS[name])
    elif name in VARIANTS:
        network = MLIC(VARIANTS[name])
    elif name in ELIC_FIGURES:
        codec = codecs.get(name).load(codecs.get(name).points[0])
        assert isinstance(codec, HasParts)
        network = codec.network
    else:
        network = FLIC()
    probe.fill(network, figures_file(name)["gain"])
    network.update(force=True)  # type: ignore[operator]
    return network.eval()


def figures_file(name: str) -> Any:
    """The file of figures of a network."""
    return compare.expected(ELIC_FIGURES.get(name, name))


def figures(name: str, size: str = "256x256") -> Figures:
    """The authors' figures of a network for a picture of 256x256, or of MLIC's for one of 256x384."""
    file = figures_file(name)
    known = compare.expected("z")[name]
    z = {"z_symbols": known["symbols"][size], "z_table": known["table"]}
    if name in VARIANTS:
        mlic = file["pictures"][size]
        return Figures(
            {k: v for k, v in mlic.items() if isinstance(v, dict) and "at" in v},
            {k: mlic[f"bits_{k}"] for k in "yz"},
            [int(crc, 16) for crc in mlic["symbols"]],
            [int(crc, 16) for crc in mlic["indexes"]],
            [int(mlic["crc32_y"], 16)],
            int(mlic["crc32_z"], 16),
            **z,
        )
    forward, crc = file["forward_256x256"], file["coding_256x256"]["crc32"]
    tensors = {k: v for k, v in forward.items() if isinstance(v, dict)}
    bits = {k: forward[f"bits_{k}"] for k in "yz"}
    if name in TCM_WIDTHS:
        symbols, indexes = [crc["symbols_int32_le"]], [crc["indexes_int32_le"]]
        return Figures(tensors, bits, symbols, indexes, [crc["y_string"]], crc["z_string"], **z)
    if name in ELIC_FIGURES:
        return Figures(tensors, bits, y_strings=crc[:-1], z_string=crc[-1], **z)
    return Figures(tensors, bits, [crc["symbols_int32_le"]], z_string=crc["z_string"], **z)


@contextmanager
def heard(*listeners: tuple[nn.Module, Callable[..., None]]) -> Iterator[None]:
    """Each listener is given the arguments and the result of every call of its module."""

    def hook(tell: Callable[..., None]) -> Callable[..., None]:
        def hear(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], out: Any) -> None:
            tell((*arguments, *named.values()), out)

        return hear

    handles = [module.register_forward_hook(hook(tell), with_kwargs=True) for module, tell in listeners]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def observe(name: str, network: nn.Module, x: Tensor) -> Seen:
    """What one forward pass of a family's network gives."""
    part = network.get_submodule
    inside = "latent_codec.hyper." if name in ELIC_FIGURES else ""
    tensors: dict[str, Tensor] = {}
    y: list[Group] = []
    gaussians: list[tuple[Tensor, Tensor]] = []
    listeners: list[tuple[nn.Module, Callable[..., None]]] = [
        (part("g_a"), lambda _, out: tensors.update(y=out)),
        (part(f"{inside}h_a"), lambda _, out: tensors.update(z=out)),
        (part("g_s"), lambda given, _: tensors.update(y_hat=given[0], y_hat_into_g_s=given[0])),
    ]
    conditional: nn.Module | None = None
    if name in ELIC_FIGURES:
        codecs: Any = part("latent_codec.y.latent_codec")
        conditional = codecs["y0"]["y"].gaussian_conditional
        listeners += [(codecs[k]["y"].gaussian_conditional, _halves(k, codecs[k], y)) for k in codecs]
    elif name == "flic":
        names = ("means", "scales", "lrp_before_tanh")
        listeners.append((part("tca"), lambda _, out: tensors.update(zip(names, out, strict=True))))
    else:
        conditional = part("gaussian_conditional")
        listeners.append((conditional, one_group(conditional, y, 2 if name in VARIANTS else 1)))
        listeners.append((conditional, lambda given, _: gaussians.append(given[1:])))
    if name in VARIANTS:
        listeners.append((part("h_s"), lambda _, out: tensors.update(hyper_params=out)))
    with heard(*listeners):
        out = network(x)
    tensors["x_hat"] = out["x_hat"]
    if name in TCM_WIDTHS:
        tensors["scales"], tensors["means"] = (torch.cat(p, dim=1) for p in zip(*gaussians, strict=True))
    for latent, likelihoods in out["likelihoods"].items():
        tensors[f"likelihoods_{latent}"] = tensors[f"{latent}_likelihoods"] = likelihoods
    if name == "flic":
        y += [Group(f"slice {i}", p.permute(0, 2, 3, 1)) for i, p in enumerate(tensors["y"].split(SLICE, dim=1))]
    prior: Any = part(f"{inside}entropy_bottleneck")
    z = Group("z", tensors["z"] - prior._get_medians().view(1, -1, 1, 1))
    return Seen(tensors, z, y, prior, conditional, string_per_group=name in ELIC_FIGURES)


def one_group(conditional: Any, y: list[Group], per_slice: int) -> Callable[..., None]:
    """A listener that takes each call as the next group."""

    def tell(given: Any, _: Any) -> None:
        values, scales, means = given
        half = (", anchors", ", others")[len(y) % 2] if per_slice == 2 else ""
        y.append(Group(f"slice {len(y) // per_slice}{half}", values - means, scales, conditional.scale_table))

    return tell


def _halves(name: str, codec: Any, y: list[Group]) -> Callable[..., None]:
    """A listener that takes each call as the next two groups, anchors first."""

    def tell(given: Any, _: Any) -> None:
        values, scales, means = given
        halves = zip(("anchors", "others"), codec.unembed(values - means), codec.unembed(scales), strict=True)
        table = codec["y"].gaussian_conditional.scale_table
        y.extend(Group(f"slice {name[1:]}, {half}", v, s, table) for half, v, s in halves)

    return tell


@torch.no_grad()
def gllmm_differences(network: Gllmm, case: dict[str, Any]) -> list[str]:
    """How GLLMM in float64 differs from one case of its figures, which were taken in float64 too."""
    x = probe.picture(*case["image"]).double()
    y = network.g_a(x)
    z = network.h_a(y)
    z_hat, z_likelihoods = network.entropy_bottleneck(z)
    raw = network.numbers(torch.round(y), z_hat)
    described = mixture(raw[0].unflatten(0, (30, -1)))
    out = network(x)
    by_component = dict(zip(("w_gauss", "w_laplace", "w_logistic"), described.within, strict=True))
    ours = {
        "y": y,
        "y_hat": torch.round(y),
        "z": z,
        "z_hat": z_hat,
        "z_likelihoods": z_likelihoods,
        "phi": network.h_s(z_hat),
        "entropy_parameters_raw": raw,
        "y_likelihoods": out["likelihoods"]["y"],
        "x_hat": out["x_hat"],
        **{name: t.movedim(0, -1) for name, t in {"pi": described.families, **by_component}.items()},
        **{name: t.movedim(0, -1) for name, t in {"means": described.means, "scales": described.scales}.items()},
    }
    compared = [name for name, theirs in case.items() if isinstance(theirs, dict)]
    assert len(compared) >= 6
    found = []
    for name in compared:
        assert list(ours[name].shape) == case[name]["shape"], name
        theirs = torch.tensor(case[name]["values"], dtype=torch.float64)
        if not torch.allclose(ours[name].flatten()[case[name]["at"]], theirs, rtol=1e-7, atol=1e-12):
            found.append(f"{name} differs")
    for name, likelihoods in out["likelihoods"].items():
        bits = float(-torch.log2(likelihoods.double()).sum())
        if not abs(bits / case[f"bits_{name}"] - 1) < 1e-7:
            found.append(f"{name} takes {bits:.2f} bits, not {case[f'bits_{name}']:.2f}")
    return found
