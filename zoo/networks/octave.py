"""The octave codec: feature maps at two resolutions, two hyper-priors, parameters estimated across resolutions.

Sources: Fu et al., "Learned Image Compression with Generalized Octave Convolution and Cross-Resolution Parameter
Estimation", arXiv:2209.03353, and Akbari et al., "Generalized Octave Convolutions for Learned Multi-Frequency Image
Compression", arXiv:2002.10032. A reading: the code of the octave layers was never published. What no source decides is
said where it is decided, and listed on the card.

A map is a pair (high, low) with C = F / 2 channels each, the low one at half the resolution. The latent y is at 1/16
and 1/32 of the picture, z at 1/64 and 1/128, and w, behind the second hyper-prior, as z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from compressai.layers import GDN
from torch import Tensor, nn

from .coding import PictureByPicture, SymbolReader, SymbolWriter, TensorFlowPrior, scale_indexes
from .layers import conv1

SLOPE = 0.2
FIXED = 144
"""Channels of each resolution inside the hyper decoders, whatever F is."""
CODED = ("z_l", "z_h", "y_l", "y_h")
"""The latents behind Gaussians, in coding order; w_h and w_l come before them."""

Activation = Callable[[int], nn.Module]
Coder = Callable[[str, Tensor, Tensor], Tensor]
"""Name, means and scales of a latent to its values."""


def leaky(_channels: int) -> nn.Module:
    """Leaky ReLU with a slope of 0.2."""
    return nn.LeakyReLU(SLOPE)


def inverse_gdn(channels: int) -> nn.Module:
    """Inverse GDN."""
    return GDN(channels, inverse=True)  # type: ignore[no-any-return]


def _conv(inputs: int, outputs: int, kernel: int, stride: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)


def _transposed(inputs: int, outputs: int, kernel: int, stride: int, bias: bool = True) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride, kernel // 2, output_padding=stride - 1, bias=bias)


class OctaveLayer(nn.Module):
    """Generalised octave convolution; `transposed` ones enlarge.

    Each resolution is convolved; the results, not the inputs, are exchanged, by convolutions of stride 2 of the same
    kernel. Each of the four branches has its own activation (a reading: the published code passes one GDN object) and
    its own bias. A width of 0 among `inputs` or `outputs` (high, low) leaves out the branches that would have it.
    """

    def __init__(
        self,
        inputs: tuple[int, int],
        outputs: tuple[int, int],
        kernel: int,
        stride: int,
        activation: Activation | None = None,
        transposed: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        within = _transposed if transposed else _conv
        width = outputs[0]

        def branch(convolution: Callable[..., nn.Module], channels: int, step: int) -> nn.Module:
            layer = convolution(channels, width, kernel, step, bias)
            return layer if activation is None else nn.Sequential(layer, activation(width))

        self.high = branch(within, inputs[0], stride)
        self.low = branch(within, inputs[1], stride) if inputs[1] else None
        self.high_to_low = branch(_conv, width, 2) if outputs[1] else None
        self.low_to_high = branch(_transposed, width, 2) if inputs[1] else None

    def forward(self, high: Tensor, low: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(B x C x H x W, B x C x H/2 x W/2) to the same, larger or smaller by the stride."""
        inner_high = self.high(high)
        inner_low = None if self.low is None else self.low(low)
        out_high = inner_high if self.low_to_high is None else inner_high + self.low_to_high(inner_low)
        if self.high_to_low is None:
            return out_high, None
        exchanged = self.high_to_low(inner_high)
        return out_high, exchanged if inner_low is None else inner_low + exchanged


class OctaveStack(nn.Sequential):
    """Octave layers in a row."""

    def forward(self, high: Tensor, low: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """All layers; low is missing before an analysis, and afterwards after a synthesis."""
        for layer in self:
            high, low = layer(high, low)
        return high, cast(Tensor, low)


class Enlarge4(nn.Sequential):
    """Four times as high and as wide: two transposed convolutions, each with GDN (not inverse)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            _transposed(inputs, outputs, 3, 2), GDN(outputs), _transposed(outputs, outputs, 3, 2), GDN(outputs)
        )


class Helpers(nn.Module):
    """What the Gaussians of one resolution and layer are estimated with from the others."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        c = filters // 2
        self.lift_z = _transposed(c, c, 5, 2)
        self.lift_y = _transposed(c, c, 5, 2)
        self.enlarge_means = Enlarge4(c, c)
        self.enlarge_scales = Enlarge4(c, c)
        self.enlarge_p2_h = Enlarge4(filters, c)
        # One convolution for means and scales both: the published code makes a second and does not use it.
        self.parameters_y_l = _conv(filters, c, 5, 1)
        self.parameters_z_h = _parameters(c + filters, c)
        self.parameters_y_h = _parameters(2 * filters, c)

    def z_h(self, z_l: Tensor, p2_h: Tensor) -> tuple[Tensor, Tensor]:
        """Means and scales of z_h."""
        return _halves(self.parameters_z_h(torch.cat((self.lift_z(z_l), p2_h), dim=1)))

    def y_l(self, p1_l: Tensor, p2_l: Tensor) -> tuple[Tensor, Tensor]:
        """Means and scales of y_l."""
        (means1, scales1), (means2, scales2) = _halves(p1_l), _halves(p2_l)
        means = self.parameters_y_l(torch.cat((means1, self.enlarge_means(means2)), dim=1))
        return means, self.parameters_y_l(torch.cat((scales1, self.enlarge_scales(scales2)), dim=1))

    def y_h(self, y_l: Tensor, p1_h: Tensor, p2_h: Tensor) -> tuple[Tensor, Tensor]:
        """Means and scales of y_h."""
        return _halves(self.parameters_y_h(torch.cat((self.lift_y(y_l), self.enlarge_p2_h(p2_h), p1_h), dim=1)))


def _parameters(inputs: int, channels: int) -> nn.Sequential:
    """Concatenated contexts to means and scales."""
    last = nn.Conv2d(512, 2 * channels, 1, bias=False)
    return nn.Sequential(conv1(inputs, 640), nn.LeakyReLU(SLOPE), conv1(640, 512), nn.LeakyReLU(SLOPE), last)


class OctaveCodec(PictureByPicture):
    """The network with F filters. No context in space: every step is parallel over positions.

    Coding order: w_h, w_l, z_l, z_h, y_l, y_h; each latent's Gaussians follow from those before it.
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        c = filters // 2
        pair, fixed, wide = (c, c), (FIXED, FIXED), (filters, filters)
        self.g_a = OctaveStack(
            OctaveLayer((3, 0), pair, 5, 2, GDN),
            *(OctaveLayer(pair, pair, 5, 2, GDN) for _ in range(2)),
            OctaveLayer(pair, pair, 5, 2),
        )
        self.h_a1 = OctaveStack(
            OctaveLayer(pair, pair, 3, 1, leaky),
            OctaveLayer(pair, pair, 5, 2, leaky),
            OctaveLayer(pair, pair, 5, 2, bias=False),
        )
        self.h_a2 = OctaveStack(
            *(OctaveLayer(pair, pair, 3, 1, leaky) for _ in range(2)), OctaveLayer(pair, pair, 3, 1, bias=False)
        )
        self.entropy_bottleneck_h = TensorFlowPrior(c)
        self.entropy_bottleneck_l = TensorFlowPrior(c)
        self.h_s2 = OctaveStack(
            OctaveLayer(pair, pair, 3, 1, leaky, transposed=True),
            OctaveLayer(pair, fixed, 3, 1, leaky, transposed=True),
            OctaveLayer(fixed, wide, 3, 1, transposed=True),
        )
        self.h_s1 = OctaveStack(
            OctaveLayer(pair, pair, 5, 2, leaky, transposed=True),
            OctaveLayer(pair, fixed, 5, 2, leaky, transposed=True),
            OctaveLayer(fixed, wide, 3, 1, transposed=True),
        )
        self.helpers = Helpers(filters)
        self.gaussian_conditional = GaussianConditional(None)
        self.g_s = OctaveStack(
            *(OctaveLayer(pair, pair, 5, 2, inverse_gdn, transposed=True) for _ in range(3)),
            OctaveLayer(pair, (3, 0), 5, 2, transposed=True),
        )

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped.

        In training quantised values are replaced by noisy ones.
        """
        latents, (w_h, w_l) = self._analyse(x)
        w_h, w_h_likelihoods = self.entropy_bottleneck_h(w_h)
        w_l, w_l_likelihoods = self.entropy_bottleneck_l(w_l)
        likelihoods = {"w_h": w_h_likelihoods, "w_l": w_l_likelihoods}

        def estimate(name: str, means: Tensor, scales: Tensor) -> Tensor:
            value = latents[name]
            noisy = value + torch.rand_like(value) - 0.5 if self.training else _rounded(value, means) + means
            likelihoods[name] = self._likelihood(noisy, means, scales)
            return noisy

        return {"x_hat": self.g_s(*self._code(w_h, w_l, estimate))[0], "likelihoods": likelihoods}

    def compress_picture(self, x: Tensor) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """One picture to the strings of w_h, w_l, z_l, z_h, y_l, y_h, and the height and width of w_l."""
        latents, (w_h, w_l) = self._analyse(x)
        (first,), w_h = self.entropy_bottleneck_h.write(w_h)
        (second,), w_l = self.entropy_bottleneck_l.write(w_l)
        strings = [first, second]

        def write(name: str, means: Tensor, scales: Tensor) -> Tensor:
            symbols = _rounded(latents[name], means).int()
            writer = SymbolWriter(self.gaussian_conditional)
            writer.write(symbols, self._indexes(scales))
            strings.append(writer.finish())
            return symbols + means

        self._code(w_h, w_l, write)
        return tuple(strings), tuple(w_l.shape[-2:])

    def decompress_picture(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """What `compress_picture` gave to the reconstruction, not clipped."""
        first, second, *rest = strings
        height, width = shape
        w_h = self.entropy_bottleneck_h.read([first], (2 * height, 2 * width))
        w_l = self.entropy_bottleneck_l.read([second], (height, width))
        left = dict(zip(CODED, rest, strict=True))

        def read(name: str, means: Tensor, scales: Tensor) -> Tensor:
            return SymbolReader(self.gaussian_conditional, left[name]).read(self._indexes(scales)) + means

        return cast(Tensor, self.g_s(*self._code(w_h, w_l, read))[0])

    def _analyse(self, x: Tensor) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor]]:
        """The latents behind Gaussians by name, and w."""
        y = self.g_a(x)
        z = self.h_a1(*y)
        return {"y_h": y[0], "y_l": y[1], "z_h": z[0], "z_l": z[1]}, self.h_a2(*z)

    def _code(self, w_h: Tensor, w_l: Tensor, code: Coder) -> tuple[Tensor, Tensor]:
        """The one walk through the latents that estimating, encoding and decoding share; returns y's two halves."""
        p2_h, p2_l = self.h_s2(w_h, w_l)
        z_l = code("z_l", *_halves(p2_l))
        z_h = code("z_h", *self.helpers.z_h(z_l, p2_h))
        p1_h, p1_l = self.h_s1(z_h, z_l)
        y_l = code("y_l", *self.helpers.y_l(p1_l, p2_l))
        return code("y_h", *self.helpers.y_h(y_l, p1_h, p2_h)), y_l

    def _likelihood(self, values: Tensor, means: Tensor, scales: Tensor) -> Tensor:
        model = self.gaussian_conditional
        return cast(Tensor, model.likelihood_lower_bound(model._likelihood(values, scales, means)))

    def _indexes(self, scales: Tensor) -> Tensor:
        return scale_indexes(scales, self.gaussian_conditional.scale_table)


def _rounded(values: Tensor, means: Tensor) -> Tensor:
    """The symbols of some values: ties are rounded up, as TensorFlow Compression does."""
    return torch.floor(values - means + 0.5)


def _halves(parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Means and scales, which are the two halves of the channels."""
    return cast(tuple[Tensor, Tensor], parameters.chunk(2, dim=1))
