"""Fu et al.: GLLMM (IEEE TIP 2023), at the widths of the paper and at the default of the authors' program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from torch import Tensor

    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "Fu et al.: Learned image compression with Gaussian-Laplacian-logistic mixture model and concatenated residual "
    "modules, IEEE TIP 32, 2023, pages 2063-2076, arXiv:2107.06463"
)
_PAGE = "https://github.com/fengyurenpingsheng/Learned-image-compression-with-GLLMM"
# Untrained kernels are drawn a little smaller than the authors' framework draws them: with its variance the synthesis
# grows to 1e15. Mixtures are widened; they would be so much narrower than the latents that every symbol is a surprise.
_UNTRAINED_GAIN = 0.8
_UNTRAINED_WIDTH = 8
_NOTES = (
    "Written from a description of the authors' TensorFlow graph and checked against it. Their checkpoints, announced "
    "on a drive, are for TensorFlow 1: get them by hand and turn them into ours by `lic-bench convert gllmm`.",
    "The bit stream is ours. The published program loses the picture's size and cannot read back its streams of 256 "
    "channels; none of its streams are public.",
    "The latent is coded along wavefronts, 141 steps for a picture of 768x512 instead of 1536, from probabilities in "
    "float64. MAC are counted as the authors' context layer works, with its masked taps.",
    "Authors' figures: the curve is of two widths, 128 at low and 256 at high rates, and does not say where it "
    "changes. Times of 467.9 s and sizes of 77.08 and 241.03 MB are from another repository's table; the published "
    "graph has 71.4 and 233.4 MB.",
    "The text speaks of non-local attention and concatenated residuals; the code has Cheng's simplified attention, and "
    "its outer residual adds the input twice. The code is what was followed.",
)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a converted checkpoint, whose width wins over the card's, or untrained.

    The picture stands in the middle of a black canvas of multiples of 64, as in the authors' program. Raises
    WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.coding import keep_variance
    from .networks.gllmm import Gllmm

    state = None if weights is None else with_constants(checkpoints.read(weights))
    channels = int(point.settings["N"])
    if state is not None and "g_a.block3.conv.weight" in state:
        channels = state["g_a.block3.conv.weight"].shape[0]

    def make() -> Gllmm:
        network = Gllmm(channels)
        if state is None:
            keep_variance(network, _UNTRAINED_GAIN)
            network.entropy_parameters.conv2.weight.data.mul_(_UNTRAINED_WIDTH)
        return network

    network = checkpoints.build(make, state, f"GLLMM with N = {channels} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device)


def with_constants(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of parameters alone completed by the buffers that never change (bounds, offsets under roots)."""
    from lic_bench.assets import checkpoints

    from .networks.gllmm import Gllmm

    narrowest = Gllmm(2)  # they are the same at every width
    parameters = dict(narrowest.named_parameters())
    constants = checkpoints.normalise(narrowest.state_dict())
    return {**{name: value for name, value in constants.items() if name not in parameters}, **state}


def _card(channels: int, lambdas: tuple[float, ...], page: str | None, note: str) -> CodecCard:
    name = f"gllmm-{channels}"
    return CodecCard(
        name=name,
        title=f"GLLMM, {channels} channels",
        family="GLLMM",
        paper=_PAPER,
        year=2023,
        licence=None,
        learned=True,
        points=tuple(
            OperatingPoint(
                label=f"{lmbda:g}",
                trained_for="mse",
                lmbda=lmbda,
                weights=Weights(file=f"{name}/{lmbda:g}.safetensors", page=page),
                network=f"N{channels}",
                settings={"N": channels},
            )
            for lmbda in lambdas
        ),
        loader="lic_bench.zoo.gllmm:load",
        published=(
            CurveId("gllmm", "gllmm-issue2", "mse"),
            CurveId("gllmm", "gllmm-issue2", "ms-ssim"),
        )
        if page
        else (),
        claims=("gllmm",) if page else (),
        notes=(note, *_NOTES),
    )


SMALL = _card(
    128,
    (0.0016, 0.0075),
    _PAGE,
    "For low rates. Checkpoints are announced for lambda 0.0016, and the authors' script names one of 0.0075; none of "
    "the other lambdas of the curve is stated.",
)
MIDDLE = _card(
    192,
    (0.01,),
    None,
    "Width and lambda are only the defaults of the authors' argument parser: no checkpoint and no result has them.",
)
LARGE = _card(256, (0.03,), _PAGE, "For high rates. One checkpoint is announced, for lambda 0.03.")
