"""The commands that a page offers: to repeat an experiment, to go on from it, to look at it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from comparator.findings.summary import search_settings
from comparator.results.frozen import FrozenExperiment

if TYPE_CHECKING:
    from comparator.findings.verdict import Condition

MORE_REPLICATES = 4


def repeat_commands(
    experiment: FrozenExperiment, regions: Sequence[Condition] = (), *, is_explained: bool = True
) -> list[tuple[str, str]]:
    """Return pairs (what it does, command): the experiment and its report made again, searches that go on from it.

    Who carries the difference is among them where `is_explained`: where that can be told.
    """
    typed = typed_command(experiment)
    words = without_option(typed, "--id")
    identifier = experiment.id
    commands = []
    if words and experiment.provenance.opened is None:
        seed = search_settings(experiment).get("seed")
        if "search" in words[:2] and seed is not None and "--seed" not in words:
            words += ["--seed", str(seed)]
        commands.append(("The same experiment again, under a new id", words))
        if "search" in words[:2]:
            commands += _steered(words, identifier, regions)
    if experiment.claims and experiment.rechecks is None and experiment.kind != "single":
        commands.append(("What it claims, tried again as models and data are now", command_of(experiment, "recheck")))
        if is_explained:
            commands.append(("Who carries the difference, all groups", command_of(experiment, "explain")))
    commands.append(("This page, made again", command_of(experiment, "report")))
    commands.append(("Its runs as a table, one row a training", command_of(experiment, "export")))
    return [(what, shlex.join(command)) for what, command in commands]


def controls_command(experiment: FrozenExperiment) -> list[str]:
    """Return the words of the command that tries whether it is the study or only its size."""
    return [*command_of(experiment, "recheck"), "--controls"]


def command_of(experiment: FrozenExperiment, name: str) -> list[str]:
    """Return the words of a command of this experiment, in the store in which it was made."""
    typed = typed_command(experiment)
    return ["comparator", name, experiment.id, *where_options(typed, "--experiments")]


def _steered(words: Sequence[str], identifier: str, regions: Sequence[Condition]) -> Iterable[tuple[str, list[str]]]:
    """Give the search again within each region, and around it."""
    for region in regions:
        number = region.region.number
        for what, option in (("within", "--focus"), ("outside", "--avoid")):
            command = [*without_option(words, option), option, f"{identifier}:{number}"]
            yield f"A search {what} region {number} ({region.condition})", command
            if option == "--focus":
                more = with_settings(command, f"search.replicates={MORE_REPLICATES}")
                yield f"The same in region {number} with {MORE_REPLICATES} trainings of each point", more


def typed_command(experiment: FrozenExperiment) -> list[str]:
    """Return the words of the command that made the experiment in this store; none where it is not known.

    What was typed elsewhere names files, folders and ids that are not here.
    """
    return _split(experiment.provenance.opened or experiment.provenance.command)


def where_options(typed: Sequence[str], *options: str) -> list[str]:
    """Return of a command the options that say where it ran and keeps its experiments, with their values."""
    wanted = options or ("--experiments", "--site", "--engine")
    return [word for place, word in enumerate(typed) if {word, typed[place - 1] if place else ""} & {*wanted}]


def with_settings(words: Sequence[str], *settings: str) -> list[str]:
    """Return the words of a command with these settings, `KEY=VALUE`, in place of its own of the same keys."""
    keys = tuple(each.partition("=")[0] + "=" for each in settings)
    kept = list(words)
    for place in reversed(range(1, len(kept))):
        if kept[place - 1] == "--set" and kept[place].startswith(keys):
            del kept[place - 1 : place + 1]
    return [*kept, *(word for each in settings for word in ("--set", each))]


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # not a line of ours: shown as it stands
        return command.split()


def without_option(words: Sequence[str], option: str) -> list[str]:
    """Return the words of a command without an option and its value."""
    return [word for place, word in enumerate(words) if option not in (word, words[place - 1] if place else "")]
