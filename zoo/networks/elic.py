"""ELIC as a codec: CompressAI's network with its parts named and its latent shape left out of the stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import nn

from lic_bench.bitstream import Shape
from lic_bench.learned_codec import LearnedCodec


class ElicCodec(LearnedCodec):
    """CompressAI's ELIC keeps its parts inside `latent_codec`; here they go by the paper's names."""

    def latent_shape(self, width: int, height: int) -> Shape:
        """Channels and size of each group of latents, and the size of the hyper latents."""
        columns, rows = self.padded_size(width, height)
        groups = cast("list[int]", self.network.get_submodule("latent_codec.y").groups)
        return {
            "y": [[channels, rows // 16, columns // 16] for channels in groups],
            "hyper": [rows // 64, columns // 64],
        }

    def parts(self) -> Mapping[str, nn.Module]:
        """Transforms, hyper transforms, the contexts across channels and space, and the parameter networks."""
        latent = self.network.get_submodule("latent_codec")
        groups = [group for _, group in latent.get_submodule("y.latent_codec").named_children()]
        return {
            "g_a": self.network.get_submodule("g_a"),
            "h_a": latent.get_submodule("hyper.h_a"),
            "entropy_bottleneck": latent.get_submodule("hyper.entropy_bottleneck"),
            "h_s": latent.get_submodule("hyper.h_s"),
            "channel_context": latent.get_submodule("y.channel_context"),
            "context_prediction": nn.ModuleList(group.get_submodule("context_prediction") for group in groups),
            "entropy_parameters": nn.ModuleList(group.get_submodule("entropy_parameters") for group in groups),
            "g_s": self.network.get_submodule("g_s"),
        }
