"""The command line. Every script of `test/` is a few lines over one of these commands."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from comparator.engine.jobs import ALIVE, state_of
from comparator.errors import ComparatorError, InputError, Submitted
from comparator.names import check_name
from comparator.options import ExperimentsOption, RunOptions, with_run_options
from comparator.root import command_line, experiments_folder, project_root
from comparator.store import (
    check_new_experiment,
    experiment_names,
    experiment_path,
    pairs_in,
    read_experiment,
    read_json,
    read_records,
)

if TYPE_CHECKING:
    from types import ModuleType

    from comparator.sitting import Host

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
STOPPED = 130
WATCH_JOB_SECONDS = 3.0  # a scheduler does not like to be asked more often

NoReportOption = Annotated[bool, typer.Option("--no-report", help="Leave the report to: comparator report ID.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id (see `comparator list`).")]


@app.command()
@with_run_options
def search(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search.")] = None,
    focus: Annotated[
        str | None, typer.Option(metavar="BOX", help="Keep to a box: a JSON file, or ID:N, region N of a report.")
    ] = None,
    avoid: Annotated[
        str | None, typer.Option(metavar="BOX", help="Keep out of a box: a JSON file, or ID:N, region N of a report.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    no_report: NoReportOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search for the points where two models differ most, or where one model is best."""
    settings = list(options.settings or [])
    if options.resume is not None:
        _refuse_with_resume({"--seed": seed is not None, "--focus": focus, "--avoid": avoid})
    if seed is not None:
        settings.append(f"search.seed={seed}")
    for key, box in (("focus", focus), ("avoid", avoid)):
        if box is not None:
            settings.append(f"search.{key}={_box_file(box, options)}")
    if file is None and options.resume is None:
        raise InputError("give an experiment file, such as cfg/cmp-ga.toml, or --resume ID")
    _carry_out(options, file, settings, full=full, no_report=no_report, as_json=as_json)


def _box_file(box: str, options: RunOptions) -> str:
    """Where the box lies that the command line names: a file, or the report of an experiment with a region's number."""
    identifier, _, number = box.rpartition(":")
    if not identifier or not number.isdigit() or Path(identifier).suffix == ".json":
        return str(Path(box).expanduser().absolute())
    experiment = experiment_path(experiments_folder(options.experiments, project_root()), identifier)
    return f"{experiment.absolute() / 'report.json'}:{number}"


@app.command()
@with_run_options
def sweep(
    options: RunOptions,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An experiment file (TOML), or an unrolled parameter file.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Of a bare UPF: the model, or cmp.")] = None,
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
    place = Path(model).expanduser()
    settings = [f"model={place.absolute() if place.exists() else model}"]
    if hyperparameters is not None:
        settings.append(f"hyperparameters={hyperparameters.absolute()}")
    return settings


def _open_host(options: RunOptions, *, as_json: bool = False, reports: bool = True) -> Host:
    from comparator import sitting

    console = Console(stderr=True, highlight=False) if as_json else out
    root = project_root()
    asked = sitting.Asked(
        engine=options.engine,
        workers=options.workers,
        nodes=options.nodes,
        workers_per_node=options.workers_per_node,
        walltime=options.walltime,
        queue=options.queue,
        project=options.project,
        resume_jobs=options.resume_jobs,
    )
    folder = experiments_folder(options.experiments, root)
    return sitting.open_host(root, folder, options.site, asked, warm=not options.cold, console=console, reports=reports)


def _carry_out(
    options: RunOptions, file: Path | None, settings: list[str], *, full: bool, no_report: bool, as_json: bool
) -> None:
    """Plan and run a new experiment, or go on with one."""
    if no_report and as_json and not options.dry_run:
        raise InputError("--json prints the report; leave out --no-report")
    from comparator import sitting
    from comparator.studies import study_of

    host = _open_host(options, as_json=as_json, reports=not no_report)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        _refuse_with_resume({"FILE": file, "--set": settings, "--id": options.identifier, "--full": full})
        study = study_of(experiment_path(host.experiments, options.resume))
        if study is not None:
            study.resume(host, options.resume)
            return
        opened = sitting.resume(host, options.resume)
    else:
        assert file is not None
        check_new_experiment(host.experiments, options.identifier)
        plan = sitting.plan_experiment(host, file, settings, full=full, command=_typed_command())
        if options.dry_run:
            sitting.describe(host, plan)
            if as_json:
                print(json.dumps(plan.frozen, indent=1))
            return
        opened = sitting.begin(host, plan, file.stem, options.identifier)
    page = opened.run()
    if as_json and page is not None:
        print(json.dumps(read_json(page.with_suffix(".json")), indent=1))


@app.command()
@with_run_options
def selftest(
    options: RunOptions,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The experiment file (TOML).")],
) -> None:
    """Search where there is nothing to find: a model against itself, with other seeds; prints what was found."""
    from comparator import sitting
    from comparator.selftest import FINDINGS, plan_selftest

    if options.resume is not None:
        raise InputError("--resume: a self-test is gone on with like any search, by: comparator search --resume ID")
    host = _open_host(options, as_json=True)
    stop_signals_like_ctrl_c()
    check_new_experiment(host.experiments, options.identifier)
    plan = plan_selftest(host, file, options.settings or [], command=_typed_command())
    if options.dry_run:
        sitting.describe(host, plan)
        return
    opened = sitting.begin(host, plan, f"{file.stem}-selftest", options.identifier)
    opened.run()
    found = read_json(opened.path / "report.json") or {}
    print(json.dumps({key: found.get(key) for key in FINDINGS}, indent=1))


@app.command("cross-study")
@with_run_options
def cross_study(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Train a model on each study once per split, and test it on all studies."""
    from comparator.studies import cross_study as study

    _carry_out_study(study, options, file)


@app.command("learning-curve")
@with_run_options
def learning_curve(
    options: RunOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
) -> None:
    """Train a model on more and more rows of each study."""
    from comparator.studies import learning_curve as study

    _carry_out_study(study, options, file)


def _carry_out_study(study: ModuleType, options: RunOptions, file: Path | None) -> None:
    host = _open_host(options)
    stop_signals_like_ctrl_c()
    if options.resume is not None:
        _refuse_with_resume({"FILE": file, "--set": options.settings, "--id": options.identifier})
        study.resume(host, options.resume)
        return
    if file is None:
        raise InputError("give an experiment file, such as cfg/cross-study.toml, or --resume ID")
    check_new_experiment(host.experiments, options.identifier)
    study.run(
        host,
        file,
        options.settings or [],
        command=_typed_command(),
        identifier=options.identifier,
        dry_run=options.dry_run,
    )


def _refuse_with_resume(chosen: Mapping[str, Any]) -> None:
    for words, value in chosen.items():
        if value:
            raise InputError(f"--resume goes on with an experiment as it was frozen; leave out {words}")


def _typed_command() -> str:
    return shlex.join(["comparator", *sys.argv[1:]])


@app.command()
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
    from comparator.space import ParameterSpace
    from comparator.unroll import combine, design_points, read_axis
    from comparator.upf import write_upf

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
        output.write_text(text)
        out.print(f"{output}: {text.count(chr(10))} lines")


@app.command()
def watch(identifier: IdArgument, experiments: ExperimentsOption = None) -> None:
    """Follow an experiment, whichever process or job runs it, until it ends."""
    from comparator.progress import ProgressView

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    experiment = read_experiment(path)
    told = None
    with ProgressView(out, experiment) as view:
        while True:
            state = state_of(path)
            if state["state"] == "queued" != told:
                out.print(f"{identifier}: {_state_words(state)}")
            told = state["state"]
            records = read_records(path / "evaluations.jsonl")
            view.update(records, pairs_in(records), len(state["running"]))
            if state["state"] not in ALIVE:
                break
            time.sleep(0.5 if state.get("job") is None else WATCH_JOB_SECONDS)
    out.print(f"{identifier}: {_state_words(state)}")
    page = path / "report.html"
    if page.exists():
        out.print(f"report: {page}", soft_wrap=True)


@app.command()
def stop(identifier: IdArgument, experiments: ExperimentsOption = None) -> None:
    """Stop an experiment that runs or waits in a queue; everything finished is kept."""
    from comparator.engine import jobs

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    done = jobs.stop(path)
    go_on = command_line(path.parent, project_root(), "search", "--resume", identifier)
    out.print(f"{identifier}: {done}; go on with it by: {go_on}", soft_wrap=True)


@app.command()
def report(
    identifier: IdArgument,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric", metavar="NAME", help="Read it in another metric that its runs reported: report-NAME.html."
        ),
    ] = None,
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an experiment's report again, and say where it is."""
    from comparator.report import write_report
    from comparator.studies import study_of

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    if study_of(path) is not None:
        raise InputError(
            f"'{identifier}' has tables and pages of its own; 'search --resume {identifier}' makes them again"
        )
    page = write_report(path, metric)
    if as_json:
        print(json.dumps(read_json(page.with_suffix(".json")), indent=1))
    else:
        out.print(f"report: {page}", soft_wrap=True)
        out.print(f"look at it in a browser: {page.as_uri()}", soft_wrap=True)


@app.command("export")
def export_runs(
    identifier: IdArgument,
    form: Annotated[str, typer.Option("--form", metavar="csv|json", help="The form of the file.")] = "csv",
    target: Annotated[
        Path | None, typer.Option("--to", metavar="PATH", help="Where to write it.", show_default=False)
    ] = None,
    experiments: ExperimentsOption = None,
) -> None:
    """Write an experiment's runs as a tidy table, one row each."""
    from comparator.export import export

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    out.print(f"runs: {export(path, form, target)}", soft_wrap=True)


@app.command("import")
def import_past(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="hpo.csv, output.csv, population-N.txt, hpo_results.csv")
    ],
    identifier: Annotated[str | None, typer.Option("--id", metavar="ID", help="The new experiment's id.")] = None,
    space: Annotated[Path | None, typer.Option(metavar="FILE", help="The parameter space that was searched.")] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="Which metric, where there are several.")] = None,
    experiments: ExperimentsOption = None,
) -> None:
    """Make an experiment of a search that another program made, and say what is wrong with its file."""
    from comparator.past import import_experiment
    from comparator.report import write_report

    folder, findings = import_experiment(
        file, experiments_folder(experiments, project_root()), identifier, space, metric
    )
    for finding in findings:
        out.print(f"note: {finding}", style="yellow", markup=False, soft_wrap=True)
    out.print(f"experiment {folder.name}; report: {write_report(folder)}", soft_wrap=True)


@app.command("list")
def list_experiments(experiments: ExperimentsOption = None, as_json: JsonOption = False) -> None:
    """List the experiments, oldest first: what each is doing, and its best."""
    from comparator.progress import best_words

    folder = experiments_folder(experiments, project_root())
    rows = []
    for name in experiment_names(folder):
        experiment = read_experiment(folder / name)
        records = read_records(folder / name / "evaluations.jsonl")
        rows.append(
            {
                "id": name,
                "state": state_of(folder / name)["state"],
                "evaluations": len(records),
                "failed": sum(record["status"] != "ok" for record in records),
                "best": best_words(experiment, records),
                "created": experiment["created"],
                "title": experiment["title"],
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
    elif not rows:
        out.print(f"no experiments in {folder} yet", soft_wrap=True)
    else:
        _print_table(rows)


@sites_app.command("list")
def list_sites() -> None:
    """List the sites there are."""
    from comparator.site import site_description, site_names

    sites = project_root() / "sites"
    for name in site_names(sites):
        out.print(f"{name}  {site_description(sites, name)}")


@sites_app.command("show")
def show_site(name: Annotated[str, typer.Argument(metavar="NAME")] = "local") -> None:
    """Show what a site offers here and now."""
    from comparator.engine.swift_t import clock
    from comparator.site import read_site

    site = read_site(name, project_root())
    out.print(f"{site.name}: {site.description}")
    out.print(f"data folder: {site.data_folder}", soft_wrap=True)
    slots = site.slots()
    devices = f"{site.devices} devices, {site.models_per_device} models on each" if site.devices else "no devices"
    out.print(f"engines: {', '.join(site.engines)}; scheduler: {site.scheduler}")
    out.print(f"{len(slots)} slots a node ({devices}, {site.cores} cores)")
    if site.scheduler != "none":
        words = [f"queue {site.queue}" if site.queue else "", f"project {site.project}" if site.project else ""]
        out.print(", ".join([f"{site.nodes} nodes", f"walltime {clock(site.walltime)}", *filter(None, words)]))
        for line in site.directives:
            out.print(f"  {line}", markup=False)


@sites_app.command("check")
def check_site(
    name: Annotated[str, typer.Argument(metavar="NAME")] = "local",
    job: Annotated[bool, typer.Option("--job", help="Try the site on one of its nodes too, by a job.")] = False,
    on_node: Annotated[bool, typer.Option("--on-node", help="This host is one of the site's nodes.")] = False,
) -> None:
    """Try every line of a site's file on this machine, and say what to mend; exit status 1 where something fails."""
    from comparator import site_check
    from comparator.site import read_site

    failed = False
    for found in site_check.check_site(name, project_root(), on_node=on_node):
        out.print(str(found), markup=False, soft_wrap=True)
        failed = failed or found.outcome == site_check.FAILS
    if job:
        if read_site(name, project_root()).scheduler == "none":
            raise InputError(f"--job: site '{name}' has no scheduler; this host is its node")
        folder = experiments_folder(None, project_root()) / "site-checks" / name
        folder.mkdir(parents=True, exist_ok=True)
        for line in site_check.check_node(name, project_root(), folder):
            out.print(line, markup=False, soft_wrap=True)
            failed = failed or line.startswith(site_check.FAILS)
    if failed:
        raise typer.Exit(1)


@models_app.command("check")
def check_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A folder, an image, a Python file, or a module.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="A data folder; a tiny one is made if not given."),
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a hyperparameter, as epochs=2.")
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="The metric that a search would take.")] = None,
    limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="What one run may take.")] = 600.0,
    site: Annotated[str, typer.Option(metavar="NAME", help="The site whose first slot the model runs on.")] = "local",
    as_json: JsonOption = False,
) -> None:
    """Try a model on a tiny data set, step by step, and say what to mend; exit status 1 where something fails."""
    from comparator import model_check
    from comparator.hyperparameters import parse_override
    from comparator.site import read_site

    if data is not None and not data.is_dir():
        raise InputError(f"--data {data}: no such folder")
    settings = dict(parse_override(each) for each in assignments or [])
    stop_signals_like_ctrl_c()
    root = project_root()
    with model_check.place_for_runs() as place:
        bench = model_check.Bench(
            containers=root / "containers",
            slot=read_site(site, root).slots()[0],
            folder=place.folder,
            data_folder=data,
            settings=settings,
            metric=metric,
            limit=limit,
        )
        findings = []
        for found in model_check.check_model(model, bench):
            findings.append(found)
            if not as_json:
                out.print(str(found), markup=False, soft_wrap=True)
        place.keep = any(each.outcome == model_check.FAILS for each in findings)
    if as_json:
        print(json.dumps([asdict(each) for each in findings], indent=1))
    if place.is_kept and not as_json:
        out.print(f"what was tried, and its logs: {place.folder}", markup=False, soft_wrap=True)
    if place.keep:
        raise typer.Exit(1)


@models_app.command("new")
def new_model(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Where it is put; containers/ if not given.")
    ] = None,
) -> None:
    """Write the folder of a new model, which works at once, for you to put yours in its place."""
    from comparator.model_new import new_model

    made = new_model(name, folder or project_root() / "containers")
    out.print(f"{made}: README.md in it says what goes where; try it by: comparator model check {made}", soft_wrap=True)


def _print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "state", "done", "best", "title"):
        table.add_column(column, overflow="fold" if column in ("id", "best") else "ellipsis")
    for row in rows:
        done = f"{row['evaluations']}" + (f" ({row['failed']} failed)" if row["failed"] else "")
        table.add_row(row["id"], row["state"], done, row["best"], row["title"])
    out.print(table)


def _state_words(state: Mapping[str, Any]) -> str:
    reason = f": {state['reason']}" if state.get("reason") else ""
    job = f" as job {state['job']}" if state.get("job") and state["state"] in ALIVE else ""
    words = {"interrupted": "interrupted (what ran it is gone)"}
    return words.get(state["state"], state["state"]) + job + reason


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


def main() -> None:
    """Run a command; a person's mistake is one line on standard error and an exit code that says so."""
    try:
        code = typer.main.get_command(app).main(standalone_mode=False)
    except Submitted as submitted:
        out.print(str(submitted), markup=False, soft_wrap=True)
        code = 0
    except ComparatorError as error:
        print(f"comparator: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("comparator: stopped", file=sys.stderr)
        code = STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except OSError as error:
        print(f"comparator: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
        code = 1
    except Exception as error:
        # Wrong usage: typer's own exceptions, whose base class differs between its versions.
        if not hasattr(error, "show"):
            raise
        words = " ".join(error.format_message().split())  # type: ignore[attr-defined]
        print(f"comparator: {words}; --help tells more", file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
