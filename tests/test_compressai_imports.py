"""CompressAI without its point-cloud part: what is left out, what is still there, and whether that still fits."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from lic_bench.compressai_imports import AT_FIRST_USE, REGISTRY

LEFT_OUT = ("torch_geometric", "torch._dynamo", "scipy.stats._stats_py")


def loaded(program: str) -> list[str]:
    """Which of the packages to be left out a fresh interpreter has after a program."""
    shown = f"{program}\nimport json, sys\nprint(json.dumps([m for m in {LEFT_OUT!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", shown], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def test_the_point_clouds_stay_out() -> None:
    assert loaded("import lic_bench, compressai.models, compressai.zoo") == []


def test_compressai_alone_imports_them() -> None:
    """Where this fails CompressAI has changed, and lic_bench.compressai_imports may not be needed."""
    assert loaded("import compressai.models") == list(LEFT_OUT)


def test_the_rest_of_compressai_is_there_at_first_use() -> None:
    program = (
        "import lic_bench, compressai\n"
        "from compressai.transforms import RGB2YCbCr\n"
        "from compressai.losses import RateDistortionLoss\n"
        "import scipy.stats\n"
        "assert abs(scipy.stats.norm.cdf(0) - 0.5) < 1e-12\n"
        "assert compressai.datasets.ImageFolder.__module__ == 'compressai.datasets.image'\n"
        "assert 'ToDict' in compressai.registry.TRANSFORMS\n"
        "compressai.registry.register_transform('Mine')(int)\n"
        "assert compressai.registry.TRANSFORMS['Mine'] is int"
    )
    assert "torch_geometric" in loaded(program)


def test_the_registry_has_the_names_of_compressais_own() -> None:
    import compressai.registry

    spec = PathFinder.find_spec(REGISTRY, list(compressai.registry.__path__))
    assert spec is not None
    assert spec.origin is not None
    own = ast.parse(Path(spec.origin).read_text())
    (names,) = (
        ast.literal_eval(node.value)
        for node in own.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    assert sorted(names) == sorted(sys.modules[REGISTRY].__all__)
    imported = {alias.name for node in own.body if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"torch_geometric.transforms", "torchvision.transforms"}


def test_what_is_left_out_exists() -> None:
    for name in AT_FIRST_USE:
        package, _, module = name.rpartition(".")
        parent = PathFinder.find_spec(package)
        assert parent is not None
        assert PathFinder.find_spec(name, parent.submodule_search_locations) is not None, module


def test_coder_tables_need_no_scipy_stats_and_are_the_same() -> None:
    program = (
        "import lic_bench, sys, torch\n"
        "from compressai.entropy_models import GaussianConditional\n"
        "from compressai.models.utils import conv\n"
        "model = GaussianConditional(None)\n"
        "model.update_scale_table([0.11, 1.0, 64.0])\n"
        "assert 'scipy.stats._stats_py' not in sys.modules\n"
        "import scipy.stats\n"
        "for mass in (1e-9, 0.01, 0.25, 0.5):\n"
        "    assert GaussianConditional._standardized_quantile(mass / 2) == scipy.stats.norm.ppf(mass / 2)"
    )
    assert loaded(program) == ["scipy.stats._stats_py"]
