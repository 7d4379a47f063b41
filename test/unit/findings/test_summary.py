"""What a report says, before it is a page: its summary, words, axes, what matters."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
from recorded import (
    CATEGORICAL,
    GRID,
    LAYERS,
    NOISE,
    Metrics,
    frozen,
    genetic,
    grid_records,
    make_experiment,
    make_record,
    sampled,
    summary_of,
)

from comparator.evidence.regions import Evidence, Reason
from comparator.findings.axes import Axis, varying_axes
from comparator.findings.summary import Summary, as_json
from comparator.findings.verdict import Findings, importance_of
from comparator.findings.workers import beside_one_another, busy, spans_of, working_times_of
from comparator.objective.comparison import with_labels
from comparator.report.answer import answer_of
from comparator.report.commands import repeat_commands
from comparator.report.figures.many import ranking
from comparator.report.words import baseline, has_not_learnt, mean_predictor, remarks

UNASKED = Findings(None, "nothing was asked")


def test_the_best_point_is_the_one_with_the_largest_difference() -> None:
    records = genetic()
    best = summary_of(records).best
    expected = min((record for record in records if record["status"] == "ok"), key=lambda one: one["value"])
    assert best is not None and best.number == expected["evaluation"]
    assert best.difference == -expected["value"] and best.metrics[1]["val_loss"] > best.metrics[0]["val_loss"]


def test_a_repeated_point_counts_once_with_its_latest_value() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    records = [
        make_record(0, {"noise": 1.0, "layer_force": 50}, metrics, value=-0.9),
        make_record(1, {"layer_force": 50, "noise": 1.0}, metrics, value=-0.4),
        make_record(2, {"noise": 2.0, "layer_force": 50}, metrics, value=-0.5),
    ]
    assert [(one.number, one.difference) for one in summary_of(records).best_points] == [(2, 0.5), (1, 0.4)]


def test_confirmation_neither_wins_nor_counts_as_searched() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    records = [
        make_record(0, {"noise": 1.0}, metrics, value=-0.3),
        make_record(1, {"noise": 2.0}, metrics, value=-0.8, stage="confirm", generation=None),
    ]
    summary = summary_of(records)
    assert summary.best is not None and summary.best.number == 0 and len(summary.searched) == 1


def test_metrics_are_means_over_the_replicates_that_succeeded() -> None:
    record = make_record(0, {"noise": 1.0}, ({"val_loss": 0.01}, {"val_loss": 0.02}))
    again = [{**run, "replicate": 1, "metrics": {"val_loss": 0.03}} for run in record["runs"]]
    broken = [{**run, "replicate": 2, "status": "failed", "metrics": {}} for run in record["runs"]]
    summary = summary_of([{**record, "runs": record["runs"] + again + broken}])
    assert summary.best is not None
    assert [metrics["val_loss"] for metrics in summary.best.metrics] == pytest.approx([0.02, 0.025])
    evidence = Evidence("everywhere", Reason("no place"), 0.001, None, None, (), 0.3, (0.2, 0.4), None, 54)
    assert "3 seeds" in " ".join(remarks(summary, Findings("everywhere", "", evidence)))


def test_generations_have_count_best_mean_and_best_so_far() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    values = [(0, -0.2), (0, -0.4), (1, -0.3), (1, None)]
    records = [
        make_record(
            number, {"noise": float(number)}, metrics, "ok" if value else "timeout", value=value, generation=generation
        )
        for number, (generation, value) in enumerate(values)
    ]
    summary = summary_of(records)
    assert [(one.count, one.failed, one.best, one.best_so_far) for one in summary.generations] == [
        (2, 0, 0.4, 0.4),
        (2, 1, 0.3, 0.4),
    ]
    assert summary.generations[0].mean == pytest.approx(0.3)
    assert summary.best_so_far == ((0, 0.2), (1, 0.4), (2, 0.4))
    assert summary.counts == {"ok": 3, "failed": 0, "timeout": 1}


def test_a_single_model_is_summarised_by_its_metric() -> None:
    records = [
        make_record(number, {"noise": float(number)}, ({"val_loss": loss, "val_r2": 0.3},))
        for number, loss in enumerate((0.03, 0.01, 0.02))
    ]
    experiment = make_experiment(kind="single", objective={"name": "val_loss", "maximise": False})
    summary = summary_of(records, **{**experiment, "models": experiment["models"][:1]})
    assert summary.best is not None and summary.best.difference == 0.01
    assert "lowest val_loss that was found is 0.01" in answer_of(frozen(), summary, UNASKED).lines[0]
    assert mean_predictor(summary) == ("At 3 of 3 points the model beats the mean predictor (val_r2 above 0).")
    assert has_not_learnt(summary) is None


def test_a_model_that_is_mostly_worse_than_the_mean_predictor_is_named() -> None:
    scores = [(-0.4, 0.3), (-0.1, 0.4), (0.2, -0.1)]
    records = [
        make_record(number, {"noise": float(number)}, tuple({"val_loss": 0.02, "val_r2": score} for score in each))
        for number, each in enumerate(scores)
    ]
    summary = summary_of(records)
    assert has_not_learnt(summary) == f"{summary.models[0]} mostly worse than the mean predictor"


def test_the_best_of_lines_that_set_different_hyperparameters_is_named() -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    points = [({}, -0.1), ({"noise": 1.0}, -0.3), ({"size": 4}, -0.8)]
    records = [make_record(number, point, metrics, value=value) for number, (point, value) in enumerate(points)]
    assert "with size 4." in answer_of(frozen(), summary_of(records, space=[]), UNASKED).lines[0]
    assert "with the settings as given." in answer_of(frozen(), summary_of(records[:1], space=[]), UNASKED).lines[0]


def test_the_answer_is_honest_about_one_seed() -> None:
    summary = summary_of(genetic())
    evidence = Evidence("everywhere", Reason("no place"), 0.001, None, None, (), 0.3, (0.2, 0.4), None, 54)
    said = " ".join(remarks(summary, Findings("everywhere", "", evidence)))
    assert "one seed a point can show that the two models differ, not that this point" in said


@pytest.mark.parametrize(
    ("reported", "beaten"),
    [
        (({"val_r2": 0.1}, {"val_r2": -0.1}), (0, 1)),
        (({"val_r2": 0.1}, {"val_r2": 0.2}), (1, 1)),
        (({"val_loss": 1.0, "val_mean_predictor_loss": 2.0},) * 2, (1, 1)),
        (
            ({"val_loss": 1.0, "val_mean_predictor_loss": 2.0}, {"val_loss": 2.0, "val_mean_predictor_loss": 1.5}),
            (0, 1),
        ),
        (({"val_loss": 1.0}, {"val_loss": 2.0}), None),
    ],
)
def test_the_mean_predictor_is_counted(reported: tuple[Metrics, Metrics], beaten: tuple[int, int] | None) -> None:
    counted = summary_of([make_record(0, {"noise": 1.0}, reported)]).mean_predictor
    assert (counted and (counted.beaten_by_both, counted.of)) == beaten


def test_report_json_survives_nan_and_has_the_promised_keys() -> None:
    record = make_record(0, {"noise": 1.0}, ({"val_loss": 0.1, "val_r2": None}, {"val_loss": 0.2}))
    content = json.loads(json.dumps(as_json(summary_of([record])), allow_nan=False))
    assert content["best"]["metrics"] == [{"val_loss": 0.1}, {"val_loss": 0.2}]
    assert content["generations"] == [{"generation": 0, "count": 1, "best": 0.5, "mean": 0.5}]


def test_the_summary_is_cheap_to_import() -> None:
    code = (
        "import sys, comparator.findings.summary, comparator.report.words, comparator.report\n"
        "print([name for name in ('matplotlib', 'pandas', 'jinja2', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_command_to_repeat_names_the_seed() -> None:
    assert repeat_commands(frozen())[0][1] == "comparator search cfg/cmp-ga.toml --seed 1"


def axis_of(entry: dict[str, Any]) -> Axis:
    return varying_axes([{"name": "x", **entry}], [])[0]


def test_a_range_has_ten_bins_with_both_ends_included() -> None:
    axis = axis_of({"type": "float", "lower": 0, "upper": 50})
    assert [axis.bin(value) for value in (0, 4.99, 5.0, 49.9, 50, 60, -1)] == [0, 0, 1, 9, 9, 9, 0]
    assert axis.label(1) == "5 to 10" and axis.bin("many") is None


def test_a_log_range_has_bins_of_equal_ratio() -> None:
    axis = axis_of({"type": "float", "lower": 1e-6, "upper": 1e-1, "use_log_scale": True})
    assert axis.log and axis.edges[2] == pytest.approx(1e-5) and axis.bin(2e-3) == 6 and axis.bin(0) is None


def test_values_are_bins_where_there_are_few() -> None:
    assert axis_of({"type": "int", "lower": 2, "upper": 5}).values == (2, 3, 4, 5)
    assert axis_of({"type": "logical"}).bin(True) == 1
    ordered = axis_of({"type": "ordered", "values": ["16", "32", "64"], "element_type": "int"})
    assert ordered.bin(32) == 1 and ordered.label(2) == "64"


def test_what_does_not_vary_is_no_axis() -> None:
    assert (
        varying_axes(
            [
                {"name": "a", "type": "constant", "value": 1},
                {"name": "b", "type": "categorical", "values": ["one"]},
                {"name": "c", "type": "int", "lower": 4, "upper": 4},
            ],
            [],
        )
        == ()
    )


def test_axes_of_a_listed_sweep_are_read_off_its_points() -> None:
    points = [{"size": size, "drug": "all", "act": act} for size in (128, 512) for act in ("relu", [1, 2])]
    assert [(axis.name, axis.values) for axis in varying_axes([], points)] == [
        ("size", (128, 512)),
        ("act", ("relu", [1, 2])),
    ]


def test_a_grid_has_a_cell_for_each_of_its_points() -> None:
    summary = summary_of(grid_records(), **GRID)
    noise, layers = summary.axes
    assert summary.lattice and noise.at == (0, 12.5, 25, 37.5, 50) and layers.at == (25, 42, 71, 119, 200)
    assert [noise.bin(value) for value in noise.at] == [layers.bin(value) for value in layers.at] == [0, 1, 2, 3, 4]
    assert noise.label(1) == "12.5" and noise.range() == "0 to 50" and noise.middle(1) == 12.5
    assert sum(layers.share(number) for number in range(5)) == pytest.approx(1)


def test_scattered_points_are_no_grid_and_an_unfinished_grid_is_one() -> None:
    assert not summary_of(genetic()).lattice
    half = grid_records()[:13]
    assert summary_of(half, **GRID).lattice and not summary_of(half).lattice
    assert summary_of(grid_records()).lattice  # whatever chose its points


def test_the_working_time_after_a_pause_is_told_from_the_first() -> None:
    records = [
        make_record(
            number, {"noise": 1.0 * number}, ({},), started=f"2026-11-23T{hour}:00:{5 * number:02d}Z", value=0.0
        )
        for number, hour in ((0, "05"), (1, "05"), (2, "09"), (3, "09"))
    ]
    spans = spans_of(summary_of(records, models=[]).evaluations)
    first, second = working_times_of(spans)
    assert first.end - first.start == pytest.approx(12.4) and second.pause == pytest.approx(4 * 3600 - 2.4)
    share = busy(spans, [first, second])
    assert share == pytest.approx(4 * 7.4 / (2 * (12.4 + 12.4)))
    assert spans_of(summary_of([{**records[0], "started": "yesterday"}], models=[]).evaluations) == []


def test_a_worker_that_has_several_at_once_works_no_longer_for_that() -> None:
    """Two at once, then one, of 7.4 seconds each."""
    records = [
        make_record(
            number, {"noise": 1.0 * number}, ({},), started=f"2026-11-23T05:00:{second}Z", value=0.0, worker="a"
        )
        for number, second in enumerate(("00.000", "00.010", "10.000"))
    ]
    spans = spans_of(summary_of(records, models=[]).evaluations)
    [whole] = working_times_of(spans)
    assert whole.end == pytest.approx(17.4)
    assert busy(spans, [whole]) == pytest.approx((7.41 + 7.4) / 17.4)
    assert beside_one_another(spans) == [(0, 2), (1, 2), (0, 1)]


def planted(count: int, noise: float) -> Summary:
    """Return a search of four hyperparameters of which only noise and activation matter."""
    space = [NOISE, LAYERS, CATEGORICAL, {"name": "residual", "type": "logical"}]
    random_numbers = random.Random(4)
    records = sampled(space, count)
    for record in records:
        effect = record["point"]["noise"] / 50 + (record["point"]["activation"] == "tanh")
        record["value"] = -effect - random_numbers.gauss(0, noise)
    return summary_of(records, space=space)


def test_the_hyperparameters_that_matter_are_found() -> None:
    found = importance_of(planted(80, 0.05))
    assert found is not None and found.predicted > 0.5 and found.points == 80
    assert {share.name for share in found.shares if share.shown} == {"noise", "activation"}
    assert all(abs(share.mean) < 0.05 and share.low <= share.mean <= share.high for share in found.shares[2:])


def test_noise_is_not_called_important() -> None:
    found = importance_of(planted(40, 50.0))
    assert found is not None and found.predicted <= 0 and not any(share.shown for share in found.shares)
    assert "means nothing yet" in ranking(planted(40, 50.0), found)[0].caption
    assert importance_of(planted(8, 0.0)) is None


def test_what_the_search_bought_over_the_default_settings_is_said() -> None:
    records = [make_record(number, {"noise": 1.0 * number}, ({"val_loss": 0.02},), value=0.02) for number in range(3)]
    default = make_record(0, {"noise": 9.0}, ({"val_loss": 0.025},), value=0.025)
    single = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}}
    single["models"] = make_experiment()["models"][:1]
    said = baseline(summary_of(records, baseline=default, **single))
    assert said is not None and said.startswith("The default settings reach a val_loss of 0.025; ")
    assert "the search found 0.02, better by 0.005 (20 %)." in said and "luck" in said
    failed = baseline(summary_of(records, baseline={**default, "status": "failed", "reason": "broke"}, **single))
    assert failed == "The default settings gave no val_loss: broke."
    best = baseline(summary_of(records, baseline={**default, "value": 0.01}, **single))
    assert best is not None and "nothing better (its best is 0.02)" in best
    assert baseline(summary_of(records, **single)) is None
    at_best = summary_of(records, baseline={**default, "value": 0.01}, **single)
    said = "The default settings came to 0.01: the search found nothing better."
    assert answer_of(frozen(**single), at_best, UNASKED).lines[1].endswith(said)
    bought = summary_of(records, baseline=default, **single)
    assert not any("default settings" in line for line in answer_of(frozen(**single), bought, UNASKED).lines)


def test_reasons_that_differ_in_numbers_alone_are_one_but_not_those_of_two_models() -> None:
    said = [
        "submodel 0: ValueError: nan at lr 0.2",
        "submodel 1: ValueError: nan at lr 0.2",
        "submodel 0: ValueError: nan at lr 1e-05",
        "submodel 0: out of memory",
    ]
    pair: tuple[dict[str, float], ...] = ({}, {})
    records = [make_record(each, {"noise": 1.0}, pair, "failed", reason=why) for each, why in enumerate(said)]
    summary = summary_of(records)
    first, second, _, fourth = (with_labels(each, summary.models) for each in said)
    assert "submodel" not in first and summary.models[0] in first and summary.models[1] in second
    assert summary.reasons == {f"{first} (and with other numbers)": [0, 2], second: [1], fourth: [3]}
