"""Serve the studio on 127.0.0.1, with a secret token, and open the browser."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ritornello.errors import InputError, check_between
from ritornello.studio.settings import StudioSettings
from ritornello.system.extras import require_extra
from ritornello.system.lock import locked

HOST = "127.0.0.1"
MAX_PORT = 65_535
MAX_CONNECTIONS = 256
IDLE_S = 30  # a connection is closed after this time without requests


def serve(
    settings: StudioSettings, port: int = 0, *, on_ready: Callable[[str], None], browser: bool = True
) -> None:
    """Serve until Ctrl-C; `on_ready` is called with the address and its token. Port 0 takes any free port.

    Raises InputError if the port is taken or another studio uses the folder of songs. Raises OutputError if
    the folder cannot be written.
    """
    require_extra("studio", "starlette", "uvicorn")
    check_between("port", port, 0, MAX_PORT)
    import uvicorn

    from ritornello.studio.api import Api
    from ritornello.studio.app import make_app
    from ritornello.studio.connection import Connection, Server

    with _listening(port) as listener, locked(_lock_file(settings.songs)):
        port, token = listener.getsockname()[1], secrets.token_urlsafe(32)
        api = Api(settings)
        app = make_app(api, port, token)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=IDLE_S, server_header=False, date_header=False, lifespan="on",
            http=Connection, ws="none", timeout_graceful_shutdown=2,
        )  # fmt: skip
        address = f"http://{HOST}:{port}/?token={token}"
        on_ready(address)
        if browser:
            with suppress(webbrowser.Error):
                webbrowser.open(address)
        with suppress(KeyboardInterrupt):  # Ctrl-C ends the server
            Server(config, api.close).run(sockets=[listener])


def _lock_file(songs: Path) -> Path:
    songs.mkdir(parents=True, exist_ok=True)
    return songs / ".lock"


def _listening(port: int) -> socket.socket:
    """A socket that only this machine can connect to. Raises InputError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # the browser may connect before the server is ready
    except OSError as error:
        listener.close()
        raise InputError(f"port {port}: {error.strerror}; 0 takes any free port") from error
    return listener
