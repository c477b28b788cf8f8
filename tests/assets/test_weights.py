"""Checkpoints: where they are found, why they are missing, and how they are proved."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.file_server import Served

from lic_bench.assets import lock_file
from lic_bench.assets.weights import Found, Lack, Missing, Place, find, obtain, state, text
from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import FetchError, WeightsError
from lic_bench.registry import codecs

CONTENT = b"as good as weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = "example/3.pth.tar"


def card(weights: Weights | None, learned: bool = True) -> CodecCard:
    point = OperatingPoint("3", weights=weights)
    return CodecCard("example", "Example", "tests", "none", 2026, None, learned, (point,), "nowhere:nothing")


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def missing(described: CodecCard, cache: Path) -> Missing:
    found = find(described, described.points[0], [], cache)
    assert isinstance(found, Missing)
    return found


@pytest.mark.parametrize("name", [NAME, "example/3.safetensors", "elsewhere/named.bin"])
def test_the_users_folder_comes_first(tmp_path: Path, name: str) -> None:
    put(tmp_path / "cache" / "weights" / "elsewhere" / "named.bin")
    mine = put(tmp_path / "mine" / name)
    described = card(Weights("elsewhere/named.bin"))
    assert find(described, described.points[0], [tmp_path / "mine"], tmp_path / "cache") == Found(mine, Place.GIVEN)


def test_a_single_file_stands_for_the_point_asked(tmp_path: Path) -> None:
    mine = put(tmp_path / "best.pth.tar")
    described = card(None)
    assert find(described, described.points[0], [mine], tmp_path) == Found(mine, Place.GIVEN)


def test_the_cache_is_searched_after_the_users_folder(tmp_path: Path) -> None:
    cached = put(tmp_path / "cache" / "weights" / NAME)
    described = card(Weights(NAME))
    found = find(described, described.points[0], [tmp_path / "empty"], tmp_path / "cache")
    assert found == Found(cached, Place.CACHE)
    assert (state(found), text(found)) == ("present", f"present: {cached} (the cache)")


def test_the_demonstrations_files_are_found_in_the_package(tmp_path: Path) -> None:
    demo = codecs.get("demo-factorized")
    for point in demo.points:
        found = obtain(demo, point, [], tmp_path, allow_download=False)
        assert found.place is Place.PACKAGE
        assert point.weights is not None
        assert found.sha256 == point.weights.sha256


@pytest.mark.parametrize(
    ("weights", "lack", "shown", "advice"),
    [
        (Weights(NAME, urls=("https://example.invalid/3",)), Lack.DOWNLOADABLE, "downloadable", "lic-bench fetch"),
        (Weights(NAME, page="https://example.invalid"), Lack.BY_HAND, "by hand", "get it from https://example"),
        (Weights(NAME), Lack.NONE_PUBLISHED, "none published", f"go to {NAME} in a folder given with --weights"),
        (None, Lack.NONE_PUBLISHED, "none published", f"{NAME} in a folder given with --weights"),
        (
            Weights("x", urls=("package:lic_bench.zoo.demo/gone.bin",)),
            Lack.NOT_IN_PACKAGE, "missing", "(package:lic_bench.zoo.demo/gone.bin); install it again",
        ),
        (
            Weights("x", urls=("package:not_installed_anywhere/gone.bin",)),
            Lack.NOT_IN_PACKAGE, "missing", "install it again",
        ),
        (Weights("x", urls=("file:///gone.bin",)), Lack.NOT_THERE, "missing", "names /gone.bin, which is not there"),
    ],
)  # fmt: skip
def test_a_missing_checkpoint_says_how_to_get_it(
    tmp_path: Path, weights: Weights | None, lack: Lack, shown: str, advice: str
) -> None:
    described = card(weights)
    found = missing(described, tmp_path)
    assert found.lack is lack
    assert state(found) == shown
    assert text(found).startswith(f"{shown}: ")
    assert advice in text(found)
    assert lack.is_broken == (shown == "missing")
    with pytest.raises(WeightsError, match=r"no weights for example 3"):
        obtain(described, described.points[0], [], tmp_path, allow_download=False)


def test_a_classical_codec_needs_no_weights(tmp_path: Path) -> None:
    found = missing(card(None, learned=False), tmp_path)
    assert found.lack is Lack.NOT_LEARNED
    assert text(found) == "not needed: a classical codec has no weights"


def test_a_network_with_weights_of_its_own_needs_none(tmp_path: Path) -> None:
    found = missing(replace(card(None), trained=True), tmp_path)
    assert found.lack is Lack.LOADS_ITS_OWN
    assert text(found) == "not needed: it loads its own"


def test_drive_is_by_hand_without_gdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    found = missing(card(Weights("x", urls=("https://drive.google.com/uc?id=abc",))), tmp_path)
    assert found.lack is Lack.NEEDS_GDOWN
    assert text(found).startswith(
        "by hand: install lic-bench[drive] to have it downloaded, or get it from https://drive.google.com"
    )


@pytest.mark.parametrize("published", [DIGEST, DIGEST[:8]])
def test_a_cached_file_with_the_published_hash_is_taken(tmp_path: Path, published: str) -> None:
    cached = put(tmp_path / "weights" / NAME)
    described = card(Weights(NAME, sha256=published))
    assert obtain(described, described.points[0], [], tmp_path) == Found(cached, Place.CACHE, DIGEST)


def test_a_cached_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "weights" / NAME, b"something else")
    described = card(Weights(NAME, sha256=DIGEST[:8]))
    with pytest.raises(WeightsError, match=f"not {DIGEST[:8]}. Delete it"):
        obtain(described, described.points[0], [], tmp_path)


def test_the_users_own_file_is_taken_whatever_its_hash(tmp_path: Path) -> None:
    put(tmp_path / "mine" / NAME, b"trained at home")
    described = card(Weights(NAME, sha256=DIGEST))
    found = obtain(described, described.points[0], [tmp_path / "mine"], tmp_path)
    assert found.sha256 == hashlib.sha256(b"trained at home").hexdigest()


def test_a_checkpoint_is_downloaded_once_into_the_cache(tmp_path: Path, served: Served) -> None:
    served.content = CONTENT
    described = card(Weights(NAME, urls=(f"{served.address}/file",), sha256=DIGEST[:8]))
    expected = Found(tmp_path / "cache" / "weights" / NAME, Place.CACHE, DIGEST)
    assert obtain(described, described.points[0], [], tmp_path / "cache") == expected
    assert obtain(described, described.points[0], [], tmp_path / "cache") == expected
    assert served.asked == ["/file"]


def test_a_download_that_fails_is_an_error(tmp_path: Path, served: Served) -> None:
    described = card(Weights(NAME, urls=(f"{served.address}/gone",)))
    with pytest.raises(FetchError, match="404"):
        obtain(described, described.points[0], [], tmp_path / "cache")


def test_without_published_hash_a_file_must_stay_the_same(tmp_path: Path, served: Served) -> None:
    served.content = CONTENT
    described = card(Weights(NAME, urls=(f"{served.address}/file",)))
    cached = obtain(described, described.points[0], cache=tmp_path).path

    cached.write_bytes(b"changed here")
    with pytest.raises(WeightsError, match=r"is not the file that was there on .* take example/3\.pth\.tar out of"):
        obtain(described, described.points[0], cache=tmp_path)

    cached.unlink()
    served.content = b"changed there"
    with pytest.raises(FetchError, match=r"is not the file that came on 2\d\d\d-\d\d-\d\d: its sha256 is"):
        obtain(described, described.points[0], cache=tmp_path)
    assert not cached.exists()

    served.content = CONTENT
    assert obtain(described, described.points[0], cache=tmp_path).sha256 == DIGEST


def test_a_file_put_there_by_hand_is_recorded_too(tmp_path: Path) -> None:
    described = card(Weights(NAME, page="https://example.invalid"))
    put(tmp_path / "weights" / NAME)
    assert obtain(described, described.points[0], cache=tmp_path).sha256 == DIGEST
    entry = lock_file.entry(tmp_path / "weights", NAME)
    assert entry is not None
    assert (entry.sha256, entry.origin) == (DIGEST, lock_file.BY_HAND)
