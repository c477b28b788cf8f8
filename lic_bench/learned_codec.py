"""A codec made of a network in CompressAI's shape: padding, tensors, the container, and the estimated rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lic_bench import bitstream
from lic_bench.codec import Image
from lic_bench.errors import NotACodecError, StreamError

_KNOWN = 0  # in place of a shape in a bitstream: the one that `latent_shape` returns
PADDINGS = ("zeros-centred", "zeros-corner", "replicate-corner")


class LearnedCodec:
    """Codes pictures of any size from 1x1 with a network whose sides must be multiples of `multiple`.

    `padding` is one of PADDINGS: zeros all around (CompressAI's habit), or zeros or the border's pixels at the right
    and the bottom. Floating-point sums depend on the number of threads, so the bitstream carries the number its
    probabilities were made with and decoding uses that number; `probabilities_fixed` says that the network's
    probabilities do not depend on what it computes (a factorized prior alone): such a bitstream decodes on any device,
    and only the last bit of the picture may differ there.
    """

    def __init__(
        self,
        network: nn.Module,
        identity: str,
        device: str = "cpu",
        multiple: int = 64,
        padding: str = "zeros-centred",
        probabilities_fixed: bool = False,
    ) -> None:
        if padding not in PADDINGS:
            raise ValueError(f"padding is {padding!r}, not one of {', '.join(PADDINGS)}")
        self.network = network.eval().to(device)
        self.identity = identity
        self.device = torch.device(device)
        self.multiple = multiple
        self.padding = padding
        self.probabilities_fixed = probabilities_fixed

    def parts(self) -> Mapping[str, nn.Module]:
        """The network's direct children that hold parameters, by name."""
        return {name: part for name, part in self.network.named_children() if any(True for _ in part.parameters())}

    def padded_size(self, width: int, height: int) -> tuple[int, int]:
        """The multiples of `multiple` that hold a picture of this width and height."""
        return -(-width // self.multiple) * self.multiple, -(-height // self.multiple) * self.multiple

    @torch.inference_mode()
    def encode(self, image: Image) -> bytes:
        """The bitstream of one picture (uint8, height x width x 3)."""
        height, width = image.shape[:2]
        coded = self.network.compress(self.tensor(image))  # type: ignore[operator]
        strings = tuple(_only(group) for group in coded["strings"])
        shape = bitstream.plain_shape(coded["shape"])
        on_cpu = self.device.type == "cpu"
        return bitstream.pack(
            bitstream.Container(
                codec=self.identity,
                device="cpu" if on_cpu else "accelerator",
                threads=torch.get_num_threads() if on_cpu else 0,
                height=height,
                width=width,
                shape=_KNOWN if shape == self.latent_shape(width, height) else shape,
                strings=strings,
            )
        )

    @torch.inference_mode()
    def decode(self, data: bytes) -> Image:
        """The picture of one bitstream. Raises StreamError when made on another kind of device, or damaged."""
        contents = bitstream.unpack(data, self.identity)
        known = self.latent_shape(contents.width, contents.height)
        shape = contents.shape if known is None or contents.shape != _KNOWN else known
        here = "cpu" if self.device.type == "cpu" else "accelerator"
        if contents.device != here and not self.probabilities_fixed:
            raise StreamError(
                f"This bitstream of {self.identity} was made on {_article(contents.device)} and its probabilities are "
                f"floating-point numbers of that device; decode it there, not on {_article(here)}."
            )
        with torch_threads(contents.threads):
            decoded = self.network.decompress(  # type: ignore[operator]
                [[string] for string in contents.strings], _network_shape(shape)
            )
        return self.picture(decoded["x_hat"], contents.width, contents.height)

    def latent_shape(self, width: int, height: int) -> bitstream.Shape | None:
        """The latents' shape that `compress` returns for a picture of this size; None to have it in the bitstream.

        A network that describes many latents overrides this, so that its bitstreams need not repeat the arithmetic.
        """
        return None

    def payload_bits(self, data: bytes) -> int:
        """Bits of the entropy-coded strings alone, as CompressAI counts."""
        return 8 * sum(len(string) for string in bitstream.unpack(data, self.identity).strings)

    @torch.inference_mode()
    def estimated_bits(self, image: Image) -> float:
        """Sum of -log2 likelihood over all latents, from one call of the network."""
        return self.forward(image)[1]

    @torch.inference_mode()
    def forward(self, image: Image) -> tuple[Image, float]:
        """The reconstruction and the estimated bits of one call of the network."""
        out = self.network(self.tensor(image))
        bits = sum(float(-torch.log2(likelihood.double()).sum()) for likelihood in out["likelihoods"].values())
        return self.picture(out["x_hat"], image.shape[1], image.shape[0]), bits

    def tensor(self, image: Image) -> Tensor:
        """The picture as the network takes it: 1 x 3 x H x W, float32 in [0, 1], padded, on the device."""
        height, width = image.shape[:2]
        x = torch.tensor(np.ascontiguousarray(image), device=self.device).permute(2, 0, 1)[None].float() / 255
        left, right, top, bottom = self._margins(width, height)
        mode = "replicate" if self.padding == "replicate-corner" else "constant"
        return nn.functional.pad(x, (left, right, top, bottom), mode=mode).contiguous()

    def picture(self, x_hat: Tensor, width: int, height: int) -> Image:
        """The network's reconstruction cropped, clipped and rounded (half to even) to 8 bit."""
        left, _, top, _ = self._margins(width, height)
        x = x_hat[0, :, top : top + height, left : left + width]
        rounded = (x.clamp(0, 1) * 255).round().to(torch.uint8)
        result: Image = rounded.permute(1, 2, 0).contiguous().cpu().numpy()
        return result

    def _margins(self, width: int, height: int) -> tuple[int, int, int, int]:
        padded_width, padded_height = self.padded_size(width, height)
        x, y = padded_width - width, padded_height - height
        left, top = (x // 2, y // 2) if self.padding == "zeros-centred" else (0, 0)
        return left, x - left, top, y - top


class Estimator(LearnedCodec):
    """A network that estimates a picture's rate and cannot code it. Its MACs can be counted."""

    def encode(self, image: Image) -> bytes:
        """Raises NotACodecError."""
        raise NotACodecError(
            f"{self.identity} is not a codec: it estimates a rate and codes nothing. `lic-bench models` says which are."
        )

    def decode(self, data: bytes) -> Image:
        """Raises NotACodecError."""
        raise NotACodecError(f"{self.identity} is not a codec: there are no bitstreams of it.")


def _only(group: Any) -> bytes:
    """The one string of a batch of one."""
    (string,) = group
    return bytes(string)


def _network_shape(shape: bitstream.Shape) -> Any:
    """Lists back to tuples, which is what networks index and unpack."""
    if isinstance(shape, dict):
        return {key: _network_shape(value) for key, value in shape.items()}
    if isinstance(shape, list):
        return tuple(_network_shape(value) for value in shape)
    return shape


def _article(device: str) -> str:
    return "a CPU" if device == "cpu" else "an accelerator"


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run torch with this many threads (0: as it is), and go back to what was set."""
    before = torch.get_num_threads()
    if count in (0, before):
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
