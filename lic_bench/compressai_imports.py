"""Leaves the point-cloud part of CompressAI out of `import compressai`.

CompressAI 1.2.8 imports torch_geometric and torch._dynamo for data sets and transforms of point clouds: two thirds of
the time that its import takes, in every process. No image codec uses them. Here its packages of data sets, losses and
transforms are executed at their first use instead of at import, and its registry of transforms holds what
`register_transform` adds, without the transforms of torchvision and torch_geometric. scipy.stats is executed at its
first use too: CompressAI needs one function of it, the normal distribution's quantiles, and is given
scipy.special.ndtri, which computes them there as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

AT_FIRST_USE = ("compressai.datasets", "compressai.losses", "compressai.transforms", "scipy.stats")
REGISTRY = "compressai.registry.transforms"
ENTROPY_MODELS = "compressai.entropy_models.entropy_models"


class _TransformsRegistry(Loader):
    """Makes the registry of transforms: the two names of CompressAI's own module."""

    def exec_module(self, module: ModuleType) -> None:
        transforms: dict[str, type] = {}

        def register_transform(name: str) -> Callable[[type], type]:
            def decorator(cls: type) -> type:
                transforms[name] = cls
                return cls

            return decorator

        module.__dict__.update(
            TRANSFORMS=transforms, register_transform=register_transform, __all__=["TRANSFORMS", "register_transform"]
        )


class _AtFirstUse(Loader):
    """Executes a module when the first of its names is asked for.

    importlib.util.LazyLoader does so at any attribute, `__file__` among them, which inspect reads of every module.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def exec_module(self, module: ModuleType) -> None:
        def first_use(name: str) -> Any:
            if name.startswith("__") and name != "__all__":
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            del module.__dict__["__getattr__"]
            self.loader.exec_module(module)
            return getattr(module, name)

        module.__dict__["__getattr__"] = first_use


class _LightQuantiles(Loader):
    """Executes CompressAI's entropy models, and gives them the normal distribution's quantiles without scipy.stats."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def exec_module(self, module: ModuleType) -> None:
        from scipy.special import ndtri

        self.loader.exec_module(module)
        module.GaussianConditional._standardized_quantile = staticmethod(ndtri)


class _WithoutPointClouds(MetaPathFinder):
    """Finds the modules named above; any other import goes on to the next finder."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == REGISTRY:
            return spec_from_loader(fullname, _TransformsRegistry())
        if fullname not in (*AT_FIRST_USE, ENTROPY_MODELS):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = (_LightQuantiles if fullname == ENTROPY_MODELS else _AtFirstUse)(spec.loader)
        return spec


def install() -> None:
    """Make later imports of CompressAI leave the point clouds out; nothing where it is imported or done already."""
    if "compressai" not in sys.modules and not any(isinstance(f, _WithoutPointClouds) for f in sys.meta_path):
        sys.meta_path.insert(0, _WithoutPointClouds())
