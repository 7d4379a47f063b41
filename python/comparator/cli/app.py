"""What all commands share: the application that they belong to, where they print, how they are stopped."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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

out = Console(highlight=False)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ExperimentsOption = Annotated[
    Path | None,
    typer.Option("--experiments", metavar="DIR", help="Where experiments are kept.", show_default=False),
]


def stop_signals_like_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP end an experiment the way Ctrl-C does; once it is ending, further ones change nothing."""
    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, stop)
