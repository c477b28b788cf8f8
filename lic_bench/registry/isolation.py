"""Fresh processes: a plug-in or codec that crashes, exits or hangs ends its own process and no other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import GeneratorType
from typing import Any


class ProcessDied(Exception):
    """A process ended, failed or was stopped before it gave its result."""


class ProcessStopped(ProcessDied):
    """A process ran past its time and was stopped."""


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Hide a warning that packages which use torch cause on import, also in processes started inside the block."""
    ignored = "ignore:`torch.jit.script` is deprecated:FutureWarning"
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, ignored)))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
            yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send what is printed to standard error, by Python or by libraries below it: results are on standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


class Processes:
    """Starts fresh processes, and ends all of them when it is stopped."""

    def __init__(self, context: BaseContext, timeout_seconds: float | None) -> None:
        self.context = context
        self.timeout_seconds = timeout_seconds
        self.running: set[BaseProcess] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, work: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        """The results of `work` in a fresh process: one, or each that a generator yields.

        Raises ProcessDied when the process ends early, ProcessStopped when it runs past its time.
        """
        pipe, process = self._start(work, arguments)
        try:
            while True:
                if not pipe.poll(self.timeout_seconds):
                    raise ProcessStopped(
                        f"gave no result within {self.timeout_seconds:g} s and was stopped (--timeout)"
                    )
                kind, value = pipe.recv()
                if kind == "done":
                    return
                if kind == "error":
                    raise ProcessDied(value)
                yield value
        except EOFError:
            process.join()
            raise ProcessDied(_how_it_ended(process.exitcode)) from None
        finally:
            process.kill()
            process.join()
            pipe.close()
            self.running.discard(process)

    def stop(self) -> None:
        """End every process and start no more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()

    def _start(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Connection, BaseProcess]:
        with self.lock, _no_interrupt(), _hidden_main():
            if self.stopped:
                raise ProcessDied("the run was stopped")
            ours, theirs = self.context.Pipe(duplex=False)
            process = self.context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)  # type: ignore[attr-defined]
            process.start()
            self.running.add(process)
            theirs.close()
        return ours, process


def _serve(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Runs in the fresh process: does the work and sends its results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = work(*arguments)
        for value in result if isinstance(result, GeneratorType) else (result,):
            pipe.send(("result", value))
        pipe.send(("done", None))
    except Exception as error:  # whatever a codec raises is sent to the parent, which makes it a row
        with suppress(BrokenPipeError):  # the parent has ended
            pipe.send(("error", f"{type(error).__name__}: {error}"))


def _end_with_parent() -> None:
    """End this process when its parent has ended: nothing would read its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold Ctrl-C back while a process is started, so that it is known and can be ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep fresh processes from importing the caller's script again: they do not need it."""
    main: dict[str, Any] = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)


def _how_it_ended(code: int | None) -> str:
    """An exit code in words."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if -code == signal.SIGKILL else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {code} before it gave a result"
