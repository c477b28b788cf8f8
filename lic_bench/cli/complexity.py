"""Commands that count: complexity, audit."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.cli.options import Models
from lic_bench.complexity.tables import By, Format
from lic_bench.records import Call


class Claims(StrEnum):
    """What kind of published claims is audited."""

    COMPLEXITY = "complexity"
    BD = "bd"
    ANCHORS = "anchors"


@app.command()
def complexity(
    model: Annotated[str, typer.Argument(help="Models as --models takes them.", show_default=False)] = "",
    models: Models = "all",
    size: Annotated[
        list[str] | None, typer.Option("--size", help="Width x height, such as 768x512 (the default). Repeatable.")
    ] = None,
    by: Annotated[By | None, typer.Option("--by", help="Take the work of each call apart.", show_default=False)] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    call: Annotated[
        list[Call] | None, typer.Option("--call", help="Only this call. Repeatable.", show_default=False)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="A run: the rates reached in it, of this machine's peak.", show_default=False),
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            help='External counters beside ours, "fvcore,ptflops,torch", and the ops that each misses. They execute '
            "the networks.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Counts MACs by part, parameters, memory and serial steps on the meta device; no weights are needed."""
    from lic_bench.cli import complexity_rendering

    models, sizes = model or models, size or ["768x512"]
    if against:
        raise typer.Exit(0 if complexity_rendering.against(models, sizes, against, form) else 1)
    if run is not None:
        complexity_rendering.achieved(run, form)
        return
    sound = complexity_rendering.complexity(models, sizes, by, form, call or tuple(Call))
    raise typer.Exit(0 if sound else 1)


@app.command()
def audit(
    models: Annotated[
        str, typer.Argument(help='"all", names or globs; with --claims bd a codec as claims name it.')
    ] = ("all"),
    claims: Annotated[
        Claims,
        typer.Option(
            help="What is claimed: work, parameters and sizes; BD-rates, with who is ahead against one anchor; or what "
            "the most used anchor is."
        ),
    ] = Claims.COMPLEXITY,
    anchor: Annotated[
        str, typer.Option(help="With --claims bd: the anchor by which codecs are put in order.", show_default=False)
    ] = "vtm/compressai-classical",
    dataset: Annotated[str, typer.Option(help="With --claims bd: the pictures of that order.")] = "kodak",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
) -> None:
    """Sets published claims beside our own figures under every convention, with verdicts."""
    if claims is not Claims.COMPLEXITY:
        from lic_bench.cli import claims_rendering

        if claims is Claims.BD:
            claims_rendering.bd(models, anchor, dataset, form)
        else:
            claims_rendering.anchors(form)
        return
    from lic_bench.cli import complexity_rendering

    raise typer.Exit(0 if complexity_rendering.audit(models, form) else 1)
