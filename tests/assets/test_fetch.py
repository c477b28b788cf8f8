"""Checkpoints fetched on request, from a server on this machine: downloaded, proved, remembered, or told how."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from lic_bench.assets import download as fetch
from lic_bench.assets import lock_file
from lic_bench.assets.fetch import Fetched, fetch_all
from lic_bench.assets.weights import Lack, Missing, find, obtain
from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import FetchError, WeightsError

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Server(BaseHTTPRequestHandler):
    content = CONTENT

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.send_error(404)
            return
        body = b"<!DOCTYPE html><html>sign in</html>" if self.path == "/page" else type(self).content
        body = b"" if self.path == "/empty" else body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if self.path == "/cut" else body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "_hosts", {})
    monkeypatch.setattr(_Server, "content", CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def card(*weights: Weights | None) -> CodecCard:
    points = tuple(OperatingPoint(str(at), weights=each) for at, each in enumerate(weights, start=1))
    return CodecCard("pretend", "Pretend", "tests", "none", 2026, None, True, points, "nowhere:nothing")


def supplied(described: CodecCard, cache: Path) -> list[Fetched]:
    return list(fetch_all(((described, point) for point in described.points), cache))


def test_each_point_is_downloaded_and_proved_or_told_how(address: str, tmp_path: Path) -> None:
    described = card(
        Weights("pretend/1.pth", urls=(f"{address}/file",), sha256=DIGEST[:8]),
        Weights("pretend/2.pth", page="https://example.invalid/page"),
        None,
    )
    downloaded, by_hand, nothing = supplied(described, tmp_path)
    kept = tmp_path / "weights" / "pretend"
    assert downloaded.sentence == f"downloaded: {kept / '1.pth'}, sha256 {DIGEST} as published."
    assert (kept / "1.pth").read_bytes() == CONTENT
    assert f"get it from https://example.invalid/page and put the file at {kept / '2.pth'}" in by_hand.sentence
    assert nothing.sentence.startswith("none published")
    assert not any(done.failed for done in (downloaded, by_hand, nothing))
    assert supplied(described, tmp_path)[0].sentence.startswith("present:")


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [
        ("gone", None, "404"),
        ("cut", None, "stopped before the end"),
        ("page", None, "a web page instead of the file"),
        ("empty", None, "an empty file"),
        ("file", "01234567", f"its sha256 is {DIGEST[:8]}, not 01234567"),
    ],
)
def test_what_fails_is_told_with_what_a_person_can_do_and_the_next_is_fetched(
    address: str, tmp_path: Path, path: str, sha256: str | None, said: str
) -> None:
    described = card(
        Weights("pretend/1.pth", urls=(f"{address}/{path}",), sha256=sha256, page="https://example.invalid"),
        Weights("pretend/2.pth", urls=(f"{address}/file",), sha256=DIGEST),
    )
    failed, done = supplied(described, tmp_path)
    assert failed.failed
    assert said in failed.sentence
    assert failed.sentence.endswith(f"put the file at {tmp_path / 'weights' / 'pretend' / '1.pth'}.")
    assert not done.failed
    assert [path.name for path in (tmp_path / "weights" / "pretend").iterdir()] == ["2.pth"]
    assert not (tmp_path / "weights" / lock_file.NAME).exists()


def test_a_file_without_a_published_hash_is_remembered_and_must_stay_the_same(address: str, tmp_path: Path) -> None:
    described = card(Weights("pretend/1.pth", urls=(f"{address}/file",)))
    (first,) = supplied(described, tmp_path)
    assert (
        f"sha256 {DIGEST}; nobody published one, so it is kept in {tmp_path / 'weights' / lock_file.NAME}"
        in first.sentence
    )
    assert json.loads((tmp_path / "weights" / lock_file.NAME).read_text())["pretend/1.pth"]["sha256"] == DIGEST
    kept = tmp_path / "weights" / "pretend" / "1.pth"

    kept.write_bytes(b"changed here")
    with pytest.raises(WeightsError, match=r"is not the file that was there on .* take pretend/1\.pth out of"):
        obtain(described, described.points[0], cache=tmp_path)

    kept.unlink()
    _Server.content = b"changed there"
    with pytest.raises(FetchError, match=r"is not the file that came on 2\d\d\d-\d\d-\d\d: its sha256 is"):
        obtain(described, described.points[0], cache=tmp_path)
    assert not kept.exists()

    _Server.content = CONTENT
    assert obtain(described, described.points[0], cache=tmp_path).sha256 == DIGEST


def test_a_file_put_there_by_hand_is_remembered_too(tmp_path: Path) -> None:
    described = card(Weights("pretend/1.pth", page="https://example.invalid"))
    kept = tmp_path / "weights" / "pretend" / "1.pth"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    assert obtain(described, described.points[0], cache=tmp_path).sha256 == DIGEST
    assert lock_file.seen(tmp_path / "weights", "pretend/1.pth").origin == "put there by hand"  # type: ignore[union-attr]
    kept.write_bytes(b"another")
    (done,) = supplied(described, tmp_path)
    assert done.failed
    assert "is not the file that was there" in done.sentence


def test_a_lock_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / lock_file.NAME).write_text('{"cut": ')
    with pytest.raises(WeightsError, match="cannot be read"):
        lock_file.seen(tmp_path, "file")


DRIVE = "https://drive.google.com/uc?id=abc"


def test_links_to_a_drive_are_by_hand_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    described = card(Weights("pretend/1.pth", urls=(DRIVE,)))
    missing = find(described, described.points[0], cache=tmp_path)
    assert isinstance(missing, Missing)
    assert missing.lack is Lack.BY_HAND
    assert "install lic-bench[drive] to have it fetched, or get it from https://drive.google.com" in missing.sentence
    with pytest.raises(FetchError, match=r"install lic-bench\[drive\]"):
        fetch.download([DRIVE], tmp_path / "file")


class _Refused(Exception):
    pass


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What gdown is to the suite, and a drive that can be reached."""
    module = ModuleType("gdown")
    module.exceptions = SimpleNamespace(DownloadError=_Refused, FileURLRetrievalError=_Refused)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gdown", module)
    monkeypatch.setattr(fetch, "find_spec", lambda name: module)
    monkeypatch.setattr(fetch, "_hosts", {"drive.google.com:443": None})
    return module


def test_links_to_a_drive_are_fetched_with_the_extra(tmp_path: Path, drive: ModuleType) -> None:
    def download(url: str, output: str, **_: object) -> None:
        assert url == DRIVE
        Path(output).write_bytes(CONTENT)

    drive.download = download  # type: ignore[attr-defined]
    described = card(Weights("pretend/1.pth", urls=(DRIVE,)))
    assert obtain(described, described.points[0], cache=tmp_path).sha256 == DIGEST


def test_a_drive_that_refuses_is_told_in_a_sentence(tmp_path: Path, drive: ModuleType) -> None:
    def download(url: str, output: str, **_: object) -> None:
        Path(output).write_bytes(b"half")
        raise _Refused("Too many users have viewed or downloaded this file recently.\n")

    drive.download = download  # type: ignore[attr-defined]
    with pytest.raises(FetchError, match=r"does not hand out .* to a program: Too many users"):
        fetch.download([DRIVE], tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_the_installed_gdown_takes_what_it_is_given() -> None:
    gdown = pytest.importorskip("gdown", reason="lic-bench[drive] is not installed")
    import inspect

    known = inspect.signature(gdown.download).parameters
    assert {"url", "output", "quiet", "use_cookies", "progress", "timeout"} <= set(known)
    assert issubclass(gdown.exceptions.DownloadError, Exception)
    assert issubclass(gdown.exceptions.FileURLRetrievalError, Exception)


CARD = """
from lic_bench.codec import CodecCard, OperatingPoint, Weights
PRETEND = CodecCard("pretend", "Pretend", "tests", "none", 2026, None, True, (
    OperatingPoint("1", "mse", 0.01, Weights("pretend/1.pth", urls=("{address}/file",))),
    OperatingPoint("2", "mse", 0.02, Weights("pretend/2.pth", urls=("{address}/page",))),
    OperatingPoint("3", "mse", 0.03, Weights("pretend/3.pth", page="https://example.invalid/weights")),
), "nowhere:nothing")
"""


def test_the_command_fetches_tells_and_exits_with_1_when_something_failed(address: str, tmp_path: Path) -> None:
    (tmp_path / "card.py").write_text(CARD.format(address=address))
    environment = os.environ | {"LIC_BENCH_CACHE": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lic_bench", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    done = run("fetch", "models", "card.py:PRETEND")
    kept = tmp_path / "cache" / "weights"
    assert done.returncode == 1, done.stderr
    assert f"pretend 1: downloaded: {kept / 'pretend' / '1.pth'}, sha256 {DIGEST}" in done.stdout
    assert "pretend 2: failed:" in done.stdout
    assert "answered with a web page" in done.stdout
    assert f"https://example.invalid/weights and put the file at {kept / 'pretend' / '3.pth'}" in done.stdout
    assert run("fetch", "models", "card.py:PRETEND", "--points", "1,3").returncode == 0
    listed = run("models", "card.py:PRETEND")
    assert listed.returncode == 0, listed.stderr
    for said in ("none found", "present: 1; downloadable: 2; by hand: 3", "pretend 2 (mse, lambda 0.02): downloadable"):
        assert said in listed.stdout
    unknown = run("fetch", "models", "pretnd")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("lic-bench: There is no model called 'pretnd'.")
