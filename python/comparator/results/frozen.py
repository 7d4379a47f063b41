"""An experiment as it was frozen when it began, with what was found since: the forms of `experiment.json`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field

from comparator.results.form import Count, Form, Number, Point
from comparator.results.requests import Result

#: The format of an experiment and its record. 2: what `identity` and `data` of its models are made of. 3: a line of
#: `evaluations.jsonl` has the replicates that no earlier one has (`Evaluation.after`). 4: so has one of differences in
#: deviations, by the unit that it says (`Evaluation.unit`).
FORMAT = 4
#: The hyperparameter by which a point says whose it is, where an experiment has several models that are not compared.
MODEL = "model_name"


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

    @property
    def description_file(self) -> str:
        """The name of the file that describes it, or would: of `first.py` it is `first.toml`, beside it."""
        path = PurePath(self.path)
        return path.with_suffix(".toml").name if path.suffix == ".py" else "model.toml"


def described_in(models: Iterable[Submodel]) -> str:
    """The names of the files that describe these models, or would: `model.toml`, `first.toml or second.toml`."""
    return " or ".join(dict.fromkeys(model.description_file for model in models))


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

    @property
    def number(self) -> int:
        """Which it is of its kind, behind which a name ends that has it: `region 2`; else 1."""
        last = self.name.rpartition(" ")[2]
        return int(last) if last.isdecimal() else 1


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
        if self.has_alternatives:
            return f"it trains each of {len(self.models)} models by itself, as its file says, and compares nothing"
        return "it searches one model, and compares nothing" if self.kind == "single" else ""

    @property
    def trained(self) -> str:
        """What its budget counts, for people."""
        return "trainings" if self.kind == "single" else "pairs"

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
