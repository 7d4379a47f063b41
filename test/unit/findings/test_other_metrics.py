"""An experiment read again in another metric, and the metrics beside each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from planted_records import Line, content_of, frozen_of, in_region, records_of, tried_anew
from recorded import as_read

from comparator.errors import InputError
from comparator.findings.metric_agreement import compare, kind_of, read_in, with_signed
from comparator.findings.summary import summarise
from comparator.findings.verdict import find
from comparator.report import write_report
from comparator.report.evaluations_csv import evaluations_csv
from comparator.report.words import agreement, disagreements, relative_to_nothing
from comparator.results.record import Evaluation

pytestmark = pytest.mark.usefixtures("quick_reports")


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


def test_the_table_has_the_numbers_of_the_metric_that_is_read() -> None:
    asked, again = read_in(frozen_of(), as_read(records_of(in_region, 3)), "val_r2")
    header, first, *_ = evaluations_csv(summarise(asked, again), again).splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert float(row["signed"]) == pytest.approx((again[0].signed or [])[0])
    assert float(row["difference"]) == -float(row["value"])
