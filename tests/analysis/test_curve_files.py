"""Files of published curves: they come back exactly, and damage is named with its row."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest

from lic_bench.analysis import curve_files, curves, published
from lic_bench.errors import RequestError
from lic_bench.records import Origin


def test_every_published_curve_comes_back_exactly():
    for dataset in ("kodak", "tecnick"):
        some = curves.published_curves(dataset)
        back = curve_files.parse(curve_files.write(some), "x.csv")
        assert [replace(curve, caveats=()) for curve in some] == list(back)


def test_the_table_of_the_zoo_is_a_file_of_curves():
    text = files("lic_bench.zoo.published").joinpath("rd_points.csv").read_text(encoding="utf-8")
    found = curve_files.parse(text, "rd_points.csv")
    assert sum(len(curve.points) for curve in found) == len(published.rd_points())
    assert {curve.source.origin for curve in found} == {Origin.PUBLISHED, Origin.DIGITISED}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.csv is no file of curves: there is no header line"),
        ("1,2\n", "x.csv is no file of curves: the first line holds numbers"),
        ("codec,bpp\nx,1\n", "has no column dataset"),
        ("codec,dataset,bpp,vmaf\nx,kodak,1,2\n", "columns that no curve has: vmaf"),
        ("codec,dataset,bpp,bpp\nx,kodak,1,2\n", "the column 'bpp' is there twice"),
        ("codec,dataset,bpp\n", "there is no line below its header"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,1\n", "x.csv is no file of curves: row 1 has 3 values for 4 columns"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,one,2\n", "Row 1 of x.csv: 'one' is no number for bpp"),
        ("codec,dataset,bpp,ms_ssim\nx,kodak,1,14\n", "14 cannot be a value of ms_ssim"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,0,2\n", "0 cannot be a value of bpp"),
        ("codec,dataset,bpp,psnr_db\nx,kodak,nan,2\n", "nan cannot be a value of bpp"),
        ("codec,dataset,bpp\n,kodak,1\n", "names no codec or no data set"),
        ("codec,dataset,bpp,picture\nx,kodak,1,a\nx,kodak,1,\n", "mixes means and single pictures"),
        ("codec,dataset,bpp,picture\nx,kodak,1,a\nx,kodak,1,a\n", "has a twice at point ''"),
        ("codec,dataset,bpp,pictures\nx,kodak,1,2\nx,kodak,1,3\n", "over different numbers of pictures"),
        ("codec,dataset,bpp,pictures\nx,kodak,1,many\n", "'many' is no number of pictures"),
    ],
)
def test_a_damaged_file_of_curves_is_named_with_the_row(text, said):
    with pytest.raises(RequestError, match=said):
        curve_files.parse(text, "x.csv")
