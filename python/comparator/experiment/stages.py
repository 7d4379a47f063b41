"""What `[search]` and `[confirm]` come to: pilot, strategy and what it is told, budget, confirmation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.settings import (
    ADAPTIVE,
    ConfirmationSettings,
    ExperimentSettings,
    is_own_algorithm,
)
from comparator.objective.comparison import Objective
from comparator.results.record import (
    Budget,
    Confirm,
    FrozenStrategy,
    Submodel,
)
from comparator.space import ParameterSpace
from comparator.strategies import STRATEGIES, grid_points, points_to_scatter
from comparator.strategies.replication import Replication
from comparator.strategies.strategy import ENDS_BY_ITSELF

PILOT_POINTS, PILOT_SEEDS = 3, 2
WORTH_A_PILOT = 8  # so many times a pilot's pairs, or more, must a budget be for it to be taken unasked


def pilot_points(
    settings: ExperimentSettings, space: ParameterSpace | None, context: Context, notices: list[str]
) -> list[dict[str, Any]]:
    """The points that are tried before the search: asked for, or so few that the budget is hardly less by them."""
    search, where = settings.search, f"{context.file}: [search] pilot"
    if space is None or search.strategy in ENDS_BY_ITSELF:
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


def check_unit(
    settings: ExperimentSettings, objective: Objective, pilot: Sequence[Mapping[str, Any]], context: Context
) -> None:
    replicates = settings.search.replicates
    if objective.in_deviations and settings.search.first_epochs is not None:
        raise InputError(
            f"{context.file}: [cmp] difference = 'in_deviations': its unit is the deviation of full trainings, which a"
            " search by first_epochs does not measure"
        )
    if objective.in_deviations and not pilot and (isinstance(replicates, str) or replicates < 2):
        raise InputError(
            f"{context.file}: [cmp] difference = 'in_deviations': its unit is the deviation from seed to seed; measure"
            " it by [search] pilot = true, or replicates = 2 or more"
        )


def confirmation_of(settings: ExperimentSettings, submodels: Sequence[Submodel]) -> Confirm | None:
    """What is confirmed: after a search by default, after a sweep where the file says so."""
    asked = settings.confirm
    if asked is None and settings.search.strategy not in ENDS_BY_ITSELF:
        asked = ConfirmationSettings()
    if asked is None:
        return None
    points = asked.points if asked.points is not None else int(settings.search.find != "regions")
    regions = asked.points != 0 if asked.regions is None else asked.regions
    regions = regions and settings.compares and settings.space is not None
    if not points and not regions:
        return None
    splits = asked.splits and all(submodel.split is not None for submodel in submodels)
    return Confirm(points=points, seeds=asked.seeds, splits=splits, regions=regions, elsewhere=settings.compares)


def freeze_strategy(
    settings: ExperimentSettings, context: Context, notices: list[str], pilot_pairs: int
) -> FrozenStrategy:
    search = settings.search
    seeds = Replication.of(search.replicates).first
    options = dict(search.options)
    known = STRATEGIES[search.strategy].options if search.strategy in STRATEGIES else options
    if "initial_population" in options:
        options["initial_population"] = str(context.folder / str(options["initial_population"]))
    if "generations" in known and search.generations is not None:
        options["generations"] = search.generations
    if "level" in known and search.level is not None:
        options["level"] = search.level
    if "total" in known and "points" not in options and search.evaluations is not None:
        options.setdefault("total", max(1, (search.evaluations - pilot_pairs) // seeds))
    if search.strategy == "level_set" and search.evaluations is not None:
        options.setdefault("scattered", points_to_scatter(search.evaluations))
    if "population" in options and "population" not in known:
        # So that one experiment file serves every strategy that the command line may choose.
        del options["population"]
        notices.append(f"strategy '{search.strategy}' has no population; the file's is left out")
    own = is_own_algorithm(search.strategy)
    return FrozenStrategy(
        name=str(context.folder / search.strategy) if own else search.strategy,
        seed=search.seed,
        # The seeds of a point go to several workers; one point more than they need keeps all of them busy.
        in_flight=context.workers if seeds == 1 else min(context.workers, -(-context.workers // seeds) + 1),
        options=options,
        where=f"{context.file}: [search]",
    )


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


def budget_of(
    settings: ExperimentSettings,
    lines: int | None,
    space: ParameterSpace | None,
    pilot: Sequence[Mapping[str, Any]],
    where: str,
) -> Budget:
    """The budget in pairs; a strategy without generations of its own has one for every `population` results."""
    search = settings.search
    seeds = None if search.replicates == ADAPTIVE else int(search.replicates)
    if lines is not None:
        return Budget(evaluations=seeds and lines * seeds, generations=None)
    if search.strategy == "grid" and search.evaluations is None and space is not None:
        return Budget(evaluations=seeds and _grid_size(space, search.options, where) * seeds, generations=None)
    kind = STRATEGIES.get(search.strategy)
    if search.generations is not None and kind is not None and "generations" not in kind.options:
        if seeds is None:
            raise InputError(
                f"{where}: strategy '{search.strategy}' has no generations of its own, and replicates = '{ADAPTIVE}'"
                " no fixed number of pairs: give evaluations = N"
            )
        pairs = search.generations * int(search.options.get("population", 16)) * seeds
        return Budget(evaluations=pairs + PILOT_SEEDS * len(pilot), generations=search.generations)
    return Budget(evaluations=search.evaluations, generations=search.generations)


def _grid_size(space: ParameterSpace, options: Mapping[str, Any], where: str) -> int:
    known = STRATEGIES["grid"].options
    try:
        return len(grid_points(space, options.get("points"), options.get("total", known["total"].default)))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
