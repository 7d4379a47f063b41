"""What the resident rank hands out, and when ranks sleep."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from comparator import ranks

WORKERS = 4


@pytest.fixture
def handing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ranks._Handing:
    """That of a launch of four workers on a node."""
    monkeypatch.setenv("COMPARATOR_LAUNCH", str(tmp_path / "launch.json"))
    monkeypatch.setattr(ranks, "_launch", lambda: SimpleNamespace(workers=WORKERS, workers_per_node=WORKERS))
    monkeypatch.setattr(ranks, "_resident", lambda: SimpleNamespace(usual_seconds=None, together=1))
    return ranks._Handing()


def test_a_long_task_goes_by_a_file_that_is_read_once(handing: ranks._Handing, tmp_path: Path) -> None:
    long = json.dumps({"evaluation": 0, "point": {"text": "ü" * ranks.LONGEST_TASK}})
    task = handing.tasks([long])
    assert len(task) < 100 and [path.name for path in tmp_path.iterdir()] == [task.removeprefix(ranks.IN_FILE)]
    assert json.loads(ranks._text_of(task)) == json.loads(long)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("cores", "shares"), [(4, "1"), (6, "0"), (64, "0")])
def test_workers_rest_where_a_node_has_more_ranks_than_cores(
    cores: int, shares: str, handing: ranks._Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setenv("ADLB_SERVERS", "1")
    assert ranks.shares_cores() == shares
    monkeypatch.setenv("ADLB_SERVERS", "2")  # a worker that does not wait has no task of another server
    assert ranks.shares_cores() == "0"
