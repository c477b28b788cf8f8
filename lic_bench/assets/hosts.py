"""Which hosts of the network answer. Each is tried once per process: without a network one file waits, not every one.

What is found out is kept by "host:port" until `forget` is called.
"""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

from lic_bench.errors import FetchError

PORTS = {"http": 80, "https": 443}
"""The protocols that can be fetched, with their ports."""

_problems: dict[str, str | None] = {}  # why a host does not answer, None for one that does


def require(url: str, seconds: float) -> str:
    """The "host:port" of a URL. FetchError where it takes no connection within `seconds`, or the URL has no host.

    Behind a proxy there is nothing to try: only the proxy sees the host.
    """
    from requests.utils import get_environ_proxies

    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise FetchError(f"{url} is not an address that can be fetched (http or https).")
    port = parts.port or PORTS[parts.scheme]
    host = f"{parts.hostname}:{port}"
    if host not in _problems and not get_environ_proxies(url, no_proxy=None):
        _problems[host] = _problem(parts.hostname, port, seconds)
    problem = _problems.get(host)
    if problem is not None:
        raise unreachable(host, problem)
    return host


def unreachable(host: str, problem: str) -> FetchError:
    """The error for a host ("host:port") that does not answer; it is not tried again."""
    _problems[host] = problem
    return FetchError(f"{host} cannot be reached ({problem}); is there a network?")


def forget() -> None:
    """Let every host be tried again."""
    _problems.clear()


def _problem(name: str, port: int, seconds: float) -> str | None:
    """Why a host does not take a connection, or None when it does."""
    outcome: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((name, port), timeout=seconds).close()
            outcome.append(None)
        except socket.gaierror:
            outcome.append("its name is not known here")
        except OSError as error:
            outcome.append(str(error.strerror or error))

    # In a thread, because looking up a name has no timeout and a host with many addresses waits for each in turn.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"no answer within {seconds:g} seconds"
