"""The published tables are read whole, and every row has a source."""

from __future__ import annotations

import csv
import io

from lic_bench.analysis import published
from lic_bench.assets import resources
from lic_bench.records import Origin


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(resources.text("published", name))))


def test_no_row_of_the_tables_is_lost():
    assert len(published.rd_points()) == len(rows_of("rd_points.csv"))
    assert len(published.complexity_claims()) == len(rows_of("complexity.csv"))
    assert len(published.bd_claims()) == len(rows_of("bd.csv"))
    assert len(published.sources()) == len(rows_of("sources.csv"))


def test_a_point_is_read_as_it_stands_in_the_table():
    point = next(p for p in published.rd_points() if (p.codec, p.dataset, p.quality) == ("vtm-17.0", "kodak", "v5"))
    assert (point.bpp, point.psnr_db, point.ms_ssim, point.source_id) == (0.4397, 33.819, None, "mlic-repo-figures")
    assert point.uncertainty == "0.001 bpp; 0.02 dB along the line"


def test_every_figure_names_a_source_that_is_described():
    used = [*published.rd_points(), *published.complexity_claims(), *published.bd_claims()]
    assert {row.source_id for row in used} <= published.sources().keys()
    assert all(source.citation for source in published.sources().values())


def test_a_licence_that_is_not_stated_is_none():
    assert published.sources()["gllmm-figure"].licence is None
    assert published.sources()["mlic-repo-json"].licence == "Apache-2.0"


def test_digitised_figures_have_an_origin_of_their_own():
    assert published.origin("digitised") is Origin.DIGITISED
    assert {published.origin(how) for how in ("table", "json", "text")} == {Origin.PUBLISHED}
