"""Ballé, Minnen, Singh, Hwang, Johnston: Variational image compression with a scale hyperprior (ICLR 2018)."""

from __future__ import annotations

from lic_bench.codec import CodecCard

from .compressai_models import LICENCE, curves, points

_PAPER = (
    "Ballé, Minnen, Singh, Hwang, Johnston: Variational image compression with a scale hyperprior, ICLR 2018, "
    "arXiv:1802.01436"
)
_WIDTHS = [{"N": 128, "M": 192}] * 5 + [{"N": 192, "M": 320}] * 3

FACTORIZED = CodecCard(
    name="bmshj2018-factorized",
    title="Ballé 2018, factorized prior",
    family="Ballé 2018",
    paper=_PAPER,
    year=2018,
    licence=LICENCE,
    learned=True,
    points=points(
        "bmshj2018-factorized",
        "FactorizedPrior",
        _WIDTHS,
        {
            "mse": (
                "bmshj2018-factorized-prior",
                ("446d5c7f", "87279a02", "5c6f152b", "1ed4405a", "866ba797", "9b02ea3a", "6dfd6734", "5232faa3"),
            ),
            "ms-ssim": (
                "bmshj2018-factorized-ms-ssim",
                ("9781d705", "4a584386", "5352f123", "4f91b847", "b3a88897", "ee028763", "8c265a29", "8811bd14"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("bmshj2018-factorized"),
    claims=("bmshj2018-factorized",),
    notes=("CompressAI's re-implementation and training; the authors' own are in TensorFlow Compression.",),
)

HYPERPRIOR = CodecCard(
    name="bmshj2018-hyperprior",
    title="Ballé 2018, scale hyperprior",
    family="Ballé 2018",
    paper=_PAPER,
    year=2018,
    licence=LICENCE,
    learned=True,
    points=points(
        "bmshj2018-hyperprior",
        "ScaleHyperprior",
        _WIDTHS,
        {
            "mse": (
                "bmshj2018-hyperprior",
                ("7eb97409", "93677231", "6d87be32", "de1b779c", "f8b614e1", "1ab9c41e", "3804dcbd", "a583f0cf"),
            ),
            "ms-ssim": (
                "bmshj2018-hyperprior-ms-ssim",
                ("5cf249be", "1ff60d1f", "92dd7878", "4377354e", "c34afc8d", "3a6d8229", "8747d3bc", "cc15b5f3"),
            ),
        },
    ),
    loader="lic_bench.zoo.compressai_models:load",
    published=curves("bmshj2018-hyperprior"),
    claims=("bmshj2018-hyperprior",),
    notes=("CompressAI's re-implementation and training; the authors' own are in TensorFlow Compression.",),
)
