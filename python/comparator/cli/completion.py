"""What a shell offers when Tab is typed: ids of experiments, sites, models, metrics, hyperparameters.

A shell shows nothing of a mistake made here, and waits meanwhile: what cannot be told is left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from comparator.errors import ComparatorError
from comparator.site.folders import experiments_folder, project_root


def experiment_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """The ids of the experiments, the latest first."""
    with contextlib.suppress(ComparatorError, OSError):
        from comparator.results.experiments import experiment_names

        return _beginning(incomplete, reversed(experiment_names(_experiments(ctx))))
    return []


def sites(incomplete: str) -> list[str]:
    """The names of the sites."""
    with contextlib.suppress(ComparatorError, OSError):
        from comparator.site.profile import site_files

        return _beginning(incomplete, site_files(project_root()))
    return []


def engines(incomplete: str) -> list[str]:
    """The names of the engines."""
    from comparator.engine.engines import ENGINES

    return _beginning(incomplete, ENGINES)


def models(incomplete: str) -> list[str]:
    """The folders of models; a shell adds the files that there are."""
    with contextlib.suppress(ComparatorError, OSError):
        from comparator.model.catalogue import model_folders

        folders = model_folders(project_root() / "containers")
        return _beginning(incomplete, [f"containers/{folder.name}" for folder in folders])
    return []


def metrics(ctx: typer.Context, incomplete: str) -> list[str]:
    """The metrics that the models of the experiment on the line report."""
    return _beginning(incomplete, _experiment(ctx).get("metrics") or ())


def hyperparameters(ctx: typer.Context, incomplete: str) -> list[str]:
    """The hyperparameters that the experiment on the line varies, as `NAME=`."""
    space = _experiment(ctx).get("space") or ()
    return _beginning(incomplete, [f"{entry['name']}=" for entry in space if entry.get("type") != "constant"])


def settings(incomplete: str) -> list[str]:
    """The keys of an experiment file, as `KEY=`."""
    from comparator.experiment.settings import known_keys

    return _beginning(incomplete, [f"{key}=" for key in known_keys()])


def _experiment(ctx: typer.Context) -> dict[str, Any]:
    """The experiment whose id is on the line, as it is written; empty where there is none."""
    from comparator.results.experiments import EXPERIMENT
    from comparator.results.files import read_json

    # Where the last option still lacks its value, nothing of the line has been sorted.
    identifier = ctx.params.get("identifier") or next(iter(ctx.args), "")
    with contextlib.suppress(ComparatorError, OSError, ValueError):
        content = read_json(_experiments(ctx) / identifier / EXPERIMENT)
        return content if isinstance(content, dict) else {}
    return {}


def _experiments(ctx: typer.Context) -> Path:
    words = list(ctx.parent.args) if ctx.parent is not None else []
    given = ctx.params.get("experiments")
    if given is None and "--experiments" in words[:-1]:
        given = Path(words[words.index("--experiments") + 1])
    return experiments_folder(given, project_root())


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
