"""Try a model against the convention, step by step, and say what holds, what fails and how to mend it.

The model is found, described, its module imported, its data prepared, and then it is trained the ways that a search
trains it: by `train.sh`, and warm where it has a module. What a step needs that an earlier one did not give is said to
be untested. All trainings are small: on a tiny data set made here (`tiny_benchmark`), for one epoch where the model
has epochs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from comparator.checks.model_reads import READS, script_reads, served_reads
from comparator.checks.tiny_benchmark import write_tiny_benchmark
from comparator.engine.leaf import DEFAULT_SEED
from comparator.errors import InputError, nearest
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.formats.hyperparameters import as_flags
from comparator.formats.names import home_written_out
from comparator.formats.spelling import spelling
from comparator.formats.text import shortened
from comparator.model.cold import ColdRunner
from comparator.model.description import HyperparameterDescription, ModelDescription
from comparator.model.fingerprint import NOT_COUNTED, content_of
from comparator.model.guard import descendants
from comparator.model.image import SCRIPTS
from comparator.model.model import Model, find_model
from comparator.model.probe import USUAL_SEED, usual_seed, with_defaults
from comparator.model.process import GuardedProcess, call, exit_words
from comparator.model.reported import RESULT_FILE, SCORES_FILE, lacks_scores, last_words, mentions, reports_in
from comparator.model.trace import can_trace, files_read, traced_by
from comparator.model.training import Outcome, Training
from comparator.model.warm import ServerEnded, WarmRunner
from comparator.objective.metrics import reported_instead
from comparator.site.profile import Slot

WHERE = "model check"
DESCRIPTION = "model.toml"
USUAL_METRIC = "val_loss"
RUNS = "runs"
BAD_VALUE = "nonsense"
UNKNOWN_NAME = "no_such_hyperparameter"
#: Settings of a small run, where the model has such a hyperparameter: one epoch; and Uno saves its model by `cp`.
SMALL = {"epochs": 1, "cp": True}
#: What each script is for, said where there is none.
PURPOSES = {
    "train.sh": "the model is trained by its module alone, and nobody else can call it as CANDLE and IMPROVE do",
    "preprocess.sh": "the model must find its data as they are",
    "infer.sh": "cross-study cannot test the model on other studies",
}
#: The largest part of a number that a model may lose by printing it shorter than it has it.
ROUNDING = 0.01
MEGABYTE = 1 << 20

Steps = Iterator[Finding]


@dataclass(frozen=True)
class Bench:
    """Where a model is tried, and with what."""

    containers: Path
    slot: Slot
    folder: Path  # exists and is empty; runs, logs and the tiny data set go there
    data_folder: Path | None = None  # None: the tiny data set
    settings: Mapping[str, object] = field(default_factory=dict)
    metric: str | None = None  # None: val_loss, or the first that model.toml describes
    limit: float = 600.0  # seconds that one run may take
    working_folder: Path = field(default_factory=Path.cwd)  # what the model's path is relative to


@dataclass(frozen=True)
class Run:
    """One training that was tried; `status` and `left_running` are known of `train.sh` alone, None elsewhere."""

    outcome: Outcome
    seconds: float
    peak_memory: int  # bytes of the largest process; 0: not known
    log: Path
    status: int | None = None
    left_running: Sequence[str] | None = None

    @property
    def is_ok(self) -> bool:
        return self.outcome.status == "ok"

    @property
    def reason(self) -> str:
        return self.outcome.reason or "no reason given"


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side: the `metrics` of which there was a number to compare, the first that is `apart`."""

    metrics: Sequence[str]
    apart: str | None


Way = Callable[[Mapping[str, object]], Run]


@dataclass
class Place:
    """A folder for what is tried; it goes afterwards, unless `keep` is set and there are runs in it."""

    folder: Path
    keep: bool = False

    @property
    def is_kept(self) -> bool:
        return self.keep and (self.folder / RUNS).is_dir()


@contextlib.contextmanager
def place_for_runs() -> Iterator[Place]:
    place = Place(Path(tempfile.mkdtemp(prefix="comparator-check-")))
    try:
        yield place
    finally:
        if not place.is_kept:
            shutil.rmtree(place.folder, ignore_errors=True)


def check_model(reference: str, bench: Bench) -> Steps:
    """Try the model that `reference` names; findings come as they are made.

    Raises `InputError` where there is no such model, or the metric asked for is not among those that it describes.
    """
    try:
        model = find_model(reference, bench.working_folder, bench.containers, WHERE)
    except InputError as error:
        path = (bench.working_folder / home_written_out(reference)).resolve()
        folder = path if path.is_dir() else bench.containers / reference
        if not path.exists() and not folder.is_dir():
            raise
        yield Finding("found", FAILS, str(error).removeprefix(f"{WHERE}: ") + _misnamed(folder, "train.sh"))
        return
    yield Finding("found", HOLDS, _kind_words(model))
    trial = _Trial(model, bench)
    try:
        yield from trial.steps()
    finally:
        trial.close()


def _kind_words(model: Model) -> str:
    kind = "an image" if model.image else "a folder" if model.is_folder else "a Python file"
    described = f": {model.description.description}" if model.description.description else ""
    return f"{model.path}, {kind}; {model.name}{described}"


def _misnamed(folder: Path, name: str) -> str:
    """What file in the folder may have been meant to be called `name`."""
    files = [each.name for each in folder.iterdir() if each.is_file()] if folder.is_dir() else []
    others = [each for each in files if each not in (*SCRIPTS, DESCRIPTION)]
    same = [each for each in others if each.lower() == name]
    return f" (did you mean '{same[0]}'? It must be called {name})" if same else nearest(name, others)


class _Trial:
    """One model on the bench; each method that gives findings is a step."""

    def __init__(self, model: Model, bench: Bench) -> None:
        self._model, self._bench = model, bench
        self._data_folder = (bench.data_folder or bench.folder / "data").absolute()
        self._metric = _metric(model, bench.metric)
        self._warm: WarmRunner | None = None
        self._small: dict[str, object] = {}
        self._made: list[Path] = []  # folders of runs

    def close(self) -> None:
        if self._warm is not None:
            self._warm.close()

    def steps(self) -> Steps:
        before = self._listing()
        yield from self._scripts()
        yield from self._description()
        if self._bench.data_folder is None:
            self._data_folder.mkdir()
            write_tiny_benchmark(self._data_folder)
        yield from self._module()
        yield from self._seed_named()
        prepared = yield from self._data()
        if prepared:
            yield from self._manifest()
            yield from self._trainings()
        yield self._files(before)

    # What the model says of itself

    def _scripts(self) -> Steps:
        for name in SCRIPTS:
            script = self._model.script(name)
            if script is None:
                near = _misnamed(self._model.path, name) if self._model.is_folder else ""
                yield Finding(name, FAILS if near else UNTESTED, f"there is none: {PURPOSES[name]}{near}")
            elif not self._is_callable(name):
                yield Finding(name, FAILS, f"{script} is not executable; chmod +x mends it")
            else:
                yield Finding(name, HOLDS, "there" if self._model.image is None else "on the image's PATH")

    def _description(self) -> Steps:
        description = self._model.description
        if description == ModelDescription():
            near = _misnamed(self._model.path, DESCRIPTION) if self._model.is_folder else ""
            words = "there is none: a score is taken for an error, misspelt hyperparameters are passed on"
            yield Finding(self._described_in, FAILS if near else UNTESTED, words + near)
            return
        metrics, hyperparameters = description.metrics, description.hyperparameters
        yield Finding(
            self._described_in, HOLDS, f"describes {len(metrics)} metrics, {len(hyperparameters)} hyperparameters"
        )
        if not metrics:
            yield Finding(
                "metrics", UNTESTED, f"{self._described_in} has no [metrics.NAME]: a score is taken for an error"
            )
        silent = [f"metrics.{name}" for name, each in metrics.items() if not each.description]
        silent += [f"hyperparameters.{name}" for name, each in hyperparameters.items() if not each.description]
        if silent:
            yield Finding("descriptions", UNTESTED, f"these have none: {_listed(silent)}")
        missing = [str(folder) for folder in self._model.python_path if not folder.is_dir()]
        if missing:
            yield Finding("python_path", FAILS, f"no such folder: {', '.join(missing)}")

    def _module(self) -> Steps:
        """Import the module, and learn what hyperparameters there are."""
        defaults: dict[str, Any] | None = None
        if self._model.module is None:
            yield Finding("module", UNTESTED, "none is named: every run starts a process of its own")
        else:
            began = time.monotonic()
            runner = WarmRunner(self._model, self._bench.slot, self._data_folder)
            try:
                defaults = runner.defaults(self._new_folder("import") / "model.log")
                self._warm = runner
                given = "no initialize_parameters()" if defaults is None else f"{len(defaults)} defaults"
                yield Finding("module", HOLDS, f"imported in {time.monotonic() - began:.1f} s; {given}")
            except ServerEnded as ended:
                runner.close()
                yield Finding("module", FAILS, f"{self._model.module} cannot be served: {ended.reason}")
        known = self._model.description.hyperparameters
        if defaults and known:
            absent = [name for name in known if name not in defaults]
            if absent:
                yield Finding("defaults", UNTESTED, f"initialize_parameters() has no default of {_listed(absent)}")
        elif defaults:
            known = {name: HyperparameterDescription(type=_type(value)) for name, value in defaults.items()}
            self._model = replace(self._model, description=with_defaults(self._model.description, known))
        names = self._model.description.names
        self._small = {spelling(name, names): value for name, value in SMALL.items() if spelling(name, names) in names}
        settings = {spelling(name, names): value for name, value in self._bench.settings.items()}
        self._bench = replace(self._bench, settings=settings)

    def _seed_named(self) -> Steps:
        seed, known = self._model.description.seed, self._model.description.hyperparameters
        if seed is not None and known and seed not in known:
            yield Finding("seed", FAILS, f"seed = '{seed}' is not among the hyperparameters{nearest(seed, known)}")
        elif seed is not None and known:
            yield Finding("seed", HOLDS, f"{seed} takes it")
        elif seed is not None:
            words = f"{seed} is to take it, and no hyperparameters are known to compare it with"
            yield Finding(
                "seed", UNTESTED, f"{words}: neither {self._described_in} nor initialize_parameters() names any"
            )
        elif (usual := usual_seed(known)) is not None:
            yield Finding("seed", FAILS, f"searches do not give it to the model: add the line seed = '{usual}'")
        else:
            words = f"none is named (seed = 'NAME' in {self._described_in}): the replicates of a point all get the same"
            yield Finding("seed", UNTESTED, words)

    # Data

    def _data(self) -> Generator[Finding, None, bool]:
        """Have `preprocess.sh` prepare the data folder, twice; gives whether there are data to go on with."""
        tiny = self._bench.data_folder is None
        where = "a tiny benchmark made for this" if tiny else str(self._data_folder)
        if not self._is_callable("preprocess.sh"):
            yield Finding("data", UNTESTED, f"{where}; nothing prepares it")
            return True
        seconds = []
        for _ in range(2):
            folder, began = self._new_folder("preprocess"), time.monotonic()
            reason = self._call("preprocess.sh", [self._seen(str(self._data_folder)), *as_flags(self._given())], folder)
            seconds.append(time.monotonic() - began)
            if reason is not None:
                real = "; if it is this data set that does not suit, try a real one: --data FOLDER" if tiny else ""
                yield Finding("data", FAILS, f"preprocess.sh on {where}: {reason}{real}")
                return False
        took = "prepared in {:.1f} s, a second call took {:.1f} s".format(*seconds)
        yield Finding("data", HOLDS, f"{where}; {took}")
        return True

    def _manifest(self) -> Steps:
        manifest = self._model.description.data_manifest
        if manifest is None:
            return
        there = content_of(self._data_folder / manifest) is not None
        if not there or not (self._data_folder / manifest).stat().st_size:
            what = "this file is empty" if there else "there is no such file in the data folder"
            words = f"data_manifest = '{manifest}': {what} after preprocess.sh"
            yield Finding("data_manifest", FAILS, f"{words}; without it, runs on other data pass for the same")
        else:
            yield Finding("data_manifest", HOLDS, f"{manifest} is there, to tell one data set from another")

    # Trainings

    def _trainings(self) -> Steps:
        ways: dict[str, Way] = {}
        first: dict[str, Run] = {}
        if self._model.script("train.sh") is not None:
            first["train.sh"] = yield from self._first_cold()
            ways["train.sh"] = self._cold
        if self._warm is not None:
            first["run(params)"] = yield from self._first_warm()
            ways["run(params)"] = self._served
        ways = {name: way for name, way in ways.items() if first[name].is_ok}
        if not ways:
            yield Finding("further trainings", UNTESTED, "the first ones failed")
            return
        yield from self._same_seed(first, ways)
        yield from self._other_seed(first, ways)
        yield from self._reads(ways)
        for name, way in ways.items():
            yield self._bad_value(name, way)
        yield self._unknown_name(*next(iter(ways.items())))
        if "train.sh" in ways:
            yield from self._inference(first["train.sh"])
        yield Finding("cost", HOLDS, "; ".join(f"{name} {_cost(first[name])}" for name in ways))

    def _first_cold(self) -> Generator[Finding, None, Run]:
        asked = self._model.description.convention
        run = self._cold({})
        other = self._by_other_convention() if run.outcome.status == "failed" else None
        if other is not None:
            place = f"{self._model.path.name}.toml beside it" if self._model.image else self._described_in
            yield Finding(
                "train.sh runs",
                FAILS,
                f"not as convention = '{asked}' has it called ({run.reason}), but by the other one:"
                f" {place} needs the line convention = '{self._model.description.convention}'",
            )
            run = other
        elif run.is_ok:
            called = "flags only" if self._is_improve else "DEVICE DATA_FOLDER, then flags"
            stated = "" if self._states_convention else f" ({self._described_in} states no convention)"
            yield Finding("train.sh runs", HOLDS, f"called with {called}{stated}")
        else:
            yield Finding("train.sh runs", FAILS, self._failure_words(run))
        if run.is_ok:
            yield from self._result(run, _ways_of_reporting(run.log))
        if run.left_running:
            words = f"still running a second after train.sh had ended: {', '.join(run.left_running)}; wait for them"
            yield Finding("processes", FAILS, words)
        elif run.left_running is not None and run.is_ok:
            yield Finding("processes", HOLDS, "train.sh leaves none behind")
        elif run.is_ok:
            yield Finding("processes", UNTESTED, "what watches the run left no word of them")
        return run

    def _by_other_convention(self) -> Run | None:
        """Call `train.sh` the other way; where that succeeds, keep to it."""
        stated = self._model
        self._describe(convention="candle" if self._is_improve else "improve")
        run = self._cold({})
        if not run.is_ok:
            self._model = stated
            return None
        return run

    def _failure_words(self, run: Run) -> str:
        words = f"{run.reason} (log: {run.log})"
        if run.outcome.status == "timeout":
            return words + "; if it only needs longer: --limit SECONDS, or a smaller run by --set NAME=VALUE"
        if run.status == 0:
            return words + f"; print a line 'IMPROVE_RESULT {self._metric}: NUMBER' at the end"
        if run.status is not None and _ways_of_reporting(run.log):
            return f"it reports a result, but ends with exit status {run.status}: it must be 0; {words}"
        if "ermission denied" in run.reason or "not found" in run.reason or "xec format" in run.reason:
            return words + "; does its first line name an interpreter that is there?"
        return words

    def _first_warm(self) -> Generator[Finding, None, Run]:
        run = self._served({})
        if not run.is_ok:
            yield Finding("run(params)", FAILS, self._failure_words(run))
            return run
        yield Finding("run(params)", HOLDS, "called in a server that keeps the module")
        if self._model.script("train.sh") is None:
            yield from self._result(run, "what run(params) returns")
        return run

    def _result(self, run: Run, how: str) -> Steps:
        metrics, described = run.outcome.metrics, self._model.description.metrics
        words = f"{how}: {_listed(list(metrics))}"
        unknown = [name for name in metrics if name not in described]
        if self._metric not in metrics:
            absent = f"'{self._metric}' is not among them{nearest(self._metric, metrics)}"
            yield Finding("result", FAILS, f"{how}: {absent}; {self._instead(run)}")
        elif metrics[self._metric] is None:
            yield Finding("result", FAILS, f"{self._metric} is no finite number, on data that any model can learn from")
        else:
            yield Finding("result", HOLDS, f"{words}; {self._metric} = {metrics[self._metric]:.6g}")
            if described and unknown:
                words = f"{self._described_in} does not describe {_listed(unknown)}: no search can ask for them"
                yield Finding("metrics", UNTESTED, words)

    def _same_seed(self, first: Mapping[str, Run], ways: Mapping[str, Way]) -> Steps:
        """The ways against each other, where one may print fewer digits, and the last of them twice."""
        *others, last = ways
        again = ways[last]({})
        compared = " and ".join([*others, f"{last} twice"])
        if not again.is_ok:
            yield Finding("the same seed", FAILS, f"a second run failed: {self._failure_words(again)}")
            return
        pairs = [(first[other], first[last]) for other in others]
        found = [self._compare(*pair, rounded=True) for pair in pairs] + [self._compare(first[last], again)]
        words = next((each.apart for each in found if each.apart), None)
        if words is None and not all(each.metrics for each in found):
            yield Finding("the same seed", UNTESTED, f"{compared}: {self._nothing_to_compare(again)}")
        elif words is None:
            exact = all(self._compare(*pair).apart is None for pair in pairs)
            equal = f"equal numbers{'' if exact else ', but for rounding'}"
            yield Finding("the same seed", HOLDS, f"{compared}: {equal}: {_listed(found[-1].metrics)}")
        elif self._model.description.seed is None:
            yield Finding("the same seed", UNTESTED, f"{compared}: {words}, and no hyperparameter takes a seed")
        else:
            mend = "the seed must reach everything that is drawn, and no run may depend on the one before"
            yield Finding("the same seed", FAILS, f"{compared}: {words}; {mend}")

    def _other_seed(self, first: Mapping[str, Run], ways: Mapping[str, Way]) -> Steps:
        seed = self._model.description.seed
        if seed is None:
            return
        name = list(ways)[-1]
        run = ways[name]({seed: self._seed + 1})
        if not run.is_ok:
            yield Finding("another seed", FAILS, f"{seed} = {self._seed + 1}: {self._failure_words(run)}")
            return
        found = self._compare(first[name], run)
        if found.apart is not None:
            yield Finding("another seed", HOLDS, f"other numbers: {found.apart}")
        elif found.metrics:
            equal = f"{_listed(found.metrics)}: it changes nothing here"
            yield Finding("another seed", HOLDS, f"{equal}: a search finds that out, and repeats cost it nothing")
        else:
            yield Finding("another seed", UNTESTED, f"{name}: {self._nothing_to_compare(run)}")

    def _compare(self, one: Run, other: Run, *, rounded: bool = False) -> Comparison:
        """Compare the metric asked for, and those described that both report; facts, such as times, may differ.

        `rounded` lets pass what the fewer digits of one number hide.
        """
        of_one, of_other = one.outcome.metrics, other.outcome.metrics
        described = self._model.description.metrics
        telling = [name for name, each in described.items() if each.kind != "fact"]
        both = [name for name in telling if name in of_one and name in of_other]
        compared, apart = [], None
        for name in dict.fromkeys([self._metric, *both]):
            a, b = of_one.get(name), of_other.get(name)
            if a is None and b is None:
                continue
            compared.append(name)
            is_alike = a == b or (rounded and a is not None and b is not None and _is_rounded(a, b))
            if apart is None and not is_alike:
                apart = f"{name} {a} and {b}"
        return Comparison(compared, apart)

    def _nothing_to_compare(self, run: Run) -> str:
        if self._metric in run.outcome.metrics:
            return f"nothing to compare: {self._metric} is no finite number"
        return f"nothing to compare: no {self._metric}; {self._instead(run)}"

    def _instead(self, run: Run) -> str:
        return reported_instead(self._metric, run.outcome.metrics, "--metric ", self._model.description.metrics)

    def _bad_value(self, name: str, way: Way) -> Finding:
        what = f"a bad value, {name}"
        number = self._a_number()
        if number is None:
            return Finding(what, UNTESTED, "no hyperparameter is described as a number")
        run = way({number: BAD_VALUE})
        given = f"{number} = '{BAD_VALUE}'"
        mend = "compare every value with its type; where it is wrong, one line that names it"
        mend += " and an exit status other than 0" if name == "train.sh" else ", raised as ValueError"
        if run.is_ok:
            return Finding(what, FAILS, f"{given} was trained as if nothing were wrong: {mend}")
        if run.outcome.status == "timeout":
            return Finding(what, FAILS, f"{given}: {run.reason}: {mend}")
        if run.status is not None and run.status > 128:
            return Finding(what, FAILS, f"{given}: {run.reason}: {mend}")
        if run.status == 0:
            return Finding(what, FAILS, f"{given}: there is no result, yet the exit status is 0: {mend}")
        words = f"refused: {run.reason}"
        if number not in run.reason:
            words += f"; it would help to name '{number}' in that line"
        return Finding(what, HOLDS, words)

    def _unknown_name(self, name: str, way: Way) -> Finding:
        run = way({UNKNOWN_NAME: 1})
        if not run.is_ok:
            return Finding("an unknown name", HOLDS, f"refused by {name}: {run.reason}")
        warned = run.log.is_file() and mentions(run.log, UNKNOWN_NAME)
        words = (
            "with a word in the log"
            if warned
            else f"without a word; searches warn of it where {self._described_in} tells"
        )
        return Finding("an unknown name", HOLDS, f"ignored by {name}, {words}")

    def _inference(self, trained: Run) -> Steps:
        if not self._is_callable("infer.sh"):
            return
        folder = self._new_folder("infer")
        flags = {"input_model_dir" if self._is_improve else "model_dir": str(trained.log.parent)}
        reason = self._call("infer.sh", [*self._called_with(), *as_flags({**flags, "output_dir": str(folder)})], folder)
        lacks = lacks_scores(folder / "test_scores.json")
        if reason is None and lacks is not None:
            reason = f"it ended well but {lacks} into output_dir"
        yield Finding("infer.sh runs", HOLDS if reason is None else FAILS, reason or "test_scores.json is written")

    def _reads(self, ways: Mapping[str, Way]) -> Steps:
        """What a run opens that is not part of its identity; an image sees nothing but what it is lent."""
        model, traces = self._model, can_trace()
        if model.image is not None:
            yield Finding("what is read", HOLDS, "the image, the data folder, and nothing else of this machine")
            return
        covers = model.covers(self._data_folder, self._bench.folder / RUNS)
        if "run(params)" in ways:
            folder = self._new_folder("trace-served")
            outcome = self._served_anew(traced_by(folder) if traces else ())
            opened = [path for path in files_read(folder) if not covers(path)]
            yield served_reads(outcome, opened if traces else None, model.description_file)
        if "train.sh" in ways and traces:
            folder = self._new_folder("trace")
            self._cold({}, traced_by(folder))
            opened = files_read(folder)
            yield script_reads(model.description, model.description_file, opened, covers, self._data_folder)
        elif "train.sh" in ways:
            yield Finding(READS.format("train.sh"), UNTESTED, "it takes strace(1), which is not there or may not trace")

    # Files

    def _listing(self) -> dict[Path, tuple[int, int]]:
        """Size and time of every file of the model's own; an image's cannot be written."""
        model = self._model
        roots = [] if model.image else [model.path, *model.python_path] if model.is_folder else [model.path.parent]
        found = {}
        for root in roots:
            for folder, folders, names in os.walk(root):
                folders[:] = sorted(set(folders) - NOT_COUNTED) if model.is_folder else []
                for path in (Path(folder, name) for name in names if not name.endswith(".pyc")):
                    status = path.lstat()
                    found[path] = (status.st_size, status.st_mtime_ns)
        return found

    def _files(self, before: Mapping[Path, tuple[int, int]]) -> Finding:
        after = self._listing()
        changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
        # Beside the folder of a run, which is where it is started.
        runs = self._bench.folder / RUNS
        changed += [path for path in runs.iterdir() if path not in self._made] if runs.is_dir() else []
        if changed:
            mend = "a model's files are its identity, and images are read-only: write to output_dir"
            words = f"written outside the data folder and the run's: {_listed(sorted(map(str, changed)))}; {mend}"
            return Finding("files", FAILS, words)
        return Finding("files", HOLDS, "nothing is written outside the data folder and the run's")

    # How runs are carried out

    @property
    def _described_in(self) -> str:
        return self._model.description_file.name

    @property
    def _is_improve(self) -> bool:
        return self._model.description.convention == "improve"

    @property
    def _states_convention(self) -> bool:
        return "convention" in self._model.description.model_fields_set

    @property
    def _seed(self) -> int:
        value = str(self._bench.settings.get(self._model.description.seed or USUAL_SEED, DEFAULT_SEED))
        return int(value) if value.isdigit() else DEFAULT_SEED

    def _describe(self, **known: Any) -> None:
        self._model = replace(self._model, description=self._model.description.model_copy(update=known))

    def _seen(self, value: Any) -> Any:
        return self._model.seen(value, self._data_folder)

    def _called_with(self) -> list[str]:
        return [] if self._is_improve else [self._bench.slot.device or "-1", self._seen(str(self._data_folder))]

    def _a_number(self) -> str | None:
        """A hyperparameter that takes a number and changes the result: the first described, else the first given."""
        description = self._model.description
        for name, each in description.hyperparameters.items():
            if each.type in ("int", "float") and each.effect != "none" and name != description.seed:
                return name
        return next((name for name, value in self._bench.settings.items() if _type(value) in ("int", "float")), None)

    def _is_callable(self, name: str) -> bool:
        script = self._model.script(name)
        return script is not None and (self._model.image is not None or os.access(script, os.X_OK))

    def _new_folder(self, what: str) -> Path:
        folder = self._bench.folder / RUNS / f"{len(self._made):02}-{what}"
        folder.mkdir(parents=True)
        self._made.append(folder)
        return folder

    def _given(self) -> dict[str, object]:
        return {name: self._seen(value) for name, value in {**self._small, **self._bench.settings}.items()}

    def _training(self, what: str, changed: Mapping[str, object]) -> Training:
        """A training with the names and the folder that a search gives one."""
        folder = self._new_folder(what)
        name = self._model.description.seed
        seed = {name: self._seed} if name is not None else {}
        given = {**self._small, **self._bench.settings, **seed}
        names = self._model.run_names("check", folder.name, folder, self._data_folder, given)
        return Training({**given, **names, **changed}, folder, folder / "model.log", self._metric, self._bench.limit)

    def _cold(self, changed: Mapping[str, object], traced: Sequence[str] = ()) -> Run:
        training = self._training("train", changed)
        report = training.folder / "witness.json"
        under = [sys.executable, "-m", "comparator.model.witness", str(report), *traced]
        runner, began = ColdRunner(self._model, self._bench.slot, self._data_folder, under=under), time.monotonic()
        outcome = runner.run(training)
        if not report.is_file():
            return Run(outcome, time.monotonic() - began, 0, training.log)
        seen = json.loads(report.read_text(encoding="utf-8"))
        return Run(
            outcome, seen["seconds"], seen["peak_memory"], training.log, seen["status"], tuple(seen["left_running"])
        )

    def _served(self, changed: Mapping[str, object]) -> Run:
        assert self._warm is not None
        training, began = self._training("serve", changed), time.monotonic()
        outcome = self._warm.run(training)
        return Run(outcome, time.monotonic() - began, _peak_memory_below(os.getpid()), training.log)

    def _served_anew(self, under: Sequence[str]) -> Outcome:
        """A training by a server of its own, which `under` starts."""
        runner = WarmRunner(self._model, self._bench.slot, self._data_folder, under=under)
        try:
            return runner.run(self._training("serve", {}))
        finally:
            runner.close()

    def _call(self, name: str, words: Sequence[str], folder: Path) -> str | None:
        """Run a script of the model; says why it failed, or None."""
        inside = [str(self._model.script(name)), *words]
        command, environment = call(self._model, inside, self._bench.slot, self._data_folder, folder)
        path = folder / "model.log"
        with path.open("wb") as log:
            process = GuardedProcess(command, environment, log, piped=False, folder=folder)
            try:
                code = process.wait(self._bench.limit)
            except subprocess.TimeoutExpired:
                return f"it exceeded its limit of {self._bench.limit:g} seconds (log: {path})"
            finally:
                process.close()
        if code == 0:
            return None
        return f"{last_words(path) or exit_words(code, name)} (log: {path})"


def _metric(model: Model, asked: str | None) -> str:
    described = model.description.metrics
    if asked is not None and described and asked not in described:
        raise InputError(
            f"--metric {shortened(asked)}: {model.name} does not describe it{nearest(asked, described)};"
            f" it describes {_listed(list(described))}"
        )
    usual = [USUAL_METRIC] if USUAL_METRIC in described else [n for n, each in described.items() if each.kind != "fact"]
    return asked or next(iter(usual), USUAL_METRIC)


def _is_rounded(a: float, b: float) -> bool:
    """Whether two numbers differ by no more than one in the last digit of the shorter one, and by little of both."""
    last_digit = max(float(Decimal(1).scaleb(int(Decimal(repr(each)).as_tuple().exponent))) for each in (a, b))
    return abs(a - b) <= min(last_digit, ROUNDING * max(abs(a), abs(b)))


def _type(value: Any) -> str:
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "any")


def _ways_of_reporting(log: Path) -> str:
    """Which of the ways there are a run of `train.sh` reported by, in words; empty where by none."""
    named = set()
    if log.is_file():
        with log.open("rb") as file:
            named = {report.name is not None for report in reports_in(file) if report.number is not None}
    ways = ["result lines"] if True in named else []
    ways += ["a result line without a name"] if False in named else []
    ways += [name for name in (RESULT_FILE, SCORES_FILE) if (log.parent / name).is_file()]
    return " and ".join(ways)


def _peak_memory_below(ancestor: int) -> int:
    """Bytes that the largest of a process's descendants has had at most; 0 where /proc does not tell."""
    peaks = [0]
    for pid in descendants(ancestor):
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(peaks)


def _cost(run: Run) -> str:
    memory = f", {run.peak_memory / MEGABYTE:.0f} MB in its largest process" if run.peak_memory else ""
    return f"{run.seconds:.2f} s{memory}"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
