"""The options that every command has which carries an experiment out, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from comparator.cli import completion
from comparator.cli.app import ExperimentsOption
from comparator.cli.notice import at_the_end

JOB = "Jobs (engine swift-t)"


@dataclass(frozen=True)
class RunOptions:
    """Where and how an experiment is carried out, as the command line says it."""

    site: Annotated[
        str,
        typer.Option(
            "--site", metavar="NAME", help="The machine's profile in sites/.", autocompletion=completion.sites
        ),
    ] = "local"
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="What carries evaluations to workers: local, swift-t.",
            autocompletion=completion.engines,
        ),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override a key, as search.population=8.",
            autocompletion=completion.settings,
        ),
    ] = None
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Evaluations at a time.")] = None
    together: Annotated[
        int | None,
        typer.Option(
            "--together", min=1, help="Trainings that a worker gives at once to a model that has run_many(params_list)."
        ),
    ] = None
    identifier: Annotated[str | None, typer.Option("--id", metavar="ID", help="The new experiment's id.")] = None
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="[ID]",
            help="Go on with an experiment; without ID with the latest that is not finished, of FILE if given.",
            autocompletion=completion.experiment_ids,
        ),
    ] = None
    experiments: ExperimentsOption = None
    cold: Annotated[bool, typer.Option("--cold", help="A process per run instead of warm servers.")] = False
    notify: Annotated[
        str | None,
        typer.Option(
            "--notify",
            metavar="[COMMAND]",
            help="Give notice at the end: a bell and the desktop, or a command, which has COMPARATOR_NOTICE.",
        ),
    ] = None
    is_shown: Annotated[bool, typer.Option("--open", help="Show it in a browser while it runs.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, start nothing.")] = False
    walltime: Annotated[
        str | None,
        typer.Option(
            "--walltime", metavar="HH:MM:SS", help="Start nothing that cannot end in this time.", show_default=False
        ),
    ] = None
    nodes: Annotated[int | None, typer.Option("--nodes", min=1, help="Nodes of the job.", rich_help_panel=JOB)] = None
    workers_per_node: Annotated[
        int | None, typer.Option("--workers-per-node", min=1, help="At most its slots.", rich_help_panel=JOB)
    ] = None
    queue: Annotated[str | None, typer.Option("--queue", metavar="NAME", rich_help_panel=JOB)] = None
    project: Annotated[str | None, typer.Option("--project", metavar="NAME", rich_help_panel=JOB)] = None
    resume_jobs: Annotated[
        int,
        typer.Option("--resume-jobs", min=0, help="Further jobs that go on with what is left.", rich_help_panel=JOB),
    ] = 0


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, which takes them as `options: RunOptions`, the options of the command line."""
    names = [field.name for field in fields(RunOptions)]
    hints = get_type_hints(RunOptions, include_extras=True)
    own = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(RunOptions)
    ]
    kept = [each for each in own.parameters.values() if each.name != "options"]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        options = RunOptions(**{name: given.pop(name) for name in names})
        with at_the_end(options.notify, f"comparator {command.__name__.replace('_', '-')}"):
            command(**given, options=options)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in kept] + added
    wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in parameters}
    return wrapped
