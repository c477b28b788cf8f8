import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lic_bench.assets import download
from lic_bench.errors import FetchError

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Server(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - one list for all requests is the point

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
            return
        body = b"<!DOCTYPE html><html>please log in</html>" if self.path == "/page" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if self.path == "/cut" else body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_hosts", {})
    _Server.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port of this machine on which nobody listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_hosts", {})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("proof", [DIGEST, DIGEST[:8], DIGEST[:8].upper(), None])
def test_a_file_arrives_whole_and_its_sha256_is_told(address: str, tmp_path: Path, proof: str | None) -> None:
    target = tmp_path / "deep" / "weights.bin"
    assert download.download([f"{address}/file"], target, proof) == DIGEST
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["weights.bin"]


@pytest.mark.parametrize(
    ("path", "proof", "sentence"),
    [
        ("/gone", None, "refused: 404 .*/gone"),
        ("/cut", None, "stopped before the end of .*/cut"),
        ("/page", None, "a web page instead of the file"),
        ("/file", "0" * 64, "is not the file that was published"),
        ("/file", "01234567", f"its sha256 is {DIGEST[:8]}, not 01234567"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_leaves_nothing_behind(
    address: str, tmp_path: Path, path: str, proof: str | None, sentence: str
) -> None:
    with pytest.raises(FetchError, match=sentence):
        download.download([address + path], tmp_path / "file", proof)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_leaves_the_file_that_was_there(address: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"yesterday's")
    with pytest.raises(FetchError):
        download.download([f"{address}/cut"], target)
    assert target.read_bytes() == b"yesterday's"


def test_the_next_mirror_is_asked_when_one_fails(address: str, tmp_path: Path) -> None:
    download.download([f"{address}/gone", f"{address}/page", f"{address}/file"], tmp_path / "file", DIGEST)
    assert _Server.asked == ["/gone", "/page", "/file"]


def test_every_mirror_that_failed_is_told(address: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"404.*web page"):
        download.download([f"{address}/gone", f"{address}/page"], tmp_path / "file")


def test_an_interruption_leaves_nothing_behind(address: str, tmp_path: Path) -> None:
    def interrupt(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.download([f"{address}/file"], tmp_path / "file", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_with_all_the_bytes(address: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    download.download([f"{address}/file"], tmp_path / "file", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_host_that_cannot_be_reached_is_not_knocked_at_again(
    closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{closed_port}/file"
    with pytest.raises(FetchError, match=r"cannot be reached .*is there a network\?"):
        download.download([url], tmp_path / "file")
    # Somebody listens now; the process goes on believing what it found out.
    with ThreadingHTTPServer(("127.0.0.1", closed_port), _Server), pytest.raises(FetchError, match="cannot be reached"):
        download.download([url], tmp_path / "file")


def test_a_silent_host_is_given_up_in_the_time_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(download, "_hosts", {})
    monkeypatch.setenv("NO_PROXY", "*")
    given_up = threading.Event()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: given_up.wait(60) and socket.socket())
    with pytest.raises(FetchError, match=r"no answer within 0\.1 seconds"):
        download.download(["https://example.invalid/file"], tmp_path / "file", seconds=0.1)
    given_up.set()


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not an address"):
        download.download(["file:///etc/hostname"], tmp_path / "file")


def test_no_address_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="No address is known for file"):
        download.download([], tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_named(address: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match="taken cannot be written"):
        download.download([f"{address}/file"], tmp_path / "taken" / "file")


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIC_BENCH_CACHE", str(tmp_path))
    assert download.cache_folder() == tmp_path
    monkeypatch.delenv("LIC_BENCH_CACHE")
    assert download.cache_folder().is_absolute()
    assert download.cache_folder().name == "lic-bench"


def test_sha256_of_a_file_is_hashlibs(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert download.sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
