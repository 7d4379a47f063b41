"""What makes trainings of a point differ, in words: for a terminal, and for the page."""

from __future__ import annotations

import math

from comparator.evidence.variance import BETWEEN, REST, Part, Variance
from comparator.findings.variance import TrainingVariance
from comparator.objective.amounts import measure_of
from comparator.report.numbers import listed, percent, point_words
from comparator.results.frozen import FrozenExperiment, described_in
from comparator.strategies.blocks import INITIALISATION, ORDER, SEED, SPLIT

BAR, WIDTH = "\N{FULL BLOCK}", 30
SHORT = {
    SPLIT: "data split",
    INITIALISATION: "first weights",
    ORDER: "order of the rows",
    SEED: "seed",
    REST: "together",
}


def title_of(part: Part, found: TrainingVariance) -> str:
    """Return a part's name in a figure."""
    if part.name == BETWEEN:
        return "study" if found.studies is not None else "model"
    if part.name == SEED and _are_apart(found):
        return "other draws"
    return SHORT[part.name]


def words_of(part: Part, found: TrainingVariance) -> str:
    """Return what a part is, so that "61 % is ..." goes on with it."""
    if part.name == BETWEEN:
        return f"which {'study' if found.studies is not None else 'model'} it is"
    if part.name == SPLIT:
        return "the data split"
    if part.name == INITIALISATION:
        return "the first weights"
    if part.name == ORDER:
        return "the order of the rows"
    if part.name == SEED:
        return "what else is drawn, as dropout and noise" if _are_apart(found) else "the seed, on every split alike"
    return "what these do together" if _are_apart(found) else "the seed on that split alone"


def sentences(found: TrainingVariance, experiment: FrozenExperiment) -> list[str]:
    """Return what is found: of one pair's difference, of one training's metric, and what is not told apart."""
    said = [f"Of the variance of the difference of one pair, {_shares(found.difference, found)}."]
    if found.metric is not None:
        first, second = experiment.labels
        said.append(
            f"Of the variance of the {experiment.metric} of one training, of {first} or {second}, each as likely,"
            f" {_shares(found.metric, found)}."
        )
    if found.one_seed and not _are_apart(found):
        files = described_in(
            model for model, label in zip(experiment.models, experiment.labels, strict=True) if label in found.one_seed
        )
        takes = "takes" if len(found.one_seed) == 1 else "take"
        said.append(
            f"{listed(list(found.one_seed))} {takes} one seed, so that first weights, order of the rows and other draws"
            f" are not told apart; seeds = {{ initialisation = 'NAME', order = 'NAME' }} in {files} names those it has."
        )
    return said


def in_short(found: TrainingVariance) -> str:
    """Return what makes most of the variance of one pair's difference, for a table."""
    most = max(found.difference.parts, key=lambda part: part.share)
    what = "what split and seeds do together" if most.name == REST and _are_apart(found) else words_of(most, found)
    return f"{percent(most.share)} is {what}"


def lines(found: TrainingVariance, experiment: FrozenExperiment) -> list[str]:
    """Return what a terminal shows: where it is and how much it deviates, a bar for each part, and the sentences."""
    difference, amount = found.difference, measure_of(experiment).amount
    levels = [f"{count} levels of {SHORT[name]}" for name, count in difference.levels.items()]
    where = f"at {point_words(found.point, varied_in(experiment))}" if found.point else "at the settings as given"
    first = (
        f"{where}: the difference of one pair of trainings is {amount(difference.mean, 3)}, and deviates by"
        f" {amount(math.sqrt(difference.variance), 2)}; {listed(levels)} were met evenly; of its variance"
    )
    said = [first, *_bars(difference, found)]
    if found.metric is not None:
        deviation = math.sqrt(found.metric.variance)
        said.append(
            f"the {experiment.metric} of one training of either model deviates by {deviation:.2g}; of its variance"
        )
        said += _bars(found.metric, found)
    return [*said, *sentences(found, experiment)]


def varied_in(experiment: FrozenExperiment) -> tuple[str, ...]:
    """Return the names of the hyperparameters that an experiment varies."""
    return tuple(str(entry["name"]) for entry in experiment.space if entry.get("type") != "constant")


def share_words(part: Part) -> str:
    """Return a share with its interval; alone where its interval is "under 1 %" at both ends, as it is."""
    share, low, high = map(percent, (part.share, *part.interval))
    if share == low == high and part.share < 0.01:
        return share
    return f"{share} [{low}, {high}]"


def _are_apart(found: TrainingVariance) -> bool:
    return len(found.difference.levels) > 2


def _bars(variance: Variance, found: TrainingVariance) -> list[str]:
    return [
        f"  {BAR * round(WIDTH * part.share):{WIDTH}}  {share_words(part)} {words_of(part, found)}"
        for part in variance.parts
    ]


def _shares(variance: Variance, found: TrainingVariance) -> str:
    largest = sorted(variance.parts, key=lambda part: (part.name == REST, -part.share))  # "these" are those before
    return listed([f"{share_words(part)} is {words_of(part, found)}" for part in largest])
