"""Commands that note something of an experiment, and that bring it elsewhere."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from comparator.cli.app import RECORDS, ExperimentsOption, JsonOption, app, out
from comparator.cli.experiments import IdArgument
from comparator.results.store import experiment_path
from comparator.site.folders import experiments_folder, project_root


@app.command("note", rich_help_panel=RECORDS, short_help="Give one a note and tags.")
def note_experiment(
    identifier: IdArgument,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The note, in the place of what was there; '' for none.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="NAME", help="Add a tag; may be repeated.")] = None,
    untag: Annotated[
        list[str] | None, typer.Option("--untag", metavar="NAME", help="Take a tag away; may be repeated.")
    ] = None,
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an experiment a note and tags; without any, show those that it has."""
    from comparator.results.notes import changed, read_notes, write_notes

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    notes = read_notes(path)
    if text is not None or tag or untag:
        notes = changed(notes, text, tag or (), untag or ())
        write_notes(path, notes)
    if as_json:
        print(json.dumps({"tags": notes.tags, "text": notes.text}, indent=1))
        return
    out.print(f"tags: {', '.join(notes.tags) or 'none'}", soft_wrap=True)
    for line in notes.text.splitlines() or ["no note"]:
        out.print(line, soft_wrap=True)
