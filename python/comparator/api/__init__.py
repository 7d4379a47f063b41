"""The public interface: what `import comparator` gives (see `comparator.__all__`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from comparator.api.arguments import check_arguments
from comparator.api.carrying_out import (
    AnySpace,
    Hyperparameters,
    Model,
    carry_out,
    common_tables,
    comparison_table,
    folder_of_all,
    folder_to_read,
    host_of,
    label_of,
    named_model,
    run,
    search_table,
)
from comparator.api.experiment import Experiment
from comparator.api.space import Choice, Constant, Flag, Float, Int, Ordered, Space
from comparator.api.words import python_words
from comparator.errors import ComparatorError, InputError
from comparator.experiment import opening
from comparator.experiment.listing import experiment_rows
from comparator.results.experiments import experiment_path
from comparator.studies import study_of

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
    together: int | None = None,
    walltime: str | timedelta | None = None,
    experiments: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    quiet: bool = False,
    **options: Any,
) -> Experiment:
    """Find where two models differ most: a search over `space` whose every evaluation trains both.

    Args:
        first, second: The models: a function that takes a dict of hyperparameters, among them the seeds `rng_seed` and
            (where it names it) `split_seed`, and returns a dict of metrics, or one number; the name of a model in
            `containers/` (`drevalpy:RandomForest` of a folder that has several), a folder with `train.sh` or a
            `command`, an image, a Python file with `run(params)`, or a module. Paths are relative to the current
            folder.
        space: What is varied: a `Space`, or a CANDLE parameter-space file.
        evaluations: The budget, in pairs of trainings; None for 56, or for what `generations=N` comes to.
        find: "maximum", the point of the largest difference, "regions", the conditions under which it is large, or
            "both", one search for the two.
        metric: The metric that is compared; None for MODEL_RETURN or OBJ_RETURN of the environment, else val_loss.
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
        together: Trainings that a worker gives at once to a model that has `run_many(params_list)`; None for what the
            site says (SITE_TOGETHER), which by itself is 1. A function takes one at a time.
        walltime: Start nothing that cannot end in this time, "HH:MM:SS" or a `timedelta`; None for no limit. Where it
            ends first, `ComparatorError` is raised, and `resume(id)` goes on.
        experiments: The folder of all experiments; None for COMPARATOR_EXPERIMENTS, else the project's.
        settings: Further keys of an experiment file, as `--set` of the command line has them, such as
            `{"run_timeout": 600, "cmp.0.python": "old/.venv", "cmp.require": "like for like"}`.
        quiet: Say nothing while it runs.
        options: Further keys of `[search]` in an experiment file, such as `population=16` or `replicates=2`.

    Returns:
        The experiment, finished, with its report written; on a site that submits jobs, as the engine `swift-t` does
        there, the experiment as it waits for its job (`state`).

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
        together=together,
        walltime=walltime,
        experiments=experiments,
        settings=settings,
        quiet=quiet,
    )
    host = host_of(given)
    models = [named_model(first, host, space), named_model(second, host, space)]
    labels = given.labels or (label_of(first, 0, second), label_of(second, 1, first))
    content = {
        "model": "cmp",
        "cmp": comparison_table(models, labels, given.metric, difference),
        **common_tables(space, hyperparameters, given),
        "search": search_table(evaluations, given.strategy, seed, options) | {"find": find},
    }
    return carry_out(host, content, models, "compare", given)


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
    together: int | None = None,
    walltime: str | timedelta | None = None,
    experiments: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
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
        together=together,
        walltime=walltime,
        experiments=experiments,
        settings=settings,
        quiet=quiet,
    )
    host = host_of(given)
    models = [named_model(model, host, space)]
    content = {"model": models[0].name, **common_tables(space, hyperparameters, given)}
    if given.metric is not None:
        content["metric"] = given.metric
    content["search"] = search_table(evaluations, given.strategy, seed, options)
    return carry_out(host, content, models, "search", given)


@python_words()
def open(id: str, *, experiments: str | Path | None = None) -> Experiment:
    """An experiment of the store, also one that runs; raises `InputError` where there is none of this id."""
    check_arguments("open()", id=id, experiments=experiments)
    return Experiment(experiment_path(folder_of_all(experiments), id))


@python_words()
def list(*, experiments: str | Path | None = None) -> pd.DataFrame:
    """All experiments, oldest first: a row each, indexed by id; raises `InputError` for a folder that is not there.

    Columns: state, evaluations (done), of (the budget), confirming, failed, withdrawn, best, created, title, tags (a
    list), note.
    """
    columns = ["id", "state", "evaluations", "of", "confirming", "failed", "withdrawn", "best", "created", "title"]
    columns += ["tags", "note"]
    rows = experiment_rows(folder_to_read(experiments))
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
    together: int | None = None,
    walltime: str | timedelta | None = None,
    experiments: str | Path | None = None,
    quiet: bool = False,
) -> Experiment:
    """Go on with an experiment that was stopped, whether it was begun here or on the command line.

    Finished evaluations are not done again. Arguments and errors as of `compare`.
    """
    given = check_arguments(
        "resume()",
        id=id,
        site=site,
        engine=engine,
        workers=workers,
        together=together,
        walltime=walltime,
        experiments=experiments,
        quiet=quiet,
    )
    host = host_of(given)
    path = experiment_path(host.experiments, id)
    study = study_of(path)
    if study is None:
        return run(host, opening.resume(host, id))
    study.resume(host, id)
    return Experiment(path)


@python_words()
def predict(id: str, at: Mapping[str, Any], *, experiments: str | Path | None = None) -> dict[str, Any]:
    """What an experiment's results let expect at a point that was not tried; see `Experiment.predict`."""
    return open(id, experiments=experiments).predict(**at)
