"""The verdict of a record, as the page, the file for programs and the closing words have it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pages import check_files, read_page
from planted_records import (
    SPACE,
    Point,
    answer_to,
    content_of,
    findings_of,
    frozen_of,
    in_region,
    record_of,
    records_of,
    tried_anew,
)
from recorded import as_read, make_experiment

from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Observation, Paired
from comparator.findings.axes import varying_axes
from comparator.findings.summary import summarise
from comparator.findings.verdict import find
from comparator.formats.numbers import with_interval
from comparator.objective.amounts import Measure
from comparator.report.answer import _amount, _apart, answer_of
from comparator.report.figures.boxes import stretches
from comparator.report.words import remarks, verdict

pytestmark = pytest.mark.usefixtures("quick_reports")


def overlap_with_truth(regions: list[dict[str, Any]]) -> float:
    """Return the shared part of the union of the regions with the planted one, on a lattice."""
    points = [{"noise": float(noise), "activation": name} for noise in range(51) for name in ("relu", "tanh", "elu")]

    def is_found(point: Point) -> bool:
        bounds = [each["bounds"] for each in regions]
        return any(
            each["noise"][0] <= point["noise"] <= each["noise"][1]
            and point["activation"] in each["activation"]["values"]
            for each in bounds
        )

    found = {number for number, point in enumerate(points) if is_found(point)}
    true = {number for number, point in enumerate(points) if in_region(point) > 0.4}
    return len(found & true) / len(found | true)


@pytest.mark.long
def test_a_planted_region_is_in_the_file_for_programs(planted: Path) -> None:
    content = content_of(planted)
    assert content["verdict"] == "regions" and content["reason"]
    region = content["regions"][0]
    assert set(region["bounds"]) == {"noise", "activation"}
    assert 0 <= region["bounds"]["noise"][0] < region["bounds"]["noise"][1] <= 50
    assert set(region["bounds"]["activation"]["values"]) <= {"relu", "tanh", "elu"}
    assert overlap_with_truth(content["regions"]) > 0.6
    assert sum(each["evaluations"] for each in content["regions"]) < 40
    assert region["mean"] == pytest.approx(0.5, abs=0.05) and region["outside"] == pytest.approx(0.15, abs=0.05)
    assert region["interval"][0] < 0.5 < region["interval"][1] + 0.03 and region["larger"] == 1
    assert region["contrast_interval"][0] > 0.2 and region["blocks"] == 8 and region["p"] < 0.001
    assert "noise" in region["words"] and ": mean difference 50 % [" in region["words"]
    assert content["importance"]["hyperparameters"][0]["interval"][0] > 0
    assert {"p_differ", "p_where", "level", "overall", "noise", "points"} <= set(content["evidence"])


@pytest.mark.long
def test_best_and_confirmed_say_what_was_searched_and_what_came_true(planted: Path) -> None:
    content = content_of(planted)
    first, second = content["confirmed"]
    for each in (content["best"], first, second):
        assert {"point", "searched", "confirmed", "interval", "seeds"} <= set(each)
    assert content["best"]["point"] == first["point"] and content["best"]["confirmed"] == first["confirmed"]
    assert first["verdict"] == "confirmed" and first["contrast"] == pytest.approx(0.35, abs=0.1)
    assert second["seeds"] == 8
    claimed = 3 + len(content["regions"]) + len(content["rejected"])  # two points, regions, elsewhere
    assert content["pairs"] == {"search": 60, "confirm": 8 * claimed}


def test_the_page_says_it_all(planted: Path) -> None:
    check_files(planted)
    page = read_page(planted)
    text = " ".join(" ".join(page.words).split())
    content = content_of(planted)
    condition = content["regions"][0]["words"].split(": mean")[0]
    for expected in (
        f"With {condition} the val_loss of CCLE is on average 5",
        " % below that of GDSC1; elsewhere it is 1",
        "That they differ more there than elsewhere is very likely : it held on 8 fresh splits of the data",
        "On 8 fresh blocks (each a split of the data and seeds that the search never used) the difference was 3",
        "The best of many results is partly luck",
        "The metrics disagree about which model is the better one: by val_loss it is CCLE; by "
        "val_loss_over_variance and val_r2 it is GDSC1.",
        "--focus planted-1:1",
        "--avoid planted-1:1",
        "it diverged",
        f"search 60, confirm {content['pairs']['confirm']} (pairs by stage)",
        f"60 pairs at 60 points, {content['pairs']['confirm']} more on fresh blocks: ",
    ):
        assert expected in text, expected
    headings = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(headings))
    assert "confirmed" in page.charts
    targets = {address[1:] for address in page.values("href", "a") if address.startswith("#")}
    assert targets <= set(page.values("id"))
    near = [address for address in page.values("href", "a") if not address.startswith(("#", "../runs/"))]
    assert near and all((planted / address).exists() for address in near)


@pytest.mark.parametrize("keeps_sign", [False, True])
def test_the_best_point_of_a_difference_with_its_sign_is_judged_with_it(keeps_sign: bool) -> None:
    points = [{"x": place} for place in range(3)]
    paired = Paired.of([Observation(point, [-0.1 * (point["x"] + 1)]) for point in points])
    asked = Asked(points=1, blocks=3, regions=False, elsewhere=False, keeps_sign=keeps_sign)
    (claim,) = find_claims(None, paired, [(point, 0.1 * (point["x"] + 1)) for point in points], asked)
    assert (claim.points[0], claim.direction) == ({"x": 0}, 1 if keeps_sign else -1)


def test_the_same_record_gives_the_same_findings() -> None:
    records = records_of(in_region, 40)
    assert findings_of(records)[0] == findings_of(records)[0]


def test_alike_all_over_and_no_difference_are_said() -> None:
    content, found, (first, _) = findings_of(records_of(lambda point: 0.3))
    assert content["verdict"] == "everywhere" and content["regions"] == [] and not found.regions
    assert first.startswith(
        "The val_loss of CCLE is on average 30 % below that of GDSC1; no place is shown where they differ more"
    )
    content, _, (first, second) = findings_of(records_of(lambda point: 0.0))
    assert content["verdict"] == "none"
    assert first.startswith("CCLE and GDSC1 show no difference in val_loss: ")
    assert second == "That they differ is not shown."
    _, _, (first, _) = findings_of(records_of(lambda point: 0.3)[:3])
    assert first.startswith("Whether CCLE and GDSC1 differ in val_loss cannot be told: 3 pairs of trainings cannot")
    content, _, (_, second) = findings_of(records_of(lambda point: 0.3)[:6])
    assert content["verdict"] == "everywhere" and "too few to say where" in second


def test_a_single_model_and_an_empty_record_have_no_verdict() -> None:
    records = records_of(in_region, 20)
    alone = [{**record, "runs": record["runs"][:1], "value": 0.01 * number} for number, record in enumerate(records)]
    single = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}}
    content, found, sentences = findings_of(alone, models=make_experiment()["models"][:1], **single)
    assert (content["verdict"], content["regions"], content["evidence"]) == (None, [], None)
    assert "nothing to compare" in found.reason and "lowest val_loss" in sentences[0]
    assert sentences[1].startswith("It was not trained anew: the best of ")
    assert findings_of([])[0]["verdict"] is None and findings_of([])[0]["reason"] == "no evaluation has a difference"


def test_listed_points_make_their_own_space() -> None:
    content, found, _ = findings_of(records_of(in_region), space=[])
    assert content["verdict"] == "regions" and found.listed
    noise = [record["point"]["noise"] for record in records_of(in_region)]
    assert content["regions"][0]["bounds"]["noise"][0] == min(noise)
    apart = [record_of(number, {"ab"[number % 2]: 1.0 * number}, [0.1]) for number in range(9)]
    content, found, _ = findings_of(apart, space=[])
    assert content["verdict"] is None and found.reason == "no point has a value for every hyperparameter that varies"


def test_a_point_that_lacks_a_hyperparameter_is_left_out() -> None:
    records = [*records_of(in_region, 30), record_of(30, {"noise": 1.0}, [0.9])]
    assert findings_of(records)[1].evidence.points == 30  # type: ignore[union-attr]


def test_a_search_that_climbs_is_told_of_the_other_question() -> None:
    records = as_read(records_of(lambda point: 0.3, 12))
    for strategy, is_climb in (
        ("steady_state", True),
        ("random", False),
        ("level_set", False),
        ("region_and_maximum", False),
    ):
        experiment = frozen_of(strategy={"name": strategy})
        summary = summarise(experiment, records)
        said = " ".join(remarks(summary, find(experiment, records, summary)))
        assert ('find = "both"' in said) == is_climb


def test_the_closing_words_are_those_of_the_page() -> None:
    answer = answer_to(records_of(in_region))
    content = {"best": {"difference": 0.5}, **answer.as_json()}
    assert verdict(content) == [*answer.lines, f"next: {answer.next.words}: {answer.next.command}"]
    assert verdict({"best": None, "answer": ["None of them"]}) == verdict({}) == []
    assert verdict({"best": {}, "verdict": "regions"}) == [], "made by an earlier version"


def test_amounts_are_percentages_of_a_relative_difference_and_have_digits_enough() -> None:
    summary = summarise(frozen_of(), as_read(records_of(in_region, 3)))
    assert [_amount(summary, number) for number in (0.999, 0.5, 0.042, 0.0, -0.0001, -1e-17)] == [
        *("100 %", "50 %", "4.2 %", "0 %", "-0.01 %", "0 %")
    ]
    assert _apart(summary, 0.4244, 0.4231) == ("42.4 %", "42.3 %") and _apart(summary, 0.3, 0.3) == ("30 %", "30 %")
    objective = {"name": "absolute difference of val_loss", "symbol": "", "maximise": True}
    absolute = summarise(frozen_of(objective=objective), as_read(records_of(in_region, 3)))
    assert _amount(absolute, 0.01234) == "0.012"
    assert summary.measure.amounts(-0.4567, (-0.5012, -0.4)) == "-46 % [-50 %, -40 %]"
    assert summary.measure.amounts(0.00514, (0.00481, 0.00552)) == "0.51 % [0.48 %, 0.55 %]"
    assert summary.measure.amounts(0.46, None) == "46 %"
    assert absolute.measure.amounts(0.46, (0.4, 0.5)) == "0.46 [0.40, 0.50]"


def test_numbers_are_written_with_their_interval() -> None:
    assert with_interval(0.314159, (0.2812, 0.3501)) == "0.31 [0.28, 0.35]"
    assert with_interval(0.00514, (0.00481, 0.00552)) == "0.0051 [0.0048, 0.0055]"
    assert (
        with_interval(12.34, None)
        == with_interval(12.34, (None, None))
        == with_interval(12.34, (-math.inf, 1))
        == "12.3"
    )
    assert with_interval(0.06, (0.002, 0.12)) == "0.060 [0.002, 0.120]", "which side of 0 it ends on"
    assert with_interval(0.0, (0.0, 0.0)) == "0 [0, 0]" and with_interval(None, None) == "unknown"


def test_by_how_much_one_share_is_above_another_is_no_share() -> None:
    share, units = Measure(is_share=True), Measure(is_share=False)
    assert share.amounts(0.46, (0.44, 0.49)) == "46 % [44 %, 49 %]"
    assert share.apart(0.0424, (0.005, 0.0801)) == "4.2 [0.5, 8.0] percentage points", "and not 4.2 % more"
    assert share.apart(0.0424, None) == "4.2 percentage points"
    assert share.amounts(0.15, (-2.04, 2.34)) == "15 % [-100 %, 100 %]", "what a share can be at the most"
    assert (
        share.amounts(0.15, (-math.inf, 1)) == "15 %" and share.amounts(-3.0, (-4.0, -2.0)) == "-300 % [-400 %, -200 %]"
    )
    assert units.apart(0.0424, (0.005, 0.0801)) == units.amounts(0.0424, (0.005, 0.0801)) == "0.042 [0.005, 0.080]"


def test_a_region_covers_these_parts_of_an_axis() -> None:
    noise, activation = varying_axes(SPACE, [])
    assert stretches(noise, [0.0, 20.0]) == [(0, 20)] and stretches(noise, None) == [(0, 50)]
    lattice = replace(noise, edges=(-5.0, 5.0, 20.0, 40.0, 60.0), at=(0.0, 10.0, 30.0, 50.0))
    assert stretches(lattice, [12.0, 50.0]) == [(20, 60)] == stretches(lattice, [28.0, 50.0])  # no cell is cut
    assert stretches(lattice, [12.0, 20.0]) == [(12, 20)]  # none is held
    assert stretches(activation, {"values": ["relu", "elu"]}) == [(-0.5, 0.5), (1.5, 2.5)]
    assert stretches(activation, {"values": ["relu", "tanh"]}) == [(-0.5, 1.5)]
    (few,) = varying_axes([{"name": "x", "type": "int", "lower": 2, "upper": 5}], [])
    assert stretches(few, [3, 5]) == [(0.5, 3.5)]


@pytest.mark.long
def test_of_models_that_give_the_same_on_every_seed_the_answer_speaks_of_places() -> None:
    lines = records_of(in_region, noise=0.0)
    answer = answer_to(lines, **tried_anew(lines, in_region, noise=0.0))
    said = " ".join([*answer.lines, *(each.basis for each in answer.claims)])
    assert "it held at 8 places drawn anew" in said and "fresh seed" not in said and "never used" not in said


@pytest.mark.long
def test_a_model_that_was_trained_on_one_seed_is_named_where_the_other_had_several() -> None:
    models = [
        {**each, "seed": seed} for each, seed in zip(make_experiment()["models"], ("rng_seed", None), strict=True)
    ]
    lines = records_of(in_region)
    claims = tried_anew(lines, in_region)
    claims |= {"stages": {"confirm": {"points": 2, "seeds": 8, "splits": False, "regions": True, "elsewhere": True}}}
    answer = answer_to(lines, models=models, **claims)
    assert "it held on 8 fresh " in answer.lines[1]
    assert answer.lines[1].endswith(
        "GDSC1 was trained on one seed only, for it takes none that is known: other seeds are those of CCLE."
    )
    both = answer_to(lines, models=[{**each, "seed": "rng_seed"} for each in models], **claims)
    assert "one seed only" not in both.lines[1]


def test_a_difference_between_places_that_may_have_been_missed_stands_in_the_answer() -> None:
    lines = records_of(lambda point: 0.3, 20, noise=0.1)
    experiment, records = frozen_of(**tried_anew(lines, lambda point: 0.3, noise=0.1)), as_read(lines)
    summary = summarise(experiment, records)
    found = find(experiment, records, summary)
    assert found.evidence is not None and found.verdict == "everywhere"
    evidence = replace(found.evidence, p_where=0.4, missed_contrast=0.449)
    first = answer_of(experiment, summary, replace(found, evidence=evidence)).lines[0]
    assert first.endswith(
        "no place is shown where they differ more, but places where it is up to 45 percentage points more cannot be"
        " excluded."
    )
    evidence = replace(evidence, missed_contrast=0.1)
    assert answer_of(experiment, summary, replace(found, evidence=evidence)).lines[0].endswith("differ more.")
