"""The web application: it calls a function of `Api` for each route, sends the page, and answers errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ritornello.errors import InputError, RitornelloError
from ritornello.studio.api import Api, MediaTypeError
from ritornello.studio.routes import OPERATIONS, Operation
from ritornello.studio.security import BodyError, Guard
from ritornello.studio.songs import ConflictError, NotFoundError
from ritornello.studio.worker import FullError, WorkError

PAGE = Path(__file__).parent / "page"
MEDIA_TYPES = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    ".png": "image/png", ".json": "application/json", ".ico": "image/x-icon",
}  # fmt: skip
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404), (ConflictError, 409), (MediaTypeError, 415), (FullError, 429), (InputError, 400),
)  # fmt: skip


def make_app(api: Api, port: int, token: str) -> ASGIApp:
    """Return the application of a studio; it answers requests to `port` that have the `token`."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        api.start()
        yield
        api.close()

    routes = [Route(each.path, _endpoint(api, each), methods=[each.method]) for each in OPERATIONS]
    routes += [Route("/", _page), Route("/{name:path}", _page)]
    handlers: Any = dict.fromkeys((RitornelloError, WorkError, BodyError, HTTPException), _error_answer)
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers), port, token)


def _endpoint(api: Api, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    """The function that answers an operation."""
    function = getattr(api, operation.function)

    async def endpoint(request: Request) -> Response:
        answer = await function(request)
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(status_code=operation.status)
        return JSONResponse(answer, operation.status)

    return endpoint


async def _page(request: Request) -> Response:
    """Answer with a file of the page; no other file on the disk can be requested."""
    name = request.path_params.get("name", "") or "index.html"
    files = {file.relative_to(PAGE).as_posix(): file for file in PAGE.rglob("*") if file.is_file()}
    if name not in files or files[name].suffix not in MEDIA_TYPES:
        raise HTTPException(404, f"{name[:80]!r}: there is no such page")
    return FileResponse(files[name], media_type=MEDIA_TYPES[files[name].suffix])


async def _error_answer(_request: Request, error: Exception) -> Response:
    """Answer an error as JSON, with the status that fits it."""
    headers = {}
    if isinstance(error, HTTPException):
        return JSONResponse({"error": str(error.detail)}, error.status_code, dict(error.headers or {}))
    if isinstance(error, (WorkError, BodyError)):
        status = error.status
    else:
        status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, FullError):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, BodyError):
        headers["Connection"] = "close"
    return JSONResponse({"error": str(error)}, status, headers)
