"""The forms of what a run leaves in the store: its result, and that it was withdrawn."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from comparator.results.form import Count, Form, Metric, Metrics, Number


class ReadsOfResult(Form):
    """What a run has read, as `comparator.model.reads.Reads` has it; what says more cannot be compared with today."""

    model_config = ConfigDict(extra="forbid", strict=True)

    files: dict[str, str | None] = {}
    noticed: dict[str, str | None] = {}
    folders: dict[str, str | None] = {}
    places: dict[str, str | None] = {}
    variables: dict[str, str | None] = {}
    packages: dict[str, str | None] = {}
    imports: dict[str, list[str]] = {}
    unseen: list[str] = []


class RunResult(Form):
    """`result.json` of a run.

    `history` has a number for each epoch. `unnamed` is the metric whose number was reported without a name; it is that
    of whatever is asked for. `experiment` is the one that it was trained for. `together` is how many runs one call of
    the model carried out, where that were several; `seconds` is then this one's share of the time that the call took,
    so that the seconds of runs add up to the time in which models worked.
    """

    status: Literal["ok", "failed", "timeout", "cancelled"]
    metrics: Metrics = {}
    history: dict[str, list[Metric]] = {}
    reason: str | None = None
    reads: ReadsOfResult | None = None
    unnamed: str | None = None
    seconds: Number = 0.0
    together: Count | None = None
    started: str | None = None
    device: str | None = None
    model: str | None = None
    hyperparameters: dict[str, Any] | None = None
    worker: str | None = None
    computed_on: str | None = None
    experiment: str | None = None
    no_reuse: str | None = None

    def in_metric(self, metric: str) -> RunResult:
        """For somebody who asks for `metric`: a number without a name is that of whatever is asked for."""
        if self.unnamed is None or metric in self.metrics:
            return self
        named = {metric if name == self.unnamed else name: value for name, value in self.metrics.items()}
        return self.model_copy(update={"metrics": named})


class WithdrawnResult(Form):
    """`withdrawn.json` of a run: its result, which did not come out again."""

    withdrawn: str
    reason: str
    result: RunResult


class Withdrawal(Form):
    """A line of `withdrawn.jsonl`: a run that was withdrawn after the experiment's `evaluations` had used it."""

    run: str
    evaluations: list[int]
    withdrawn: str
    reason: str
