"""All pairs of several models, each trained once a point: where does which pair differ, and which two differ most?

    metric = "val_loss"
    space = "models-noise-rows.json"       # what is varied, the same for all

    [all_pairs]
    evaluations = 24                       # points: of a Sobol sequence, the same for all
    studies = ["CCLE", "GDSC1", "GDSC2"]   # each model once on each; left out: each once
    # source = "train_sources"             # what the models call the study

    [all_pairs.models.Uno]                 # one for each model
    model = "../containers/uno"
    hyperparameters = "uno.txt"

    [set]                                  # hyperparameters of all

Every pair is an ordinary comparison with a report of its own, over the same points, blocks and seeds. What one pair has
trained the others find in the store, so that k models cost k trainings a point, and serve k (k - 1) / 2 pairs.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.errors import ComparatorError, InputError, named_as_typed
from comparator.evidence.paired import Observation, Paired
from comparator.experiment import opening
from comparator.experiment.closing import say_what_is_next
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import check_settings
from comparator.experiment.freezing import make_plan as make_one
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.session import OutOfTime
from comparator.experiment.terminal import note
from comparator.report import write_report
from comparator.results.experiments import experiment_path, read_experiment, read_whole_experiment
from comparator.results.files import now, read_json
from comparator.results.frozen import Budget, FrozenStrategy, Stages, WholeExperiment
from comparator.results.points import observations_in, points_without_value
from comparator.results.record_file import read_records
from comparator.results.store import ExperimentFolder, check_new_experiment
from comparator.site.folders import command_line
from comparator.space import ParameterSpace
from comparator.studies import pairs_report, sweep
from comparator.studies.all_pairs_table import NAME, AllPairsTable, Side, sides_of
from comparator.studies.cross_hpo import hyperparameters_typed
from comparator.studies.pairs import Compared, Place, chances, judge
from comparator.studies.study import Planned, Study
from comparator.studies.sweep import SweepFile


def _check_hosts(host: Host) -> None:
    if host.site.has_nodes and host.engine.name == "swift-t":
        raise InputError(
            f"{STUDY.verb}: site '{host.site.name}' submits jobs, one an experiment, and the pairs are several; start"
            " it inside a job, with --site local"
        )


# Planning


@dataclass(frozen=True)
class PlannedPairs(Planned):
    """The plan of the study, which trains nothing, and those of its pairs."""

    pairs: Sequence[Plan] = ()


def _plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> PlannedPairs:
    _check_hosts(host)
    file, table = sweep.read_file(path, overrides, NAME, AllPairsTable, command)
    sides = sides_of(file, table, hyperparameters_typed(overrides))
    plans = make_plans(host, file, table, sides)
    return PlannedPairs(_study_of(file, table, sides, plans), _words_beforehand(table, sides), pairs=plans)


def make_plans(host: Host, file: SweepFile, table: AllPairsTable, sides: Sequence[Side]) -> list[Plan]:
    """Check every pair, and say what there is to say of it once; raises `InputError`."""
    plans = []
    with host.console.status("checking") as status:
        for first, second in itertools.combinations(sides, 2):
            status.update(f"checking: {first.label} and {second.label}")
            settings = check_settings(_settings(file, table, first, second), str(file.path))
            with named_as_typed(file.path):
                plans.append(make_one(settings, Context(file.path.resolve(), host, file.command)))
    for notice in dict.fromkeys(notice for plan in plans for notice in plan.frozen.notices):
        note(host.console, notice)
    for first, second in itertools.combinations(sides, 2):
        if first.is_like(second):
            words = "are one model with the same settings: they are trained alike, and differ nowhere"
            note(host.console, f"{first.label} and {second.label} {words}")
    return plans


def _settings(file: SweepFile, table: AllPairsTable, first: Side, second: Side) -> dict[str, Any]:
    """The experiment file of one pair: everything that is not the study's own, and what the two are given."""
    apart = {
        str(number): side.model.model_dump(include={"python", "requirements"}, exclude_none=True)
        for number, side in enumerate((first, second))
    }
    given = {
        f"cmp_{number}_{name}": value
        for number, side in enumerate((first, second))
        for name, value in side.given.items()
    }
    metric = file.content.get("metric")
    return {
        "confirm": {"points": 0},  # each pair's own trainings beyond those that all share, where the file asks for them
        **{key: value for key, value in file.content.items() if key not in ("metric", "set")},
        "title": f"{first.label} and {second.label}",
        "model": "cmp",
        "set": given,
        "search": {
            "find": "regions",
            "strategy": "sobol",
            "evaluations": table.evaluations,
            "seed": table.seed,
            "blocks": table.blocks,
        },
        "cmp": {
            "models": [first.model.model, second.model.model],
            "labels": [first.label, second.label],
            **({} if metric is None else {"metric": metric}),
            **({} if table.difference is None else {"difference": table.difference}),
            **apart,
        },
    }


def _study_of(file: SweepFile, table: AllPairsTable, sides: Sequence[Side], plans: Sequence[Plan]) -> Plan:
    """The study itself, which trains nothing of its own: its pairs do."""
    first = plans[0]
    known = {model.label: model for plan in plans for model in plan.frozen.models}
    of_pairs = {(plan.frozen.models[0].label, plan.frozen.models[1].label): plan for plan in plans}
    models = [known[side.label].model_copy(update={"submodel": place}) for place, side in enumerate(sides)]
    live = [of_pairs[sides[0].label, sides[1].label].models[0]]
    live += [of_pairs[sides[0].label, side.label].models[1] for side in sides[1:]]
    where = f"[{NAME}] of {file.path.name}"
    plan = first.noting(
        title=str(file.content.get("title") or "Which two of several models differ most, and where?"),
        kind="single",
        settings={"model": sides[0].model.model, "upf": where, "metric": first.frozen.metric},
        space=[],
        upf=[],
        hyperparameters={},
        models=models,
        notices=[],
        strategy=FrozenStrategy(name="listed", seed=table.seed, where=where),
        budget=Budget(),
        stages=Stages(),
        **{NAME: table.model_dump(mode="json")},
    )
    return Plan(plan.frozen, None, live, first.objective)


def _words_beforehand(table: AllPairsTable, sides: Sequence[Side]) -> list[str]:
    pairs = len(sides) * (len(sides) - 1) // 2
    return [
        f"compared: {', '.join(side.label for side in sides)}",
        f"{table.evaluations} points, {len(sides)} trainings of each: {table.evaluations * len(sides)} trainings for"
        f" {pairs} pair{'s' if pairs > 1 else ''}; those in the store are not done again",
    ]


# Carrying out


def _begin(host: Host, planned: PlannedPairs, stem: str, identifier: str | None) -> Path:
    """Make the folders of the study and of all its pairs; returns the study's."""
    study = ExperimentFolder.create(host.experiments, stem, identifier, planned.plan.frozen)
    study.close()
    frozen = read_whole_experiment(study.path)
    host.say(f"experiment {study.identifier}: {frozen.title}")
    names = frozen.pairs
    try:
        for name in names:
            check_new_experiment(host.experiments, name)
    except InputError:
        shutil.rmtree(study.path)
        raise
    for name, plan in zip(names, planned.pairs, strict=True):
        ExperimentFolder.create(host.experiments, name, name, plan.frozen).close()
    study.freeze(frozen.model_copy(update={"created": now()}))  # the latest of them, with which --resume goes on
    return study.path


def _reopen(host: Host, identifier: str) -> Path:
    _check_hosts(host)
    return experiment_path(host.experiments, identifier)


def _carry_out(host: Host, path: Path) -> Path:
    frozen = read_whole_experiment(path)
    folder = ExperimentFolder(path)
    try:
        folder.say("running", [])
        for name in frozen.pairs:
            _train(host, name)
        found = _report(host, path, frozen)
        folder.say("finished", [])
    except (KeyboardInterrupt, OutOfTime) as stopped:
        folder.say("stopped", [], str(stopped) or "by hand")
        host.say("stopped: what is finished is kept; go on by:")
        host.show(f"  {command_line(host.experiments, host.root, STUDY.verb, '--resume', path.name)}")
        raise
    except BaseException as error:
        folder.say("failed", [], str(error))
        raise
    finally:
        folder.close()
    return found


def _train(host: Host, name: str) -> None:
    """Carry one pair out, unless that is done; one that cannot be is told, and the others go on."""
    path = experiment_path(host.experiments, name)
    if state_of(path).state != "finished":
        try:
            opening.resume(host, name).run()
        except OutOfTime:
            raise
        except InputError:
            raise
        except ComparatorError as error:
            host.say(f"{name}: {error}")
    if not (path / "report.json").is_file():
        write_report(path)


def read_pair(experiments: Path, name: str) -> Compared:
    """What a pair's record and report say."""
    path = experiments / name
    frozen, records = read_experiment(path), read_records(path / "evaluations.jsonl")
    reported = read_json(path / "report.json") or {}
    evidence = reported.get("evidence") or {}
    paired = Paired.of([Observation(*each) for each in observations_in(records)])
    places = [
        Place(
            str(region["words"]).partition(": ")[0],
            region["bounds"],
            _turned(region["mean"], region["larger"]) or 0.0,
            _turned(region["outside"], region["larger"]),
        )
        for region in reported.get("regions") or ()
    ]
    reason = "" if len(paired.points) else str(reported.get("reason") or "no evaluation has a difference")
    first, second = frozen.labels
    failed = points_without_value(records)
    p_differ, p_where = evidence.get("p_differ"), evidence.get("p_where")
    if frozen.stages.confirm is None and len(paired.points):
        p_differ, p_where = chances(ParameterSpace.from_entries(frozen.space, f"'{name}': space"), paired)
    return Compared(name, (first, second), paired, failed, p_differ, p_where, places, reason)


def _turned(mean: float | None, larger: int) -> float | None:
    """A difference as it is of the second's metric less the first's; a report has it in its own direction."""
    return None if mean is None else mean if larger == 1 else -mean


def _report(host: Host, path: Path, frozen: WholeExperiment) -> Path:
    names = frozen.pairs
    judged = judge([read_pair(host.experiments, name) for name in names])
    if all(each.pair.reason for each in judged):
        raise ComparatorError(f"no pair has a result; of {names[0]}: {judged[0].pair.reason}")
    with host.console.status("writing the report"):
        entries = list(read_experiment(host.experiments / names[0]).space)
        said = pairs_report.write(path, frozen, entries, judged)
    for sentence in said:
        host.say(sentence)
    host.show(f"report: {path / 'report.html'}")
    say_what_is_next(host, read_json(path / "report.json") or {})
    return path


STUDY = Study(NAME, AllPairsTable, _plan, _begin, _reopen, _carry_out)
