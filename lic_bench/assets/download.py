"""Downloads a file into a folder: whole and with the right sha256, or not at all.

The HTTP work, the folder for caches and the progress protocol are pooch's, Google Drive is gdown's. Here are the
errors as sentences, mirrors, sha256 prefixes, and the refusal of web pages that come instead of a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from lic_bench.assets import hosts
from lic_bench.assets.files import draft_beside
from lic_bench.errors import FetchError

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the bytes in all (None where the server does not say)."""

CHUNK_BYTES = 1 << 18
DRIVE_HOST = "drive.google.com"


def cache_folder() -> Path:
    """The folder for downloads: $LIC_BENCH_CACHE, else the system's folder for caches. It need not exist."""
    chosen = os.environ.get("LIC_BENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("lic-bench"))


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def readable(url: str) -> bool:
    """Whether a program can read this address here: links to Google Drive need gdown (`lic-bench[drive]`)."""
    return urlsplit(url).hostname != DRIVE_HOST or find_spec("gdown") is not None


def download(
    urls: Sequence[str],
    target: Path,
    sha256: str | None = None,
    seconds: float = 5.0,
    progress: Progress | None = None,
    whose: str = "that was published",
) -> str:
    """Download a file from the first mirror that has it; returns its sha256 (64 digits).

    `sha256` is what the file must have: 64 digits, or the first few where the publisher gives no more. `whose` says in
    the error which file has it. `seconds` is how long to wait for a connection. Whoever reads `target` meets the
    file that was there before or the whole new one. Raises FetchError, which names every mirror tried.
    """
    if not urls:
        raise FetchError(f"No address is known for {target.name}.")
    problems = []
    for url in urls:
        try:
            with draft_beside(target) as draft:
                _receive(url, draft, seconds, progress)
                return _proved(url, draft, sha256, whose)
        except FetchError as error:
            problems.append(str(error))
        except OSError as error:
            raise FetchError(f"{target} cannot be written: {error.strerror or error}.") from error
    raise FetchError(" ".join(problems))


def _receive(url: str, draft: Path, seconds: float, progress: Progress | None) -> None:
    """Write to `draft` what a URL answers. FetchError for whatever goes wrong on the network."""
    import requests

    if not readable(url):
        raise FetchError(f"{url} lies on Google Drive: install lic-bench[drive], or open the link in a browser.")
    host = hosts.require(url, seconds)
    timeout = (seconds, max(seconds, 30))  # to connect, and for the next bytes
    fetch = _from_drive if urlsplit(url).hostname == DRIVE_HOST else _from_web
    try:
        fetch(url, draft, timeout, progress)
    except requests.HTTPError as error:
        raise FetchError(f"{host} refused: {error}.") from error
    except (requests.ConnectTimeout, requests.exceptions.ProxyError) as error:
        raise hosts.unreachable(host, "did not answer, or the proxy could not reach it") from error
    except requests.exceptions.SSLError as error:
        raise FetchError(f"The certificate of {host} was not accepted; nothing was fetched from {url}.") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise FetchError(f"{host} stopped before the end of {url}; try again.") from error
    except requests.RequestException as error:
        raise FetchError(f"{url} could not be fetched ({type(error).__name__}); try again.") from error


def _from_web(url: str, draft: Path, timeout: tuple[float, float], progress: Progress | None) -> None:
    """Download over HTTP, by pooch."""
    import pooch

    bar = PoochBar(progress) if progress is not None else False
    pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=timeout)(url, str(draft), None)


def _from_drive(url: str, draft: Path, timeout: tuple[float, float], progress: Progress | None) -> None:
    """Download from Google Drive with its pages in between, by gdown. FetchError where it refuses."""
    import gdown

    try:
        gdown.download(url, str(draft), quiet=True, use_cookies=False, progress=progress, timeout=timeout)
    except (gdown.exceptions.DownloadError, gdown.exceptions.FileURLRetrievalError) as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise FetchError(f"Google Drive does not hand out {url} to a program: {reason}.") from error


def _proved(url: str, draft: Path, sha256: str | None, whose: str) -> str:
    """The sha256 of a file that came. FetchError where it is a web page, empty, or not the file asked for."""
    with draft.open("rb") as file:
        start = file.read(256).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise FetchError(f"{url} answered with a web page instead of the file; open it in a browser to see why.")
    if not start:
        raise FetchError(f"{url} answered with an empty file.")
    digest = sha256_of(draft)
    if sha256 is not None and not digest.startswith(sha256.lower()):
        raise FetchError(
            f"What {url} sent is not the file {whose}: its sha256 is {digest[: len(sha256)]}, not {sha256}."
        )
    return digest


class PoochBar:
    """A progress bar as pooch calls it, which reports plain numbers."""

    def __init__(self, report: Progress) -> None:
        self.report = report
        self.total = 0
        self.done = 0

    def update(self, count: int) -> None:
        """Called with the bytes of each chunk, and at the end with all of them."""
        self.done += count
        self.report(min(self.done, self.total) if self.total else self.done, self.total or None)

    def reset(self) -> None:
        """Called before the last update."""
        self.done = 0

    def close(self) -> None:
        """Called at the end."""
