"""Cheng, Sun, Takeuchi, Katto: discretized Gaussian mixture likelihoods and attention modules (CVPR 2020).

CompressAI's two variants: the transforms of the paper with one Gaussian instead of the mixture.
"""

from __future__ import annotations

from lic_bench.codec import CodecCard

from .compressai_models import LICENCE, curves, fast, points

_PAPER = (
    "Cheng, Sun, Takeuchi, Katto: Learned image compression with discretized Gaussian mixture likelihoods and "
    "attention modules, CVPR 2020, arXiv:2001.01568"
)
_WIDTHS = [{"N": 128}] * 3 + [{"N": 192}] * 3
_NOTES = (
    "CompressAI's variant with a single Gaussian for each latent, not the paper's mixture of three.",
    "Coded position by position: slow, and on an accelerator the small steps and the entropy coder on the CPU "
    "dominate. It runs on the device asked for all the same.",
)

ANCHOR = CodecCard(
    name="cheng2020-anchor",
    title="Cheng 2020, anchor (no attention)",
    family="Cheng 2020",
    paper=_PAPER,
    year=2020,
    licence=LICENCE,
    learned=True,
    points=points(
        "cheng2020-anchor",
        "Cheng2020Anchor",
        _WIDTHS,
        {
            "mse": ("cheng2020-anchor", ("dad2ebff", "a29008eb", "e49be189", "98b0b468", "23852949", "4c052b1a")),
            "ms-ssim": (
                "cheng2020_anchor-ms-ssim",
                ("20f521db", "c7ff5812", "c23e22d5", "0e658304", "c0a95e77", "f2dc1913"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("cheng2020-anchor"),
    # LoC-LIC's tables call this network "Cheng 2020": their figures are those of CompressAI's anchor.
    claims=("cheng2020-anchor", "cheng2020"),
    notes=_NOTES,
)

ATTENTION = CodecCard(
    name="cheng2020-attn",
    title="Cheng 2020, attention",
    family="Cheng 2020",
    paper=_PAPER,
    year=2020,
    licence=LICENCE,
    learned=True,
    points=points(
        "cheng2020-attn",
        "Cheng2020Attention",
        _WIDTHS,
        {
            "mse": ("cheng2020_attn-mse", ("465f2b64", "e0805385", "2d07bbdf", "f7b0ccf2", "26c8920e", "730501f2")),
            "ms-ssim": (
                "cheng2020_attn-ms-ssim",
                ("c5381d91", "5dad201d", "5c9be841", "8b2f647e", "5ca1f34c", "216423ec"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("cheng2020-attn"),
    claims=("cheng2020-attn",),
    notes=_NOTES,
)

ANCHOR_FAST = fast(ANCHOR)
ATTENTION_FAST = fast(ATTENTION)
