"""Limits from TOML: for all codecs, for some, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.checked_runs import only, rows, run

from lic_bench.check import limits as limit_files
from lic_bench.check.compare import compare
from lic_bench.check.limits import Limits
from lic_bench.errors import RequestError


def test_limits_are_read_with_those_of_some_codecs_on_top(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('psnr_db = 0.5\n[codec."net*"]\nstream_percent = 10\nrequire_times = true\n')
    limits = limit_files.read(file)
    assert (limits.of("jpeg").psnr_db, limits.of("jpeg").stream_percent) == (0.5, Limits().stream_percent)
    assert (limits.of("net").psnr_db, limits.of("net").stream_percent) == (0.5, 10)
    outcome = compare(run(rows(stream_bytes=1050, payload_bits=8400)), run(rows(), "baseline"), limits)
    assert not only(outcome, "stream bytes").fails
    assert only(outcome, "decode time").fails  # not comparable, and required
    assert outcome.failed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("psnr_bd = 1", "Did you mean psnr_db"),
        ('[codec."net"]\ndecode_tiem_percent = 1', "Did you mean decode_time_percent"),
        ("psnr_db = -1", "0 or more"),
        ('psnr_db = "much"', "0 or more"),
        ("psnr_db = nan", "0 or more"),
        ("require_times = 1", "true or false"),
        ("psnr_db 1", "no TOML"),
        ("codec = 3", "table of tables"),
    ],
)
def test_limits_that_make_no_sense_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(RequestError, match=reason):
        limit_files.read(file)
