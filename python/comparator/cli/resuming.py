"""`--resume` of every command that carries an experiment out: with its id, or the latest; with its file, or without."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from comparator.cli.options import RunOptions
from comparator.errors import InputError, nearest_path
from comparator.experiment.host import Host
from comparator.experiment.terminal import note
from comparator.results.experiments import experiment_path, read_experiment
from comparator.results.files import read_json
from comparator.results.frozen import FrozenExperiment
from comparator.results.record_file import read_records
from comparator.results.reported import is_current
from comparator.results.state import last_word
from comparator.results.tally import done_in
from comparator.site.folders import typed_here

#: The id that stands for that of the latest experiment which is not finished.
LATEST = ""


def chosen(host: Host, options: RunOptions, file: Path | None, command: str | None = None) -> str:
    """The id of the experiment to go on with, which is said where it was not typed: then one of `command`, if given."""
    from comparator.experiment.resuming import latest_unfinished

    refuse({"--id": options.identifier, "--dry-run": options.dry_run})
    assert options.resume is not None
    if options.resume != LATEST:
        return options.resume
    if file is not None and not file.is_file():
        raise InputError(f"{file}: no such file{nearest_path(file)}")
    identifier = latest_unfinished(host.experiments, file, command)
    kind = "latest" if command is None else f"latest {command}"
    host.say(f"going on with {identifier}, the {kind} that is not finished{f' of {file}' if file else ''}")
    return identifier


def chosen_of(command: str, host: Host, options: RunOptions, file: Path | None = None) -> FrozenExperiment:
    """The same, of a command that goes on with its own experiments alone; raises `InputError` where it is none."""
    identifier = chosen(host, options, file, command)
    frozen = read_experiment(experiment_path(host.experiments, identifier))
    if frozen.command != command:
        raise InputError(
            f"'{identifier}' is no {command}; go on with it by: comparator {frozen.command} --resume {identifier}"
        )
    return frozen


def check_settings(
    host: Host, identifier: str, file: Path | None, overrides: Sequence[str], *, full: bool = False
) -> None:
    """Say where the file that was typed is not as it was when the experiment began; raises `InputError`."""
    from comparator.experiment import resuming
    from comparator.experiment.experiment_file import lines_say_what_runs

    frozen = read_experiment(experiment_path(host.experiments, identifier))
    if file is None:
        refuse({"--set": overrides, "--full": full})
        return
    if lines_say_what_runs(file, overrides):
        raise InputError(f"{file}: its lines say what runs; go on by: comparator sweep --resume {identifier}")
    begun, begun_full = _typed_at_the_beginning(frozen)
    keys = [each.partition("=")[0] for each in begun]
    begun += [each for each in overrides if each.partition("=")[0] not in keys]
    words = resuming.check_same(
        frozen,
        file,
        _differences(frozen, file, overrides, full=full),
        _differences(frozen, file, begun, full=full or begun_full),
        overrides,
        full=full,
    )
    if words is not None:
        note(host.console, words)


def _typed_at_the_beginning(frozen: FrozenExperiment) -> tuple[list[str], bool]:
    """The settings of the command that made an experiment, as `--set` has them, and whether it had `--full`."""
    words = [part for word in shlex.split(frozen.provenance.command) for part in _option_and_value(word)]
    pairs = list(pairwise(words))
    settings = [value for option, value in pairs if option == "--set"]
    return [*settings, *(f"search.seed={value}" for option, value in pairs if option == "--seed")], "--full" in words


def _option_and_value(word: str) -> list[str]:
    return word.split("=", 1) if word.startswith("--") else [word]


def _differences(frozen: FrozenExperiment, file: Path, overrides: Sequence[str], *, full: bool) -> dict[str, str]:
    from comparator.experiment.experiment_file import read_settings
    from comparator.experiment.resuming import differences
    from comparator.studies import study_in

    study = study_in(frozen)
    if study is None:
        asked = read_settings(file, list(overrides), full=full).model_dump(mode="json", exclude_none=True)
        return differences(frozen.settings, asked)
    content = study.read_table(file, overrides).model_dump(mode="json")
    return differences({study.name: frozen.table(study.name)}, {study.name: content})


def is_finished(path: Path) -> bool:
    """Whether the search in a folder is over, and its record has all that it asked for."""
    from comparator.engine.jobs import has_all

    return last_word(path).state == "finished" and has_all(path)


def say_finished(host: Host, identifier: str, *, as_json: bool) -> None:
    """Say that an experiment is finished, where its report is, and how to have more; for programs, its report."""
    from comparator.experiment.closing import say_where_the_report_is
    from comparator.report.next_step import larger_search

    path = experiment_path(host.experiments, identifier)
    frozen, done = read_experiment(path), done_in(read_records(path / "evaluations.jsonl"))
    page = _current_page(host, path)
    if as_json and page is not None:
        print(json.dumps(read_json(path / "report.json"), indent=1))
        return
    host.say(f"{identifier} is finished: {done} evaluations")
    say_where_the_report_is(host, identifier, page)
    larger = larger_search(frozen, done)
    if larger:
        host.say("more of them, by a new experiment that finds the trainings that are done:")
        host.show(f"  {typed_here(larger, frozen.file)}")


def _current_page(host: Host, path: Path) -> Path | None:
    """The report of a finished search, made again where it is older than the record; None where there is none."""
    page = path / "report.html"
    if not page.is_file() or all(is_current(path, file) for file in (page, path / "report.json")):
        return page if page.is_file() else None
    if not os.access(path, os.W_OK):
        return None
    from comparator.report import write_report

    with host.console.status("writing the report"):
        return write_report(path)


def refuse(typed: Mapping[str, Any]) -> None:
    """Raise `InputError` where something was typed that an experiment which goes on as it was frozen cannot heed."""
    for words, value in typed.items():
        if value:
            raise InputError(f"--resume goes on with an experiment as it was frozen; leave out {words}")
