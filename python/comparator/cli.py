"""The command line. Every script of `test/` is a few lines over one of these commands."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from comparator.errors import ComparatorError, InputError
from comparator.names import check_name
from comparator.root import command_line, experiments_folder, project_root
from comparator.store import (
    check_new_experiment,
    experiment_names,
    experiment_path,
    pairs_in,
    read_experiment,
    read_json,
    read_records,
    state_of,
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

out = Console(highlight=False)
STOPPED = 130

ExperimentsOption = Annotated[
    Path | None,
    typer.Option("--experiments", metavar="DIR", help="Where experiments are kept.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id (see `comparator list`).")]


SiteOption = Annotated[str, typer.Option("--site", metavar="NAME", help="The machine's profile in sites/.")]
EngineOption = Annotated[
    str | None, typer.Option("--engine", metavar="local", help="What carries evaluations to workers.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, as search.population=8.")
]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Evaluations at a time.")]
IdOption = Annotated[str | None, typer.Option("--id", metavar="ID", help="The new experiment's id.")]
ResumeOption = Annotated[str | None, typer.Option("--resume", metavar="ID", help="Go on with an experiment.")]
ColdOption = Annotated[bool, typer.Option("--cold", help="A process per run instead of warm servers.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, start nothing.")]


@app.command()
def search(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    site: SiteOption = "local",
    engine: EngineOption = None,
    settings: SetOption = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search.")] = None,
    workers: WorkersOption = None,
    identifier: IdOption = None,
    resume: ResumeOption = None,
    experiments: ExperimentsOption = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    cold: ColdOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search for the points where two models differ most, or where one model is best."""
    if seed is not None and resume is not None:
        raise InputError("--resume goes on with an experiment as it was frozen; leave out --seed")
    if seed is not None:
        settings = [*(settings or []), f"search.seed={seed}"]
    if file is None and resume is None:
        raise InputError("give an experiment file, such as cfg/cmp-ga.toml, or --resume ID")
    chosen = {"FILE": file, "--set": settings, "--id": identifier, "--full": full}
    host = _open_host(site, engine, workers, experiments, cold, as_json)
    _carry_out(host, resume, chosen, dry_run, as_json)


@app.command()
def sweep(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An experiment file (TOML), or an unrolled parameter file.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Of a bare UPF: the model, or cmp.")] = None,
    hyperparameters: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a bare UPF: the hyperparameters below its lines.")
    ] = None,
    site: SiteOption = "local",
    engine: EngineOption = None,
    settings: SetOption = None,
    workers: WorkersOption = None,
    identifier: IdOption = None,
    resume: ResumeOption = None,
    experiments: ExperimentsOption = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    cold: ColdOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate every point of a grid, or every line of an unrolled parameter file (UPF)."""
    bare = file is not None and file.suffix != ".toml"
    if file is None and resume is None:
        raise InputError("give an experiment file, an unrolled parameter file, or --resume ID")
    if (model or hyperparameters) and not bare:
        raise InputError("--model and --hyperparameters go with a bare UPF; an experiment file has its own")
    if bare:
        settings = [*(settings or []), *_settings_of_bare_upf(model, hyperparameters)]
    chosen = {"FILE": file, "--set": settings, "--id": identifier, "--full": full}
    host = _open_host(site, engine, workers, experiments, cold, as_json)
    _carry_out(host, resume, chosen, dry_run, as_json)


def _settings_of_bare_upf(model: str | None, hyperparameters: Path | None) -> list[str]:
    if model is None:
        raise InputError("a bare UPF needs --model MODEL (a folder, a Python file, or cmp)")
    place = Path(model).expanduser()
    settings = [f"model={place.absolute() if place.exists() else model}"]
    if hyperparameters is not None:
        settings.append(f"hyperparameters={hyperparameters.absolute()}")
    return settings


def _open_host(
    site: str, engine: str | None, workers: int | None, experiments: Path | None, cold: bool, as_json: bool
) -> Host:
    from comparator import sitting

    console = Console(stderr=True, highlight=False) if as_json else out
    root = project_root()
    folder = experiments_folder(experiments, root)
    return sitting.open_host(root, folder, site, engine, workers, warm=not cold, console=console)


def _carry_out(host: Host, resume: str | None, chosen: Mapping[str, Any], dry_run: bool, as_json: bool) -> None:
    """Plan and run a new experiment, or go on with one; `chosen` are the words that only a new one takes."""
    from comparator import sitting

    stop_signals_like_ctrl_c()
    if resume is not None:
        _refuse_with_resume(chosen)
        study = _study_of(experiment_path(host.experiments, resume))
        if study is not None:
            study.resume(host, resume)
            return
        opened = sitting.resume(host, resume)
    else:
        file, identifier = chosen["FILE"], chosen["--id"]
        check_new_experiment(host.experiments, identifier)
        overrides = list(chosen["--set"] or [])
        plan = sitting.plan_experiment(host, file, overrides, full=chosen["--full"], command=_typed_command())
        if dry_run:
            sitting.describe(host, plan)
            if as_json:
                print(json.dumps(plan.frozen, indent=1))
            return
        opened = sitting.begin(host, plan, file.stem, identifier)
    page = opened.run()
    if as_json:
        print(json.dumps(read_json(page.with_suffix(".json")), indent=1))


@app.command("cross-study")
def cross_study(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    site: SiteOption = "local",
    engine: EngineOption = None,
    settings: SetOption = None,
    workers: WorkersOption = None,
    identifier: IdOption = None,
    resume: ResumeOption = None,
    experiments: ExperimentsOption = None,
    cold: ColdOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a model on each study once per split, and test it on all studies."""
    from comparator.studies import cross_study as study

    host = _open_host(site, engine, workers, experiments, cold, False)
    chosen = {"FILE": file, "--set": settings, "--id": identifier}
    _carry_out_study(study, host, resume, chosen, dry_run)


@app.command("learning-curve")
def learning_curve(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    site: SiteOption = "local",
    engine: EngineOption = None,
    settings: SetOption = None,
    workers: WorkersOption = None,
    identifier: IdOption = None,
    resume: ResumeOption = None,
    experiments: ExperimentsOption = None,
    cold: ColdOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a model on more and more rows of each study."""
    from comparator.studies import learning_curve as study

    host = _open_host(site, engine, workers, experiments, cold, False)
    chosen = {"FILE": file, "--set": settings, "--id": identifier}
    _carry_out_study(study, host, resume, chosen, dry_run)


def _carry_out_study(
    study: ModuleType, host: Host, resume: str | None, chosen: Mapping[str, Any], dry_run: bool
) -> None:
    stop_signals_like_ctrl_c()
    if resume is not None:
        _refuse_with_resume(chosen)
        study.resume(host, resume)
        return
    file, identifier = chosen["FILE"], chosen["--id"]
    if file is None:
        raise InputError("give an experiment file, such as cfg/cross-study.toml, or --resume ID")
    check_new_experiment(host.experiments, identifier)
    study.run(host, file, chosen["--set"] or [], command=_typed_command(), identifier=identifier, dry_run=dry_run)


def _study_of(path: Path) -> ModuleType | None:
    """The workflow that an experiment belongs to, where its report is not the ordinary one."""
    from comparator.studies import cross_study, learning_curve

    frozen = read_experiment(path)
    return next((study for study in (cross_study, learning_curve) if study.NAME in frozen), None)


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
    """Follow an experiment, whichever process runs it, until it ends."""
    from comparator.progress import ProgressView

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    experiment = read_experiment(path)
    with ProgressView(out, experiment) as view:
        while True:
            state = state_of(path)
            records = read_records(path / "evaluations.jsonl")
            view.update(records, pairs_in(records), len(state["running"]))
            if state["state"] != "running":
                break
            time.sleep(0.5)
    out.print(f"{identifier}: {_state_words(state)}")


@app.command()
def stop(identifier: IdArgument, experiments: ExperimentsOption = None) -> None:
    """Stop an experiment that runs on this machine; everything finished is kept."""
    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    state = state_of(path)
    if state["state"] != "running":
        raise InputError(f"experiment '{identifier}' is not running: {_state_words(state)}")
    if state["host"] != os.uname().nodename:
        raise InputError(f"experiment '{identifier}' runs on {state['host']}; stop it there")
    os.kill(state["pid"], signal.SIGTERM)
    go_on = command_line(path.parent, project_root(), "search", "--resume", identifier)
    out.print(f"{identifier}: stopping; go on with it by: {go_on}", soft_wrap=True)


@app.command()
def report(identifier: IdArgument, experiments: ExperimentsOption = None, as_json: JsonOption = False) -> None:
    """Make an experiment's report again, and say where it is."""
    from comparator.report import write_report

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    if _study_of(path) is not None:
        raise InputError(
            f"'{identifier}' has tables and pages of its own; 'search --resume {identifier}' makes them again"
        )
    page = write_report(path)
    if as_json:
        print(json.dumps(read_json(path / "report.json"), indent=1))
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
    from comparator.site import read_site

    site = read_site(name, project_root())
    out.print(f"{site.name}: {site.description}")
    out.print(f"data folder: {site.data_folder}", soft_wrap=True)
    slots = site.slots()
    devices = f"{site.devices} devices, {site.models_per_device} models on each" if site.devices else "no devices"
    out.print(f"{len(slots)} slots ({devices}, {site.cores} cores)")


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
    words = {"interrupted": "interrupted (its process is gone)"}
    return words.get(state["state"], state["state"]) + reason


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
