"""Commands that carry a study out, each of a table of its file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comparator.cli import resuming
from comparator.cli.app import RUN, app, stop_signals_like_ctrl_c
from comparator.cli.hosting import host_of, typed_command
from comparator.cli.opening import shown
from comparator.cli.options import RunOptions, with_run_options
from comparator.errors import InputError
from comparator.results.store import check_new_experiment

FileArgument = Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")]


@app.command("cross-study", rich_help_panel=RUN, short_help="Train on each study, test on all.")
@with_run_options
def cross_study(
    options: RunOptions,
    file: FileArgument = None,
) -> None:
    """Train a model on each study once per split, and test it on all studies."""
    _carry_out("cross_study", options, file)


@app.command("learning-curve", rich_help_panel=RUN, short_help="Train on more and more rows of each study.")
@with_run_options
def learning_curve(
    options: RunOptions,
    file: FileArgument = None,
) -> None:
    """Train a model on more and more rows of each study."""
    _carry_out("learning_curve", options, file)


@app.command("cross-hpo", rich_help_panel=RUN, short_help="Tune on each study, use on all.")
@with_run_options
def cross_hpo(
    options: RunOptions,
    file: FileArgument = None,
) -> None:
    """Tune models on each study with one budget, and say what the settings cost on the other studies."""
    _carry_out("cross_hpo", options, file)


@app.command("all-pairs", rich_help_panel=RUN, short_help="Compare several models, each pair.")
@with_run_options
def all_pairs(
    options: RunOptions,
    file: FileArgument = None,
) -> None:
    """Compare each pair of several models, or studies, at the price of one training of each a point."""
    _carry_out("all_pairs", options, file)


@app.command("left-out", rich_help_panel=RUN, short_help="Leave out parts of the training data.")
@with_run_options
def left_out(
    options: RunOptions,
    file: FileArgument = None,
) -> None:
    """Train two models without each drug, cell line or tumour type, and rank these by what changes."""
    _carry_out("left_out", options, file)


def _carry_out(name: str, options: RunOptions, file: Path | None) -> None:
    from comparator.studies import study_called

    study, host = study_called(name), host_of(options)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        begun = resuming.chosen_of(study.verb, host, options, file)
        resuming.check_settings(host, begun.id, file, options.settings or [])
        with shown(host.experiments, None, is_asked=options.is_shown):
            study.resume(host, begun.id)
        return
    if file is None:
        raise InputError(f"give an experiment file, such as cfg/{study.verb}.toml, or --resume ID")
    check_new_experiment(host.experiments, options.identifier)
    with shown(host.experiments, None, is_asked=options.is_shown and not options.dry_run):
        study.run(
            host,
            file,
            options.settings or [],
            command=typed_command(),
            identifier=options.identifier,
            dry_run=options.dry_run,
        )
