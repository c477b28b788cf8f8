"""Files and folders are written whole or not at all, and data files are found beside the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from lic_bench.assets import resources
from lic_bench.assets.files import atomic_write, draft_beside, draft_folder_beside


@pytest.mark.parametrize("content", ["é\r\n", b"\x00\xff"])
def test_content_is_written_as_it_is(tmp_path: Path, content: str | bytes) -> None:
    target = tmp_path / "deep" / "file"
    atomic_write(target, "before")
    atomic_write(target, content)
    assert target.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("before")

    def fail_halfway() -> None:
        with draft_beside(target) as draft:
            draft.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder"

    def fail_halfway() -> None:
        with draft_folder_beside(target) as draft:
            (draft / "file").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []
    with draft_folder_beside(target) as draft:
        (draft / "file").touch()
        assert not target.exists()
    assert list(tmp_path.iterdir()) == [target]
    assert [path.name for path in target.iterdir()] == ["file"]


def test_a_folder_with_content_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    with pytest.raises(OSError, match="not empty"), draft_folder_beside(tmp_path / "folder") as draft:
        (draft / "file").touch()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("name", "file"), [("datasets", "kodak.toml"), ("reports", "report.html"), ("example", "pyproject.toml")]
)
def test_data_files_are_found(name: str, file: str) -> None:
    assert resources.folder(name).joinpath(file).is_file()
    assert resources.text(name, file)
