import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lic_bench.assets import download
from lic_bench.assets.weights import Found, Lack, Missing, Place, find, obtain
from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import FetchError, WeightsError
from lic_bench.registry import codecs

CONTENT = b"as good as weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def card(weights: Weights | None, learned: bool = True) -> CodecCard:
    point = OperatingPoint("3", weights=weights)
    return CodecCard("pretend", "Pretend", "tests", "none", 2026, None, learned, (point,), "nowhere:nothing")


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["pretend/3.pth.tar", "pretend/3.safetensors", "elsewhere/named.bin"])
def test_the_users_folder_comes_first(tmp_path: Path, name: str) -> None:
    put(tmp_path / "cache" / "weights" / "elsewhere" / "named.bin")
    mine = put(tmp_path / "mine" / name)
    described = card(Weights("elsewhere/named.bin"))
    assert find(described, described.points[0], [tmp_path / "mine"], tmp_path / "cache") == Found(mine, Place.GIVEN)


def test_a_single_file_stands_for_the_point_asked(tmp_path: Path) -> None:
    mine = put(tmp_path / "best.pth.tar")
    described = card(None)
    assert find(described, described.points[0], [mine], tmp_path) == Found(mine, Place.GIVEN)


def test_the_cache_is_looked_into_when_the_users_folder_has_nothing(tmp_path: Path) -> None:
    kept = put(tmp_path / "cache" / "weights" / "pretend" / "3.pth.tar")
    described = card(Weights("pretend/3.pth.tar"))
    found = find(described, described.points[0], [tmp_path / "empty"], tmp_path / "cache")
    assert found == Found(kept, Place.CACHE)


def test_the_demonstrations_files_are_found_in_the_package(tmp_path: Path) -> None:
    demo = codecs.get("demo-factorized")
    for point in demo.points:
        found = obtain(demo, point, [], tmp_path, allow_download=False)
        assert found.place is Place.PACKAGE
        assert point.weights is not None
        assert found.sha256 == point.weights.sha256


@pytest.mark.parametrize(
    ("weights", "lack", "sentence"),
    [
        (Weights("pretend/3.pth.tar", urls=("https://example.invalid/3",)), Lack.DOWNLOADABLE, "lic-bench fetch"),
        (Weights("pretend/3.pth.tar", page="https://example.invalid"), Lack.BY_HAND, "get it from https://example"),
        (Weights("pretend/3.pth.tar"), Lack.NONE_PUBLISHED, "none published"),
        (None, Lack.NONE_PUBLISHED, "pretend/3.pth.tar in a folder given with --weights"),
        (Weights("x", urls=("package:lic_bench.zoo.demo/gone.bin",)), Lack.NONE_PUBLISHED, "install it again"),
    ],
)
def test_what_is_missing_says_how_it_can_be_had(
    tmp_path: Path, weights: Weights | None, lack: Lack, sentence: str
) -> None:
    described = card(weights)
    missing = find(described, described.points[0], [], tmp_path)
    assert isinstance(missing, Missing)
    assert missing.lack is lack
    assert sentence in missing.sentence
    with pytest.raises(WeightsError, match=r"no weights for pretend 3"):
        obtain(described, described.points[0], [], tmp_path, allow_download=False)


def test_a_classical_codec_needs_no_weights(tmp_path: Path) -> None:
    described = card(None, learned=False)
    missing = find(described, described.points[0], [], tmp_path)
    assert isinstance(missing, Missing)
    assert missing.lack is Lack.NOT_NEEDED


@pytest.mark.parametrize("published", [DIGEST, DIGEST[:8]])
def test_a_file_in_the_cache_with_the_published_hash_is_taken(tmp_path: Path, published: str) -> None:
    kept = put(tmp_path / "weights" / "pretend" / "3.pth.tar")
    described = card(Weights("pretend/3.pth.tar", sha256=published))
    assert obtain(described, described.points[0], [], tmp_path) == Found(kept, Place.CACHE, DIGEST)


def test_a_file_in_the_cache_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "weights" / "pretend" / "3.pth.tar", b"something else")
    described = card(Weights("pretend/3.pth.tar", sha256=DIGEST[:8]))
    with pytest.raises(WeightsError, match=f"not {DIGEST[:8]}. Delete it"):
        obtain(described, described.points[0], [], tmp_path)


def test_the_users_own_file_is_taken_whatever_its_hash_and_the_hash_is_told(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "pretend" / "3.pth.tar", b"trained at home")
    described = card(Weights("pretend/3.pth.tar", sha256=DIGEST))
    found = obtain(described, described.points[0], [tmp_path / "mine"], tmp_path)
    assert found.sha256 == hashlib.sha256(b"trained at home").hexdigest()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_hosts", {})
    put(tmp_path / "served" / "file")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served"))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_can_be_downloaded_is_downloaded_once_into_the_cache(tmp_path: Path, mirror: str) -> None:
    described = card(Weights("pretend/3.pth.tar", urls=(f"{mirror}/file",), sha256=DIGEST[:8]))
    kept = tmp_path / "cache" / "weights" / "pretend" / "3.pth.tar"
    expected = Found(kept, Place.CACHE, DIGEST)
    assert obtain(described, described.points[0], [], tmp_path / "cache") == expected
    (tmp_path / "served" / "file").unlink()
    assert obtain(described, described.points[0], [], tmp_path / "cache") == expected


def test_a_download_that_fails_is_not_hidden(tmp_path: Path, mirror: str) -> None:
    described = card(Weights("pretend/3.pth.tar", urls=(f"{mirror}/gone",)))
    with pytest.raises(FetchError, match="404"):
        obtain(described, described.points[0], [], tmp_path / "cache")
