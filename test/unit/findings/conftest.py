"""What tests of findings begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_records import experiment_of, in_region, records_of, tried_anew
from recorded import save

from comparator.report import write_report


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, quick_reports: None) -> Path:
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
