"""Data sets by name: described in this package, or registered by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lic_bench.errors import DatasetError
from lic_bench.registry import datasets


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DatasetError, match="Did you mean kodak"):
        datasets.find("kodac")


def test_a_path_that_is_no_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"works too; {tmp_path / 'gone'} is none"):
        datasets.find(str(tmp_path / "gone"))
