"""The public interface: what `import comparator` gives (see `comparator.__all__`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from comparator.api.arguments import Arguments, check_arguments, listed_hyperparameters
from comparator.api.experiment import Experiment
from comparator.api.functions import Function, function_file, name_of
from comparator.api.space import Choice, Constant, Flag, Float, Int, Ordered, Space
from comparator.api.words import python_words
from comparator.engine.interface import EngineOptions
from comparator.errors import ComparatorError, InputError
from comparator.experiment import controls, opening, planning
from comparator.experiment.host import Host, open_host
from comparator.experiment.listing import experiment_rows
from comparator.experiment.settings import check_settings
from comparator.experiment.terminal import Terminal, in_notebook
from comparator.formats.names import home_written_out
from comparator.formats.text import shown
from comparator.model.model import with_path_written
from comparator.results.experiments import experiment_path
from comparator.results.store import check_new_experiment
from comparator.site.folders import experiments_folder, project_root

__all__ = [
    "Choice",
    "ComparatorError",
    "Constant",
    "Experiment",
    "Flag",
    "Float",
    "InputError",
    "Int",
    "Ordered",
    "Space",
    "compare",
    "predict",
    "resume",
    "search",
]

#: A function of a dict of hyperparameters, or what the command line takes: a model's name, a folder, an image, a file.
Model = Function | str | Path
#: A dict; a CANDLE file, or several of which the first whose data are there is taken; or these and a dict on top.
Hyperparameters = Mapping[str, Any] | str | Path | Sequence[Mapping[str, Any] | str | Path]
AnySpace = Space | str | Path
EVALUATIONS = 56  # of a search, where nothing says otherwise


@python_words()
def compare(
    first: Model,
    second: Model,
    space: AnySpace,
    *,
    evaluations: int | None = None,
    find: str = "maximum",
    metric: str | None = None,
    difference: str | None = None,
    hyperparameters: Hyperparameters = (),
    labels: Sequence[str] | None = None,
    strategy: str | Path | None = None,
    seed: int = 1,
    confirm: Mapping[str, Any] | bool = True,
    title: str = "",
    id: str | None = None,
    site: str = "local",
    engine: str | Executor | None = None,
    workers: int | None = None,
    experiments: str | Path | None = None,
    quiet: bool = False,
    **options: Any,
) -> Experiment:
    """Find where two models differ most: a search over `space` whose every evaluation trains both.

    Args:
        first, second: The models: a function that takes a dict of hyperparameters, among them the seeds `rng_seed` and
            (where it names it) `split_seed`, and returns a dict of metrics, or one number; the name of a model in
            `containers/` (`drevalpy:RandomForest` of a folder that has several), a folder with `train.sh`, an image, a
            Python file with `run(params)`, or a module. Paths are
            relative to the current folder.
        space: What is varied: a `Space`, or a CANDLE parameter-space file.
        evaluations: The budget, in pairs of trainings; None for 56, or for what `generations=N` comes to.
        find: "maximum", the point of the largest difference, "regions", the conditions under which it is large, or
            "both", one search for the two.
        metric: The metric that is compared; None for MODEL_RETURN of the environment, else val_loss.
        difference: How two metrics become one number; None for "relative" of an error (equation 1 of the paper) and
            "absolute" of a score. Others: "signed", "log_ratio", "in_deviations", or your own as "module:function".
        hyperparameters: What is given to both models beside the space: a dict, a CANDLE file, or a list of these;
            `cmp_0_NAME` and `cmp_1_NAME` are of one model alone.
        labels: What reports call the two; None for their names.
        strategy: The search; None for "level_set" where regions are to be found, "region_and_maximum" for both, else
            "bayesian".
        seed: Of the search, from 0.
        confirm: False: what was found is not trained anew; a dict: the keys of `[confirm]` in an experiment file.
        id: The experiment's id; None for `compare-N`.
        site: The machine's profile.
        engine: "local", "swift-t", or an executor of `concurrent.futures`, such as Dask's; None for the site's first.
        workers: Evaluations at a time; None for all slots of the machine.
        experiments: The folder of all experiments; None for COMPARATOR_EXPERIMENTS, else the project's.
        quiet: Say nothing while it runs.
        options: Further keys of `[search]` in an experiment file, such as `population=16` or `replicates=2`.

    Returns:
        The experiment, finished, with its report written.

    Raises:
        InputError: A mistake in what is given, said in one line, before anything starts.
        ComparatorError: The search cannot go on; what is finished is kept, and `resume(id)` goes on with it.
        KeyboardInterrupt: Ctrl-C, or a notebook's stop button; what is finished is kept likewise.
    """
    given = check_arguments(
        "compare()",
        metric=metric,
        labels=labels,
        strategy=strategy,
        confirm=confirm,
        title=title,
        id=id,
        site=site,
        engine=engine,
        workers=workers,
        experiments=experiments,
        quiet=quiet,
    )
    host = _host(given)
    models = [_model(first, host), _model(second, host)]
    comparison: dict[str, Any] = {
        "models": [each.name for each in models],
        "labels": [*(given.labels or (_label(first, 0, second), _label(second, 1, first)))],
    }
    if given.metric is not None:
        comparison["metric"] = given.metric
    if difference is not None:
        comparison["difference"] = difference
    content = {"model": "cmp", "cmp": comparison, **_common(space, hyperparameters, given)}
    content["search"] = _search_table(evaluations, given.strategy, seed, options) | {"find": find}
    return _carry_out(host, content, models, "compare", given.id)


@python_words()
def search(
    model: Model,
    space: AnySpace,
    *,
    metric: str | None = None,
    evaluations: int | None = None,
    hyperparameters: Hyperparameters = (),
    strategy: str | Path | None = None,
    seed: int = 1,
    confirm: Mapping[str, Any] | bool = True,
    title: str = "",
    id: str | None = None,
    site: str = "local",
    engine: str | Executor | None = None,
    workers: int | None = None,
    experiments: str | Path | None = None,
    quiet: bool = False,
    **options: Any,
) -> Experiment:
    """Find the hyperparameters at which one model is best in `metric`; arguments and errors as of `compare`.

    A metric that `model.toml` calls a score is maximised, every other minimised.
    """
    given = check_arguments(
        "search()",
        metric=metric,
        strategy=strategy,
        confirm=confirm,
        title=title,
        id=id,
        site=site,
        engine=engine,
        workers=workers,
        experiments=experiments,
        quiet=quiet,
    )
    host = _host(given)
    models = [_model(model, host)]
    content = {"model": models[0].name, **_common(space, hyperparameters, given)}
    if given.metric is not None:
        content["metric"] = given.metric
    content["search"] = _search_table(evaluations, given.strategy, seed, options)
    return _carry_out(host, content, models, "search", given.id)


@python_words()
def open(id: str, *, experiments: str | Path | None = None) -> Experiment:
    """An experiment of the store, also one that runs; raises `InputError` where there is none of this id."""
    check_arguments("open()", id=id, experiments=experiments)
    return Experiment(experiment_path(_experiments(experiments), id))


@python_words()
def list(*, experiments: str | Path | None = None) -> pd.DataFrame:
    """All experiments, oldest first: a row each, indexed by id.

    Columns: state, evaluations (done), of (the budget), confirming, failed, withdrawn, best, created, title, tags (a
    list), note.
    """
    columns = ["id", "state", "evaluations", "of", "confirming", "failed", "withdrawn", "best", "created", "title"]
    columns += ["tags", "note"]
    rows = experiment_rows(_experiments(experiments))
    return pd.DataFrame(
        [{**row, "best": row.get("best", row.get("damage"))} for row in rows], columns=columns
    ).set_index("id")


@python_words()
def resume(
    id: str,
    *,
    site: str = "local",
    engine: str | Executor | None = None,
    workers: int | None = None,
    experiments: str | Path | None = None,
    quiet: bool = False,
) -> Experiment:
    """Go on with an experiment that was stopped, whether it was begun here or on the command line.

    Finished evaluations are not done again. Arguments and errors as of `compare`.
    """
    given = check_arguments(
        "resume()", id=id, site=site, engine=engine, workers=workers, experiments=experiments, quiet=quiet
    )
    host = _host(given)
    opened = opening.resume(host, id)
    opened.run()
    controls.follow(host, opened.path)
    return Experiment(opened.path)


@python_words()
def predict(id: str, at: Mapping[str, Any], *, experiments: str | Path | None = None) -> dict[str, Any]:
    """What an experiment's results let expect at a point that was not tried; see `Experiment.predict`."""
    return open(id, experiments=experiments).predict(**at)


def _host(given: Arguments) -> Host:
    # In a notebook lines are text of the cell; rich would give each a space of its own, or take it for a terminal.
    how = {"force_jupyter": False, "force_terminal": False} if in_notebook() else {}
    console: Console = Terminal(quiet=given.quiet, **how)
    options = EngineOptions(engine=given.engine, workers=given.workers)
    return open_host(project_root(), _experiments(given.experiments), given.site, options, warm=True, console=console)


def _experiments(given: str | Path | None) -> Path:
    return experiments_folder(None if given is None else Path(given), project_root())


@dataclass(frozen=True)
class _Named:
    """A model by what an experiment file would say, a name or a path; `make` makes what is none yet."""

    name: str
    make: Callable[[], None] = lambda: None


def _model(model: Model, host: Host) -> _Named:
    if callable(model):
        file = function_file(model, host.experiments)
        return _Named(str(file.path), file.write)
    if not isinstance(model, (str, Path)):
        raise InputError(f"{shown(model)} is no model: give a function, a name, or the path of a folder, image or file")
    return _Named(with_path_written(str(model), lambda path: str(path.absolute())))


def _label(model: Model, number: int, other: Model) -> str:
    label, others = (name_of(each) if callable(each) else Path(each).name for each in (model, other))
    return label if label != others else f"{label} ({number})"


def _space(space: AnySpace) -> Any:
    """What an experiment file would say: the entries, or a path."""
    if isinstance(space, Space):
        return space.entries()
    if isinstance(space, (str, Path)):
        return str(home_written_out(space))
    raise InputError(
        f"space: {shown(space)} is no space: write Space(noise=Float(0, 50), ...), or give a parameter-space file"
    )


def _common(space: AnySpace, hyperparameters: Hyperparameters, given: Arguments) -> dict[str, Any]:
    """The parts of an experiment file that comparisons and searches of one model share."""
    content: dict[str, Any] = {"title": given.title, "space": _space(space)}
    listed = listed_hyperparameters(hyperparameters)
    files = [str(home_written_out(each)) for each in listed if isinstance(each, (str, Path))]
    if files:
        content["hyperparameters"] = files
    content["set"] = {name: value for each in listed if isinstance(each, Mapping) for name, value in each.items()}
    if given.confirm is not True:
        content["confirm"] = {"points": 0} if given.confirm is False else given.confirm
    return content


def _search_table(evaluations: int | None, strategy: object, seed: int, options: Mapping[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = {"seed": seed, **options}
    if evaluations is not None or "generations" not in options:
        table["evaluations"] = EVALUATIONS if evaluations is None else evaluations
    if strategy is not None:
        table["strategy"] = str(home_written_out(strategy)) if isinstance(strategy, Path) else strategy
    return table


def _carry_out(
    host: Host, content: Mapping[str, Any], models: Sequence[_Named], verb: str, identifier: str | None
) -> Experiment:
    """Plan and run a new experiment, whose words are those of a call instead of a file's."""
    check_new_experiment(host.experiments, identifier)
    called = f"{verb}()"
    settings = check_settings(content, called)
    # No file has this name; paths are relative to the folder.

    def make_models() -> None:
        for model in models:
            model.make()

    plan = planning.plan_settings(host, settings, Path.cwd() / called, f"comparator.{verb}", called, make_models)
    opened = opening.begin(host, plan, verb, identifier)
    opened.run()
    controls.follow(host, opened.path)
    return Experiment(opened.path)
