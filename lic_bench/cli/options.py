"""Options that commands take: their names, their help, and how lists of words are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

Models = Annotated[str, Option("--models", "-m", help='"all", names or globs ("mbt*"), separated by commas.')]
Data = Annotated[Path | None, Option("--data", help="Folder that holds the data set.", show_default=False)]
Anchor = Annotated[
    str | None,
    Option(
        "--anchor",
        help="Codec of the run, or published curve: NAME or NAME/SOURCE. On kodak by default VTM-17.0, else jpeg.",
        show_default=False,
    ),
]
Weights = Annotated[
    list[Path] | None,
    Option("--weights", help="Folder with MODEL/POINT.pth.tar or .safetensors. Repeatable.", show_default=False),
]
Points = Annotated[
    str, Option(help='Operating points, by label or glob ("1,2,ms-ssim-*"). All by default.', show_default=False)
]

# What only `run` takes; the defaults are those of RunOptions.
DatasetName = Annotated[str, Option(help="A name (kodak, sample), a folder of pictures, or a description: SET.toml.")]
Pictures = Annotated[int | None, Option(min=1, help="Only the first N pictures.", show_default=False)]
Output = Annotated[Path, Option("--output", "-o", help="Where run folders are kept.")]
Device = Annotated[str, Option(help="cpu, cuda, or auto: CUDA where there is one.")]
Threads = Annotated[int, Option(min=1, help="Threads of each process.")]
Workers = Annotated[int, Option(min=1, help="Jobs at a time; more than 1 puts a caveat on every time.")]
TimingRepeats = Annotated[int, Option(min=0, help="Timed passes per picture, at most.")]
TimingBudget = Annotated[float, Option(min=0, help="Seconds for timing, per operating point and picture shape.")]
Timeout = Annotated[float | None, Option(min=0.1, help="Seconds a codec may take for one picture.", show_default=False)]
Metrics = Annotated[
    list[str] | None,
    Option(
        "--metric",
        help="A metric beside PSNR and MS-SSIM: a registered name, module:NAME or file.py:NAME. Repeatable.",
        show_default=False,
    ),
]
Executor = Annotated[str, Option(help="Where jobs run: an executor's name.")]
Memory = Annotated[bool, Option(help="Measure peak memory in fresh processes.")]
Cache = Annotated[bool, Option(help="Take rows that were measured before under the same conditions.")]
Download = Annotated[bool, Option(help="Fetch missing weights and pictures.")]
New = Annotated[bool, Option("--new", help="Start anew instead of continuing an interrupted run.")]
TargetBpp = Annotated[
    str,
    Option(help="Bits per pixel that classical codecs are set to on each picture: 0.25,0.5.", show_default=False),
]
TargetPsnr = Annotated[
    str, Option(help="PSNR in dB that classical codecs are set to on each picture: 32,36.", show_default=False)
]
VtmBin = Annotated[
    Path | None,
    Option(
        envvar="LIC_BENCH_VTM_BIN", help="Folder with VTM's EncoderApp and DecoderApp.", show_default=False,
        show_envvar=True,
    ),
]  # fmt: skip
DryRun = Annotated[bool, Option("--dry-run", help="Print the jobs and an estimate, measure nothing.")]


def split(text: str) -> tuple[str, ...]:
    """The items of a list that commas separate."""
    return tuple(item.strip() for item in text.split(",") if item.strip())
