"""How two metrics become one number. Larger means more different; the search minimises its negative.

With V0 and V1 the metric of submodel 0 and 1:

| name | difference | zero | negative |
|---|---|---|---|
| `relative` | abs(V1 - V0) / max(V1, V0), the paper's equation 1 | one: 1; both: 0 | no value |
| `signed` | (V1 - V0) / max(V1, V0): finds where submodel 1 is the larger | one: 1 or -1; both: 0 | no value |
| `absolute` | abs(V1 - V0) | any | any |
| `log_ratio` | abs(ln(V1 / V0)) | no value | no value |
| `in_deviations` | abs(V1 - V0) in units of its deviation from seed to seed | any | any |

Where the experiment file names none, an error is compared by `relative` and a score (R2, a correlation) by `absolute`
(`usual_difference`): a score may come near zero and cross it, where what is relative to it means nothing.

The unit of `in_deviations` is what the pilot found, the same for all points; without a pilot it is that of the
replicates of the point itself, of which there must then be two or more. Where seeds change nothing there is none.

Whatever the difference, tests and intervals use it with a sign (`signed_difference`), averaged over replicates before
any absolute value: a mean of absolute values is never zero.

Metrics that are equal but for rounding (`SAME`) are equal, whatever the difference. A metric that is missing, not
finite or out of range never reaches a difference: the evaluation fails and says which. "No value" likewise fails the
evaluation, with the numbers and a difference that would serve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.extensions.own_code import FAILURES, import_own, own_file
from comparator.formats.text import shortened
from comparator.model.fingerprint import content_of
from comparator.objective.metrics import kind_by_name
from comparator.results.form import LARGEST
from comparator.results.frozen import FrozenExperiment, MetricDescription, ObjectiveWords

SAME = 1e-9  # of the larger of two metrics: by less they differ through rounding alone


class NoValue(ValueError):
    """The two metrics have no difference of this kind; the text says why."""


def relative(first: float, second: float) -> float:
    """Equation 1 of the paper, without its sign: in [0, 1]."""
    return abs(signed(first, second))


def signed(first: float, second: float) -> float:
    """(V1 - V0) / max(V1, V0)."""
    if first < 0 or second < 0:
        raise NoValue(
            f"{first:g} and {second:g}: a relative difference needs metrics that are not negative; 'absolute' does not"
        )
    return (second - first) / max(first, second) if first != second else 0.0


def absolute(first: float, second: float) -> float:
    """abs(V1 - V0), in the metric's unit."""
    return abs(second - first)


def log_ratio(first: float, second: float) -> float:
    """abs(ln(V1 / V0))."""
    if first <= 0 or second <= 0:
        raise NoValue(f"{first:g} and {second:g}: a logarithm needs positive metrics; 'absolute' does not")
    return abs(math.log(second / first))


@dataclass(frozen=True)
class Difference:
    """A difference by its name, and what others have to know of it.

    `function(V0, V1)` gets two finite numbers and returns one, larger for more different; where it has none it raises
    `NoValue`.
    """

    name: str
    function: Callable[[float, float], float]
    #: What its values are counted in, empty where it is the metric's own unit or none.
    unit: str = ""
    #: Whether its numbers become values only when divided by their deviation from seed to seed.
    needs_unit: bool = False
    #: Whether it has no value, or none with a meaning, where a metric may be negative.
    not_negative: bool = False
    #: Whether it is negative where V1 is the smaller; any other is a size.
    has_sign: bool = False

    def __call__(self, first: float, second: float) -> float:
        return self.function(first, second)

    def words(self, metric: str) -> str:
        """What the number is called that an experiment looks for."""
        if ":" in self.name:
            return f"{self.name} of {metric}"
        if self.needs_unit:
            return f"difference of {metric} in {self.unit} from seed to seed"
        return f"{self.name.replace('_', ' ')} difference of {metric}"


#: The differences by name; one more is a function and a line here.
DIFFERENCES = {
    each.name: each
    for each in (
        Difference("relative", relative, unit="fraction", not_negative=True),
        Difference("signed", signed, not_negative=True, has_sign=True),
        Difference("absolute", absolute),
        Difference("log_ratio", log_ratio, not_negative=True),
        Difference("in_deviations", absolute, unit="deviations", needs_unit=True),
    )
}
#: The one that is taken unasked, and the one that serves any metric.
USUAL, ANYWHERE = "relative", "absolute"


def serving_difference(name: str | None, *, may_be_negative: bool) -> str:
    """The name of the difference to take where `name` is asked for, of a metric that may be negative or may not.

    A name that is none of `DIFFERENCES`, and None, is answered by the usual one.
    """
    name = name if name in DIFFERENCES else USUAL
    return ANYWHERE if may_be_negative and DIFFERENCES[name].not_negative else name


def usual_difference(metric: str, described: Mapping[str, MetricDescription]) -> str:
    """The name of the difference that suits a metric: `absolute` for one that is a score, or that may be negative.

    A metric that no model describes is known by its name.
    """
    description = described.get(metric) or MetricDescription(kind=kind_by_name(metric))
    return serving_difference(None, may_be_negative=description.kind == "score" or description.may_be_negative)


def check_suits(name: str, metric: str, described: Mapping[str, MetricDescription], where: str) -> None:
    """Raise `InputError` where a description says that `metric` may be negative, and the difference needs that not."""
    description = described.get(metric)
    needs_that_not = name in DIFFERENCES and DIFFERENCES[name].not_negative
    if needs_that_not and description is not None and description.may_be_negative:
        what = "is a score, which may be negative" if description.lowest is None else "may be negative"
        raise InputError(
            f"{where} = '{name}': {shortened(metric)} {what}, so that it has no such difference; write 'absolute', or"
            " leave the key out (of a metric that never is negative, the file that describes the model says lowest = 0)"
        )


def find_difference(name: str, folder: Path, where: str) -> Difference:
    """The difference called `name`, or the user's own `module:function`.

    `function(V0, V1)` gets two finite numbers and returns one, larger for more different. The module is found on
    Python's path or in `folder`, the experiment file's. Raises `InputError` where there is no such thing.
    """
    if ":" not in name:
        if name not in DIFFERENCES:
            raise InputError(
                f"{where}: no difference '{shortened(name)}'{nearest(name, DIFFERENCES)};"
                f" there are {', '.join(DIFFERENCES)}, or your own as module:function"
            )
        return DIFFERENCES[name]
    module_name, _, function_name = name.partition(":")
    try:
        function = getattr(import_own(folder, module_name), function_name, None)
    except FAILURES as error:
        raise InputError(f"{where}: '{shortened(name)}': {type(error).__name__}: {error}") from None
    if not callable(function):
        raise InputError(
            f"{where}: '{shortened(name)}': module {shortened(module_name)} has no function"
            f" '{shortened(function_name)}'"
        )
    return Difference(name, function)


def difference_code(name: str, folder: Path) -> str | None:
    """SHA-256 of the user's own file that a difference is in; None where it is none of the user's."""
    module, colon, _ = name.partition(":")
    file = own_file(folder, module) if colon else None
    return None if file is None else content_of(file)


def objective_words(difference: Difference | None, metric: str, maximise: bool = True) -> ObjectiveWords:
    """What an experiment calls the number that it looks for: of a difference, or (None) a model's metric."""
    if difference is None:
        return ObjectiveWords(name=metric, symbol=metric, maximise=maximise)
    return ObjectiveWords(name=difference.words(metric), symbol="V", maximise=True, unit=difference.unit)


def difference_called(words: str, metric: str) -> Difference | None:
    """The difference of `metric` that an experiment calls `words`; None where it is no difference with a name."""
    return next((each for each in DIFFERENCES.values() if each.words(metric) == words), None)


def asked_difference(experiment: FrozenExperiment) -> str | None:
    """The name of the difference of an experiment; None for a single model. Where it names none it is the usual one."""
    if experiment.kind == "single":
        return None
    return str((experiment.settings.get("cmp") or {}).get("difference") or USUAL)


def keeps_sign(experiment: FrozenExperiment) -> bool:
    """Whether the difference of an experiment has a sign of its own, so that one below 0 is a small one."""
    difference = asked_difference(experiment)
    return difference in DIFFERENCES and DIFFERENCES[difference].has_sign


def signed_difference(difference: Difference, first: float, second: float) -> float:
    """A difference with the sign of V1 - V0; one that has a sign of its own as it is.

    Raises `NoValue` as `distance` does.
    """
    size = distance(difference, first, second)
    return size if difference.has_sign else math.copysign(size, second - first)


def distance(difference: Difference, first: float, second: float) -> float:
    """Apply a difference and see to it that a number in range comes back; raises `NoValue` otherwise.

    Metrics that differ by less than `SAME` of their size are equal.
    """
    if math.isclose(first, second, rel_tol=SAME):
        second = first
    try:
        result = float(difference(first, second))
    except NoValue:
        raise
    except FAILURES as error:
        raise NoValue(f"the difference of {first:g} and {second:g} raised {type(error).__name__}: {error}") from None
    if not math.isfinite(result):
        raise NoValue(f"the difference of {first:g} and {second:g} is {result}")
    if abs(result) > LARGEST:
        raise NoValue(f"the difference of {first:g} and {second:g} is {result:g}, out of range: beyond {LARGEST:g}")
    return result
