"""A form: what may be relied on of something that is stored, or goes from process to process.

A form says what there is in this version's files and in earlier ones'; a file may hold more, which is kept. A file that
is not of its form was damaged, or changed by hand. `docs/record-format.md` has all of them:

| file | form |
|---|---|
| `EXPERIMENTS/ID/experiment.json` | `frozen.FrozenExperiment`; `WholeExperiment` where it is gone on with |
| `EXPERIMENTS/ID/evaluations.jsonl` | a `record.Evaluation` on each line |
| `EXPERIMENTS/ID/state.json` | `state.State` |
| `EXPERIMENTS/ID/running/*.json` | `in_flight.InFlight` |
| `EXPERIMENTS/ID/withdrawn.jsonl` | a `run_result.Withdrawal` on each line |
| `EXPERIMENTS/ID/notes.json` | `notes.Notes` |
| `EXPERIMENTS/ID/launch-N/launch.json` | `engine.launches.Launched`; `LaunchForRanks` for its ranks |
| `EXPERIMENTS/runs/AB/IDENTITY/result.json` | `run_result.RunResult` |
| `EXPERIMENTS/runs/AB/IDENTITY/withdrawn.json` | `run_result.WithdrawnResult` |
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from comparator.errors import InputError
from comparator.formats.refusal import allowed, key_of

#: The size beyond which a metric, or a value, is no result: its powers would overflow.
LARGEST = 1e100


def in_range(number: float | None) -> float | None:
    """The number; None for one beyond `LARGEST`."""
    return None if number is None or abs(number) > LARGEST else number


Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
#: To a signal, 0 and less are many processes.
ProcessId = Annotated[int, Field(ge=1)]
#: None is a number that is not finite, or out of range.
Metric = Annotated[Number | None, AfterValidator(in_range)]
Metrics = dict[str, Metric]
#: The values of hyperparameters by name, or a part of them.
Point = dict[str, Any]


class Form(BaseModel):
    """Something stored; texts are texts and numbers are numbers."""

    model_config = ConfigDict(extra="allow", strict=True)

    def as_json(self) -> dict[str, Any]:
        """What is written: the keys that it was read with, or made with."""
        return self.model_dump(exclude_unset=True)


AnyForm = TypeVar("AnyForm", bound=BaseModel)


def of_form(form: type[AnyForm], content: object, where: str) -> AnyForm:
    """What was read, in its form; raises `InputError`, whose line `where` opens, where it is not."""
    try:
        return form.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{where}: {_fault(error)}; the file was changed or damaged") from None


def as_text(form: Form) -> str:
    """A form as a line of JSON."""
    return json.dumps(form.as_json(), allow_nan=False)


def from_text(form: type[AnyForm], text: str | bytes) -> AnyForm:
    """The form of a line of JSON that `as_text` has written; raises `ValueError` where it is none."""
    try:
        return form.model_validate_json(text)
    except ValidationError:  # also of a file's name that is no UTF-8, which `json` reads
        return form.model_validate(json.loads(text))


def _fault(error: ValidationError) -> str:
    """What is wrong with what was read, in words that begin with the key."""
    kind, key = error.errors()[0]["type"], key_of(error)
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":  # of our own; it names its keys
        return allowed(error)
    return f"{key}: {allowed(error)}" if key else "it is no object"
