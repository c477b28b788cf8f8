"""`lic-bench` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

QUICK = ("--timing-budget", "0.2", "--no-download")
"""Options that keep a run short."""


def lic_bench(*arguments: str, cwd: Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `lic-bench` with these arguments in a folder; it must end with `code` and without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "lic_bench", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "LIC_BENCH_DATA"} | environment,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done
