"""Counting imports neither dynamo nor sympy, and leaves nothing of its own behind."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("torch._dynamo", "sympy", "torch.fx.experimental.symbolic_shapes", "scipy.stats._stats_py", "torchvision")


def after(program: str) -> list[str]:
    """Which of the heavy modules a fresh interpreter has after a program."""
    shown = f"{program}\nimport json, sys\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", shown], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_counting_imports_nothing_heavy() -> None:
    program = (
        "from lic_bench.complexity.codec_complexity import of_cards\n"
        "from lic_bench.registry import codecs\n"
        "names = ('bmshj2018-hyperprior', 'mbt2018', 'cheng2020-attn', 'elic', 'tcm-small', 'asymmetric-published')\n"
        "assert all(len(c.uncounted) == 0 for c in of_cards(map(codecs.get, names), [(256, 256)]))"
    )
    assert after(program) == []


def test_the_real_modules_are_there_when_asked_for() -> None:
    program = (
        "from lic_bench.complexity.light_imports import light_imports\n"
        "with light_imports():\n"
        "    import sympy\n"
        "    assert not isinstance(3, sympy.Basic)\n"
        "    from sympy import Symbol\n"
        "    assert isinstance(Symbol('x') + 1, __import__('sympy').Basic)\n"
        "    from torch.fx.experimental.symbolic_shapes import ShapeEnv\n"
    )
    assert {"sympy", "torch.fx.experimental.symbolic_shapes"} <= set(after(program))


def test_a_wrong_shape_is_still_an_error() -> None:
    program = (
        "import torch\n"
        "from lic_bench.complexity.meta_device import on_meta_device\n"
        "with on_meta_device():\n"
        "    try:\n"
        "        torch.nn.Conv2d(3, 8, 5)(torch.empty(1, 3, 4, 4))\n"
        "    except RuntimeError as error:\n"
        "        assert 'Kernel size' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError('a kernel larger than its input was taken')"
    )
    assert after(program) == []


def test_compiling_works_afterwards() -> None:
    program = (
        "import torch\n"
        "from lic_bench.complexity.codec_complexity import count_complexity\n"
        "count_complexity(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()), (16, 16))\n"
        "compiled = torch.compile(lambda x: x.maximum(torch.zeros(1)) + 1, backend='eager')\n"
        "assert compiled(torch.tensor([-1.0, 2.0])).tolist() == [1.0, 3.0]"
    )
    assert "torch._dynamo" in after(program)
