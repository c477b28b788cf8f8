"""Errors whose message is a sentence for the user; the commands print it and no traceback."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


class LicBenchError(Exception):
    """Base of every error whose message is meant for the user; `exit_code` is that of a command it ends."""

    exit_code = 1


class RequestError(LicBenchError):
    """The request itself was wrong: an unknown name, a missing data set, a nonsense size."""

    exit_code = 2


class DatasetError(RequestError):
    """A data set is missing or is not the one it claims to be."""


class PictureError(LicBenchError):
    """One picture cannot be measured; the others can."""


class WeightsError(LicBenchError):
    """A checkpoint is missing, does not fit the network, or is not the file it claims to be."""


class StreamError(LicBenchError):
    """A bitstream is not one this decoder can read."""


class NotACodecError(RequestError):
    """A network that estimates rates was asked to code a picture."""


class FetchError(LicBenchError):
    """A file could not be downloaded."""


class RunFolderError(RequestError):
    """A run folder is missing, unreadable, cannot be written, or of another format."""


LISTED_BY_A_COMMAND = ("model", "dataset")


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """A sentence about a name that is not there, with the nearest that are, or how to see all."""
    hint = did_you_mean(name, known)
    if not hint and kind in LISTED_BY_A_COMMAND:
        hint = f"`lic-bench {kind}s` lists what there is."
    elif not hint:
        hint = f"There is {', '.join(known)}." if known else f"No {kind} is registered."
    return f"There is no {kind} called {name!r}. {hint}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A question with the names nearest to one that is not there; empty where none is near."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}?" if close else ""
