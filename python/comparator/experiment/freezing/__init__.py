"""Check an experiment whole before anything starts, and freeze it into what repeats it.

The frozen experiment is plain JSON (`experiment.json`): settings, space, hyperparameters, models with their
identities, metric, budget, provenance. Everything later (leaf, report, resume) reads that and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.experiment.context import Context
from comparator.experiment.freezing.first_epochs import plan_first_epochs
from comparator.experiment.freezing.of_the_workflow import is_of_the_workflow, set_by_points
from comparator.experiment.freezing.submodels import Given, choose_hyperparameters
from comparator.experiment.freezing.varied import fault_of, values_of
from comparator.experiment.of_the_environment import doubt_environment
from comparator.experiment.plan import Plan
from comparator.experiment.settings import ExperimentSettings
from comparator.experiment.stages import (
    PILOT_SEEDS,
    budget_of,
    check_likeness_is_known,
    check_search,
    check_unit,
    confirmation_of,
    doubt_lists,
    freeze_strategy,
    is_pilot_beside,
    past_results,
    pilot_points,
    probe_points,
)
from comparator.experiment.strategy import make_strategy_of
from comparator.formats.text import shortened
from comparator.formats.upf import Line, doubt_ids, names_in, read_upf
from comparator.model.catalogue import model_folders
from comparator.model.model import Model
from comparator.objective.amounts import check_size
from comparator.objective.comparison import make_objective
from comparator.objective.differences import (
    check_suits,
    difference_code,
    find_difference,
    objective_words,
    usual_difference,
)
from comparator.results.frozen import FORMAT, MetricDescription, Stages, Submodel, WholeExperiment
from comparator.results.provenance import provenance
from comparator.space import ParameterSpace
from comparator.space.boxes import Box, avoid, focus, read_box
from comparator.strategies.blocks import BLOCKS


def make_plan(settings: ExperimentSettings, context: Context, lines: Sequence[Line] | None = None) -> Plan:
    """Check `settings` whole; raises `InputError`. Prepares the models' data on the way.

    `lines` are those of their UPF that are carried out; all of the file where none are given.
    """
    check_search(settings, context)
    if settings.compares and settings.cmp.difference is not None:
        find_difference(settings.cmp.difference, context.folder, f"{context.file}: [cmp] difference")
    settings, space, steered = _steer(settings, _space(settings, context), context)
    if lines is None and settings.upf is not None:
        lines = read_upf(context.folder / settings.upf)
    points = f"{context.file}: space" if isinstance(settings.space, list) else str(settings.space or settings.upf)
    settings, varied, said = _settle_points(settings, space, lines or [], points)
    given = choose_hyperparameters(settings, varied, context)
    doubts = _doubt_values(values_of(space, lines or []), given, settings, points, context)
    notices = [*said, *steered, *given.warnings, *doubts]
    notices += _doubt_title(settings.title, given.models, context)
    metric = settings.asked_metric
    notices += doubt_environment(metric, context.file.name, context.host.site)
    metrics = _check_metric(metric, given.models, f"{context.file}: metric")
    settings, difference = _with_difference(settings, metric, metrics, context.file)
    objective = make_objective(difference, metric, metrics, context.file)
    where = f"{context.file}: [search]"
    search, first = plan_first_epochs(settings.search, given.submodels, given.models, varied, where)
    short = settings.model_copy(update={"search": search})
    pilot = pilot_points(short, space, context, notices)
    check_unit(settings, objective, pilot, context)
    check_likeness_is_known(settings, pilot, context)
    past = past_results(settings, space, objective, context, notices)
    strategy = freeze_strategy(short, context, given.models, notices, PILOT_SEEDS * len(pilot))
    notices += doubt_lists(settings, space, strategy, context)
    frozen = WholeExperiment(
        id="",
        format=FORMAT,
        title=settings.title or _title(given.submodels, metric, context.file),
        kind="cmp" if settings.compares else "single",
        file=str(context.file),
        settings=settings.model_dump(mode="json", exclude_none=True),
        space=space.entries() if space is not None else [],
        upf=[(line.identifier, line.hyperparameters) for line in lines] if lines is not None else None,
        hyperparameters=given.hyperparameters,
        models=given.submodels,
        metric=metric,
        metrics=metrics,
        difference_code=None if difference is None else difference_code(difference, context.folder),
        run_timeout=settings.run_timeout,
        objective=objective_words(objective.difference, metric, objective.maximise),
        strategy=strategy.model_copy(update={"past": past}),
        budget=budget_of(short, None if lines is None else len(lines), space, pilot, context),
        stages=Stages(
            replicates=settings.search.replicates,
            blocks=settings.search.blocks or (BLOCKS if lines is None else 1),
            pilot=pilot,
            pilot_beside=is_pilot_beside(settings, objective, strategy, pilot, context),
            probes=probe_points(space, pilot) if settings.compares else [],
            first=first,
            confirm=confirmation_of(settings, given.submodels),
        ),
        provenance=provenance(context.host.site, context.host.engine.name, context.host.workers, context.command),
        notices=notices,
    )
    _check_strategy(frozen, space, where)
    return Plan(frozen, space, given.models, objective)


def _space(settings: ExperimentSettings, context: Context) -> ParameterSpace | None:
    """The space that the settings name or hold; None where there is a UPF."""
    if isinstance(settings.space, list):
        return ParameterSpace.from_entries(settings.space, f"{context.file}: space")
    return None if settings.space is None else ParameterSpace.read(context.folder / settings.space)


def _settle_points(
    settings: ExperimentSettings, space: ParameterSpace | None, lines: Sequence[Line], where: str
) -> tuple[ExperimentSettings, list[str], list[str]]:
    """The settings with what the points say for all, the names that vary, and what is to be said of the points."""
    fixed, unused = set_by_points(settings, space, lines, where)
    named = space.names if space is not None else names_in(lines)
    doubts = space.warnings if space is not None else doubt_ids(lines, where)
    varied = [name for name in named if not is_of_the_workflow(name)]
    return settings.model_copy(update={"set": {**fixed, **settings.set}}), varied, [*doubts, *unused]


def _doubt_values(
    values: Mapping[str, Sequence[Any]], given: Given, settings: ExperimentSettings, where: str, context: Context
) -> list[str]:
    """That a model may not take a value that is varied; refused where the search is still to try it."""
    fault = fault_of(values, given, compares=settings.compares)
    if fault is None:
        return []
    if context.searches:
        raise InputError(f"{where}: {fault}")
    return [f"{where}: {fault}; it may have been otherwise when these points were tried"]


def _check_strategy(frozen: WholeExperiment, space: ParameterSpace | None, where: str) -> None:
    """See to it that the strategy can be made, and takes what it is told of the past."""
    informed = make_strategy_of(frozen.strategy, frozen.upf, space)
    try:
        informed.check()
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    finally:
        informed.close()


def _with_difference(
    settings: ExperimentSettings, metric: str, metrics: Mapping[str, MetricDescription], file: Path
) -> tuple[ExperimentSettings, str | None]:
    """The settings that name the difference, and its name; None for a single model.

    Raises `InputError` where the file names one that does not suit the metric.
    """
    if not settings.compares:
        return settings, None
    name = settings.cmp.difference or usual_difference(metric, metrics)
    check_suits(name, metric, metrics, f"{file}: [cmp] difference")
    for key in ("level", "smallest"):
        check_size(name, getattr(settings.search, key), f"{file}: [search] {key}")
    return settings.model_copy(update={"cmp": settings.cmp.model_copy(update={"difference": name})}), name


def _steer(
    settings: ExperimentSettings, space: ParameterSpace | None, context: Context
) -> tuple[ExperimentSettings, ParameterSpace | None, list[str]]:
    """Keep the search inside the box to focus on and around the one to avoid; the settings then hold their bounds.

    Gives the settings, the space, and in words what it keeps to.
    """
    bounds: dict[str, Any] = {}
    notices: list[str] = []
    for key, restricted, words in (("focus", focus, "keeps to"), ("avoid", avoid, "keeps out of")):
        given = getattr(settings.search, key)
        if given is None or space is None:
            continue
        read = read_box(str(context.folder / given)) if isinstance(given, str) else given
        box = Box.from_bounds(space, read, given if isinstance(given, str) else f"{context.file}: [search] {key}")
        space = restricted(space, box)
        bounds[key] = box.bounds
        notices.append(f"the search {words} {box.words()}")
    search = settings.search.model_copy(update=bounds)
    return settings.model_copy(update={"search": search}), space, notices


def _title(submodels: Sequence[Submodel], metric: str, file: Path) -> str:
    """What an experiment asks whose file has no title: of the models, and the file where there is one."""
    of = f" ({file.name})" if file.is_file() else ""
    if len(submodels) == 1:
        return f"{submodels[0].name}: {metric}{of}"
    first, second = (submodel.label for submodel in submodels)
    return f"Where do {first} and {second} differ in {metric}?{of}"


def _doubt_title(title: str, models: Sequence[Model], context: Context) -> list[str]:
    """That a title, of a file that was copied say, names a model of the project that is not among those compared."""
    own = {word.casefold() for model in models for word in (model.name, model.path.name)}
    known = {folder.name for folder in model_folders(context.host.root / "containers")} - own
    words = {word.removesuffix("s") for word in re.findall(r"\w+", title.casefold())}
    others = sorted(name for name in known if name.casefold() in words)
    if not others:
        return []
    compared = " and ".join(dict.fromkeys(model.name for model in models))
    return [
        f"{context.file}: title names {', '.join(others)}, but what is trained is {compared}; change it, or drop it"
    ]


def _check_metric(metric: str, models: Sequence[Model], where: str) -> dict[str, MetricDescription]:
    """The descriptions of all metrics; a metric that a described model does not have is refused."""
    metrics: dict[str, MetricDescription] = {}
    for model in models:
        described = model.description.metrics
        if described and metric not in described:
            raise InputError(
                f"{where} = '{shortened(metric)}': {model.name} does not report it{nearest(metric, described)};"
                f" it reports {', '.join(_first(described, 12))}"
            )
        metrics.update(
            {name: MetricDescription(**each.model_dump(exclude_none=True)) for name, each in described.items()}
        )
    return metrics


def _first(names: Iterable[str], count: int) -> list[str]:
    names = list(names)
    return [*names[:count], "..."] if len(names) > count else names
