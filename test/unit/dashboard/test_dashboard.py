"""The dashboard without a browser: who may ask, what is answered, and that nothing else comes out."""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pages import Page
from recorded import genetic, make_experiment, make_record, save
from starlette.applications import Starlette
from starlette.testclient import TestClient

from comparator.cli.opening import open_page
from comparator.dashboard.access import Guard
from comparator.dashboard.application import Dashboard
from comparator.dashboard.compare import _overlap, _together, differing
from comparator.dashboard.logs import end_of_log
from comparator.dashboard.maker import Maker, MakerEnded
from comparator.dashboard.overview import Overview, answer_in
from comparator.dashboard.serving import Closing, base_path
from comparator.dashboard.steering import box_words, suggestions, typed_in
from comparator.errors import InputError
from comparator.experiment.progress import seconds_left
from comparator.findings.axes import Axis
from comparator.results.frozen import FrozenExperiment
from comparator.results.growing import GrowingRecord
from comparator.results.lease import Lease, hold
from comparator.results.record import Evaluation
from comparator.results.state import State, say
from comparator.space.boxes import written_box

OWN = {"Sec-Fetch-Site": "same-origin"}  # what comes from a page of the dashboard itself
TOKEN = "the-token"
PORT = 4321


class MakerHere(Maker):
    """Makes pages in this very process."""

    def __call__(self, function: Callable[..., Any], *given: Any) -> Any:
        return function(*given)


@pytest.fixture
def experiments(tmp_path: Path) -> Path:
    folder = tmp_path / "experiments"
    save(
        folder / "search-1", make_experiment(id="search-1", title="<script>alert(1)</script>"), genetic(12, failed=(3,))
    )
    save(folder / "begun-1", make_experiment(id="begun-1"), [])
    (folder / "broken").mkdir()
    (folder / "broken" / "experiment.json").write_text("{")
    run = folder / "runs" / "abc"
    run.mkdir(parents=True)
    (run / "model.log").write_text("Epoch 1/2\n")
    (run / "result.json").write_text("{}")
    return folder


def guarded(experiments: Path, base: str = "") -> Guard:
    return Guard(Dashboard(experiments, experiments.parent, MakerHere()).application(), TOKEN, PORT, base)


@pytest.fixture
def stranger(experiments: Path) -> Iterator[TestClient]:
    with TestClient(guarded(experiments), base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False) as client:
        yield client


@pytest.fixture
def friend(stranger: TestClient) -> TestClient:
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    return stranger


def until_made(client: TestClient, address: str) -> dict[str, Any]:
    while True:
        state = client.get(f"{address}state").json()
        if not state["page"]["is_being_made"]:
            return state


ADDRESSES = [
    "/",
    "/rows",
    "/experiments/search-1/",
    "/experiments/search-1/state",
    "/experiments/search-1/news",
    "/experiments/search-1/evaluations.csv",
    "/compare?ids=search-1,begun-1",
    "/files/runs/abc/model.log",
    "/static/live.js",
    "/no/such/page",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_the_token_there_is_403_and_nothing_else(stranger: TestClient, address: str) -> None:
    joint = "&" if "?" in address else "?"
    for answer in (
        stranger.get(address),
        stranger.get(f"{address}{joint}token=wrong"),
        stranger.get(f"{address}{joint}token={TOKEN}&token=wrong"),
        stranger.get(address, headers={"Cookie": f"comparator-{PORT}=wrong"}),
        stranger.post(address, headers={"Origin": f"http://127.0.0.1:{PORT}"}),
    ):
        assert (answer.status_code, answer.content) == (403, b"")
        assert "set-cookie" not in answer.headers


def test_the_first_request_gets_a_cookie_and_is_sent_on_to_the_address_without_the_token(stranger: TestClient) -> None:
    answer = stranger.get(f"/experiments/search-1/?token={TOKEN}&metric=val_r2")
    assert (answer.status_code, answer.headers["location"]) == (303, "./?metric=val_r2")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/;" in cookie
    assert stranger.get("/rows").status_code == 200
    page = stranger.get(f"/?token={TOKEN}", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200 and 'content="0; url=./"' in page.text  # the cookie would not come with a redirect


def test_every_answer_has_a_strict_policy_and_pages_load_nothing_from_elsewhere(friend: TestClient) -> None:
    for address in ("/", "/rows", "/experiments/begun-1/", "/static/all.js"):
        policy = friend.get(address).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe-eval" not in policy
        assert "script-src 'self';" in policy or "script-src 'self' 'sha256-" in policy
        assert friend.get(address).headers["x-content-type-options"] == "nosniff"
        assert "http://" not in friend.get(address).text.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil.example"])
def test_a_foreign_name_that_leads_here_is_refused(friend: TestClient, host: str) -> None:
    cookie = {"Cookie": f"comparator-{PORT}={TOKEN}"}
    assert friend.get("/rows", headers={"Host": host, **cookie}).status_code == 403
    assert friend.get("/rows", headers={"Host": "localhost:9999", **cookie}).status_code == 200  # ssh -L


def test_who_has_the_token_may_come_by_a_proxys_name_and_path(experiments: Path) -> None:
    base = "/node/c12/4321"
    guard = guarded(experiments, base)
    with TestClient(guard, base_url="https://hub.example", follow_redirects=False) as client:
        cookie = {"Cookie": f"comparator-{PORT}={TOKEN}"}
        assert client.get(f"{base}/rows", headers=cookie).status_code == 403
        answer = client.get(f"{base}/?token={TOKEN}")
        assert answer.headers["location"] == "./" and f"path={base};" in answer.headers["set-cookie"].lower()
        assert client.get(f"{base}?token={TOKEN}").headers["location"] == "./4321/"
        assert client.get(base, headers=cookie).headers["location"] == "./4321/"
        assert client.get(f"{base}/rows", headers=cookie).status_code == 200
        assert client.get("/rows", headers=cookie).status_code == 200  # a proxy that leaves its path out
        moved = client.get(f"{base}/experiments/search-1?metric=val_r2", headers=cookie)
        assert moved.headers["location"] == "search-1/?metric=val_r2"
        # All that pages ask for is told from their own address, so that it holds under either.
        for page in (
            client.get(f"{base}/", headers=cookie),
            client.get(f"{base}/experiments/begun-1/", headers=cookie),
        ):
            assert not re.search(r'(?:src|href|action)="/', page.text)
        given = {"tags": ["a"], "text": "", "was": {"tags": [], "text": ""}}
        noted = client.post(f"{base}/experiments/search-1/note", json=given, headers={**cookie, **OWN})
        assert noted.json() == {"done": "noted"}
        again = {"tags": [], "text": "", "was": {"tags": ["a"], "text": ""}}
        assert client.post("/experiments/search-1/note", json=again, headers={**cookie, **OWN}).status_code == 200
    assert base_path("/rnode/c12/4321/") == "/rnode/c12/4321"
    assert base_path("/node/c12/4321/") == base and base_path("/") == ""
    for wrong in ("node", "//evil.example", "/a b", '/"x'):
        with pytest.raises(InputError, match="--base-path"):
            base_path(wrong)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": f"http://127.0.0.1:{PORT}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": f"http://127.0.0.1:{PORT}"}, 404),
        ({"Sec-Fetch-Site": "same-origin"}, 404),
    ],
)
def test_what_changes_something_comes_from_the_dashboards_own_pages(
    friend: TestClient, headers: dict[str, str], code: int
) -> None:
    assert friend.post("/experiments/no-such/stop", headers=headers).status_code == code
    assert friend.get("/experiments/search-1/stop").status_code == 405


def test_all_experiments_have_a_row_and_an_unchanged_answer_is_not_sent_again(friend: TestClient) -> None:
    answer = friend.get("/rows")
    rows = {row["id"]: row for row in answer.json()["rows"]}
    assert set(rows) == {"search-1", "begun-1", "broken"}
    assert (rows["search-1"]["evaluations"], rows["search-1"]["failed"]) == (12, 1)
    assert rows["search-1"]["best_value"] > 0 and rows["begun-1"]["best"] == "no result yet"
    assert rows["broken"]["state"] == "damaged" and "not a whole experiment" in rows["broken"]["damage"]
    assert friend.get("/rows", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_what_was_found_is_told_a_sentence_each_and_whole() -> None:
    said = ["With noise below 31.5 they differ by 46 %; elsewhere by 42 %.", "That is likely."]
    assert answer_in({"answer": said}) == said and answer_in({"answer": "one line"}) == ["one line"]
    assert answer_in({"reason": "of an earlier version"}) == ["of an earlier version"] and answer_in({}) == []


def test_one_that_cannot_be_read_darkens_no_other(friend: TestClient, experiments: Path) -> None:
    (experiments / "begun-1" / "state.json").mkdir()
    rows = {row["id"]: row for row in friend.get("/rows").json()["rows"]}
    assert rows["begun-1"]["state"] == "damaged"
    assert rows["begun-1"]["damage"] == "state.json: cannot be read: Is a directory"
    assert rows["search-1"]["evaluations"] == 12


def test_what_runs_is_damaged_while_it_cannot_be_read(experiments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comparator.dashboard.overview.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("comparator.dashboard.overview.RESTS", 1e9)
    path, overview, states = experiments / "begun-1", Overview(experiments), []
    lease = hold(path)
    assert isinstance(lease, Lease)
    for make in (
        lambda: say(path, "running", [], None, None),
        (path / "state.json").mkdir,
        (path / "state.json").rmdir,
    ):
        make()
        states += [row["state"] for row in overview.rows()[1] if row["id"] == "begun-1"]
        if (path / "state.json").is_file():
            (path / "state.json").unlink()
    lease.release()
    assert states == ["running", "damaged", "new"]


def test_an_experiment_is_read_again_only_where_its_files_have_changed(
    experiments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    overview = Overview(experiments)
    monkeypatch.setattr("comparator.dashboard.overview.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("comparator.dashboard.overview.RESTS", 0.0)
    overview.rows()
    from comparator.dashboard import overview as module

    plainly = module.read_experiment
    monkeypatch.setattr(module, "read_experiment", lambda path: read.append(path.name) or plainly(path))
    overview.rows()
    assert read == []
    with (experiments / "search-1" / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps(genetic(13)[-1]) + "\n")
    _, rows = overview.rows()
    assert read == ["search-1"]
    assert next(row["evaluations"] for row in rows if row["id"] == "search-1") == 13


def test_an_experiments_page_is_its_report_with_what_runs_now_and_data_stay_data(friend: TestClient) -> None:
    state = until_made(friend, "/experiments/search-1/")
    assert (state["page"]["number"], state["page"]["failure"]) == (1, "")
    answer = friend.get("/experiments/search-1/")
    assert 'id="live"' in answer.text and 'id="answer"' in answer.text
    assert "<script>alert" not in answer.text and "Content-Security-Policy" not in answer.text
    assert "&lt;main" not in answer.text and "../../files/runs/" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy and "default-src 'none'" in policy
    other = friend.get("/experiments/search-1/evaluations.csv")
    assert other.headers["content-type"].startswith("text/csv") and other.text.count("\n") == 13


def test_the_dots_there_are_and_the_table_are_shown_before_what_is_found_is_known(friend: TestClient) -> None:
    first = friend.get("/experiments/search-1/").text
    assert 'data-page="0" data-records="12" data-done="12"' in first
    assert "is being worked out" in first and "Wait some seconds" in first
    dots = json.dumps(Page(first).charts["search"])
    assert "evaluation 11:" in dots and "evaluation 3: failed" in dots
    until_made(friend, "/experiments/search-1/")
    assert 'data-page="1" data-records="12" data-done="12"' in friend.get("/experiments/search-1/").text


def test_what_is_stopped_before_its_first_result_says_how_to_go_on(friend: TestClient, experiments: Path) -> None:
    assert "Wait for the first results" in friend.get("/experiments/begun-1/").text
    (experiments / "begun-1" / "state.json").write_text('{"state": "stopped"}')
    said = re.sub("</?span>", "", friend.get("/experiments/begun-1/").text)
    assert "comparator search --resume begun-1" in said and "Wait for the first results" not in said


def test_an_experiment_without_a_result_has_a_page(friend: TestClient) -> None:
    assert until_made(friend, "/experiments/begun-1/")["page"]["failure"] == ""
    assert 'id="answer"' in friend.get("/experiments/begun-1/").text
    assert friend.get("/experiments/begun-1/news").json()["figures"] == {}


def test_the_dots_of_a_map_come_before_the_page_is_made_again(friend: TestClient, experiments: Path) -> None:
    until_made(friend, "/experiments/search-1/")
    with (experiments / "search-1" / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps(genetic(13)[-1]) + "\n")
    news = friend.get("/experiments/search-1/news?since=12").json()
    assert news["records"] == 13 and [row[0] for row in news["evaluations"]["rows"]] == [12]
    dots = json.dumps(news["figures"]["search"])
    assert "evaluation 12:" in dots and "evaluation 3: failed" not in dots, "what the page has is not sent again"
    held = friend.get(f"/experiments/search-1/news?since=12&held={news['held']}").json()
    rows = [layer["data"]["values"] for layer in held["figures"]["search"]["layer"]]
    assert rows[0] == "held" and [row["evaluations"] for row in rows[1]] == [[12]], "nor what lies under the dots"
    assert held["held"] == news["held"] and len(json.dumps(held)) < len(json.dumps(news))
    everything = json.dumps(friend.get("/experiments/search-1/news").json())
    assert "evaluation 12:" in everything and "evaluation 3: failed" in everything
    assert "since=x: must be" in friend.get("/experiments/search-1/news?since=x").json()["error"]


def test_another_experiment_of_the_same_id_has_nothing_of_the_one_before(friend: TestClient, experiments: Path) -> None:
    before = until_made(friend, "/experiments/search-1/")
    page = friend.get("/experiments/search-1/").text
    assert before["page"]["number"] == 1 and f'data-created="{before["created"]}"' in page
    content = json.loads((experiments / "search-1" / "experiment.json").read_text())
    later = "2026-07-26T10:00:00.000Z"
    save(experiments / "search-1", {**content, "created": later}, genetic(3))
    news = friend.get("/experiments/search-1/news?since=12").json()
    assert (news["created"], news["records"], news["figures"]) == (later, 3, {})
    first = friend.get("/experiments/search-1/").text
    assert f'data-created="{later}" data-page="0" data-records="3"' in first
    dots = json.dumps(Page(first).charts["search"])
    assert "evaluation 2:" in dots and "evaluation 11:" not in dots
    state = until_made(friend, "/experiments/search-1/")
    assert (state["created"], state["records"], state["page"]["number"]) == (later, 3, 1)
    assert "evaluation 11:" not in json.dumps(Page(friend.get("/experiments/search-1/").text).charts)


def test_an_experiment_is_read_in_another_metric_by_its_address(friend: TestClient) -> None:
    state = friend.get("/experiments/search-1/state?metric=val_r2").json()
    assert state["metric"] == "val_r2" and state["metrics"][0] == "val_loss" and "val_r2" in state["metrics"]
    assert friend.get("/experiments/search-1/state?metric=../x").status_code == 404
    assert friend.get("/experiments/no-such/state").json()["error"].startswith("no experiment 'no-such'")


def test_what_ran_elsewhere_or_is_finished_is_not_gone_on_with_from_a_page(
    friend: TestClient, experiments: Path
) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    answer = friend.post("/experiments/search-1/resume", headers=own)
    assert answer.status_code == 404 and "is not gone on with" in answer.json()["error"]
    assert "is not running" in friend.post("/experiments/search-1/stop", headers=own).json()["error"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "runs/../../secret",
        "runs/abc/../../../secret",
        "runs/out/model.log",
        "runs/pipe/model.log",
        "runs/abc/result.json",
        "search-1/experiment.json",
        "runs/.hidden/model.log",
        "/etc/passwd",
        "runs/abc/model.log/",
        "runs/no-such/model.log",
        "runs/ab/../model.log",
        "runs/ab/abc/deep/model.log",
    ],
)
def test_only_logs_inside_the_experiments_folder_are_shown(friend: TestClient, experiments: Path, name: str) -> None:
    (experiments.parent / "secret").write_text("secret")
    (experiments / "runs" / "out").mkdir()
    (experiments / "runs" / "out" / "model.log").symlink_to(experiments.parent / "secret")
    (experiments / "runs" / "pipe").mkdir()
    os.mkfifo(experiments / "runs" / "pipe" / "model.log")
    with pytest.raises(InputError, match="no such log"):
        end_of_log(experiments, name)
    for address in (quote(name), quote(name, safe="").replace(".", "%2e")):
        answer = friend.get(f"/files/{address}")
        assert answer.status_code == 404 and "secret" not in answer.text


def test_of_a_log_the_end_is_shown(friend: TestClient, experiments: Path) -> None:
    assert friend.get("/files/runs/abc/model.log").text == "Epoch 1/2\n"
    assert friend.get("/files/runs/abc/model.log").headers["content-type"].startswith("text/plain")
    (experiments / "runs" / "ab" / "abcd").mkdir(parents=True)
    (experiments / "runs" / "ab" / "abcd" / "model.log").write_text("Epoch 2/2\n")
    assert friend.get("/files/runs/ab/abcd/model.log").text == "Epoch 2/2\n"
    (experiments / "runs" / "abc" / "model.log").write_text("first line\nsecond line\nthird\n")
    assert end_of_log(experiments, "runs/abc/model.log", most=12) == "[17 bytes before this are left out]\nthird\n"


@pytest.mark.long
def test_experiments_are_compared_on_the_same_axes_and_colours_with_their_difference(
    friend: TestClient, experiments: Path
) -> None:
    narrow = make_experiment(id="other-1", title="other")
    narrow["space"][0]["upper"] = 40
    save(experiments / "other-1", narrow, genetic(20))
    while "being made" in (page := friend.get("/compare?ids=search-1,other-1").text):
        pass
    figures = Page(page).charts
    assert len(figures) == 3 and sum(name.startswith("difference") for name in figures) == 1
    maps = [chart for name, chart in figures.items() if name.startswith("map")]
    scales = [[layer["encoding"]["x"]["scale"]["domain"] for layer in chart["layer"]] for chart in figures.values()]
    assert {json.dumps(domain) for of_chart in scales for domain in of_chart} == {json.dumps(scales[0][0])}
    colours = {json.dumps(chart["layer"][0]["encoding"]["color"]["scale"]) for chart in maps}
    assert len(colours) == 1
    assert "space: noise.upper" in page and "<td>40" in page and "learning_rate" not in page
    assert friend.get("/compare?ids=search-1").status_code == 404
    assert "no result yet" in made(friend, "/compare?ids=search-1,begun-1")


@pytest.mark.long
def test_a_comparison_counts_as_all_else_does_and_has_the_axes_of_the_reports(
    friend: TestClient, experiments: Path
) -> None:
    records = genetic(20)
    confirming = {**records[-1], "evaluation": 20, "stage": "confirm", "generation": None}
    save(experiments / "other-1", make_experiment(id="other-1", title="other"), [*records, confirming])
    page = made(friend, "/compare?ids=search-1,other-1")
    assert "20 evaluations, 1 confirming" in page
    charts = Page(page).charts
    assert {name.partition("2-")[2] for name in charts} == {"noise-layer_force"}


def made(client: TestClient, address: str) -> str:
    while "being made" in (page := client.get(address).text):
        pass
    return page


def test_the_same_trainings_are_compared_under_two_metrics(friend: TestClient) -> None:
    page = made(friend, "/compare?ids=search-1,search-1:val_r2")
    assert "search-1 in val_loss and search-1 in val_r2" in page
    assert ">metric<" in page and ">cmp.difference<" in page and "space: " not in page


def test_axes_are_put_together_where_they_are_of_one_kind() -> None:
    short, long = Axis("x", (0.0, 5.0, 10.0)), Axis("x", (5.0, 10.0, 20.0))
    assert _together([short, long]).edges == (0.0, 10.0, 20.0)
    assert _overlap(short, long).edges == (5.0, 7.5, 10.0)
    assert _overlap(short, Axis("x", (10.0, 20.0))) is None
    logarithmic = Axis("x", (1.0, 10.0, 100.0), log=True)
    assert not _together([short, logarithmic]).log and not _together([logarithmic, short]).log
    assert _overlap(logarithmic, Axis("x", (4.0, 9.0))).edges == pytest.approx((4.0, 6.0, 9.0))
    assert _together([short, Axis("x", (-0.5, 0.5), values=("a",))]) is None
    assert _together([Axis("x", (-0.5, 0.5), values=("a",)), Axis("x", (-0.5, 0.5), values=("b",))]) is None


def test_only_settings_that_differ_are_told() -> None:
    one, other = (FrozenExperiment.model_validate(make_experiment(id=name)) for name in ("a", "b"))
    assert differing([("a", one), ("b", other)]) == []
    changed = FrozenExperiment.model_validate(make_experiment(id="b", settings={"search": {"population": 9}}))
    assert ("search.population", ["-", "9"]) in differing([("a", one), ("b", changed)]) or any(
        name == "search.population" for name, _ in differing([("a", one), ("b", changed)])
    )


def test_the_time_left_follows_the_pace_of_the_latest_evaluations() -> None:
    records = [
        Evaluation.model_validate(
            {
                **make_record(n, {"noise": 1.0 * n}, ({"val_loss": 1.0},)),
                "started": f"2026-01-01T00:00:{10 * n:02d}Z",
                "seconds": 5.0,
            }
        )
        for n in range(4)
    ]
    assert seconds_left(records, 10, 4) == pytest.approx(30.0)
    assert seconds_left(records, None, 4) is None and seconds_left([], 10, 0) is None
    assert seconds_left(records, 4, 4) == 0


def test_commands_that_steer_replace_what_was_typed() -> None:
    frozen = FrozenExperiment.model_validate(
        make_experiment(
            provenance={"command": "comparator search a.toml --id x --set search.replicates=3 --focus y:1"},
            stages={"replicates": 3},
        )
    )
    (again,) = suggestions(frozen, ())
    more = again["command"]
    boxed = [each["command"] for each in suggestions(frozen, (), {"noise": [3, 10]})]
    plain = "comparator search a.toml --set search.replicates=3"
    assert boxed[:2] == [f"{plain} --focus noise=3:10", f"{plain} --avoid noise=3:10"]
    assert boxed[2] == "comparator search a.toml --focus noise=3:10 --set search.replicates=6"
    assert more.startswith("comparator search a.toml --focus y:1") and more.endswith("--set search.replicates=6")
    assert "--id" not in more and more.count("--set") == 1
    for bounds in (
        {"noise": [9.5, 25], "size": [10, 200]},
        {"noise": [0, 1], "net": {"values": ["a b"]}},
        {"a b": [1, 2]},
    ):
        assert written_box(box_words(bounds)) == bounds


def test_a_command_is_begun_where_it_was_typed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "cfg").mkdir(parents=True)
    (folder / "cfg" / "a.toml").write_text("")
    frozen = FrozenExperiment.model_validate(make_experiment(file=str(folder / "cfg" / "a.toml")))
    assert typed_in(frozen, ["comparator", "search", "cfg/a.toml", "--focus", "y:1"]) == folder
    assert typed_in(frozen, ["comparator", "search", "a.toml"]) == folder / "cfg"
    for file in ("b.toml", str(folder / "cfg" / "a.toml")):
        assert typed_in(frozen, ["comparator", "search", file]) is None


def test_tags_and_note_are_given_from_the_page_and_nobodys_are_lost(friend: TestClient) -> None:
    address, none = "/experiments/search-1/note", {"tags": [], "text": ""}
    given = {"tags": ["paper", "first try"], "text": "look at noise"}
    assert friend.post(address, json={**given, "was": none}, headers=OWN).json() == {"done": "noted"}
    state = friend.get("/experiments/search-1/state").json()
    assert (state["tags"], state["note"]) == (given["tags"], given["text"])
    late = friend.post(address, json={"tags": [], "text": "", "was": none}, headers=OWN)
    assert late.status_code == 404 and "changed meanwhile" in late.json()["error"]
    for wrong, said in (
        ({"tags": ["a,b"], "text": "", "was": given}, "no comma"),
        ({"tags": "a", "text": "", "was": given}, "a list of texts"),
        ([], "no object"),
    ):
        answer = friend.post(address, json=wrong, headers=OWN)
        assert said in answer.json()["error"] and "\n" not in answer.json()["error"]
    assert "more than" in friend.post(address, content=b"x" * 70_000, headers=OWN).json()["error"]
    assert friend.post(address, json={**none, "was": given}).status_code == 403, "from no page of the dashboard"


def test_only_what_steers_is_begun_from_a_page(friend: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []

    def started(words: list[str], *_: object) -> str:
        begun.append(words)
        return "it has begun"

    monkeypatch.setattr("comparator.dashboard.steering.started", started)
    address, box = "/experiments/search-1/begin", {"noise": [3, 10]}
    for wrong, said in (
        ({"way": "delete", "box": box, "id": "x"}, "must be one of focus, avoid, replicates"),
        ({"way": "focus", "id": "x"}, "needs a box"),
        ({"way": "focus", "box": {"nois": [1, 2]}, "id": "x"}, "'nois' does not vary; what does: noise, layer_force"),
        ({"way": "focus", "box": {"noise": "1"}, "id": "x"}, "must be two numbers"),
        ({"way": "focus", "box": box, "id": "../x"}, "id"),
    ):
        assert said in friend.post(address, json=wrong, headers=OWN).json()["error"]
    choice = {"way": "focus", "box": box, "id": "search-1-inside-1"}
    assert friend.post(address, json=choice).status_code == 403 and begun == []
    assert friend.post(address, json=choice, headers=OWN).json() == {"done": "it has begun", "id": "search-1-inside-1"}
    (words,) = begun
    assert words[3:] == [
        *("search", "cfg/cmp-ga.toml", "--focus", "noise=3:10", "--id", "search-1-inside-1"),
        *("--experiments", words[-1]),
    ]
    offered = friend.get("/experiments/search-1/steering", params={"box": json.dumps(box)}).json()
    assert [each["choice"]["way"] for each in offered] == ["focus", "avoid", "replicates"]


def test_a_growing_record_is_read_on_from_its_end(tmp_path: Path) -> None:
    lines = [json.dumps(record) + "\n" for record in genetic(5)]
    path = tmp_path / "evaluations.jsonl"
    record = GrowingRecord(path)
    assert record.read() == []
    path.write_text(lines[0] + lines[1][:20])
    assert [each.evaluation for each in record.read()] == [0]
    path.write_text(lines[0] + lines[1] + lines[2])
    assert [each.evaluation for each in record.read()] == [0, 1, 2]
    path.write_text(lines[3])
    assert [each.evaluation for each in record.read()] == [3]
    path.write_text(lines[3] + "{}\n" + lines[4])
    for _ in range(2):
        with pytest.raises(InputError, match="line 2: "):
            record.read()
    path.write_text("".join(lines))
    assert [each.evaluation for each in record.read()] == [0, 1, 2, 3, 4]
    other = tmp_path / "other"
    other.write_text(lines[0].replace('"evaluation"', '"evaluatiom"') + "".join(lines[1:]))
    other.replace(path)
    for _ in range(2):  # of the same size as the one that was read
        with pytest.raises(InputError, match="line 1: "):
            record.read()


def test_a_record_that_is_written_over_is_read_anew(tmp_path: Path) -> None:
    lines = [json.dumps(record) + "\n" for record in genetic(5)]
    path = tmp_path / "evaluations.jsonl"
    path.write_text("".join(lines[:2]))
    record = GrowingRecord(path)
    assert [each.evaluation for each in record.read()] == [0, 1]
    path.write_text(" " + "".join(lines))
    assert [each.evaluation for each in record.read()] == [0, 1, 2, 3, 4]
    assert record.tally.counts.done == 5 and not record.tally.doubled


def test_a_record_of_the_same_size_and_place_as_the_one_before_is_read_anew(tmp_path: Path) -> None:
    lines = [json.dumps(record) + "\n" for record in genetic(5)]
    path = tmp_path / "evaluations.jsonl"
    path.write_text("".join(lines[:2]))
    record = GrowingRecord(path)
    first = [each.value for each in record.read()]
    other = "".join(lines[:2]).replace('"started": "2026', '"started": "2027')
    assert len(other) == len("".join(lines[:2])) and other != "".join(lines[:2])
    path.write_text(other + lines[2])
    assert [(each.started or "")[:4] for each in record.read()][:2] == ["2027", "2027"] and len(first) == 2


@pytest.mark.long
def test_the_maker_answers_from_a_process_of_its_own_and_begins_again_when_it_has_ended() -> None:
    maker = Maker()
    try:
        first = maker(os.getpid)
        assert first != os.getpid() and maker(os.getpid) == first
        with pytest.raises(InputError, match="such as /node"):
            maker(base_path, "x y")
        with pytest.raises(MakerEnded):
            maker(os._exit, 1)
        assert maker(os.getpid) not in (first, os.getpid())
    finally:
        maker.close()


def test_an_experiment_that_is_not_there_cannot_be_opened(experiments: Path) -> None:
    with pytest.raises(InputError, match=r"no experiment 'serch-1'.*search-1"):
        open_page("serch-1", experiments=experiments)


def test_a_state_that_is_not_of_here_cannot_be_stopped_here() -> None:
    from comparator.dashboard.actions import may_stop

    assert may_stop(State(state="running", host=os.uname().nodename))
    assert may_stop(State(state="queued", host="elsewhere", job="12"))
    assert not may_stop(State(state="running", host="elsewhere")) and not may_stop(State(state="finished"))


def test_a_server_that_ends_first_answers_what_belongs_to_a_page_that_is_being_loaded(experiments: Path) -> None:
    closing = Closing(Guard(Dashboard(experiments, experiments.parent, MakerHere()).application(), TOKEN, PORT))
    page = TestClient(closing, base_url=f"http://127.0.0.1:{PORT}")
    assert page.get("/", params={"token": TOKEN}).status_code == 200
    end = threading.Thread(target=closing.wait)
    end.start()
    while page.get("/experiments/search-1/state").status_code != 503:
        assert end.is_alive(), "who looks for something new is told"
    assert page.get("/rows").status_code == 503
    assert page.get("/static/live.js").status_code == 200
    assert end.is_alive(), "it waits for what else belongs to the page"
    end.join(60)
    assert not end.is_alive()


def test_a_server_that_nobody_asks_ends_at_once() -> None:
    Closing(Starlette()).wait()
