"""From an experiment file, or settings, to a plan: everything about a new experiment is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.markup import escape

from comparator.errors import as_typed, named_as_typed
from comparator.experiment.context import Context
from comparator.experiment.experiment_file import lines_say_what_runs, overridden, read_settings
from comparator.experiment.freezing import make_plan
from comparator.experiment.host import Host
from comparator.experiment.lines_of_models import plan_lines_of_models
from comparator.experiment.plan import Plan
from comparator.experiment.settings import ExperimentSettings
from comparator.experiment.terminal import note
from comparator.formats.upf import Line


def plan_experiment(host: Host, file: Path, overrides: list[str], *, full: bool, command: str) -> Plan:
    """Check everything about a new experiment; raises `InputError`.

    A bare UPF with which no model is given says in each line what runs.
    """
    if not lines_say_what_runs(file, overrides):
        return plan_settings(host, read_settings(file, overrides, full=full), file, command)

    def plan_lines(lines: Sequence[Line], model: str) -> Plan:
        upf = {"upf": str(file.absolute())}
        settings = overridden({**upf, "model": model}, overrides, str(file), str(file)).model_copy(update=upf)
        return make_plan(settings, Context(file.resolve(), host, command), lines)

    with host.console.status("checking"), named_as_typed(file):
        plan = plan_lines_of_models(file, plan_lines)
    return _with_notes(host, plan, file)


def plan_settings(
    host: Host,
    settings: ExperimentSettings,
    file: Path,
    command: str,
    called: str | None = None,
    make_models: Callable[[], None] = lambda: None,
    *,
    searches: bool = True,
) -> Plan:
    """Check everything about a new experiment of these settings, whose paths are relative to `file`'s folder.

    `called` is what words on the settings say in the place of a file that there is not. `make_models` makes what they
    call a model, and is none yet. What models say of the space today is but a notice where it no longer `searches`.
    """
    with host.console.status("checking") as status:

        def say(words: str) -> None:
            status.update(f"checking: {escape(words)}")

        with named_as_typed(file, called):
            plan = make_plan(settings, Context(file.resolve(), host, command, say, make_models, searches))
    return _with_notes(host, plan, file, called)


def _with_notes(host: Host, plan: Plan, file: Path, called: str | None = None) -> Plan:
    """The plan, whose notices are said and kept with the file as it was typed."""
    notices = [as_typed(notice, file, called) for notice in plan.frozen.notices]
    for notice in notices:
        note(host.console, notice)
    return plan.noting(notices=notices)
