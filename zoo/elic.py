"""He et al.: ELIC (CVPR 2022). The authors published neither code nor weights; these are two readings by CompressAI.

`elic` follows the paper's text (no public weights); `elic-chandelier` is V. Chandelier's re-implementation, for which
six checkpoints are public. The two are different networks: context inputs, hyper synthesis and sizes differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

from .compressai_models import build, network_label

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "He, Yang, Peng, Ma, Qin, Wang: ELIC: Efficient learned image compression with unevenly grouped space-channel "
    "contextual adaptive coding, CVPR 2022, arXiv:2203.10886"
)
_WIDTHS = {"N": 192, "M": 320}
_PAGE = "https://github.com/VincentChandelier/ELiC-ReImplemetation"
_GROUPS = 5


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of CompressAI's or of Chandelier's layout, or untrained.

    Chandelier's coder pads with zeros at the right and the bottom; the official variant is padded as CompressAI's
    evaluation does. Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints

    from .networks.elic import ElicCodec

    state = None if weights is None else from_chandelier(checkpoints.read(weights))
    return ElicCodec(
        build(point, state, weights),
        bitstream.identity(card.name, point.label),
        device,
        padding="zeros-corner" if card.name == "elic-chandelier" else "zeros-centred",
    )


def from_chandelier(state: Mapping[str, Any]) -> dict[str, Any]:
    """Chandelier's names (normalised, see `checkpoints`) to those of CompressAI's Elic2022Chandelier.

    Names of CompressAI's own layout pass through unchanged, so that either kind of file loads.
    """
    renamed: dict[str, Any] = {}
    for key, tensor in state.items():
        for name in _names(key):
            renamed[name] = tensor
    return renamed


def _names(key: str) -> list[str]:
    """What one of Chandelier's tensors is called in CompressAI; the Gaussian's constants once for each group."""
    part, _, rest = key.partition(".")
    groups = "latent_codec.y.latent_codec"
    if part in ("h_a", "h_s", "entropy_bottleneck"):
        return [f"latent_codec.hyper.{key}"]
    if part == "gaussian_conditional":
        return [f"{groups}.y{k}.y.{key}" for k in range(_GROUPS)]
    inner = {"context_prediction": "context_prediction", "ParamAggregation": "entropy_parameters"}
    if part in inner and (found := re.match(r"(\d+)\.(.*)", rest)):
        return [f"{groups}.y{found[1]}.{inner[part]}.{found[2]}"]
    if part == "cc_transforms" and (found := re.match(r"(\d+)\.(.*)", rest)):
        return [f"latent_codec.y.channel_context.y{int(found[1]) + 1}.{found[2]}"]
    return [key]


OFFICIAL = CodecCard(
    name="elic",
    title="ELIC (CompressAI's reading of the paper)",
    family="ELIC",
    paper=_PAPER,
    year=2022,
    licence="BSD-3-Clause-Clear (CompressAI's code); the authors published neither code nor weights",
    learned=True,
    points=(
        OperatingPoint(
            label="1",
            trained_for="mse",
            weights=Weights(file="elic/1.pth.tar"),
            network=network_label(_WIDTHS),
            settings={"network": "Elic2022Official", **_WIDTHS},
        ),
    ),
    loader="lic_bench.zoo.elic:load",
    published=(CurveId("elic", "elic-official-csv", "mse"), CurveId("elic", "elic-official-csv", "ms-ssim")),
    claims=("elic",),
    notes=(
        "CompressAI's Elic2022Official: a reading of the paper, not the authors' code. No weights are public.",
        "The published curve is the authors' own model (numbers in JiangWeibeta/ELIC), not this network.",
    ),
)

CHANDELIER = CodecCard(
    name="elic-chandelier",
    title="ELIC (Chandelier's re-implementation)",
    family="ELIC",
    paper=_PAPER,
    year=2022,
    licence="BSD-3-Clause-Clear (CompressAI's code); no licence was found for Chandelier's weights",
    learned=True,
    points=tuple(
        OperatingPoint(
            label=str(at + 1),
            trained_for="mse",
            lmbda=lmbda,
            weights=Weights(file=f"elic-chandelier/{at + 1}.pth.tar", page=_PAGE),
            network=network_label(_WIDTHS),
            settings={"network": "Elic2022Chandelier", **_WIDTHS},
        )
        for at, lmbda in enumerate((0.004, 0.008, 0.016, 0.032, 0.15, 0.45))
    ),
    loader="lic_bench.zoo.elic:load",
    published=(CurveId("elic", "elic-official-csv", "mse"), CurveId("elic-reimpl", "elic-chandelier-figure", "mse")),
    claims=("elic-reimpl",),
    notes=(
        "CompressAI's Elic2022Chandelier, into which the six public checkpoints load exactly. Trained by a third "
        "party: expect a curve near the authors', not equal to it.",
        "The published curve elic / elic-official-csv is the authors' own model, not this network.",
    ),
)
