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
from recorded import as_read, make_experiment, make_record, save, summary_of

from comparator.errors import InputError
from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.confirmation import Confirmation
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.regions import Evidence, Region
from comparator.experiment.confirmation import by_point
from comparator.findings import sureness
from comparator.findings.axes import varying_axes
from comparator.findings.metric_agreement import compare, kind_of, read_in, with_signed
from comparator.findings.summary import summarise
from comparator.findings.verdict import Findings, as_json, find
from comparator.formats.numbers import with_interval
from comparator.objective.amounts import Measure
from comparator.report import evaluations_csv, write_report
from comparator.report.answer import Answer, _amount, _apart, _more_regions, answer_of
from comparator.report.claims import _of_difference
from comparator.report.commands import repeat_commands
from comparator.report.figures.boxes import stretches
from comparator.report.words import agreement, disagreements, relative_to_nothing, remarks, verdict
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.space import ParameterSpace
from comparator.space.boxes import read_box
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
                run["block"] = run["replicate"]
            records.append(fresh)
    return {"claims": [claim.as_json() for claim in claims]}


def findings_of(records: list[Line], **changes: Any) -> tuple[dict[str, Any], Findings, list[str]]:
    """Return the keys of report.json, the findings, and the answer's sentences."""
    experiment, read = frozen_of(**changes), as_read(records)
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    return as_json(found), found, answer_of(experiment, summary, found).lines


def answer_to(records: list[Line], **changes: Any) -> Answer:
    experiment, read = frozen_of(**changes), as_read(records)
    summary = summarise(experiment, read)
    return answer_of(experiment, summary, find(experiment, read, summary))


def words_of(answer: Answer) -> dict[str, str]:
    """Return the word of sureness of each claim."""
    return {each.about: each.word for each in answer.claims}


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


# -- how sure ----------------------------------------------------------------------------------------------


def test_a_search_without_fresh_blocks_never_says_very_likely() -> None:
    for truth in (in_region, lambda point: 0.3):
        records = records_of(truth, noise=0.001)
        words = words_of(answer_to(records))
        assert set(words.values()) == {"likely"}, "however clear it is"
        assert "nothing was trained anew" in answer_to(records).lines[1].lower() or truth is not in_region


@pytest.mark.long
def test_what_fresh_blocks_show_at_one_percent_is_very_likely_and_what_they_do_not_show_is_not_shown() -> None:
    records = records_of(in_region)
    shown = answer_to(records, **tried_anew(records, in_region))
    words = words_of(shown)
    assert words["difference"] == words["region 1"] == "very likely"
    assert "very likely" in shown.lines[1] and "8 fresh blocks" in next(
        each.basis for each in shown.claims if each.about == "region 1"
    )
    records = records_of(in_region)  # the search saw a region where fresh trainings see none
    words = words_of(answer_to(records, **tried_anew(records, lambda point: 0.3)))
    assert words["rejected 1"] == "not shown" and "region 1" not in words and words["difference"] == "very likely"


def region_of(p: float | None) -> Region:
    return Region({}, 0.5, (0.4, 0.6), 0.3, (0.2, 0.4), 0.2, (-0.01, 0.4), p, 8, 10, 1, 0.3, 0.8)


@pytest.mark.parametrize(
    ("chance", "regions", "word"),
    [
        (0.004, 1, sureness.VERY_LIKELY),
        (0.009, 1, sureness.VERY_LIKELY),
        (0.009, 2, sureness.LIKELY),  # of two that were tried one has to be the clearer
        (0.011, 1, sureness.LIKELY),
        (0.049, 1, sureness.LIKELY),
        (None, 1, sureness.LIKELY),  # nothing was trained anew
    ],
)
def test_a_region_is_as_sure_as_its_test_says(chance: float | None, regions: int, word: str) -> None:
    first = region_of(chance)
    others = tuple(replace(region_of(0.001), mean=0.1 * number) for number in range(regions - 1))
    evidence = Evidence("regions", "", 0.0, chance, 0.3, (first, *others), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=8)
    assert sureness.of_region(first, evidence) == word
    rejected = replace(evidence, regions=(), rejected=(first,))
    assert sureness.of_region(first, rejected) in (sureness.NOT_SHOWN, sureness.NOT_TESTED)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, sureness.VERY_LIKELY),
        ({"p_differ": 0.02}, sureness.LIKELY),
        ({"overall_interval": (-0.1, 0.4)}, sureness.LIKELY),  # the search's luck alone may have shown it
        ({"fresh_blocks": 0}, sureness.LIKELY),
        ({"verdict": "none"}, sureness.NOT_SHOWN),
        ({"p_differ": None}, sureness.NOT_SHOWN),
    ],
)
def test_a_difference_is_as_sure_as_its_test_says(changes: dict[str, Any], word: str) -> None:
    evidence = Evidence("everywhere", "", 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=8)
    assert sureness.of_difference(replace(evidence, **changes)) == word


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"p_differ": 0.02}, " Very likely takes 1 % at most, likely 5 %."),
        ({"overall_interval": (-0.1, 0.4)}, " Very likely takes an interval of the mean that lies clear of 0 as well"),
        (
            {"fresh_blocks": 0},
            " However small the chance, nothing is called more than likely where nothing was trained",
        ),
        ({"verdict": "none", "p_differ": 0.3}, " Very likely takes 1 % at most, likely 5 %."),
    ],
)
def test_a_word_says_how_it_and_the_chance_beside_it_hang_together(changes: dict[str, Any], said: str) -> None:
    evidence = Evidence("everywhere", "", 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=8)
    summary = summary_of([make_record(0, {"noise": 1.0}, ({"val_loss": 0.1}, {"val_loss": 0.2}))])
    basis = _of_difference(summary, replace(evidence, **changes)).basis
    assert said in basis and (said or basis.endswith("both taken together."))


def test_a_mean_over_the_space_says_where_trainings_failed() -> None:
    evidence = Evidence("everywhere", "", 0.001, None, None, (), 0.3, (0.2, 0.4), 0.1, 30, fresh_blocks=4)
    assert sureness.over_the_space(evidence) == "over the space"
    assert sureness.over_the_space(replace(evidence, some_failed=True)) == "over the space where both gave a result"


@pytest.mark.parametrize(
    ("verdict", "chance", "word"),
    [
        ("confirmed", 0.01, sureness.VERY_LIKELY),
        ("confirmed", 0.03, sureness.LIKELY),
        ("not confirmed", 0.06, sureness.NOT_SHOWN),
        ("untested", None, sureness.NOT_TESTED),
        (None, None, None),  # of a single model there is no elsewhere
    ],
)
def test_a_best_point_is_as_sure_as_its_test_says(verdict: str | None, chance: float | None, word: str | None) -> None:
    one = Confirmation({}, 0.6, 0.5, (0.4, 0.6), 0.1, (0.0, 0.2), 8, verdict, False, 0.1, chance)
    assert sureness.of_point(one) == word


def test_models_without_a_seed_have_no_luck() -> None:
    models = [{**model, "seed": None} for model in make_experiment()["models"]]
    records = [record_of(n, one["point"], [in_region(one["point"])]) for n, one in enumerate(records_of(in_region))]
    experiment, read = frozen_of(models=models), as_read(records)
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    assert summary.is_exact and not summarise(frozen_of(), read).is_exact
    said = answer_of(experiment, summary, found)
    text = " ".join([*said.lines, *(each.basis for each in said.claims), *remarks(summary, found)])
    assert "the same number" in text and "rng_seed" in text
    assert not any(word in text for word in ("luck", "fresh", "one seed", "splits"))
    assert "fresh" not in said.next.words and "confirm" not in said.next.command, "it would give what is known"


@pytest.mark.parametrize(("anew", "is_exact"), [(0.3, True), (0.31, False)])
def test_a_training_anew_tells_whether_seeds_change_anything(anew: float, is_exact: bool) -> None:
    point = {"noise": 10.0, "activation": "relu"}
    records = as_read([record_of(0, point, [0.3]), record_of(1, point, [anew], stage="confirm")])
    assert summarise(frozen_of(), records).is_exact == is_exact


@pytest.mark.parametrize(
    ("same_way", "words"),
    [
        ([], ""),
        ([True], " (1 more such region in the report)"),
        ([False], " (1 more region in the report, where it is the other way round)"),
        ([True, False], " (2 more regions in the report, in 1 of them the other way round)"),
    ],
)
def test_a_further_region_where_the_other_model_is_ahead_is_not_one_more_such_region(
    same_way: list[bool], words: str
) -> None:
    assert _more_regions(same_way) == words


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


@pytest.mark.long
def test_the_next_step_suits_the_outcome() -> None:
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    assert answer_to(records, id="planted-1", **claims).next.command.endswith("--focus planted-1:1")
    climbed = answer_to(records_of(lambda point: 0.3), strategy={"name": "steady_state"})
    assert climbed.next.command.endswith("--set search.find=both")
    few = answer_to(records_of(in_region, 3), strategy={"name": "steady_state"}).next
    assert few.words.startswith("Search with more evaluations") and "search.evaluations=" in few.command
    assert answer_to([]).next.command == ""
    command = "comparator search x.toml --set confirm.seeds=8 --set search.seed=2"
    provenance = {**make_experiment()["provenance"], "command": command}
    records = records_of(in_region)
    claims = tried_anew(records, lambda point: 0.3)
    again = answer_to(records, provenance=provenance, **claims).next.command
    assert again == "comparator search x.toml --set search.seed=2 --set confirm.seeds=16"
    stages = {"confirm": {"points": 1, "seeds": 12, "splits": True, "regions": True}}  # four of which have failed
    again = answer_to(records, provenance=provenance, **{**claims, "stages": stages}).next.command
    assert again == "comparator search x.toml --set search.seed=2 --set confirm.seeds=24"


def test_what_runs_goes_on_by_itself_and_what_is_cut_short_is_gone_on_with() -> None:
    read, command = as_read(records_of(in_region)), "comparator search x.toml --id a-1 --experiments /data --site desk"
    provenance = {**make_experiment()["provenance"], "command": command}
    stages = {"confirm": {"points": 1, "seeds": 8, "splits": True, "regions": True}}
    experiment = frozen_of(id="a-1", provenance=provenance, stages=stages, budget={"evaluations": len(read) + 2})
    summary = summarise(experiment, read)
    found = find(experiment, read, summary)
    runs = answer_of(experiment, summary, found, "running").next
    assert (runs.words, runs.command) == (
        "It goes on by itself: 2 more evaluations, then what was found tried on 8 fresh splits and seeds",
        "",
    )
    for state in ("stopped", "interrupted", "failed"):
        stopped = answer_of(experiment, summary, found, state).next
        assert stopped.command == "comparator search --resume a-1 --experiments /data --site desk"


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


def test_a_search_goes_on_within_a_region_and_around_it() -> None:
    _, found, _ = findings_of(records_of(in_region))
    commands = dict(repeat_commands(frozen_of(id="a-1"), found.regions))
    focus = next(command for what, command in commands.items() if what.startswith("A search within region 1 ("))
    assert shlex.split(focus)[-2:] == ["--focus", "a-1:1"] and shlex.split(focus)[:2] == ["comparator", "search"]
    more = next(
        command for what, command in commands.items() if what.startswith("The same in region 1 with 4 trainings")
    )
    assert more == f"{focus} --set search.replicates=4"
    typed = "comparator search a.toml --focus old-1:2 --avoid old-1:3"
    provenance = {"provenance": {"command": typed}}
    commands = dict(repeat_commands(frozen_of(id="a-1", **provenance), found.regions))
    focus = next(command for what, command in commands.items() if "within" in what)
    assert focus == "comparator search a.toml --avoid old-1:3 --seed 1 --focus a-1:1"
    opened = "comparator import a-1.zip --as two --experiments /here"
    provenance = {"provenance": {"command": typed, "opened": opened}}
    assert dict(repeat_commands(frozen_of(id="two", **provenance), found.regions)) == {
        "This page, made again": "comparator report two --experiments /here",
        "Its runs as a table, one row a training": "comparator export two --experiments /here",
    }
    answer = answer_to(records_of(in_region), id="two", **provenance)
    assert answer.next.command in ("", "comparator export two --experiments /here")
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    claimed = dict(repeat_commands(frozen_of(id="a-1", **claims)))
    assert claimed["What it claims, tried again as models and data are now"] == "comparator recheck a-1"
    assert claimed["Who carries the difference, all groups"] == "comparator explain a-1"
    assert (
        "comparator explain a-1"
        not in dict(repeat_commands(frozen_of(id="a-1", **claims), is_explained=False)).values()
    )


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
    assert "absolute difference of val_r2" in page and 'href="evaluations-val_r2.csv"' in page


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
    known = {"val_loss": None}
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


@pytest.mark.long
def test_the_numbers_of_a_metric_are_of_the_evidence_that_its_verdict_is_from() -> None:
    lines = records_of(in_region)
    claims = tried_anew(lines, in_region)
    experiment, records = frozen_of(**claims), as_read(lines)
    evidence = find(experiment, records, summarise(experiment, records)).evidence
    assert evidence is not None and evidence.fresh_blocks
    own, *_ = compare(experiment, records, {"val_loss": evidence})
    assert (own.mean, own.interval, own.verdict) == (evidence.overall, evidence.overall_interval, evidence.verdict)
    own, *_ = compare(experiment, records, {"val_loss": replace(evidence, verdict="none")})
    assert own.better is None


# -- what does not depend on its seed, or takes none ----------------------------------------------------------


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


@pytest.mark.long
def test_from_python_the_next_step_after_a_confirmed_region_looks_closer() -> None:
    lines = records_of(in_region)
    claims = tried_anew(lines, in_region)
    provenance = {**make_experiment()["provenance"], "command": ""}
    step = answer_to(lines, provenance=provenance, **claims).next
    assert step.words.startswith("Look closer: ask the same in a space that is narrowed to ") and not step.command


def test_the_table_has_the_numbers_of_the_metric_that_is_read() -> None:
    asked, again = read_in(frozen_of(), as_read(records_of(in_region, 3)), "val_r2")
    header, first, *_ = evaluations_csv(summarise(asked, again), again).splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert float(row["signed"]) == pytest.approx((again[0].signed or [])[0])
    assert float(row["difference"]) == -float(row["value"])


@pytest.mark.long
def test_a_region_goes_by_the_number_of_its_claim_wherever_it_is_named(tmp_path: Path) -> None:
    records = records_of(in_region)
    claims = tried_anew(records, in_region)
    for named in (*claims["claims"], *records):  # as where another one was claimed first, and is gone
        for key in ("name", "claim"):
            if named.get(key) == "region 1":
                named[key] = "region 2"
    typed = {"provenance": {"command": "comparator search a.toml"}}
    folder = save(tmp_path / "kept-1", experiment_of(id="kept-1", **claims, **typed), records)
    page = write_report(folder)
    found = json.loads(page.with_suffix(".json").read_text())
    assert [region["number"] for region in found["regions"]] == [2]
    assert "region 2" in [each["about"] for each in found["sureness"]]
    assert found["next"]["command"].endswith("--focus kept-1:2")
    assert read_box(f"{page.with_suffix('.json')}:2") == found["regions"][0]["bounds"]
    text = page.read_text()
    assert "A search within region 2 (" in text and "region 1" not in text
