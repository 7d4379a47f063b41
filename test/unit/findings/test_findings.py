"""What a report says of all evaluations together: the verdict, the regions, what came true, and other metrics."""

from __future__ import annotations

import itertools
import json
import math
import random
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pages import check_files, read_page
from recorded import as_read, make_experiment, save

from comparator.errors import InputError
from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.paired import Observation, Paired
from comparator.experiment.controller import by_point
from comparator.findings.axes import varying_axes
from comparator.findings.metric_agreement import compare, kind_of, read_in, with_signed
from comparator.findings.summary import summarise
from comparator.findings.verdict import Findings, as_json, find
from comparator.report import evaluations_csv, write_report
from comparator.report.figures.boxes import stretches
from comparator.report.words import (
    agreement,
    answer,
    disagreements,
    relative_to_nothing,
    remarks,
    repeat_commands,
    verdict,
    with_interval,
)
from comparator.results.record import Evaluation, FrozenExperiment, of_form
from comparator.space import ParameterSpace
from comparator.strategies.blocks import FIRST_FRESH

Point = dict[str, Any]
Line = dict[str, Any]

SPACE: list[dict[str, Any]] = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "tanh", "elu"]},
]
pytestmark = pytest.mark.usefixtures("quick_reports")

SEARCH = {"strategy": "random", "find": "maximum", "evaluations": 60, "seed": 1}
VARIANCES = 0.02, 0.04  # of the labels: so that the loss calls one model better, the loss over the variance the other


def experiment_of(**changes: Any) -> dict[str, Any]:
    settings = {"model": "cmp", "search": SEARCH, "cmp": {"metric": "val_loss", "difference": "relative"}}
    return make_experiment(**{"space": SPACE, "settings": settings, **changes})


def frozen_of(**changes: Any) -> FrozenExperiment:
    return of_form(FrozenExperiment, experiment_of(**changes), "experiment.json")


def in_region(point: Point) -> float:
    """Return the planted difference: large where there is little noise, with two of three activations."""
    return 0.5 if point["noise"] < 20 and point["activation"] != "elu" else 0.15


def metrics_of(loss: float, submodel: int) -> dict[str, float]:
    scaled = loss / VARIANCES[submodel]
    return {"val_loss": loss, "val_loss_over_variance": scaled, "val_r2": 1 - scaled}


def record_of(number: int, point: Point, differences: list[float], stage: str = "search", **changes: Any) -> Line:
    """Return the record of a point with these signed relative differences, one a seed: V1 is the larger of the two."""
    runs = []
    for replicate, difference in enumerate(differences, start=1000 if stage == "confirm" else 0):
        losses = 0.01 * (1 - max(0.0, -difference)), 0.01 * (1 - max(0.0, difference))
        for submodel, loss in enumerate(reversed(losses)):
            runs.append(
                {
                    "submodel": submodel,
                    "replicate": replicate,
                    "seed": 1 + replicate,
                    "run": f"{number}-{replicate}-{submodel}",
                    "status": "ok",
                    "metrics": metrics_of(loss, submodel),
                    "reused": False,
                    "log": f"runs/{number}-{replicate}-{submodel}/model.log",
                    **({"split": replicate} if stage == "confirm" else {}),
                }
            )
    return {
        "evaluation": number,
        "stage": stage,
        "generation": None,
        "point": point,
        "status": "ok",
        "value": -sum(map(abs, differences)) / len(differences),
        "signed": differences,
        "deviation": None,
        "interval": None,
        "started": f"2026-11-23T05:{number % 60:02d}:00.000Z",
        "seconds": 4.0,
        "worker": "local/0",
        "asked": [
            {
                "replicate": run["replicate"],
                "started": f"2026-11-23T05:{number % 60:02d}:00.000Z",
                "seconds": 4.0,
                "worker": "local/0",
                "reused": False,
            }
            for run in runs[::2]
        ],
        "runs": runs,
        "reason": None,
        **changes,
    }


def records_of(truth: Callable[[Point], float], count: int = 60, noise: float = 0.03) -> list[Line]:
    rng = random.Random(4)
    records = []
    for number in range(count):
        point = {"noise": rng.uniform(0, 50), "activation": rng.choice(["relu", "tanh", "elu"])}
        records.append(record_of(number, point, [truth(point) + rng.gauss(0, noise)]))
    return records


def tried_anew(records: list[Line], truth: Callable[[Point], float], noise: float = 0.03) -> dict[str, Any]:
    """Add what eight fresh blocks give for what these records claim; returns the claims, for the experiment."""
    rng, space = random.Random(5), ParameterSpace.from_entries(SPACE, "test")
    observations = [Observation(record["point"], record["signed"]) for record in records if record["signed"]]
    best = [(record["point"], record["value"]) for record in records if record["status"] == "ok"]
    asked = Asked(points=2, blocks=8, regions=True, elsewhere=True)
    claims = find_claims(space, Paired.of(observations), best, asked)
    for claim in claims:
        for point, blocks in by_point(claim):
            signed = [truth(point) + rng.gauss(0, noise) for _ in blocks]
            fresh = record_of(len(records), point, signed, "confirm", claim=claim.name, blocks=blocks)
            for run in fresh["runs"]:
                run["replicate"] += blocks[0] - FIRST_FRESH
            records.append(fresh)
    return {"claims": [claim.as_json() for claim in claims]}


def findings_of(records: list[Line], **changes: Any) -> tuple[dict[str, Any], Findings, list[str]]:
    """Return the keys of report.json, the findings, and the answer."""
    experiment, read = frozen_of(**changes), as_read(records)
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    return as_json(found), found, answer(summary, found)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a region that fresh blocks show, confirmed points and a failure, and the same read in val_r2."""
    records = records_of(in_region)
    failed = {**records[7], "status": "failed", "value": None, "signed": [], "reason": "it diverged"}
    records[7] = {**failed, "runs": [{**run, "status": "failed", "metrics": {}} for run in failed["runs"]]}
    claims = tried_anew(records, in_region)
    folder = save(
        tmp_path_factory.mktemp("experiments") / "planted-1", experiment_of(id="planted-1", **claims), records
    )
    write_report(folder)
    write_report(folder, "val_r2")
    return folder


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


def content_of(folder: Path, name: str = "report.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text())
    return content


# -- the verdict -------------------------------------------------------------------------------------------


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
    assert "noise" in region["words"] and ": mean difference 0." in region["words"]
    assert content["importance"]["hyperparameters"][0]["interval"][0] > 0
    assert {"p_differ", "p_where", "level", "overall", "noise", "points"} <= set(content["evidence"])


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
        f"CCLE and GDSC1 differ more at {condition}: by 0.",
        " elsewhere, which is 0.",
        "There GDSC1 has the larger val_loss, on average 0.0",
        "This was tried on 8 fresh blocks, each a split of the data and its seeds, at places drawn anew.",
        "on 8 fresh seeds and splits of the data: 0.",
        " more than elsewhere, confirmed.",
        "The metrics disagree about which model is the better one: by val_loss it is CCLE; by "
        "val_loss_over_variance and val_r2 it is GDSC1.",
        "--focus planted-1:1",
        "--avoid planted-1:1",
        "it diverged",
        f"search 60, confirm {content['pairs']['confirm']} (pairs of runs)",
    ):
        assert expected in text
    headings = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(headings))
    assert (planted / "figures" / "confirmed.svg").exists()
    targets = {address[1:] for address in page.values("href", "a") if address.startswith("#")}
    assert targets <= set(page.values("id"))
    near = [address for address in page.values("href", "a") if not address.startswith(("#", "../runs/"))]
    assert near and all((planted / address).exists() for address in near)


def test_the_same_record_gives_the_same_findings() -> None:
    records = records_of(in_region, 40)
    assert findings_of(records)[0] == findings_of(records)[0]


def test_alike_all_over_and_no_difference_are_said() -> None:
    content, found, (first, _) = findings_of(records_of(lambda point: 0.3))
    assert content["verdict"] == "everywhere" and content["regions"] == [] and not found.regions
    assert first.startswith("CCLE and GDSC1 differ everywhere about alike: ") and "GDSC1 has the larger" in first
    content, _, (first, second) = findings_of(records_of(lambda point: 0.0))
    assert content["verdict"] == "none"
    assert first.startswith("CCLE and GDSC1 show no difference: ") and "largest" in second
    assert "on this split of the data" in first
    content, _, (first, _) = findings_of(records_of(lambda point: 0.3)[:6])
    assert content["verdict"] == "everywhere" and "too few to say where" in first


def test_a_single_model_and_an_empty_record_have_no_verdict() -> None:
    records = records_of(in_region, 20)
    alone = [{**record, "runs": record["runs"][:1], "value": 0.01 * number} for number, record in enumerate(records)]
    single = {"kind": "single", "objective": {"name": "val_loss", "maximise": False}}
    content, found, sentences = findings_of(alone, models=make_experiment()["models"][:1], **single)
    assert (content["verdict"], content["regions"], content["evidence"]) == (None, [], None)
    assert "nothing to compare" in found.reason and "lowest val_loss" in sentences[0]
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
        said = " ".join(remarks(summary, find(experiment, records, summary), []))
        assert ('find = "regions"' in said) == is_climb


def test_the_closing_words_begin_with_the_verdict() -> None:
    words = "noise above 34: mean difference 0.61 [0.52, 0.70], elsewhere 0.18 [0.10, 0.25]"
    region = {"words": words, "contrast": 0.43, "contrast_interval": [0.3, 0.56], "blocks": 8}
    assert verdict({"verdict": "regions", "regions": [region]}) == [
        "they differ more where:",
        f"  1: {words}: 0.43 [0.30, 0.56] more, on 8 fresh blocks",
    ]
    assert verdict({"verdict": "regions", "regions": [{"words": words}]})[1].endswith("; nothing was trained anew")
    evidence = {"overall": 0.012, "overall_interval": [-0.01, 0.034], "missed": 0.034}
    assert verdict({"verdict": "none", "reason": "no difference", "evidence": evidence}) == [
        "no difference: mean signed difference 0.012 [-0.010, 0.034]; up to 0.034 cannot be excluded"
    ]
    assert verdict({"verdict": None}) == verdict({}) == []


def test_numbers_are_written_with_their_interval() -> None:
    assert with_interval(0.314159, (0.2812, 0.3501)) == "0.31 [0.28, 0.35]"
    assert with_interval(0.00514, (0.00481, 0.00552)) == "0.0051 [0.0048, 0.0055]"
    assert (
        with_interval(12.34, None)
        == with_interval(12.34, (None, None))
        == with_interval(12.34, (-math.inf, 1))
        == "12.3"
    )
    assert with_interval(0.0, (0.0, 0.0)) == "0.00 [0.00, 0.00]" and with_interval(None, None) == "unknown"


def test_a_search_goes_on_within_a_region_and_around_it() -> None:
    _, found, _ = findings_of(records_of(in_region))
    commands = dict(repeat_commands(frozen_of(id="a-1"), found.regions))
    focus = next(command for what, command in commands.items() if what.startswith("A search within region 1 ("))
    assert shlex.split(focus)[-2:] == ["--focus", "a-1:1"] and shlex.split(focus)[:2] == ["comparator", "search"]
    typed = "comparator search a.toml --focus old-1:2 --avoid old-1:3"
    provenance = {"provenance": {"command": typed}}
    commands = dict(repeat_commands(frozen_of(id="a-1", **provenance), found.regions))
    focus = next(command for what, command in commands.items() if "within" in what)
    assert focus == "comparator search a.toml --avoid old-1:3 --seed 1 --focus a-1:1"


def test_a_region_covers_these_parts_of_an_axis() -> None:
    noise, activation = varying_axes(SPACE, [])
    assert stretches(noise, [0.0, 20.0]) == [(0, 20)] and stretches(noise, None) == [(0, 50)]
    assert stretches(activation, {"values": ["relu", "elu"]}) == [(-0.5, 0.5), (1.5, 2.5)]
    assert stretches(activation, {"values": ["relu", "tanh"]}) == [(-0.5, 1.5)]
    (few,) = varying_axes([{"name": "x", "type": "int", "lower": 2, "upper": 5}], [])
    assert stretches(few, [3, 5]) == [(0.5, 3.5)]


# -- other metrics --------------------------------------------------------------------------------------------


def test_an_experiment_is_read_again_in_another_metric(planted: Path) -> None:
    own, again = content_of(planted), content_of(planted, "report-val_r2.json")
    assert (own["metric"], again["metric"]) == ("val_loss", "val_r2")
    point = again["best"]
    assert point["difference"] == pytest.approx(abs(point["metrics"][1]["val_r2"] - point["metrics"][0]["val_r2"]))
    assert own["best"]["metrics"] != []
    # By R2 the two are alike there and differ elsewhere: the labels of one vary twice as much.
    assert again["regions"] == [] and again["rejected"][0]["bounds"] == own["regions"][0]["bounds"]
    assert again["rejected"][0]["outside"] > again["rejected"][0]["mean"]
    assert [each["metric"] for each in again["yardsticks"]] == [each["metric"] for each in own["yardsticks"]]
    page = (planted / "report-val_r2.html").read_text()
    assert "absolute difference of val_r2" in page and 'href="figures-val_r2/' in page and 'href="figures/' not in page
    assert 'href="evaluations-val_r2.csv"' in page and (planted / "figures-val_r2").is_dir()


def test_a_metric_that_nobody_reported_is_refused(planted: Path) -> None:
    with pytest.raises(InputError, match=r"--metric val_r: no run of 'planted-1' reports it.*val_r2.*they report"):
        write_report(planted, "val_r")
    with pytest.raises(InputError, match=r"--metric"):
        write_report(planted, "../val_r2")


def test_a_difference_suits_its_metric() -> None:
    records = records_of(in_region, 12)
    for metric, difference in (("val_loss_over_variance", "relative"), ("val_r2", "absolute")):
        asked, again = read_in(frozen_of(), as_read(records), metric)
        assert asked.settings["cmp"]["difference"] == difference
        assert asked.objective.name == f"{difference} difference of {metric}"
        first, second = (run["metrics"][metric] for run in records[3]["runs"])
        expected = (second - first) / (max(first, second) if difference == "relative" else 1)
        assert again[3].signed == pytest.approx([expected]) and again[3].value == pytest.approx(-abs(expected))
    negative = [{**record, "runs": [{**run, "metrics": {"x": -1.0}} for run in record["runs"]]} for record in records]
    assert read_in(frozen_of(), as_read(negative), "x")[0].settings["cmp"]["difference"] == "absolute"
    assert kind_of(frozen_of(metrics={"x": {"kind": "score"}}), "x") == "score"


def test_a_relative_difference_of_numbers_near_zero_or_below_is_remarked() -> None:
    records = records_of(in_region, 12)

    def remark(**numbers: float) -> str:
        for record in records:
            for run, number in zip(record["runs"], numbers.values(), strict=True):
                run["metrics"]["val_loss"] = number if record is records[3] else 1.0
        return relative_to_nothing(summarise(frozen_of(), as_read(records))) or ""

    assert "val_loss is below 0 in 1 of 12 evaluations, where the relative difference" in remark(a=0.3, b=-0.01)
    assert "val_loss comes near 0 (0.02), where the relative difference" in remark(a=0.02, b=0.01)
    assert remark(a=0.3, b=0.01) == ""
    absolute = frozen_of(objective={"name": "absolute difference of val_loss", "symbol": "V", "maximise": True})
    assert relative_to_nothing(summarise(absolute, as_read(records))) is None


def without_signed(records: list[Line]) -> list[Evaluation]:
    """Records as earlier versions wrote them."""
    return as_read({key: value for key, value in record.items() if key != "signed"} for record in records)


def test_a_users_own_difference_is_not_called_by_a_report() -> None:
    own = {"settings": {"cmp": {"difference": "no_such_module:function"}}}
    asked, again = read_in(frozen_of(**own), as_read(records_of(in_region, 3)), "val_loss_over_variance")
    assert asked.settings["cmp"]["difference"] == "relative" and len(again) == 3
    unsigned = without_signed(records_of(in_region, 3))
    assert with_signed(frozen_of(**own), unsigned) == unsigned


def test_records_of_earlier_versions_get_their_signed_differences() -> None:
    records = records_of(in_region, 5)
    again = with_signed(frozen_of(), without_signed(records))
    assert [(each.signed or [])[0] for each in again] == pytest.approx([each["signed"][0] for each in records])
    assert again[0].value == records[0]["value"]


def test_what_a_replicate_lacks_fails_in_that_metric_alone() -> None:
    records = records_of(in_region, 3)
    records[1]["runs"][0]["metrics"] = {"val_loss": 0.01}
    _, again = read_in(frozen_of(), as_read(records), "val_r2")
    assert [each.status for each in again] == ["ok", "failed", "ok"]
    assert again[1].reason == "submodel 0 did not report val_r2; it reported val_loss"
    known = {"val_loss": "everywhere"}
    assert [each.metric for each in compare(frozen_of(), as_read(records), known)] == ["val_loss"]  # by all runs


def test_metrics_that_agree_and_that_disagree() -> None:
    records = as_read(records_of(lambda point: 0.3, 30))
    summary = summarise(frozen_of(), records)
    compared = compare(frozen_of(), records, {})
    assert [(each.metric, each.better, each.better_at) for each in compared] == [
        ("val_loss", 0, (30, 0)),
        ("val_loss_over_variance", 1, (0, 30)),
        ("val_r2", 1, (0, 30)),
    ]
    (sentence,) = disagreements(summary, compared)
    assert "by val_loss it is CCLE; by val_loss_over_variance and val_r2 it is GDSC1" in sentence
    assert disagreements(summary, compared[1:]) == []
    silent = [replace(one, better=None, verdict=None) for one in compared]
    assert agreement(silent) is None and agreement(compared[1:2]) is None
    for_all = [replace(one, better=1) for one in silent]
    assert agreement(for_all) == "The metrics agree: the same model is the better one."
    single = frozen_of(kind="single")
    assert compare(single, records, {}) == []


def test_the_table_has_the_numbers_of_the_metric_that_is_read() -> None:
    asked, again = read_in(frozen_of(), as_read(records_of(in_region, 3)), "val_r2")
    header, first, *_ = evaluations_csv(summarise(asked, again), again).splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert float(row["signed"]) == pytest.approx((again[0].signed or [])[0])
    assert float(row["difference"]) == -float(row["value"])
