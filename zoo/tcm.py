"""Liu, Sun, Katto: LIC-TCM (CVPR 2023), in the three sizes of the paper. They differ in one width, N."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights
from lic_bench.errors import WeightsError

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "Liu, Sun, Katto: Learned image compression with mixed transformer-CNN architectures, CVPR 2023, arXiv:2303.14978"
)
_PAGE = "https://github.com/jmliu206/LIC_TCM"
_SIZES = {"small": 64, "middle": 96, "large": 128}
_LAMBDAS = ("0.0025", "0.0035", "0.0067", "0.013", "0.025", "0.05")


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    N is the checkpoint's own, so that widths of nobody's card load too; one that is another card's is refused.
    Padded with zeros, the picture in the middle, as the authors' evaluation does. Raises WeightsError when the
    checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.tcm import TCM, width_of

    state = None if weights is None else checkpoints.read(weights)
    n = int(point.settings["N"]) if state is None else width_of(state, str(weights))
    for size, width in _SIZES.items():
        if n == width != point.settings["N"]:
            raise WeightsError(f"{weights} is a checkpoint of tcm-{size} (N = {n}), not of {card.name}.")
    network = checkpoints.build(lambda: TCM(n), state, f"TCM with N = {n} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=128)


def _card(size: str, public: tuple[str, ...], note: str) -> CodecCard:
    name, n = f"tcm-{size}", _SIZES[size]
    return CodecCard(
        name=name,
        title=f"LIC-TCM, {size}",
        family="LIC-TCM",
        paper=_PAPER,
        year=2023,
        licence="MIT (the authors' repository, code and weights)",
        learned=True,
        points=tuple(
            OperatingPoint(
                label=label,
                trained_for="mse",
                lmbda=float(label),
                weights=Weights(file=f"{name}/{label}.pth.tar", page=_PAGE if label in public else None),
                network=f"N{n}",
                settings={"N": n},
            )
            for label in _LAMBDAS
        ),
        loader="lic_bench.zoo.tcm:load",
        published=(CurveId(name, "tcm-repo", "mse"),),
        claims=("tcm", name) if size == "large" else (),
        notes=(note, "Rewritten from a description of the released code; the paper's C is 2 N."),
    )


SMALL = _card("small", _LAMBDAS, "N = 64. The authors' six checkpoints lie on a drive; get them by hand.")
MIDDLE = _card("middle", (), "N = 96. The authors published no checkpoint of this size.")
LARGE = _card("large", ("0.05",), "N = 128. The authors published one checkpoint of this size, lambda 0.05.")
