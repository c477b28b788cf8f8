"""A file with a known sha256 from the network into a folder: whole and proved, or not there at all."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from lic_bench.errors import FetchError

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the bytes in all (None where the server does not say)."""

_CHUNK_BYTES = 1 << 18
_PORTS = {"http": 80, "https": 443}
_DRIVE = "drive.google.com"
# What was learned about hosts in this process, by "host:port": None for one that answers, else why it does not. A
# machine without a network then waits once, not once for every file.
_hosts: dict[str, str | None] = {}


def cache_folder() -> Path:
    """Where downloads are kept: $LIC_BENCH_CACHE, else the system's folder for caches. It need not exist."""
    chosen = os.environ.get("LIC_BENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("lic-bench", appauthor=False)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(
    urls: Sequence[str],
    target: Path,
    sha256: str | None = None,
    seconds: float = 5.0,
    progress: Progress | None = None,
    proof: str = "that was published",
) -> str:
    """Fetch a file from the first of some mirrors that has it, and return its sha256.

    The file is written beside `target`, compared with `sha256` (64 digits, or the first few that a publisher gives;
    `proof` says in the error whose digits they are) and moved into place last: whoever reads `target` never meets half
    a file, and an interruption leaves nothing. Links to Google Drive need the package gdown.
    `seconds` is how long to wait for a connection and for the next bytes. Raises FetchError, which tells of every
    mirror tried.
    """
    if not urls:
        raise FetchError(f"No address is known for {target.name}.")
    problems = []
    for url in urls:
        draft = _draft_beside(target)
        try:
            _receive(url, draft, seconds, progress)
            digest = _prove(url, draft, sha256, proof)
            draft.replace(target)
            return digest
        except FetchError as error:
            problems.append(str(error))
        except OSError as error:
            raise FetchError(f"{target} cannot be written: {error.strerror or error}.") from error
        finally:
            draft.unlink(missing_ok=True)
    raise FetchError(" ".join(problems))


def readable(url: str) -> bool:
    """Whether a program can read this address here: links to Google Drive need gdown (`lic-bench[drive]`)."""
    return urlsplit(url).hostname != _DRIVE or find_spec("gdown") is not None


def _draft_beside(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        Path(name).chmod(0o666 & ~_umask())
    except OSError as error:
        raise FetchError(f"{target.parent} cannot be written: {error.strerror or error}.") from error
    return Path(name)


def _receive(url: str, draft: Path, seconds: float, progress: Progress | None) -> None:
    """Write what a URL answers to a file. The HTTP work is pooch's and requests'."""
    import pooch
    import requests

    if not readable(url):
        raise FetchError(f"{url} lies on Google Drive: install lic-bench[drive], or open the link in a browser.")
    host = _require_reachable(url, seconds)
    if urlsplit(url).hostname == _DRIVE:
        _receive_from_drive(url, draft, seconds, progress)
        return
    fetch = pooch.HTTPDownloader(
        progressbar=_Bar(progress) if progress else False, chunk_size=_CHUNK_BYTES, timeout=(seconds, max(seconds, 30))
    )
    try:
        fetch(url, str(draft), None)
    except requests.HTTPError as error:
        raise FetchError(f"{host} refused: {error}.") from error
    except (requests.ConnectTimeout, requests.exceptions.ProxyError) as error:
        _hosts[host] = "did not answer, or the proxy could not reach it"
        raise FetchError(_unreachable(host)) from error
    except requests.exceptions.SSLError as error:
        raise FetchError(f"The certificate of {host} was not accepted; nothing was fetched from {url}.") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise FetchError(f"{host} stopped before the end of {url}; try again.") from error
    except requests.RequestException as error:
        raise FetchError(f"{url} could not be fetched ({type(error).__name__}); try again.") from error


def _receive_from_drive(url: str, draft: Path, seconds: float, progress: Progress | None) -> None:
    """Write what a link to Google Drive leads to; the pages in between are gdown's work."""
    import gdown
    import requests

    try:
        gdown.download(
            url, str(draft), quiet=True, use_cookies=False, progress=progress, timeout=(seconds, max(seconds, 30))
        )
    except (gdown.exceptions.DownloadError, gdown.exceptions.FileURLRetrievalError) as error:
        said = " ".join(str(error).split())
        raise FetchError(f"Google Drive does not hand out {url} to a program: {said or 'no reason given'}.") from error
    except requests.RequestException as error:
        raise FetchError(f"{url} could not be fetched ({type(error).__name__}); try again.") from error


def _prove(url: str, draft: Path, sha256: str | None, proof: str) -> str:
    with draft.open("rb") as file:
        start = file.read(256).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise FetchError(f"{url} answered with a web page instead of the file; open it in a browser to see why.")
    if not start:
        raise FetchError(f"{url} answered with an empty file.")
    digest = sha256_of(draft)
    if sha256 is not None and not digest.startswith(sha256.lower()):
        raise FetchError(
            f"What {url} sent is not the file {proof}: its sha256 is {digest[: len(sha256)]}, not {sha256}."
        )
    return digest


def _require_reachable(url: str, seconds: float) -> str:
    """The host of a URL; FetchError where it does not take a connection within `seconds`, remembered from then on.

    Tried beforehand in a thread, because looking up a name knows no timeout and a host with many addresses waits for
    each in turn. Behind a proxy there is nothing to try: only the proxy sees the host.
    """
    from requests.utils import get_environ_proxies

    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise FetchError(f"{url} is not an address that can be fetched (http or https).")
    port = parts.port or _PORTS[parts.scheme]
    host = f"{parts.hostname}:{port}"
    if host not in _hosts and not get_environ_proxies(url, no_proxy=None):
        _hosts[host] = _knock(parts.hostname, port, seconds)
    if _hosts.get(host) is not None:
        raise FetchError(_unreachable(host))
    return host


def _knock(name: str, port: int, seconds: float) -> str | None:
    """Why a host does not take connections, or None when it does."""
    outcome: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((name, port), timeout=seconds).close()
            outcome.append(None)
        except socket.gaierror:
            outcome.append("its name is not known here")
        except OSError as error:
            outcome.append(str(error.strerror or error))

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"no answer within {seconds:g} seconds"


def _unreachable(host: str) -> str:
    return f"{host} cannot be reached ({_hosts[host]}); is there a network?"


def _umask() -> int:
    """The permissions this process leaves out; temporary files are private, downloads should not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


class _Bar:
    """What pooch takes for a progress bar, passed on as plain numbers."""

    def __init__(self, told: Progress) -> None:
        self.told = told
        self.total = 0
        self.done = 0

    def update(self, count: int) -> None:
        self.done += count
        self.told(min(self.done, self.total) if self.total else self.done, self.total or None)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass
