"""What all commands share: the application that they belong to, where they print, how they are stopped."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Annotated

import typer

import comparator
from comparator.engine.workers import STOPPED_BY
from comparator.errors import InputError
from comparator.experiment.terminal import Terminal

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find where two models of drug response differ most.",
)
sites_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The machines that experiments can run on.")
app.add_typer(sites_app, name="site")
models_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Models: begin one, and try one.")
app.add_typer(models_app, name="model")

out = Terminal()


def _print_version(asked: bool) -> None:
    if not asked:
        return
    try:
        out.print(f"comparator {comparator.__version__}")
    except PackageNotFoundError:
        raise InputError("the version is that of an installed package, and this one is not installed") from None
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ExperimentsOption = Annotated[
    Path | None,
    typer.Option("--experiments", metavar="DIR", help="Where experiments are kept.", show_default=False),
]


def stop_signals_like_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP end an experiment the way Ctrl-C does; while it is ending, further ones change nothing."""
    for number in STOPPED_BY:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def end_undisturbed() -> None:
    """Have the signals that stop an experiment interrupt nothing any more: it is over."""
    for number in STOPPED_BY:
        if signal.getsignal(number) is _stop:
            signal.signal(number, _come_too_late)  # not SIG_IGN, which processes inherit


def _come_too_late(*_: object) -> None: ...


def _stop(*_: object) -> None:
    # Python drops an exception that is raised in some places, as an object goes, say. So the next signal counts again,
    # unless the exception of an earlier one is on its way.
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    if error is None:
        raise KeyboardInterrupt
