"""Result files of other tools as text, and runs to be exported."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.made_runs import header
from lic_bench.analysis import curves
from lic_bench.analysis.curves import RDCurve
from lic_bench.benchmark import run_folder
from lic_bench.interchange import importing
from lic_bench.interchange.importing import ImportOptions, Results
from lic_bench.records import Row

PSNR_RGB = """{"name": "VTM", "description": "VTM-9.1", "results": {
  "bpp": [0.1, 0.30000000000000004], "psnr-rgb": [30.123456789012345, Infinity], "ms-ssim-rgb": [0.9, null]}}"""
PSNR = PSNR_RGB.replace("-rgb", "")
BARE = '{"bpp": [0.1, 0.2], "psnr": [30, 31], "name": "bare"}'
SINGLE = """{"source": "kodim01", "name": "mbt2018", "description": "Inference (ans)",
  "results": {"psnr-rgb": 30.5, "ms-ssim-rgb": 0.95, "bpp": 0.25, "encoding_time": 1.5, "decoding_time": 2.5}}"""
CSV = "# float metrics\nlmbda,bpp,mse,psnr,msssim\n0.01,0.115239,127,27.1064,\n0.02,0.3,50,30.5,0.97\n"
TSV = (
    "seq_name\tlmbda\trate_bpp\tpsnr_db\tn_itr\tmac\n"
    "kodim01\t0.001\t0.5\t30.0\t1000\t2300\nkodim02\t0.001\t0.3\t34.0\t1000\t2300\n"
    "kodim01\t0.01\t0.1\t26.0\t1000\t2300\nkodim02\t0.01\t0.08\t29.0\t1000\t2300\n"
)
BATCH_FIELDS = (
    "original_name", "width", "height", "effort", "quality", "encoded_size", "encoding_time", "decoding_time", "psnr",
    "ssim",
)  # fmt: skip
BATCH = json.dumps(
    {
        "constant_descriptions": [{"name": "Codec's name"}, {"time": "When"}],
        "constant_values": ["webp", "2024-01-01"],
        "field_descriptions": [{name: ""} for name in BATCH_FIELDS],
        "field_values": [
            ["kodim01.png", 768, 512, 4, 50, 12288, 0.1, 0.01, 31.5, 0.9],
            ["kodim02.png", 768, 512, 4, 50, 6144, 0.1, 0.01, 33.5, 0.9],
            ["kodim01.png", 768, 512, 4, 90, 24576, 0.1, 0.01, 36.5, 0.9],
            ["kodim02.png", 768, 512, 4, 90, 12288, 0.1, 0.01, 38.5, 0.9],
        ],
    }
)


def results_of(folder: Path, text: str, name: str = "a.json", **options: str | None) -> Results:
    """What is read from a file with this text; the data set is kodak unless `options` says otherwise."""
    (folder / name).write_text(text, encoding="utf-8")
    (found,) = importing.read([folder / name], ImportOptions(**{"dataset": "kodak"} | options))
    return found


def curve_of(folder: Path, text: str, name: str = "a.json", **options: str | None) -> RDCurve:
    """The one curve of a file with this text."""
    (found,) = importing.as_curves([results_of(folder, text, name, **options)], ImportOptions())
    return found


def vtm() -> RDCurve:
    """The published curve of VTM 17.0 on Kodak."""
    return next(curve for curve in curves.published_curves("kodak") if curve.codec == "vtm")


def run_of(folder: Path, *rows: Row, **changes: object) -> Path:
    """A finished run folder with these rows, below `folder`/runs."""
    codecs = dict.fromkeys(row.codec for row in rows)
    pictures = tuple(dict.fromkeys(row.picture for row in rows))
    made = run_folder.create(
        folder / "runs", header(names=codecs, pictures=pictures, dataset=rows[0].dataset, **changes)
    )
    for row in rows:
        made.append(row)
    made.finish()
    return made.path


def imported_run(folder: Path) -> Path:
    """A run folder of imported rows, below `folder`/runs."""
    results = results_of(folder, BATCH, "batch.json", trained_for="none", citation="Somebody", licence="CC0")
    return importing.as_run([results], folder / "runs", ("lic-bench", "import"))
