"""Checkpoints downloaded on request: the outcome of each, how it was proved, and what a person can do."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.file_server import Served

from lic_bench.assets import lock_file
from lic_bench.assets.fetch import Fetched, FetchOutcome, fetch_all, text
from lic_bench.assets.weights import Lack
from lic_bench.codec import CodecCard, OperatingPoint, Weights

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def card(*weights: Weights | None) -> CodecCard:
    points = tuple(OperatingPoint(str(at), weights=each) for at, each in enumerate(weights, start=1))
    return CodecCard("example", "Example", "tests", "none", 2026, None, True, points, "nowhere:nothing")


def fetched(described: CodecCard, cache: Path) -> list[Fetched]:
    return list(fetch_all(((described, point) for point in described.points), cache))


def test_each_point_is_downloaded_or_explained(served: Served, tmp_path: Path) -> None:
    described = card(
        Weights("example/1.pth", urls=(f"{served.address}/file",), sha256=DIGEST[:8]),
        Weights("example/2.pth", page="https://example.invalid/page"),
        None,
    )
    downloaded, by_hand, nothing = fetched(described, tmp_path)
    folder = tmp_path / "weights" / "example"
    assert downloaded.outcome is FetchOutcome.DOWNLOADED
    assert text(downloaded) == f"downloaded: {folder / '1.pth'}, sha256 {DIGEST} as published."
    assert (folder / "1.pth").read_bytes() == CONTENT
    assert by_hand.missing is not None
    assert by_hand.missing.lack is Lack.BY_HAND
    assert f"get it from https://example.invalid/page and put the file at {folder / '2.pth'}" in text(by_hand)
    assert nothing.missing is not None
    assert nothing.missing.lack is Lack.NONE_PUBLISHED
    assert text(nothing).startswith("none published")
    assert not any(done.failed for done in (downloaded, by_hand, nothing))
    again = fetched(described, tmp_path)[0]
    assert again.outcome is FetchOutcome.PRESENT
    assert text(again).startswith("present:")


@pytest.mark.parametrize(
    ("path", "sha256", "reason"),
    [
        ("gone", None, "404"),
        ("cut", None, "stopped before the end"),
        ("page", None, "a web page instead of the file"),
        ("empty", None, "an empty file"),
        ("file", "01234567", f"its sha256 is {DIGEST[:8]}, not 01234567"),
    ],
)
def test_after_a_failure_the_next_is_fetched(
    served: Served, tmp_path: Path, path: str, sha256: str | None, reason: str
) -> None:
    described = card(
        Weights("example/1.pth", urls=(f"{served.address}/{path}",), sha256=sha256, page="https://example.invalid"),
        Weights("example/2.pth", urls=(f"{served.address}/file",), sha256=DIGEST),
    )
    failed, done = fetched(described, tmp_path)
    assert failed.failed
    assert reason in failed.reason
    assert text(failed).endswith(f"put the file at {tmp_path / 'weights' / 'example' / '1.pth'}.")
    assert not done.failed
    assert [path.name for path in (tmp_path / "weights" / "example").iterdir()] == ["2.pth"]
    assert not (tmp_path / "weights" / lock_file.NAME).exists()


def test_a_file_without_published_hash_is_in_the_lock_file(served: Served, tmp_path: Path) -> None:
    described = card(Weights("example/1.pth", urls=(f"{served.address}/file",)))
    (first,) = fetched(described, tmp_path)
    lock = tmp_path / "weights" / lock_file.NAME
    assert (first.published_sha256, first.lock_path) == (False, lock)
    entry = lock_file.entry(tmp_path / "weights", "example/1.pth")
    assert entry is not None
    assert (entry.sha256, entry.day) == (DIGEST, first.first_seen_day)
    assert f"sha256 {DIGEST}; nobody published one, so it is kept in {lock}, first seen {entry.day}." in text(first)


def test_a_changed_file_is_a_failure(tmp_path: Path) -> None:
    described = card(Weights("example/1.pth", page="https://example.invalid"))
    file = tmp_path / "weights" / "example" / "1.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    assert fetched(described, tmp_path)[0].outcome is FetchOutcome.PRESENT
    file.write_bytes(b"another")
    (done,) = fetched(described, tmp_path)
    assert done.failed
    assert "is not the file that was there" in done.reason


CARD = """
from lic_bench.codec import CodecCard, OperatingPoint, Weights
EXAMPLE = CodecCard("example", "Example", "tests", "none", 2026, None, True, (
    OperatingPoint("1", "mse", 0.01, Weights("example/1.pth", urls=("{address}/file",))),
    OperatingPoint("2", "mse", 0.02, Weights("example/2.pth", urls=("{address}/page",))),
    OperatingPoint("3", "mse", 0.03, Weights("example/3.pth", page="https://example.invalid/weights")),
), "nowhere:nothing")
"""


def test_the_command_exits_with_1_when_something_failed(served: Served, tmp_path: Path) -> None:
    (tmp_path / "card.py").write_text(CARD.format(address=served.address))
    environment = os.environ | {"LIC_BENCH_CACHE": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lic_bench", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    done = run("fetch", "models", "card.py:EXAMPLE")
    folder = tmp_path / "cache" / "weights" / "example"
    assert done.returncode == 1, done.stderr
    assert f"example 1: downloaded: {folder / '1.pth'}, sha256 {DIGEST}" in done.stdout
    assert "example 2: failed:" in done.stdout
    assert "answered with a web page" in done.stdout
    assert f"https://example.invalid/weights and put the file at {folder / '3.pth'}" in done.stdout
    assert run("fetch", "models", "card.py:EXAMPLE", "--points", "1,3").returncode == 0
    listed = run("models", "card.py:EXAMPLE")
    assert listed.returncode == 0, listed.stderr
    assert "none found" in listed.stdout
    assert "present: 1; downloadable: 2; by hand: 3" in listed.stdout
    assert "example 2 (mse, lambda 0.02): downloadable" in listed.stdout
    unknown = run("fetch", "models", "exmple")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("lic-bench: There is no model called 'exmple'.")
