"""What `[search]` and `[confirm]` come to: pilot, strategy and what it is told, budget, confirmation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.settings import ADAPTIVE, ConfirmationSettings, ExperimentSettings, SearchSettings
from comparator.findings.studies import check_studies
from comparator.formats.text import shortened
from comparator.model.model import Model
from comparator.objective.comparison import Objective
from comparator.results.frozen import Budget, Confirm, FrozenStrategy, Submodel
from comparator.results.requests import MOST_PROBES
from comparator.space import Number, ParameterSpace
from comparator.strategies import STRATEGIES, Strategy, find_strategy, strategy_code
from comparator.strategies.ahead import usual_ahead
from comparator.strategies.options import file_options, read_options
from comparator.strategies.own import is_own_file
from comparator.strategies.replication import Replication
from comparator.strategies.sampling import GridOptions, grid_points
from comparator.strategies.strategy import SWEEPS

PILOT_POINTS, PILOT_SEEDS = 3, 2
WORTH_A_PILOT = 8  # so many times a pilot's pairs, or more, must a budget be for it to be taken unasked


def pilot_points(
    settings: ExperimentSettings, space: ParameterSpace | None, context: Context, notices: list[str]
) -> list[dict[str, Any]]:
    """The points that are tried before the search: asked for, or so few that the budget is hardly less by them."""
    search, where = settings.search, f"{context.file}: [search] pilot"
    if space is None or search.strategy in SWEEPS:
        if search.pilot:
            notices.append("a sweep has no pilot; the file's is left out")
        return []
    pairs = search.evaluations or (search.generations or 0) * int(search.options.get("population", 16))
    if search.pilot is None:
        points = min(PILOT_POINTS, pairs // (WORTH_A_PILOT * PILOT_SEEDS))
        return space.spread(points) if points > 1 else []
    points = PILOT_POINTS if search.pilot is True else int(search.pilot)
    if search.evaluations is not None and points * PILOT_SEEDS >= search.evaluations:
        raise InputError(
            f"{where} = {search.pilot}: takes {points * PILOT_SEEDS} pairs, and evaluations = {search.evaluations}"
            " pairs are all there are"
        )
    return space.spread(points)


def is_pilot_beside(
    settings: ExperimentSettings,
    objective: Objective,
    strategy: FrozenStrategy,
    pilot: Sequence[Mapping[str, Any]],
    context: Context,
) -> bool:
    """Whether the search begins with its pilot, because there are more workers than that has pairs.

    Not where what the pilot tells decides how the first points are trained, or whether they are at all.
    """
    if len(pilot) * PILOT_SEEDS >= strategy.in_flight:
        return False
    if Replication.of(settings.search.replicates).first > 1 or objective.needs_unit or settings.cmp.require is not None:
        return False
    return bool(pilot) and asked_strategy(settings.search, context)[1].begins_uninformed(
        strategy.options, strategy.in_flight
    )


def probe_points(space: ParameterSpace | None, pilot: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points that tell which hyperparameter changes which model: the pilot's first with another value of one of them.

    There is one for each of the first hyperparameters that vary, as far as the space has such a point.
    """
    probes = []
    first, *others = pilot or [{}]
    for name in first:
        value = next((other[name] for other in others if other[name] != first[name]), None)
        changed = {**first, name: value}
        if value is not None and space is not None and _is_point(space, changed):
            probes.append(changed)
    return probes[:MOST_PROBES]


def _is_point(space: ParameterSpace, point: Mapping[str, Any]) -> bool:
    try:
        return space.fit(point) == point
    except InputError:
        return False


def check_likeness_is_known(settings: ExperimentSettings, pilot: Sequence[Mapping[str, Any]], context: Context) -> None:
    """Raise `InputError` where models have to be like for like, and nothing would tell before the search."""
    if settings.cmp.require is None or pilot:
        return
    where = f"{context.file}: [cmp] require = '{settings.cmp.require}'"
    if settings.search.strategy in SWEEPS or settings.space is None:
        raise InputError(f"{where}: a sweep has no pilot, which tells it")
    raise InputError(f"{where}: the pilot tells it; ask for one by [search] pilot = true")


def check_unit(
    settings: ExperimentSettings, objective: Objective, pilot: Sequence[Mapping[str, Any]], context: Context
) -> None:
    replicates = settings.search.replicates
    if objective.difference is None or not objective.needs_unit:
        return
    where = f"{context.file}: [cmp] difference = '{objective.difference.name}'"
    if settings.search.first_epochs is not None:
        raise InputError(
            f"{where}: its unit is the deviation of full trainings, which a search by first_epochs does not measure"
        )
    if not pilot and (isinstance(replicates, str) or replicates < 2):
        raise InputError(
            f"{where}: its unit is the deviation from seed to seed; measure"
            " it by [search] pilot = true, or replicates = 2 or more"
        )


def confirmation_of(settings: ExperimentSettings, submodels: Sequence[Submodel]) -> Confirm | None:
    """What is confirmed: after a search by default, after a sweep where the file says so."""
    asked = settings.confirm
    if asked is None and settings.search.strategy not in SWEEPS:
        asked = ConfirmationSettings()
    if asked is None:
        return None
    points = asked.points if asked.points is not None else int(settings.search.find != "regions")
    regions = asked.points != 0 if asked.regions is None else asked.regions
    regions = regions and settings.compares and settings.space is not None
    if not points and not regions:
        return None
    splits = asked.splits and all(submodel.split is not None for submodel in submodels)
    controls: dict[str, Any] = {}
    if asked.controls:
        check_studies(submodels, "[confirm] controls")
        controls = {"controls": list(dict.fromkeys(asked.controls))}
    return Confirm(
        points=points,
        seeds=asked.seeds,
        splits=splits,
        regions=regions,
        elsewhere=settings.compares,
        **controls,
    )


def asked_strategy(search: SearchSettings, context: Context) -> tuple[str, type[Strategy]]:
    """The name and the class of a search; the name of one in a file is its path. Raises `InputError`."""
    name = str(context.folder / search.strategy) if is_own_file(search.strategy) else search.strategy
    try:
        return name, find_strategy(name)
    except InputError as error:
        raise InputError(f"{context.file}: [search]: {error}") from None


def check_search(settings: ExperimentSettings, context: Context) -> None:
    """Raise `InputError` where there is no such strategy, an option of it is wrong, or a search would have no end."""
    search, where = settings.search, f"{context.file}: [search]"
    if settings.space is None:
        return
    name, strategy = asked_strategy(search, context)
    known = strategy.Options.model_fields
    # A population is left out where a strategy has none.
    options = {key: value for key, value in search.options.items() if key in known or key != "population"}
    try:
        read_options(strategy.Options, options, f"strategy '{name}'", SearchSettings.model_fields)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if search.evaluations is None and search.generations is None and not strategy.ends_by_itself:
        raise InputError(f"{where}: give a budget: evaluations = N, or generations = N")


def freeze_strategy(
    settings: ExperimentSettings,
    context: Context,
    models: Sequence[Model],
    notices: list[str],
    pilot_pairs: int,
) -> FrozenStrategy:
    search, where = settings.search, f"{context.file}: [search]"
    seeds = Replication.of(search.replicates).first
    options = dict(search.options)
    in_flight = _in_flight(context.host.workers * context.host.together(models), seeds)
    if settings.space is None:
        return FrozenStrategy(name=search.strategy, seed=search.seed, in_flight=in_flight, where=where)
    name, strategy = asked_strategy(search, context)
    known = strategy.Options.model_fields
    options = {option: known[option].default for option in strategy.came_later} | options
    for option in file_options(strategy.Options):
        if isinstance(options.get(option), str):
            options[option] = str(context.folder / options[option])
    if "generations" in known and search.generations is not None:
        options["generations"] = search.generations
    if "level" in known and search.level is not None:
        options["level"] = search.level
    if search.evaluations is not None:
        points = (search.evaluations - pilot_pairs) // seeds
        options = strategy.within(options, evaluations=search.evaluations, points=points)
    if "population" in options and "population" not in known:
        # So that one experiment file serves every strategy that the command line may choose.
        del options["population"]
        notices.append(f"strategy '{search.strategy}' has no population; the file's is left out")
    if search.ahead and not strategy.fits_a_model:
        notices.append(f"strategy '{search.strategy}' models no results; [search] ahead is left out")
    ahead = usual_ahead(in_flight) if search.ahead is None else search.ahead
    return FrozenStrategy(
        name=name,
        code=None if STRATEGIES.is_own(name) else strategy_code(name),
        seed=search.seed,
        in_flight=in_flight,
        ahead=ahead if strategy.fits_a_model and not strategy.listens else 0,
        options=options,
        where=where,
    )


def _in_flight(at_a_time: int, seeds: int) -> int:
    # The seeds of a point are evaluated at a time too; one point more than they need keeps all workers busy.
    return at_a_time if seeds == 1 else min(at_a_time, -(-at_a_time // seeds) + 1)


def past_results(
    settings: ExperimentSettings,
    space: ParameterSpace | None,
    objective: Objective,
    context: Context,
    notices: list[str],
) -> list[tuple[dict[str, Any], float | None]]:
    """Past results that the search is told: points of this space with the mean of their values."""
    told: list[tuple[dict[str, Any], float | None]] = []
    if not settings.search.past or space is None:
        return told
    from comparator.importers import as_told, read_past

    for name in settings.search.past:
        past = read_past(context.folder / name, metric=None)
        if settings.compares or (past.metric, past.maximise) != (objective.metric, objective.maximise):
            wanted = "a difference" if settings.compares else objective.metric
            raise InputError(f"{context.file}: [search] past: {name} has {past.metric}, but the search is for {wanted}")
        fitting = as_told(past, space)
        notices.append(f"the search is told {len(fitting)} points of {name}; they are no runs of this store")
        told += fitting
    return told


def doubt_lists(
    settings: ExperimentSettings, space: ParameterSpace | None, strategy: FrozenStrategy, context: Context
) -> list[str]:
    """That a grid leaves out values of a list, or, where its budget is its own, combinations of nothing but lists."""
    search = settings.search
    if space is None:
        return []
    if search.evaluations is not None or any(isinstance(each, Number) for each in space.parameters):
        return _doubt_values_of_lists(space, strategy)
    _, asked = asked_strategy(search, context)
    try:
        points, size = asked.points_in(space, search.options), space.size()
    except InputError:  # which the budget says
        return []
    if points is None or size is None or points >= size:
        return []
    taken = f"takes {points} of the {size} combinations of the lists"
    return [f"strategy '{search.strategy}' {taken}; points = 1 takes all"]


def _doubt_values_of_lists(space: ParameterSpace, strategy: FrozenStrategy) -> list[str]:
    if strategy.name != "grid":
        return []
    try:
        points = grid_points(space, read_options(GridOptions, strategy.options, "strategy 'grid'"))
    except InputError:  # which the budget says
        return []
    left_out = []
    for each in space.parameters:
        taken = len({json.dumps(point[each.name]) for point in points})
        if not isinstance(each, Number) and each.count is not None and taken < each.count:
            left_out.append(f"{taken} of the {each.count} values of '{shortened(each.name)}'")
    every = "points = N, which is of each number, takes all"
    return [f"strategy 'grid' takes {' and '.join(left_out)}; {every}"] if left_out else []


def budget_of(
    settings: ExperimentSettings,
    lines: int | None,
    space: ParameterSpace | None,
    pilot: Sequence[Mapping[str, Any]],
    context: Context,
) -> Budget:
    """The budget in pairs; a strategy without generations of its own has one for every `population` results."""
    search, where = settings.search, f"{context.file}: [search]"
    seeds = None if search.replicates == ADAPTIVE else int(search.replicates)
    if lines is not None:
        return Budget(evaluations=seeds and lines * seeds, generations=None)
    _, strategy = asked_strategy(search, context)
    if search.evaluations is None and space is not None:
        try:
            points = strategy.points_in(space, search.options)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if points is not None:
            return Budget(evaluations=seeds and points * seeds, generations=None)
    has_an_end = strategy.ends_by_itself or "generations" in strategy.Options.model_fields
    if search.generations is not None and not has_an_end:
        if seeds is None:
            raise InputError(
                f"{where}: strategy '{search.strategy}' has no generations of its own, and replicates = '{ADAPTIVE}'"
                " no fixed number of pairs: give evaluations = N"
            )
        pairs = search.generations * int(search.options.get("population", 16)) * seeds
        return Budget(evaluations=pairs + PILOT_SEEDS * len(pilot), generations=search.generations)
    return Budget(evaluations=search.evaluations, generations=search.generations)
