"""The record's line of an evaluation that has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any, Literal

from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.experiment.open_evaluations import KnownPoint, OpenEvaluation
from comparator.objective.differences import NoValue
from comparator.results.files import now
from comparator.results.record import Evaluation, Replicate, Result


def record_line(
    evaluation: OpenEvaluation, *, unit: Callable[[KnownPoint], float], blocks: int, length: Mapping[str, Any]
) -> Evaluation:
    """The record of an evaluation: its value is the mean over all replicates of its point that ended well.

    `runs` lists these replicates, the earlier ones first and as reused; of a failed evaluation its own runs only.
    `signed` has the signed difference of each, `deviation` and `interval` (95 %) are theirs; `asked` has the
    replicates that the evaluation asked for. A difference is divided by its `unit`, which raises `NoValue` where there
    is none; replicates are dealt to so many `blocks`; `length` has the epochs of a short training.
    """
    point, proposal, outcomes = evaluation.point, evaluation.proposal, evaluation.outcomes
    status, value, reason = _outcome(evaluation, unit)
    ok = status == "ok"
    signed = [number / unit(point) for _, number in sorted(point.signed.items())] if ok else []
    interval = mean_interval(signed)
    earlier = [replicate for replicate in sorted(point.values) if ok and replicate not in outcomes]
    reused = [run.model_copy(update={"reused": True}) for replicate in earlier for run in point.runs[replicate]]
    asked = [_part(replicate, outcomes[replicate]) for replicate in sorted(outcomes)]
    named: dict[str, Any] = {} if proposal.name is None else {"id": proposal.name}
    claim: dict[str, Any] = {} if evaluation.claim is None else {"claim": evaluation.claim}
    return Evaluation(
        evaluation=evaluation.number,
        **named,
        stage=evaluation.stage,
        **claim,
        **length,
        generation=proposal.generation,
        point=proposal.point,
        status=status,
        value=value,
        signed=signed,
        blocks=[evaluation.block(each, blocks).number for each in sorted(point.signed)] if ok else [],
        deviation=pooled_deviation([signed]),
        interval=None if interval is None else list(interval),
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
        return "ok", fmean(point.values.values()) / unit(point), reason
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
