"""Commands that note something of an experiment, and that bring it elsewhere."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from comparator.cli.app import RECORDS, ExperimentsOption, JsonOption, app, out
from comparator.cli.experiments import IdArgument
from comparator.errors import InputError, nearest, nearest_names
from comparator.experiment.terminal import copyable, note, tell
from comparator.formats.text import is_stream
from comparator.results.experiments import experiment_path
from comparator.site.folders import experiments_folder, project_root

#: What `export --to` knows by name; all else is a path.
PROGRAMS = ("mlflow", "optuna")
MEGABYTE = 1 << 20


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
    tell(out, f"tags: {', '.join(notes.tags) or 'none'}")
    for line in notes.text.splitlines() or ["no note"]:
        copyable(out, line)


FormOption = Annotated[
    str | None,
    typer.Option("--form", "--format", metavar="FORM", help="csv or json of the table; pdf, svg, png of a figure."),
]
BundleOption = Annotated[
    bool, typer.Option("--bundle", help="All of it in one file (RO-Crate), which `comparator import` opens.")
]
TargetOption = Annotated[
    str | None,
    typer.Option("--to", metavar="mlflow|optuna|PATH", help="Another program, or where to write the table."),
]
UriOption = Annotated[
    str | None,
    typer.Option("--uri", metavar="URI", help="Of mlflow: where it tracks; as mlflow has it, if not given."),
]
StorageOption = Annotated[
    str | None, typer.Option("--storage", metavar="URL", help="Of optuna: sqlite:///FILE; ID.db here if not given.")
]
LicenceOption = Annotated[
    str | None, typer.Option("--licence", "--license", metavar="NAME", help="Of a bundle, as CC-BY-4.0.")
]
LogLimitOption = Annotated[
    int | None, typer.Option("--log-limit", min=0, metavar="KIB", help="Of a bundle: of each log so much; 1024.")
]


@app.command("export", rich_help_panel=RECORDS, short_help="Bring one elsewhere: a table, a bundle, a figure.")
def export_experiment(
    identifier: IdArgument,
    form: FormOption = None,
    bundle: BundleOption = False,
    figure: Annotated[
        str | None, typer.Option("--figure", metavar="NAME", help="One of its figures; map for the first.")
    ] = None,
    target: TargetOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PATH", help="Where to write it.", show_default=False)
    ] = None,
    uri: UriOption = None,
    storage: StorageOption = None,
    licence: LicenceOption = None,
    log_limit: LogLimitOption = None,
    predictions: Annotated[
        bool, typer.Option("--predictions", help="Of a bundle: with the predictions that its trainings have kept.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write it over a file that is there.")] = False,
    experiments: ExperimentsOption = None,
) -> None:
    """Bring an experiment elsewhere: its runs as a table, all of it in one file, a figure, or into another program."""
    given = Given(
        form=form,
        bundle=bundle,
        figure=figure,
        program=target if target in PROGRAMS else None,
        place=target if target not in PROGRAMS else None,
        output=output,
        uri=uri,
        storage=storage,
        licence=licence,
        log_limit=log_limit,
        predictions=predictions,
        force=force,
    )
    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    _check(given)
    if bundle:
        _export_bundle(path, given)
    elif figure is not None:
        from comparator.sharing.figure_files import write_figure

        copyable(out, f"figure: {write_figure(path, figure, form, output, replace=force)}")
    elif given.program is not None:
        _export_to(given.program, path, uri, storage)
    else:
        _export_table(path, given)


@dataclass(frozen=True)
class Given:
    """What the flags of `export` say."""

    form: str | None
    bundle: bool
    figure: str | None
    program: str | None  # of PROGRAMS, by --to
    place: str | None  # the same option's path
    output: Path | None
    uri: str | None
    storage: str | None
    licence: str | None
    log_limit: int | None
    predictions: bool
    force: bool


def _check(given: Given) -> None:
    """Raise `InputError` where two things are asked for at once, or one that others do not go with."""
    place, program = given.place, given.program
    if place is not None and not Path(place).suffix and nearest_names(place, PROGRAMS):
        raise InputError(f"--to {place}: is no program that is known{nearest(place, PROGRAMS)}; ./{place} is a file")
    asked = {"--bundle": given.bundle, "--figure": given.figure is not None, f"--to {program}": program is not None}
    what = [name for name, is_asked in asked.items() if is_asked]
    if len(what) > 1:
        raise InputError(f"{what[0]} and {what[1]}: one at a time")
    _refuse_what_is_of_others(
        what[0] if what else "the table",
        {
            "--form": (given.form is not None, ("the table", "--figure")),
            "--to": (place is not None, ("the table",)),
            "--output": (given.output is not None, ("the table", "--figure", "--bundle")),
            "--uri": (given.uri is not None, ("--to mlflow",)),
            "--storage": (given.storage is not None, ("--to optuna",)),
            "--licence": (given.licence is not None, ("--bundle",)),
            "--log-limit": (given.log_limit is not None, ("--bundle",)),
            "--predictions": (given.predictions, ("--bundle",)),
            "--force": (given.force, ("--figure", "--bundle")),
        },
    )
    if place is not None and given.output is not None:
        raise InputError(f"--to {place} and --output {given.output}: one place")


def _export_bundle(path: Path, given: Given) -> None:
    from comparator.sharing.bundle import LOG_BYTES, write_bundle

    log_bytes = LOG_BYTES if given.log_limit is None else given.log_limit << 10
    with out.status("the bundle is being written"):
        made = write_bundle(
            path,
            given.output,
            licence=given.licence,
            log_bytes=log_bytes,
            predictions=given.predictions,
            replace=given.force,
        )
    copyable(out, f"bundle: {made.path}; elsewhere: comparator import {made.path.name}")
    if made.predicted:
        kept = f"the predictions of {made.predicted} trainings, {made.predicted_bytes / MEGABYTE:.1f} MB, are"
        packed = f"in it, {made.packed_bytes / MEGABYTE:.1f} MB packed"
        note(out, f"{kept} {packed if given.predictions else 'left out; --predictions brings them along'}")


def _export_table(path: Path, given: Given) -> None:
    from comparator.results.table import export

    written = export(path, given.form or "csv", given.output if given.place is None else Path(given.place))
    if not is_stream(written):  # what was written may be what is printed
        copyable(out, f"runs: {written}")


def _export_to(program: str, path: Path, uri: str | None, storage: str | None) -> None:
    if program == "mlflow":
        from comparator.sharing.mlflow_runs import export_to_mlflow

        with out.status("MLflow takes the evaluations"):
            new, there = export_to_mlflow(path, uri)
        tell(out, f"mlflow: experiment {path.name}: {new} runs came, {there} were there")
        return
    from comparator.sharing.optuna_trials import export_to_optuna
    from comparator.sharing.trials import without_password

    place = storage or f"sqlite:///{path.name}.db"
    with out.status("Optuna takes the evaluations"):
        new, there = export_to_optuna(path, place)
    where = without_password(place)
    tell(out, f"optuna: study {path.name} in {where}: {new} trials came, {there} were there")


def _refuse_what_is_of_others(what: str, options: Mapping[str, tuple[bool, tuple[str, ...]]]) -> None:
    """Raise `InputError` where an option is given that does nothing to what is asked for."""
    for option, (is_given, of) in options.items():
        if is_given and what not in of:
            raise InputError(f"{option} goes with {' or '.join(of)}, not with {what}")


@app.command("import", rich_help_panel=RECORDS, short_help="Open a bundle, or what another program searched.")
def import_experiment(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A bundle (ZIP), or what CANDLE, DeepHyper, Optuna or mlrMBO recorded, such as hpo.csv.",
        ),
    ],
    identifier: Annotated[
        str | None, typer.Option("--id", "--as", metavar="ID", help="The new experiment's id; a bundle has its own.")
    ] = None,
    space: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The parameter space that another program searched.")
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="Which metric, where there are several.")] = None,
    experiments: ExperimentsOption = None,
) -> None:
    """Open a bundle, or make an experiment of what another program searched, and say what is wrong with its file."""
    from comparator.report import write_report
    from comparator.sharing.opening import is_bundle

    folder = experiments_folder(experiments, project_root())
    if is_bundle(file):
        if space is not None or metric is not None:
            raise InputError(f"--space and --metric are of other programs' files; {file} has its own")
        _open_bundle(file, folder, identifier)
        return
    from comparator.importers import import_experiment

    made, findings = import_experiment(file, folder, identifier, space, metric)
    for finding in findings:
        note(out, finding)
    copyable(out, f"experiment {made.name}; report: {write_report(made)}")


def _open_bundle(file: Path, experiments: Path, identifier: str | None) -> None:
    from comparator.report import write_report
    from comparator.sharing.opening import open_bundle
    from comparator.studies import study_of

    typed = shlex.join(["comparator", *sys.argv[1:]])
    opened = open_bundle(file, experiments, identifier, containers=project_root() / "containers", command=typed)
    for remark in opened.remarks:
        note(out, remark)
    name = opened.folder.name
    beside = f" ({opened.beside} of them beside the evaluations)" if opened.beside else ""
    runs = f"trainings: {opened.came} came, {opened.here} were here{beside}"
    if not opened.is_new:
        tell(out, f"experiment {name} is here already, alike in everything; {runs}")
    elif study_of(opened.folder) is not None:
        copyable(out, f"experiment {name}; {runs}; its tables: comparator search --resume {name}")
    else:
        copyable(out, f"experiment {name}; {runs}; report: {write_report(opened.folder)}")
