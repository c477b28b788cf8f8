"""Zou, Song, Zhang: WACNN (CVPR 2022), the convolutional network with window attention of that paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAGE = "https://github.com/Googolxx/STF"
_MSE: dict[str, str | None] = {  # lambda, and the id of the authors' checkpoint on Google Drive
    "0.0018": "1RPdtyxTtfosuDe1-xtl5JzvnCU2vYnHD",
    "0.0035": "1L7xvei3Wj4BeSQ3lDBL-pyjEy13RKsjn",
    "0.0067": "1DDCFFWBUa5cYOgJ9D9HPcwoOigzoJK31",
    "0.013": None,
    "0.025": "1LrAWPlBE6WJUfjiDPGFO8ANSaP5BFEQI",
    "0.0483": None,
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    N is the checkpoint's own, so that narrow networks load too. Padded to multiples of 64 with zeros, the picture in
    the middle, as the authors' evaluation does. Raises WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.wacnn import WACNN, width_of

    n, state = int(point.settings["N"]), None
    if weights is not None:
        # Some of the authors' files hold a part that the network does not have; their own loader drops it as well.
        state = {k: tensor for k, tensor in checkpoints.read(weights).items() if not k.startswith("h_s.")}
        n = width_of(state, str(weights))
    network = checkpoints.build(lambda: WACNN(n), state, f"WACNN with N = {n} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=64)


def _point(lmbda: str, drive_id: str | None) -> OperatingPoint:
    urls = () if drive_id is None else (f"https://drive.google.com/uc?id={drive_id}",)
    return OperatingPoint(
        label=lmbda,
        trained_for="mse",
        lmbda=float(lmbda),
        weights=Weights(file=f"wacnn/{lmbda}.pth.tar", urls=urls, page=_PAGE if urls else None),
        network="N192",
        settings={"N": 192},
    )


WACNN = CodecCard(
    name="wacnn",
    title="WACNN",
    family="WACNN",
    paper=(
        "Zou, Song, Zhang: The devil is in the details: Window-based attention for image compression, CVPR 2022, "
        "arXiv:2203.08450"
    ),
    year=2022,
    licence=f"Apache-2.0 (the authors' repository, {_PAGE.removeprefix('https://')})",
    learned=True,
    points=tuple(_point(lmbda, drive_id) for lmbda, drive_id in _MSE.items()),
    loader="lic_bench.zoo.wacnn:load",
    published=(CurveId("wacnn", "stf-repo", "mse"), CurveId("wacnn", "stf-repo", "ms-ssim")),
    claims=("wacnn",),
    notes=(
        "Rewritten from a description of the released code; the paper's other network, the transformer STF, is not "
        "here. CompressAI's later WACNN has other state-dict names and does not take these checkpoints.",
        "The authors published four checkpoints for MSE, on Google Drive and without hashes. None for lambda "
        "0.013 and 0.0483, none of the MS-SSIM networks.",
        "The authors' evaluation pads with zeros to a multiple of 64, the picture in the middle, and takes PSNR and "
        "MS-SSIM of the clamped reconstruction before it is rounded to 8 bit; pictures are rounded here. Its bpp are "
        "the bits of both strings over the pixels of the unpadded picture, and its figures are means over pictures.",
        "Every window attention is shifted by half a window, though its class is called unshifted, and has no norm. "
        "A slice sees the first five slices, never later ones. Both are kept, for the checkpoints are trained so.",
        "The 138 and 231 GMAC at 768x512 of a later comparison are layers alone, with transposed convolutions counted "
        "at their output's size; every multiply-accumulate counted once gives 143.1 to encode and 139.9 to decode.",
    ),
)
