"""What a search will see of a difference, in words: before anything is trained, and once its pilot is over."""

from __future__ import annotations

from dataclasses import dataclass

from comparator.evidence.pilot import Pilot
from comparator.evidence.power import MOST_BLOCKS, blocks_for, contrast_seen, point_seen, seeds_for
from comparator.objective.amounts import PLAIN, Measure


@dataclass(frozen=True)
class Design:
    """What a search has to spend, and how it spends it.

    `pairs` are those that are left of its budget, None where there is none, and `seeds` those of a point; `workers`
    trainings run at a time. `blocks` are the fresh ones on which regions are confirmed, None where none are. `smallest`
    is the size of difference that matters. `measure` puts differences into words, and `trained` is what the budget
    counts: pairs, or trainings of a single model.
    """

    pairs: int | None
    seeds: int
    workers: int = 1
    blocks: int | None = None
    smallest: float | None = None
    measure: Measure = PLAIN
    trained: str = "pairs"

    @property
    def points(self) -> int | None:
        """How many points the budget is enough for."""
        return None if self.pairs is None else max(1, self.pairs // self.seeds)


def power_words(design: Design) -> list[str]:
    """What a design sees while no deviation is known, a line each; none where it has neither points nor blocks."""
    kinds = []
    if design.blocks is not None:
        kinds.append(("between regions", f"on {design.blocks} fresh blocks", contrast_seen(1, design.blocks)))
    if design.points is not None:
        of_seeds = "" if design.seeds == 1 else f" of {design.seeds} seeds"
        seen = point_seen(1, design.points, design.seeds)
        kinds.append(("at a point", f"among {design.points}{of_seeds}", seen))
    if not kinds:
        return []
    sizes = ", ".join(f"{size:.2g} {where} ({how})" for where, how, size in kinds)
    lines = [f"power: sees, in deviations from training to training, {sizes}"]
    if design.smallest is not None:
        upto = ", ".join(f"{design.measure.amount(design.smallest / size, 2)} {where}" for where, _, size in kinds)
        lines.append(f"smallest = {design.smallest:g} is seen where that deviation is at most {upto}")
    return lines


def pilot_words(pilot: Pilot, design: Design) -> str:
    """What a pilot found, and what the search that follows it can see."""
    measure, trained = design.measure, design.trained
    if pilot.deviation is None:
        return f"pilot: {pilot.pairs} {trained} gave too few results to say how much seeds change"
    if pilot.deviation == 0:
        once = "; every point is trained once" if pilot.is_deterministic else ""
        return f"pilot: seeds change nothing{once}"
    spread = f"pilot: deviation {measure.apart(pilot.deviation)} from training to training"
    if pilot.between is not None:
        spread += f", {measure.apart(pilot.between, unit=False)} between {pilot.points} points"
    assumed = pilot.deviation * pilot.doubt
    said = [spread, f"so few {trained} tell it badly, and {measure.apart(assumed, unit=False)} is assumed"]
    if sees := _seen(pilot, design, assumed):
        said.append(f"this budget sees {', '.join(sees)}")
    if takes := _taken(design, assumed):
        said.append(f"a difference of {measure.amount(design.smallest)} takes {', '.join(takes)}")
    elif design.points is not None:
        more, time = 4 * design.seeds, _time(pilot, 4 * design.points * design.seeds, design)
        seen = measure.apart(point_seen(assumed, design.points, more), unit=False)
        said.append(f"{more} seeds a point see {seen}{time}")
    return "; ".join(said)


def _seen(pilot: Pilot, design: Design, deviation: float) -> list[str]:
    """The smallest differences that the budget shows."""
    seen = []
    if design.blocks is not None:
        contrast = design.measure.apart(contrast_seen(deviation, design.blocks), unit=False)
        seen.append(f"{contrast} between regions ({design.blocks} fresh blocks)")
    if design.points is not None:
        at_a_point = design.measure.apart(point_seen(deviation, design.points, design.seeds), unit=False)
        time = _time(pilot, design.points * design.seeds, design)
        seen.append(f"{at_a_point} at a point ({design.pairs} {design.trained}{time})")
    return seen


def _taken(design: Design, deviation: float) -> list[str]:
    """What the smallest difference that matters takes to be seen."""
    if design.smallest is None:
        return []
    taken = []
    if design.blocks is not None:
        blocks = blocks_for(design.smallest, deviation)
        taken.append(f"{f'over {MOST_BLOCKS:,}' if blocks is None else f'{blocks:,}'} blocks for regions")
    if design.points is not None:
        taken.append(f"{seeds_for(design.smallest, deviation, design.points):,} seeds for a point")
    return taken


def _time(pilot: Pilot, pairs: int, design: Design) -> str:
    if pilot.seconds is None:
        return ""
    return f" in {_duration(pilot.seconds * pairs / max(design.workers, 1))}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        whole = round(max(seconds, 1))
        return "a second" if whole == 1 else f"{whole} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
