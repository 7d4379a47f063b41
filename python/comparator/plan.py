"""Check an experiment whole before anything starts, and freeze it into what repeats it.

The frozen experiment is plain JSON (`experiment.json`): settings, space, hyperparameters, models with their
identities, metric, budget, provenance. Everything later (leaf, report, resume) reads that and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comparator.blocks import BLOCKS
from comparator.cmp import Objective
from comparator.difference import (
    asked_difference,
    check_suits,
    difference_code,
    find_difference,
    objective_words,
    usual_difference,
)
from comparator.earlier_format import upgraded
from comparator.errors import InputError, nearest
from comparator.evidence.boxes import Box, avoid, focus, read_box
from comparator.experiment import ToConfirm
from comparator.first_epochs import plan_first_epochs
from comparator.model.data import has_changed
from comparator.model.inputs import source_change
from comparator.model.model import Model, find_model
from comparator.place import Place
from comparator.points import final_values_of, observations_in, observations_of, points_without_value
from comparator.provenance import provenance
from comparator.record import (
    FORMAT,
    Budget,
    Claim,
    Confirm,
    Evaluation,
    FirstEpochs,
    FrozenStrategy,
    MetricDescription,
    Point,
    Stages,
    Submodel,
    WholeExperiment,
    of_form,
)
from comparator.replication import Replication
from comparator.search import STRATEGIES, Strategy, grid_points, make_strategy, points_to_scatter
from comparator.search.resident import ResidentStrategy
from comparator.search.sampling import SamplingStrategy
from comparator.settings import (
    ADAPTIVE,
    ENDS_BY_ITSELF,
    ConfirmationSettings,
    ExperimentSettings,
    is_own_algorithm,
)
from comparator.site import Site
from comparator.space import ParameterSpace
from comparator.spelling import CONFIG_FILE
from comparator.submodels import choose_hyperparameters
from comparator.text import shortened
from comparator.upf import names_in, read_upf

PILOT_POINTS, PILOT_SEEDS = 3, 2
WORTH_A_PILOT = 8  # so many times a pilot's pairs, or more, must a budget be for it to be taken unasked


@dataclass(frozen=True)
class Plan:
    """A checked experiment: the frozen form, and the live things made from it."""

    frozen: WholeExperiment
    space: ParameterSpace | None  # None: the points are those of a UPF
    models: list[Model]
    objective: Objective

    @property
    def space_size(self) -> int | None:
        """How many points the space has; None where they are without number, or each has its name."""
        return self.space.size() if self.space is not None else None

    @property
    def budget(self) -> int | None:
        """The pairs that may be asked for; None where the strategy ends by itself."""
        return self.frozen.budget.evaluations

    @property
    def replication(self) -> Replication:
        """How many seeds a point is trained on."""
        return Replication.of(self.frozen.stages.replicates)

    @property
    def smallest(self) -> float | None:
        """The size of difference that matters to the user, where the file says it."""
        return (self.frozen.settings.get("search") or {}).get("smallest")

    @property
    def blocks(self) -> int:
        """To how many blocks replicates are dealt."""
        return self.frozen.stages.blocks

    @property
    def first(self) -> FirstEpochs | None:
        """The short trainings by which it searches; None where all are full ones."""
        return self.frozen.stages.first

    @property
    def pilot(self) -> list[dict[str, Any]]:
        """The points of the pilot, none where there is no pilot."""
        return list(self.frozen.stages.pilot)

    @property
    def to_confirm(self) -> ToConfirm | None:
        """What is confirmed when the search is over."""
        asked = self.frozen.stages.confirm
        return None if asked is None else ToConfirm(self._claims, self.frozen.claims, asked.splits)

    def _claims(self, records: Sequence[Evaluation]) -> list[Claim]:
        """What a search that is over claims."""
        from comparator.evidence.claims import Asked, find_claims  # seconds, only where a search is over
        from comparator.evidence.paired import Observation, Paired

        confirm, search = self.frozen.stages.confirm, self.frozen.settings.get("search") or {}
        assert confirm is not None
        final = final_values_of(records)
        return find_claims(
            self.space,
            Paired.of([Observation(*each) for each in observations_in(records)]),
            [(line.point, line.value or 0.0) for line in final.values()],
            Asked(
                points=confirm.points,
                blocks=confirm.seeds,
                regions=confirm.regions,
                elsewhere=confirm.elsewhere,
                level=search.get("level"),
                seed=self.frozen.strategy.seed,
            ),
            failed=points_without_value(records),
            final=Paired.of([Observation(*each) for each in observations_of(final)]),
        )

    def noting(self, **found: Any) -> Plan:
        """The plan with what was found since it was frozen, by the keys of `FrozenExperiment`."""
        return replace(self, frozen=self.frozen.model_copy(update=found))

    def strategy(self, *, all_at_once: bool = False, seed: int | None = None) -> Strategy:
        """A new strategy with its own seeded generator; equal plans give equal strategies.

        `all_at_once` has a sweep propose all its points at the start, whose order is the same either way. With a
        `seed` the strategy is one of the same kind that knows of no past results.
        """
        changes: dict[str, Any] = {}
        if seed is not None:
            changes = {"seed": seed, "past": []}
        elif all_at_once:
            changes = {"in_flight": self.budget or len(self.frozen.upf or ())}
        return _strategy(self.frozen.strategy.model_copy(update=changes), self.frozen.upf, self.space)

    @property
    def is_sweep(self) -> bool:
        """Whether all points are known from the start."""
        return self.frozen.strategy.name in ENDS_BY_ITSELF


def make_plan(settings: ExperimentSettings, place: Place) -> Plan:
    """Check `settings` whole; raises `InputError`. Prepares the models' data on the way."""
    space = ParameterSpace.read(place.folder / settings.space) if settings.space is not None else None
    steered: list[str] = []
    if space is not None:
        settings, space = _steer(settings, space, place, steered)
    settings = settings.model_copy(update={"set": {**_config_files_in(space), **settings.set}})
    lines = read_upf(place.folder / settings.upf) if settings.upf is not None else None
    named = space.names if space is not None else names_in(lines or [])
    varied = [name for name in named if name not in CONFIG_FILE]
    given = choose_hyperparameters(settings, varied, place)
    notices = [*(space.warnings if space is not None else ()), *steered, *given.warnings]
    metric = settings.asked_metric
    asked_by_environment = os.environ.get("MODEL_RETURN") or metric
    if asked_by_environment != metric:
        notices.append(f"MODEL_RETURN={asked_by_environment} has no effect: {place.file.name} states '{metric}'")
    metrics = _check_metric(metric, given.models, f"{place.file}: metric")
    settings, difference = _with_difference(settings, metric, metrics, place.file)
    objective = make_objective(difference, metric, metrics, place.file)
    where = f"{place.file}: [search]"
    search, first = plan_first_epochs(settings.search, given.submodels, given.models, varied, where)
    short = settings.model_copy(update={"search": search})
    pilot = _pilot(short, space, place, notices)
    _check_unit(settings, objective, pilot, place)
    past = _past(settings, space, objective, place, notices)
    strategy = _strategy_settings(short, place, notices, PILOT_SEEDS * len(pilot))
    frozen = WholeExperiment(
        id="",
        format=FORMAT,
        title=settings.title or _title(given.submodels, metric),
        kind="cmp" if settings.compares else "single",
        file=str(place.file),
        settings=settings.model_dump(mode="json", exclude_none=True),
        space=space.entries() if space is not None else [],
        upf=[(line.identifier, line.hyperparameters) for line in lines] if lines is not None else None,
        hyperparameters=given.hyperparameters,
        models=given.submodels,
        metric=metric,
        metrics=metrics,
        difference_code=None if difference is None else difference_code(difference, place.folder),
        run_timeout=settings.run_timeout,
        objective=objective_words(difference, metric, objective.maximise),
        strategy=strategy.model_copy(update={"past": past}),
        budget=_budget(short, None if lines is None else len(lines), space, pilot, where),
        stages=Stages(
            replicates=settings.search.replicates,
            blocks=settings.search.blocks or (BLOCKS if lines is None else 1),
            pilot=pilot,
            first=first,
            confirm=_confirm(settings, given.submodels),
        ),
        provenance=provenance(place.root, place.site, place.engine, place.workers, place.command),
        notices=notices,
    )
    informed = _strategy(frozen.strategy, frozen.upf, space)
    informed.close()
    return Plan(frozen, space, given.models, objective)


def reopen_plan(frozen: WholeExperiment, *, root: Path, site: Site) -> Plan:
    """Make a plan from a frozen experiment; raises `InputError` where its models or data have changed since."""
    settings = of_form(ExperimentSettings, frozen.settings, f"experiment.json of '{frozen.id}': settings")
    models = [
        find_model(submodel.path, root, root / "containers", f"model of submodel {submodel.submodel}", site)
        for submodel in frozen.models
    ]
    file = Path(frozen.file)
    if frozen.format < FORMAT:
        frozen = upgraded(frozen, models, site.data_folder)
    changes = [_change(submodel, model, site) for submodel, model in zip(frozen.models, models, strict=True)]
    difference = asked_difference(frozen)
    if difference is not None and frozen.difference_code != difference_code(difference, file.parent):
        changes.append(f"{file.parent}: the code of difference '{difference}' has changed")
    change = next(filter(None, changes), None)
    if change is not None:
        raise InputError(f"{change} since '{frozen.id}' began; start anew")
    objective = make_objective(difference, frozen.metric, frozen.metrics, file)
    space = ParameterSpace.from_entries(frozen.space, "experiment.json") if frozen.space else None
    if space is not None and settings.search.avoid is not None:
        space = avoid(space, Box.from_bounds(space, settings.search.avoid, "experiment.json: avoid"))
    return Plan(frozen, space, models, objective)


def _change(submodel: Submodel, model: Model, site: Site) -> str | None:
    """What of a model or of its data is not as it was, in a line; None where all is."""
    change = source_change(model, submodel)
    return change or has_changed(model, site.data_folder, submodel.data, submodel.data_until)


def make_objective(
    difference: str | None, metric: str, metrics: Mapping[str, MetricDescription], file: Path
) -> Objective:
    """The number that a search minimises: by the difference of this name, or (None) a single model's metric."""
    if difference is not None:
        function = find_difference(difference, file.parent, f"{file}: [cmp] difference")
        return Objective(metric, function, described=metrics.keys())
    larger_is_better = metric in metrics and metrics[metric].kind == "score"
    return Objective(metric, None, maximise=larger_is_better, described=metrics.keys())


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
    return settings.model_copy(update={"cmp": settings.cmp.model_copy(update={"difference": name})}), name


def _steer(
    settings: ExperimentSettings, space: ParameterSpace, place: Place, notices: list[str]
) -> tuple[ExperimentSettings, ParameterSpace]:
    """Keep the search inside the box to focus on and around the one to avoid; the settings then hold their bounds."""
    bounds: dict[str, Any] = {}
    for key, restricted, words in (("focus", focus, "keeps to"), ("avoid", avoid, "keeps out of")):
        given = getattr(settings.search, key)
        if given is None:
            continue
        read = read_box(str(place.folder / given)) if isinstance(given, str) else given
        box = Box.from_bounds(space, read, given if isinstance(given, str) else f"{place.file}: [search] {key}")
        space = restricted(space, box)
        bounds[key] = box.bounds
        notices.append(f"the search {words} {box.words()}")
    search = settings.search.model_copy(update=bounds)
    return settings.model_copy(update={"search": search}), space


def _config_files_in(space: ParameterSpace | None) -> dict[str, Any]:
    """What constants of a space called `config` or `config_file` mean: the file of hyperparameters below all else."""
    entries = space.entries() if space is not None else []
    given = [entry["value"] for entry in entries if entry["type"] == "constant" and entry["name"] in CONFIG_FILE]
    return {"config_file": given[0]} if given else {}


def _title(submodels: Sequence[Submodel], metric: str) -> str:
    if len(submodels) == 1:
        return f"{submodels[0].name}: {metric}"
    first, second = (submodel.label for submodel in submodels)
    return f"Where do {first} and {second} differ in {metric}?"


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


# Search


def _pilot(
    settings: ExperimentSettings, space: ParameterSpace | None, place: Place, notices: list[str]
) -> list[dict[str, Any]]:
    """The points that are tried before the search: asked for, or so few that the budget is hardly less by them."""
    search, where = settings.search, f"{place.file}: [search] pilot"
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


def _check_unit(
    settings: ExperimentSettings, objective: Objective, pilot: Sequence[Mapping[str, Any]], place: Place
) -> None:
    replicates = settings.search.replicates
    if objective.in_deviations and settings.search.first_epochs is not None:
        raise InputError(
            f"{place.file}: [cmp] difference = 'in_deviations': its unit is the deviation of full trainings, which a"
            " search by first_epochs does not measure"
        )
    if objective.in_deviations and not pilot and (isinstance(replicates, str) or replicates < 2):
        raise InputError(
            f"{place.file}: [cmp] difference = 'in_deviations': its unit is the deviation from seed to seed; measure"
            " it by [search] pilot = true, or replicates = 2 or more"
        )


def _confirm(settings: ExperimentSettings, submodels: Sequence[Submodel]) -> Confirm | None:
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


def _strategy_settings(
    settings: ExperimentSettings, place: Place, notices: list[str], pilot_pairs: int
) -> FrozenStrategy:
    search = settings.search
    seeds = Replication.of(search.replicates).first
    options = dict(search.options)
    known = STRATEGIES[search.strategy].options if search.strategy in STRATEGIES else options
    if "initial_population" in options:
        options["initial_population"] = str(place.folder / str(options["initial_population"]))
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
        name=str(place.folder / search.strategy) if own else search.strategy,
        seed=search.seed,
        # The seeds of a point go to several workers; one point more than they need keeps all of them busy.
        in_flight=place.workers if seeds == 1 else min(place.workers, -(-place.workers // seeds) + 1),
        options=options,
        where=f"{place.file}: [search]",
    )


def _strategy(
    made: FrozenStrategy, upf: Sequence[tuple[str | None, Point]] | None, space: ParameterSpace | None
) -> Strategy:
    if space is None:
        names, points = zip(*(upf or ()), strict=True)
        return SamplingStrategy(iter(points), made.in_flight, names)
    if is_own_algorithm(made.name):
        return _own_algorithm(made)
    try:
        strategy = make_strategy(made.name, space, seed=made.seed, in_flight=made.in_flight, options=made.options)
    except InputError as error:
        raise InputError(f"{made.where}: {error}") from None
    if made.past and strategy.inform(made.past) == 0:
        raise InputError(f"{made.where}: strategy '{made.name}' cannot be told past results")
    return strategy


def _own_algorithm(made: FrozenStrategy) -> Strategy:
    """The user's own EQ/Py module as a strategy; it may import what lies beside it."""
    path, options = Path(made.name), made.options
    unknown = sorted(set(options) - {"parameters"})
    if unknown:
        raise InputError(f"{made.where}: {path.name} takes 'parameters' (a text), not '{unknown[0]}'")
    if not path.is_file():
        raise InputError(f"{made.where}: strategy: {path}: no such file")
    try:
        return ResidentStrategy(path, str(options.get("parameters", "")))
    except InputError as error:
        raise InputError(f"{made.where}: {error}") from None


def _past(
    settings: ExperimentSettings, space: ParameterSpace | None, objective: Objective, place: Place, notices: list[str]
) -> list[tuple[dict[str, Any], float | None]]:
    """Past results that the search is told: points of this space with the mean of their values."""
    told: list[tuple[dict[str, Any], float | None]] = []
    if not settings.search.past or space is None:
        return told
    from comparator.past import as_told, read_past

    for name in settings.search.past:
        past = read_past(place.folder / name, metric=None)
        if settings.compares or (past.metric, past.maximise) != (objective.metric, objective.maximise):
            wanted = "a difference" if settings.compares else objective.metric
            raise InputError(f"{place.file}: [search] past: {name} has {past.metric}, but the search is for {wanted}")
        fitting = as_told(past, space)
        notices.append(f"the search is told {len(fitting)} points of {name}; they are no runs of this store")
        told += fitting
    return told


def _budget(
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
