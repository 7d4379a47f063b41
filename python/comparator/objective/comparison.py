"""CMP, the comparator as a model: one set of hyperparameters in, two trainings, their difference out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparator.formats.hyperparameters import split_for_submodels
from comparator.formats.spelling import CONFIG_FILE, merged
from comparator.formats.text import message
from comparator.objective.differences import (
    Difference,
    NoValue,
    distance,
    find_difference,
    signed_difference,
)
from comparator.objective.metrics import reported_instead
from comparator.results.form import LARGEST
from comparator.results.frozen import MetricDescription
from comparator.results.record import Evaluation, Run

# They say which model runs and with which defaults; the leaf has read them already.
NOT_FOR_MODELS = {"model_name", "candle_image", *CONFIG_FILE}
ALONE = "the model"
#: What a reason is laid to: at its beginning, or at that of a replicate's.
_SUBMODEL = re.compile(r"(^|\breplicate \d+: )submodel ([01])\b")


def submodel_hyperparameters(
    hyperparameters: Mapping[str, object],
    point: Mapping[str, object],
    *,
    compares: bool,
    names: Sequence[Mapping[str, str]] = (),
) -> list[dict[str, object]]:
    """What each submodel is given at a point: for CMP by the prefix rules, else one set as it is.

    What the point says of a hyperparameter, whatever the case of its name, takes the place of what `hyperparameters`
    says. `names` may have a mapping for each submodel, from the names that are common to its own.
    """
    together = merged(hyperparameters, point)
    submodels = split_for_submodels(together) if compares else [together]
    own: Sequence[Mapping[str, str]] = names or [{}] * len(submodels)
    return [
        {called.get(key, key): value for key, value in given.items() if key not in NOT_FOR_MODELS}
        for given, called in zip(submodels, own, strict=True)
    ]


@dataclass(frozen=True)
class Objective:
    """The number that one replicate gives the search to minimise, from its runs.

    For a comparison the negative `difference` of the two runs' `metric`; for a single model (`difference` None)
    the metric itself, negative where `maximise` says that a larger one is better. For the words on a metric that is
    missing: `ask` is what stands before the name of one that is asked for, an experiment's `--set` where it is None,
    empty where that would be no help; `described` are those that can be asked for, where the models say so.
    """

    metric: str
    difference: Difference | None
    maximise: bool = True
    ask: str | None = None
    described: Collection[str] = ()

    def __call__(self, runs: Sequence[Run]) -> float:
        """Raises `NoValue` with one line where there is no such number."""
        values = self._values(runs)
        if self.difference is not None:
            return -distance(self.difference, values[0], values[1])
        return -values[0] if self.maximise else values[0]

    def signed(self, runs: Sequence[Run]) -> float:
        """What tests and intervals use: the difference with its sign; of a single model the metric itself.

        Raises `NoValue` as a call does.
        """
        values = self._values(runs)
        return values[0] if self.difference is None else signed_difference(self.difference, values[0], values[1])

    def worth(self, number: float) -> float:
        """What a search minimises where the signed difference, or a single model's metric, is `number`."""
        if self.difference is None:
            return -number if self.maximise else number
        return -number if self.difference.has_sign else -abs(number)

    @property
    def needs_unit(self) -> bool:
        """Whether the numbers become a value only when divided by their deviation from seed to seed."""
        return self.difference is not None and self.difference.needs_unit

    def lack_of(self, run: Run) -> str:
        """That a run has not reported the metric, what it reported, and how to ask for the nearest of these."""
        compares = self.difference is not None
        usual = "--set cmp.metric=" if compares else "--set metric="
        ask = usual if self.ask is None else self.ask
        instead = reported_instead(self.metric, run.metrics, ask, self.described)
        return f"{_who(run) if compares else ALONE} did not report {self.metric}; {instead}"

    def _values(self, runs: Sequence[Run]) -> list[float]:
        values = [self._value(run) for run in runs]
        if len(values) < (1 if self.difference is None else 2):
            raise NoValue("the evaluation has no run for each model")
        return values

    def _value(self, run: Run) -> float:
        compares, metrics = self.difference is not None, run.metrics
        who = _who(run) if compares else ALONE
        if run.status != "ok":
            raise NoValue(f"{who}: {run.reason or run.status}")
        if self.metric not in metrics:
            raise NoValue(self.lack_of(run))
        value = metrics[self.metric]
        if value is None:
            raise NoValue(f"{who} reported a {self.metric} that is not finite, or out of range: beyond {LARGEST:g}")
        return value


def failure_words(record: Evaluation, experiments: Path, labels: Sequence[str] = ()) -> str:
    """Why an evaluation failed, and where the log of the run is that it failed by, where a run is to blame.

    `experiments` is the folder of all experiments; `labels` are as `with_labels` has them.
    """
    reason = message(record.reason or record.status)
    logs = [run.log for run in record.runs if reason.startswith((_who(run), ALONE)) and run.log]
    there = [experiments / log for log in logs if (experiments / log).is_file()]
    words = with_labels(reason, labels)
    return f"{words} (log: {there[0]})" if there else words


def with_labels(reason: str, labels: Sequence[str]) -> str:
    """A reason of a record, which says `submodel 0`, with what people call that model, one label for each."""
    if len(labels) < 2:
        return reason
    return _SUBMODEL.sub(lambda found: f"{found[1]}{labels[int(found[2])]}", reason)


def _who(run: Run) -> str:
    return f"submodel {run.submodel}"


def make_objective(
    difference: str | None, metric: str, metrics: Mapping[str, MetricDescription], file: Path
) -> Objective:
    """The number that a search minimises: by the difference of this name, or (None) a single model's metric."""
    if difference is not None:
        found = find_difference(difference, file.parent, f"{file}: [cmp] difference")
        return Objective(metric, found, described=metrics.keys())
    larger_is_better = metric in metrics and metrics[metric].kind == "score"
    return Objective(metric, None, maximise=larger_is_better, described=metrics.keys())
