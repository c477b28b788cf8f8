"""Li et al.: frequency-aware transformer, FLIC, also called FTIC (ICLR 2024). One network for every rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAGE = "https://github.com/qingshi9974/ICLR2024-FTIC"
_RELEASE = f"{_PAGE}/releases/download/v1.0"
_MSE = ("0.0018", "0.0035", "0.0067", "0.013", "0.025", "0.0483")
# Lambda, and the file of the release where there is one; the last two lie on a drive.
_MS_SSIM = {
    "2.40": "ckpt_msssim_0240.pth.tar",
    "4.58": "ckpt_msssim_0458.pth.tar",
    "8.73": "ckpt_msssim_0873.pth.tar",
    "16.64": "ckpt_msssim_1664.pth.tar",
    "31.73": None,
    "60.50": None,
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    Padded to multiples of 256 with zeros, the picture in the middle, as the authors' evaluation does: the amount of
    padding changes the probabilities. Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.flic import FLIC

    state = None if weights is None else checkpoints.read(weights)
    network = checkpoints.build(FLIC, state, f"FLIC ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=256)


def _point(label: str, trained_for: str, lmbda: str, file: str | None) -> OperatingPoint:
    urls = () if file is None else (f"{_RELEASE}/{file}",)
    return OperatingPoint(
        label=label,
        trained_for=trained_for,
        lmbda=float(lmbda),
        weights=Weights(file=f"flic/{label}.pth.tar", urls=urls, page=_PAGE),
        network="flic",
    )


FLIC = CodecCard(
    name="flic",
    title="FLIC (FTIC)",
    family="FLIC",
    paper=(
        "Li, Li, Dai, Li, Zou, Xiong: Frequency-aware transformer for learned image compression, ICLR 2024, "
        "arXiv:2310.16387"
    ),
    year=2024,
    licence=None,
    learned=True,
    points=(
        *(_point(lmbda, "mse", lmbda, None) for lmbda in _MSE),
        *(_point(f"ms-ssim-{lmbda}", "ms-ssim", lmbda, file) for lmbda, file in _MS_SSIM.items()),
    ),
    loader="lic_bench.zoo.flic:load",
    published=(CurveId("flic", "ftic-repo", "mse"), CurveId("flic", "ftic-repo", "ms-ssim")),
    claims=("flic",),
    notes=(
        "Rewritten from a description of the released network; no licence was found for the authors' code and weights.",
        "Coded with exact Gaussians in an ANS coder instead of a table for every symbol; the entropy transformer runs "
        "slice by slice, the same in encoder and decoder. Streams are not the authors'.",
    ),
)
