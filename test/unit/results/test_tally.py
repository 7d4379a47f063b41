"""A tally of a record that grows, beside what is said of the whole record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comparator.results.points import best_of, count, searched
from comparator.results.record import AFTERWARDS, PILOT, SEARCH, Evaluation, Replicate, Run
from comparator.results.tally import Tally


@st.composite
def records(draw: st.DrawFn) -> list[Evaluation]:
    """Lines of few points, which are tried again, some of them as earlier versions wrote them."""
    lines = []
    for number in range(draw(st.integers(0, 12))):
        is_ok, replicate = draw(st.booleans()), draw(st.integers(0, 3))
        asked = [Replicate(replicate=replicate, seconds=1.0)] * draw(st.integers(0, 2))
        says = {"asked": asked} if draw(st.booleans()) else {}
        run = Run(submodel=0, replicate=replicate, status="ok" if is_ok else "failed", metrics={})
        lines.append(
            Evaluation(
                evaluation=number,
                stage=draw(st.sampled_from([PILOT, SEARCH, *AFTERWARDS])),
                point={"x": draw(st.integers(0, 2))},
                status="ok" if is_ok else "failed",
                value=draw(st.sampled_from([-2.0, -1.0, 0.0])) if is_ok else None,
                runs=[run],
                **says,
            )
        )
    return lines


@given(records(), st.integers(1, 5))
def test_a_tally_is_what_the_whole_record_says(lines: list[Evaluation], step: int) -> None:
    tally = Tally(3)
    for end in [*range(0, len(lines), step), len(lines)]:
        there = lines[:end]
        counts, best = count(there), best_of(there)
        tally.take(there)
        assert (tally.done, tally.failed, tally.confirming) == (counts.done, counts.failed, counts.confirming)
        assert tally.best is (best[0] if best else None)
        assert list(tally.latest) == list(searched(there))[-3:]


@given(records())
def test_of_a_record_that_is_shorter_than_before_all_is_taken_anew(lines: list[Evaluation]) -> None:
    tally = Tally().take(lines).take(lines[:1])
    assert tally.done == count(lines[:1]).done
