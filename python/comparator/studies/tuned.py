"""What a cross-HPO has found: the settings that each study chose, and what they cost elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any, NamedTuple

from comparator.evidence.tuning_cost import Cost, costs, paired_costs
from comparator.formats.spelling import merged, spelling
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.space import Point
from comparator.strategies.tuning import AS_GIVEN, Trial, Tuning

#: The row of costs that is of the settings as given, beside those of the studies.
GIVEN = "as given"


@dataclass(frozen=True)
class Place:
    """Settings that were tuned on one study, or are as given, used on another."""

    model: str
    tuned_on: str  # or `GIVEN`
    used_on: str


class _Pair(NamedTuple):
    """Two settings on one study: one that is used there, and the one that was tuned there."""

    model: str
    study: str
    used: int | None
    there: int | None


@dataclass(frozen=True)
class Outcome:
    """The values of all trainings, the smaller the better, None of one that failed; and what follows from them."""

    frozen: FrozenExperiment
    tuning: Tuning
    values: Mapping[Trial, float | None]
    reasons: Mapping[Trial, str]
    #: By model, the hyperparameters that it has where nothing is said, as far as it describes them.
    defaults: Mapping[str, Mapping[str, Any]]

    @cached_property
    def tuned(self) -> dict[tuple[str, str], int | None]:
        """The number of the setting that is best on each study, by model and study; None where none can be told."""
        return {
            (model, study): self.tuning.tuned(model, study, self.values)
            for model in self.tuning.models
            for study in self.tuning.studies
        }

    @cached_property
    def is_relative(self) -> bool:
        """Whether costs are ratios: of an error that is above zero everywhere."""
        reported = [value for trial, value in self.values.items() if trial.split in self.tuning.report_on]
        return not self.frozen.objective.maximise and all(value is None or value > 0 for value in reported)

    @cached_property
    def places(self) -> list[Place]:
        """Where the settings of one study, or those as given, are used on a study that has chosen its own."""
        studies = self.tuning.studies
        return [
            Place(model, row, study)
            for model in self.tuning.models
            for row in (GIVEN, *studies)
            for study in studies
            if row != study
        ]

    @cached_property
    def costs(self) -> dict[Place, Cost]:
        """What settings cost at each place, against those that were tuned there; intervals hold for all at once."""
        pairs = {place: self._pair(place) for place in self.places}
        found = costs({pair: self._samples(pair) for pair in pairs.values()})
        return {place: found[pair] for place, pair in pairs.items()}

    @property
    def looked_at(self) -> int:
        """How many intervals there are: one where studies that have the same settings are used on another."""
        return len({self._pair(place) for place, cost in self.costs.items() if cost.interval is not None})

    def setting(self, model: str, row: str) -> int | None:
        return AS_GIVEN if row == GIVEN else self.tuned[model, row]

    def _pair(self, place: Place) -> _Pair:
        there = self.tuned[place.model, place.used_on]
        return _Pair(place.model, place.used_on, self.setting(place.model, place.tuned_on), there)

    def _samples(self, pair: _Pair) -> list[float] | None:
        """The cost on each reported split that has both trainings; None where both settings are one."""
        if pair.used is None or pair.there is None:
            return []
        if pair.used == pair.there:
            return None
        values = [self.reported(pair.model, pair.study, setting) for setting in (pair.used, pair.there)]
        return paired_costs(*values, relative=self.is_relative)

    def reported(self, model: str, study: str, setting: int) -> list[float | None]:
        """A setting's values on the reported splits of a study."""
        return [self.values.get(Trial(model, study, split, setting)) for split in self.tuning.report_on]

    def own(self, model: str, study: str) -> list[Trial]:
        """The reported trainings on a study with the settings that were tuned on it."""
        setting = self.tuned[model, study]
        if setting is None:
            return []
        return [Trial(model, study, split, setting) for split in self.tuning.report_on]

    def mean_when_chosen(self, model: str, study: str, setting: int) -> float | None:
        """The metric of a setting on the splits that choose, their mean; None where it failed on one."""
        found = [self.values.get(Trial(model, study, split, setting)) for split in self.tuning.choose_on]
        known = [value for value in found if value is not None]
        sign = -1 if self.frozen.objective.maximise else 1
        return sign * fmean(known) if len(known) == len(found) else None

    @cached_property
    def failed(self) -> list[Trial]:
        """The trainings that have no value, in their order."""
        return [trial for trial, value in self.values.items() if value is None]

    def hyperparameters(self, model: str, setting: int) -> Point:
        """What is tuned of a model, at a setting; as far as it is known where it is as given."""
        tuned = self.tuning.models[model]
        submodel = self.frozen.models[list(self.tuning.models).index(model)]
        given = merged(merged(self.defaults[model], submodel.config), submodel.hyperparameters)
        names = list(dict.fromkeys(name for point in tuned.settings for name in point))
        known: dict[str, Any] = {name: given[own] for name in names if (own := spelling(name, given)) in given}
        return {**known, **tuned.settings[setting]}


def outcome_of(
    frozen: FrozenExperiment,
    tuning: Tuning,
    records: Sequence[Evaluation],
    defaults: Mapping[str, Mapping[str, Any]],
) -> Outcome:
    """Read the trainings off a record."""
    trials = {tuning.name(trial): trial for trial in tuning.trials()}
    values, reasons = {}, {}
    for record in records:
        trial = trials[record.id or ""]
        values[trial] = record.value if record.status == "ok" else None
        if record.status != "ok":
            reasons[trial] = record.reason or record.status
    return Outcome(frozen, tuning, values, reasons, defaults)
