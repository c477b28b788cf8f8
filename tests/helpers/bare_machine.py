"""A machine as a user or a GitHub runner has it, for tests that may not use the network.

What differs from the real thing, and nothing else: pip installs a package without looking for what it depends on
(PIP_NO_DEPS, PIP_NO_INDEX) and builds it with the setuptools that is here (PIP_NO_BUILD_ISOLATION=0, which is how
pip's environment variable says "without"); the packages of the environment that runs the tests, lic-bench among them,
are found on PYTHONPATH; `lic-bench` calls whichever `python` comes first, as its script in a fresh environment would.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import lic_bench

KEPT = ("HOME", "LANG", "LC_ALL", "LIC_BENCH_CACHE", "TMPDIR")


def environment(folder: Path, first_on_path: Path | None = None) -> dict[str, str]:
    """The environment variables of the machine; its two commands are put into `folder`."""
    commands = {"python3": f'exec "{sys.executable}" "$@"', "lic-bench": 'exec python -m lic_bench "$@"'}
    folder.mkdir(parents=True, exist_ok=True)
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    places = [first_on_path, folder, *os.environ["PATH"].split(os.pathsep)]
    packages = [Path(lic_bench.__file__).parents[1], sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "PATH": os.pathsep.join(str(place) for place in places if place),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, packages))),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "tests@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
