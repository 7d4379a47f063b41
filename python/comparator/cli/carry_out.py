"""Commands that carry an experiment out, or prepare one."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comparator.cli import completion, resuming
from comparator.cli.app import RUN, JsonOption, app, out, stop_signals_like_ctrl_c
from comparator.cli.opening import shown
from comparator.cli.options import RunOptions, with_run_options
from comparator.errors import InputError
from comparator.experiment.terminal import Terminal, note
from comparator.formats.kinds import EXPERIMENT, other_kind
from comparator.formats.names import check_name, home_written_out
from comparator.formats.text import write_text_whole
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.files import read_json
from comparator.results.record_file import read_records
from comparator.results.store import check_new_experiment
from comparator.site.folders import experiments_folder, project_root
from comparator.space.boxes import written_box

if TYPE_CHECKING:
    from comparator.experiment.host import Host
    from comparator.experiment.plan import Plan
    from comparator.experiment.session import Session
    from comparator.results.frozen import FrozenExperiment

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
        raise InputError(f"{file}: no experiment file, whose name ends in .toml{other_kind(file, EXPERIMENT)}")
    _carry_out(options, file, settings, full=full, no_report=no_report, as_json=as_json)


def _box(box: str, options: RunOptions) -> str:
    """The box that the command line names, as `--set` takes it: its bounds, or where they lie.

    That is a file, or the report of an experiment with a region's number.
    """
    if not Path(box).exists() and (bounds := written_box(box)) is not None:
        return repr(bounds)
    identifier, _, number = box.rpartition(":")
    if not identifier or not number.isdigit() or Path(identifier).suffix == ".json":
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
        typer.Option(metavar="MODEL", help="Of a bare UPF: the model, or cmp.", autocompletion=completion.models),
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
    _carry_out(options, file, settings, full=full, no_report=no_report, as_json=as_json)


def _settings_of_bare_upf(model: str | None, hyperparameters: Path | None) -> list[str]:
    if model is None:
        raise InputError("a bare UPF needs --model MODEL (a folder, a Python file, or cmp)")
    place = home_written_out(model)
    settings = [f"model={place.absolute() if place.exists() else model}"]
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

    host = _open_host(options, as_json=True)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        resuming.refuse({"--set": options.settings})
        opened = opening.resume(host, resuming.chosen_of("search", host, options, file).id)
    else:
        check_new_experiment(host.experiments, options.identifier)
        plan = plan_selftest(host, file, options.settings or [], command=_typed_command())
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


@app.command(rich_help_panel=RUN, short_help="Does what one found still hold?")
@with_run_options
def recheck(
    options: RunOptions,
    checked: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="The experiment whose claims are tried again.", autocompletion=completion.experiment_ids
        ),
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="With equal rows, shared drugs, shared cell lines: study, or its size?")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try what an experiment claimed again, with models, data and settings as they are now.

    Exit status 1 where it is weaker or gone, 3 where it is not settled. By --controls it is tried as the models are,
    with both studies cut alike, to tell the study from its size; the exit status is 0 then, whatever it is.
    """
    from comparator.experiment.recheck import plan_recheck

    host = _open_host(options, as_json=as_json, reports=False)
    if controls:
        _control(host, options, checked, as_json=as_json)
        return
    _carry_out_again(
        host,
        options,
        "recheck",
        checked,
        {"ID": checked},
        lambda identifier: plan_recheck(host, identifier, options.settings or [], command=_typed_command()),
        as_json=as_json,
    )


def _control(host: Host, options: RunOptions, checked: str | None, *, as_json: bool) -> None:
    """Try whether what an experiment has shown of two studies is the study or only its size."""
    from comparator.experiment.controls import plan_controls
    from comparator.findings.controls import is_control

    def plan(identifier: str) -> Plan:
        planned = plan_controls(host, identifier, options.settings or [], command=_typed_command())
        if not planned.frozen.claims:
            raise InputError(f"experiment '{identifier}': {'; '.join(planned.frozen.notices[-3:])}")
        return planned

    def check(begun: FrozenExperiment) -> None:
        if not any(map(is_control, begun.claims or ())):
            raise InputError(f"'{begun.id}' began without --controls, and goes on as it began; leave that out")

    _carry_out_again(host, options, "recheck", checked, {"ID": checked}, plan, check, as_json=as_json)


@app.command(rich_help_panel=RUN, short_help="What makes trainings differ: study, split, seed?")
@with_run_options
def variance(
    options: RunOptions,
    looked_at: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="The experiment.", autocompletion=completion.experiment_ids),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=VALUE", help="The point, once for each hyperparameter; else the best."),
    ] = None,
    levels: Annotated[
        int | None,
        typer.Option(
            "--levels",
            min=5,
            max=99,
            metavar="N",
            help="Levels of split, first weights, order of rows and other draws: odd; N by N pairs are trained. 5.",
        ),
    ] = None,
    splits: Annotated[
        int | None, typer.Option("--splits", min=3, max=100, help="Data splits, where seeds are not told apart. 4.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=3, max=100, help="Seeds, each met with each of these splits. 4.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train one point of an experiment on several splits and seeds, and say which of them makes trainings differ."""
    from comparator.experiment.recheck import Meeting, plan_crossing

    if levels is not None and (splits is not None or seeds is not None):
        raise InputError("--levels tells the seeds apart, --splits and --seeds do not: give the one or the others")
    if levels is not None and levels % 2 == 0:
        raise InputError(f"--levels {levels}: must be an odd number from 5, so that all four can meet evenly")
    host = _open_host(options, as_json=as_json, reports=False)
    size, given = Meeting(splits, seeds, levels), options.settings or []
    _carry_out_again(
        host,
        options,
        "variance",
        looked_at,
        {"ID": looked_at, "--at": at},
        lambda identifier: plan_crossing(host, identifier, at or [], size, given, command=_typed_command()),
        as_json=as_json,
    )


@app.command("cross-study", rich_help_panel=RUN, short_help="Train on each study, test on all.")
@with_run_options
def cross_study(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Train a model on each study once per split, and test it on all studies."""
    _carry_out_study("cross_study", options, file)


@app.command("learning-curve", rich_help_panel=RUN, short_help="Train on more and more rows of each study.")
@with_run_options
def learning_curve(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Train a model on more and more rows of each study."""
    _carry_out_study("learning_curve", options, file)


@app.command("cross-hpo", rich_help_panel=RUN, short_help="Tune on each study, use on all.")
@with_run_options
def cross_hpo(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Tune models on each study with one budget, and say what the settings cost on the other studies."""
    _carry_out_study("cross_hpo", options, file)


@app.command("all-pairs", rich_help_panel=RUN, short_help="Compare several models, each pair.")
@with_run_options
def all_pairs(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Compare each pair of several models, or studies, at the price of one training of each a point."""
    _carry_out_study("all_pairs", options, file)


@app.command("left-out", rich_help_panel=RUN, short_help="Leave out parts of the training data.")
@with_run_options
def left_out(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Train two models without each drug, cell line or tumour type, and rank these by what changes."""
    _carry_out_study("left_out", options, file)


@app.command(rich_help_panel=RUN, short_help="Make an unrolled parameter file (UPF).")
def unroll(
    axes: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=VALUES", help="FIRST:LAST:COUNT, or VALUE,VALUE,...; may be repeated."),
    ] = None,
    space: Annotated[Path | None, typer.Option(metavar="FILE", help="A parameter space (JSON).")] = None,
    design: Annotated[str, typer.Option(help="Of the space: cartesian, random, latin or sobol.")] = "cartesian",
    points: Annotated[int, typer.Option(min=1, help="Points of the design.")] = 64,
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


def _carry_out(
    options: RunOptions, file: Path | None, settings: list[str], *, full: bool, no_report: bool, as_json: bool
) -> None:
    """Plan and run a new experiment, or go on with one."""
    if no_report and as_json and not options.dry_run:
        raise InputError("--json prints the report; leave out --no-report")
    from comparator.experiment import opening, planning

    host = _open_host(options, as_json=as_json, reports=not no_report)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        identifier = resuming.chosen(host, options, file)
        resuming.check_settings(host, identifier, file, settings, full=full)
        _go_on(host, options, identifier, as_json=as_json)
        return
    assert file is not None
    check_new_experiment(host.experiments, options.identifier)
    _refuse_file_of_study(file)
    plan = planning.plan_experiment(host, file, settings, full=full, command=_typed_command())
    if options.dry_run:
        _describe(host, plan, as_json=as_json)
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
        _run_again(again, options, opening.resume(again, identifier), as_json=as_json)
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


def _carry_out_again(
    host: Host,
    options: RunOptions,
    verb: str,
    identifier: str | None,
    typed: Mapping[str, Any],
    plan_of: Callable[[str], Plan],
    check: Callable[[FrozenExperiment], None] = lambda begun: None,
    *,
    as_json: bool,
) -> None:
    """Run what `verb` makes of another experiment, or go on with it.

    `typed` are the arguments that do not go with `--resume`. `check` raises `InputError` where what was begun is not
    what the command line asks to go on with.
    """
    from comparator.experiment import opening

    stop_signals_like_ctrl_c()
    if options.resume is not None:
        resuming.refuse({"--set": options.settings, **typed})
        begun = resuming.chosen_of(verb, host, options)
        check(begun)
        opened = opening.resume(host, begun.id)
    elif identifier is None:
        raise InputError("give the id of an experiment, or --resume ID (see comparator list)")
    else:
        check_new_experiment(host.experiments, options.identifier)
        plan = plan_of(identifier)
        if options.dry_run:
            _describe(host, plan, as_json=as_json)
            return
        opened = opening.begin(host, plan, f"{identifier}-{verb}", options.identifier)
    _run_again(host, options, opened, as_json=as_json)


def _describe(host: Host, plan: Plan, *, as_json: bool) -> None:
    """Say what would be done; for programs, what would be frozen."""
    from comparator.experiment.dry_run import describe

    describe(host, plan)
    if as_json:
        print(json.dumps(plan.frozen.model_dump(exclude_unset=True, exclude={"id"}), indent=1))


def _run_again(host: Host, options: RunOptions, opened: Session, *, as_json: bool) -> None:
    """Run what tries another experiment again, and end as what came of it says, whichever command was typed."""
    from comparator.experiment.again import again_as_json
    from comparator.experiment.closing import say_where_it_is_read
    from comparator.findings import recheck as findings

    with shown(host.experiments, opened.path.name, is_asked=options.is_shown):
        found = opened.run()
    if as_json:
        print(json.dumps(again_as_json(found), indent=1))
    elif found is not None:
        say_where_it_is_read(host, found, opened.path.name)
    if isinstance(found, list):
        verdicts = {each.verdict for each in found}
        if not verdicts <= set(findings.HELD):
            raise typer.Exit(1 if verdicts & set(findings.LOST) else 3)


def _carry_out_study(name: str, options: RunOptions, file: Path | None) -> None:
    from comparator.studies import study_called

    study, host = study_called(name), _open_host(options)
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
            command=_typed_command(),
            identifier=options.identifier,
            dry_run=options.dry_run,
        )


def _open_host(options: RunOptions, *, as_json: bool = False, reports: bool = True) -> Host:
    from comparator.engine.interface import EngineOptions
    from comparator.experiment.host import open_host

    console = Terminal(stderr=True) if as_json else out
    root = project_root()
    asked = EngineOptions(
        engine=options.engine,
        workers=options.workers,
        nodes=options.nodes,
        workers_per_node=options.workers_per_node,
        together=options.together,
        walltime=options.walltime,
        queue=options.queue,
        project=options.project,
        resume_jobs=options.resume_jobs,
    )
    folder = experiments_folder(options.experiments, root)
    return open_host(
        root,
        folder,
        options.site,
        asked,
        warm=not options.cold,
        console=console,
        reports=reports,
        makes_environments=not options.dry_run,
    )


def _typed_command() -> str:
    return shlex.join(["comparator", *sys.argv[1:]])
