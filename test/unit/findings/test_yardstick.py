"""What is claimed, in the other metrics that the same trainings reported: a finding, or a finding of one yardstick."""

from __future__ import annotations

import random

from recorded import make_experiment, make_record

from comparator.findings.summary import summarise
from comparator.findings.yardstick import InMetric, in_all_metrics, shown_in
from comparator.report.words import by_yardstick
from comparator.results.form import of_form
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import Evaluation

BLOCKS = 8
METRICS = {"val_loss": {"kind": "error"}, "val_r2": {"kind": "score"}}


def read(
    gap_of_loss: float, gap_of_r2: float, seed: int = 2
) -> tuple[list[InMetric], FrozenExperiment, list[Evaluation]]:
    """Claims of a search whose models differ by 0.2 of the loss, and 0.2 of R2, and in a region by so much more."""
    luck = random.Random(seed)
    point = {"noise": 1.0, "layer_force": 80}
    claims = [
        Claim(name="region 1", kind="region", direction=1, bounds={"noise": [0.0, 20.0]}, points=[point] * BLOCKS),
        Claim(name="elsewhere", kind="elsewhere", points=[{**point, "noise": 40.0}] * BLOCKS),
    ]
    records = []

    def add(point: dict[str, float], is_inside: bool, **changes: object) -> None:
        loss = 0.2 + gap_of_loss * is_inside + luck.gauss(0, 0.02)
        score = 0.2 + gap_of_r2 * is_inside + luck.gauss(0, 0.02)
        metrics = {"val_loss": 1.0, "val_r2": 0.8}, {"val_loss": 1 / (1 - loss), "val_r2": 0.8 - score}
        line = make_record(len(records), dict(point), metrics)
        line["signed"] = [loss]
        line |= changes
        for run in line["runs"]:
            run["block"] = changes.get("blocks", [0])[0]  # type: ignore[index]
        records.append(of_form(Evaluation, line, "test"))

    for noise in range(0, 50, 5):
        add({**point, "noise": float(noise)}, noise < 20)
    for claim in claims:
        for block, each in enumerate(claim.points, start=1000):
            add(each, claim.kind == "region", stage="confirm", claim=claim.name, blocks=[block])
    content = make_experiment(claims=[claim.as_json() for claim in claims], metrics=METRICS)
    experiment = of_form(FrozenExperiment, content, "test")
    return in_all_metrics(experiment, records), experiment, records


def said(gap_of_loss: float, gap_of_r2: float) -> str:
    found, experiment, records = read(gap_of_loss, gap_of_r2)
    return " ".join(by_yardstick(summarise(experiment, records), found))


def test_a_region_in_every_metric_is_said_to_be() -> None:
    assert said(0.2, 0.2) == "Region 1 differs more than elsewhere by val_r2 too."


def test_a_region_of_one_yardstick_is_named_with_the_metric_in_which_it_is_not() -> None:
    words = said(0.2, 0.0)
    assert words.startswith("Region 1 differs more than elsewhere by val_loss; not shown by val_r2 (")
    assert words.endswith(" more).")


def test_a_metric_in_which_the_other_model_is_ahead_does_not_show_the_same() -> None:
    words = said(0.2, -0.7)
    assert "not shown by val_r2" in words and "where GDSC1 is ahead" in words


def test_what_is_not_shown_in_its_own_metric_is_no_finding_that_could_vanish() -> None:
    found, *_ = read(0.0, 0.3)
    assert shown_in(found) == [] and {each.metric for each in found} == {"val_loss", "val_r2"}
    assert [each.better for each in found] == [0, 0]


def test_without_fresh_trainings_there_is_nothing_to_say() -> None:
    _, experiment, records = read(0.2, 0.2)
    assert in_all_metrics(experiment, [line for line in records if line.stage != "confirm"]) == []
    assert in_all_metrics(experiment.model_copy(update={"claims": None}), records) == []


def test_a_metric_without_a_region_hardly_ever_shows_one() -> None:
    shown = sum(
        any(each.metric == "val_r2" and each.is_shown for each in read(0.2, 0.0, seed)[0]) for seed in range(60)
    )
    assert shown <= 8  # 5 % of 60; more than 8 has a chance of 1 in 200
