"""Two limits that uvicorn lacks: it waits without limit for the head of a request, and for open answers."""

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
        """Start the timer for the first request."""
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Read bytes; start the timer if the head of a request is incomplete, else stop it."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE and self._timer:
            self._timer.cancel()
            self._timer = None
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HEAD_WAIT_S, self.transport.close)


class Server(uvicorn.Server):
    """A server that calls `before_end` when it shuts down, before it waits for open answers to end."""

    def __init__(self, config: uvicorn.Config, before_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_end = before_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Call `before_end`, which ends the streams of events, and shut down."""
        self._before_end()
        await super().shutdown(sockets)
