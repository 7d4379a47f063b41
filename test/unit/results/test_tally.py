"""A tally of a record that grows, beside what is said of the whole record."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import genetic, make_experiment, save

from comparator.dashboard import watched
from comparator.dashboard.maker import Maker
from comparator.dashboard.overview import Overview
from comparator.dashboard.watched import Watch, _Made
from comparator.results.points import best_of, points_without_value, searched
from comparator.results.record import AFTERWARDS, CONFIRM, FULL, PILOT, SEARCH, Evaluation, Replicate, Run
from comparator.results.tally import Counts, Tally, count, done_in, doubled_in


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


def counted(lines: list[Evaluation]) -> Counts:
    """What there is of a record, each number looked for by itself."""

    def pairs(*stages: str) -> int:
        own = [line for line in lines if line.stage in stages]
        untold = {(line.point_key, run.replicate) for line in own if line.asked is None for run in line.runs}
        return sum(len(line.asked or ()) for line in own) + len(untold)

    return Counts(
        done=pairs(PILOT, SEARCH),
        in_full=pairs(FULL),
        confirming=pairs(CONFIRM),
        points=len({line.point_key for line in searched(lines)}),
        without_value=len(points_without_value(lines)),
        failed=sum(line.status != "ok" for line in lines),
        lost=sum(len(asked_by(line)) for line in lines if line.status != "ok"),
    )


def asked_by(line: Evaluation) -> Collection[object]:
    return {run.replicate for run in line.runs} if line.asked is None else line.asked


@given(records(), st.integers(1, 5))
def test_a_tally_is_what_the_whole_record_says(lines: list[Evaluation], step: int) -> None:
    tally = Tally(3)
    for end in [*range(0, len(lines), step), len(lines)]:
        there = lines[:end]
        best = best_of(there)
        assert tally.take(there).counts == count(there) == counted(there)
        assert done_in(there) == tally.counts.done
        assert tally.best is (best[0] if best else None)
        assert list(tally.latest) == list(searched(there))[-3:]
        assert sorted(tally.doubled) == doubled_in(there) == []


@given(records())
def test_lines_that_were_copied_are_told(lines: list[Evaluation]) -> None:
    copied = [*lines, *lines[1:3]]
    assert sorted(Tally().take(copied).doubled) == doubled_in(copied) == [each.evaluation for each in lines[1:3]]


def test_a_record_that_grows_is_counted_line_by_line_and_one_that_was_replaced_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "cmp-ga-3", make_experiment(), records := genetic())
    path, counted = tmp_path / "cmp-ga-3" / "evaluations.jsonl", []
    add = Tally._add
    monkeypatch.setattr(Tally, "_add", lambda tally, line: (counted.append(line.evaluation), add(tally, line)))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-2]))
    overview, watch = Overview(tmp_path), Watch(tmp_path, tmp_path, Maker())
    monkeypatch.setattr(watch, "_made", lambda *asked, **more: _Made())
    monkeypatch.setattr(watched, "RESTS", 0.0)
    for there in range(len(lines) - 2, len(lines) + 1):
        with path.open("a") as file:
            file.write(lines[there - 1] if there > len(lines) - 2 else "")
        counted.clear()
        assert watch.state(path.parent, None)["evaluations"] == there
        assert len(counted) == (1 if there > len(lines) - 2 else there)
    (row,) = overview.rows()[1]
    assert row["evaluations"] == len(records)
    path.with_name("other").write_text("".join([*lines[1:], lines[-1].replace('"evaluation": ', '"evaluation": 9')]))
    path.with_name("other").replace(path)
    assert watch.state(path.parent, None)["evaluations"] == len(lines) - 1, "of which one point stands twice"


@given(records())
def test_of_a_record_that_is_shorter_than_before_all_is_taken_anew(lines: list[Evaluation]) -> None:
    tally = Tally().take(lines).take(lines[:1])
    assert tally.counts == count(lines[:1])


def test_what_failed_is_counted_in_pairs_as_what_is_done() -> None:
    asked = [Replicate(replicate=each, seconds=1.0) for each in (0, 1)]
    runs = [Run(submodel=0, replicate=each, status="failed", metrics={}) for each in (0, 1)]
    of_one = Evaluation(evaluation=0, stage=PILOT, point={"x": 0}, status="failed", value=None, asked=asked, runs=runs)
    well = Run(submodel=0, replicate=0, status="ok", metrics={"val_loss": 1.0})
    in_part = of_one.model_copy(
        update={"evaluation": 1, "point": {"x": 1}, "status": "ok", "value": -0.1, "runs": [well, runs[1]]}
    )
    counts = count([of_one, in_part])
    assert (counts.done, counts.lost, counts.failed) == (4, 3, 1)
