"""The lock file: what is written is read back, and damage is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lic_bench.assets import lock_file
from lic_bench.errors import WeightsError


def test_entries_are_read_back_and_replaced(tmp_path: Path) -> None:
    first = lock_file.record(tmp_path, "b/1.pth", "0" * 64, "https://example.invalid")
    lock_file.record(tmp_path, "a/1.pth", "1" * 64, lock_file.BY_HAND)
    assert lock_file.entry(tmp_path, "b/1.pth") == first
    assert lock_file.entry(tmp_path, "c/1.pth") is None
    second = lock_file.record(tmp_path, "b/1.pth", "2" * 64, "https://example.invalid")
    assert lock_file.entry(tmp_path, "b/1.pth") == second
    assert list(json.loads((tmp_path / lock_file.NAME).read_text())) == ["a/1.pth", "b/1.pth"]


def test_a_lock_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / lock_file.NAME).write_text('{"cut": ')
    with pytest.raises(WeightsError, match="cannot be read"):
        lock_file.entry(tmp_path, "file")


def test_a_lock_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be"):
        lock_file.record(tmp_path / "taken", "file", "0" * 64, lock_file.BY_HAND)
