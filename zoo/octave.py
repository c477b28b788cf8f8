"""Fu et al.: the octave codec with multi-layer hyper-priors (2022), read from a deleted code and its base paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "Fu, Liang, Liang, Akbari, Zhang, Han, et al.: Learned image compression with generalized octave convolution and "
    "cross-resolution parameter estimation, arXiv:2209.03353"
)
_NOTES = (
    "A reading, not a reproduction. Networks, wiring, coding order and loss are from code that was public once and "
    "never held the two files that define its octave layers and its second Gaussian model; nothing of it was run.",
    "Read here, because no public source decides it: each of a layer's four branches has its own GDN (the code hands "
    "one object over); every branch has a bias, the exchange branches too, but in layers marked as without; the "
    "exchange branches have their layer's kernel, and output padding 1 where they are transposed.",
    "Read here: transposed layers of stride 1 have no output padding; the last layer's low branch and its exchange "
    "have 3 channels; the first layer has no low input; z is modelled by the same Gaussian as y; a scale is the raw "
    "number with a bound of 0.11; values are rounded by floor(v - mean + 1/2); the rANS coder and its 16-bit tables "
    "are CompressAI's.",
    "From the base paper (arXiv:2002.10032): the results of the inner convolutions are exchanged, not the inputs, and "
    "each branch has its activation inside.",
    "Left out, as the evaluation does not use it: the second 5x5 convolution of y's low half (created and unused), the "
    "two layers that serve the loss only, the variant with side information, and cutting pictures above 5000 pixels.",
    "No checkpoint could be obtained and its names are unknown: a state dict has to have this project's own names. The "
    "published decoder cannot run, so there are no times of it; no complexity, size or BD-rate is in the tables here.",
)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint with this project's names, whose width wins, or untrained.

    The picture stands in the middle of a black canvas of multiples of 128, as in the authors' program. Raises
    WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.coding import keep_variance
    from .networks.octave import OctaveCodec

    state = None if weights is None else checkpoints.read(weights)
    filters = int(point.settings["F"])
    if state is not None and "helpers.lift_y.weight" in state:
        filters = 2 * state["helpers.lift_y.weight"].shape[0]

    def make() -> OctaveCodec:
        network = OctaveCodec(filters)
        if state is None:
            keep_variance(network)
        return network

    network = checkpoints.build(make, state, f"the octave codec with F = {filters} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=128)


def _card(filters: int, label: str, lmbda: float | None, note: str) -> CodecCard:
    name = f"octave-{filters}"
    return CodecCard(
        name=name,
        title=f"Octave codec, {filters} filters (reading)",
        family="Octave",
        paper=_PAPER,
        year=2022,
        licence=None,
        learned=True,
        points=(
            OperatingPoint(
                label=label,
                trained_for="mse",
                lmbda=lmbda,
                weights=Weights(file=f"{name}/{label}.safetensors"),
                network=f"F{filters}",
                settings={"F": filters},
            ),
        ),
        loader="lic_bench.zoo.octave:load",
        claims=("octave-2022", "octave-2020"),
        notes=(note, *_NOTES),
    )


LOW = _card(256, "low", None, "For low rates, as the later README of the authors' repository says; it gives no lambda.")
HIGH = _card(448, "0.02", 0.02, "For high rates. The authors' test model has lambda 0.02.")
