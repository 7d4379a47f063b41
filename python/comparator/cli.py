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
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from comparator.errors import ComparatorError, InputError
from comparator.root import experiments_folder, project_root
from comparator.store import (
    experiment_names,
    experiment_path,
    pairs_in,
    read_experiment,
    read_json,
    read_records,
    state_of,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find where two models of drug response differ most.",
)
sites_app = typer.Typer(no_args_is_help=True, help="The machines that experiments can run on.")
app.add_typer(sites_app, name="site")

out = Console(highlight=False)
STOPPED = 130

ExperimentsOption = Annotated[
    Path | None,
    typer.Option("--experiments", metavar="DIR", help="Where experiments are kept.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id (see `comparator list`).")]


@app.command()
def search(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The experiment file (TOML).")] = None,
    site: Annotated[str, typer.Option(metavar="NAME", help="The machine's profile in sites/.")] = "local",
    engine: Annotated[str | None, typer.Option(metavar="local", help="What carries evaluations to workers.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key, as search.population=8."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the search.", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at a time.", show_default=False)] = None,
    identifier: Annotated[str | None, typer.Option("--id", metavar="ID", help="The new experiment's id.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with an experiment.")] = None,
    experiments: ExperimentsOption = None,
    full: Annotated[bool, typer.Option("--full", help="The settings of the file's [full] table.")] = False,
    cold: Annotated[bool, typer.Option("--cold", help="A process per run instead of warm servers.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, start nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search for the points where two models differ most, or where one model is best."""
    from comparator import sitting

    console = Console(stderr=True, highlight=False) if as_json else out
    root = project_root()
    folder = experiments_folder(experiments, root)
    host = sitting.open_host(root, folder, site, engine, workers, warm=not cold, console=console)
    stop_signals_like_ctrl_c()
    if resume is not None:
        _refuse_with_resume(file=file, settings=settings, seed=seed, identifier=identifier, full=full)
        opened = sitting.resume(host, resume)
    elif file is None:
        raise InputError("give an experiment file, such as cfg/cmp-ga.toml, or --resume ID")
    else:
        overrides = list(settings or []) + ([f"search.seed={seed}"] if seed is not None else [])
        command = shlex.join(["comparator", *sys.argv[1:]])
        plan = sitting.plan_experiment(host, file, overrides, full=full, command=command)
        if dry_run:
            sitting.describe(host, plan)
            return
        opened = sitting.begin(host, plan, file.stem, identifier)
    page = opened.run()
    if as_json:
        print(json.dumps(read_json(page.with_suffix(".json")), indent=1))


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
    out.print(f"{identifier}: stopping; go on with it by: comparator search --resume {identifier}")


@app.command()
def report(identifier: IdArgument, experiments: ExperimentsOption = None, as_json: JsonOption = False) -> None:
    """Make an experiment's report again, and say where it is."""
    from comparator.report import write_report

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    page = write_report(path)
    if as_json:
        print(json.dumps(read_json(path / "report.json"), indent=1))
    else:
        out.print(f"report: {page}", soft_wrap=True)


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
    from comparator.site import site_names

    for name in site_names(project_root() / "sites"):
        out.print(name)


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


def _refuse_with_resume(**given: object) -> None:
    names = {"file": "FILE", "settings": "--set", "seed": "--seed", "identifier": "--id", "full": "--full"}
    for name, value in given.items():
        if value:
            raise InputError(f"--resume goes on with an experiment as it was frozen; leave out {names[name]}")


def stop_signals_like_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP end an experiment the way Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
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
        error.show()
        code = getattr(error, "exit_code", 2)
    sys.exit(code if isinstance(code, int) else 0)
