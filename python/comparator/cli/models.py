"""`comparator model`: which there are; begin a model, and try one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comparator.cli import completion
from comparator.cli.app import JsonOption, models_app, out, stop_signals_like_ctrl_c
from comparator.errors import InputError
from comparator.experiment.terminal import copyable
from comparator.site.folders import project_root

if TYPE_CHECKING:
    from comparator.checks.model import Bench


@models_app.command("list")
def list_models(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="A data folder; the site's if not given.", show_default=False),
    ] = None,
    site: Annotated[
        str, typer.Option(metavar="NAME", help="The site whose data it is about.", autocompletion=completion.sites)
    ] = "local",
    as_json: JsonOption = False,
) -> None:
    """List the models of containers/, and what each lacks of the data."""
    from comparator.model.catalogue import known_models
    from comparator.site.profile import read_site

    _check_data(data)
    root = project_root()
    models = known_models(root / "containers", data or read_site(site, root).data_folder)
    if as_json:
        print(json.dumps([asdict(each) for each in models], indent=1))
        return
    width = max((len(each.name) for each in models), default=0)
    for each in models:
        said = each.problem or (f"lacks {', '.join(each.lacks)}" if each.lacks else each.description)
        out.print(f"{each.name.ljust(width)}  {said}", soft_wrap=True)


SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a hyperparameter, as epochs=2.")
]
PythonOption = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="What runs the model: an environment (venv, conda), or an interpreter."),
]
RequirementsOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Its environment is made from this requirements file.")
]
SlotOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="The site whose first slot the model runs on.", autocompletion=completion.sites),
]


@models_app.command("check")
def check_model(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A folder, an image, a Python file, a module, or a name that model list has.",
            autocompletion=completion.models,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="A data folder; a tiny one is made if not given."),
    ] = None,
    assignments: SetOption = None,
    metric: Annotated[str | None, typer.Option(metavar="NAME", help="The metric that a search would take.")] = None,
    python: PythonOption = None,
    requirements: RequirementsOption = None,
    limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="What one run may take.")] = 600.0,
    site: SlotOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Try a model on a tiny data set, step by step, and say what to mend; exit status 1 where something fails."""
    from comparator.checks.model import Bench, bench_folder
    from comparator.model.python_environment import PythonChoice
    from comparator.site.profile import read_site

    _check_data(data)
    settings = _settings(assignments or [])
    stop_signals_like_ctrl_c()
    root = project_root()
    with bench_folder() as folder:
        bench = Bench(
            containers=root / "containers",
            slot=read_site(site, root).slots()[0],
            folder=folder.path,
            data_folder=data,
            settings=settings,
            metric=metric,
            limit=limit,
            python=PythonChoice(python, requirements, Path.cwd(), "model check"),
        )
        folder.keep = _fails(model, bench, as_json=as_json)
    if folder.is_kept and not as_json:
        copyable(out, f"what was tried, and its logs: {folder.path}")
    if folder.keep:
        raise typer.Exit(1)


def _fails(model: str, bench: Bench, *, as_json: bool) -> bool:
    """Try a model, and print what is found as it is; whether something fails."""
    from comparator.checks.model import check_model as findings_of
    from comparator.formats.finding import FAILS

    findings = []
    for found in findings_of(model, bench):
        findings.append(found)
        if not as_json:
            copyable(out, str(found))
    if as_json:
        print(json.dumps([asdict(each) for each in findings], indent=1))
    return any(each.outcome == FAILS for each in findings)


def _settings(assignments: Sequence[str]) -> dict[str, object]:
    from comparator.formats.hyperparameters import parse_override, set_once

    settings: dict[str, object] = {}
    for assignment in assignments:
        set_once(settings, *parse_override(assignment), f"--set {assignment}")
    return settings


def _check_data(folder: Path | None) -> None:
    if folder is not None and not folder.is_dir():
        raise InputError(f"--data {folder}: no such folder")


@models_app.command("new")
def new_model(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where it is put; containers/ if not given, or here."),
    ] = None,
) -> None:
    """Write the folder of a new model, which works at once, for you to put yours in its place."""
    from comparator.model.scaffold import new_model

    containers = project_root() / "containers"
    made = new_model(name, folder or (containers if containers.is_dir() else Path.cwd()))
    copyable(out, f"{made}: README.md in it says what goes where; try it by: comparator model check {made}")
