"""A web server on this machine that serves one file, and answers in the ways in which downloads go wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html><html>please log in</html>"


@dataclass
class Served:
    """What is served: `content` at /file. `asked` lists the paths of all requests."""

    content: bytes
    address: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(content: bytes, port: int = 0) -> Iterator[Served]:
    """Serve `content` at /file; /cut stops after 100 bytes, /page is a web page, /empty is empty, the rest missing."""
    served = Served(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            bodies = {"/file": served.content, "/cut": served.content, "/page": PAGE, "/empty": b""}
            if self.path not in bodies:
                self.send_error(404)
                return
            body = bodies[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:100] if self.path == "/cut" else body)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        served.address = f"http://127.0.0.1:{server.server_port}"
        yield served
        server.shutdown()
