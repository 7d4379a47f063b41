"""Algorithms of EQ/SQL, with a real database, and the engines as their worker pool."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import postgres
import pytest
from desk import Desk

from comparator.errors import ComparatorError, InputError
from comparator.results.files import read_json
from comparator.space import ParameterSpace
from comparator.strategies import make_strategy
from comparator.strategies.eqsql import points_of

ROOT = Path(__file__).resolve().parents[3]
needs_database = pytest.mark.skipif(postgres.why_not() is not None, reason=str(postgres.why_not()))
needs_swift_t = pytest.mark.skipif(shutil.which("swift-t") is None, reason="there is no swift-t on the PATH")

SPACE = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "label", "type": "constant", "value": "a"},
        {"name": "size", "type": "int", "lower": 10, "upper": 200},
    ],
    "space",
)
EXPERIMENT = """
hyperparameters = "quick.txt"
space = "space.json"
run_timeout = 20
[search]
strategy = "eqsql"
database = "{url}"
work_type = 7
[cmp]
metric = "val_loss"
difference = "absolute"
[confirm]
points = 0
regions = false
"""
FAR = 180.0  # seconds


@pytest.mark.parametrize(
    ("payload", "points", "is_list"),
    [
        ('{"noise": 1, "size": 20}', [(1.0, 20)], False),
        ('{"size": "20", "noise": 1.5, "label": "a"}', [(1.5, 20)], False),
        ("[1.5, 20]", [(1.5, 20)], False),
        ('[{"noise": 1, "size": 20}]', [(1.0, 20)], True),
        ("[[1, 20], [2, 30]]", [(1.0, 20), (2.0, 30)], True),
        ("[]", [], True),
    ],
)
def test_a_task_is_a_point_or_a_list_of_them(payload: str, points: list[tuple[float, int]], is_list: bool) -> None:
    whole = [{"noise": noise, "label": "a", "size": size} for noise, size in points]
    assert points_of(payload, SPACE, "task 3") == (whole, is_list)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("noise=3", "task 3: its payload is not JSON: 'noise=3'"),
        ("3", "task 3: its payload is neither a point nor a list of points: 3"),
        ("[1]", "task 3: 1 values for 2 parameters (noise, size)"),
        ('{"noise": 1, "sizes": 20}', "task 3: the space has no 'sizes' (did you mean 'size'?)"),
        ('{"noise": 1}', "task 3: 'size' is missing"),
        ('{"noise": 99, "size": 20}', "task 3: 'noise': 99.0 is not between 0.0 and 50.0"),
        ('{"noise": NaN, "size": 20}', "task 3: 'noise' = NaN: is not a number"),
        ('{"noise": 1, "noise": 2, "size": 20}', "task 3: 'noise' stands twice"),
    ],
)
def test_another_payload_is_refused_in_one_line(payload: str, words: str) -> None:
    with pytest.raises(ComparatorError) as refusal:
        points_of(payload, SPACE, "task 3")
    assert str(refusal.value).startswith(words), refusal.value


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'database' is not given, and has no default"),
        ({"database": "sqlite:///all.db"}, "has to be postgresql://USER@HOST:PORT/NAME: eqsql has PostgreSQL alone"),
        ({"database": "postgresql://a:b@host/EQ_SQL"}, "a password would stand in the record"),
        ({"database": "postgresql://host/EQ_SQL"}, "it needs a user, a host and a name"),
        ({"database": "postgresql://me@host:port/EQ_SQL"}, "has to be postgresql://USER@HOST:PORT/NAME"),
        ({"database": "postgresql://me@host/EQ_SQL"}, "'work_type' is not given, and has no default"),
        ({"database": "postgresql://me@host/EQ_SQL", "work_type": -1}, "'work_type' = -1 is not a whole number from 0"),
        ({"database": "postgresql://me@host/EQ_SQL", "type": 1}, "unknown option 'type'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        make_strategy("eqsql", SPACE, seed=1, in_flight=2, options=options)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.running_database() as url:
        yield url


@pytest.fixture
def queue(database: str) -> Iterator[Any]:
    """The algorithm's side."""
    os.environ.setdefault("USER", "anybody")  # eqsql reads it
    from eqsql import db_tools
    from eqsql.task_queues import local_queue

    at = urlsplit(database)
    db_tools.reset_db(at.username, at.path.strip("/"), at.hostname, at.port)
    made = local_queue.init_task_queue(at.hostname, at.username, at.port, at.path.strip("/"))
    yield made
    made.close()


@pytest.fixture
def pool(desk: Desk, database: str) -> Desk:
    desk.write("pool.toml", EXPERIMENT.format(url=database))
    return desk


def submit(queue: Any, *payloads: Any) -> list[Any]:
    return [queue.submit_task("test", 7, json.dumps(payload))[1] for payload in payloads]


def result(future: Any) -> Any:
    status, text = future.result(timeout=FAR)
    assert status == 0, text
    return json.loads(text)


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + FAR
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def rows(queue: Any, query: str) -> list[Any]:
    with queue.db.conn, queue.db.conn.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def expected(noise: float) -> float:
    """The value of a point: minus the difference of the two, as both models compute it."""
    return -0.002 * noise


@needs_database
def test_an_algorithm_is_answered_until_it_stops_its_pool(pool: Desk, queue: Any) -> None:
    one, values, several, none = submit(
        queue, {"noise": 10, "size": 20}, [20, 50], [{"noise": 30, "size": 50}, {"noise": 5, "size": 50}], []
    )
    queue.stop_worker_pool(7)
    done = pool.search("pool.toml", "--id", "pool", SITE_CORES="2")
    assert done.returncode == 0, done.stderr
    assert math.isclose(result(one), expected(10)) and math.isclose(result(values), expected(20))
    assert result(several) == pytest.approx([expected(30), expected(5)]) and result(none) == []
    assert one.worker_pool == "comparator"
    assert sorted(line["point"]["noise"] for line in pool.records("pool")) == [5, 10, 20, 30]
    # It is over: to resume it waits for nothing.
    again = pool.search("--resume", "pool")
    assert again.returncode == 0, again.stderr


@needs_database
@pytest.mark.long
def test_what_an_algorithm_asks_later_is_heard_and_ctrl_c_gives_tasks_back(pool: Desk, queue: Any) -> None:
    process = pool.start("search", "pool.toml", "--id", "pool", "--no-report", "--workers", "1")
    try:
        (first,) = submit(queue, {"noise": 1, "size": 20})
        assert math.isclose(result(first), expected(1))
        (second,) = submit(queue, {"noise": 2, "size": 20})  # while the pool has nothing to do
        assert math.isclose(result(second), expected(2))
        taken = submit(queue, *({"noise": 3, "size": size} for size in range(20, 30)))
        wait_for(lambda: len(pool.records("pool")) > 3)
        process.send_signal(signal.SIGINT)
        assert process.wait(FAR) == 130
    finally:
        process.kill()
        process.communicate()
    answered, running = len(pool.records("pool")) - 2, rows(queue, "select 1 from eq_tasks where eq_status = 1")
    assert not running and len(rows(queue, "select 1 from emews_queue_out")) == 10 - answered
    queue.stop_worker_pool(7)
    resumed = pool.search("--resume", "pool")
    assert resumed.returncode == 0, resumed.stderr
    assert [result(each) for each in taken] == pytest.approx([expected(3)] * 10)
    lines = pool.records("pool")
    assert len(lines) == 12 and len({line["evaluation"] for line in lines}) == 12


@needs_database
@pytest.mark.long
def test_what_a_pool_was_killed_with_goes_to_the_next_of_its_name(pool: Desk, queue: Any) -> None:
    asked = submit(queue, *({"noise": noise, "size": 20} for noise in range(1, 9)))
    slowly = ("--set", "hyperparameters.sleep=0.5", "--workers", "1")
    process = pool.start("search", "pool.toml", "--id", "pool", "--no-report", *slowly)
    wait_for(lambda: (pool.experiments / "pool").exists() and len(pool.records("pool")) > 1)
    second = pool.search("pool.toml", "--id", "second")
    words = "'pool' = 'comparator': a pool of this name is at work on work type 7 of postgresql://"
    assert second.returncode != 0 and words in second.stderr
    process.kill()
    process.communicate()
    assert rows(queue, "select 1 from eq_tasks where eq_status = 1")
    queue.stop_worker_pool(7)
    resumed = pool.search("--resume", "pool")
    assert resumed.returncode == 0, resumed.stderr
    assert [result(each) for each in asked] == pytest.approx([expected(noise) for noise in range(1, 9)])
    verified = pool.run("verify", "pool", "--sample", "1")
    assert verified.returncode == 0, verified.stdout


@needs_database
def test_the_example_of_the_page_is_answered(desk: Desk, queue: Any, database: str) -> None:
    page = (ROOT / "docs" / "extend.md").read_text().partition("### An EQ/SQL algorithm")[2]
    program, lines = re.findall(r"^```(?:python|toml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[:2]
    at = urlsplit(database)
    program = program.replace('"localhost", "eqsql_user", 5432', f'"{at.hostname}", "{at.username}", {at.port}')
    lines = lines.replace("postgresql://eqsql_user@localhost:5432/EQ_SQL", database)
    desk.write("two.toml", 'hyperparameters = "quick.txt"\nspace = "space.json"\n' + lines)
    code = [sys.executable, str(desk.write("two_tasks.py", program))]
    algorithm = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
    done = desk.search("two.toml", "--id", "two")
    said = algorithm.communicate(timeout=FAR)[0]
    assert done.returncode == 0, done.stderr
    one, two = said.split(" ", 1)
    values = {(line["point"]["noise"], line["point"]["size"]): line["value"] for line in desk.records("two")}
    assert values == {(10, 100): float(one), (40, 100): json.loads(two)[0], (40, 20): json.loads(two)[1]}


@needs_database
@pytest.mark.long
def test_a_search_is_the_algorithm_of_a_pool_elsewhere(desk: Desk, queue: Any, database: str) -> None:
    page = (ROOT / "docs" / "extend.md").read_text().partition("# elsewhere.py")[2]
    at = urlsplit(database)
    code = page.partition("```")[0].replace(
        '"localhost", "eqsql_user", 5432', f'"{at.hostname}", "{at.username}", {at.port}'
    )
    desk.write("elsewhere.py", "# elsewhere.py" + code)
    asked = 'model = "elsewhere.py"\nmetric = "val_loss"\nspace = "space.json"\n[search]\nevaluations = 8\npilot = 0\n'
    desk.write("search.toml", f'{asked}strategy = "sobol"\n[confirm]\npoints = 0\n')
    process = desk.start("search", "search.toml", "--id", "own", "--no-report", "--workers", "2")
    try:
        while process.poll() is None:
            task = queue.query_task(2, delay=0, timeout=0.1)
            if task["type"] == "work":
                queue.report_task(task["eq_task_id"], 2, json.dumps(json.loads(task["payload"])["noise"] / 50))
    finally:
        process.kill()
        errors = process.communicate()[1]
    assert process.returncode == 0, errors
    lines = desk.records("own")
    assert len(lines) == 8
    assert [line["value"] for line in lines] == pytest.approx([line["point"]["noise"] / 50 for line in lines])


@needs_database
def test_a_failed_evaluation_is_nan(pool: Desk, queue: Any) -> None:
    failed, several = submit(queue, {"noise": 1, "size": 20}, [[2, 20], [3, 20]])
    queue.stop_worker_pool(7)
    pool.search("pool.toml", "--id", "pool", "--set", "hyperparameters.behave=raise")
    assert math.isnan(result(failed)) and all(map(math.isnan, result(several)))


@needs_database
def test_a_task_that_is_none_ends_the_pool_in_one_line_and_stays(pool: Desk, queue: Any) -> None:
    submit(queue, {"noise": 1, "sizes": 20})
    refused = pool.search("pool.toml", "--id", "pool")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("comparator: task 1 of work type 7: the space has no 'sizes'")
    assert len(rows(queue, "select 1 from emews_queue_out")) == 1


@needs_database
@pytest.mark.long
def test_a_database_that_is_not_there_is_one_line(pool: Desk, database: str) -> None:
    for url, words in (
        (database.replace("EQ_SQL", "other"), 'database "other" does not exist'),
        (database.replace("EQ_SQL", "postgres"), "has no tables of eqsql"),
        ("postgresql://owner@127.0.0.1:1/EQ_SQL", "no database at postgresql://owner@127.0.0.1:1/EQ_SQL"),
    ):
        for more in ((), ("--dry-run",)):
            refused = pool.search("pool.toml", "--set", f"search.database={url}", *more)
            assert refused.returncode == 2 and words in refused.stderr and len(refused.stderr.splitlines()) == 1
    assert not pool.experiments.exists()


@needs_database
@pytest.mark.long
def test_a_lost_connection_is_made_once_more(pool: Desk, queue: Any) -> None:
    process = pool.start("search", "pool.toml", "--id", "pool", "--no-report", "--workers", "1")
    try:
        assert math.isclose(result(*submit(queue, {"noise": 1, "size": 20})), expected(1))
        rows(queue, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
        assert math.isclose(result(*submit(queue, {"noise": 2, "size": 20})), expected(2))
        queue.stop_worker_pool(7)
        assert process.wait(FAR) == 0
    finally:
        process.kill()
        process.communicate()


@needs_database
@needs_swift_t
@pytest.mark.long
def test_ranks_of_swift_t_are_the_worker_pool(pool: Desk, queue: Any) -> None:
    process = pool.start(
        *("search", "pool.toml", "--id", "pool", "--engine", "swift-t", "--workers", "2", "--no-report")
    )
    try:
        assert math.isclose(result(*submit(queue, {"noise": 1, "size": 20})), expected(1))
        assert result(*submit(queue, [[2, 20], [3, 20], [4, 20]])) == pytest.approx([expected(n) for n in (2, 3, 4)])
        queue.stop_worker_pool(7)
        assert process.wait(FAR) == 0
    finally:
        process.terminate()
        process.communicate()
    assert (read_json(pool.experiments / "pool" / "state.json") or {})["state"] == "finished"
    assert len(pool.records("pool")) == 4
