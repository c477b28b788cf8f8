"""What CompressAI's published networks share: how their operating points are described, and how they are loaded.

CompressAI (https://github.com/InterDigitalInc/CompressAI, BSD-3-Clause-Clear) numbers its checkpoints by quality and
puts the first eight digits of each file's sha256 into its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

LICENCE = "BSD-3-Clause-Clear (CompressAI, code and weights)"

_MIRROR = "https://compressai.s3.amazonaws.com/models/v1/"
# Printed in CompressAI's documentation of its zoo, quality 1 to 8.
_LAMBDA = {
    "mse": (0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483, 0.0932, 0.1800),
    "ms-ssim": (2.40, 4.58, 8.73, 16.64, 31.73, 60.50, 115.37, 220.00),
}
# Where each class shows its widths: the tensors whose first size is N and M.
_WIDTHS = {
    "FactorizedPrior": {"N": "g_a.0.weight", "M": "g_a.6.weight"},
    "ScaleHyperprior": {"N": "g_a.0.weight", "M": "g_a.6.weight"},
    "MeanScaleHyperprior": {"N": "g_a.0.weight", "M": "g_a.6.weight"},
    "JointAutoregressiveHierarchicalPriors": {"N": "g_a.0.weight", "M": "g_a.6.weight"},
    "Cheng2020Anchor": {"N": "g_a.0.conv1.weight"},
    "Cheng2020Attention": {"N": "g_a.0.conv1.weight"},
    "Elic2022Official": {"N": "g_a.0.weight", "M": "g_a.13.weight"},
    "Elic2022Chandelier": {"N": "g_a.0.weight", "M": "g_a.13.weight"},
}


def points(
    model: str, network: str, widths: Sequence[dict[str, int]], files: dict[str, tuple[str, Sequence[str]]]
) -> tuple[OperatingPoint, ...]:
    """The operating points of one model, quality 1 first, those trained for MSE before those trained for MS-SSIM.

    `network` is CompressAI's class; `widths` its arguments at each quality; `files` gives, for "mse" and "ms-ssim",
    the stem of the published file names and the hash prefixes at each quality.
    """
    return tuple(
        _point(model, network, widths[at], trained_for, at, stem, prefix)
        for trained_for, (stem, prefixes) in files.items()
        for at, prefix in enumerate(prefixes)
    )


def _point(
    model: str, network: str, widths: dict[str, int], trained_for: str, at: int, stem: str, sha: str
) -> OperatingPoint:
    label = str(at + 1) if trained_for == "mse" else f"{trained_for}-{at + 1}"
    return OperatingPoint(
        label=label,
        trained_for=trained_for,
        lmbda=_LAMBDA[trained_for][at],
        weights=Weights(file=f"{model}/{label}.pth.tar", urls=(f"{_MIRROR}{stem}-{at + 1}-{sha}.pth.tar",), sha256=sha),
        network=network_label(widths),
        settings={"network": network, **widths},
    )


def network_label(widths: dict[str, int]) -> str:
    """The widths in words ("N128-M192"); points with equal labels run equal networks."""
    return "-".join(f"{name}{width}" for name, width in widths.items())


def curves(model: str) -> tuple[CurveId, ...]:
    """CompressAI's own results on 8-bit pictures; for MS-SSIM only those on unrounded ones are published."""
    return CurveId(model, "compressai-8bit", "mse"), CurveId(model, "compressai-float", "ms-ssim")


def fast(card: CodecCard) -> CodecCard:
    """The card of the same networks, points and checkpoints with our own loop over positions, `NAME@fast`.

    What follows the @ names an implementation: bitstreams are those of the codec before it.
    """
    return replace(
        card,
        name=f"{card.name}@fast",
        title=f"{card.title}; our loop",
        loader="lic_bench.zoo.compressai_models:load_fast",
        claims=(),
        notes=(
            f"The networks and checkpoints of {card.name} with another loop over the latent's positions. Bitstreams "
            f"and pictures are those of {card.name}, byte for byte (on x86 with AVX2 or more): the difference in time "
            "is the implementation's, what is left is the architecture's.",
            "Raster order is part of the bitstream, so positions are decoded one after another here too; what is saved "
            "is reordering kernels, copying tables and multiplying by masked weights at every position.",
        ),
    )


def load_fast(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point of a card of `fast`. Raises WeightsError as `load` does."""
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks import raster

    network = build(point, None if weights is None else checkpoints.read(weights), weights, vars(raster))
    return LearnedCodec(network, bitstream.identity(card.name.removesuffix("@fast"), point.label), device)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint in CompressAI's layout or untrained with a fixed seed.

    Padded as CompressAI's evaluation does. Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    network = build(point, None if weights is None else checkpoints.read(weights), weights)
    return LearnedCodec(
        network,
        bitstream.identity(card.name, point.label),
        device,
        # A factorized prior's tables are part of the weights; every other probability is computed anew.
        probabilities_fixed=point.settings["network"] == "FactorizedPrior",
    )


def build(
    point: OperatingPoint, state: dict[str, Any] | None, origin: Path | None, classes: Mapping[str, Any] | None = None
) -> Any:
    """The network of a point with the tensors of `state`, or untrained where that is None; tables up to date.

    The checkpoint's own widths win over the card's, so that narrow networks load. `origin` is named in errors. The
    class is looked up among `classes`, by default CompressAI's.
    """
    from compressai import models

    from lic_bench.assets import checkpoints

    name = str(point.settings["network"])
    widths = {argument: int(point.settings[argument]) for argument in _WIDTHS[name]}
    if state is not None:
        # What CompressAI's residual blocks called the shortcut in its first releases.
        state = {key.replace(".downsample.", ".skip."): tensor for key, tensor in state.items()}
        for argument, key in _WIDTHS[name].items():
            if key in state:
                widths[argument] = state[key].shape[0]
    make = vars(models)[name] if classes is None else classes[name]
    return checkpoints.build(lambda: make(**widths), state, f"{name} ({origin})")
