"""An experiment as a study of Optuna, for its dashboard and its own analyses.

Each evaluation is a trial of the study that is called as the experiment. Those whose trainings had fewer epochs are
pruned ones, with their value at that epoch; what confirms stands in a study of its own, `ID confirm`, as it changes no
best. Whatever else an evaluation has (metrics of both models, seeds, times, runs) are the trial's user attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import message
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.sharing.trials import Trial, trials_of, without_password
from comparator.space import Choice, Number, ParameterSpace

#: The user attributes by which a trial, and a study, is known to be of an evaluation, and of an experiment.
EVALUATION, EXPERIMENT = "comparator.evaluation", "comparator.experiment"
CONFIRM = " confirm"


def export_to_optuna(folder: Path, storage: str) -> tuple[int, int]:
    """Write the experiment in `folder` to a storage of Optuna, such as `sqlite:///FILE`: new trials, and those there.

    What was written before is left as it is. Raises `InputError` where a study of that name is another experiment's,
    `ComparatorError` where the storage cannot be used.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return _export(folder, storage)
    except (SQLAlchemyError, optuna.exceptions.OptunaError, ValueError, ImportError) as error:
        raise ComparatorError(f"--storage {without_password(storage)}: {message(str(error))}") from None


def _export(folder: Path, storage: str) -> tuple[int, int]:
    experiment = read_experiment(folder)
    distributions = _distributions(experiment)
    studies: dict[bool, tuple[Any, set[int]]] = {}
    new = there = 0
    for trial in trials_of(experiment, folder):
        if trial.confirms not in studies:
            studies[trial.confirms] = _study(experiment, storage, CONFIRM if trial.confirms else "")
        study, known = studies[trial.confirms]
        if trial.number in known:
            there += 1
            continue
        study.add_trial(_frozen_trial(trial, distributions))
        new += 1
    return new, there


def _study(experiment: FrozenExperiment, storage: str, suffix: str) -> tuple[Any, set[int]]:
    """The experiment's study, made where there is none, and the evaluations that it has."""
    import optuna

    name, own = f"{experiment.id}{suffix}", [experiment.id, experiment.created]
    directions = optuna.study.StudyDirection
    direction = directions.MAXIMIZE if experiment.objective.maximise else directions.MINIMIZE
    study = optuna.create_study(storage=storage, study_name=name, direction=direction, load_if_exists=True)
    trials = study.get_trials(deepcopy=False)
    if study.user_attrs.get(EXPERIMENT, own if not trials else None) != own:
        raise InputError(
            f"--storage {without_password(storage)}: its study '{name}' is of another experiment; give another one"
        )
    if EXPERIMENT not in study.user_attrs:
        study.set_user_attr(EXPERIMENT, own)
        study.set_user_attr("title", experiment.title)
        study.set_user_attr("objective", experiment.objective.name or experiment.metric)
    return study, {trial.user_attrs[EVALUATION] for trial in trials if EVALUATION in trial.user_attrs}


def _frozen_trial(trial: Trial, distributions: Mapping[str, Any]) -> Any:
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import TrialState, create_trial

    params = {
        name: _plain(value) if isinstance(distributions[name], CategoricalDistribution) else value
        for name, value in trial.point.items()
        if name in distributions
    }
    left_out = {name: value for name, value in trial.point.items() if name not in distributions}
    state, after_epochs = TrialState.COMPLETE, {}
    if trial.value is None:
        state = TrialState.FAIL
    elif trial.is_short:
        state, after_epochs = TrialState.PRUNED, {int(trial.facts["epochs"]): trial.value}
    facts = {**trial.facts, **trial.metrics, **left_out, EVALUATION: trial.number}
    made = create_trial(
        state=state,
        value=trial.value,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs=facts,
        intermediate_values=after_epochs,
    )
    if trial.started is not None and trial.ended is not None:  # else it is the time of now: a trial has to have one
        made.datetime_start, made.datetime_complete = _as_optuna_has(trial.started), _as_optuna_has(trial.ended)
    return made


def _as_optuna_has(time: datetime) -> datetime:
    """A time by this machine's clock, without a zone."""
    return time.astimezone().replace(tzinfo=None)


def _distributions(experiment: FrozenExperiment) -> dict[str, Any]:
    """How each hyperparameter is distributed, as Optuna has it: by the space, else by the lines of the UPF."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not experiment.space:
        values: dict[str, list[Any]] = {}
        for _, point in experiment.upf or ():
            for name, value in point.items():
                values.setdefault(name, []).append(value)
        return {name: CategoricalDistribution(_once(each)) for name, each in values.items()}
    found: dict[str, Any] = {}
    for parameter in ParameterSpace.from_entries(experiment.space, "experiment.json").parameters:
        if not isinstance(parameter, Number):
            listed = parameter.values if isinstance(parameter, Choice) else parameter.all_values()
            found[parameter.name] = CategoricalDistribution(_once(listed))
        elif parameter.whole:
            found[parameter.name] = IntDistribution(
                int(parameter.lower), int(parameter.upper), log=parameter.use_log_scale
            )
        else:
            found[parameter.name] = FloatDistribution(parameter.lower, parameter.upper, log=parameter.use_log_scale)
    return found


def _once(values: Iterable[Any]) -> tuple[Any, ...]:
    """The values that differ, in their order, as Optuna has them."""
    return tuple(dict.fromkeys(map(_plain, values)))


def _plain(value: Any) -> Any:
    """A value of a list as Optuna can have it: texts as they are, and else as JSON, since 1 and true are one to it."""
    return value if isinstance(value, str) else json.dumps(value)
