"""A small trained network that ships inside the package, so that a learned curve is measured without a network.

A factorized prior (Ballé 2018) of 48 and 72 channels, trained briefly on natural pictures by this project. It is a
demonstration and no paper's result. The four files hold parameters and constants only, as safe tensors.
"""

from __future__ import annotations

from lic_bench.codec import CodecCard, OperatingPoint, Weights

_SHA256 = (
    "a107b3c991d513e6245d17a0a7f1d0363544596b1ac2ad1ec7ce30ecc6f764df",
    "4d748ee1ebf143caa28ec071f70c60db47f26fbd21ea5dacfee0e8dd8d7188ca",
    "d18404d4814f267baf13c6f19615c12b0879b76bcb5f52a0e7e6898776d44774",
    "585f02285e62898503fc9b93e626fbd0b824326b781db9a69e51dd6b2a1d2ff8",
)

FACTORIZED = CodecCard(
    name="demo-factorized",
    title="Demonstration: a small factorized prior (no paper's result)",
    family="demonstration",
    paper="none: a small network for demonstration, after Ballé et al. 2018, arXiv:1802.01436",
    year=2026,
    licence="Apache-2.0 (weights, this project); BSD-3-Clause-Clear (code, CompressAI)",
    learned=True,
    points=tuple(
        OperatingPoint(
            label=str(at + 1),
            trained_for="mse",
            weights=Weights(
                file=f"demo-factorized/{at + 1}.safetensors",
                urls=(f"package:lic_bench.zoo.demo/{at + 1}.safetensors",),
                sha256=sha256,
            ),
            network="N48-M72",
            settings={"network": "FactorizedPrior", "N": 48, "M": 72},
        )
        for at, sha256 in enumerate(_SHA256)
    ),
    loader="lic_bench.zoo.compressai_models:load",
    notes=(
        "A demonstration, not a result: 48 and 72 channels, briefly trained by this project so that a rate-distortion "
        "curve of a learned codec can be measured on any machine without a network.",
    ),
    demonstration=True,
)
