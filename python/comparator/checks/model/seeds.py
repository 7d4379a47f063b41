"""Whether trainings of one seed give the same numbers, whichever way, and those of another seed others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isclose

from comparator.checks.model.trainings import failure_words, instead_words
from comparator.checks.model.trial import Run, Trial, Way
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings, listed
from comparator.model.runners.together import FUNCTION, offers_many
from comparator.model.runners.warm import NotTogether, OneByOne

#: The largest part of a number that a model may lose by printing it shorter than it has it.
ROUNDING = 0.01
#: By so large a part a number may differ of a training beside others, since its sums may be in another order there.
LAST_DIGITS = 1e-3
BY_ONE_CALL = f"{FUNCTION}(params_list)"


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side: the `metrics` of which there was a number to compare, the first that is `apart`."""

    metrics: Sequence[str]
    apart: str | None


def check_same_seed(trial: Trial, ways: Sequence[Way]) -> Findings:
    """The ways against each other, where one may print fewer digits, and the last of them twice."""
    *others, last = ways
    again = last.train({})
    compared = " and ".join([*(other.name for other in others), f"{last.name} twice"])
    if not again.is_ok:
        yield Finding("the same seed", FAILS, f"a second run failed: {failure_words(trial, again)}")
        return
    pairs = [(other.first, last.first) for other in others]
    found = [_compare(trial, *pair, rounded=True) for pair in pairs] + [_compare(trial, last.first, again)]
    words = next((each.apart for each in found if each.apart), None)
    if words is None and not all(each.metrics for each in found):
        yield Finding("the same seed", UNTESTED, f"{compared}: {_nothing_to_compare(trial, again)}")
    elif words is None:
        exact = all(_compare(trial, *pair).apart is None for pair in pairs)
        equal = f"equal numbers{'' if exact else ', but for rounding'}"
        yield Finding("the same seed", HOLDS, f"{compared}: {equal}: {listed(found[-1].metrics)}")
    elif trial.model.description.seed is None:
        yield Finding("the same seed", UNTESTED, f"{compared}: {words}, and no hyperparameter takes a seed")
    else:
        mend = "the seed must reach everything that is drawn, and no run may depend on the one before"
        yield Finding("the same seed", FAILS, f"{compared}: {words}; {mend}")


def check_other_seed(trial: Trial, ways: Sequence[Way]) -> Findings:
    seed, last = trial.model.description.seed, ways[-1]
    if seed is None:
        return
    run = last.train({seed: trial.seed + 1})
    if not run.is_ok:
        yield Finding("another seed", FAILS, f"{seed} = {trial.seed + 1}: {failure_words(trial, run)}")
        return
    found = _compare(trial, last.first, run)
    if found.apart is not None:
        yield Finding("another seed", HOLDS, f"other numbers: {found.apart}")
    elif found.metrics:
        equal = f"{listed(found.metrics)}: it changes nothing here"
        yield Finding("another seed", HOLDS, f"{equal}: a search finds that out, and repeats cost it nothing")
    else:
        yield Finding("another seed", UNTESTED, f"{last.name}: {_nothing_to_compare(trial, run)}")


def check_together(trial: Trial, served: Way) -> Findings:
    """Two trainings, of two seeds where there are any, by one call against the same by themselves.

    They are as short as the model lets them be: over many epochs last digits grow, and tell nothing any more.
    """
    if not trial.takes_many:
        return
    if not offers_many(trial.model):
        words = f"it is there, and is not used: {trial.described_in} needs the line {FUNCTION} = true"
        yield Finding(BY_ONE_CALL, UNTESTED, words)
        return
    seed, short = trial.model.description.seed, trial.shortest
    other: Mapping[str, object] = short if seed is None else {**short, seed: trial.seed + 1}
    alone = [served.train(short) if short else served.first, served.train(other)]
    try:
        together = trial.serve_many([short, other])
    except OneByOne as declined:
        yield Finding(BY_ONE_CALL, UNTESTED, f"it takes none together here: {declined}")
        return
    except NotTogether as ended:
        yield Finding(BY_ONE_CALL, FAILS, f"{ended.reason} (log: {trial.folders[-1] / 'model.log'})")
        return
    failed = next((run for run in (*alone, *together) if not run.is_ok), None)
    if failed is not None:
        yield Finding(BY_ONE_CALL, FAILS, failure_words(trial, failed))
        return
    yield _beside_alone(trial, served, alone, together)


def _beside_alone(trial: Trial, served: Way, alone: Sequence[Run], together: Sequence[Run]) -> Finding:
    """What two trainings by one call say beside the same by themselves.

    A number that is half as far from its own as the two by themselves are from one another is as good as another's.
    """
    pairs = list(zip(alone, together, strict=True))
    compared = f"{len(together)} trainings by one call, and each by {served.name}"
    found = [_compare(trial, *pair, close=LAST_DIGITS) for pair in pairs]
    apart = next((each.apart for each in found if each.apart), None)
    if apart is None and not all(each.metrics for each in found):
        return Finding(BY_ONE_CALL, UNTESTED, f"{compared}: {_nothing_to_compare(trial, together[0])}")
    if apart is None:
        exact = all(_compare(trial, *pair).apart is None for pair in pairs)
        equal = f"equal numbers{'' if exact else ', but for last digits'}"
        return Finding(BY_ONE_CALL, HOLDS, f"{compared}: {equal}: {listed(found[0].metrics)}")
    if trial.model.description.seed is None and _compare(trial, *alone, close=LAST_DIGITS).apart:
        return Finding(BY_ONE_CALL, UNTESTED, f"{compared}: {apart}, and no hyperparameter takes a seed")
    far = [_compare(trial, *pair, close=LAST_DIGITS, within=_half_between(*alone)) for pair in pairs]
    words = next((each.apart for each in far if each.apart), None)
    if words is not None:
        mend = "each has to come out as by itself, by its own seed"
        return Finding(BY_ONE_CALL, FAILS, f"{compared}: {words}; {mend}")
    less = "which is more than last digits, and less than two seeds differ by"
    mend = "fewer epochs, or steps, tell whether it grew of last digits: --set NAME=VALUE"
    return Finding(BY_ONE_CALL, UNTESTED, f"{compared}: {apart}, {less}; {mend}")


def _half_between(one: Run, other: Run) -> dict[str, float]:
    """Half of what each metric of two runs differs by."""
    of_one, of_other = one.outcome.metrics, other.outcome.metrics
    both = ((name, of_one[name], of_other.get(name)) for name in of_one)
    return {name: abs(a - b) / 2 for name, a, b in both if a is not None and b is not None}


def _compare(
    trial: Trial,
    one: Run,
    other: Run,
    *,
    rounded: bool = False,
    close: float = 0.0,
    within: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare the metric asked for, and those described that both report; facts, such as times, may differ.

    `rounded` lets pass what the fewer digits of one number hide, `close` what is no larger a part of a number, `within`
    what is less than it says of a metric.
    """
    of_one, of_other = one.outcome.metrics, other.outcome.metrics
    telling = [name for name, each in trial.model.description.metrics.items() if each.kind != "fact"]
    both = [name for name in telling if name in of_one and name in of_other]
    compared, apart = [], None
    for name in dict.fromkeys([trial.metric, *both]):
        a, b = of_one.get(name), of_other.get(name)
        if a is None and b is None:
            continue
        compared.append(name)
        is_alike = a == b
        if a is not None and b is not None:
            is_alike = isclose(a, b, rel_tol=close) or (rounded and _is_rounded(a, b))
            is_alike = is_alike or abs(a - b) < (within or {}).get(name, 0.0)
        if apart is None and not is_alike:
            apart = f"{name} {a} and {b}"
    return Comparison(compared, apart)


def _nothing_to_compare(trial: Trial, run: Run) -> str:
    if trial.metric in run.outcome.metrics:
        return f"nothing to compare: {trial.metric} is no finite number"
    return f"nothing to compare: no {trial.metric}; {instead_words(trial, run)}"


def _is_rounded(a: float, b: float) -> bool:
    """Whether two numbers differ by no more than one in the last digit of the shorter one, and by little of both."""
    last_digit = max(float(Decimal(1).scaleb(int(Decimal(repr(each)).as_tuple().exponent))) for each in (a, b))
    return abs(a - b) <= min(last_digit, ROUNDING * max(abs(a), abs(b)))
