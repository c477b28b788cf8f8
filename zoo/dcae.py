"""Lu, Zhang, Zhou, Li, Li, Gu: DCAE (CVPR 2025), in its one size, for MSE and for MS-SSIM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "Lu, Zhang, Zhou, Li, Li, Gu: Learned image compression with dictionary-based entropy model, CVPR 2025, "
    "arXiv:2504.00496"
)
_DRIVE = "https://drive.google.com/file/d/{}/view"
_MSE = {
    "0.05": "1jCsRJq7Ttx22-yWQbEQAHJWbdIDtc30k",
    "0.025": "1-6ZZ-bScGYj448h1sqMTX4w2Q75MQQ1q",
    "0.013": "1kXfvxsljdN3EfXDGqzknFc2Ecsgf8qgS",
    "0.0067": "1LdycatKcGXHvFjoR-NE-GWnPlL9-BRWX",
    "0.0035": "1JE0SO876a-btXzOQLTilj7D0vJdePlB4",
    "0.0018": "1JzVuERiZe8cStgLnE5TJii_ssppgY1p-",
}
_MS_SSIM = {
    "60.5": "1S81POfELTNyWmy2mMRlL70vuKjGC5QC_",
    "31.73": "1208tRiJw37ruKON1JVPj2YLp23l2O42U",
    "16.64": "1hzgbNPGxfXrwQN-OmTIujGBXCIXYsnW1",
    "8.73": "1U-1f24E6IrKjdHvzObnMslYBLA2YAKXe",
    "4.58": "1br6rf4WtwLY9NPvRCY3GyVP_lvrXRi9y",
    "2.40": "1BIgupje5UcEwzOch3QG1pooCxRxE6Rtt",
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    Widths and depths are the checkpoint's own. Padded with zeros, the picture in the middle, as the authors' scripts
    do. Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.dcae import DCAE, size_of

    state = None if weights is None else checkpoints.read(weights)
    size = None if state is None else size_of(state, str(weights))
    network = checkpoints.build(lambda: DCAE(size), state, f"{card.title} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=128)


def _point(label: str, trained_for: str, lmbda: str, drive_id: str) -> OperatingPoint:
    weights = Weights(file=f"dcae/{label}.pth.tar", page=_DRIVE.format(drive_id))
    return OperatingPoint(label=label, trained_for=trained_for, lmbda=float(lmbda), weights=weights, network="dcae")


DCAE = CodecCard(
    name="dcae",
    title="DCAE",
    family="DCAE",
    paper=_PAPER,
    year=2025,
    licence="MIT (the authors' repository, CVL-UESTC/DCAE)",
    learned=True,
    points=(
        *(_point(lmbda, "mse", lmbda, drive_id) for lmbda, drive_id in _MSE.items()),
        *(_point(f"ms-ssim-{lmbda}", "ms-ssim", lmbda, drive_id) for lmbda, drive_id in _MS_SSIM.items()),
    ),
    loader="lic_bench.zoo.dcae:load",
    published=(CurveId("dcae", "dcae-repo", "mse"), CurveId("dcae", "dcae-repo", "ms-ssim")),
    claims=("dcae",),
    notes=(
        "The authors' twelve checkpoints lie on a drive, without names, sizes or hashes; get them by hand. The "
        "published curves do not say which lambda a point has; their order suggests highest rate, largest lambda.",
        "The authors' evaluation pads with zeros, centred, to multiples of 128, clips the reconstruction and does not "
        "round it to 8 bit. Its default rates are likelihoods of the padded picture over the pixels given; only its "
        "option --real makes strings, counted without a header. MS-SSIM is averaged in dB. Which way the published "
        "points were made is not said. Here streams are measured, header included, and pictures rounded.",
        "The script that writes streams saves pictures cut to bytes without rounding.",
        "The 252 + 305 GFLOPs of the authors' table are thop's counts of encoder and decoder at 768x512: a MAC counted "
        "as one FLOP, layers alone, and transposed convolutions four times too high. Counted in full it is 254.0 and "
        "252.9 GMAC. The 119.2 M parameters are those of the layers.",
        "Rewritten from a description of the released code. That code cannot take pictures that pad to a side of 128, "
        "because it pads windows wrongly; they are coded here. MAC are counted as published; the encoder here leaves "
        "out the residual prediction after its last symbol, which nothing uses (11.4 kMAC/pixel).",
        "The scales of y are compared with a table in float32: a stream may fail to decode on another kind of device, "
        "as users of the released code report.",
    ),
)
