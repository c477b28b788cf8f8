"""The asymmetric codec: a reading that can code, and the published network, which only estimates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "README of the repository Asymmetric-Learned-Image-Compression, after Fu, Liang, Liang, Li, Zhang, Han: Asymmetric "
    "learned image compression with multi-scale residual block, importance map, and post-quantization filtering, "
    "arXiv:2206.10618"
)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec or the estimator, from a checkpoint with this project's names, or untrained.

    Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import Estimator, LearnedCodec

    from .networks.asymmetric import Published, Reading

    n, m = int(point.settings["N"]), int(point.settings["M"])
    make = (lambda: Published(n, m)) if card.estimates_only else (lambda: Reading(n, m))
    state = None if weights is None else checkpoints.read(weights)
    network = checkpoints.build(make, state, f"{card.title} ({weights})")
    kind = Estimator if card.estimates_only else LearnedCodec
    return kind(network, bitstream.identity(card.name, point.label), device)


READING = CodecCard(
    name="asymmetric-reading",
    title="Asymmetric codec (reading)",
    family="Asymmetric",
    paper=_PAPER,
    year=2022,
    licence=None,
    learned=True,
    points=(
        OperatingPoint(
            label="1",
            trained_for="mse",
            weights=Weights(file="asymmetric-reading/1.safetensors"),
            network="N160-M192",
            settings={"N": 160, "M": 192},
        ),
    ),
    loader="lic_bench.zoo.asymmetric:load",
    claims=("asymmetric-lic",),
    notes=(
        "A reading, not a reproduction: a codec with the parts, the proportions and the size that the README claims. "
        "The published code (asymmetric-published) cannot decode. Nobody has trained this network.",
        "Where it departs from the published code: a context in two passes over a checkerboard, conditioned on the "
        "hyper-prior, in place of one that sees what it predicts; z quantised, under a factorized prior, and used; "
        "LayerNorm and PReLU in place of BatchNorm; no tanh at the output; no LayerNorm in the last layers.",
        "Widths of 160 and 192 make 7,070,739 parameters, 27.0 MiB, as claimed; the factorized prior adds 11,712.",
    ),
)

PUBLISHED = CodecCard(
    name="asymmetric-published",
    title="Asymmetric codec as published (not a codec)",
    family="Asymmetric",
    paper=_PAPER,
    year=2022,
    licence=None,
    learned=True,
    points=tuple(
        OperatingPoint(
            label=f"{lmbda:g}",
            trained_for="mse",
            lmbda=lmbda,
            weights=Weights(file=f"asymmetric-published/{lmbda:g}.safetensors"),
            network="N128-M192",
            settings={"N": 128, "M": 192},
        )
        for lmbda in (0.05, 0.075, 0.1)
    ),
    loader="lic_bench.zoo.asymmetric:load",
    published=(CurveId("asymmetric-lic", "asym-readme", "unknown"),),
    claims=("asymmetric-lic",),
    notes=(
        "Not a codec: there is no entropy coder, and its context reads the very symbols whose probabilities it gives, "
        "so no decoder could follow.",
        "Its claims can be audited, and those of rate, time and quality not be compared with codecs': the rate is an "
        "estimate under those probabilities, cut at 10 bits for a symbol of y and 8 for one of z; z is rated under a "
        "fixed normal distribution; the hyper synthesis is computed from z unquantised and used nowhere.",
        "Its table of comparisons has times and sizes in wrong columns. The 27 MB it claims are not those of the "
        "published code, which has 3,125,683 parameters, 12.5 MB.",
        "No checkpoint is published. Which likelihood z has (the mass around the rounded value) and that the context's "
        "layers have no biases in their separable convolutions is read here.",
    ),
    estimates_only=True,
)
