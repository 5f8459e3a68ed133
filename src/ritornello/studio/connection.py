"""What uvicorn lacks: it waits for the head of a request, and at its end for open answers, for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WAIT_S = 10.0  # for the whole head of a request, from its first byte or the start of the connection


class Connection(H11Protocol):
    """A connection that is closed if the head of a request takes longer than HEAD_WAIT_S."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read bytes; if the head is incomplete, wait for the rest of it."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE and self._timer:
            self._timer.cancel()
            self._timer = None
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HEAD_WAIT_S, self.transport.close)


class Server(uvicorn.Server):
    """A server that calls a function before it waits for the answers that are being sent to be complete."""

    def __init__(self, config: uvicorn.Config, before_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_end = before_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all jobs, whose events are such answers, and then the server."""
        self._before_end()
        await super().shutdown(sockets)
