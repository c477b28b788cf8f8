"""Minnen, Ballé, Toderici: Joint autoregressive and hierarchical priors (NeurIPS 2018)."""

from __future__ import annotations

from lic_bench.codec import CodecCard

from .compressai_models import LICENCE, curves, fast, points

_PAPER = (
    "Minnen, Ballé, Toderici: Joint autoregressive and hierarchical priors for learned image compression, "
    "NeurIPS 2018, arXiv:1809.02736"
)

MEAN = CodecCard(
    name="mbt2018-mean",
    title="Minnen 2018, mean and scale hyperprior",
    family="Minnen 2018",
    paper=_PAPER,
    year=2018,
    licence=LICENCE,
    learned=True,
    points=points(
        "mbt2018-mean",
        "MeanScaleHyperprior",
        [{"N": 128, "M": 192}] * 4 + [{"N": 192, "M": 320}] * 4,
        {
            "mse": (
                "mbt2018-mean",
                ("e522738d", "e54a039d", "723404a8", "6dba02a3", "d504e8eb", "a19628ab", "d5d441d1", "8089ae3e"),
            ),
            "ms-ssim": (
                "mbt2018-mean-ms-ssim",
                ("5bf9c0b6", "e2a1bf3f", "640ce819", "12626c13", "1be7f059", "b83bf379", "ddf9644c", "0cc7b94f"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("mbt2018-mean"),
    claims=("mbt2018-mean",),
    notes=("CompressAI's re-implementation and training; the authors' own are in TensorFlow Compression.",),
)

JOINT = CodecCard(
    name="mbt2018",
    title="Minnen 2018, joint autoregressive and hierarchical",
    family="Minnen 2018",
    paper=_PAPER,
    year=2018,
    licence=LICENCE,
    learned=True,
    points=points(
        "mbt2018",
        "JointAutoregressiveHierarchicalPriors",
        [{"N": 192, "M": 192}] * 4 + [{"N": 192, "M": 320}] * 4,
        {
            "mse": (
                "mbt2018",
                ("3f36cd77", "43b70cdd", "22901978", "456e2af9", "b4a046dd", "7052e5ea", "8ba2bf82", "dd0097aa"),
            ),
            "ms-ssim": (
                "mbt2018-ms-ssim",
                ("2878436b", "c41cb208", "d0dd64e8", "a120e037", "9b30e3b7", "f8b3626f", "16e6ff50", "0cb49d43"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("mbt2018"),
    claims=("mbt2018",),
    notes=(
        "CompressAI's re-implementation and training; the authors' own are in TensorFlow Compression.",
        "Coded position by position: slow, and on an accelerator the small steps and the entropy coder on the CPU "
        "dominate. It runs on the device asked for all the same.",
    ),
)

JOINT_FAST = fast(JOINT)
