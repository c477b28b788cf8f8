"""The registry: things of one kind by name or reference, found by entry points and imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lic_bench.errors import RequestError, unknown
from lic_bench.registry import entry_points

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """Where a thing is found: the name it is registered under ("" for none), and its reference."""

    name: str
    reference: str

    @property
    def key(self) -> str:
        """The name, or the reference of what has none: any process finds the thing by it."""
        return self.name or self.reference


class Registry(Generic[T]):
    """Things of one kind by name or by reference ("module:NAME", "file.py:NAME").

    `kind` is the word for one of them in messages, `group` the entry-point group. `adapt(found, entry)` turns what
    stands at a reference into a T, and raises RequestError for what is none. Each is resolved once per process, a
    broken one as well.
    """

    def __init__(self, kind: str, group: str, adapt: Callable[[object, Entry], T]) -> None:
        self.kind = kind
        self.group = group
        self._adapt = adapt
        self._resolved: dict[str, T | RequestError] = {}

    def names(self) -> tuple[str, ...]:
        """Every registered name, alphabetical: installers do not keep the order of entry points."""
        return tuple(entry_points.registered(self.group))

    def clashes(self) -> dict[str, str]:
        """Entry points whose name is taken, each with a sentence that says by whom."""
        return entry_points.clashes(self.group)

    def entry(self, asked: str) -> Entry:
        """The entry of a name or a reference. RequestError with "did you mean" for an unknown name."""
        if entry_points.is_reference(asked):
            return Entry("", entry_points.absolute(asked))
        found = entry_points.registered(self.group).get(asked)
        if found is None:
            raise RequestError(unknown(self.kind, asked, self.names()))
        return Entry(asked, entry_points.reference(found))

    def get(self, asked: str) -> T:
        """The thing of a name or a reference. RequestError where there is none, or where it is broken."""
        key = self.entry(asked).key
        if key not in self._resolved:
            self.register(key, self.resolve(key))
        found = self._resolved[key]
        if isinstance(found, RequestError):
            raise found
        return found

    def register(self, key: str, found: T | RequestError) -> None:
        """Keep the thing of a key, or why there is none, so that it is not resolved again."""
        self._resolved[key] = found

    def resolve(self, asked: str) -> T | RequestError:
        """The thing of a name or reference, or the error that says why there is none. Imports the plug-in's module."""
        entry = self.entry(asked)
        what = f"The {self.kind} {entry.name!r} ({entry.reference})" if entry.name else f"The {self.kind} {asked}"
        try:
            found = entry_points.load(entry.reference, what)
        except RequestError as error:
            return error
        try:
            return self._adapt(found, entry)
        except RequestError as error:
            return RequestError(entry_points.as_sentence(f"{what} cannot be used: {error}"))
        except (Exception, SystemExit) as error:  # a plug-in may fail in any way; the others go on
            return RequestError(entry_points.as_sentence(f"{what} cannot be used: {type(error).__name__}: {error}"))

    def unresolved(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Those of some keys that belong to other packages and are not resolved yet, each once."""
        return tuple(key for key in dict.fromkeys(keys) if key not in self._resolved and not self._is_ours(key))

    def _is_ours(self, key: str) -> bool:
        """Whether the entry is this package's own, and safe to import."""
        return not entry_points.is_reference(key) and self.entry(key).reference.startswith(entry_points.OURS)
