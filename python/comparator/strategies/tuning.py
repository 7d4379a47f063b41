"""The settings of one budget for each of several studies, and those that turn out best tried on splits of their own.

    for each model and study:  every setting is trained on each split of `choose_on`
    once all of those ended:   the best of them is trained on all studies, on each split of `report_on`
    from the start:            so is the first setting, which is the model's as given

The splits that choose and those that are reported on have nothing in common, so what is read off the second is not
better than it should be because it was chosen for being good. No file names this strategy: a cross-HPO is carried out
by it (`comparator.studies.cross_hpo`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from comparator.space import Point
from comparator.strategies.strategy import Proposal, Strategy

TUNING = "tuning"
#: The setting that is the model's as given: what is varied is left to it.
AS_GIVEN = 0


class Trial(NamedTuple):
    """One training: `setting` counts a model's settings from 0."""

    model: str
    study: str
    split: int
    setting: int


class TunedModel(BaseModel):
    """A model's settings, what its hyperparameters for study and split are called, and what all its points have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: str
    split: str
    settings: list[Point]
    fixed: Point = {}


class Tuning(BaseModel):
    """What is tuned on what: models by their labels, studies, and the splits by what they are for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    models: dict[str, TunedModel]
    studies: list[str]
    choose_on: list[int]
    report_on: list[int]

    def choosing(self) -> list[Trial]:
        """The trainings that choose, a study after the other, the models in turn."""
        return [
            Trial(model, study, split, setting)
            for study in self.studies
            for setting in range(max(len(tuned.settings) for tuned in self.models.values()))
            for split in self.choose_on
            for model, tuned in self.models.items()  # in turn, so that one that always fails does not end them all
            if setting < len(tuned.settings)
        ]

    def reporting(self, model: str, setting: int) -> list[Trial]:
        """The trainings of one setting that are reported on."""
        return [Trial(model, study, split, setting) for study in self.studies for split in self.report_on]

    def most(self) -> int:
        """How many trainings there are where no two studies share a setting."""
        tried = (1 + len(self.studies)) * len(self.studies) * len(self.report_on)
        return len(self.choosing()) + sum(min(tried, self._all(tuned)) for tuned in self.models.values())

    def _all(self, tuned: TunedModel) -> int:
        return len(tuned.settings) * len(self.studies) * len(self.report_on)

    def point(self, trial: Trial) -> Point:
        model = self.models[trial.model]
        return {
            **model.fixed,
            model.source: [trial.study],
            model.split: trial.split,
            **model.settings[trial.setting],
        }

    def name(self, trial: Trial) -> str:
        """The name of a training in the record."""
        of_model = f"{trial.model}-" if len(self.models) > 1 else ""
        return f"{of_model}{trial.study}-split_{trial.split}-setting_{trial.setting}"

    def trials(self) -> Iterator[Trial]:
        """All trainings that there may be."""
        yield from self.choosing()
        for model, tuned in self.models.items():
            for setting in range(len(tuned.settings)):
                yield from self.reporting(model, setting)

    def tuned(self, model: str, study: str, values: Mapping[Trial, float | None]) -> int | None:
        """The setting with the smallest mean over the splits that choose, the earlier of equals; None without any.

        One that failed on a split is none: what it would be worth there is not known.
        """
        means = {}
        for setting in range(len(self.models[model].settings)):
            found = [values.get(Trial(model, study, split, setting)) for split in self.choose_on]
            known = [value for value in found if value is not None]
            if len(known) == len(found):
                means[setting] = fmean(known)
        return min(means, key=lambda setting: means[setting], default=None)


class TuningStrategy(Strategy):
    """Proposes what chooses and, a study at a time, what is reported on."""

    ends_by_itself = True

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._trials: list[Trial] = []  # by the numbers of their proposals
        self._values: dict[Trial, float | None] = {}
        self._reported: set[tuple[str, int]] = set()

    def start(self) -> list[Proposal]:
        first = [self._propose_trial(trial) for trial in self._tuning.choosing()]
        return first + [proposal for model in self._tuning.models for proposal in self._report(model, AS_GIVEN)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        trial = self._trials[number]
        self._values[trial] = value
        more = self._tell_of(trial) if trial.split in self._tuning.choose_on else []
        fewer = self._tuning.most() - len(self._trials)
        if fewer and len(self._values) == len(self._trials):
            self.ended = f"{fewer} trainings fewer than at most: studies share their best settings, or have none"
        return more

    def _tell_of(self, trial: Trial) -> list[Proposal]:
        """What a study's best setting is tried on, once all of the study's settings are known."""
        settings = range(len(self._tuning.models[trial.model].settings))
        asked = (
            Trial(trial.model, trial.study, split, setting) for setting in settings for split in self._tuning.choose_on
        )
        if not all(each in self._values for each in asked):
            return []
        best = self._tuning.tuned(trial.model, trial.study, self._values)
        return [] if best is None else self._report(trial.model, best)

    def _report(self, model: str, setting: int) -> list[Proposal]:
        if (model, setting) in self._reported:
            return []
        self._reported.add((model, setting))
        return [self._propose_trial(trial) for trial in self._tuning.reporting(model, setting)]

    def _propose_trial(self, trial: Trial) -> Proposal:
        self._trials.append(trial)
        return self._propose(self._tuning.point(trial), name=self._tuning.name(trial))
