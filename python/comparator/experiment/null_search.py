"""An experiment in which there is nothing to find: a model against itself, with other seeds.

What is made here are the settings of an ordinary experiment; nothing that carries it out or reports it knows that it is
a self-test. Where all of that is right, `verdict` is `none` in 95 % of self-tests or more.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from comparator.engine.given import DEFAULT_SEED
from comparator.errors import InputError, named_as_typed
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.planning import plan_settings
from comparator.experiment.settings import ExperimentSettings
from comparator.formats.hyperparameters import split_for_submodels
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation

#: Between the seeds of the two sides: no replicate of one, confirmations included, is one of the other.
OTHER_SEEDS = 100_000
#: The keys of report.json that say what was found.
FINDINGS = ("verdict", "reason", "regions", "best", "confirmed")


def plan_selftest(host: Host, file: Path, overrides: list[str], *, command: str) -> Plan:
    """Plan the comparison with itself of the model of an experiment file; of two models, submodel 0.

    Raises `InputError` where the file is wrong, the model takes no seed, or the two sides cannot be alike.
    """
    settings = read_settings(file, overrides)
    with named_as_typed(file):
        given = make_plan(settings, Context(file.resolve(), host, command)).frozen
    return plan_settings(host, against_itself(settings, given), file, command)


def caution(records: Iterable[Evaluation]) -> str | None:
    """What to know of a self-test that compared nothing but equal numbers; None where seeds made a difference."""
    differences = [number for record in records for number in record.signed or ()]
    if any(differences):
        return None
    return "seeds change nothing here: both sides gave equal numbers, so that this says nothing of a search among noise"


def against_itself(settings: ExperimentSettings, given: FrozenExperiment) -> ExperimentSettings:
    """The settings of a comparison of a model with itself; `given` is the frozen form of `settings`."""
    submodel, file = given.models[0], given.file
    seed = submodel.seed
    if seed is None:
        raise InputError(
            f"{file}: {submodel.name} takes no seed that is known: repeating a training gives the same number, so that"
            " there is nothing to test; where it has one, call the hyperparameter rng_seed, or name it by seed = 'NAME'"
            f" in its {submodel.description_file}"
        )
    varied = [entry["name"] for entry in given.space] + [name for _, point in given.upf or () for name in point]
    one_sided = [name for name in varied if name.startswith(("cmp_0_", "cmp_1_"))]
    if one_sided:
        raise InputError(f"{file}: '{one_sided[0]}' is varied for one model only; in a self-test both are alike")
    reaching, called = split_for_submodels(dict.fromkeys(varied))[0], submodel.names
    # What is given has the model's own names already; of what is varied the space gives the values.
    names = {name: called[name] for name in reaching if name in called}
    own_varied = {called.get(name, name) for name in reaching}
    given_ones = {**submodel.config, **submodel.hyperparameters}
    hyperparameters = {name: value for name, value in given_ones.items() if name not in own_varied}
    first = int(str(hyperparameters.pop(seed, DEFAULT_SEED)))
    seeds = {f"cmp_0_{seed}": first, f"cmp_1_{seed}": first + OTHER_SEEDS}
    of_both = settings.apart[0].model_copy(update={"names": names})
    comparison = settings.cmp.model_copy(
        update={
            "metric": given.metric,
            "models": [submodel.path, submodel.path],
            "labels": None,
            "submodel_0": of_both,
            "submodel_1": of_both,
        }
    )
    return settings.model_copy(
        update={
            "title": "",
            "model": "cmp",
            "metric": None,
            "python": None,
            "requirements": None,
            "hyperparameters": [],
            "cmp": comparison,
            "set": {**hyperparameters, **seeds},
            "search": settings.search.model_copy(update={"past": []}),
        }
    )
