"""The forms of what is stored, and of what goes between a search and its workers; `docs/record-format.md` has them too.

Every reader and writer of a record uses these. A form says what may be relied on, of this version's files and of
earlier ones'; a file may hold more, which is kept. A file that is not of its form was damaged, or changed by hand.

| file | form |
|---|---|
| `EXPERIMENTS/ID/experiment.json` | `FrozenExperiment`; `WholeExperiment` where it is gone on with |
| `EXPERIMENTS/ID/evaluations.jsonl` | an `Evaluation` on each line |
| `EXPERIMENTS/ID/state.json` | `State` |
| `EXPERIMENTS/ID/running/*.json` | `InFlight` |
| `EXPERIMENTS/ID/withdrawn.jsonl` | a `Withdrawal` on each line |
| `EXPERIMENTS/ID/notes.json` | `Notes` |
| `EXPERIMENTS/ID/launch-N/launch.json` | `Launched`; `LaunchForRanks` for its ranks |
| `EXPERIMENTS/runs/AB/IDENTITY/result.json` | `RunResult` |
| `EXPERIMENTS/runs/AB/IDENTITY/withdrawn.json` | `WithdrawnResult` |
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from comparator.errors import FAULT, InputError
from comparator.formats.refusal import allowed, key_of

#: The format of an experiment and its record. 2: what `identity` and `data` of its models are made of. 3: a line of
#: `evaluations.jsonl` has the replicates that no earlier one has (`Evaluation.after`). 4: so has one of differences in
#: deviations, by the unit that it says (`Evaluation.unit`).
FORMAT = 4

#: The hyperparameter by which a point says whose it is, where an experiment has several models that are not compared.
MODEL = "model_name"

PILOT, SEARCH, FULL, CONFIRM = "pilot", "search", "full", "confirm"
#: The stages that follow when a search is over.
AFTERWARDS = (FULL, CONFIRM)

#: The size beyond which a metric, or a value, is no result: its powers would overflow.
LARGEST = 1e100


def in_range(number: float | None) -> float | None:
    """The number; None for one beyond `LARGEST`."""
    return None if number is None or abs(number) > LARGEST else number


Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
#: The numbers of what is trained beside a search, and is no line of its record: a single model at its settings as
#: given, and, from the second number downwards, what tells which hyperparameter changes which model.
BASELINE, FIRST_PROBE, MOST_PROBES = -1, -2, 3
#: The number of what is no training: a worker that has nothing to do waits, and the search is asked for more then.
LISTEN = FIRST_PROBE - MOST_PROBES
#: The number of an evaluation, or of what is asked of workers beside them.
Numbered = Annotated[int, Field(ge=LISTEN)]
#: To a signal, 0 and less are many processes.
ProcessId = Annotated[int, Field(ge=1)]
LaunchName = Annotated[str, Field(pattern=r"^launch-[0-9]+$")]
#: None is a number that is not finite, or out of range.
Metric = Annotated[Number | None, AfterValidator(in_range)]
Metrics = dict[str, Metric]
#: The values of hyperparameters by name, or a part of them.
Point = dict[str, Any]


class Form(BaseModel):
    """Something stored; texts are texts and numbers are numbers."""

    model_config = ConfigDict(extra="allow", strict=True)

    def as_json(self) -> dict[str, Any]:
        """What is written: the keys that it was read with, or made with."""
        return self.model_dump(exclude_unset=True)


AnyForm = TypeVar("AnyForm", bound=BaseModel)


class Run(Form):
    """A run as a line of a record shows it.

    `run` is its name in the store, which what was imported does not have; `log` is relative to the folder of all
    experiments. `split` is the seed of the data split that was the block's own; the key is there where there was one
    asked for; `seeds` likewise has the steps of those parts of the seed that had their own (`Request.seeds`).
    `block` is the block of the replicate (`comparator.strategies.blocks`), 0 in records of earlier versions.
    `no_reuse` says why the run serves no other experiment.
    """

    submodel: Count
    replicate: Count
    status: Literal["ok", "failed", "timeout", "cancelled"]
    metrics: Metrics
    seed: int | None = None
    split: int | None = None
    seeds: dict[str, Count] | None = None
    block: Count = 0
    run: str | None = None
    seconds: Number | None = None
    device: str | None = None
    reason: str | None = None
    reused: bool = False
    log: str | None = None
    no_reuse: str | None = None

    @property
    def has_own_split(self) -> bool:
        return "split" in self.model_fields_set


class Replicate(Form):
    """A replicate that an evaluation asked for; `reused` says that nothing was trained for it."""

    replicate: Count
    started: str | None = None
    seconds: Number = 0.0
    worker: str | None = None
    reused: bool = False


class Evaluation(Form):
    """A line of `evaluations.jsonl`: a proposal of the search that has come to its end.

    `id` is its name in a UPF; `stage` is pilot, search, full, confirm or imported. `value` is what the search
    minimises, None unless `status` is ok: the mean over all replicates of the point that ended well until then, of
    whose signed differences are `deviation` and `interval` (95 %).

    `replicates` are those of them that no earlier line of the point has; `signed` has the signed difference of each,
    `blocks` their blocks, `runs` their runs, and those of the evaluation's own replicates that failed. What comes
    before them is in the evaluation of the number `after` and, by its `after`, in those before that; where it is None
    these are all. `comparator.results.whole` puts them together. Records of earlier versions, and of other programs,
    have neither key: each of their lines has all.

    `unit` is what the line's numbers are divided by, in the metric's own unit, where each further replicate of a point
    changes that (a difference in deviations, without a pilot); no other line has the key.

    `asked` are the replicates that the evaluation asked for itself; records of earlier versions, and of other programs,
    do not say. `claim` is the name of the claim that the evaluation is to confirm. `epochs` is the length of its
    trainings where they were shorter than full ones.
    """

    evaluation: Count
    id: str | None = None
    stage: str = SEARCH
    claim: str | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    generation: int | None = None
    point: Point
    status: Literal["ok", "failed", "timeout"]
    value: Number | None
    after: Count | None = None
    replicates: list[Count] | None = None
    signed: list[Number] | None = None
    blocks: list[Count] | None = None
    unit: Annotated[Number, Field(gt=0)] | None = None
    deviation: Number | None = None
    interval: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    started: str | None = None
    seconds: Number | None = None
    worker: str | None = None
    asked: list[Replicate] | None = None
    runs: list[Run]
    reason: str | None = None

    @model_validator(mode="after")
    def _ok_has_a_value(self) -> Evaluation:
        if self.status == "ok" and self.value is None:
            raise ValueError("value is null, but status is 'ok'")
        return self

    @model_validator(mode="after")
    def _has_a_number_for_each_replicate(self) -> Evaluation:
        if self.replicates is not None:
            there = len(self.replicates)
            for key, numbers in (("signed", self.signed), ("blocks", self.blocks)):
                if len(numbers or ()) != there:
                    raise ValueError(f"{key} has {len(numbers or ())} numbers, but replicates has {there}")
        return self

    @model_validator(mode="after")
    def _out_of_range_is_failed(self) -> Evaluation:
        if any(in_range(number) is None for number in (self.value or 0.0, *(self.signed or ()))):
            self.status, self.value, self.reason = "failed", None, f"out of range: beyond {LARGEST:g} in size"
            self.signed, self.blocks, self.deviation, self.interval = [], [], None, None
            self.after, self.replicates = None, None if self.replicates is None else []
        return self


class Request(Form):
    """What a worker is asked: one replicate of an evaluation.

    `evaluation` is negative for what is trained beside the search: `BASELINE`, `FIRST_PROBE`; `LISTEN` asks for no
    training, but to wait for `expected_seconds`. `seed` is added to the
    seed of every model, `split`, where it is not None, to the seed of the data split of every model that has one
    (`comparator.strategies.blocks`). `seeds` is added likewise to what seeds a part, of every model that has such a
    hyperparameter; None: each part has the seed of its model.
    `epochs` takes the place of the number of epochs of every model; None: the full one.
    """

    evaluation: Numbered
    name: str | None = None
    point: Point
    replicate: Count
    expected_seconds: Number | None = None
    block: Count = 0
    seed: Count = 0
    split: int | None = None
    seeds: dict[str, Count] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None


class Result(Form):
    """What a worker answers. `status` may be `cancelled`, which is not recorded, or `fault`, which ends the search."""

    evaluation: Numbered
    replicate: Count = 0
    status: Literal["ok", "failed", "timeout", "cancelled", "fault"]
    value: Number | None = None
    started: str = ""
    seconds: Number = 0.0
    worker: str | None = None
    runs: list[Run]
    reason: str | None = None

    @property
    def is_fault(self) -> bool:
        return self.status == FAULT


class Running(Form):
    """An evaluation that waits for a result, for people."""

    evaluation: Numbered
    stage: str = SEARCH
    point: Point = {}
    started: str | None = None


class InFlight(Form):
    """A training that is being carried out, for people: one submodel's of one replicate of an evaluation.

    `run` is its name in the store; `epochs` is how many it is given, None where it takes no such number.
    """

    evaluation: Numbered
    replicate: Count
    submodel: Count
    run: str
    point: Point = {}
    started: str
    epochs: int | None = None


#: The states of an experiment that runs, or is to.
ALIVE = ("queued", "running")


class State(Form):
    """What the process that runs, or ran, an experiment last said of it: advice, never truth.

    `running` lists what runs, the first of it where that is much; `unlisted` says how many run beside. `reporting` is
    the share of the report that is done, while it is written.
    """

    state: str = "new"
    pid: ProcessId | None = None
    host: str | None = None
    launch: LaunchName | None = None
    updated: str | None = None
    running: list[Running] = []
    unlisted: Count = 0
    reason: str | None = None
    job: str | None = None
    reporting: Number | None = None

    @property
    def in_flight(self) -> int:
        """How many evaluations run."""
        return len(self.running) + self.unlisted


class PythonOfSubmodel(Form):
    """What a model runs in that has a Python of its own: where, its version, and the packages that are installed."""

    interpreter: str = ""
    version: str = ""
    packages: dict[str, str] = {}


class Submodel(Form):
    """A model of a frozen experiment, and what it is given."""

    submodel: Count = 0
    name: str = ""
    label: str = ""
    path: str = ""
    identity: str = ""
    #: A cheap look that tells whether the model is unchanged, None where there is none.
    state: Any = None
    #: Its hyperparameters that take the seed of a run, and of the data split; None where there is none. `seeds` are
    #: those that take a part of the seed, by part (`initialisation`, `order`); None where it has one seed for all.
    seed: str | None = None
    seeds: dict[str, str] | None = None
    split: str | None = None
    #: How its study's rows are cut (`[controls]` of `model.toml`); None where it does not say.
    controls: dict[str, Any] | None = None
    without_effect: list[str] = []
    numbers: list[str] = []
    config: dict[str, Any] = {}
    hyperparameters: dict[str, Any] = {}
    names: dict[str, str] = {}
    environment: dict[str, str] = {}
    device: str | None = None
    python: PythonOfSubmodel | None = None
    code: str | None = None
    source: str | None = None
    code_until: Any = None
    data: str | None = None
    data_until: Any = None
    untold: str | None = None


class MetricDescription(Form):
    """What a model says of a metric: an error, a score or a fact; `lowest` is the smallest value that it can have."""

    kind: str | None = None
    description: str = ""
    lowest: Number | None = None

    @property
    def may_be_negative(self) -> bool:
        """Whether it may; a score, unless `lowest` says otherwise, an error only where it does."""
        return self.kind == "score" if self.lowest is None else self.lowest < 0


class ObjectiveWords(Form):
    """What the number is called that an experiment looks for."""

    name: str = ""
    symbol: str = ""
    maximise: bool = False
    unit: str = ""


class FrozenStrategy(Form):
    """The search of a frozen experiment; `past` are points and values that it is told before it begins.

    `code` is the SHA-256 of the file of a strategy that is not the Comparator's own. `ahead` is how many proposals more
    than `in_flight` it has made, which are kept ready (`comparator.strategies.ahead`).
    """

    name: str = ""
    code: str | None = None
    seed: int = 1
    in_flight: int = 1
    ahead: Count = 0
    options: dict[str, Any] = {}
    where: str = ""
    past: list[Annotated[tuple[Point, Number | None], Field(strict=False)]] = []


class Budget(Form):
    """How many pairs (single runs for a single model) a search may ask for, or generations; None: no such limit."""

    evaluations: int | None = None
    generations: int | None = None


class Confirm(Form):
    """What is trained anew when a search is over: each claim, on so many fresh seeds, with splits of their own.

    Claims are the best `points`, and where `regions` says so what is said of regions; `elsewhere` has them compared
    with what lies outside. `controls` are the designs by which what was shown of two studies is tried afterwards.
    """

    points: int
    seeds: int
    splits: bool = False
    regions: bool = False
    elsewhere: bool = False
    controls: list[str] = []


class Claim(Form):
    """Something that a search found, and that is trained anew; also what it is compared with.

    `kind` is `region`, with its `bounds`; `best`, a point; `elsewhere`, what is outside all regions; or `space`, all
    of it, where there is no region; or `point`, at which each of so many splits meets each of so many seeds, which
    `crossed` says, or `levels` of each of several `factors` meet (`comparator.strategies.blocks.square`). `points`
    has one point for each fresh block, or training. `direction` is the sign of the signed difference that the search
    saw, `stability` the share of resamples in which a region came back.
    """

    name: str
    kind: Literal["region", "best", "elsewhere", "space", "point"]
    bounds: dict[str, Any] | None = None
    direction: Literal[-1, 0, 1] = 0
    stability: Number = 0.0
    points: list[Point] = []
    crossed: tuple[int, int] | None = Field(default=None, strict=False)
    factors: list[str] = []
    levels: Count = 0


class FirstEpochs(Form):
    """A search by short trainings, of `epochs` instead of `full`; so many of the best `points` follow in full."""

    epochs: Annotated[int, Field(ge=1)]
    full: Annotated[int, Field(ge=1)]
    points: Annotated[int, Field(ge=1)]


class Stages(Form):
    """What goes with a search: replicates of a point, blocks to deal them to, a pilot, first epochs, a confirmation.

    `probes` are points that differ from the pilot's first in one hyperparameter each, trained beside the search.
    `pilot_beside` says that the pilot is, too: the search does not wait for it.
    """

    replicates: int | str = 1
    blocks: Annotated[int, Field(ge=1)] = 1
    pilot: list[Point] = []
    pilot_beside: bool = False
    probes: list[Point] = []
    first: FirstEpochs | None = None
    confirm: Confirm | None = None


class Imported(Form):
    """The file of another program that an experiment was made of; `missing` are hyperparameters that it leaves out."""

    file: str = ""
    form: str = ""
    sha256: str = ""
    missing: list[str] = []


class PilotFound(Form):
    """What a pilot found (`comparator.evidence.pilot.Pilot`), and its words."""

    points: int = 0
    pairs: int = 0
    deviation: Number | None = None
    between: Number | None = None
    seconds: Number | None = None
    is_deterministic: bool = False
    words: str = ""


class Provenance(Form):
    """The code, the packages, the machine and the command behind an experiment.

    `opened` is the command that opened a bundle of it in the store in which it lies.
    """

    command: str = ""
    opened: str | None = None
    revision: str | None = None
    python: str | None = None
    packages: dict[str, str] = {}
    platform: str | None = None
    site: str | None = None
    engine: str | None = None
    workers: int | None = None
    data: str | None = None  # of earlier versions
    data_folder: str | None = None


class FrozenExperiment(Form):
    """`experiment.json`, as far as it takes to show what was found; of what another program made it may have less.

    `settings` are those of the experiment file (`comparator.experiment.settings`). `baseline`, `pilot`,
    `probes`, `like_for_like` and `claims` are added while the experiment runs.
    """

    id: str
    format: Annotated[int, Field(ge=1)] = 1
    from_format: int | None = None
    kind: Literal["cmp", "single"] = "cmp"
    created: str = ""
    title: str = ""
    file: str = ""
    settings: dict[str, Any] = {}
    space: list[dict[str, Any]] = []
    upf: list[Annotated[tuple[str | None, Point], Field(strict=False)]] | None = None
    hyperparameters: dict[str, Any] = {}
    models: list[Submodel]
    metric: str = ""
    metrics: dict[str, MetricDescription] = {}
    difference_code: str | None = None
    run_timeout: Number | None = None
    objective: ObjectiveWords = ObjectiveWords()
    strategy: FrozenStrategy = FrozenStrategy()
    budget: Budget = Budget()
    stages: Stages = Stages()
    provenance: Provenance = Provenance()
    notices: list[str] = []
    imported: Imported | None = None
    baseline: Result | None = None
    pilot: PilotFound | None = None
    #: What came of the points of `stages.probes`, in their order.
    probes: list[Result] | None = None
    #: The sentence that was said when the pilot was over.
    like_for_like: str | None = None
    claims: list[Claim] | None = None
    #: The experiment whose claims are tried again here, or a point of which is; then there is nothing else.
    rechecks: str | None = None
    #: The tables of these names of an experiment file (`comparator.studies`).
    cross_study: dict[str, Any] | None = None
    learning_curve: dict[str, Any] | None = None
    cross_hpo: dict[str, Any] | None = None
    all_pairs: dict[str, Any] | None = None
    left_out: dict[str, Any] | None = None

    def table(self, name: str) -> dict[str, Any] | None:
        """The table of a study; None where the experiment is none of that kind."""
        return self._tables[name]

    @property
    def _tables(self) -> dict[str, dict[str, Any] | None]:
        return {
            "cross_study": self.cross_study,
            "learning_curve": self.learning_curve,
            "cross_hpo": self.cross_hpo,
            "all_pairs": self.all_pairs,
            "left_out": self.left_out,
        }

    @property
    def command(self) -> str:
        """The command that carries it out: search, that of a study, or what tries another experiment again."""
        study = next((name for name, table in self._tables.items() if table is not None), None)
        if study is not None:
            return study.replace("_", "-")
        if self.rechecks is None:
            return "search"
        return "recheck" if self.crossing is None else "variance"

    @property
    def is_search(self) -> bool:
        """Whether points are tried for the best of them, or for where they differ; a sweep does so too."""
        return self.command == "search"

    @property
    def crossing(self) -> Claim | None:
        """The point at which splits are crossed with seeds; None where that is not looked at."""
        return next((claim for claim in self.claims or () if claim.crossed is not None or claim.levels), None)

    @property
    def pairs(self) -> list[str]:
        """The ids of the experiments of the pairs, where this is a study of all pairs; else empty."""
        if self.all_pairs is None:
            return []
        return [f"{self.id}-{first}-{second}" for first, second in itertools.combinations(self.labels, 2)]

    @property
    def why_nothing_is_compared(self) -> str:
        """What is to be said where two models are asked for that are compared point by point; empty where they are."""
        if self.pairs:
            pairs = "pair, each of which is an experiment" if len(self.pairs) > 1 else "pair, which is an experiment"
            return f"it is a study of all pairs, which trains nothing itself; ask it of a {pairs}: '{self.pairs[0]}'"
        if not self.is_search and self.rechecks is None:
            claims = "it claims nothing of a region or a point; its own page has its answer"
            return f"it is a study, of `comparator {self.command}`: {claims}"
        return "it searches one model, and compares nothing" if self.kind == "single" else ""

    @property
    def has_alternatives(self) -> bool:
        """Whether each point is one of several models', which it names as `model_name`."""
        return self.kind == "single" and len(self.models) > 1

    def models_at(self, point: Mapping[str, Any]) -> list[int]:
        """The models that are trained at a point, by their numbers: both of a comparison, the one of a search."""
        if not self.has_alternatives:
            return list(range(len(self.models)))
        return [number for number, label in enumerate(self.labels) if label == point.get(MODEL)]

    @property
    def labels(self) -> tuple[str, ...]:
        """A short name for each submodel: its label, else its name, numbered where they are equal."""
        names = [one.label or one.name or "model" for one in self.models]
        if len(set(names)) == len(names):
            return tuple(names)
        return tuple(f"{name} ({number})" for number, name in enumerate(names))


#: Tables of an experiment file, by the names that its frozen settings have for them.
WRITTEN = {"cmp.submodel_0": "cmp.0", "cmp.submodel_1": "cmp.1"}


def by_dotted_name(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their names as a file and `--set` have them, `search.seed` say."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        whole = WRITTEN.get(f"{prefix}{name}", f"{prefix}{name}")
        found |= by_dotted_name(value, f"{whole}.") if isinstance(value, Mapping) else {whole: value}
    return found


class WholeExperiment(FrozenExperiment):
    """`experiment.json`, with all that it takes to go on with an experiment, or to repeat its trainings."""

    format: Annotated[int, Field(ge=1)]
    kind: Literal["cmp", "single"]
    file: str
    metric: str
    metrics: dict[str, MetricDescription]
    settings: dict[str, Any]
    space: list[dict[str, Any]]
    hyperparameters: dict[str, Any]
    strategy: FrozenStrategy


class ReadsOfResult(Form):
    """What a run has read, as `comparator.model.reads.Reads` has it; what says more cannot be compared with today."""

    model_config = ConfigDict(extra="forbid", strict=True)

    files: dict[str, str | None] = {}
    noticed: dict[str, str | None] = {}
    folders: dict[str, str | None] = {}
    places: dict[str, str | None] = {}
    variables: dict[str, str | None] = {}
    packages: dict[str, str | None] = {}
    imports: dict[str, list[str]] = {}
    unseen: list[str] = []


class RunResult(Form):
    """`result.json` of a run.

    `history` has a number for each epoch. `unnamed` is the metric whose number was reported without a name; it is that
    of whatever is asked for. `experiment` is the one that it was trained for. `together` is how many runs one call of
    the model carried out, where that were several; `seconds` is then this one's share of the time that the call took,
    so that the seconds of runs add up to the time in which models worked.
    """

    status: Literal["ok", "failed", "timeout", "cancelled"]
    metrics: Metrics = {}
    history: dict[str, list[Metric]] = {}
    reason: str | None = None
    reads: ReadsOfResult | None = None
    unnamed: str | None = None
    seconds: Number = 0.0
    together: Count | None = None
    started: str | None = None
    device: str | None = None
    model: str | None = None
    hyperparameters: dict[str, Any] | None = None
    worker: str | None = None
    computed_on: str | None = None
    experiment: str | None = None
    no_reuse: str | None = None

    def in_metric(self, metric: str) -> RunResult:
        """For somebody who asks for `metric`: a number without a name is that of whatever is asked for."""
        if self.unnamed is None or metric in self.metrics:
            return self
        named = {metric if name == self.unnamed else name: value for name, value in self.metrics.items()}
        return self.model_copy(update={"metrics": named})


class WithdrawnResult(Form):
    """`withdrawn.json` of a run: its result, which did not come out again."""

    withdrawn: str
    reason: str
    result: RunResult


class Withdrawal(Form):
    """A line of `withdrawn.jsonl`: a run that was withdrawn after the experiment's `evaluations` had used it."""

    run: str
    evaluations: list[int]
    withdrawn: str
    reason: str


class Notes(Form):
    """`notes.json` of an experiment: what people have said of it since. It is no part of what was frozen."""

    tags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    text: str = ""


class LaunchedSite(Form):
    """The site of a launch, all of `comparator.site.profile.Site`; what commands look at."""

    scheduler: str
    leaf: str = "python"


class Launched(Form):
    """`launch.json` of a launch, as far as commands look at it; `pid` is the command's that made it.

    A launch of an earlier version does not name its engine.
    """

    engine: str = "swift-t"
    site: LaunchedSite
    pid: ProcessId


class LaunchForRanks(Launched):
    """The same of a Swift/T launch, with what its ranks need to know."""

    experiment: str
    root: str
    workers_per_node: int
    workers: int
    warm: bool
    reports: bool
    sweep: bool
    python: str
    python_path: str | None


def of_form(form: type[AnyForm], content: object, where: str) -> AnyForm:
    """What was read, in its form; raises `InputError`, whose line `where` opens, where it is not."""
    try:
        return form.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{where}: {_fault(error)}; the file was changed or damaged") from None


def as_text(form: Form) -> str:
    """A form as a line of JSON."""
    return json.dumps(form.as_json(), allow_nan=False)


def _fault(error: ValidationError) -> str:
    """What is wrong with what was read, in words that begin with the key."""
    kind, key = error.errors()[0]["type"], key_of(error)
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":  # of our own; it names its keys
        return allowed(error)
    return f"{key}: {allowed(error)}" if key else "it is no object"
