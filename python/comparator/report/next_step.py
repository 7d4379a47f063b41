"""What to do next: the step that says most more, in words and as a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comparator.findings.recheck import LOST, Rechecked
from comparator.findings.studies import studies_of
from comparator.findings.summary import Summary, search_settings
from comparator.report.commands import (
    MORE_REPLICATES,
    command_of,
    typed_command,
    where_options,
    with_settings,
    without_option,
)
from comparator.report.numbers import listed
from comparator.results.frozen import FrozenExperiment
from comparator.results.state import ALIVE
from comparator.strategies.blocks import SPLIT

if TYPE_CHECKING:
    from comparator.findings.variance import TrainingVariance
    from comparator.findings.verdict import Findings

REPEATED = 3  # trainings that are asked to come out again
#: Types of parameters that have no other values than those that are listed.
LISTED = ("categorical", "ordered", "logical", "constant")
CUT_SHORT = ("stopped", "interrupted", "failed")
#: Why nothing is said of evaluations that are shown before they are looked at together.
BEING_READ = "what the evaluations say together is being worked out"
FEWEST_POINTS = 8  # fewer show neither whether two models differ nor where


@dataclass(frozen=True)
class Step:
    """What to do next: in words, and as a command, empty where there is none."""

    words: str
    command: str = ""


def next_step(experiment: FrozenExperiment, summary: Summary, findings: Findings, state: str) -> Step:
    """The step that says most more, for this outcome; what is under way, or broken off, goes on first."""
    typed = typed_command(experiment)
    if state in ALIVE:
        return Step(_goes_on(experiment, summary, state))
    if state in CUT_SHORT and not experiment.imported:
        mended = "Mend what went wrong, then go" if state == "failed" else "Go"
        goes_on = ["comparator", "search", "--resume", experiment.id, *where_options(typed)]
        return Step(f"{mended} on with it; everything finished is kept", shlex.join(goes_on))
    again = _search_again(experiment)
    if summary.best is None:
        if not summary.evaluations:
            return Step("Wait for the first results")
        return Step("Mend what went wrong (below), then run it again", shlex.join(again))
    failed, all_of = summary.number.failed, len(summary.evaluations)
    if 2 * failed > all_of:
        words = f"Mend what made {failed} of {all_of} evaluations fail (below), then run it again"
        return Step(words, shlex.join(again))
    if summary.is_idle:
        should = "they" if len(summary.axes) > 1 else "it"
        gets = "the model makes" if summary.kind == "single" else "the models make"
        return Step(f"Vary something else: {of_no_effect(summary)}; if {should} should, see what {gets} of what is set")
    if findings.verdict is None and findings.reason == BEING_READ:
        return Step("Wait some seconds: what the evaluations say together is worked out")
    if findings.regions:
        return _in_region(experiment, summary, findings, again)
    if not again:
        return Step("All runs as a table, to look further", shlex.join(command_of(experiment, "export")))
    if summary.kind == "single":
        return _more_of(experiment, summary, "Search further: more evaluations")
    evidence = findings.evidence
    if evidence is not None and findings.verdict == "none" and evidence.points < FEWEST_POINTS:
        return _more_of(experiment, summary, "Search with more evaluations: so few cannot show a difference")
    if summary.is_climb and summary.find not in ("regions", "both") and evidence is not None:
        return Step("Ask where they differ more, with points all over the space", _with(again, "search.find=both"))
    if evidence is not None and findings.rejected:
        confirm = experiment.stages.confirm
        asked = 0 if confirm is None else confirm.seeds  # some of which may have failed
        return Step(
            "To see smaller differences between places, try them on more fresh blocks",
            _with(again, f"confirm.seeds={2 * max(asked, evidence.fresh_blocks)}"),
        )
    return _more_of(experiment, summary, "To see smaller differences, search with more evaluations")


def is_focused(experiment: FrozenExperiment) -> bool:
    """Whether a search was kept within a box, such as the region of another."""
    return search_settings(experiment).get("focus") is not None


def of_no_effect(summary: Summary) -> str:
    """`noise and size change neither model`, of what was varied and changes nothing."""
    names, many = listed([axis.name for axis in summary.axes]), len(summary.axes) > 1
    if summary.kind == "single":
        return f"{names} {'do' if many else 'does'} not change the model"
    return f"{names} change{'' if many else 's'} neither model"


def after_recheck(experiment: FrozenExperiment, was: FrozenExperiment, found: Sequence[Rechecked]) -> Step:
    """The step that says most more once the claims of the experiment `was` were tried again."""
    verdicts = {each.verdict for each in found}
    if verdicts & {*LOST}:
        words = "What is lost may be a change of models, data or packages: do the trainings still come out as they did?"
        return Step(words, f"{_command(experiment, 'verify')} --sample {REPEATED}")
    if "not settled" in verdicts:
        return _more_blocks(was, "To settle it, ask again with more fresh blocks")
    again = _search_again(was)
    tried = {each.claim for each in found}
    region = next((each for each in experiment.claims or () if each.kind == "region" and each.name in tried), None)
    if again and region is not None and not is_focused(was):
        within = [*again, "--focus", f"{was.id}:{region.number}"]
        return Step("It holds. Look closer: search within the region", shlex.join(within))
    if studies_of(was) is not None:
        words = "It holds. Is it the study, or only its size?"
        return Step(words, f"{_command(experiment, 'recheck')} --controls")
    return Step("It holds. What makes its trainings differ: split, or seed?", _command(experiment, "variance"))


def after_variance(was: FrozenExperiment, found: TrainingVariance) -> Step:
    """The step that says most more once it is known what makes trainings of a point of the experiment `was` differ."""
    from comparator.evidence.variance import REST

    most = max(found.difference.parts, key=lambda part: part.share)
    if most.name in (SPLIT, REST):
        return _more_blocks(was, "More blocks, each a split with its seeds, make a difference surer: take more")
    again, words = _search_again(was), "More seeds are what makes a difference surer: train each point on more of them"
    return Step(words, _with(again, f"search.replicates={MORE_REPLICATES}") if again else "")


def after_controls(experiment: FrozenExperiment) -> Step:
    """Where to read what became of a difference of two studies that were cut alike."""
    words = f"The report of '{experiment.rechecks}' says so beside what it found"
    return Step(words, _command(experiment, "report"))


def _command(again: FrozenExperiment, name: str) -> str:
    """A command of the experiment that another tries again."""
    words = ["comparator", name, again.rechecks or "", *where_options(typed_command(again), "--experiments")]
    return shlex.join(words)


def _more_blocks(was: FrozenExperiment, words: str) -> Step:
    again, confirm = _search_again(was), was.stages.confirm
    seeds = 2 * (confirm.seeds if confirm is not None else MORE_REPLICATES)
    return Step(words, _with(again, f"confirm.seeds={seeds}") if again else "")


def _in_region(experiment: FrozenExperiment, summary: Summary, findings: Findings, again: Sequence[str]) -> Step:
    """What says most more of the first region: a closer look where it was tried anew, else to try it."""
    first = findings.regions[0]
    if first.region.blocks:
        if is_focused(experiment):
            words = "It was a closer look already: on a slope a narrower one says no more. Does what it found hold?"
            return Step(words, shlex.join(command_of(experiment, "recheck")))
        if again:
            return Step(
                "Look closer: search within the region",
                shlex.join([*again, "--focus", f"{experiment.id}:{first.region.number}"]),
            )
        return Step(f"Look closer: ask the same in a space that is narrowed to {first.condition}")
    if summary.is_exact:  # a fresh training would give what is known
        return _more_of(experiment, summary, "Try more places: search with more evaluations")
    if again:
        return Step("Try it on fresh trainings", _with(again, "confirm.points=1", "confirm.regions=true"))
    return Step("Try the region on fresh trainings: ask the same again, and have it confirmed")


def _goes_on(experiment: FrozenExperiment, summary: Summary, state: str) -> str:
    """What an experiment that runs does next, by itself."""
    budget, stages = experiment.budget.evaluations, experiment.stages
    left = 0 if budget is None else max(0, budget - summary.number.done)
    steps = [f"{left} more evaluation{'s' * (left != 1)}"] if left else []
    if stages.first is not None and summary.number.in_full < stages.first.points:
        steps.append(f"the best {stages.first.points} trained in full")
    if stages.confirm is not None:
        fresh = "splits and seeds" if stages.confirm.splits else "seeds"
        steps.append(f"what was found tried on {stages.confirm.seeds} fresh {fresh}")
    begins = "It waits for its turn, then goes on by itself" if state == "queued" else "It goes on by itself"
    return f"{begins}: {', then '.join(steps)}" if steps else begins


def _more_of(experiment: FrozenExperiment, summary: Summary, words: str) -> Step:
    return Step(words, larger_search(experiment, summary.number.done))


def larger_search(experiment: FrozenExperiment, done: int) -> str:
    """Return the command of the same search with twice the evaluations; empty where none made the experiment.

    `done` is how many there are, which counts where the budget was another. A grid of listed values has no more points:
    it takes more seeds at each.
    """
    again, replicates = _search_again(experiment), experiment.stages.replicates
    is_listed = all(entry["type"] in LISTED for entry in experiment.space)
    if again and is_listed and experiment.strategy.name == "grid" and isinstance(replicates, int):
        return _with(again, f"search.replicates={2 * replicates}")
    budget = search_settings(experiment).get("evaluations")
    if not isinstance(budget, int):
        budget = done
    return _with(again, f"search.evaluations={2 * budget}") if again else ""


def _search_again(experiment: FrozenExperiment) -> list[str]:
    """The words of the search that made the experiment; none where no search of the command line did."""
    typed = typed_command(experiment)
    return without_option(typed, "--id") if "search" in typed[:2] else []


def _with(words: Sequence[str], *settings: str) -> str:
    """The command with these settings."""
    return shlex.join(with_settings(words, *settings))
