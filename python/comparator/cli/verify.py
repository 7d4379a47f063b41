"""`comparator verify`: is what an experiment's record says true?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from comparator.cli import completion
from comparator.cli.app import RECORDS, ExperimentsOption, JsonOption, app, out, stop_signals_like_ctrl_c
from comparator.cli.experiments import IdArgument
from comparator.experiment.terminal import Terminal, copyable
from comparator.site.folders import experiments_folder, project_root


@app.command(rich_help_panel=RECORDS, short_help="Check a record, and repeat some trainings.")
def verify(
    identifier: IdArgument,
    sample: Annotated[
        str, typer.Option(metavar="N|all", help="How many of its trainings are repeated; 0 checks the record alone.")
    ] = "5",
    site: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The site whose slots they are repeated on.", autocompletion=completion.sites
        ),
    ] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Trainings at a time.")] = None,
    cold: Annotated[bool, typer.Option("--cold", help="By train.sh, where the model has a module too.")] = False,
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a record whole, and repeat a sample of its trainings; exit status 1 where something is wrong."""
    from comparator.engine.interface import EngineOptions
    from comparator.experiment.host import open_host
    from comparator.verification import verify as verification

    number = verification.chosen_sample(sample)
    root = project_root()
    console = Terminal(stderr=True) if as_json else out
    asked = EngineOptions(engine="local", workers=workers)
    host = open_host(root, experiments_folder(experiments, root), site, asked, warm=not cold, console=console)
    stop_signals_like_ctrl_c()
    try:
        with console.status("checking the record") as status:
            found = verification.verify(
                host, identifier, number, lambda done, of: status.update(f"repeating trainings: {done} of {of}")
            )
    except KeyboardInterrupt:
        console.print("stopped: no run was withdrawn")
        raise
    if as_json:
        print(json.dumps(verification.as_json(found), indent=1))
    else:
        for line in found.words():
            copyable(out, line)
    if not found.is_right:
        raise typer.Exit(1)
