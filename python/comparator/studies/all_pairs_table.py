"""`[all_pairs]` of an experiment file: which models are compared, each on which studies, and at which points."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from comparator.errors import InputError
from comparator.evidence.chance import FEWEST_BLOCKS
from comparator.experiment.freezing.submodels import read_file
from comparator.experiment.settings import entries_of
from comparator.formats.names import check_name
from comparator.formats.spelling import as_kept, is_same, merged, spelling
from comparator.space import ParameterSpace
from comparator.strategies.blocks import MOST_BLOCKS, block_of
from comparator.strategies.sampling import sobol_points
from comparator.studies.pairs import ALPHA, smallest_chance
from comparator.studies.sweep import SweepFile

NAME = "all_pairs"
#: What stands in the table of each model, and what has no meaning here, with what to do instead.
OF_A_MODEL = ("model", "hyperparameters", "python", "requirements")
OF_OTHERS = {
    "search": "the points are those of [all_pairs] evaluations",
    "cmp": "metric stands at the top of the file, difference in [all_pairs]",
    "upf": "the points follow from [all_pairs] and space",
}
MOST_EVALUATIONS = 10_000


class PairModel(BaseModel):
    """`[all_pairs.models.NAME]`: a model with what is its own. Paths are relative to the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    hyperparameters: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    python: str | None = None
    requirements: str | None = None


class AllPairsTable(BaseModel):
    """`[all_pairs]` of an experiment file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    evaluations: int = Field(default=24, ge=1, le=MOST_EVALUATIONS)
    seed: int = Field(default=1, ge=0)
    #: Data splits with a stream of seeds each, to which the points are dealt.
    blocks: int = Field(default=MOST_BLOCKS, ge=FEWEST_BLOCKS, le=MOST_BLOCKS)
    difference: str | None = None
    studies: list[str] = Field(default_factory=list)
    source: str = "train_sources"
    models: dict[str, PairModel] = Field(min_length=1)

    @field_validator("models", "studies")
    @classmethod
    def _names(cls, given: Any) -> Any:
        for name in given:
            try:
                check_name(name, "name")
            except InputError as error:
                raise ValueError(str(error)) from None
            if isinstance(given, list) and given.count(name) > 1:
                raise ValueError(f"'{name}' stands twice")
        return given


@dataclass(frozen=True)
class Side:
    """One of those that are compared: its label, its model, and all hyperparameters that it is given."""

    label: str
    model: PairModel
    given: Mapping[str, Any]

    def is_like(self, other: Side) -> bool:
        """Whether the other is the same but for its label, so that its trainings are the same."""
        own, others = (each.model.model_dump(exclude={"hyperparameters", "set"}) for each in (self, other))
        return own == others and self.given == other.given


def sides_of(file: SweepFile, table: AllPairsTable, chosen: Mapping[str, Any]) -> list[Side]:
    """What is compared: each model, on each study where there are any. Raises `InputError`."""
    for key, instead in OF_OTHERS.items():
        if key in file.content:
            raise InputError(f"{file.path}: '{key}' has no meaning in [{NAME}]: {instead}")
    for key in OF_A_MODEL:
        if key in file.content:
            raise InputError(f"{file.path}: '{key}' stands in the table of each model, [{NAME}.models.NAME]")
    varied = space_of(file).names
    sides = []
    for label, model in table.models.items():
        named = file.path.resolve().parent / model.hyperparameters if model.hyperparameters else None
        read = {} if named is None else read_file(named)[0]
        own = {as_kept(name): value for name, value in model.set.items()}
        given = merged(read, file.content.get("set", {}), own, chosen)
        given = {name: value for name, value in given.items() if not any(is_same(name, each) for each in varied)}
        if not table.studies:
            sides.append(Side(label, model, given))
        source = spelling(as_kept(table.source), given)
        sides += [Side(f"{label}-{study}", model, merged(given, {source: [study]})) for study in table.studies]
    if len(sides) < 2:
        raise InputError(f"{file.path}: [{NAME}]: one model on one study has none to be compared with; give two")
    labels = [side.label for side in sides]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{file.path}: [{NAME}] models: names joined to a study's are alike: '{twice}' is two")
    _check_can_be_shown(file, table, len(sides))
    return sides


def space_of(file: SweepFile) -> ParameterSpace:
    """What is varied; raises `InputError`."""
    named = file.content.get("space")
    if named is None:
        raise InputError(f"{file.path}: gives no space = 'FILE', which says what is varied")
    if isinstance(named, str):
        return ParameterSpace.read(file.path.resolve().parent / named)
    try:
        return ParameterSpace.from_entries(entries_of(named), f"{file.path}: space")
    except ValueError as error:
        raise InputError(f"{file.path}: space: {error}") from None


def _check_can_be_shown(file: SweepFile, table: AllPairsTable, sides: int) -> None:
    """Raise `InputError` where the smallest chance that there can be is no proof any more among so many pairs."""
    pairs = sides * (sides - 1) // 2
    points = itertools.islice(sobol_points(space_of(file), table.seed), table.evaluations)
    blocks = len({block_of(point, 0, table.blocks).number for point in points})
    if blocks >= FEWEST_BLOCKS and pairs * smallest_chance(blocks) <= ALPHA:
        return
    where = f"{file.path}: [{NAME}] evaluations = {table.evaluations}"
    if pairs * smallest_chance(MOST_BLOCKS) > ALPHA:
        raise InputError(f"{where}: of {pairs} pairs none could be told from chance; give fewer models, or studies")
    raise InputError(
        f"{where}: the points fall into {blocks} of {table.blocks} blocks, too few for {pairs}"
        f" {'pairs' if pairs > 1 else 'pair'}: none could be told from chance; give more, or more blocks"
    )
