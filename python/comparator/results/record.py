"""A line of `evaluations.jsonl`, the record of an experiment: an evaluation with its replicates and their runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from comparator.results.form import LARGEST, Count, Form, Metrics, Number, Point, in_range

PILOT, SEARCH, FULL, CONFIRM = "pilot", "search", "full", "confirm"
#: The stages that follow when a search is over.
AFTERWARDS = (FULL, CONFIRM)

_in_order = json.JSONEncoder(sort_keys=True).encode


def key_of(point: Mapping[str, Any]) -> str:
    """What tells points apart."""
    return _in_order(point)


class Run(Form):
    """A run as a line of a record shows it.

    `run` is its name in the store, which what was imported does not have; `log` is relative to the folder of all
    experiments. `split` is the seed of the data split that was the block's own; the key is there where there was one
    asked for; `seeds` likewise has the steps of those parts of the seed that had their own (`Request.seeds`).
    `block` is the block of the replicate (`comparator.strategies.blocks`), 0 in records of earlier versions.
    `no_reuse` says why the run serves no other experiment.
    """

    submodel: Count
    replicate: Count
    status: Literal["ok", "failed", "timeout", "cancelled"]
    metrics: Metrics
    seed: int | None = None
    split: int | None = None
    seeds: dict[str, Count] | None = None
    block: Count = 0
    run: str | None = None
    seconds: Number | None = None
    device: str | None = None
    reason: str | None = None
    reused: bool = False
    log: str | None = None
    no_reuse: str | None = None

    @property
    def has_own_split(self) -> bool:
        return "split" in self.model_fields_set


class Replicate(Form):
    """A replicate that an evaluation asked for; `reused` says that nothing was trained for it."""

    replicate: Count
    started: str | None = None
    seconds: Number = 0.0
    worker: str | None = None
    reused: bool = False


class Evaluation(Form):
    """A line of `evaluations.jsonl`: a proposal of the search that has come to its end.

    `id` is its name in a UPF; `stage` is pilot, search, full, confirm or imported. `value` is what the search
    minimises, None unless `status` is ok: the mean over all replicates of the point that ended well until then, of
    whose signed differences are `deviation` and `interval` (95 %).

    `replicates` are those of them that no earlier line of the point has; `signed` has the signed difference of each,
    `blocks` their blocks, `runs` their runs, and those of the evaluation's own replicates that failed. What comes
    before them is in the evaluation of the number `after` and, by its `after`, in those before that; where it is None
    these are all. `comparator.results.whole` puts them together. Records of earlier versions, and of other programs,
    have neither key: each of their lines has all.

    `unit` is what the line's numbers are divided by, in the metric's own unit, where each further replicate of a point
    changes that (a difference in deviations, without a pilot); no other line has the key.

    `asked` are the replicates that the evaluation asked for itself; records of earlier versions, and of other programs,
    do not say. `claim` is the name of the claim that the evaluation is to confirm. `epochs` is the length of its
    trainings where they were shorter than full ones.
    """

    evaluation: Count
    id: str | None = None
    stage: str = SEARCH
    claim: str | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    generation: int | None = None
    point: Point
    status: Literal["ok", "failed", "timeout"]
    value: Number | None
    after: Count | None = None
    replicates: list[Count] | None = None
    signed: list[Number] | None = None
    blocks: list[Count] | None = None
    unit: Annotated[Number, Field(gt=0)] | None = None
    deviation: Number | None = None
    interval: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    started: str | None = None
    seconds: Number | None = None
    worker: str | None = None
    asked: list[Replicate] | None = None
    runs: list[Run]
    reason: str | None = None

    @cached_property
    def point_key(self) -> str:
        """What tells its point apart (`key_of`)."""
        return key_of(self.point)

    @model_validator(mode="after")
    def _ok_has_a_value(self) -> Evaluation:
        if self.status == "ok" and self.value is None:
            raise ValueError("value is null, but status is 'ok'")
        return self

    @model_validator(mode="after")
    def _has_a_number_for_each_replicate(self) -> Evaluation:
        if self.replicates is not None:
            there = len(self.replicates)
            for key, numbers in (("signed", self.signed), ("blocks", self.blocks)):
                if len(numbers or ()) != there:
                    raise ValueError(f"{key} has {len(numbers or ())} numbers, but replicates has {there}")
        return self

    @model_validator(mode="after")
    def _out_of_range_is_failed(self) -> Evaluation:
        if any(in_range(number) is None for number in (self.value or 0.0, *(self.signed or ()))):
            self.status, self.value, self.reason = "failed", None, f"out of range: beyond {LARGEST:g} in size"
            self.signed, self.blocks, self.deviation, self.interval = [], [], None, None
            self.after, self.replicates = None, None if self.replicates is None else []
        return self
