"""What evolutionary searches share: their options, and the first population."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from comparator.errors import InputError, nearest, nearest_path
from comparator.formats.spelling import check_once, spelling
from comparator.space import Constant, ParameterSpace, Point
from comparator.strategies.options import FilePath, FromOne, FromTwo, Probability, StrategyOptions

CrossoverProbability = Annotated[Probability, Field(description="of a child: that it is crossed with another")]
MutationProbability = Annotated[Probability, Field(description="of a child: that it is mutated")]


class EvolutionOptions(StrategyOptions):
    """The options of every evolutionary search; how often children are crossed and mutated is each one's own."""

    population: FromTwo = Field(16, description="points of the first population, and survivors")
    crossover_probability: CrossoverProbability
    mutation_probability: MutationProbability
    gene_crossover_probability: Probability = Field(
        0.5, description="of each value of a crossed child: that it is swapped"
    )
    gene_mutation_probability: Probability = Field(0.5, description="of each value of a mutated child: that it changes")
    tournament_size: FromOne = Field(4, description="points that compete to be selected")
    initial_population: FilePath | None = Field(None, description="a CSV table of first points")

    @model_validator(mode="after")
    def _some_variation(self) -> EvolutionOptions:
        # Without any, the genetic loops would turn for ever without proposing anything.
        if self.crossover_probability == self.mutation_probability == 0:
            raise ValueError("'crossover_probability' and 'mutation_probability' are both 0; no new points")
        return self


def first_population(space: ParameterSpace, size: int, path: str | None, rng: random.Random) -> list[Point]:
    """`size` points: random ones, or the first rows of the table at `path`."""
    if path is None:
        return [space.initial(rng) for _ in range(size)]
    points = read_points(space, Path(path))
    if len(points) < size:
        raise InputError(f"{path}: {len(points)} rows are too few for a population of {size}")
    return points[:size]


def read_points(space: ParameterSpace, path: Path) -> list[Point]:
    """The points of a CSV table whose header names the space's parameters, in any case; further columns are ignored."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            written = [name.strip() for name in table.fieldnames or ()]
            check_once([name for name in written if spelling(name, space.names) in space.names], f"{path}, line 1")
            header = [spelling(name, space.names) for name in written]
            table.fieldnames = header
            for parameter in space.parameters:
                if parameter.name not in header and not isinstance(parameter, Constant):
                    raise InputError(f"{path}: no column '{parameter.name}'{nearest(parameter.name, header)}")
            return [space.parse(row, f"{path}, line {table.line_num}") for row in table]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{nearest_path(path)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table of comma-separated values: {error}") from None
