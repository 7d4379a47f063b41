"""From the arguments of a call to an experiment file's tables, and to an experiment that is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from comparator.api.arguments import Arguments, listed_hyperparameters, plain_settings
from comparator.api.experiment import Experiment
from comparator.api.functions import Function, function_file, name_of
from comparator.api.plain import plain
from comparator.api.space import Space
from comparator.engine.interface import EngineOptions
from comparator.errors import InputError, Submitted
from comparator.experiment import controls, opening, planning
from comparator.experiment.experiment_file import with_values
from comparator.experiment.host import Host, open_host
from comparator.experiment.session import OutOfTime, Session
from comparator.experiment.terminal import Terminal, in_notebook
from comparator.formats.names import home_written_out
from comparator.formats.text import shown
from comparator.model.references import with_path_written
from comparator.results.store import check_new_experiment
from comparator.site.folders import experiments_folder, experiments_to_read, project_root

#: A function of a dict of hyperparameters, or what the command line takes: a model's name, a folder, an image, a file.
Model = Function | str | Path
#: A dict; a CANDLE file, or several of which the first whose data are there is taken; or these and a dict on top.
Hyperparameters = Mapping[str, Any] | str | Path | Sequence[Mapping[str, Any] | str | Path]
AnySpace = Space | str | Path
EVALUATIONS = 56  # of a search, where nothing says otherwise


def host_of(given: Arguments) -> Host:
    """The machine and the folders that a call asks for."""
    # In a notebook lines are text of the cell; rich would give each a space of its own, or take it for a terminal.
    how = {"force_jupyter": False, "force_terminal": False} if in_notebook() else {}
    console: Console = Terminal(quiet=given.quiet, **how)
    options = EngineOptions(
        engine=given.engine, workers=given.workers, together=given.together, walltime=given.walltime
    )
    return open_host(project_root(), folder_of_all(given.experiments), given.site, options, warm=True, console=console)


def folder_of_all(given: str | Path | None) -> Path:
    """Where experiments are kept."""
    return experiments_folder(None if given is None else Path(given), project_root())


def folder_to_read(given: str | Path | None) -> Path:
    """The same; raises `InputError` where one that is named is not there."""
    return experiments_to_read(None if given is None else Path(given), project_root())


@dataclass(frozen=True)
class Named:
    """A model by what an experiment file would say, a name or a path; `make` makes what is none yet."""

    name: str
    make: Callable[[], None] = lambda: None


def named_model(model: Model, host: Host, space: AnySpace) -> Named:
    """A model of a call as an experiment file names it; raises `InputError` for what is none."""
    if callable(model):
        varied = [entry["name"] for entry in space.entries()] if isinstance(space, Space) else []
        file = function_file(model, host.experiments, varied)
        return Named(str(file.path), file.write)
    if not isinstance(model, (str, Path)):
        raise InputError(f"{shown(model)} is no model: give a function, a name, or the path of a folder, image or file")
    return Named(with_path_written(str(model), lambda path: str(path.absolute())))


def label_of(model: Model, number: int, other: Model) -> str:
    """What reports call a model: its name, with its number where the other has the same."""
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


def common_tables(space: AnySpace, hyperparameters: Hyperparameters, given: Arguments) -> dict[str, Any]:
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


def comparison_table(
    models: Sequence[Named], labels: Sequence[str], metric: str | None, difference: str | None
) -> dict[str, Any]:
    """`[cmp]` of an experiment file."""
    said = {"metric": metric, "difference": difference}
    given = {key: value for key, value in said.items() if value is not None}
    return {"models": [each.name for each in models], "labels": [*labels], **given}


def search_table(evaluations: int | None, strategy: object, seed: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """`[search]` of an experiment file."""
    table: dict[str, Any] = {"seed": plain(seed), **plain(options)}
    if evaluations is not None or "generations" not in options:
        table["evaluations"] = EVALUATIONS if evaluations is None else plain(evaluations)
    if strategy is not None:
        table["strategy"] = str(home_written_out(strategy)) if isinstance(strategy, Path) else strategy
    return table


def carry_out(
    host: Host, content: Mapping[str, Any], models: Sequence[Named], verb: str, given: Arguments
) -> Experiment:
    """Plan and run a new experiment, whose words are those of a call instead of a file's."""
    check_new_experiment(host.experiments, given.id)
    called = f"{verb}()"
    settings = with_values(content, plain_settings(given.settings or {}), called, called, "settings")
    # No file has this name; paths are relative to the folder.

    def make_models() -> None:
        for model in models:
            model.make()

    plan = planning.plan_settings(host, settings, Path.cwd() / called, f"comparator.{verb}", called, make_models)
    return run(host, opening.begin(host, plan, verb, given.id))


def run(host: Host, opened: Session) -> Experiment:
    """Run an experiment and the controls that it asks for; one that a scheduler has now is given as it is."""
    try:
        opened.run()
    except Submitted as submitted:
        host.say(str(submitted))
    except OutOfTime as error:  # who asked for no id, and for no words, has no other way to know it
        raise OutOfTime(f"experiment '{opened.path.name}': {error}; resume('{opened.path.name}') goes on") from None
    else:
        controls.follow(host, opened.path)
    return Experiment(opened.path)
