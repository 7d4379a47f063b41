"""The forms of what is stored: a frozen experiment, a line of its record, a run's result.

They say what every reader may rely on, of this version's files and of earlier ones'; a file may hold more. A file that
is not of its form was damaged, or changed by hand.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comparator.errors import InputError

#: The format of a frozen experiment: what `identity` and `data` of its models are made of.
FORMAT = 2

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Metrics = dict[str, Number | None]


class Form(BaseModel):
    """Something stored; texts are texts and numbers are numbers."""

    model_config = ConfigDict(extra="allow", strict=True)


class RunOfEvaluation(Form):
    """A run as a line of a record shows it; `run` is its name in the store, which what was imported does not have."""

    submodel: Literal[0, 1]
    replicate: Count
    status: Literal["ok", "failed", "timeout"]
    metrics: Metrics
    seed: int | None = None
    run: str | None = None
    seconds: Number | None = None
    reason: str | None = None
    reused: bool = False


class Asked(Form):
    """A replicate that an evaluation asked for."""

    replicate: Count
    seconds: Number = 0.0


class Evaluation(Form):
    """A line of `evaluations.jsonl`."""

    evaluation: Count
    point: dict[str, Any]
    status: Literal["ok", "failed", "timeout"]
    value: Number | None
    runs: list[RunOfEvaluation]
    stage: str = "search"
    signed: list[Number] | None = None
    asked: list[Asked] = []
    seconds: Number | None = None
    reason: str | None = None


class FrozenExperiment(Form):
    """`experiment.json`, as far as it takes to show what was found; of what another program made it may have less."""

    id: str
    format: Annotated[int, Field(ge=1)] = 1
    kind: Literal["cmp", "single"] = "cmp"
    created: str = ""
    title: str = ""
    models: list[dict[str, Any]]
    metric: str = ""
    settings: dict[str, Any] = {}


class WholeExperiment(FrozenExperiment):
    """`experiment.json`, with all that it takes to go on with an experiment, or to repeat its trainings."""

    format: Annotated[int, Field(ge=1)]
    kind: Literal["cmp", "single"]
    file: str
    models: list[dict[str, Any]]
    metric: str
    metrics: dict[str, Any]
    settings: dict[str, Any]
    space: list[dict[str, Any]]
    hyperparameters: dict[str, Any]
    strategy: dict[str, Any]


class ReadsOfResult(BaseModel):
    """What a run has read, as `model.reads.Reads` has it; what says more cannot be compared with today."""

    model_config = ConfigDict(extra="forbid", strict=True)

    files: dict[str, str | None] = {}
    noticed: dict[str, str | None] = {}
    folders: dict[str, str | None] = {}
    places: dict[str, str | None] = {}
    variables: dict[str, str | None] = {}
    packages: dict[str, str | None] = {}
    imports: dict[str, list[str]] = {}
    unseen: list[str] = []


class Result(Form):
    """`result.json` of a run."""

    status: str
    metrics: Metrics = {}
    history: dict[str, list[Number | None]] = {}
    hyperparameters: dict[str, Any] | None = None
    reads: ReadsOfResult | None = None


def fault_of(form: type[Form], content: object) -> str | None:
    """What is wrong with what was read, in words that begin with the key; None where it is of its form."""
    try:
        form.model_validate(content)
    except ValidationError as error:
        finding = error.errors()[0]
        key = ".".join(str(part) for part in finding["loc"])
        if finding["type"] == "missing":
            return f"{key} is missing"
        words = finding["msg"][:1].lower() + finding["msg"][1:]
        return f"{key}: {words}" if key else "it is no object"
    return None


def check(form: type[Form], content: object, where: str) -> None:
    """Raises `InputError` where `content` is not of its form; `where` opens its line."""
    fault = fault_of(form, content)
    if fault is not None:
        raise InputError(f"{where}: {fault}; the file was changed or damaged")
