"""Fewer epochs first: a search by short trainings, whose best points are then trained in full.

Short trainings of Uno rank points about as well as another full training does (`docs/questions.md`), but their values
are others. So a search is told short ones only, and what is claimed comes from full ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from comparator.engine.given import EPOCHS, epochs_name, varied_names
from comparator.errors import InputError
from comparator.experiment.settings import SearchSettings
from comparator.formats.spelling import is_same
from comparator.formats.text import shown
from comparator.model.model import Model
from comparator.results.frozen import FirstEpochs, Submodel
from comparator.strategies.replication import Replication

KEEP = 1 / 3


def short_and_full(pairs: int, first: int, full: int, keep: float) -> tuple[int, int]:
    """How many pairs to train for `first` epochs, and how many for `full`, `keep` for each of them.

    Together they have no more epochs than so many `pairs` of full trainings.
    """
    short = int(pairs / (first / full + keep))
    return short, (pairs * full - short * first) // full


def plan_first_epochs(
    search: SearchSettings, submodels: Sequence[Submodel], models: Sequence[Model], varied: Sequence[str], where: str
) -> tuple[SearchSettings, FirstEpochs | None]:
    """The search with its budget in short trainings, and what follows it; as it is where it trains in full at once.

    Raises `InputError`, whose line `where` opens, where the models take no number of epochs that is the same.
    """
    first, pairs = search.first_epochs, search.evaluations
    if first is None or pairs is None:
        return search, None
    where = f"{where} first_epochs = {first}"
    given = [_epochs(*each, varied, where) for each in zip(submodels, models, strict=True)]
    full = given[0]
    if len(set(given)) > 1:
        raise InputError(f"{where}: the models train for {given[0]} and {given[1]} epochs, which has to be one")
    if first >= full:
        raise InputError(f"{where}: must be fewer than {EPOCHS} = {full}, those of a full training")
    short, in_full = short_and_full(pairs, first, full, search.keep or KEEP)
    points = in_full // Replication.of(search.replicates).first
    if not points:
        raise InputError(f"{where}: of evaluations = {pairs} no full training of any point would be left")
    return search.model_copy(update={"evaluations": short}), FirstEpochs(epochs=first, full=full, points=points)


def _epochs(submodel: Submodel, model: Model, varied: Sequence[str], where: str) -> int:
    """How many epochs a submodel's full training has."""
    name, described = epochs_name(submodel), model.description.hyperparameters
    if described and (name not in described or name in submodel.without_effect):
        raise InputError(f"{where}: {submodel.name} has no hyperparameter '{EPOCHS}'")
    if any(is_same(name, each) for each in varied_names(submodel, dict.fromkeys(varied))):
        raise InputError(f"{where}: the space varies '{name}'")
    value = {**submodel.config, **submodel.hyperparameters}.get(name)
    if value is None:
        raise InputError(f"{where}: give the {EPOCHS} of a full training in the hyperparameters of {submodel.name}")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{where}: {name} = {shown(value)} of {submodel.name}: must be a whole number from 1")
    return value
