"""Commands that carry out what an experiment file says: `search`, `sweep`, and `selftest`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comparator.cli import completion, resuming
from comparator.cli.app import RUN, JsonOption, app, stop_signals_like_ctrl_c
from comparator.cli.hosting import host_of, run_again, show_plan, typed_command
from comparator.cli.opening import shown
from comparator.cli.options import RunOptions, with_run_options
from comparator.errors import InputError, named_as_typed, nearest_path
from comparator.experiment.terminal import note
from comparator.formats.kinds import EXPERIMENT, other_kind
from comparator.formats.names import home_written_out
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.files import read_json
from comparator.results.record_file import read_records
from comparator.results.store import check_new_experiment
from comparator.site.folders import experiments_folder, project_root
from comparator.space.boxes import written_box

if TYPE_CHECKING:
    from comparator.experiment.host import Host
    from comparator.experiment.session import Session

NoReportOption = Annotated[bool, typer.Option("--no-report", help="Leave the report to: comparator report ID.")]


@app.command(rich_help_panel=RUN, short_help="Find where two models differ most, or one is best.")
@with_run_options
def search(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search.")] = None,
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="BOX", help="Keep to a box: noise=0:20,size=50:90, a JSON file, or ID:N, region N of a report."
        ),
    ] = None,
    avoid: Annotated[str | None, typer.Option(metavar="BOX", help="Keep out of a box, given as for --focus.")] = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    no_report: NoReportOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search for the points where two models differ most, or where one model is best."""
    settings = list(options.settings or [])
    if options.resume is not None:
        resuming.refuse({"--focus": focus, "--avoid": avoid, "--seed": seed is not None and file is None})
    if seed is not None:
        settings.append(f"search.seed={seed}")
    for key, box in (("focus", focus), ("avoid", avoid)):
        if box is not None:
            settings.append(f"search.{key}={_box(box, options)}")
    if file is None and options.resume is None:
        raise InputError("give an experiment file, such as cfg/cmp-ga.toml, or --resume ID")
    if file is not None and file.suffix != ".toml":
        meant = (file.with_name(f"{file.name}.toml"), file.with_suffix(".toml"))
        near = next(filter(None, map(nearest_path, meant)), "")
        what = other_kind(file, EXPERIMENT) if file.exists() else near
        raise InputError(f"{file}: no experiment file, whose name ends in .toml{what}")
    with _as_typed(focus, avoid):
        _carry_out(options, file, settings, full=full, no_report=no_report, as_json=as_json)


def _box(box: str, options: RunOptions) -> str:
    """The box that the command line names, as `--set` takes it: its bounds, or where they lie.

    That is a file, or the report of an experiment with a region's number.
    """
    if not Path(box).exists() and (bounds := written_box(box)) is not None:
        return repr(bounds)
    identifier, _, number = box.rpartition(":")
    if not identifier or not number.isdecimal() or Path(identifier).suffix == ".json":
        return str(home_written_out(box).absolute())
    experiment = experiment_path(experiments_folder(options.experiments, project_root()), identifier)
    return f"{experiment.absolute() / 'report.json'}:{number}"


@app.command(rich_help_panel=RUN, short_help="Evaluate a grid, or every line of a UPF.")
@with_run_options
def sweep(
    options: RunOptions,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An experiment file (TOML), or an unrolled parameter file.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Of a bare UPF: the model, or cmp; else the candle_image of each line.",
            autocompletion=completion.models,
        ),
    ] = None,
    hyperparameters: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a bare UPF: the hyperparameters below its lines.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    no_report: NoReportOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate every point of a grid, or every line of an unrolled parameter file (UPF)."""
    bare = file is not None and file.suffix != ".toml"
    if file is None and options.resume is None:
        raise InputError("give an experiment file, an unrolled parameter file, or --resume ID")
    if (model or hyperparameters) and not bare:
        raise InputError("--model and --hyperparameters go with a bare UPF; an experiment file has its own")
    settings = list(options.settings or [])
    if bare:
        settings += _settings_of_bare_upf(model, hyperparameters)
    with _as_typed(model, hyperparameters):
        _carry_out(options, file, settings, full=full, no_report=no_report, as_json=as_json)


@contextlib.contextmanager
def _as_typed(*paths: str | Path | None) -> Iterator[None]:
    """Have errors name the files of options, which go into the settings in full, as they were typed."""
    with contextlib.ExitStack() as stack:
        for path in paths:
            if path is not None:
                stack.enter_context(named_as_typed(home_written_out(path)))
        yield


def _settings_of_bare_upf(model: str | None, hyperparameters: Path | None) -> list[str]:
    settings = []
    if model is not None:
        place = home_written_out(model)
        settings.append(f"model={place.absolute() if place.exists() else model}")
    if hyperparameters is not None:
        settings.append(f"hyperparameters={hyperparameters.absolute()}")
    return settings


@app.command(rich_help_panel=RUN, short_help="Search where there is nothing to find.")
@with_run_options
def selftest(
    options: RunOptions,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The experiment file (TOML).")],
) -> None:
    """Search where there is nothing to find: a model against itself, with other seeds; prints what was found."""
    from comparator.experiment import opening
    from comparator.experiment.dry_run import describe
    from comparator.experiment.null_search import FINDINGS, caution, plan_selftest

    host = host_of(options, as_json=True)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        resuming.refuse({"--set": options.settings})
        opened = opening.resume(host, resuming.chosen_of("search", host, options, file).id)
    else:
        check_new_experiment(host.experiments, options.identifier)
        plan = plan_selftest(host, file, options.settings or [], command=typed_command())
        if options.dry_run:
            describe(host, plan)
            return
        opened = opening.begin(host, plan, f"{file.stem}-selftest", options.identifier)
    with shown(host.experiments, opened.path.name, is_asked=options.is_shown):
        opened.run()
    words = caution(read_records(opened.path / "evaluations.jsonl"))
    if words is not None:
        note(host.console, words)
    found = read_json(opened.path / "report.json") or {}
    print(json.dumps({key: found.get(key) for key in FINDINGS}, indent=1))


def _carry_out(
    options: RunOptions, file: Path | None, settings: list[str], *, full: bool, no_report: bool, as_json: bool
) -> None:
    """Plan and run a new experiment, or go on with one."""
    if no_report and as_json and not options.dry_run:
        raise InputError("--json prints the report; leave out --no-report")
    from comparator.experiment import opening, planning

    host = host_of(options, as_json=as_json, reports=not no_report)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        identifier = resuming.chosen(host, options, file)
        resuming.check_settings(host, identifier, file, settings, full=full)
        _go_on(host, options, identifier, as_json=as_json)
        return
    assert file is not None
    check_new_experiment(host.experiments, options.identifier)
    _refuse_file_of_study(file)
    plan = planning.plan_experiment(host, file, settings, full=full, command=typed_command())
    if options.dry_run:
        show_plan(host, plan, as_json=as_json)
        return
    _run(host, options, opening.begin(host, plan, file.stem, options.identifier), as_json=as_json)


def _go_on(host: Host, options: RunOptions, identifier: str, *, as_json: bool) -> None:
    """Go on with an experiment of any kind, which ends as by the command that began it."""
    from comparator.experiment import controls, opening
    from comparator.studies import study_of

    path = experiment_path(host.experiments, identifier)
    study = study_of(path)
    if study is not None:
        with shown(host.experiments, None, is_asked=options.is_shown):
            study.resume(host, identifier)
        return
    if read_experiment(path).rechecks is not None:
        again = replace(host, reports=False)
        run_again(again, options, opening.resume(again, identifier), as_json=as_json)
        return
    if not resuming.is_finished(path):
        _run(host, options, opening.resume(host, identifier), as_json=as_json)
        return
    with shown(host.experiments, identifier, is_asked=options.is_shown):
        is_more_done = controls.follow(host, path)
    if as_json or not is_more_done:
        resuming.say_finished(host, identifier, as_json=as_json)


def _run(host: Host, options: RunOptions, opened: Session, *, as_json: bool) -> None:
    """Run a search or a sweep, and the controls that it asks for."""
    from comparator.experiment import controls

    with shown(host.experiments, opened.path.name, is_asked=options.is_shown):
        opened.run()
        controls.follow(host, opened.path)
    if as_json:
        print(json.dumps(read_json(opened.path / "report.json"), indent=1))


def _refuse_file_of_study(file: Path) -> None:
    """Raise `InputError` for an experiment file that another command carries out."""
    from comparator.model.description import read_toml
    from comparator.studies import STUDIES, study_called

    tables = read_toml(file) if file.suffix == ".toml" else {}
    name = next((name for name in STUDIES if name in tables), None)
    if name is not None:
        verb = study_called(name).verb
        raise InputError(f"{file}: has a table [{name}]: it is carried out by `comparator {verb} {file}`")
