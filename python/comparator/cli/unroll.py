"""`comparator unroll`: a UPF from lists, a grid, or a space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comparator.cli.app import RUN, app, out
from comparator.errors import InputError
from comparator.formats.names import check_name
from comparator.formats.text import write_text_whole


@app.command(rich_help_panel=RUN, short_help="Make an unrolled parameter file (UPF).")
def unroll(
    axes: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=VALUES", help="FIRST:LAST:COUNT, or VALUE,VALUE,...; may be repeated."),
    ] = None,
    space: Annotated[Path | None, typer.Option(metavar="FILE", help="A parameter space (JSON).")] = None,
    design: Annotated[str, typer.Option(help="Of the space: cartesian, random, latin or sobol.")] = "cartesian",
    points: Annotated[
        int, typer.Option(min=1, help="Points of the design; of cartesian, which takes all values of lists, at most.")
    ] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the design.")] = 1,
    studies: Annotated[str | None, typer.Option(metavar="STUDY,...", help="The same as --grid train_sources=")] = None,
    sizes: Annotated[str | None, typer.Option(metavar="ROWS,...", help="The same as --grid row_limit=")] = None,
    prefix: Annotated[str, typer.Option(help="What the ids begin with.")] = "run",
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; the terminal if not given.")] = None,
) -> None:
    """Make an unrolled parameter file (UPF): every combination of the lists with every point of the space."""
    from comparator.formats.upf import write_upf
    from comparator.space import ParameterSpace
    from comparator.strategies.unroll import combine, design_points, read_axis

    given = list(axes or [])
    given += [f"train_sources={studies}"] if studies else []
    given += [f"row_limit={sizes}"] if sizes else []
    if not given and space is None:
        raise InputError("give --grid, --space, --studies or --sizes")
    designed = design_points(ParameterSpace.read(space), design, points, seed) if space is not None else []
    text = write_upf(combine([read_axis(axis) for axis in given], designed), check_name(prefix, "prefix"))
    if output is None:
        print(text, end="")
    else:
        write_text_whole(output, text)
        out.print(f"{output}: {text.count(chr(10))} lines")
