"""The published tables are read whole, and every row has a source."""

from __future__ import annotations

import csv
import io

import pytest

from lic_bench.analysis import default_curves, published, published_checks
from lic_bench.analysis.published_checks import PublishedTableError
from lic_bench.assets import resources
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.records import Origin


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(resources.text("published", name))))


def test_no_row_of_the_tables_is_lost():
    assert len(published.rd_points()) == len(rows_of("rd_points.csv"))
    assert len(published.complexity_claims()) == len(rows_of("complexity.csv"))
    assert len(published.bd_claims()) == len(rows_of("bd.csv"))
    assert len(published.sources()) == len(rows_of("sources.csv"))
    assert len(published.worded_claims()) == len(rows_of("claims_in_words.csv")) > 10
    assert len(published.vtm_runs()) == len(rows_of("vtm_runs.csv")) == 48


def test_a_point_is_read_as_it_stands_in_the_table():
    point = next(p for p in published.rd_points() if (p.codec, p.dataset, p.quality) == ("vtm-17.0", "kodak", "v5"))
    assert (point.bpp, point.psnr_db, point.ms_ssim, point.source_id) == (0.4397, 33.819, None, "mlic-repo-figures")
    assert point.uncertainty == "0.001 bpp; 0.02 dB along the line"


def test_every_figure_names_a_source_that_is_described():
    used = [*published.rd_points(), *published.complexity_claims(), *published.bd_claims(), *published.worded_claims()]
    assert {row.source_id for row in used} <= published.sources().keys()
    assert all(source.citation for source in published.sources().values())


def test_a_licence_that_is_not_stated_is_none():
    assert published.sources()["gllmm-figure"].licence is None
    assert published.sources()["mlic-repo-json"].licence == "Apache-2.0"


def test_digitised_figures_have_an_origin_of_their_own():
    assert published.origin("digitised") is Origin.DIGITISED
    assert {published.origin(how) for how in ("table", "json", "text")} == {Origin.PUBLISHED}


POINT = {"codec": "c", "dataset": "kodak", "optimised_for": "mse", "source_id": "s", "quality": "1", "bpp": "0.5",
         "psnr_db": "33", "ms_ssim": "0.98", "lpips": "", "bpp_kind": "bitstream", "how": "table"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source_id": "nobody"}, "source 'nobody' of c 2 on kodak in made-up.csv is not described"),
        ({"psnr_db": "333"}, "psnr_db of c 2 on kodak in made-up.csv is 333, outside 10 to 70"),
        ({"bpp": "80"}, "bpp of c 2 .* is 80, outside 0.005 to 24"),
        ({"ms_ssim": "16.1"}, "ms_ssim of c 2 .* is 16.1"),
        ({"psnr_db": "32"}, "psnr_db of the curve c / kodak / mse / s in made-up.csv does not get better with rate"),
        ({"lpips": "0.2"}, "lpips of the curve"),
        ({"bpp": "0.5"}, "Two points of the curve"),
        ({"bpp_kind": "guessed"}, "unknown kind of rate or reading: guessed"),
    ],
)
def test_a_damaged_table_is_refused_by_its_place(changes: dict[str, str], said: str) -> None:
    first = POINT | ({"lpips": "0.1"} if "lpips" in changes else {})
    second = POINT | {"quality": "2", "bpp": "0.9", "psnr_db": "35", "ms_ssim": "0.99"} | changes
    with pytest.raises(PublishedTableError, match=said):
        published_checks.points([first, second], {"s"}, "made-up.csv")


def test_points_of_other_curves_need_not_rise_together() -> None:
    other = POINT | {"bpp": "0.9", "psnr_db": "30", "source_id": "t"}
    published_checks.points([POINT, other], {"s", "t"}, "made-up.csv")


def test_a_claim_without_a_source_is_refused() -> None:
    with pytest.raises(PublishedTableError, match="source 's' of c in made-up"):
        published_checks.claims([POINT], (), "made-up.csv")


def test_look_alike_data_sets_have_other_names_and_other_pictures() -> None:
    there = {point.dataset for point in published.rd_points()}
    assert set(published.LOOK_ALIKES) | set(published.LOOK_ALIKES.values()) <= there


@pytest.mark.parametrize("dataset", ["kodak", "tecnick", "clic2020-professional-valid", "kodak-500x500-presumed"])
def test_by_default_a_codec_has_one_curve_per_target(dataset: str) -> None:
    found = [(curve.codec, curve.optimised_for) for curve in default_curves.default_published(dataset)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("name", "source_id"),
    [
        ("elic", "elic-official-csv"), ("mlicpp", "mlic-repo-json"), ("bmshj2018-hyperprior", "compressai-8bit"),
        ("loc-lic", "loclic-figures"), ("dcae", "dcae-repo"), ("flic", "ftic-repo"), ("evc-l", "evc-repo"),
    ],
)  # fmt: skip
def test_the_default_curve_of_a_codec(name: str, source_id: str) -> None:
    curve = default_curves.published_called(name, "kodak")[0]
    assert (curve.source.source_id, curve.optimised_for) == (source_id, "mse")


def test_what_is_left_out_of_defaults_can_be_asked_for() -> None:
    codecs = {curve.codec for curve in default_curves.default_published("kodak")}
    assert not codecs & {"vtm-12.1-8bit", "asymmetric-lic", "tcm-loclic-run"}
    assert default_curves.default_published("kodak-500x500-presumed") == ()
    assert len(default_curves.published_called("vtm-12.1-8bit/vtm121-user-report", "kodak")) == 1
    with pytest.raises(RequestError, match=r"There is .*8bit/vtm121-user-report"):
        default_curves.published_called("vtm-12.1-8bit", "kodak")


def test_every_codec_with_several_sources_has_a_default_or_none_is_wanted() -> None:
    for dataset in {point.dataset for point in published.rd_points()}:
        shown = {(curve.codec, curve.optimised_for or "none") for curve in default_curves.default_published(dataset)}
        for point in (p for p in published.rd_points() if p.dataset == dataset):
            use = published.use_of(point.codec, dataset, point.optimised_for, point.source_id)
            left_out = use is not None and use.use == "left_out"
            assert left_out or (point.codec, point.optimised_for) in shown, point


def test_compressais_vtm_has_its_caveat_where_it_is_compared() -> None:
    (vtm,) = default_curves.published_called("vtm", "kodak")
    assert vtm.caveats == (Caveat.CONVERTED_REFERENCE,)
    (other,) = default_curves.published_called("vtm-9.1", "kodak")
    assert other.caveats == ()
