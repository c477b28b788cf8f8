"""Other people's plug-ins, looked up in a fresh process first: one that crashes is named, and that is all.

What comes back is a card, which is data: this process never imports the plug-in's module for a run.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence

from lic_bench import catalogue
from lic_bench.catalogue import Selection
from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError
from lic_bench.execute import ProcessDied, Processes

LOOK_UP_SECONDS = 60.0
"""How long the import of a plug-in may take at least; a longer `--timeout` holds for it too."""


def selection(request: str | Sequence[str], timeout_seconds: float | None = None) -> Selection:
    """The cards asked for, and what is broken among them. RequestError for unknown names and where nothing is sound."""
    for place, found in _looked_up(_cards, catalogue.others(request), timeout_seconds):
        catalogue.learn(place, found)
    return catalogue.selection(request)


def _looked_up(
    look: Callable[[Sequence[str]], Iterator[tuple[str, object]]], places: Sequence[str], seconds: float | None
) -> Iterator[tuple[str, object]]:
    """What `look` finds at each place. All are looked up in one process; after one that ends it, in another."""
    left = list(places)
    processes = Processes(multiprocessing.get_context("spawn"), max(seconds or 0, LOOK_UP_SECONDS))
    while left:
        try:
            for place, found in processes.run(look, tuple(left)):
                left.remove(place)
                yield place, found
        except ProcessDied as error:
            place = left.pop(0)
            yield place, RequestError(f"The plug-in {place} cannot be looked up: {error}.")


def _cards(places: Sequence[str]) -> Iterator[tuple[str, CodecCard | RequestError]]:
    """In the fresh process: the card behind each door."""
    os.dup2(2, 1)  # what a plug-in prints must not stand among results
    for place in places:
        yield place, catalogue.look_up(place)
