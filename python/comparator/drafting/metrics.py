"""Find which metric two models can be compared by: by their descriptions, or by one short training of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.checks.model import Bench, bench_folder
from comparator.checks.model.trainings import naming_words
from comparator.checks.model.trial import Run, Trial
from comparator.drafting.ranges import middle
from comparator.errors import InputError, nearest
from comparator.formats.hyperparameters import as_flags, split_for_submodels
from comparator.formats.text import shortened
from comparator.model.model import Model
from comparator.model.probe import how_to_mend
from comparator.model.runners.warm import ServerEnded
from comparator.objective.metrics import kind_by_name
from comparator.site.profile import Slot

USUAL_METRIC = "val_loss"


@dataclass(frozen=True)
class Trials:
    """Short trainings of models, in the middle of what is varied; `limit` is what one may take, in seconds."""

    models: Sequence[Model]
    settings: Mapping[str, Any]
    space: Sequence[Mapping[str, Any]]
    containers: Path
    slot: Slot
    data_folder: Path
    limit: float

    def metrics(self) -> list[str]:
        """What all models report, the usual first; raises `InputError` where one cannot be trained."""
        varied = {entry["name"]: middle(entry) for entry in self.space}
        given = {**varied, **self.settings}
        of_each = split_for_submodels(given) if len(self.models) > 1 else [given]
        # Two copies of a model report the same.
        tried = {model.reference: (model, own) for model, own in zip(self.models, of_each, strict=True)}
        with bench_folder() as folder:
            named = [self._reported(*each, folder.path / str(place)) for place, each in enumerate(tried.values())]
        return preferred(named)

    def _reported(self, model: Model, settings: Mapping[str, Any], folder: Path) -> list[str]:
        """What one training reports, for one epoch where the model has epochs."""
        folder.mkdir()
        bench = Bench(
            containers=self.containers,
            slot=self.slot,
            folder=folder,
            data_folder=self.data_folder,
            settings=settings,
            limit=self.limit,
        )
        trial = Trial(model, bench)
        try:
            run, reason = self._train(trial)
        except ServerEnded as ended:
            run, reason = None, ended.reason
        finally:
            trial.close()
        numbers = [] if run is None else [name for name, value in run.outcome.metrics.items() if value is not None]
        if numbers:
            return numbers
        hint = how_to_mend(model, reason or "")
        if run is not None and run.status == 0:
            hint = f"; {naming_words(trial, run)}"
        elif not hint:
            more = f"comparator model check {model.reference} says more"
            hint = f"; where it lacks a value, --set NAME=VALUE gives it; {more}"
        raise InputError(f"{model.reference}: a training that was tried failed: {reason}{hint}")

    def _train(self, trial: Trial) -> tuple[Run | None, str | None]:
        trial.learn(trial.import_module() if trial.model.module is not None else None)
        if trial.is_callable("preprocess.sh"):
            self.data_folder.mkdir(parents=True, exist_ok=True)
            words = [trial.seen(str(self.data_folder)), *as_flags(trial.given())]
            reason = trial.call("preprocess.sh", words, trial.new_folder("preprocess"))
            if reason is not None:
                return None, f"preprocess.sh: {reason}"
        run = trial.serve({}) if trial.is_served else trial.train({})
        return run, run.reason


def described_metrics(models: Sequence[Model]) -> list[str] | None:
    """The errors and scores that all models describe, the usual first; None where one describes none."""
    described = [model.description.metrics for model in models]
    if not all(described):
        return None
    telling = [[name for name, each in metrics.items() if each.kind != "fact"] for metrics in described]
    return preferred(telling)


def preferred(named: Sequence[Sequence[str]]) -> list[str]:
    """The names that stand in all lists, that of the loss on held-out rows first."""
    first, *others = named
    both = [name for name in first if all(name in other for other in others)]

    def rank(name: str) -> tuple[bool, bool, bool]:
        return name != USUAL_METRIC, not name.startswith(("val_", "test_")), kind_by_name(name) is None

    return sorted(both, key=rank)


def check_metric(metric: str, reported: Sequence[str] | None) -> None:
    """Raise `InputError` where the metric is none of what the models report, as far as that is known."""
    if reported is not None and metric not in reported:
        raise InputError(
            f"--metric {shortened(metric)}: is not reported{nearest(metric, reported)}; to choose of:"
            f" {', '.join(reported) or 'none'}"
        )
