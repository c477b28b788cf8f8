"""Downloads: whole and proved, or not there at all, with what went wrong in a sentence."""

from __future__ import annotations

import hashlib
import inspect
import socket
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from helpers.file_server import Served, serving

from lic_bench.assets import hosts
from lic_bench.assets.download import cache_folder, download, readable, sha256_of
from lic_bench.errors import FetchError

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
DRIVE = "https://drive.google.com/uc?id=abc"


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("sha256", [DIGEST, DIGEST[:8], DIGEST[:8].upper(), None])
def test_a_file_arrives_whole_with_its_sha256(served: Served, tmp_path: Path, sha256: str | None) -> None:
    target = tmp_path / "deep" / "weights.bin"
    assert download([f"{served.address}/file"], target, sha256) == DIGEST
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["weights.bin"]


@pytest.mark.parametrize(
    ("path", "sha256", "reason"),
    [
        ("/gone", None, "refused: 404 .*/gone"),
        ("/cut", None, "stopped before the end of .*/cut"),
        ("/page", None, "a web page instead of the file"),
        ("/empty", None, "an empty file"),
        ("/file", "0" * 64, "is not the file that was published"),
        ("/file", "01234567", f"its sha256 is {DIGEST[:8]}, not 01234567"),
    ],
)
def test_a_failed_download_leaves_nothing_behind(
    served: Served, tmp_path: Path, path: str, sha256: str | None, reason: str
) -> None:
    with pytest.raises(FetchError, match=reason):
        download([served.address + path], tmp_path / "file", sha256)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_leaves_the_file_that_was_there(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"yesterday's")
    with pytest.raises(FetchError):
        download([f"{served.address}/cut"], target)
    assert target.read_bytes() == b"yesterday's"


def test_the_next_mirror_is_asked_when_one_fails(served: Served, tmp_path: Path) -> None:
    download([served.address + path for path in ("/gone", "/page", "/file")], tmp_path / "file", DIGEST)
    assert served.asked == ["/gone", "/page", "/file"]


def test_every_mirror_that_failed_is_named(served: Served, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"404.*web page"):
        download([f"{served.address}/gone", f"{served.address}/page"], tmp_path / "file")


def test_an_interruption_leaves_nothing_behind(served: Served, tmp_path: Path) -> None:
    def interrupt(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([f"{served.address}/file"], tmp_path / "file", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_with_all_the_bytes(served: Served, tmp_path: Path) -> None:
    reports: list[tuple[int, int | None]] = []
    download([f"{served.address}/file"], tmp_path / "file", progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (len(CONTENT), len(CONTENT))


def test_an_unreachable_host_is_not_tried_again(closed_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port}/file"
    with pytest.raises(FetchError, match=r"cannot be reached .*is there a network\?"):
        download([url], tmp_path / "file")
    with serving(CONTENT, closed_port) as listening:
        with pytest.raises(FetchError, match="cannot be reached"):
            download([url], tmp_path / "file")
        assert listening.asked == []
        hosts.forget()
        assert download([url], tmp_path / "file") == DIGEST


def test_a_silent_host_is_given_up_in_the_time_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    given_up = threading.Event()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: given_up.wait(60) and socket.socket())
    with pytest.raises(FetchError, match=r"no answer within 0\.1 seconds"):
        download(["https://example.invalid/file"], tmp_path / "file", seconds=0.1)
    given_up.set()


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not an address"):
        download(["file:///etc/hostname"], tmp_path / "file")


def test_no_address_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="No address is known for file"):
        download([], tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_named(served: Served, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match="taken/file cannot be written"):
        download([f"{served.address}/file"], tmp_path / "taken" / "file")


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIC_BENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LIC_BENCH_CACHE")
    assert cache_folder().is_absolute()
    assert cache_folder().name == "lic-bench"


def test_sha256_of_a_file_is_the_standards(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_drive_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    assert not readable(DRIVE)
    with pytest.raises(FetchError, match=r"install lic-bench\[drive\]"):
        download([DRIVE], tmp_path / "file")


class Refused(Exception):
    """What gdown raises when Google Drive refuses."""


@pytest.fixture
def gdown(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module in gdown's place. Behind a proxy, as set here, no host is tried before the download."""
    module = ModuleType("gdown")
    module.__spec__ = ModuleSpec("gdown", None)
    module.exceptions = SimpleNamespace(DownloadError=Refused, FileURLRetrievalError=Refused)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gdown", module)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    return module


def test_drive_is_downloaded_with_the_extra(tmp_path: Path, gdown: ModuleType) -> None:
    def fetch(url: str, output: str, **_: object) -> None:
        assert url == DRIVE
        Path(output).write_bytes(CONTENT)

    gdown.download = fetch  # type: ignore[attr-defined]
    assert readable(DRIVE)
    assert download([DRIVE], tmp_path / "file") == DIGEST
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_refusal_of_drive_is_given_with_its_reason(tmp_path: Path, gdown: ModuleType) -> None:
    def fetch(url: str, output: str, **_: object) -> None:
        Path(output).write_bytes(b"half")
        raise Refused("Too many users have viewed or downloaded this file recently.\n")

    gdown.download = fetch  # type: ignore[attr-defined]
    with pytest.raises(FetchError, match=r"does not hand out .* to a program: Too many users"):
        download([DRIVE], tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_the_installed_gdown_takes_what_it_is_given() -> None:
    installed = pytest.importorskip("gdown", reason="lic-bench[drive] is not installed")
    known = inspect.signature(installed.download).parameters
    assert {"url", "output", "quiet", "use_cookies", "progress", "timeout"} <= set(known)
    assert issubclass(installed.exceptions.DownloadError, Exception)
    assert issubclass(installed.exceptions.FileURLRetrievalError, Exception)
