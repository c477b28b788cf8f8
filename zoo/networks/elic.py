"""ELIC as a codec: CompressAI's network with its parts named and its latent shape left out of the stream."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from lic_bench.learned import LearnedCodec


class ElicCodec(LearnedCodec):
    """CompressAI's ELIC keeps its parts inside `latent_codec`; here they go by the paper's names."""

    def parts(self) -> Mapping[str, nn.Module]:
        """Transforms, hyper transforms, the contexts across channels and space, and the parameter networks."""
        latent = self.network.get_submodule("latent_codec")
        groups = [group for _, group in latent.get_submodule("y.latent_codec").named_children()]
        return {
            "g_a": self.network.get_submodule("g_a"),
            "h_a": latent.get_submodule("hyper.h_a"),
            "h_s": latent.get_submodule("hyper.h_s"),
            "channel_context": latent.get_submodule("y.channel_context"),
            "context_prediction": nn.ModuleList(group.get_submodule("context_prediction") for group in groups),
            "entropy_parameters": nn.ModuleList(group.get_submodule("entropy_parameters") for group in groups),
            "g_s": self.network.get_submodule("g_s"),
        }
