"""Which address shows what.

| address | shows |
|---|---|
| `/` | all experiments |
| `/rows` | their rows (JSON) |
| `/experiments/ID/` | one: its report, with what runs now; `?metric=NAME` in another metric |
| `/experiments/ID/state`, `/experiments/ID/news` | what it is doing, and what has come (JSON) |
| `/experiments/ID/evaluations.csv` | the table of its evaluations |
| `/experiments/ID/stop`, `/experiments/ID/resume` | (POST) stop it, go on with it |
| `/experiments/ID/note` | (POST) give it tags and a note |
| `/experiments/ID/steering?box={...}` | the new searches that a part of the space suggests (JSON) |
| `/experiments/ID/preview`, `/experiments/ID/begin` | (POST) what such a search is and costs; begin it |
| `/compare?ids=A,B` | several beside each other; `A:METRIC` in another metric |
| `/files/...` | the end of a log |
| `/static/...` | scripts and styles |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from comparator.dashboard import actions, jobs, pages, steering
from comparator.dashboard.access import policy
from comparator.dashboard.comparisons import Comparisons
from comparator.dashboard.logs import end_of_log
from comparator.dashboard.maker import Maker
from comparator.dashboard.overview import Overview, tag_of
from comparator.dashboard.watched import Watch
from comparator.errors import ComparatorError, InputError
from comparator.formats.names import check_name
from comparator.formats.text import message, shortened
from comparator.results.experiments import experiment_path, read_experiment

MOST_DIGITS = 9
MOST_CONTENT = 1 << 16  # bytes


class Dashboard:
    """What the addresses show: the experiments of a folder."""

    def __init__(self, experiments: Path, root: Path, maker: Maker) -> None:
        self._experiments, self._root, self._maker = experiments, root, maker
        self._overview = Overview(experiments)
        self._watch = Watch(experiments, root, maker)
        self._comparisons = Comparisons(experiments, maker)

    def application(self) -> Starlette:
        """The application, for `access.Guard`; its functions run in threads of their own."""
        return Starlette(
            routes=[
                Route("/", lambda _: HTMLResponse(pages.all_page())),
                Route("/rows", self._rows),
                Route("/experiments/{id}", _with_slash),
                Route("/experiments/{id}/", self._page),
                Route("/experiments/{id}/state", self._state),
                Route("/experiments/{id}/news", self._news),
                Route("/experiments/{id}/evaluations.csv", self._table),
                Route("/experiments/{id}/stop", self._stop, methods=["POST"]),
                Route("/experiments/{id}/resume", self._resume, methods=["POST"]),
                Route("/experiments/{id}/note", self._note, methods=["POST"]),
                Route("/experiments/{id}/steering", self._steering),
                Route("/experiments/{id}/preview", self._preview, methods=["POST"]),
                Route("/experiments/{id}/begin", self._begin, methods=["POST"]),
                Route("/compare", self._compare),
                Route("/files/{name:path}", self._log),
                Route("/static/{name}", _static),
            ],
            exception_handlers={InputError: _not_found, ComparatorError: _refused, HTTPException: _no_page},
        )

    def _rows(self, request: Request) -> Response:
        tag, found = self._overview.rows()
        content = {"rows": found, "unread": self._overview.unread, "folder": str(self._experiments)}
        return _tagged(request, tag, lambda: JSONResponse(content))

    def _page(self, request: Request) -> Response:
        path, metric = self._asked(request)
        experiment = read_experiment(path)
        panel = {
            "identifier": path.name,
            "created": experiment.created,
            "metric": metric or experiment.metric,
            "title": experiment.title,
        }
        try:
            number, report = self._watch.page(path, metric)
        except InputError:  # the state says why
            return HTMLResponse(pages.waiting_page({**panel, "number": 0, "page": None}))
        html, hashes = pages.live_page(report.html, {**panel, "number": number, "page": report})
        return HTMLResponse(html, headers={"Content-Security-Policy": policy(hashes)})

    def _state(self, request: Request) -> Response:
        content = self._watch.state(*self._asked(request))
        return _tagged(request, tag_of(content), lambda: JSONResponse(content))

    def _news(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal() or len(since) > MOST_DIGITS:
            raise InputError(f"since={shortened(since)}: must be a number of evaluations")
        return JSONResponse(self._watch.news(*self._asked(request), int(since), request.query_params.get("held", "")))

    def _table(self, request: Request) -> Response:
        text = self._maker(jobs.table_of, *self._asked(request))
        return PlainTextResponse(text, media_type="text/csv")

    def _stop(self, request: Request) -> Response:
        return JSONResponse({"done": actions.stop(self._asked(request)[0])})

    def _resume(self, request: Request) -> Response:
        return JSONResponse({"done": actions.resume(self._asked(request)[0])})

    async def _note(self, request: Request) -> Response:
        given = await _content(request)
        done = await run_in_threadpool(actions.note, self._asked(request)[0], given)
        return JSONResponse({"done": done})

    def _steering(self, request: Request) -> Response:
        box = _object(request.query_params.get("box", ""))
        return JSONResponse(steering.suggestions(read_experiment(self._asked(request)[0]), (), box))

    async def _preview(self, request: Request) -> Response:
        given = await _content(request)
        return JSONResponse(await run_in_threadpool(steering.preview, self._asked(request)[0], self._root, given))

    async def _begin(self, request: Request) -> Response:
        given = await _content(request)
        return JSONResponse(await run_in_threadpool(steering.begin, self._asked(request)[0], self._root, given))

    def _compare(self, request: Request) -> Response:
        html, failure = self._comparisons.page(request.query_params.get("ids", ""))
        return HTMLResponse(html or pages.compare_waiting_page(failure))

    def _log(self, request: Request) -> Response:
        return PlainTextResponse(end_of_log(self._experiments, request.path_params["name"]))

    def _asked(self, request: Request) -> tuple[Path, str | None]:
        """The experiment, and the metric where it is another than its own; raises `InputError`."""
        path = experiment_path(self._experiments, request.path_params["id"])
        metric = request.query_params.get("metric")
        own = metric is None or metric == read_experiment(path).metric
        return path, None if own or metric is None else check_name(metric, "metric")


async def _content(request: Request) -> Mapping[str, Any]:
    """What a request brings, an object of JSON; raises `InputError` for anything else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_CONTENT:
            raise InputError(f"what was sent has more than {MOST_CONTENT} bytes")
    return _object(body.decode("utf-8", "replace"))


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError("what was sent is no object of JSON")
    return found


def _with_slash(request: Request) -> Response:
    query = urlencode(request.query_params.multi_items())
    return RedirectResponse(f"{request.path_params['id']}/{'?' if query else ''}{query}", 307)


def _static(request: Request) -> Response:
    found = pages.static_file(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    text, kind = found
    return _tagged(request, tag_of(text), lambda: Response(text, media_type=kind))


def _tagged(request: Request, tag: str, answer: Callable[[], Response]) -> Response:
    """The answer with its tag; none where who asks has it already."""
    tag = f'"{tag}"'
    said = Response(status_code=304) if request.headers.get("if-none-match") == tag else answer()
    said.headers["ETag"] = tag
    return said


def _not_found(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": message(str(error))}, 404)


def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": message(str(error))}, 409)


def _no_page(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse("there is no such page", error.status_code)
