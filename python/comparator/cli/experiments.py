"""Commands that look at experiments, stop them, and make things of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.text import Text

from comparator.cli import completion
from comparator.cli.app import LOOK, ExperimentsOption, JsonOption, app, out
from comparator.engine.jobs import is_closing, state_of
from comparator.errors import ComparatorError, InputError, WatchingEnded
from comparator.experiment.terminal import copyable, has_blocks, note, tell
from comparator.formats.text import message, one_line, shortened
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.files import read_json, share_as
from comparator.results.growing import GrowingRecord
from comparator.results.record_file import read_records
from comparator.results.state import ALIVE, State, last_word
from comparator.site.folders import command_line, experiments_folder, experiments_to_read, project_root

if TYPE_CHECKING:
    from comparator.experiment.progress import ProgressView

GAP = 2  # blanks between two columns
WATCH_SECONDS = 0.5
WATCH_JOB_SECONDS = 3.0  # a scheduler does not like to be asked more often
IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An experiment's id (see `comparator list`).",
        autocompletion=completion.experiment_ids,
    ),
]


@app.command(rich_help_panel=LOOK, short_help="Follow one until it ends.")
def watch(identifier: IdArgument, experiments: ExperimentsOption = None) -> None:
    """Follow an experiment, whichever process or job runs it, until it ends."""
    from comparator.experiment.progress import ProgressView

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    experiment = read_experiment(path)
    try:
        state = state_of(path)
        if state.state in (*ALIVE, "finished"):
            with ProgressView(out, experiment, path) as view:
                state = _followed(path, view)
        else:
            read_records(path / "evaluations.jsonl")  # one that is damaged is said to be
        tell(out, f"{identifier}: {_state_words(state)}")
        _say_where_its_report_is(path, state)
    except KeyboardInterrupt:
        raise WatchingEnded(f"no longer watching; {identifier} is not touched by that") from None


def _followed(path: Path, view: ProgressView) -> State:
    """Show an experiment until it ends; its state then."""
    told, record = None, GrowingRecord(path / "evaluations.jsonl")
    while True:
        state = state_of(path)
        if state.state == "queued" != told:
            tell(out, f"{path.name}: {_state_words(state)}")
        told = state.state
        records = record.read()
        if state.state not in ALIVE:
            view.update(records, 0, is_over=True)
            return state
        view.update(records, state.in_flight)
        time.sleep(WATCH_SECONDS if state.job is None else WATCH_JOB_SECONDS)


def _say_where_its_report_is(path: Path, state: State) -> None:
    """Where the report is, once it is written, or how to make it."""
    page = path / "report.html"
    if state.state == "finished":
        with out.status("writing the report") as status:
            while is_closing(path):
                share = last_word(path).reporting
                status.update("writing the report" + ("" if share is None else f": {100 * share:.0f} %"))
                time.sleep(WATCH_SECONDS if state.job is None else WATCH_JOB_SECONDS)
    if page.exists():
        copyable(out, f"report: {page}")
    elif state.state == "finished":
        tell(out, "report: not made; make it by:")
        copyable(out, f"  {command_line(path.parent, project_root(), 'report', path.name)}")


@app.command(rich_help_panel=LOOK, short_help="Stop one; everything finished is kept.")
def stop(identifier: IdArgument, experiments: ExperimentsOption = None) -> None:
    """Stop an experiment that runs or waits in a queue; everything finished is kept."""
    from comparator.engine import jobs

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    done = jobs.stop(path)
    go_on = command_line(path.parent, project_root(), "search", "--resume", identifier)
    tell(out, f"{identifier}: {done}; go on with it by:")
    copyable(out, f"  {go_on}")


@app.command(rich_help_panel=LOOK, short_help="Make a report again, and say where it is.")
def report(
    identifier: IdArgument,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Read it in another metric that its runs reported: report-NAME.html.",
            autocompletion=completion.metrics,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="The report's folder; the experiment's own if not given."),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Write its figures beside it, as PNG and SVG.")] = False,
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an experiment's report again, and say where it is."""
    from comparator.report import write_report
    from comparator.report.notices import doubled
    from comparator.studies import study_of

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    if study_of(path) is not None:
        raise InputError(
            f"'{identifier}' has tables and pages of its own; 'search --resume {identifier}' makes them again"
        )
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--output {shortened(str(output))}: cannot be made: {error.strerror}") from None
    elif not os.access(path, os.W_OK):
        raise InputError(f"{path}: may not be written; give the report another folder by --output DIR")
    share_as(path.parent)
    page = write_report(path, metric, output, png=png).absolute()
    found = read_json(page.with_suffix(".json")) or {}
    if as_json:
        print(json.dumps(found, indent=1))
        return
    for line in doubled(found.get("doubled") or ()):
        note(out, line)
    copyable(out, f"report: {page}")


@app.command(rich_help_panel=LOOK, short_help="What to expect at a point that was not tried.")
def predict(
    identifier: IdArgument,
    at: Annotated[
        list[str],
        typer.Option(
            "--at",
            metavar="NAME=VALUE",
            help="A hyperparameter of the point; once for each of the space.",
            autocompletion=completion.hyperparameters,
        ),
    ],
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what an experiment's results let expect at a point that it did not evaluate."""
    from comparator.findings.metric_agreement import with_signed
    from comparator.report import prediction

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    experiment = read_experiment(path)
    records = with_signed(experiment, read_records(path / "evaluations.jsonl"))
    predicted = prediction.predict_at(experiment, records, at)
    if as_json:
        print(json.dumps(prediction.as_json(experiment, predicted), indent=1))
        return
    for line in prediction.words(experiment, predicted):
        tell(out, line)


@app.command(rich_help_panel=LOOK, short_help="Who carries a difference: which drugs, which cell lines.")
def explain(
    identifier: IdArgument,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            metavar="FILE",
            help="A table of classes, such as tissues: its first column has ids as the predictions have them, each "
            "other one a class of them.",
        ),
    ] = None,
    experiments: ExperimentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which groups of rows carry a difference, from predictions that its fresh trainings have kept."""
    from comparator.findings.explanation import explain as explained
    from comparator.findings.explanation import read_classes
    from comparator.report import explanation
    from comparator.report.reading import read_in
    from comparator.results.run_store import RunStore

    path = experiment_path(experiments_folder(experiments, project_root()), identifier)
    classes = None if groups is None else read_classes(groups)
    read = read_in(path)
    found = explained(read.experiment, read.records, RunStore(path.parent).predicted_rows, classes)
    if as_json:
        print(json.dumps(found.as_json(), indent=1))
    if found.reason:
        raise ComparatorError(f"'{identifier}': {found.reason}")
    if as_json:
        return
    for line in explanation.lines(found, read.summary, read.experiment, out.width if out.is_terminal else None):
        tell(out, line, whole=True)


@app.command("list", rich_help_panel=LOOK, short_help="All experiments: what each is doing, its best.")
def list_experiments(experiments: ExperimentsOption = None, as_json: JsonOption = False) -> None:
    """List the experiments, oldest first: what each is doing, and its best."""
    from comparator.experiment.listing import experiment_rows

    folder = experiments_to_read(experiments, project_root())
    rows = experiment_rows(folder)
    if as_json:
        print(json.dumps(rows, indent=1))
    elif not rows:
        tell(out, f"no experiments in {folder} yet")
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, Any]]) -> None:
    """A line for each; on a terminal what was found, and then the title, has what the columns before leave of the line.

    Where none has tags there is no column of them.
    """
    cells = [("id", "state", "done", "best", "tags", "found", "title"), *map(_cells, rows)]
    if not any(row.get("tags") for row in rows):
        cells = [(*each[:4], *each[5:]) for each in cells]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    if out.is_terminal:
        room = max(0, out.width - sum(widths[:4]) - GAP * (len(widths) - 1))
        for column in range(4, len(widths) - 1):
            # What is cut off may be the end of a number: tags and titles are cut before what was found.
            widths[column] = min(widths[column], room // 3 if column < len(widths) - 2 else room)
            room -= widths[column]
        widths[-1] = room
    for number, row in enumerate(cells):
        line = Text()
        for cell, width in zip(row, widths, strict=True):
            if not width:
                continue
            shown = Text(one_line(cell))
            shown.truncate(width, overflow="ellipsis" if has_blocks(out) else "crop", pad=True)
            line.append_text(shown).append(" " * GAP)
        line.rstrip()
        out.print(line, style="bold" if number == 0 else None, soft_wrap=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if "damage" in row:
        return row["id"], row["state"], "", "", "", row["damage"], ""
    done = f"{row['evaluations']}" + (f"/{row['of']}" if row["of"] else "")
    done += f" ({row['failed']} failed)" if row["failed"] else ""
    state = row["doing"] + (f"; runs withdrawn: {row['withdrawn']}" if row["withdrawn"] else "")
    state += f"; evaluations with several lines: {row['doubled']}" if row["doubled"] else ""
    return row["id"], state, done, row["best_amount"], ", ".join(row["tags"]), row["verdict"], row["title"]


def _state_words(state: State) -> str:
    reason = f": {message(state.reason)}" if state.reason else ""
    job = f" as job {state.job}" if state.job and state.state in ALIVE else ""
    words = {"interrupted": "interrupted (what ran it is gone)"}
    return words.get(state.state, state.state) + job + reason
