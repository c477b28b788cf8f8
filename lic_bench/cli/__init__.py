"""The commands. Each imports what it needs when it runs, so that `lic-bench --help` answers at once."""

from __future__ import annotations

import os
import sys

import typer

from lic_bench.cli import bd, benchmark, check, complexity, doctor, interchange, new, zoo
from lic_bench.cli.app import app
from lic_bench.errors import LicBenchError
from lic_bench.registry.isolation import quiet_imports

__all__ = ["app", "bd", "benchmark", "check", "complexity", "doctor", "interchange", "main", "new", "zoo"]

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped, as shells have it (128 + SIGINT)."""


def main() -> None:
    """Run a command; every error ends in one sentence and an exit code, never in a traceback."""
    try:
        with quiet_imports():
            code = app(standalone_mode=False)
    except LicBenchError as error:
        _stop(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except typer.TyperException as error:
        _stop(_usage(error), 2)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # whoever read the output is gone; print no error
        sys.exit(1)
    except Exception as error:  # a bug of this package: named, with a way to see where
        if os.environ.get("LIC_BENCH_DEBUG"):
            raise
        _stop(f"lic-bench failed: {type(error).__name__}: {error}. Set LIC_BENCH_DEBUG=1 to see where.", 1)
    if code == INTERRUPTED:
        _stop("Stopped. What was measured is kept; the same command continues.", INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _stop(sentence: str, code: int) -> None:
    typer.echo(f"lic-bench: {sentence}", err=True)
    sys.exit(code)


def _usage(error: typer.TyperException) -> str:
    """What was wrong with the command line, and where help is."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{message.rstrip('.')}. `lic-bench --help` and `lic-bench COMMAND --help` list what there is."
