"""Han et al.: causal context adjustment, CCA (NeurIPS 2024). One network for every rate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAGE = "https://github.com/LabShuHangGU/CCA"
_DRIVE = "https://drive.google.com/uc?id="
# The paper's lambdas, which multiply the rate (the first is the highest rate), and where there is a checkpoint.
_LAMBDAS = {
    "0.3": "1gAUvZKKzlh0Tuo22kTMIxNmUZlXogpRO",
    "0.85": "1K3veWSXFtANS71LY-ksiMXiNjIqL_mL1",
    "1.8": "17KRA3NYxuNyszhIIR9HGC0ODPx9HcDyB",
    "3.5": "1gION784PtjcxAzIgdb-eSjhuZkeG9z_l",
    "7": None,
    "15": None,
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout, at the widths it has, or untrained.

    The entropy model that only training uses is left out of a checkpoint; everything else must fit. Padded to
    multiples of 128 with zeros, the picture in the middle, as the authors' evaluation does: the network means over all
    positions, so that the amount of padding changes the probabilities. Raises WeightsError when the checkpoint is not
    one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.cca import CCA, TRAINING_ONLY, Widths, widths_of

    state, widths = None, Widths()
    if weights is not None:
        read = checkpoints.read(weights)
        state = {name: tensor for name, tensor in read.items() if not name.startswith(TRAINING_ONLY)}
        widths = widths_of(state, str(weights))
    network = checkpoints.build(lambda: CCA(widths), state, f"CCA ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=128)


def _point(label: str, drive_id: str | None) -> OperatingPoint:
    urls = () if drive_id is None else (f"{_DRIVE}{drive_id}",)
    return OperatingPoint(
        label=label,
        trained_for="mse",
        lmbda=float(label),
        weights=Weights(file=f"cca/{label}.pth.tar", urls=urls, page=_PAGE if urls else None),
        network="cca",
    )


CCA = CodecCard(
    name="cca",
    title="CCA",
    family="CCA",
    paper=(
        "Han, Jiang, Li, Deng, Xu, Zhu, Gu: Causal context adjustment loss for learned image compression, NeurIPS "
        "2024, arXiv:2410.04847"
    ),
    year=2024,
    licence="MIT (the authors' repository; it says nothing else on the weights)",
    learned=True,
    points=tuple(_point(label, drive_id) for label, drive_id in _LAMBDAS.items()),
    loader="lic_bench.zoo.cca:load",
    published=(CurveId("cca", "cca-repo", "mse"),),
    claims=("cca",),
    notes=(
        "Points are labelled with the paper's lambda, which multiplies the rate: a large one is a low rate. Lambda in "
        "the field's sense is 0.05 divided by it.",
        "The authors' checkpoints of 0.3, 0.85, 1.8 and 3.5 lie on Google Drive. There are none of 7 and "
        "15, none for MS-SSIM, and no hashes. A checkpoint also holds the entropy model that the loss of the title "
        "trains with; nothing is coded with it, and it is left out. The rest must fit name by name, where the authors' "
        "loader passes over what does not.",
        "The published curve names no lambda; its six points are taken to be those of the six lambdas, in order.",
        "The authors' evaluation pads with zeros to multiples of 128, the picture in the middle, as here; takes PSNR "
        "of the clipped picture without rounding it to 8 bit, MS-SSIM as a mean of decibels, and the rate from "
        "likelihoods unless asked to code. Its clock does not wait for a GPU to finish, which leaves most of the "
        "synthesis out of decoding times.",
        "Rewritten from a description of the released code; streams hold the strings that code gives for the same "
        "weights, in another container. Followed: the residual prediction from what the means' stack made, the "
        "transposed convolutions of stride 1, scales without an activation.",
        "The claims of 277 and 394 GFLOPs are multiply-accumulates of convolutions at 768x512, transposed ones counted "
        "at their output's size, four times too high; 64.9 M are the parameters of the convolutions alone.",
    ),
)
