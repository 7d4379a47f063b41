"""The settings of an experiment, table by table as they stand in its file, and what is checked of each.

Keys and their meaning are in `cfg/cmp-ga.toml`, an example with a word to each.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from comparator.experiment.of_the_environment import asked_metric
from comparator.formats.text import shortened, shown
from comparator.model.python_environment import PythonChoice
from comparator.space import MOST_POINTS
from comparator.strategies.blocks import BLOCKS, MOST_BLOCKS
from comparator.strategies.strategy import SWEEPS

#: A text that says something: an empty one would be taken for what was not said.
Said = Annotated[str, Field(min_length=1)]
ADAPTIVE = "adaptive"
#: The keys of `[search]` that a UPF takes.
OF_A_UPF = {"replicates", "blocks"}
#: The strategy where the file names none, by what is to be found.
STRATEGY_FOR = {"maximum": "bayesian", "regions": "level_set", "both": "region_and_maximum"}


def entries_of(given: Any) -> Any:
    """A space whose entries are a table by name as the list that a space file has; anything else as it is.

    Raises `ValueError`.
    """
    if not isinstance(given, dict):
        return given
    for name, entry in given.items():
        if not isinstance(entry, dict):
            meant = "type = 'float', lower = 0, upper = 1"
            if isinstance(entry, list):
                meant = f"type = 'categorical', values = {shown(entry) if entry else '[1, 2]'}"
            raise ValueError(
                f"'{shortened(name)}' = {shown(entry)} is no table; write {shortened(name)} = {{ {meant} }}"
            )
        if entry.get("name", name) != name:
            raise ValueError(f"'{shortened(name)}' has another 'name', {shown(entry['name'])}")
    return [{"name": name, **entry} for name, entry in given.items()]


class SearchSettings(BaseModel):
    """`[search]`: what to find, which search, how long. Keys that are not named here are options of the strategy."""

    model_config = ConfigDict(extra="allow", strict=True)

    find: Literal["maximum", "regions", "both"] = "maximum"
    strategy: str
    #: The size of the difference that counts; None for the cut whose two sides differ most.
    level: float | None = None
    #: The size of difference that matters: what it takes to see it is said beforehand. It changes nothing else.
    smallest: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    evaluations: int | None = Field(default=None, ge=1, le=MOST_POINTS)
    generations: int | None = Field(default=None, ge=1, le=MOST_POINTS)
    #: Every point is trained for so many epochs first; None: in full at once.
    first_epochs: int | None = Field(default=None, ge=1, le=MOST_POINTS)
    #: The share of the points that is trained in full then; None for a third.
    keep: float | None = Field(default=None, gt=0, le=1)
    replicates: int | str = 1
    #: Data splits with a stream of seeds each, to which replicates are dealt; None for 8, of a UPF 1.
    blocks: int | None = Field(default=None, ge=1, le=MOST_BLOCKS)
    pilot: bool | int | None = None
    #: Proposals that a search which models its results keeps ready; None for a quarter as many as there are workers.
    ahead: int | None = Field(default=None, ge=0, le=MOST_POINTS)
    seed: int = Field(default=1, ge=0)
    past: list[str] = Field(default_factory=list)
    #: Boxes of the space that the search keeps to, or keeps out of: a file, or the bounds themselves.
    focus: str | dict[str, Any] | None = None
    avoid: str | dict[str, Any] | None = None

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @field_validator("replicates", mode="before")
    @classmethod
    def _seeds_for_each(cls, given: Any) -> Any:
        if given != ADAPTIVE and (
            isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_POINTS
        ):
            raise ValueError(f"must be a whole number from 1, or '{ADAPTIVE}'; {MOST_POINTS:,} at the most")
        return given

    @field_validator("pilot", mode="before")
    @classmethod
    def _points_to_try(cls, given: Any) -> Any:
        if given is not None and (not isinstance(given, int) or not 0 <= given <= MOST_POINTS):
            raise ValueError("must be true, false, or a number of points")
        return given

    @model_validator(mode="before")
    @classmethod
    def _strategy_for_what_is_found(cls, given: Any) -> Any:
        if isinstance(given, dict) and "strategy" not in given:
            return {**given, "strategy": STRATEGY_FOR.get(str(given.get("find")), STRATEGY_FOR["maximum"])}
        return given

    @model_validator(mode="after")
    def _no_more_than_one_budget(self) -> SearchSettings:
        if self.evaluations is not None and self.generations is not None:
            raise ValueError("give evaluations or generations, not both")
        return self

    @model_validator(mode="after")
    def _short_trainings_of_a_search(self) -> SearchSettings:
        if self.first_epochs is None and self.keep is not None:
            raise ValueError("keep is the share of the points that is trained in full after first_epochs: give both")
        if self.first_epochs is not None and self.strategy in SWEEPS:
            raise ValueError("first_epochs is of a search; all points of a sweep are trained in full")
        if self.first_epochs is not None and self.evaluations is None:
            raise ValueError("first_epochs shares a budget of full trainings: give evaluations = N")
        return self


class SubmodelSettings(BaseModel):
    """`[cmp.0]` and `[cmp.1]`: what is one submodel's own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    #: From a hyperparameter's common name to this model's own.
    names: dict[str, str] = Field(default_factory=dict)
    #: Variables of its environment.
    environment: dict[str, str] = Field(default_factory=dict)
    #: The device that all its runs are bound to, as the device variable has it; "none": it gets no device.
    device: Said | None = None
    #: The environment, or interpreter, that it runs in; with `requirements` the one that its environment is made by.
    python: Said | None = None
    requirements: Said | None = None

    @field_validator("environment")
    @classmethod
    def _folders_of_a_path(cls, given: dict[str, str]) -> dict[str, str]:
        for folder in given.get("PATH", os.sep).split(os.pathsep):
            if not folder.startswith(os.sep):
                raise ValueError(f"{shown(folder)} of the PATH is no absolute path; no variable in it is written out")
        return given


class ConfirmationSettings(BaseModel):
    """`[confirm]`: what is trained anew when the search is over, on seeds, and splits, that it never used."""

    model_config = ConfigDict(extra="forbid", strict=True)

    #: The best points; None for one, and none where regions are to be found. 0 alone leaves all of it out.
    points: int | None = Field(default=None, ge=0, le=MOST_POINTS)
    #: Of each claim, and of what it is compared with.
    seeds: int = Field(default=BLOCKS, ge=2, le=MOST_POINTS)
    splits: bool = True
    #: Whether the regions are tried too; None for yes, but where `points` is 0.
    regions: bool | None = None
    #: How what was shown of two studies is tried again afterwards, to tell the study from its size.
    controls: list[Literal["rows", "drugs", "cells"]] = Field(default_factory=list)


class ComparisonSettings(BaseModel):
    """`[cmp]`: how two trainings become one number."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    metric: Said | None = None
    #: None: what suits the metric (`differences.usual_difference`); as frozen it is always named.
    difference: Said | None = None
    models: list[str] | None = None
    labels: list[str] | None = None
    #: "like for like": the search goes on only where the pilot finds that both are trained and judged alike.
    require: Literal["like for like"] | None = None
    submodel_0: SubmodelSettings = Field(default_factory=SubmodelSettings, alias="0")
    submodel_1: SubmodelSettings = Field(default_factory=SubmodelSettings, alias="1")

    @property
    def submodels(self) -> list[SubmodelSettings]:
        return [self.submodel_0, self.submodel_1]

    @field_validator("models", "labels")
    @classmethod
    def _two(cls, given: list[str] | None) -> list[str] | None:
        if given is not None and len(given) != 2:
            raise ValueError("must name two: one for submodel 0, one for submodel 1")
        return given


class ExperimentSettings(BaseModel):
    """A whole experiment file. Paths in it are relative to the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    model: str = "cmp"
    hyperparameters: str | list[str] = Field(default_factory=list)
    #: A file, or the entries of one: a list, or a table of them by name.
    space: str | list[dict[str, Any]] | None = None
    upf: Said | None = None
    metric: Said | None = None
    run_timeout: float | None = Field(default=3600.0, gt=0)
    #: Of a single model; of a comparison's they stand in `[cmp.0]` and `[cmp.1]`.
    python: Said | None = None
    requirements: Said | None = None
    search: SearchSettings = Field(default_factory=lambda: SearchSettings(strategy="listed"))
    cmp: ComparisonSettings = Field(default_factory=ComparisonSettings)
    confirm: ConfirmationSettings | None = None
    set: dict[str, Any] = Field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether two models are compared, or a single one is searched."""
        return self.model == "cmp"

    @property
    def apart(self) -> list[SubmodelSettings]:
        """What is each model's own."""
        if self.compares:
            return self.cmp.submodels
        return [SubmodelSettings(python=self.python, requirements=self.requirements)]

    def python_of(self, submodel: int, file: Path) -> PythonChoice:
        """What these settings, which `file` gives, say of the Python of a model."""
        apart = self.apart[submodel if self.compares else 0]
        where = f"{file}: [cmp.{submodel}]" if self.compares else str(file)
        return PythonChoice(apart.python, apart.requirements, file.parent, where)

    @property
    def own_metric(self) -> str | None:
        """The metric that the file states."""
        return self.cmp.metric if self.compares else self.metric

    @property
    def asked_metric(self) -> str:
        """The metric that counts: the file's, else MODEL_RETURN or OBJ_RETURN of the environment, else val_loss."""
        asked = asked_metric()
        return self.own_metric or (asked[1] if asked is not None else "val_loss")

    @model_validator(mode="before")
    @classmethod
    def _replicates_of_a_upf(cls, content: Any) -> Any:
        search = content.get("search") if isinstance(content, dict) else None
        if isinstance(search, dict) and content.get("upf") is not None and search and set(search) <= OF_A_UPF:
            return {**content, "search": {"strategy": "listed", **search}}
        return content

    @field_validator("space", mode="before")
    @classmethod
    def _entries_of_a_table(cls, given: Any) -> Any:
        return entries_of(given)

    @model_validator(mode="after")
    def _space_or_upf(self) -> ExperimentSettings:
        if (self.space is None) == (self.upf is None):
            raise ValueError("give either space = 'FILE' (with a [search]) or upf = 'FILE'")
        if self.upf is not None and self.search.strategy != "listed":
            raise ValueError("a UPF is carried out line by line; of [search] it takes replicates and blocks alone")
        if self.space is not None and self.search.strategy == "listed":
            raise ValueError("a space needs a [search] table")
        return self

    @model_validator(mode="after")
    def _regions_of_a_comparison(self) -> ExperimentSettings:
        if self.search.find != "maximum" and not self.compares:
            raise ValueError(f"find = '{self.search.find}' asks where two models differ; it needs model = 'cmp'")
        return self

    @model_validator(mode="after")
    def _python_in_its_place(self) -> ExperimentSettings:
        for key in ("python", "requirements"):
            if self.compares and getattr(self, key) is not None:
                raise ValueError(f"each model of a comparison has its own '{key}': it stands in [cmp.0] or [cmp.1]")
        return self

    @model_validator(mode="after")
    def _nothing_of_two_for_one(self) -> ExperimentSettings:
        if self.compares:
            return self
        tables = {"cmp": self.cmp, "cmp.0": self.cmp.submodel_0, "cmp.1": self.cmp.submodel_1}
        for table, given in tables.items():
            for key in sorted(given.model_dump(exclude={"submodel_0", "submodel_1"}, exclude_defaults=True)):
                own = key in ExperimentSettings.model_fields
                words = "that of a single model stands at the top of the file" if own else "it needs model = 'cmp'"
                raise ValueError(f"[{table}] '{key}' is of two models that are compared: {words}")
        return self

    @model_validator(mode="after")
    def _metric_in_its_place(self) -> ExperimentSettings:
        if self.compares and self.metric is not None:
            raise ValueError("a comparison's metric stands in [cmp] as 'metric'")
        return self


#: The tables of the file, whose keys the command line gives as TABLE.KEY.
TABLES: dict[str, type[BaseModel]] = {
    "search": SearchSettings,
    "cmp": ComparisonSettings,
    "confirm": ConfirmationSettings,
}


def known_keys() -> list[str]:
    """The keys of an experiment file as `--set` has them: `metric`, `search.population`."""
    top = [name for name in ExperimentSettings.model_fields if name not in (*TABLES, "set")]
    return top + [f"{table}.{name}" for table, kind in TABLES.items() for name in kind.model_fields]
