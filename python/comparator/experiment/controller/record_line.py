"""The record's line of an evaluation that has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from comparator.experiment.controller.open_evaluations import KnownPoint, OpenEvaluation
from comparator.objective.differences import NoValue
from comparator.results.files import now
from comparator.results.record import Evaluation, Replicate
from comparator.results.requests import Result


def record_line(
    evaluation: OpenEvaluation,
    *,
    unit: Callable[[KnownPoint], float],
    blocks: int,
    has_own_unit: bool,
) -> Evaluation:
    """The record of an evaluation: its value is the mean over all replicates of its point that ended well.

    `replicates` lists those of them that no line has yet, the evaluation's own or earlier ones, with `signed` and
    `blocks`. `runs` are theirs, earlier ones first and as reused, and all of its own;
    of a failed evaluation its own only. `asked` has the replicates that the evaluation asked for. A difference is
    divided by its `unit`, which raises `NoValue` where there is none, and which the line says where its point
    `has_own_unit`; replicates are dealt to so many `blocks`.
    """
    point, proposal, outcomes = evaluation.point, evaluation.proposal, evaluation.outcomes
    status, value, reason = _outcome(evaluation, unit)
    is_ok = status == "ok"
    divisor = unit(point) if is_ok else 1.0
    new = sorted(point.unrecorded) if is_ok else []
    interval = point.of_signed.interval() if is_ok else None
    deviation = point.of_signed.deviation if is_ok else None
    reused = [
        run.model_copy(update={"reused": True}) for each in new if each not in outcomes for run in point.runs[each]
    ]
    asked = [_part(replicate, outcomes[replicate]) for replicate in sorted(outcomes)]
    named: dict[str, Any] = {} if proposal.name is None else {"id": proposal.name}
    own_unit: dict[str, Any] = {"unit": divisor} if has_own_unit and is_ok else {}
    claim: dict[str, Any] = {} if evaluation.claim is None else {"claim": evaluation.claim}
    return Evaluation(
        evaluation=evaluation.number,
        **named,
        stage=evaluation.stage,
        **claim,
        **evaluation.length,
        generation=proposal.generation,
        point=proposal.point,
        status=status,
        value=value,
        after=point.recorded_by if is_ok else None,
        replicates=new,
        signed=[point.signed[each] / divisor for each in new],
        blocks=[evaluation.block(each, blocks).number for each in new],
        **own_unit,
        deviation=None if deviation is None else deviation / divisor,
        interval=None if interval is None else [end / divisor for end in interval],
        started=min((outcome.started for outcome in outcomes.values()), default=now()),
        seconds=sum((part.seconds for part in asked), 0.0),
        worker=asked[0].worker if asked else None,
        asked=asked,
        runs=reused + [run for replicate in sorted(outcomes) for run in outcomes[replicate].runs],
        reason=reason,
    )


def _outcome(
    evaluation: OpenEvaluation, unit: Callable[[KnownPoint], float]
) -> tuple[Literal["ok", "failed", "timeout"], float | None, str | None]:
    """How an evaluation ended, its value where that was well, and the reason."""
    point, outcomes = evaluation.point, evaluation.outcomes
    status, reason = (_status(outcomes), _reason(outcomes)) if outcomes else ("ok", None)
    if not outcomes and not point.values:
        return "failed", None, "this point failed before, and a repeat changes nothing"
    if status != "ok":
        return status, None, reason
    try:
        return "ok", point.of_values.mean / unit(point), reason
    except NoValue as failure:
        return "failed", None, str(failure)


def _status(outcomes: Mapping[int, Result]) -> Literal["ok", "failed", "timeout"]:
    """One replicate that ended well is a result."""
    statuses = {outcome.status for outcome in outcomes.values()}
    return "ok" if "ok" in statuses else "timeout" if "timeout" in statuses else "failed"


def _reason(outcomes: Mapping[int, Result]) -> str | None:
    """Why replicates have no result; of an evaluation that is one all the same, which they are."""
    failed = {replicate: outcome.reason for replicate, outcome in outcomes.items() if outcome.status != "ok"}
    if len(failed) == len(outcomes):
        return next(iter(failed.values()), None)
    return "; ".join(f"replicate {replicate}: {reason}" for replicate, reason in sorted(failed.items())) or None


def _part(replicate: int, outcome: Result) -> Replicate:
    return Replicate(
        replicate=replicate,
        started=outcome.started,
        seconds=outcome.seconds,
        worker=outcome.worker,
        reused=bool(outcome.runs) and all(run.reused for run in outcome.runs),
    )
