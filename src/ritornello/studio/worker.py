"""Worker processes, for work that takes long or may fail.

A process is started when it is needed, and runs until it is killed or the server ends. Requests and answers
are messages of system/ipc.py. A request is {"do": name, ...}. The answers are events {"event": name, ...},
and then the result {"done": value} or an error {"error": text, "status": HTTP status}. The process ends when
its input is closed, so no process is left if the server is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ritornello.errors import InputError
from ritornello.system.ipc import receive, send
from ritornello.system.processes import child_environment

COMMAND = (sys.executable, "-m", "ritornello.studio.work")
GIB = 1 << 30
MAX_WAITING = 64  # requests for one process; more are refused
QUICK_S = 20.0  # the limit for reading a file, for a view, and for a bar of sound
OnEvent = Callable[[dict[str, Any], list[bytes]], None]


class WorkError(Exception):
    """Work that failed: one line that says why, and the HTTP status of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class FullError(InputError):
    """Too many requests or jobs wait; the next one may be sent after `retry_after_s` seconds."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        super().__init__(f"{what} are waiting, which is the limit: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Worker:
    """Does one piece of work at a time in a process of at most `memory_bytes` (0: no limit).

    `call` blocks, so it is called from a thread; `kill` may be called from any other.
    """

    def __init__(self, name: str, memory_bytes: int = 4 * GIB) -> None:
        self.name, self.memory_bytes = name, memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def start(self) -> subprocess.Popen[bytes]:
        """Return the process; start it if none runs. Raises WorkError if the worker is closed."""
        with self._lock:
            if self._is_closed:
                raise WorkError("the studio has ended", 503)
            if self._process is None or self._process.poll() is not None:
                pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                command = [*COMMAND, self.name, str(self.memory_bytes)]
                self._process = subprocess.Popen(
                    command, **pipes, env=child_environment(), start_new_session=True
                )
            return self._process

    def call(
        self,
        request: dict[str, Any],
        arrays: Sequence[bytes] = (),
        on_event: OnEvent | None = None,
        limit_s: float | None = None,
    ) -> tuple[Any, list[bytes]]:
        """Send a request and return its result; `on_event` is called with each event that comes before.

        Work that takes longer than `limit_s` seconds is killed. Raises WorkError.
        """
        process = self.start()
        timer = threading.Timer(limit_s, self._kill, [process]) if limit_s else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            send(process.stdin, request, arrays)
            while True:
                answer, data = receive(process.stdout)
                if "done" in answer:
                    return answer["done"], data
                if "error" in answer:
                    raise WorkError(answer["error"], answer.get("status", 400))
                if on_event:
                    on_event(answer, data)
        except (EOFError, OSError, ValueError) as error:
            self._kill(process)
            late = f": it took longer than {limit_s:g} s" if timer and not timer.is_alive() else ""
            raise WorkError(f"the process for {request['do']} ended without a result{late}", 400) from error
        finally:
            if timer:
                timer.cancel()

    def kill(self) -> None:
        """End the process at once; the next call starts another one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            self._kill(process)

    def close(self) -> None:
        """End the process; later calls raise WorkError."""
        self._is_closed = True
        self.kill()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        """End a process and all processes of its session, which it started."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]


class AsyncWorker:
    """A worker that can be awaited; it answers one request after another."""

    def __init__(self, name: str) -> None:
        self.worker = Worker(name)
        self._thread = ThreadPoolExecutor(1, name)
        self._waiting = 0

    async def call(
        self, request: dict[str, Any], arrays: Sequence[bytes] = (), limit_s: float = QUICK_S
    ) -> tuple[Any, list[bytes]]:
        """Return the value and the arrays of a request. Raises WorkError, FullError if too many wait."""
        if self._waiting >= MAX_WAITING:
            raise FullError(f"{MAX_WAITING} requests", 1)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._thread, lambda: self.worker.call(request, arrays, limit_s=limit_s)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process."""
        self.worker.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
