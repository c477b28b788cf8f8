"""Li, Zhang, Li, Liu: HPCM (ICCV 2025), in the two sizes of the paper and the two further networks of its code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.codec import CodecCard, CurveId, OperatingPoint, Weights
from lic_bench.errors import WeightsError

if TYPE_CHECKING:
    from lic_bench.learned_codec import LearnedCodec

_PAPER = (
    "Li, Zhang, Li, Liu: Learned image compression with hierarchical progressive context modeling, ICCV 2025, "
    "arXiv:2507.19125"
)
_DRIVE = "https://drive.google.com/uc?id="
_UNTRAINED_GAIN = 0.8
"""Of the random kernels: latents of about half a step and reconstructions that stay small."""

# The authors' files by lambda, as their page links them.
_BASE = {
    "0.0018": "1nIoANbXzBNE0S_VoLo9ZDHU50lPMmeBP", "0.0035": "15J_nl33_5R_qyTIzLAaT60ICn9BMGHlB",
    "0.0067": "1HIzsEqAPztaMh0Frqec4TtRwoc7uxO97", "0.013": "1Snq7vkWQdApzCe-gK_V-WuRyMHQRL443",
    "0.025": "1NFZD87BkfU28YnDqpzfphG0xDZDZpUA5", "0.0483": "1G5wm4KENBY2qSAQBxNw3Rz4JcMxH8HXu",
}  # fmt: skip
_BASE_MS_SSIM = {
    "2.4": "1AZ9dY2J9Rn17YSQe_NYIOID-st1C-68O", "4.58": "1Y8gEL4MRNB-TBbOMDUKeMTO_z1QhbwqL",
    "8.73": "1hXK-X6GsjjiULy6FvU80Smob_2UOFeFJ", "16.64": "1antXt3M0ecOVejbpxL1U7CVx4TS_XPMQ",
    "31.73": "1X_Q0hHwAW0GOsHWLoq84YKYqXrduFe6b", "60.5": "1mX885h4eVwLvpeHpBHBoM1p4Z2VLV2y-",
}  # fmt: skip
_LARGE = {
    "0.0018": "1E1DUaPsIrfNPwfk4qD-630hhxx5n_BJ4", "0.0035": "15yDUVvEBn-7dMA9SBIQ2w28LJXBGntQo",
    "0.0067": "1yzZKji6RpsyQPD6KFr_weavVrlmn-V4R", "0.013": "1L19zjwOpbbFPw0FxnyVLcHATxCaorjUV",
    "0.025": "1oh8OwCLc8PEVMW1fc9LoC7G4385kHU5D", "0.0483": "1VWLPQeDzBZgb1D2mZ9jLzLppXL8gUanH",
}  # fmt: skip
_LARGE_MS_SSIM = {
    "2.4": "1RUM2a1wdI8Yj9-tvzO_MnHGZWZRp2-W6", "4.58": "1TL_QDlfzHvmerN1p0rn5mJbSNwn3LXXx",
    "8.73": "1nIEJY9ecr9uA9XidtiQRXQ2rzm1DWKM0", "16.64": "1sKnWry4LIZPawwv08TH3l_41giUuElCx",
    "31.73": "1rR0vFbQ2fOT7EgJbYg5f0OdiIT5jbPPu", "60.5": "1ITR5JEzLjmdHLp20GYzIdwE8eEK2d7ns",
}  # fmt: skip

_NOTES = (
    "Rewritten from a description of the released code. Quirks that weights are trained with are kept: at scale 2 the "
    "hyper-prior's values of six channel groups in eight come from other positions than their own, half of them from "
    "positions that depend on the picture's padded width; the adaptors of a scale start with the last one; scales "
    "below 0.12, negative ones too, count as 0.12.",
    "The authors' evaluation pads with zeros to multiples of 256, the picture in the middle, as is done here; it "
    "rounds pictures to 8 bit for PSNR, takes MS-SSIM of unrounded ones as a mean of dB, and counts the two strings "
    "alone.",
    "Checkpoints lie on a drive, without hashes. The public ones lack adaptive_params_list, which means ones; later "
    "ones have it.",
)
_DEAD_CALL = (
    "MAC are counted as the authors' code works: its last refinement of the context feeds nothing, takes 6.72 "
    "kMAC/pixel, and is not executed here. The published parameters are those of the public checkpoints, 0.01 M less."
)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    """The codec of one point, from a checkpoint of the authors' layout or untrained.

    Widths and numbers of blocks are the checkpoint's own; one that is another card's is refused. Pictures are padded
    with zeros, in the middle, to multiples of 256, as the authors' evaluation does for every variant. Raises
    WeightsError when the checkpoint is not one of this network.
    """
    from lic_bench import bitstream
    from lic_bench.assets import checkpoints
    from lic_bench.learned_codec import LearnedCodec

    from .networks.coding import keep_variance
    from .networks.hpcm import HPCM
    from .networks.hpcm_variants import VARIANTS, completed, variant_of

    variant, state = VARIANTS[card.name], None
    if weights is not None:
        state = checkpoints.read(weights)
        variant = variant_of(state, str(weights))
        for name, other in VARIANTS.items():
            if variant == other and name != card.name:
                raise WeightsError(
                    f"{weights} is a checkpoint of {_TITLES[name]}, not of {card.title}: give it to {name}."
                )
        state = completed(state, variant)

    def make() -> HPCM:
        network = HPCM(variant)
        if state is None:
            keep_variance(network, _UNTRAINED_GAIN)
        return network

    network = checkpoints.build(make, state, f"{card.title} ({weights})")
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, multiple=256)


def _point(name: str, label: str, trained_for: str, file: str) -> OperatingPoint:
    return OperatingPoint(
        label=label,
        trained_for=trained_for,
        lmbda=float(label.removeprefix("ms-ssim-")),
        weights=Weights(file=f"{name}/{label}.pth.tar", urls=(_DRIVE + file,)),
        network=name,
    )


def _card(
    name: str, title: str, mse: dict[str, str], ms_ssim: dict[str, str], notes: tuple[str, ...], published: bool = False
) -> CodecCard:
    return CodecCard(
        name=name,
        title=title,
        family="HPCM",
        paper=_PAPER,
        year=2025,
        licence="MIT (the authors' repository, which links the weights)",
        learned=True,
        points=(
            *(_point(name, label, "mse", file) for label, file in mse.items()),
            *(_point(name, f"ms-ssim-{label}", "ms-ssim", file) for label, file in ms_ssim.items()),
        ),
        loader="lic_bench.zoo.hpcm:load",
        published=tuple(CurveId(name, "hpcm-repo", metric) for metric in ("mse", "ms-ssim")) if published else (),
        claims=(name,) if published else (),
        notes=(*notes, *_NOTES),
    )


BASE = _card("hpcm-base", "HPCM-Base", _BASE, _BASE_MS_SSIM, (_DEAD_CALL,), published=True)
LARGE = _card("hpcm-large", "HPCM-Large", _LARGE, _LARGE_MS_SSIM, (_DEAD_CALL,), published=True)
BASE_PHICONTEXT = _card(
    "hpcm-base-phicontext",
    "HPCM-Base-PhiContext",
    {"0.013": "1DgH0GQwt4OGQI8EZBxYyucC25yHQv69Q"},
    {},
    ("HPCM-Base without attention: a step's scales and means are the next one's context. No results are published.",),
)
ONE_BILLION = replace(
    _card(
        "hpcm-1b",
        "HPCM-1B",
        {"0.0483": "1dTtSoIMgyuZ2SYXZz9BrMfN-9m-NH6wM"},
        {},
        (
            "A billion parameters (4 GB), no attention. Its repository has no results of it.",
            "Layout and MAC are compared with the authors' network, not its results; for those there are no figures.",
        ),
    ),
    by_name_only=True,
)

_TITLES = {card.name: card.title for card in (BASE, LARGE, BASE_PHICONTEXT, ONE_BILLION)}
