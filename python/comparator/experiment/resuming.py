"""What `--resume` goes on with, where more than an id was typed: the file, settings, or no id at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.errors import InputError
from comparator.formats.text import shown
from comparator.results.experiments import experiment_names, read_experiment
from comparator.results.frozen import FrozenExperiment, by_dotted_name
from comparator.results.state import ALIVE
from comparator.site.folders import no_such_folder

#: The states of an experiment that nothing carries out, and that has not all it asked for.
UNFINISHED = ("new", "stopped", "interrupted", "failed")
#: Settings that are frozen in another form than they are written in, or that planning adds.
FROZEN_OTHERWISE = ("cmp.difference", "search.focus", "search.avoid", "upf")
MOST_TOLD = 3


def latest_unfinished(experiments: Path, file: Path | None, command: str | None = None) -> str:
    """The id of the latest experiment that is not finished, of an experiment file, or of a command, where one is given.

    Raises `InputError` where there is none.
    """
    found = [
        (name, frozen)
        for name, frozen in _readable(experiments)
        if (file is None or Path(frozen.file) == file.resolve()) and command in (None, frozen.command)
    ]
    alive = []
    for name, frozen in sorted(found, key=lambda each: each[1].created or "", reverse=True):
        try:
            state = state_of(experiments / name).state
        except OSError:  # whoever reads it by its id is told
            continue
        if not frozen.imported and state in UNFINISHED:
            return name
        alive += [f"{name} is {state}"] if state in ALIVE else []
    what = f"{command or 'experiment'}{'' if file is None else f' of {file}'}"
    if alive:
        raise InputError(f"--resume: {alive[0]} now; no other {what} is unfinished in {experiments}")
    hint = "see: comparator list" if experiments.is_dir() else f"there is {no_such_folder(experiments)}"
    raise InputError(f"--resume: no {what} is unfinished in {experiments}; {hint}")


def differences(frozen: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, str]:
    """The settings that are others than those of a frozen experiment: by key, in words what it has and what is asked.

    Keys as `--set` has them.
    """
    has, wants = _flat(frozen), _flat(asked)
    return {
        key: f"{key} is {shown(has[key]) if key in has else 'not given'} there,"
        f" {shown(wants[key]) if key in wants else 'not given'} here"
        for key in {**has, **wants}
        if has.get(key) != wants.get(key) and key not in FROZEN_OTHERWISE
    }


def check_same(
    frozen: FrozenExperiment,
    file: Path,
    found: Mapping[str, str],
    changed: Mapping[str, str],
    overrides: Sequence[str],
    *,
    full: bool,
) -> str | None:
    """What to say of a file, and of settings, that were typed beside the id; None where all is as it began.

    `found` is where they differ; `changed` where the file does, with what was typed at the beginning. Raises
    `InputError` where it is another file with other settings, or where a setting of the command line would change
    nothing.
    """
    typed = [_key(override) for override in overrides]
    against = [words for key, words in found.items() if full or any(_is_of(key, each) for each in typed)]
    goes_on = f"--resume goes on with '{frozen.id}' as it began"
    if against:
        raise InputError(f"{goes_on}: {against[0]}; leave that out, or start anew without --resume")
    if not changed:
        return None
    if Path(frozen.file) != file.resolve():
        raise InputError(f"{file} is not the file of '{frozen.id}', {frozen.file}: {next(iter(changed.values()))}")
    told = list(changed.values())
    more = f"; {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"{goes_on}, not as {file} is now: {'; '.join(told[:MOST_TOLD])}{more}"


def _readable(experiments: Path) -> Iterable[tuple[str, FrozenExperiment]]:
    for name in experiment_names(experiments):
        try:
            yield name, read_experiment(experiments / name)
        except InputError:
            continue


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    flat = by_dotted_name(settings)
    return {f"hyperparameters.{key[4:]}" if key.startswith("set.") else key: value for key, value in flat.items()}


def _key(override: str) -> str:
    return override.partition("=")[0].strip()


def _is_of(key: str, typed: str) -> bool:
    return key.casefold() == typed.casefold()
