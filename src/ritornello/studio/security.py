"""Refuse requests from other sites, without the token, or with too large or too slow bodies.

A page of another site can send requests to this machine, also under a host name that it makes point to
127.0.0.1 (DNS rebinding). So host and origin are compared with exact lists, and every request needs a secret
token. The token is in the address that the command prints; the first request exchanges it for a cookie that
other sites cannot send.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 16 << 20
BODY_WAIT_S = 10.0  # the longest pause between two pieces of a body
BODY_LIMIT_S = 60.0  # the longest time for a whole body
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; font-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip
SAFE_METHODS = ("GET", "HEAD")


class Guard:
    """ASGI middleware that refuses forbidden requests, and adds HEADERS to each answer."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self.app, self.token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.cookie = f"ritornello-{port}"  # a browser sends cookies to all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Websockets are refused."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        sender = _with_headers(send)
        if refused := self._refusal(scope):
            await _answer(sender, *refused)
            return
        if token := _query_token(scope):
            await self._enter(sender, token, scope)
            return
        if (size := _header(scope, b"content-length")) and (not size.isdigit() or int(size) > MAX_BODY_BYTES):
            await _answer(sender, 413, f"a body of {size:.20} bytes: must be at most {MAX_BODY_BYTES}")
            return
        await self.app(scope, _Body(receive), sender)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """The status and the reason if a request is refused, else None."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0].decode("latin-1") not in self.hosts:
            return 403, f"host: must be {' or '.join(sorted(self.hosts))}"
        origin = _header(scope, b"origin")
        if origin is not None and origin not in self.origins:
            return 403, f"origin {origin:.80}: must be {' or '.join(sorted(self.origins))}"
        is_page = scope["path"] == "/" and scope["method"] in SAFE_METHODS
        if _header(scope, b"sec-fetch-site") in ("cross-site", "same-site") and not is_page:
            return 403, "a page of another site may not send this request"
        if is_page and _query_token(scope):
            return None
        if self._has_bearer(scope):
            return None
        if not self._is_token(self._cookie(scope)):
            return 401, "open the address that `ritornello studio` printed, which has the token"
        if scope["method"] not in SAFE_METHODS and origin is None:
            return 403, "origin: must be sent with a cookie, or send the token as Authorization: Bearer"
        return None

    async def _enter(self, send: Send, token: str, scope: Scope) -> None:
        """Check the token; if it is right, set the cookie and redirect to the page."""
        if not self._is_token(token) or scope["path"] != "/":
            await _answer(send, 401, "token: must be the one that `ritornello studio` printed")
            return
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 303, "see /", [(b"location", b"/"), (b"set-cookie", cookie.encode())])

    def _has_bearer(self, scope: Scope) -> bool:
        scheme, _, token = (_header(scope, b"authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(token.strip())

    def _cookie(self, scope: Scope) -> str:
        try:
            cookies = SimpleCookie(_header(scope, b"cookie") or "")
        except CookieError:
            return ""
        return cookies[self.cookie].value if self.cookie in cookies else ""

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.token.encode())


class BodyError(Exception):
    """The body of a request is too large or too slow; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Body:
    """Receives the body of a request, up to MAX_BODY_BYTES and BODY_LIMIT_S."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes, self._is_complete, self._spent_s = 0, False, 0.0

    async def __call__(self) -> Message:
        """Return the next piece of the body. Raises BodyError."""
        if self._is_complete:
            return await self._receive()
        start_s = asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._receive(), min(BODY_WAIT_S, BODY_LIMIT_S - self._spent_s))
        except asyncio.TimeoutError:
            must = f"must come within {BODY_LIMIT_S:g} s, with no pause of {BODY_WAIT_S:g} s"
            raise BodyError(408, f"the body: {must}") from None
        self._spent_s += asyncio.get_running_loop().time() - start_s
        self._is_complete = not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise BodyError(413, f"the body: must be at most {MAX_BODY_BYTES} bytes")
        return message


def _with_headers(send: Send) -> Send:
    """A function that sends an answer, and adds those HEADERS that it lacks."""

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            all_headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            missing = [pair for pair in all_headers if pair[0] not in present]
            message = {**message, "headers": [*message.get("headers", []), *missing]}
        await send(message)

    return sender


async def _answer(send: Send, status: int, line: str, headers: Any = ()) -> None:
    """Send an answer with a line as JSON; after an error close the connection, whose body may be unread."""
    body = json.dumps({"error": line}).encode()
    all_headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    all_headers += [(b"connection", b"close")] if status >= 400 else []
    await send({"type": "http.response.start", "status": status, "headers": [*all_headers, *headers]})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Scope, name: bytes) -> str | None:
    """The value of a header; None if it was not sent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _query_token(scope: Scope) -> str:
    """The token in the address; "" if there is none."""
    items = scope.get("query_string", b"").decode("latin-1").split("&")
    return next((item.removeprefix("token=") for item in items if item.startswith("token=")), "")
