"""The codec, in CompressAI's shape: a network with `forward`, `compress` and `decompress`."""

from __future__ import annotations

from typing import Any, ClassVar

from compressai.entropy_models import EntropyBottleneck
from compressai.layers import GDN
from compressai.models import CompressionModel
from torch import Tensor, nn

POINTS = ("1", "2", "3", "4")
"""The operating points, from the lowest rate to the highest."""


class MyCodec(CompressionModel):
    """Two transforms of three layers around a factorized prior, after Ballé et al. 2018 (arXiv:1802.01436).

    `N` channels between the layers, `M` in the latent, which is an eighth of the picture wide and high.
    """

    lic_bench: ClassVar[dict[str, Any]] = {
        "title": "MyCodec: a demonstration, trained for a minute",
        "licence": "not chosen yet",
        "trained_for": "mse",
        "multiple": 8,
        "weights": {label: f"weights/{label}.safetensors" for label in POINTS},
    }

    def __init__(self, N: int = 16, M: int = 24) -> None:
        super().__init__()
        self.g_a = nn.Sequential(down(3, N), GDN(N), down(N, N), GDN(N), down(N, M))
        self.g_s = nn.Sequential(up(M, N), GDN(N, inverse=True), up(N, N), GDN(N, inverse=True), up(N, 3))
        self.entropy_bottleneck = EntropyBottleneck(M)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Pictures of B x 3 x H x W in [0, 1], sides multiples of 8: the reconstruction and the likelihoods."""
        y_hat, likelihoods = self.entropy_bottleneck(self.analyse(x))
        return {"x_hat": self.synthesise(y_hat), "likelihoods": {"y": likelihoods}}

    def compress(self, x: Tensor) -> dict[str, Any]:
        """One string per picture, and the height and width of the latent."""
        y = self.analyse(x)
        return {"strings": [self.entropy_bottleneck.compress(y)], "shape": y.shape[-2:]}

    def decompress(self, strings: list[list[bytes]], shape: tuple[int, int]) -> dict[str, Any]:
        """The pictures of the strings."""
        return {"x_hat": self.synthesise(self.entropy_bottleneck.decompress(strings[0], shape))}

    def analyse(self, x: Tensor) -> Tensor:
        """A picture's latent."""
        return self.g_a(x - 0.5)

    def synthesise(self, y_hat: Tensor) -> Tensor:
        """The picture of a latent."""
        return self.g_s(y_hat) + 0.5


def down(inside: int, outside: int) -> nn.Conv2d:
    """A convolution to half the width and height."""
    return nn.Conv2d(inside, outside, kernel_size=5, stride=2, padding=2)


def up(inside: int, outside: int) -> nn.ConvTranspose2d:
    """A convolution to twice the width and height."""
    return nn.ConvTranspose2d(inside, outside, kernel_size=5, stride=2, padding=2, output_padding=1)
