"""`--resume` of every command that carries an experiment out: with its id, or the latest; with its file, or without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.cli.options import RunOptions
from comparator.errors import InputError
from comparator.experiment.host import Host
from comparator.experiment.terminal import note
from comparator.results.points import count
from comparator.results.record import FrozenExperiment
from comparator.results.store import experiment_path, last_word, read_experiment, read_json, read_records
from comparator.site.folders import command_line

#: The id that stands for that of the latest experiment which is not finished.
LATEST = ""


def chosen(host: Host, options: RunOptions, file: Path | None) -> str:
    """The id of the experiment to go on with, which is said where it was not typed."""
    from comparator.experiment.resuming import latest_unfinished

    refuse({"--id": options.identifier, "--dry-run": options.dry_run})
    assert options.resume is not None
    if options.resume != LATEST:
        return options.resume
    if file is not None and not file.is_file():
        raise InputError(f"{file}: no such file")
    identifier = latest_unfinished(host.experiments, file)
    host.say(f"going on with {identifier}, the latest that is not finished{f' of {file}' if file else ''}")
    return identifier


def check_settings(
    host: Host, identifier: str, file: Path | None, overrides: Sequence[str], *, full: bool = False
) -> None:
    """Say where the file that was typed is not as it was when the experiment began; raises `InputError`."""
    from comparator.experiment import resuming

    frozen = read_experiment(experiment_path(host.experiments, identifier))
    if file is None:
        refuse({"--set": overrides, "--full": full})
        return
    words = resuming.check_same(frozen, file, _differences(frozen, file, overrides, full=full), overrides, full=full)
    if words is not None:
        note(host.console, words)


def _differences(frozen: FrozenExperiment, file: Path, overrides: Sequence[str], *, full: bool) -> dict[str, str]:
    from comparator.experiment.resuming import differences
    from comparator.experiment.settings import read_settings
    from comparator.studies import table_of

    table = table_of(frozen)
    if table is None:
        asked = read_settings(file, list(overrides), full=full).model_dump(mode="json", exclude_none=True)
        return differences(frozen.settings, asked)
    name, study = table
    content = study.read_table(file, overrides).model_dump(mode="json")
    return differences({name: frozen.table(name)}, {name: content})


def is_finished(host: Host, identifier: str, *, as_json: bool) -> bool:
    """Whether an experiment has all that it asked for; where so, say it, where its report is, and how to have more."""
    from comparator.engine.jobs import has_all
    from comparator.experiment.closing import say_where_the_report_is

    path = experiment_path(host.experiments, identifier)
    if last_word(path).state != "finished" or not has_all(path):
        return False
    frozen, counts = read_experiment(path), count(read_records(path / "evaluations.jsonl"))
    if counts.confirming < sum(len(claim.points) for claim in frozen.claims or ()):
        return False
    page = path / "report.html"
    if as_json and page.is_file():
        print(json.dumps(read_json(path / "report.json"), indent=1))
        return True
    host.say(f"{identifier} is finished: {counts.done} evaluations")
    say_where_the_report_is(host, identifier, page if page.is_file() else None)
    if frozen.budget.evaluations is not None and not frozen.upf:
        host.say("more of them, by a new experiment that finds the trainings that are done:")
        words = ["search", frozen.file, "--set", f"search.evaluations={2 * frozen.budget.evaluations}"]
        host.show(f"  {command_line(host.experiments, host.root, *words)}")
    return True


def refuse(typed: Mapping[str, Any]) -> None:
    """Raise `InputError` where something was typed that an experiment which goes on as it was frozen cannot heed."""
    for words, value in typed.items():
        if value:
            raise InputError(f"--resume goes on with an experiment as it was frozen; leave out {words}")
