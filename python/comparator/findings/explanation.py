"""Who carries a difference: what drugs and cell lines contribute to it, read from the predictions that runs have kept.

What was trained anew is read, in each region and outside: its trainings chose nothing of what is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.evidence.contributions import FEWEST_BLOCKS, Contributions, contributions, influences
from comparator.evidence.row_scores import Block, Measure, score_of_rows
from comparator.evidence.rows_in_common import rows_in_common
from comparator.findings.like_for_like import is_score, scores_called
from comparator.findings.metric_agreement import suited_difference
from comparator.findings.reliability import tries
from comparator.objective.differences import DIFFERENCES, signed_difference
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import CONFIRM, Evaluation, Run
from comparator.tables.predictions import PredictedRows

#: What the columns of predictions are called that hold ids of the IMPROVE benchmark.
CALLED = {"improve_chem_id": "drug", "improve_sample_id": "cell line"}
#: A group of rows whose id a table of classes lacks.
UNKNOWN = "not in the table"

Read = Callable[[Run], PredictedRows | None]


@dataclass(frozen=True)
class Classes:
    """Classes of ids, `of[class column][id]`, for the ids of one `column` of predictions."""

    column: str
    of: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Explained:
    """One claim, and what the groups of each column contribute there."""

    claim: Claim
    blocks: int
    columns: tuple[Contributions, ...]


@dataclass(frozen=True)
class Explanation:
    """What carries the difference at each place that is explained.

    `score` is the score of predictions that the metric is, `difference` the name of the difference. `same_rows` is the
    share of the validation rows that both models predicted, `other_labels` the share of these whose label is another
    with the second model, `repeated_rows` the share of all rows whose ids another row has too. Where nothing can be
    told `places` is empty, and `reason` says why.
    """

    metric: str
    score: str = ""
    difference: str = ""
    places: tuple[Explained, ...] = ()
    same_rows: float = 0.0
    other_labels: float = 0.0
    repeated_rows: float = 0.0
    reason: str = ""

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        """Return it for programs, of each column at most so many groups."""
        return {**asdict(self), "places": [_as_json(each, most) for each in self.places]}


def read_classes(path: Path) -> Classes:
    """Read classes of ids: a table whose first column has the ids, and is called as in the predictions.

    What has no class is as one that the table lacks. Raises `InputError` where it is no such table.
    """
    from comparator.tables.reading import read_header, read_table

    names = read_header(path)
    if len(names) < 2:
        raise InputError(f"{path}: has no column beside '{names[0]}'; the others are to have classes of these ids")
    for place, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"{path}: column {place} has no name")
    table = read_table(path, names[1:], ids=[names[0]])
    ids = table.columns[names[0]]
    seen = set()
    for number, each in enumerate(ids):
        if not each:
            raise table.error(number, f"{names[0]} is empty")
        if each in seen:
            raise table.error(number, f"{names[0]} '{each}' stands there for the second time")
        seen.add(each)
    given = {name: [each or UNKNOWN for each in table.columns[name]] for name in names[1:]}
    return Classes(names[0], {name: dict(zip(ids, given[name], strict=True)) for name in names[1:]})


def explain(
    experiment: FrozenExperiment, records: Sequence[Evaluation], read: Read, classes: Classes | None = None
) -> Explanation:
    """Explain a comparison in its metric; `read` gives the rows that a run has predicted.

    Raises `InputError` where `classes` are of a column that the predictions do not have, of none of its ids, or called
    as a column that they have.
    """
    nothing = Explanation(experiment.metric)
    if experiment.why_nothing_is_compared:
        return replace(nothing, reason=experiment.why_nothing_is_compared)
    if experiment.crossing is not None:
        return replace(nothing, reason="it looks at the variance of a point and claims nothing")
    claims = experiment.claims or []
    tried = {claim.name: [line for line in records if line.stage == CONFIRM and tries(line, claim)] for claim in claims}
    explained = _explained(claims)
    if not any(tried[claim.name] for claim in explained):
        return replace(nothing, reason="nothing that it claims was trained anew; [confirm] seeds says how often")
    scores = scores_called(experiment.metric)
    if not scores:
        return replace(nothing, reason=f"{experiment.metric} is no score that follows from written predictions")
    blocks = {claim.name: _blocks(tried[claim.name], read, classes) for claim in claims}
    pairs = [pair for claim in explained for pair in blocks[claim.name]]
    if not pairs:
        return replace(nothing, reason=_why_none_kept(experiment))
    if classes is not None:
        _check_some_are_known(classes, [block for _, block in pairs])
    score = followed_score(experiment.metric, scores, pairs)
    if score is None:
        return replace(nothing, reason=f"{experiment.metric} does not follow from the predictions that its runs kept")
    columns = _columns([block for _, block in pairs])
    if not columns:
        return replace(nothing, reason="the predictions that its runs kept name no drugs, cell lines or other groups")
    name = suited_difference(experiment, records, experiment.metric)
    signed = partial(signed_difference, DIFFERENCES[name])
    rest = [block for claim in claims if claim.kind == "elsewhere" for _, block in blocks[claim.name]]
    given = {claim.name: [block for _, block in blocks[claim.name]] for claim in explained}
    places = _places(explained, given, columns, lambda claim: Measure(score, signed, claim.direction or 1), rest)
    if not places:
        most = max(len(blocks[claim.name]) for claim in explained)
        return replace(
            nothing, reason=f"{most} fresh blocks have predictions of both models; it takes {FEWEST_BLOCKS} to tell"
        )
    rows = rows_in_common([block for _, block in pairs])
    return Explanation(
        metric=experiment.metric,
        score=score,
        difference=name,
        places=tuple(places),
        same_rows=rows.share,
        other_labels=rows.other_labels,
        repeated_rows=rows.repeated,
    )


def _places(
    claims: Sequence[Claim],
    blocks: Mapping[str, Sequence[Block]],
    columns: Sequence[str],
    measure: Callable[[Claim], Measure],
    rest: Sequence[Block],
) -> list[Explained]:
    """The claims of which it can be told what groups contribute; `blocks` are those of each, `rest` those elsewhere."""
    found = [(claim, influences(column, blocks[claim.name], measure(claim))) for claim in claims for column in columns]
    told = [(claim, each) for claim, each in found if each is not None]
    chosen = sum(len(each.chosen) for _, each in told)
    return [
        Explained(claim, len(blocks[claim.name]), tuple(contributions(each, chosen, rest) for each in columns_there))
        for claim in claims
        if (columns_there := [each for of, each in told if of is claim])
    ]


def called(column: str) -> str:
    """Return what the groups of a column are called: a drug, a cell line, or by the column's own name."""
    return CALLED.get(column, column)


def plural(kind: str) -> str:
    """Return several of a kind: drugs, classes."""
    if kind.endswith("ss"):
        return f"{kind}es"
    return kind if kind.endswith("s") else f"{kind}s"


def _why_none_kept(experiment: FrozenExperiment) -> str:
    if experiment.provenance.opened is None:
        return "its runs have kept no predictions with labels"
    return (
        "it came in a bundle that has no predictions: those are left out unless it is written with"
        f" --predictions where it was made (comparator export {experiment.id} --bundle --predictions)"
    )


def _as_json(place: Explained, most: int | None) -> dict[str, Any]:
    columns = [{**asdict(replace(each, groups=each.groups[:most])), "of": len(each.groups)} for each in place.columns]
    return {"claim": place.claim.name, "blocks": place.blocks, "columns": columns}


def _explained(claims: Sequence[Claim]) -> list[Claim]:
    """The regions; where there is none the best points, else the whole space."""
    for kind in ("region", "best", "space"):
        found = [claim for claim in claims if claim.kind == kind]
        if found:
            return found
    return []


def _blocks(lines: Iterable[Evaluation], read: Read, classes: Classes | None) -> list[tuple[tuple[Run, Run], Block]]:
    """The pairs of runs that have both kept predictions, one for each block."""
    found: dict[int, tuple[tuple[Run, Run], Block]] = {}
    for line in lines:
        by_replicate: dict[int, dict[int, Run]] = {}
        for run in line.runs:
            if run.status == "ok":
                by_replicate.setdefault(run.replicate, {})[run.submodel] = run
        for replicate, runs in by_replicate.items():
            if len(runs) != 2:
                continue
            number = runs[0].block or replicate
            first, second = read(runs[0]), read(runs[1])
            if number not in found and first is not None and second is not None:
                predicted = _with(classes, first), _with(classes, second)
                found[number] = (runs[0], runs[1]), Block(number, predicted)
    return [found[number] for number in sorted(found)]


def _with(classes: Classes | None, rows: PredictedRows) -> PredictedRows:
    """The rows with a column for each of the classes."""
    if classes is None:
        return rows
    if classes.column not in rows.columns:
        raise InputError(
            f"the table of groups is of '{classes.column}', and the predictions have no such column"
            f"{nearest(classes.column, rows.columns)}; they have {', '.join(rows.columns)}"
        )
    for name in classes.of:
        if name in rows.columns:
            raise InputError(f"the table of groups has a column '{name}', and so have the predictions; rename it")
    ids = rows.columns[classes.column]
    added = {name: [of.get(each, UNKNOWN) for each in ids] for name, of in classes.of.items()}
    return replace(rows, columns={**rows.columns, **added})


def _check_some_are_known(classes: Classes, blocks: Sequence[Block]) -> None:
    """Raise `InputError` where the table of classes has none of the ids that were predicted."""
    known = {each for of in classes.of.values() for each in of}
    ids = [each for block in blocks for rows in block.predicted for each in rows.columns[classes.column]]
    if known.isdisjoint(ids):
        raise InputError(
            f"the table of groups has none of the predictions' '{classes.column}': it has such as"
            f" '{min(known)}', they have such as '{min(ids)}'"
        )


def followed_score(metric: str, names: Sequence[str], pairs: Sequence[tuple[tuple[Run, Run], Block]]) -> str | None:
    """The score that the metric is, by what the runs have reported; None where it is none of them."""

    def follows(name: str, run: Run, rows: PredictedRows) -> bool:
        reported = run.metrics.get(metric)
        return reported is not None and is_score(name, reported, score_of_rows(name, rows), float(rows.true.var()))

    every = [each for runs, block in pairs for each in zip(runs, block.predicted, strict=True)]
    return next((name for name in names if all(follows(name, *each) for each in every)), None)


def _columns(blocks: Sequence[Block]) -> list[str]:
    """The columns whose texts gather rows: several groups, and not one for each row; both models have them."""
    tables = [each for block in blocks for each in block.predicted]
    shared = [name for name in tables[0].columns if all(name in table.columns for table in tables)]
    shared.sort(key=lambda name: len(set(tables[0].columns[name])))  # what has few groups is told of first
    return [name for name in shared if all(1 < len(set(table.columns[name])) < len(table.true) for table in tables)]
