"""The server of the dashboard: its start, the address that is printed, its end by Ctrl-C."""

from __future__ import annotations

import asyncio
import getpass
import math
import os
import secrets
import shlex
import signal
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from comparator.dashboard.access import LOOPBACK, TOKEN, Guard
from comparator.dashboard.application import Dashboard
from comparator.dashboard.maker import Maker
from comparator.engine.workers import STOPPED_BY
from comparator.errors import InputError
from comparator.formats.text import shortened

HERE = "127.0.0.1"
#: What a page asks again and again.
LOOKS = ("/state", "/rows", "/news")
QUIET = 2.0  # seconds; a page that looks every second is told before they are over
LONGEST = 15.0  # seconds
BASE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/@:")


@dataclass(frozen=True)
class Place:
    """Where the dashboard is served: `base` is the path under which a proxy shows it; port 0 is any that is free."""

    host: str = HERE
    port: int = 0
    base: str = ""


def base_path(given: str) -> str:
    """A path as a proxy adds it, without a slash at its end; raises `InputError` for what is none."""
    path = given.rstrip("/")
    if path and (not path.startswith("/") or "//" in path or not set(path) <= BASE_CHARACTERS):
        raise InputError(f"--base-path {shortened(given)}: must be a path such as /node/host/1234")
    return path


def serve(
    experiments: Path,
    root: Path,
    place: Place,
    *,
    shows: str = "",
    browser: bool = False,
    with_parent: bool = False,
    say: Callable[[Sequence[str]], None],
) -> None:
    """Serve the dashboard of a folder of experiments until Ctrl-C, or another signal that stops.

    `say` gets the lines that say where it is. `shows` is the page that is led to, relative to the first. `browser`
    opens it in the user's. `with_parent` ends when standard input does: whoever holds its other end is gone; a page
    that is being loaded then is loaded to its end. Raises `InputError` where the place cannot be had.
    """
    token = secrets.token_urlsafe(24)
    listening = _listen(place)
    port = listening.getsockname()[1]
    maker = Maker()
    hosts = [place.host, *([socket.gethostname(), socket.getfqdn()] if place.host not in LOOPBACK else [])]
    guard = Guard(Dashboard(experiments, root, maker).application(), token, port, place.base, hosts)
    closing = Closing(guard)
    config = uvicorn.Config(
        closing,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    address = f"http://{_name_of(place.host)}:{port}{place.base}/{shows}?{TOKEN}={token}"
    try:
        with _ended_by_signals(server), tempfile.TemporaryDirectory(prefix="comparator-") as folder:
            say(_lines(address, place, port))
            if with_parent:
                threading.Thread(target=_end_with_parent, args=(server, closing), daemon=True).start()
            if browser and has_display():
                threading.Thread(target=_show, args=(address, Path(folder)), daemon=True).start()
            asyncio.run(server.serve(sockets=[listening]))
    finally:
        maker.close()
        listening.close()


class _Server(uvicorn.Server):
    """Ends at once; signals are not its own: they would be raised again when it has ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self.should_exit = self.force_exit = True


@contextmanager
def _ended_by_signals(server: _Server) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: server.end()) for number in STOPPED_BY}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Closing:
    """Lets pages that are being loaded be loaded to their end, before a server ends.

    A page that looks whether there is a newer one and then loads it would else find no server between the two, and the
    user an error of the browser in the place of what was found.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._is_closing = False
        self._last = -math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does; once it is closing, pages that look for something new hear so."""
        if self._is_closing and scope["type"] == "http" and scope["path"].endswith(LOOKS):
            await PlainTextResponse("", 503)(scope, receive, send)
            return
        try:
            await self._application(scope, receive, send)
        finally:
            self._last = time.monotonic()

    def wait(self) -> None:
        """Return when nothing has been asked for `QUIET` seconds, after `LONGEST` at the latest."""
        self._is_closing = True
        end = time.monotonic() + LONGEST
        while (left := min(self._last + QUIET, end) - time.monotonic()) > 0:
            time.sleep(left)


def _end_with_parent(server: _Server, closing: Closing) -> None:
    sys.stdin.buffer.read()
    closing.wait()
    server.end()


def _listen(place: Place) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OverflowError:
        raise InputError(f"--port {place.port}: must be 0 to 65535") from None
    except OSError as error:
        words = f"{place.host}:{place.port}: cannot be listened at: {error.strerror or error}"
        raise InputError(f"{words}; without --port any free one is taken") from None
    return listening


def _name_of(host: str) -> str:
    """What others call it; an address that stands for all of this machine's is none."""
    name = socket.getfqdn() if host in ("0.0.0.0", "::", "") else host
    return f"[{name}]" if ":" in name else name


def _lines(address: str, place: Place, port: int) -> list[str]:
    lines = [address]
    if place.host in LOOPBACK:
        tunnel = ["ssh", "-N", "-L", f"{port}:{HERE}:{port}", f"{getpass.getuser()}@{socket.getfqdn()}"]
        lines.append(f"from another machine, by the same address after: {shlex.join(tunnel)}")
    else:
        lines.append("who reaches this machine and has the address may look and stop; nothing is encrypted on its way")
    return [*lines, "Ctrl-C ends it; experiments go on"]


def has_display() -> bool:
    """Whether a browser that is opened here would be seen."""
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _show(address: str, folder: Path) -> None:
    """Open the address in the user's browser, by a file of a private folder: commands can be read by everybody here."""
    page = folder / "open.html"
    page.write_text(f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={escape(address)}">', encoding="utf-8")
    webbrowser.open(page.as_uri())
