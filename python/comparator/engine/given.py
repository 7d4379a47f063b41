"""What one run is given: put together in one step from the point, its experiment's settings, and the run's seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from comparator.formats.spelling import spelling
from comparator.objective.comparison import submodel_hyperparameters
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.site.profile import Slot

DEFAULT_SEED = 1
#: Values by which a seed of a part is the seed of the run.
UNSET = (None, "None", "")
#: The hyperparameter that takes the number of epochs, as CANDLE calls it.
EPOCHS = "epochs"
PREFIX = re.compile(r"cmp_(?:[01]_)?(.+)")


def run_hyperparameters(
    experiment: FrozenExperiment,
    number: int,
    point: Mapping[str, object],
    *,
    seed: int,
    split: int | None,
    epochs: int | None,
    seeds: Mapping[str, int] | None = None,
) -> tuple[dict[str, object], int]:
    """The hyperparameters of a run of submodel `number` at a point, its seed among them, and that seed.

    They are those of the file that `config_file` names; over these the experiment's, and the point's over those, by
    the prefix rules and under the submodel's own names; then `epochs`, the length of a short training (None of a full
    one); then the steps `seed` and `split` (None: none) are added to the user's own seeds, and `seeds` to those of
    the parts of the seed, which are the user's seed where they have no value of their own.
    """
    submodel = experiment.models[number]
    if experiment.has_alternatives:  # which have nothing in common
        own = submodel_hyperparameters(submodel.hyperparameters, point, compares=False, names=[submodel.names])[0]
    else:
        own = submodel_hyperparameters(
            experiment.hyperparameters,
            point,
            compares=experiment.kind == "cmp",
            names=[each.names for each in experiment.models],
        )[number]
    hyperparameters = {**submodel.config, **own}
    if epochs is not None:
        hyperparameters[epochs_name(submodel)] = epochs
    given_seed = int(str(hyperparameters.get(submodel.seed or "rng_seed", DEFAULT_SEED)))
    own_seed = given_seed + seed
    for part, name in (submodel.seeds or {}).items():
        if seeds is not None and part in seeds:
            value = hyperparameters.get(name)
            hyperparameters[name] = (given_seed if value in UNSET else int(str(value))) + seeds[part]
    if submodel.seed is not None:
        hyperparameters[submodel.seed] = own_seed
    of_split = submodel.split
    if of_split is not None and split is not None:
        hyperparameters[of_split] = int(str(hyperparameters.get(of_split, DEFAULT_SEED))) + split
    return hyperparameters, own_seed


def varied_names(submodel: Submodel, point: Mapping[str, object]) -> set[str]:
    """The names at a point, as a submodel has them."""
    common = [numbered[1] if (numbered := PREFIX.fullmatch(name)) else name for name in point]
    return {submodel.names.get(name, name) for name in common}


def epochs_name(submodel: Submodel) -> str:
    """The hyperparameter of a submodel that takes its number of epochs, as it is given."""
    own = submodel.names.get(spelling(EPOCHS, submodel.names), EPOCHS)
    return spelling(own, {**submodel.config, **submodel.hyperparameters})


def slot_of(submodel: Submodel, slot: Slot) -> Slot:
    """The slot as one submodel uses it: with its own device and the variables of its own environment."""
    device = submodel.device
    if device is None:
        bound = dict(slot.environment)
    else:
        bound = dict.fromkeys(slot.environment, "" if device == "none" else device)
        slot = replace(slot, device=None if device == "none" else device)
    return replace(slot, environment={**bound, **submodel.environment})
