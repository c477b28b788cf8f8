"""MLIC++ in its versions of 2024 and 2023, and LoC-LIC, which put small transforms around MLIC++'s entropy model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights
from lic_bench.errors import WeightsError

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_LOC_LIC = (
    "Ameen, Richter, Kaup: LoC-LIC: Low complexity learned image coding using hierarchical feature transforms, "
    "arXiv:2504.21778"
)
_MLICPP = (
    "Jiang, Yang, Zhai, Gao, Wang: MLIC++: Linear complexity multi-reference entropy modeling for learned image "
    "compression, ACM TOMM 21(5), 2025, arXiv:2307.15421"
)
_PAGE = "https://github.com/JiangWeibeta/MLIC"
_MSE = ("0.0018", "0.0035", "0.0067", "0.0130", "0.0250", "0.0483")
_MS_SSIM = ("2.4", "4.58", "8.73", "16.64", "31.73", "60.5")
_REWRITTEN = (
    "Rewritten from a description of the released code. MAC are counted as that code works, except that the products "
    "of the intra-slice context run over the positions they use (0.018 kMAC/pixel less). Streams hold the strings that "
    "code gives for the same weights, in another container."
)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    Pictures are padded with zeros at the right and the bottom, as the authors' test scripts do. Raises WeightsError
    when the checkpoint is not one of this network, and says which of the family's it is where it is one.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.mlic import MLIC, VARIANTS, variant_of

    state = None if weights is None else checkpoints.read(weights)
    held = None if state is None else variant_of(state)
    if held not in (None, card.name):
        raise WeightsError(f"{weights} is a checkpoint of {_TITLES[held]}, not of {card.title}: give it to {held}.")
    network = checkpoints.build(lambda: MLIC(VARIANTS[card.name]), state, f"{card.title} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, padding="zeros-corner")


def _point(name: str, label: str, trained_for: str, lmbda: float | None, page: str | None) -> OperatingPoint:
    weights = Weights(file=f"{name}/{label}.pth.tar", page=page)
    return OperatingPoint(label=label, trained_for=trained_for, lmbda=lmbda, weights=weights, network=name)


LOC_LIC = CodecCard(
    name="loc-lic",
    title="LoC-LIC",
    family="MLIC++",
    paper=_LOC_LIC,
    year=2025,
    licence="Apache-2.0 (the authors' code, Ayman-Ameen/loc-lic; they published no weights)",
    learned=True,
    points=tuple(_point("loc-lic", label, "mse", None, None) for label in ("m1", "m2", "m3", "m4")),
    loader="lic_bench.zoo.mlic:load",
    published=(CurveId("loc-lic", "loclic-figures", "mse"),),
    claims=("loc-lic",),
    notes=(
        "No weights are published, and neither paper nor repository states the lambdas of its curve (the training "
        "script's default is 0.01): the points are the four markers that can be read in the paper's figures.",
        "The paper says that channels double from level to level; the code has 32, 64, 128 and then 320. Channel "
        "numbers and kernel sizes are from the code, for the paper gives none.",
        "The paper's 270 kMAC/pixel fits 271.4, convolution and linear layers alone; with GDN and the products of the "
        "attention it is 274.9. The 1256 it sets against for MLIC++ is the larger version of 2023, counted alike.",
        "The published Kodak PSNR curve does not fit the same figures' MS-SSIM, LPIPS and CLIC curves (it beats "
        "MLIC++, they lose to it): treat it as unconfirmed.",
        _REWRITTEN,
    ),
)

MLICPP = CodecCard(
    name="mlicpp",
    title="MLIC++ (version of 2024)",
    family="MLIC++",
    paper=_MLICPP,
    year=2023,
    licence="Apache-2.0 (the authors' repository)",
    learned=True,
    points=tuple(_point("mlicpp", label, "mse", float(label), _PAGE) for label in _MSE),
    loader="lic_bench.zoo.mlic:load",
    published=(
        CurveId("mlicpp", "mlic-repo-json", "mse"),
        CurveId("mlicpp-retrained", "mlic-repo-figures", "mse"),
    ),
    claims=("mlicpp",),
    notes=(
        "The released code since April 2024, 83.5 M parameters: smaller residual prediction, a wider first block of "
        "the synthesis. The authors' page tells of checkpoints of that date, with a log of lambda 0.0250; which "
        "others there are has to be looked up there. They lie on a drive; get them by hand.",
        "The published curve does not say which version it is of; the six checkpoints of 2023 (mlicpp-2023) are the "
        "only complete set. The authors' figures mark further points as retrained.",
        "The authors' test script cuts x_hat to bytes without rounding, which costs a little PSNR, and counts 28 bytes "
        "of header; pictures are rounded here.",
        "The claims of 116.72 M parameters and of 1256 and 1282.81 kMAC/pixel are about the version of 2023.",
        _REWRITTEN,
    ),
)

MLICPP_2023 = CodecCard(
    name="mlicpp-2023",
    title="MLIC++ (version of 2023)",
    family="MLIC++",
    paper=_MLICPP,
    year=2023,
    licence="Apache-2.0 (the authors' repository)",
    learned=True,
    points=(
        *(_point("mlicpp-2023", label, "mse", float(label), _PAGE) for label in _MSE),
        *(_point("mlicpp-2023", f"ms-ssim-{label}", "ms-ssim", float(label), _PAGE) for label in _MS_SSIM),
    ),
    loader="lic_bench.zoo.mlic:load",
    published=(CurveId("mlicpp", "mlic-repo-json", "mse"),),
    claims=("mlicpp",),
    notes=(
        "The released code of September 2023, 116.7 M parameters. Its twelve checkpoints, whose file names contain the "
        "word new, lie on a drive; get them by hand.",
        "The authors' test script cuts x_hat to bytes without rounding, which costs a little PSNR, and counts 28 bytes "
        "of header; pictures are rounded here.",
        "The claim of 83.5 M parameters is about the version of 2024. The 1256 kMAC/pixel of the LoC-LIC paper fits "
        "1256.6, convolution and linear layers alone.",
        _REWRITTEN,
    ),
)

_TITLES = {card.name: card.title for card in (LOC_LIC, MLICPP, MLICPP_2023)}
