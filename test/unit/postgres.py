"""A PostgreSQL server with an EQ/SQL database in it, for tests. Debian: apt install postgresql."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

#: It refuses to be root's.
AS = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder of initdb, which Debian keeps off the PATH."""
    found = shutil.which("initdb") or next(map(str, sorted(DEBIAN.glob("*/bin/initdb"), reverse=True)), None)
    return None if found is None else Path(found).resolve().parent


def why_not() -> str | None:
    """Why there can be no database of eqsql here; None where there can."""
    missing = next((name for name in ("eqsql", "psycopg2") if find_spec(name) is None), None)
    if missing is not None:
        return f"there is no package {missing}: pip install 'comparator[eqsql]'"
    if programs() is None:
        return "there is no initdb (Debian: postgresql)"
    if AS and subprocess.run([*AS, "true"], capture_output=True).returncode != 0:
        return "there is no user postgres, and PostgreSQL does not run as root"
    return None


@contextlib.contextmanager
def running_database() -> Iterator[str]:
    """The URL of a database with the tables of eqsql, for as long as the context lasts."""
    folder = programs()
    assert folder is not None
    with tempfile.TemporaryDirectory(prefix="postgres-") as place, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        if AS:
            shutil.chown(place, "postgres")
        data = f"{place}/data"

        def call(program: str, *words: str) -> None:
            done = subprocess.run([*AS, str(folder / program), *words], capture_output=True, text=True, cwd="/")
            assert done.returncode == 0, done.stdout + done.stderr

        call("initdb", "-D", data, "-A", "trust", "-U", "owner", "--no-sync")
        asked = f"-F -p {port} -k {place} -c listen_addresses=127.0.0.1"
        # What it leaves running must not hold the pipes of the call.
        start = [*AS, str(folder / "pg_ctl"), "-D", data, "-l", f"{place}/log", "-o", asked, "-w", "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        try:
            at = ("-h", "127.0.0.1", "-p", str(port), "-U", "owner")
            call("createdb", *at, "EQ_SQL")
            _make_tables(port)
            yield f"postgresql://owner@127.0.0.1:{port}/EQ_SQL"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _make_tables(port: int) -> None:
    """By the package's own script; its `create_eqsql_tables` asks a server of this user."""
    import psycopg2

    found = find_spec("eqsql")
    assert found is not None and found.origin is not None
    script = Path(found.origin).with_name("workflow.sql").read_text()
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="owner", dbname="EQ_SQL")
    with connection, connection.cursor() as cursor:
        cursor.execute(script)
    connection.close()
