"""Liu, Sun, Katto: LIC-TCM (CVPR 2023), in the three sizes of the paper. They differ in one width, N."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, Point, Weights

if TYPE_CHECKING:
    from lic_bench.learned import LearnedCodec

_PAPER = (
    "Liu, Sun, Katto: Learned image compression with mixed transformer-CNN architectures, CVPR 2023, arXiv:2303.14978"
)
_PAGE = "https://github.com/jmliu206/LIC_TCM"
_LAMBDAS = ("0.0025", "0.0035", "0.0067", "0.013", "0.025", "0.05")


def load(card: CodecCard, point: Point, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout, whose width wins over the card's, or untrained.

    Padded with zeros, the picture in the middle, as the authors' evaluation does. Raises WeightsError when the
    checkpoint is not one of this network.
    """
    from lic_bench import stream
    from lic_bench.learned import LearnedCodec

    from . import checkpoints
    from .networks.tcm import TCM, width_of

    state = None if weights is None else checkpoints.read(weights)
    n = int(point.settings["N"]) if state is None else width_of(state, str(weights))
    network = checkpoints.build(lambda: TCM(n), state, f"TCM with N = {n} ({weights})")
    return LearnedCodec(network, stream.identity(card.name, point.label), device, multiple=128)


def _card(size: str, n: int, public: tuple[str, ...], note: str) -> CodecCard:
    name = f"tcm-{size}"
    return CodecCard(
        name=name,
        title=f"LIC-TCM, {size}",
        family="LIC-TCM",
        paper=_PAPER,
        year=2023,
        licence="MIT (the authors' repository, code and weights)",
        learned=True,
        points=tuple(
            Point(
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
        claims=("tcm",) if size == "large" else (),
        notes=(note, "Rewritten from a description of the released code; the paper's C is 2 N."),
    )


SMALL = _card("small", 64, _LAMBDAS, "N = 64. The authors' six checkpoints lie on a drive; get them by hand.")
MIDDLE = _card("middle", 96, (), "N = 96. The authors published no checkpoint of this size.")
LARGE = _card("large", 128, ("0.05",), "N = 128. The authors published one checkpoint of this size, lambda 0.05.")
