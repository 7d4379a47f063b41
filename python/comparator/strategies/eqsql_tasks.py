"""The tasks of an EQ/SQL database as their worker pool sees them; the package `eqsql`, an extra, does all that it can.

A pool has its name in a database for itself as long as it lives. What an earlier one of that name has taken and not
reported, because it was killed say, goes back into the queue when the next one begins.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import message

SCHEMES = ("postgresql", "postgres")
FORM = "postgresql://USER@HOST:PORT/NAME"
PORT = 5432
#: The line of a traceback that says what it was.
RAISED = re.compile(r"^[A-Za-z_][\w.]*: (?P<words>.+)$", re.MULTILINE)
#: Of a pool: the tasks that it has taken and not reported.
TAKEN = """
    select eq_task_id, eq_priority from eq_tasks
    where worker_pool = %s and eq_task_type = %s and eq_status = %s and json_out <> %s order by eq_task_id
"""
NAME_IS_FREE = "select pg_try_advisory_lock(hashtext(%s), %s)"
LOOK = "select 1 from eq_tasks, emews_queue_out, emews_queue_in limit 0"

Answer = TypeVar("Answer")


def check_url(url: str) -> str:
    """`url` itself; raises `ValueError` where it is no `postgresql://USER@HOST:PORT/NAME`."""
    try:
        _address(url)
    except ValueError as error:
        raise ValueError(f"has to be {FORM}: {error}") from None
    return url


def _address(url: str) -> SplitResult:
    found = urlsplit(url)
    if found.scheme not in SCHEMES:
        raise ValueError("eqsql has PostgreSQL alone")
    if found.password is not None:
        raise ValueError("a password would stand in the record; it is read from ~/.pgpass, or PGPASSWORD")
    if not found.username or not found.hostname or not found.path.strip("/") or found.query:
        raise ValueError("it needs a user, a host and a name")
    if found.port == 0:
        raise ValueError("no such port")
    return found


@dataclass(frozen=True)
class _Modules:
    """What is used of eqsql, and of what it uses itself."""

    psycopg2: Any
    db_tools: Any
    core: Any
    local_queue: Any


class WorkerPool:
    """The tasks of one work type in the database at `url`, for the pool `name`.

    Everything raises `ComparatorError` where the database cannot be asked; `open` and `check` raise `InputError`.
    """

    def __init__(self, url: str, work_type: int, name: str) -> None:
        self._url, self._type, self._name = url, work_type, name
        self._eqsql = _package()
        self._queue: Any = None
        self._said = _Said()

    def check(self) -> None:
        """Raise `InputError` where there is no such database."""
        self._connect()
        self._disconnect()

    def open(self) -> None:
        """Take the name, and put back what an earlier pool of it has left."""
        self._connect()
        if not self._lock():
            self._disconnect()
            raise InputError(
                f"'pool' = '{self._name}': a pool of this name is at work on work type {self._type} of {self._url};"
                " give this one another"
            )
        self.put_back()

    @property
    def is_open(self) -> bool:
        return self._queue is not None

    def take(self, most: int) -> tuple[list[tuple[int, str]], bool]:
        """Up to so many tasks, each a number and its payload, and whether the algorithm has said that it is over."""
        core = self._eqsql.core

        def ask(queue: Any) -> list[dict[str, Any]] | None:
            found = queue.query_task(self._type, most, self._name, delay=0, timeout=0)
            answers = found if isinstance(found, list) else [found]
            is_lost = any((each["type"], each["payload"]) == ("status", core.EQ_ABORT) for each in answers)
            return None if is_lost else answers

        answers = self._asked(ask)
        tasks = [(each["eq_task_id"], each["payload"]) for each in answers if each["type"] == "work"]
        return tasks, any(each["type"] == "status" and each["payload"] == core.EQ_STOP for each in answers)

    def report(self, task: int, result: str) -> None:
        """Give the result of a task."""
        success = self._eqsql.core.ResultStatus.SUCCESS
        self._asked(lambda queue: queue.report_task(task, self._type, result) == success or None)

    def put_back(self, *, stop: bool = False) -> None:
        """Put what was taken and not reported back into the queue, and where there is any, `stop`, which follows it."""
        core = self._eqsql.core
        connection = self._queue.db.conn
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(TAKEN, (self._name, self._type, core.TaskStatus.RUNNING.value, core.EQ_STOP))
                taken = cursor.fetchall()
                for task, priority in taken:
                    self._queue.push_out_queue(cursor, task, self._type, priority or 0)
        except self._eqsql.psycopg2.Error as error:
            raise ComparatorError(message(f"{self._url}: tasks cannot be put back: {error}")) from None
        if taken and stop:
            self._queue.stop_worker_pool(self._type)

    def close(self) -> None:
        self._disconnect()

    def _asked(self, ask: Callable[[Any], Answer | None]) -> Answer:
        """What the queue answers; a connection that was lost meanwhile is made once more."""
        answer = ask(self._queue)
        if answer is None:
            try:
                self._disconnect()
                self._connect()
            except InputError as error:
                raise ComparatorError(str(error)) from None
            self._lock()
            answer = ask(self._queue)
        if answer is None:
            raise ComparatorError(message(f"{self._url}: {self._said.last or 'the database gives no answer'}"))
        return answer

    def _connect(self) -> None:
        at = _address(self._url)
        user, name = unquote(at.username or ""), unquote(at.path.strip("/"))
        try:
            queue = self._eqsql.local_queue.init_task_queue(at.hostname, user, at.port or PORT, name)
        except self._eqsql.db_tools.ConnectionException as error:
            raise InputError(message(f"no database at {self._url}: {error.cause}".strip())) from None
        queue.logger.handlers, queue.logger.propagate = [self._said], False
        try:
            with queue.db.conn, queue.db.conn.cursor() as cursor:
                cursor.execute(LOOK)
        except self._eqsql.psycopg2.Error as error:
            queue.close()
            words = str(error).splitlines()[0]
            raise InputError(
                message(f"{self._url} has no tables of eqsql ({words}); eqsql.db_tools.create_eqsql_tables makes them")
            ) from None
        self._queue = queue

    def _disconnect(self) -> None:
        if self._queue is not None:
            self._queue.close()
        self._queue = None

    def _lock(self) -> bool:
        """Hold the name until the connection ends; whether it was free."""
        connection = self._queue.db.conn
        with connection, connection.cursor() as cursor:
            cursor.execute(NAME_IS_FREE, (self._name, self._type))
            return bool(cursor.fetchone()[0])


class _Said(logging.Handler):
    """What eqsql logs of an error, of which its answers have nothing: the words of the last one."""

    last: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        raised = RAISED.findall(record.getMessage())
        self.last = raised[-1] if raised else record.getMessage()


def _package() -> _Modules:
    """The modules of eqsql that are used; raises `InputError` where they are not installed."""
    had = os.environ.get("USER")
    os.environ.setdefault("USER", "")  # read at import; containers have none
    try:
        import psycopg2
        from eqsql import db_tools
        from eqsql.task_queues import core, local_queue
    except ImportError as error:
        raise InputError(
            f"the package 'eqsql' cannot be imported: {error}; it is an extra: pip install 'comparator[eqsql]'"
        ) from None
    finally:
        if had is None:
            del os.environ["USER"]
    return _Modules(psycopg2, db_tools, core, local_queue)
