"""One sitting of an experiment: from its file, or from where it was left, to its report, on one engine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from comparator.engine import local
from comparator.errors import ComparatorError, InputError, nearest
from comparator.experiment import Experiment
from comparator.leaf import Leaf
from comparator.plan import Place, Plan, make_plan, reopen_plan
from comparator.progress import ProgressView, point_words
from comparator.root import command_line
from comparator.settings import ENDS_BY_ITSELF, read_settings
from comparator.site import ENGINES, Site, Slot, read_site
from comparator.store import ExperimentFolder, experiment_path, now, pairs_in, read_experiment, state_of

BEST_SHOWN = 3


@dataclass(frozen=True)
class Host:
    """The machine and the folders that experiments run with, as the command line gave them."""

    root: Path
    experiments: Path
    site: Site
    slots: list[Slot]
    workers: int
    warm: bool
    console: Console

    def say(self, words: str) -> None:
        self.console.print(words, markup=False, soft_wrap=True)


def open_host(
    root: Path, experiments: Path, site: str, engine: str | None, workers: int | None, *, warm: bool, console: Console
) -> Host:
    """Read the site and check what is asked of it; raises `InputError`."""
    read = read_site(site, root)
    if engine is not None and engine not in read.engines:
        has = ", ".join(read.engines)
        raise InputError(f"--engine {engine}: site '{read.name}' has {has}{nearest(engine, ENGINES)}")
    slots = read.slots()
    if workers is not None and workers > len(slots):
        raise InputError(
            f"--workers {workers}: site '{read.name}' has {len(slots)} slots;"
            " SITE_CORES=N in the environment makes it N"
        )
    return Host(root, experiments, read, slots, workers or len(slots), warm, console)


def plan_experiment(host: Host, file: Path, overrides: list[str], *, full: bool, command: str) -> Plan:
    """Check everything about a new experiment; raises `InputError`."""
    settings = read_settings(file, overrides, full=full)
    with host.console.status("checking") as status:

        def say(words: str) -> None:
            status.update(f"checking: {escape(words)}")

        plan = make_plan(settings, Place(file.resolve(), host.root, host.site, host.workers, command, say))
    for notice in plan.frozen["notices"]:
        host.console.print(f"note: {notice}", style="yellow", markup=False, soft_wrap=True)
    return plan


def describe(host: Host, plan: Plan) -> None:
    """Say what would run."""
    frozen = plan.frozen
    host.say(frozen["title"] or frozen["file"])
    for submodel in frozen["models"]:
        number, label = submodel["submodel"], submodel["label"]
        name = "" if submodel["name"] == label else f"{submodel['name']} in "
        host.say(f"  submodel {number}: {label}, {name}{submodel['path']}")
    over = ", ".join(plan.space.names) if plan.space is not None else f"the lines of {frozen['settings']['upf']}"
    host.say(f"  objective: {frozen['objective']['name']} over {over}")
    host.say(f"  strategy: {frozen['strategy']['name']}, seed {frozen['strategy']['seed']}")
    host.say(f"  budget: {_budget_words(frozen)}")
    host.say(f"  site {host.site.name}: {host.workers} workers on {len(host.slots)} slots")
    host.say(f"  data: {host.site.data_folder}")
    host.say("nothing was started (--dry-run)")


def begin(host: Host, plan: Plan, stem: str, identifier: str | None) -> Sitting:
    """Make the folder of a planned experiment and freeze the plan there."""
    folder = ExperimentFolder.create(host.experiments, stem, identifier)
    frozen = {"id": folder.identifier, "created": now(), **plan.frozen}
    folder.freeze(frozen)
    host.say(f"experiment {folder.identifier}: {frozen['title']}")
    return Sitting(host, replace(plan, frozen=frozen), folder)


def resume(host: Host, identifier: str) -> Sitting:
    """Open an experiment where it was left, and say what was found."""
    path = experiment_path(host.experiments, identifier)
    left_running = state_of(path)["running"]
    if read_experiment(path).get("imported"):
        raise InputError(f"experiment '{identifier}' was imported; a new search can be told of it by [search] past")
    plan = reopen_plan(read_experiment(path), root=host.root, site=host.site)
    folder = ExperimentFolder(path)
    recorded = {record["evaluation"] for record in folder.records}
    done, to_repeat = pairs_in(folder.records), sum(each["evaluation"] not in recorded for each in left_running)
    to_go = "" if plan.budget is None else f", {max(0, plan.budget - done - to_repeat)} to go"
    host.say(f"experiment {identifier}: {done} done, {to_repeat} to repeat{to_go}")
    in_flight = plan.frozen["strategy"]["in_flight"]
    if host.workers > in_flight:
        host.say(f"note: it began with {in_flight} evaluations at a time; more workers than that stay idle")
    return Sitting(host, plan, folder)


class Sitting:
    """One experiment, opened on one host."""

    def __init__(self, host: Host, plan: Plan, folder: ExperimentFolder) -> None:
        self._host, self._plan, self._folder = host, plan, folder

    def run(self) -> Path:
        """Search, write the report, say what was found; returns the report's page. Raises as `search` does."""
        try:
            experiment = self.search()
        except ComparatorError:
            # What stopped the search, a full disk say, may stop the report too; it must not hide the reason.
            with contextlib.suppress(OSError):
                if self._folder.records:
                    self._host.say(f"report: {self._report()}")
            raise
        page = self._report()
        self._conclude(experiment, page)
        return page

    def search(self) -> Experiment:
        """Run the search to its end, or to Ctrl-C.

        Raises `ComparatorError` where it cannot go on, `KeyboardInterrupt` where it was stopped; what is finished
        is kept in either case.
        """
        experiment = Experiment(
            self._folder,
            self._plan.strategy(),
            self._plan.objective,
            budget=self._plan.budget,
            space_size=self._plan.space_size,
        )
        try:
            self._drive(experiment)
        except KeyboardInterrupt:
            self._leave("stopped", experiment, "by hand")
            self._host.say(f"stopped: {len(experiment.records)} evaluations kept; go on with them by:")
            self._host.say(f"  {self._resume_command()}")
            raise
        except ComparatorError as error:
            self._leave("failed", experiment, str(error))
            raise
        finally:
            experiment.close()
        self._leave("finished", experiment, experiment.ended_early)
        return experiment

    def _drive(self, experiment: Experiment) -> None:
        shares = local.share_slots(self._host.slots, self._host.workers)
        leaves = [self._leaf(number, slots) for number, slots in enumerate(shares)]
        self._evaluate_defaults(leaves[0])
        done_before = pairs_in(self._folder.records)
        with ProgressView(self._host.console, self._plan.frozen, done_before=done_before) as view:

            def show() -> None:
                running = experiment.running
                self._folder.say("running", running[: self._host.workers])
                view.update(experiment.records, experiment.asked - len(running), min(len(running), self._host.workers))

            local.run(experiment, leaves, show)

    def _evaluate_defaults(self, leaf: Leaf) -> None:
        """Evaluate a single model at its settings as given, so that the report can say what a search bought.

        It stands in `experiment.json` beside the search, not in its record, and costs nothing of its budget.
        """
        frozen = self._plan.frozen
        searches = frozen["kind"] == "single" and frozen["strategy"]["name"] not in ENDS_BY_ITSELF
        if not searches or "baseline" in frozen:
            return
        request = {"evaluation": -1, "name": "defaults", "point": {}, "replicate": 0}
        try:
            baseline = json.loads(leaf.evaluate(json.dumps(request)))
        except BaseException:
            leaf.cancel()
            leaf.close()
            raise
        self._plan = replace(self._plan, frozen={**frozen, "baseline": {**baseline, "stage": "baseline"}})
        self._folder.freeze(self._plan.frozen)

    def _leaf(self, number: int, slots: Sequence[Slot]) -> Leaf:
        return Leaf(
            self._plan.frozen,
            self._plan.models,
            self._plan.objective,
            experiments=self._host.experiments,
            data_folder=self._host.site.data_folder,
            slots=slots,
            name=f"{self._host.site.name}/{number}",
            warm=self._host.warm,
        )

    def _resume_command(self) -> str:
        host = self._host
        return command_line(host.experiments, host.root, "search", "--resume", self._folder.identifier)

    def _leave(self, state: str, experiment: Experiment, reason: str | None) -> None:
        left = experiment.running[: self._host.workers] if state == "stopped" else []
        self._folder.say(state, left, reason)
        self._folder.close()

    def _report(self) -> Path:
        from comparator.report import write_report

        with self._host.console.status("writing the report"):
            return write_report(self._folder.path)

    def _conclude(self, experiment: Experiment, page: Path) -> None:
        """The closing words: what was found, where the report is, how to look at it."""
        from comparator.report.summary import summarise

        summary = summarise(self._plan.frozen, experiment.records)
        if experiment.ended_early:
            self._host.say(f"ended early: {experiment.ended_early}")
        if summary.best is None:
            last = experiment.records[-1]["reason"] if experiment.records else "there was none"
            self._host.say(f"report: {page}")
            raise ComparatorError(f"no evaluation of {len(experiment.records)} gave a result; the last one: {last}")
        self._host.say(f"largest {summary.objective}:" if summary.maximise else f"smallest {summary.objective}:")
        for best in summary.best_points[:BEST_SHOWN]:
            both = "  ".join(
                f"{name} {metrics[summary.metric]:.4g}"
                for name, metrics in zip(summary.models, best.metrics, strict=True)
                if summary.metric in metrics
            )
            self._host.say(f"  {best.difference:.4g}  at {point_words(best.point)}  ({both})")
        self._host.say(f"report: {page}")
        self._host.say(f"look at it in a browser: {page.as_uri()}")


def _budget_words(frozen: dict[str, Any]) -> str:
    budget = frozen["budget"]
    trainings = len(frozen["models"])
    if budget["evaluations"] is None:
        return f"{budget['generations']} generations" if budget["generations"] else "until the search ends"
    return f"{budget['evaluations']} evaluations, {budget['evaluations'] * trainings} trainings"
