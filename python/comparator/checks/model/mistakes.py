"""What a model does where it is given a value, or a name, that it cannot take."""

from __future__ import annotations

from comparator.checks.model.trial import Trial, Way
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.model.reported import mentions

BAD_VALUE = "nonsense"
UNKNOWN_NAME = "no_such_hyperparameter"


def check_bad_value(trial: Trial, way: Way) -> Finding:
    what = f"a bad value, {way.name}"
    number = trial.a_number()
    if number is None:
        return Finding(what, UNTESTED, "no hyperparameter is described as a number")
    run = way.train({number: BAD_VALUE})
    given = f"{number} = '{BAD_VALUE}'"
    mend = "compare every value with its type; where it is wrong, one line that names it"
    mend += " and an exit status other than 0" if way.is_script else ", raised as ValueError"
    if run.is_ok:
        return Finding(what, FAILS, f"{given} was trained as if nothing were wrong: {mend}")
    was_killed = run.status is not None and run.status > 128
    if run.outcome.status == "timeout" or was_killed:
        return Finding(what, FAILS, f"{given}: {run.reason}: {mend}")
    if run.status == 0:
        return Finding(what, FAILS, f"{given}: there is no result, yet the exit status is 0: {mend}")
    words = f"refused: {run.reason}"
    if number not in run.reason.replace("-", "_"):
        words += f"; it would help to name '{number}' in that line"
    return Finding(what, HOLDS, words)


def check_unknown_name(trial: Trial, way: Way) -> Finding:
    if trial.model.stages is not None:
        return Finding("an unknown name", HOLDS, "no step is given what its script does not know; searches warn of it")
    run = way.train({UNKNOWN_NAME: 1})
    if not run.is_ok:
        return Finding("an unknown name", HOLDS, f"refused by {way.name}: {run.reason}")
    warned = run.log.is_file() and mentions(run.log, UNKNOWN_NAME)
    without = f"without a word; searches warn of it where {trial.described_in} tells"
    return Finding(
        "an unknown name", HOLDS, f"ignored by {way.name}, {'with a word in the log' if warned else without}"
    )
