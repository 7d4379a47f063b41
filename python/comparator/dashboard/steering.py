"""Steering: the new searches that an experiment suggests, each as a command that can be typed, and begun from its page.

A page names what it wants, a way and a box; the command is made here, of what was typed for the experiment, and nothing
else can be begun. What a command would train is asked of the command itself (`--dry-run`), which checks all of it.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.experiment.dry_run import budget_words
from comparator.findings.axes import varying_axes
from comparator.findings.verdict import Condition
from comparator.formats.names import check_new_name
from comparator.formats.numbers import show
from comparator.formats.text import shortened
from comparator.report.commands import typed_command, with_settings, without_option
from comparator.results.experiments import experiment_names, read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.site.folders import command_line
from comparator.site.programs import try_command

LOCAL = "local"
PLAIN_NAME = re.compile(r"[\w.-]+")
#: Ways to steer: what is said of each with a box, the option that takes the box, and its word in the new id.
WAYS = {
    "focus": ("A search inside", "--focus", "inside"),
    "avoid": ("A search outside", "--avoid", "outside"),
    "replicates": ("More replicates inside", "--focus", "again"),
}
#: Of a command that was typed, what a new one does without.
LEFT_OUT = ("--id", "--experiments", "--resume")
FLAGS = ("--open", "--dry-run", "--json", "--no-report")
#: What a command that was begun says, in the folder of the experiment that suggested it.
OUTPUT = "steered.log"
REFUSED_SECONDS = 2.0


def suggestions(
    experiment: FrozenExperiment, regions: Sequence[Condition], box: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What can be begun: `what` it is, its `command`, and the `choice` by which it is asked for.

    Within and around each of the `regions`, or the `box` alone where one is given; and with more replicates.
    """
    if not typed(experiment):
        return []
    places = [(f"region {each.region.number} ({each.condition})", each.region.bounds) for each in regions]
    if box:
        places = [("what is chosen", box)]
    found: list[tuple[str, dict[str, Any]]] = [
        (f"{said} {place}", {"way": way, "box": bounds}) for place, bounds in places for way, (said, *_) in WAYS.items()
    ]
    if not box:
        again = f"The same search with {more_replicates(experiment)} replicates of each point"
        found.append((again, {"way": "replicates"}))
    return [{"what": what, "command": shlex.join(words_of(experiment, way)), "choice": way} for what, way in found]


def typed(experiment: FrozenExperiment) -> list[str]:
    """The words of the command that began a search, without its id and where it was kept; none of anything else."""
    words = [word for word in typed_command(experiment) if word not in FLAGS]
    for option in LEFT_OUT:
        words = without_option(words, option)
    return words if "search" in words[:2] else []


def axes_of_box(experiment: FrozenExperiment) -> list[str]:
    """The hyperparameters that a box may bound; none where no search can be begun."""
    return [axis.name for axis in varying_axes(experiment.space, [])] if typed(experiment) else []


def words_of(experiment: FrozenExperiment, choice: Mapping[str, Any]) -> list[str]:
    """The words of the command that a choice asks for; raises `InputError` where it asks for none."""
    words, way, box = typed(experiment), choice.get("way"), choice.get("box")
    if not words:
        raise InputError(f"experiment '{experiment.id}' is no search that can be begun again")
    if way not in WAYS:
        raise InputError(f"way '{shortened(str(way))}': must be one of {', '.join(WAYS)}")
    if box is not None:
        _, option, _ = WAYS[way]
        words = without_option(without_option(words, "--focus"), "--avoid")
        words = [*words, option, box_words(_checked(experiment, box))]
    elif way != "replicates":
        raise InputError(f"way '{way}': needs a box")
    return with_settings(words, f"search.replicates={more_replicates(experiment)}") if way == "replicates" else words


def more_replicates(experiment: FrozenExperiment) -> int:
    """Twice the replicates that a search had of each point; 3 where they were left to it."""
    replicates = experiment.stages.replicates
    return 2 * replicates if isinstance(replicates, int) else 3


def box_words(bounds: Mapping[str, Any]) -> str:
    """A box as a command line takes it: `noise=9.5:25,size=10:200`, in JSON where it has lists or names of other kinds.

    An experiment that still runs has no report by which a region could be named.
    """
    if all(PLAIN_NAME.fullmatch(name) and isinstance(side, (list, tuple)) for name, side in bounds.items()):
        return ",".join(f"{name}={low}:{high}" for name, (low, high) in bounds.items())
    return json.dumps(bounds)


def _checked(experiment: FrozenExperiment, box: Any) -> dict[str, Any]:
    """A box of what varies, its values as the space has them: a table shows them as text."""
    axes = {axis.name: axis for axis in varying_axes(experiment.space, [])}
    if not isinstance(box, Mapping) or not box:
        raise InputError('box: must be an object such as {"noise": [3, 10]}')
    checked: dict[str, Any] = {}
    for name, side in box.items():
        if name not in axes:
            raise InputError(f"box: '{shortened(str(name))}' does not vary; what does: {', '.join(axes)}")
        values = side.get("values") if isinstance(side, Mapping) else None
        if isinstance(values, list) and values:
            by_text = {show(value): value for value in axes[name].values}
            held = [by_text.get(value, value) if isinstance(value, str) else value for value in values]
            is_range = all(
                isinstance(value, (int, float)) and not isinstance(value, bool) for value in axes[name].values
            )
            checked[name] = [min(held), max(held)] if is_range else {"values": held}
        elif isinstance(side, list) and len(side) == 2 and all(isinstance(end, (int, float)) for end in side):
            checked[name] = side
        else:
            raise InputError(f"box: '{shortened(name)}' must be two numbers or an object with values")
    return checked


def why_not_begun(experiment: FrozenExperiment) -> str | None:
    """Why nothing can be begun of an experiment from its page; None where it can."""
    provenance = experiment.provenance
    if experiment.imported or provenance.engine not in (LOCAL, None) or provenance.site not in (LOCAL, None):
        return "it ran elsewhere: type the command there"
    return None


def preview(path: Path, root: Path, choice: Mapping[str, Any]) -> dict[str, Any]:
    """The very command of a choice, its new `id`, and its `cost` in words; raises `InputError` where it is refused."""
    experiment = read_experiment(path)
    words, identifier = words_of(experiment, choice), _free_id(path, str(choice["way"]))
    dry_run = [*_process_words(path, words, identifier), "--dry-run", "--json"]
    answer = try_command(dry_run, folder=typed_in(experiment, words) or root)
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines()
        raise InputError(said[-1] if said else f"the command ended with code {answer.returncode}")
    planned = FrozenExperiment.model_validate({**json.loads(answer.stdout), "id": identifier})
    command = command_line(path.parent, root, *words[1:], "--id", identifier)
    return {"command": command, "id": identifier, "cost": budget_words(planned)}


def begin(path: Path, root: Path, choice: Mapping[str, Any]) -> dict[str, str]:
    """Begin what a choice asks for under its `id`, in a process of its own; raises `InputError` where it is refused."""
    experiment = read_experiment(path)
    why_not = why_not_begun(experiment)
    if why_not is not None:
        raise InputError(f"experiment '{path.name}': {why_not}")
    identifier = check_new_name(str(choice.get("id", "")), "id")
    words = words_of(experiment, choice)
    folder = typed_in(experiment, words) or root
    done = started(_process_words(path, words, identifier), path / OUTPUT, folder, "it has begun")
    return {"done": done, "id": identifier}


def started(words: Sequence[str], output: Path, folder: Path | None, done: str) -> str:
    """Start a process of its own that outlives the dashboard, and say so; raises `InputError` where it refuses."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder
        )
    threading.Thread(target=process.wait, daemon=True).start()  # a child that nobody waits for never goes
    try:
        code = process.wait(REFUSED_SECONDS)
    except subprocess.TimeoutExpired:
        return done
    if code != 0:
        said = output.read_text(errors="replace").strip().splitlines()
        raise InputError(said[-1] if said else f"the command ended with code {code}")
    return f"{done}, and is over"


def typed_in(experiment: FrozenExperiment, words: Sequence[str]) -> Path | None:
    """The folder in which a command was typed, as its experiment file tells, which it names from there."""
    file = Path(experiment.file)
    for word in words:
        named = Path(word).parts
        if named == file.parts[-len(named) :] and not Path(word).is_absolute() and file.is_file():
            return Path(*file.parts[: -len(named)])
    return None


def _process_words(path: Path, words: Sequence[str], identifier: str) -> list[str]:
    program = [sys.executable, "-m", "comparator"]
    return [*program, *words[1:], "--id", identifier, "--experiments", str(path.parent.absolute())]


def _free_id(path: Path, way: str) -> str:
    taken = set(experiment_names(path.parent))
    number = 1
    while (name := f"{path.name}-{WAYS[way][2]}-{number}") in taken:
        number += 1
    return name
