"""The sentences that say who carries a difference."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from comparator.evidence.contributions import Contributions, Group
from comparator.findings.explanation import Explained, Explanation, plural
from comparator.objective.amounts import measure_named
from comparator.report.explanation import headings, rows, sentences


def group(name: str, influence: float, share: float) -> Group:
    return Group(name, 0.1, share, influence, (influence - 0.01, influence + 0.01))


def said(named: tuple[Group, ...], groups: tuple[Group, ...]) -> str:
    column = Contributions("improve_chem_id", 0.2, (0.1, 0.3), 3, 5, named, None, None, groups)
    claim = cast(Any, SimpleNamespace(kind="space", name="space"))
    found = Explanation("val_loss", places=(Explained(claim, 8, (column,)),), same_rows=1.0)
    summary, experiment = SimpleNamespace(models=("one", "other")), SimpleNamespace(space=None)
    return sentences(found, cast(Any, summary), cast(Any, experiment))[0].removeprefix("Over the whole space: ")


CARRIES, LESS = group("A", 0.2, 1.0), group("B", -0.02, 0.0)
A, B = "A (10 % of the rows, 100 % of the difference)", "B (10 % of the rows, 0 % of the difference)"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ((CARRIES,), f"one of 2 drugs carries more than its share: {A}."),
        ((CARRIES, LESS), f"one of 2 drugs carries more than its share: {A}; {B} carries less."),
        ((), "no drug of 2 is shown to carry more than its share, or less."),
        (
            (LESS,),
            f"{B} carries less than its share. The largest influence is that of {A}, which is not shown to be more"
            " than chance.",
        ),
    ],
)
def test_who_carries_it_is_said_also_where_the_largest_is_not_shown(named: tuple[Group, ...], words: str) -> None:
    assert said(named, (CARRIES, LESS)) == words


@pytest.mark.parametrize(
    ("objective", "heading", "cell"),
    [
        ("relative difference of val_loss", "influence, percentage points", "20 [19, 21]"),
        ("absolute difference of val_loss", "influence", "0.20 [0.19, 0.21]"),
    ],
)
def test_an_influence_is_in_the_unit_of_its_heading(objective: str, heading: str, cell: str) -> None:
    measure = measure_named(objective, "val_loss")
    summary = cast(Any, SimpleNamespace(models=("one", "other"), measure=measure))
    column = Contributions("improve_chem_id", 0.2, (0.1, 0.3), 3, 5, (), None, None, (CARRIES,))
    place = headings(summary, "val_loss").index(heading)
    assert rows(column, summary)[0][place + 1] == cell


def test_several_of_a_kind() -> None:
    assert [plural(kind) for kind in ("drug", "class", "tissues")] == ["drugs", "classes", "tissues"]


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((1.0, 0.0, 0.0), "one and other predicted the same rows."),
        ((1.0, 0.4, 0.0), "one and other predicted rows of the same ids; 40 % of these have another label with each."),
        ((1.0, 0.0, 0.1), "one and other predicted rows of the same ids. 10 % of the rows have ids that another row"),
        ((0.5, 0.4, 0.0), "50 % of them are the same cell line and drug; 40 % of these have another label with each."),
        ((0.0, 0.0, 0.0), "one and other share no row."),
    ],
)
def test_rows_are_the_same_only_where_their_labels_are_too(shares: tuple[float, float, float], words: str) -> None:
    same, other, repeated = shares
    found = Explanation("val_loss", same_rows=same, other_labels=other, repeated_rows=repeated)
    summary = cast(Any, SimpleNamespace(models=("one", "other")))
    assert words in sentences(found, summary, cast(Any, SimpleNamespace(space=None)))[-1]
