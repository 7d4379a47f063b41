"""`comparator open`: the page in a browser; and `--open` of the commands that carry an experiment out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from comparator.cli import completion
from comparator.cli.app import LOOK, ExperimentsOption, app
from comparator.errors import InputError
from comparator.experiment.terminal import Terminal, copyable, tell
from comparator.results.experiments import experiment_path
from comparator.site.folders import experiments_folder, experiments_to_read, project_root


@app.command("open", rich_help_panel=LOOK, short_help="Look at experiments in a browser, live.")
def open_page(
    identifier: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="An experiment's id; all of them if not given.",
            show_default=False,
            autocompletion=completion.experiment_ids,
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, help="The port to listen at; any free one if not given.", show_default=False
        ),
    ] = 0,
    base_path: Annotated[
        str,
        typer.Option(
            "--base-path",
            metavar="PATH",
            help="The path under which a proxy shows it, as /node/host/1234.",
            show_default=False,
        ),
    ] = "",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in your browser, where there is a display.")
    ] = True,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
    experiments: ExperimentsOption = None,
) -> None:
    """Show experiments in a browser, live: what runs, the map as it fills, several side by side; Ctrl-C ends it."""
    from comparator.dashboard import serving

    root = project_root()
    # What a command shows of itself is there in a moment.
    folder = (experiments_folder if identifier or with_parent else experiments_to_read)(experiments, root)
    shows = ""
    if identifier is not None:
        shows = f"experiments/{experiment_path(folder, identifier).name}/"
    place = serving.Place(host, port, serving.base_path(base_path))

    def say(lines: Sequence[str]) -> None:
        for line in lines:
            print(line, flush=True)

    serving.serve(folder, root, place, shows=shows, browser=browser, with_parent=with_parent, say=say)


@contextmanager
def shown(experiments: Path, identifier: str | None, *, is_asked: bool) -> Iterator[None]:
    """Show an experiment in a browser, or all of them, while the context lasts, where that is asked for.

    On a terminal the page stays until Ctrl-C when what it shows has come to its end. Raises `InputError` where it
    cannot be shown.
    """
    if not is_asked:
        yield
        return
    named = [] if identifier is None else [identifier]
    words = [sys.executable, "-m", "comparator", "open", *named, "--experiments", str(experiments), "--with-parent"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise InputError("--open: the page cannot be served")
        console = Terminal(stderr=True)
        copyable(console, f"page: {address}")
        yield
        if console.is_terminal:
            tell(console, "the page stays until Ctrl-C")
            with suppress(KeyboardInterrupt):
                process.wait()
    finally:
        process.stdin.close()  # which ends it
        process.wait()
