"""What all commands share: the application that they belong to, where they print, how they are stopped."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import comparator
from comparator.engine.workers import STOPPED_BY
from comparator.errors import InputError
from comparator.experiment.terminal import Terminal

RUN, LOOK = "Run", "Look"
MODELS_AND_SITES, RECORDS = "Models and sites", "Records"
#: The groups of commands in the order in which the help has them.
GROUPS = (RUN, LOOK, MODELS_AND_SITES, RECORDS)
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class Commands(TyperGroup):
    """The commands by their groups, each with the first sentence of its help, in lines that fit."""

    def list_commands(self, ctx: Any) -> list[str]:
        group = {name: getattr(command, "rich_help_panel", None) for name, command in self.commands.items()}
        known = [name for panel in GROUPS for name in self.commands if group[name] == panel]
        return [*known, *(name for name in self.commands if name not in known)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name in self.list_commands(ctx):
            command = self.commands[name]
            panel = getattr(command, "rich_help_panel", None)
            group = panel if isinstance(panel, str) else "Commands"
            said = command.get_short_help_str(limit=formatter.width - width - 6)
            rows.setdefault(group, []).append((name.ljust(width), said))
        for group, of_group in rows.items():
            with formatter.section(group):
                formatter.write_dl(of_group)


def _group(words: str, **how: Any) -> typer.Typer:
    return typer.Typer(
        cls=Commands, no_args_is_help=True, rich_markup_mode=None, context_settings=HELP_OPTIONS, help=words, **how
    )


app = _group(
    "Find where two models of drug response differ most.",
    pretty_exceptions_enable=False,
    epilog="comparator COMMAND -h tells more of one.",
)
sites_app = _group("The machines that experiments can run on.")
app.add_typer(sites_app, name="site", rich_help_panel=MODELS_AND_SITES)
models_app = _group("List models, begin one, and try one.")
app.add_typer(models_app, name="model", rich_help_panel=MODELS_AND_SITES)
data_app = _group("Look at the tables that models learn from.")
app.add_typer(data_app, name="data", rich_help_panel=MODELS_AND_SITES)

out = Terminal()
#: Python drops an exception that is raised in some places, as an object goes, say: a stop is tried again after so long.
AGAIN_SECONDS = 0.05


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
    sys.unraisablehook = partial(_stop_later, sys.unraisablehook)


def end_undisturbed() -> None:
    """Have the signals that stop an experiment interrupt nothing any more: it is over."""
    for number in STOPPED_BY:
        if signal.getsignal(number) is _stop:
            signal.signal(number, _come_too_late)  # not SIG_IGN, which processes inherit


def _come_too_late(*_: object) -> None: ...


def _stop_later(before: Callable[[sys.UnraisableHookArgs], object], dropped: sys.UnraisableHookArgs) -> None:
    """Stop in a moment, where Python has dropped the exception; any other is for the hook that was there `before`."""
    if isinstance(dropped.exc_value, KeyboardInterrupt):
        # Not Ctrl-C's own, which a shell may have ignored for a command in the background.
        threading.Timer(AGAIN_SECONDS, _thread.interrupt_main, [signal.SIGTERM]).start()
    else:
        before(dropped)


def _stop(*_: object) -> None:
    # One that comes while the exception of an earlier one is on its way changes nothing.
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    if error is None:
        raise KeyboardInterrupt
