"""`model.toml`: how a model describes itself.

```toml
name = "Uno"
description = "one line"
convention = "candle"                     # how train.sh is called
command = ["python", "train.py"]          # in the place of train.sh: a script of its own, see `own_command`; optional
module = "uno"                            # a CANDLE-compliant module, for warm serving; optional
python_path = [".", "../common"]          # folders that the module is imported from; part of the identity
run_many = true                           # whether it has run_many(params_list); optional outside images
python = "../venvs/uno"                   # the environment (venv, conda) or interpreter that runs it; optional
requirements = "requirements.txt"         # an environment is made from this file, by that Python; optional
start_in = "src"                          # of `command`: where it is started, a folder of the model's; optional
settings = "config.yaml"                  # of `command`: hyperparameters that a file takes, and no flag; optional
flags = "--name=value"                    # of `command`: how it writes those whose script does not tell; optional
links = ["data", "*.txt"]                 # of the model's files those that are to be in the current folder; optional
folders = ["results"]                     # that it wants to be there, and writes into; optional
seed = "rng_seed"                         # the hyperparameter that takes the seed; optional
seeds = { initialisation = "initialization_seed", order = "order_seed" }  # those that take a part of it; optional
split = "split_seed"                      # the one that takes the seed of the data split, of default 1; optional
split_fixed = { split = "file" }          # hyperparameters at which that seed changes nothing; optional
data_manifest = "prepared/manifest.json"  # under the data folder; tells one data set from another
reads = ["raw_data/CCLE"]                 # all that a run reads there, where that is not the whole data folder
code = ["../HiDRA"]                       # files and folders, beside the model's own, that its code is in
packages = ["torch", "numpy"]             # installed packages that its numbers depend on
variant = "kind"                          # of several models in one folder: the hyperparameter that says which

[metrics.val_loss]
kind = "error"                            # "error": smaller is better, "score": larger, "fact": neither
lowest = 0                                # optional: the smallest value it can have; 0 of an error, none of a score
description = "one line"
printed = "test mse: "                    # optional: what it prints before the number, see `described_results`
file = "scores.json"                      # optional: or where in the folder of its run it writes it,
key = "test.mse"                          # and by which name, if not this one

[controls]                                # how its rows are cut where two studies are compared; optional
study = "train_sources"                   # the hyperparameter that names the study
rows = "row_limit"                        # the one that limits training rows, which a metric `training_rows` counts
shared = "match_studies"                  # the one that takes both studies, so that only what they share is used
drugs = { match_by = "drug" }             # what is set beside it for all rows of shared drugs,
cells = { match_by = "cell" }             # and of shared cell lines

[hyperparameters.noise]
type = "float"
description = "one line"
effect = "none"                           # optional: accepted for compatibility, changes nothing
stage = "preprocess"                      # optional: of three steps the one that takes it, where no script tells
minimum = 0                               # optional, as maximum, above, below, choices = [...]: what it takes

[inputs.fingerprints]                     # data that its variants read
description = "one line"
files = ["prepared/*/drug_fingerprints.npy"]  # where below the data folder, any of these; none: it cannot be had

[variants.RandomForest]                   # is named as FOLDER:RandomForest
description = "one line"
needs = ["fingerprints"]                  # of the inputs
hyperparameters = { max_depth = [5, 10] } # its own beside what all take: usual values, the default first
```

`seeds` names what seeds the first weights, and the order of rows or batches, apart from all else that `seed` decides;
without a value each has that of `seed`. A part that is left out is one that the model does not have: `seeds = {}`
says that its seed decides neither.

`run_many` says whether the module trains several configurations by one call (`server.py`). Where it does not stand, the
module's source tells, which in an image nobody reads.

`data_manifest`, `reads`, `code` and `packages` say what a run depends on, which is part of its identity: a run found in
the store takes the place of a training only where all of that is as it was. Without the first two the whole data folder
counts. A model that gives any of the first three has thereby told all that its runs read (`reads = []`: nothing of the
data folder); of one that gives none, see `model.model.Model.untold`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from comparator.errors import InputError, nearest
from comparator.formats.refusal import refusal
from comparator.formats.spelling import spelling
from comparator.formats.text import LONGEST_MESSAGE, UNFIT, read_text, shortened, shown, text_with, unfit_number
from comparator.model.described import HyperparameterDescription, MetricDescription, fault_of_limit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


#: Keys that an experiment file has, and no description.
OF_EXPERIMENTS = {"model", "search", "cmp", "space", "upf"}
NUL = re.compile("\0")


#: What a seed decides that may have a seed of its own.
SeedPart = Literal["initialisation", "order"]
#: The names of what takes the seed, of a model whose scripts tell what they take.
SEEDS = ("rng_seed", "seed", "random_seed")


class ControlsDescription(BaseModel):
    """Which hyperparameters cut the rows of a study: to a number, to the drugs or the cell lines that another has
    too."""

    model_config = ConfigDict(extra="forbid")

    study: str
    rows: str | None = None
    shared: str | None = None
    drugs: dict[str, Any] | None = None
    cells: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _shared_with_whom(self) -> ControlsDescription:
        if self.shared is None and (self.drugs is not None or self.cells is not None):
            raise ValueError("drugs and cells need shared, the hyperparameter that takes the names of both studies")
        return self


class InputDescription(BaseModel):
    """Data that a model reads, and the patterns of files below the data folder of which any one is enough."""

    model_config = ConfigDict(extra="forbid")

    description: str = ""
    files: list[str] = Field(default_factory=list)

    def is_in(self, data_folder: Path) -> bool:
        """Whether a data folder has them."""
        return any(next(data_folder.glob(pattern), None) is not None for pattern in self.files)


class VariantDescription(BaseModel):
    """One of several models of a folder: what it needs of the inputs, and which hyperparameters only some of them take.

    Of these the usual values are given, the first of which is the default.
    """

    model_config = ConfigDict(extra="forbid")

    description: str = ""
    needs: list[str] = Field(default_factory=list)
    hyperparameters: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)


class ModelDescription(BaseModel):
    """The contents of `model.toml`. Without one, every field has its default: nothing is known."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    description: str = ""
    convention: Literal["candle", "improve"] = "candle"
    command: Annotated[list[str], Field(min_length=1)] | None = None
    start_in: str | None = None
    settings: str | None = None
    flags: Literal["--name value", "--name=value", "-name value", "name=value"] = "--name value"
    links: list[str] = Field(default_factory=list)
    folders: list[str] = Field(default_factory=list)
    module: str | None = None
    python_path: list[str] = Field(default_factory=lambda: ["."])
    run_many: bool | None = Field(default=None, strict=True)
    python: str | None = None
    requirements: str | None = None
    seed: str | None = None
    seeds: dict[SeedPart, str] | None = None
    split: str | None = None
    split_fixed: dict[str, Any] = Field(default_factory=dict)
    data_manifest: str | None = None
    reads: list[str] | None = None
    code: list[str] = Field(default_factory=list)
    packages: list[str] | None = None
    controls: ControlsDescription | None = None
    metrics: dict[str, MetricDescription] = Field(default_factory=dict)
    hyperparameters: dict[str, HyperparameterDescription] = Field(default_factory=dict)
    variant: str | None = None
    inputs: dict[str, InputDescription] = Field(default_factory=dict)
    variants: dict[str, VariantDescription] = Field(default_factory=dict)

    @field_validator("module")
    @classmethod
    def _name_of_a_module(cls, given: str | None) -> str | None:
        if given is not None and (not given or given.endswith(".py") or "/" in given):
            raise ValueError(f"'{given}' is no module's name; that of a file model.py is 'model'")
        return given

    @field_validator("folders")
    @classmethod
    def _within_a_run(cls, given: list[str]) -> list[str]:
        outside = next((each for each in given if Path(each).is_absolute() or ".." in Path(each).parts), None)
        if outside is not None:
            raise ValueError(f"'{shortened(outside)}' is not below the folder of a run")
        return given

    @model_validator(mode="after")
    def _check_command(self) -> ModelDescription:
        if self.command is None:
            alone = next((key for key in ("start_in", "settings", "flags") if key in self.model_fields_set), None)
            if alone is not None:
                raise ValueError(f"'{alone}' belongs to command = [...], which is not there")
        elif also := next((key for key in ("module", "convention") if key in self.model_fields_set), None):
            raise ValueError(f"'command' and '{also}' say two ways to call it; leave one of them out")
        return self

    @model_validator(mode="after")
    def _check_limits(self) -> ModelDescription:
        for name, described in self.hyperparameters.items():
            for key, limit in (described.model_extra or {}).items():
                fault = fault_of_limit(key.removeprefix("item_"), limit)
                if fault is not None:
                    raise ValueError(f"'hyperparameters.{shortened(name)}.{shortened(key)}' {fault}")
        return self

    @model_validator(mode="after")
    def _check_variants(self) -> ModelDescription:
        if (self.variant is None) != (not self.variants):
            raise ValueError(
                "variant and [variants] go together: the hyperparameter that says which, and what there is"
            )
        if self.variant is not None:
            _check_known([self.variant], self.hyperparameters, "variant")
        for name, each in self.variants.items():
            _check_known(each.needs, self.inputs, f"variants.{name}.needs")
            _check_known(each.hyperparameters, self.hyperparameters, f"variants.{name}.hyperparameters")
        return self

    @model_validator(mode="after")
    def _check_seeds(self) -> ModelDescription:
        named = [name.lower() for name in (self.seed, self.split, *(self.seeds or {}).values()) if name is not None]
        twice = next((name for name in named if named.count(name) > 1), None)
        if self.seeds and twice is not None:
            raise ValueError(f"'{shortened(twice)}' stands twice in seed, split and seeds")
        return self

    @property
    def tells_what_is_read(self) -> bool:
        """Whether the model's author says what its runs read."""
        return self.reads is not None or self.data_manifest is not None or bool(self.code)

    @property
    def calling(self) -> dict[str, Any]:
        """What the description says of how a run is called: a run called otherwise is another run."""
        return self.model_dump(include={"convention", "module", "python_path"})

    @property
    def own_calling(self) -> dict[str, Any]:
        """What it says of how its own command is called, and where its numbers stand, for one beside an image."""
        places = {name: [each.printed, each.file, each.key] for name, each in self.metrics.items()}
        keys = {"command", "start_in", "settings", "flags", "links", "folders"}
        return {**self.model_dump(include=keys), "metrics": places}

    @property
    def names(self) -> list[str]:
        """All hyperparameters that it names, as the model writes them."""
        takes_seeds = [name for name in (self.seed, *(self.seeds or {}).values(), self.split) if name is not None]
        return list(dict.fromkeys([*self.hyperparameters, *takes_seeds, *self.split_fixed]))

    def with_hyperparameters(self, known: dict[str, HyperparameterDescription]) -> ModelDescription:
        """The same of a model with these hyperparameters; `seed`, `seeds` and so on name them as they do."""
        return self.model_copy(
            update={
                "hyperparameters": known,
                "seed": None if self.seed is None else spelling(self.seed, known),
                "seeds": self.seeds and {part: spelling(name, known) for part, name in self.seeds.items()},
                "split": None if self.split is None else spelling(self.split, known),
                "split_fixed": {spelling(name, known): value for name, value in self.split_fixed.items()},
            }
        )

    def of_variant(self, name: str) -> ModelDescription:
        """The description of a variant as a model by itself: it takes what all take, and what it names beside that."""
        chosen = self.variants[name]
        of_some = {self.variant}.union(*(each.hyperparameters for each in self.variants.values()))
        known = {key: each for key, each in self.hyperparameters.items() if key not in of_some}
        for key, values in chosen.hyperparameters.items():
            known[key] = self.hyperparameters[key].with_values(values)
        update = {"name": name, "description": chosen.description or self.description, "hyperparameters": known}
        return self.model_copy(update=update)

    def missing_inputs(self, name: str, data_folder: Path) -> list[str]:
        """What a variant needs that a data folder does not have."""
        needs = self.variants[name].needs
        return [each for each in needs if not self.inputs[each].is_in(data_folder)]


def _check_known(names: Iterable[str], known: Iterable[str], where: str) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{where}: '{shortened(name)}' is not described{nearest(name, known)}")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; an unreadable or malformed one is an `InputError` that names the file."""
    return _parse_toml(read_text(path), str(path))


def _parse_toml(text: str, where: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # of a number of thousands of digits it is not TOML's own
        raise InputError(f"{where}: not TOML: {shortened(str(error), LONGEST_MESSAGE // 2)}") from None
    except RecursionError:
        raise InputError(f"{where}: not TOML that can be read: brackets in brackets, too deep") from None
    _check_values(content, where, ())
    return content


def _check_values(table: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    for key, value in table.items():
        path = (*keys, key)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                _check_values(inner, where, path)
        if (word := unfit_number(value)) is not None:
            raise InputError(f"{where}: '{shortened('.'.join(path))}' = {shortened(word)}: {UNFIT}")
        if (text := text_with(NUL, [key, value])) is not None:
            raise InputError(f"{where}: {shown('.'.join(path))}: {shown(text)} has a NUL, as no file's name has")


def read_description(path: Path) -> ModelDescription:
    """Read `model.toml`; raises `InputError` with the key that is wrong."""
    return parse_description(read_text(path), str(path))


def description_beside_model(path: Path) -> ModelDescription | None:
    """The description that a TOML file of a model's name gives; None where there is none, or it is of something else.

    An experiment of that name, say, or another program's file: it has no key of a description, nor nearly one.
    Raises `InputError` as `read_description` does.
    """
    if not path.is_file():
        return None
    content, known = read_toml(path), ModelDescription.model_fields
    own = [key for key in content if key in known and (key != "hyperparameters" or isinstance(content[key], dict))]
    if content and not own and (OF_EXPERIMENTS & set(content) or not any(nearest(key, known) for key in content)):
        return None
    return read_description(path)


def parse_description(text: str, where: str) -> ModelDescription:
    """The description that the text of a `model.toml` gives; `where` opens the line of an `InputError`."""
    try:
        description = ModelDescription.model_validate(_parse_toml(text, where))
        return description.with_hyperparameters(description.hyperparameters)
    except ValidationError as error:
        raise InputError(refusal(error, where, sorted(ModelDescription.model_fields))) from None
