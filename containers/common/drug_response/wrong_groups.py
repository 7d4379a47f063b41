"""Groups of training rows that are wrongly labelled as a whole: all rows of a drug, a cell line, or a tumour type.

Exchanged two by two they stand under each other's names, as where two vials or two cultures were mistaken for each
other: the rows of one have the features of the other. Shifted, all their labels are off by one amount, as where a batch
reads too high or too low.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparator.errors import nearest
from drug_response import selection
from drug_response.dataset import Dataset, Part
from drug_response.errors import DataError
from drug_response.tables import Source

#: Streams of NumPy's random numbers, besides the run's seed: the groups' order, and which way each one is shifted.
ORDER_OF_GROUPS, SHIFTS = 7, 8
#: What each kind of group is called.
KINDS = {"drug": "drugs", "cell": "cell lines", "cell_type": "tumour types"}
#: How many wrong groups a log names.
_NAMED = 8


@dataclass(frozen=True)
class Groups:
    """The groups of one kind that a source has: `of` gives the number of each row's, `names` has an entry for each.

    `first` tells, for the place of each name, the number of its group: drugs of one structure are one.
    """

    kind: str
    of: Callable[[Part], NDArray[Any]]
    names: NDArray[np.str_]
    first: NDArray[Any]


@dataclass(frozen=True)
class WrongGroups:
    """What is wrong with the rows of a training.

    For each group that there is `stands_as` has the number of the drug or cell line that its rows are said to be of, -1
    where they are what they are, and `shift_of` what is added to their labels. `note` says it in words.
    """

    groups: Groups
    stands_as: NDArray[np.intp]
    shift_of: NDArray[np.float64]
    note: str

    def shift(self, part: Part, labels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows' labels, shifted."""
        return (labels + self.shift_of[self.groups.of(part)]).astype(np.float32)

    def rename(self, dataset: Dataset, part: Part) -> Part:
        """Return the rows with their partners' features: a row of one group stands under the other one's name."""
        other = self.stands_as[self.groups.of(part)]

        def renamed(kind: str, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
            return np.where(other < 0, numbers, other).astype(np.int32) if kind == self.groups.kind else numbers

        cell_line, drug = renamed("cell", part.cell_line), renamed("drug", part.drug)
        numbers = part.numbers.copy()
        for place, table in enumerate(dataset.features):
            numbers[:, place] = cell_line if table.kind == "rnaseq" else drug
        return replace(part, numbers=numbers, cell_line=cell_line, drug=drug)


def draw_wrong_groups(hyperparameters: Mapping[str, Any], dataset: Dataset) -> WrongGroups | None:
    """Draw which groups are wrong, and how; None where none are.

    The wrong ones of the training rows' groups come first in an order of all groups that the source has. They are
    exchanged two by two in that order, or, with `wrong_groups_shift`, each one's labels are shifted by that share of
    the mean training label, up or down as is drawn for it. So are those of the groups that validation alone has.

    Raises `DataError`, one line, where the data have no such groups, or they cannot be exchanged.
    """
    if not hyperparameters["wrong_groups"]:
        return None
    amount = hyperparameters["wrong_groups_shift"]
    groups = _groups(hyperparameters["wrong_groups_of"], dataset.source)
    _check_can_be_wrong(hyperparameters, groups)
    wrong, of_validation, there = _choose(hyperparameters, dataset, groups)
    both = np.concatenate([wrong, of_validation])
    stands_as, shift_of = np.full(len(groups.names), -1), np.zeros(len(groups.names))
    if amount is None:
        partner = both.reshape(-1, 2)[:, ::-1].ravel()
        stands_as[both] = _known_as(groups, dataset)[partner]
        each = [f"{groups.names[one]} with {groups.names[other]}" for one, other in wrong.reshape(-1, 2)]
    else:
        signs = np.random.default_rng([hyperparameters["rng_seed"], SHIFTS]).choice([-1.0, 1.0], len(groups.names))
        mean = float(np.mean(dataset.training.labels, dtype=np.float64))
        shift_of[both] = signs[both] * abs(mean) * amount / 100.0
        each = [f"{groups.names[one]} by {shift_of[one]:+.3g}" for one in wrong]
    note = _note(hyperparameters, f"{len(wrong)} of {there} {KINDS[groups.kind]}", each)
    return WrongGroups(groups, stands_as, shift_of, note)


def check_names(settings: Mapping[str, Any], source: Source) -> None:
    """Raise `DataError` for a kind of group, or a name of one, that there is not, or that cannot be wrong."""
    groups = _groups(settings["wrong_groups_of"], source)
    _may_be_wrong(settings, source, groups)
    if settings["wrong_groups"]:
        _check_can_be_wrong(settings, groups)


def _check_can_be_wrong(hyperparameters: Mapping[str, Any], groups: Groups) -> None:
    if groups.kind == "cell_type" and hyperparameters["wrong_groups_shift"] is None:
        raise DataError(
            "wrong_groups_of = 'cell_type': tumour types have no features to be exchanged by; give wrong_groups_shift"
        )


def _groups(kind: str, source: Source) -> Groups:
    if kind == "cell":
        return Groups(kind, lambda part: part.cell_line, source.cell_lines, np.arange(len(source.cell_lines)))
    if kind == "drug":
        first = selection.first_drug_of_structure(source.structures)
        return Groups(kind, lambda part: first[part.drug], source.drugs, first)
    if source.cell_types is None:
        raise DataError(f"wrong_groups_of = 'cell_type': the '{source.name}' data tell no tumour types")
    names, number = np.unique(source.cell_types, return_inverse=True)
    return Groups(kind, lambda part: number[part.cell_line], names, np.arange(len(names)))


def _choose(
    hyperparameters: Mapping[str, Any], dataset: Dataset, groups: Groups
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return the wrong groups of the training rows, those of validation alone, and how many the first are chosen of.

    Where they are to be exchanged there is an even number of each, partners one after the other.
    """
    may_be = _may_be_wrong(hyperparameters, dataset.source, groups)
    both_sides = (np.unique(groups.of(part)) for part in (dataset.training, dataset.validation))
    training, validation = (present[may_be[present]] for present in both_sides)
    generator = np.random.default_rng([hyperparameters["rng_seed"], ORDER_OF_GROUPS])
    order, share = generator.random(len(groups.names)), hyperparameters["wrong_groups"] / 100.0

    def chosen(present: NDArray[Any]) -> NDArray[Any]:
        count = round(share * len(present))
        if hyperparameters["wrong_groups_shift"] is None:
            count = 2 * min(round(share * len(present) / 2), len(present) // 2)
        return present[np.argsort(order[present], kind="stable")][:count]

    of_validation = np.setdiff1d(validation, training) if hyperparameters["wrong_groups_validation"] else training[:0]
    return chosen(training), chosen(of_validation), len(training)


def _may_be_wrong(hyperparameters: Mapping[str, Any], source: Source, groups: Groups) -> NDArray[np.bool_]:
    """Tell of each group whether it may be wrong: those of `wrong_groups_named`, in any case, else all with a name."""
    named = hyperparameters["wrong_groups_named"]
    if not named:
        return np.asarray(groups.names != "")
    may_be, known = np.zeros(len(groups.names), dtype=bool), np.char.lower(groups.names)
    for name in named:
        places = np.flatnonzero(known == name.lower())
        if not len(places):
            data = f"the '{source.name}' data have no such {groups.kind}"
            raise DataError(f"wrong_groups_named: '{name}': {data}{nearest(name, groups.names.tolist())}")
        may_be[groups.first[places]] = True
    return may_be


def _known_as(groups: Groups, dataset: Dataset) -> NDArray[np.intp]:
    """Return by which number of a drug or cell line the rows know each group; -1 where they do not."""
    number = np.full(len(groups.names), -1)
    for part in (dataset.validation, dataset.training):
        number[groups.of(part)] = part.cell_line if groups.kind == "cell" else part.drug
    return number


def _note(hyperparameters: Mapping[str, Any], counted: str, each: Sequence[str]) -> str:
    """Say which groups of the training rows are wrong, and how."""
    placed = "training and validation" if hyperparameters["wrong_groups_validation"] else "training alone"
    how = "exchanged" if hyperparameters["wrong_groups_shift"] is None else "shifted"
    more = f", and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    listed = f": {', '.join(each[:_NAMED])}{more}" if each else ""
    return f"wrong groups, in {placed}: {counted} {how}{listed}"
