"""Who may ask the dashboard, and what its answers may do in a browser.

The address that is printed has a token. The first request with it gets a cookie and is sent on to the address without
it; every other request needs the cookie. A request for another host than this machine, or than the one under which the
token came, is refused: a foreign page may have its name lead here (DNS rebinding). What changes something has to come
from a page of the dashboard itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: The pages' own scripts and styles alone, nothing from elsewhere; pages with scripts inside add their hashes.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
CHANGING = "POST"


def policy(script_hashes: Sequence[str] = ()) -> str:
    """The content policy of a page whose inline scripts have these hashes (`'sha256-...'`)."""
    scripts = " ".join([POLICY["script-src"], *script_hashes])
    return "; ".join(f"{what} {where}" for what, where in {**POLICY, "script-src": scripts}.items())


class Guard:
    """Lets through to the application what may be asked; everything else gets 403 and no word more."""

    def __init__(self, application: ASGIApp, token: str, port: int, base: str = "", hosts: Iterable[str] = ()) -> None:
        """`base` is the path under which a proxy shows the dashboard, without a slash at its end."""
        self._application, self._token, self._base = application, token, base
        self._hosts = {*LOOPBACK, *(host.lower() for host in hosts)}
        #: Browsers send a host's cookies to all its ports.
        self._cookie = f"comparator-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            headers = Headers(scope=scope)
            answer = self._answer(scope, headers)
            await (answer or self._application)(self._inside(scope), receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """What is said in the place of the application; None where that is to answer."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == TOKEN]
        if tokens and scope["method"] == "GET":
            return self._welcome(scope, headers, query) if all(map(self._is_token, tokens)) else _refusal()
        is_known = _host_in(headers) in self._hosts and self._is_token(self._cookie_in(headers))
        if not is_known or (scope["method"] == CHANGING and not _is_from_here(headers)):
            return _refusal()
        if self._base and scope["path"] == self._base and scope["method"] != CHANGING:
            return RedirectResponse(self._address(scope, query), 303)
        return None

    def _welcome(self, scope: Scope, headers: Headers, query: list[tuple[str, str]]) -> Response:
        # Who knows the token may say under which name a proxy shows the dashboard.
        self._hosts.add(_host_in(headers))
        address = self._address(scope, [(name, value) for name, value in query if name != TOKEN])
        answer: Response = RedirectResponse(address, 303)
        if headers.get("sec-fetch-site") == "cross-site":
            # A strict cookie would not come with a redirect that began on another page; with this page's own it does.
            target = address.replace("&", "&amp;").replace('"', "%22")
            answer = HTMLResponse(f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={target}">')
        answer.set_cookie(self._cookie, self._token, path=self._base or "/", httponly=True, samesite="strict")
        return answer

    def _address(self, scope: Scope, query: list[tuple[str, str]]) -> str:
        """What was asked for, with a slash behind the base, from which all that a page loads is told.

        Relative to what was asked, so that it holds under whatever path a proxy shows it.
        """
        slash = "/" if self._base and scope["path"] == self._base else ""
        return f"./{quote(scope['path'].rpartition('/')[2])}{slash}{'?' if query else ''}{urlencode(query)}"

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _cookie_in(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    def _inside(self, scope: Scope) -> Scope:
        """The request as the application knows it; some proxies leave their path out, some do not."""
        path = scope["path"]
        if self._base and (path == self._base or path.startswith(f"{self._base}/")):
            path = path[len(self._base) :] or "/"
        return {**scope, "path": path, "raw_path": quote(path).encode()}


def _host_in(headers: Headers) -> str:
    """The name of the host that is asked for, without its port."""
    try:
        return (urlsplit(f"//{headers.get('host', '')}").hostname or "").lower()
    except ValueError:
        return ""


def _is_from_here(headers: Headers) -> bool:
    """Whether a request comes from a page of this very address, as the browser says."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(headers.get("origin", "")).netloc.lower()
    except ValueError:
        return False
    return origin != "" and origin == headers.get("host", "").lower()


def _refusal() -> Response:
    return PlainTextResponse("", 403)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, "Content-Security-Policy": policy()}.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
