"""By which number a region goes where one that was claimed before it did not hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from planted_records import experiment_of, in_region, records_of, tried_anew
from recorded import save

from comparator.report import write_report
from comparator.space.boxes import read_box


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
