"""Entry points and references ("package.module:NAME", "path/to/file.py:NAME"): finds and imports what they name."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from lic_bench.errors import RequestError, did_you_mean

OURS = "lic_bench."
"""The prefix of the modules of this package's own entry points."""


@cache
def registered(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name, alphabetical. Of several with one name ours is taken, else the first."""
    found: dict[str, EntryPoint] = {}
    for entry_point in sorted(entry_points(group=group), key=_rank):
        found.setdefault(entry_point.name, entry_point)
    return dict(sorted(found.items()))


def clashes(group: str) -> dict[str, str]:
    """Entry points whose name is taken, as "name (module:NAME)", each with a sentence that says by whom."""
    taken = registered(group)
    return {
        f"{other.name} ({other.value})": f"The name {other.name!r} is taken by {taken[other.name].value}; rename it."
        for other in sorted(entry_points(group=group), key=_rank)
        if other.value != taken[other.name].value
    }


def is_reference(name: str) -> bool:
    """Whether a text is a reference ("module:NAME", "file.py:NAME") and not a registered name."""
    return ":" in name


def absolute(reference: str) -> str:
    """The reference with the absolute path of its file. RequestError for a file that is not there."""
    place, _, attribute = reference.rpartition(":")
    if not place.endswith(".py"):
        return reference
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise RequestError(f"{reference} names nothing: there is no file {path}.")
    return f"{path}:{attribute}"


def reference(entry_point: EntryPoint) -> str:
    """The reference of an entry point."""
    return f"{entry_point.module}:{entry_point.attr}"


def attribute(reference: str) -> object:
    """The object at "package.module:NAME" or "path/to/file.py:NAME". Imports its module.

    Raises RequestError where there is none, and whatever the import raises.
    """
    place, _, path = reference.rpartition(":")
    if not place or not path:
        raise RequestError(f"{reference!r} is no reference; those read package.module:NAME or path/to/file.py:NAME")
    found: object = _file_module(Path(place)) if place.endswith(".py") else _module(place)
    for name in path.split("."):
        if not hasattr(found, name):
            hint = did_you_mean(name, [known for known in dir(found) if not known.startswith("_")])
            raise RequestError(f"there is no {name!r} in {place}. {hint}".rstrip())
        found = getattr(found, name)
    return found


def load(reference: str, what: str) -> object:
    """The object at a reference. RequestError, which begins with `what`, however its import fails."""
    try:
        return attribute(reference)
    except RequestError as error:
        raise RequestError(as_sentence(f"{what} cannot be used: {error}")) from None
    except (Exception, SystemExit) as error:  # a plug-in may fail in any way; the others go on
        raise RequestError(as_sentence(f"{what} cannot be imported: {type(error).__name__}: {error}")) from error


def as_sentence(text: str) -> str:
    """A text with a full stop at its end, where it has neither that nor a question mark."""
    return text if text.endswith((".", "?")) else f"{text}."


def source_sha256(reference: str) -> str:
    """A sha256 over the source of an imported reference: every module loaded from the same folder or package.

    A run made with it is never continued with changed code.
    """
    place = reference.rpartition(":")[0]
    top = sys.modules.get(Path(place).stem if place.endswith(".py") else place.partition(".")[0])
    if top is None or top.__file__ is None:
        return ""
    root = Path(top.__file__).resolve().parent
    files = {Path(file) for module in tuple(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    alone = not place.endswith(".py") and not hasattr(top, "__path__")
    own = [Path(top.__file__)] if alone else sorted(file for file in files if _is_below(file, root))
    digest = hashlib.sha256()
    for file in own:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _is_below(file: Path, root: Path) -> bool:
    """Whether a source file belongs to a folder, and not to a virtual environment inside it."""
    path = _real(file.parent) / file.name
    return path.is_relative_to(root) and "site-packages" not in path.relative_to(root).parts and path.is_file()


@cache
def _real(folder: Path) -> Path:
    """A folder without symbolic links; cached, because many modules lie in one folder."""
    return folder.resolve()


def _rank(entry_point: EntryPoint) -> tuple[bool, str, str]:
    """Ours first, then alphabetical."""
    return not entry_point.value.startswith(OURS), entry_point.name, entry_point.value


def _module(name: str) -> ModuleType:
    """The module of a dotted name. RequestError where it, or a package it lies in, is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise RequestError(
            f"there is no module {error.name!r} here; install it, or name the file: path/to/file.py:NAME"
        ) from None


def _file_module(path: Path) -> ModuleType:
    """The module of a file, imported under its stem.

    Its folder is put on sys.path and stays there: the file may import its neighbours later, when it is used.
    """
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    module = import_module(path.stem)
    if module.__file__ is None or Path(module.__file__).resolve() != path.resolve():
        raise RequestError(
            f"another module is called {path.stem!r} ({module.__file__ or 'built into Python'}); rename {path}"
        )
    return module
