"""Compose answers in a second process, so that composing does not delay the notes that are due.

The process reads the options and then turns from standard input, and writes the composed notes to standard
output, as messages of system/ipc.py. It ends when its input is closed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ritornello.errors import FailedError, InputError, RitornelloError
from ritornello.playing.answers import Composed, JamMusic, Turn, TurnComposer
from ritornello.playing.listening import GridNote
from ritornello.system.ipc import receive, send
from ritornello.system.processes import child_environment

COMMAND = (sys.executable, "-m", "ritornello.playing.answer_process")
READY = "ready"


class ProcessAnswers:
    """Composes in another process; a thread reads what that process writes."""

    def __init__(self, music: JamMusic) -> None:
        """Start the process, and wait until it is ready. Raises ModelError, PlanError, FailedError."""
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(COMMAND, **pipes, stderr=subprocess.DEVNULL, env=child_environment())
        self._done: deque[Any] = deque()
        self._reader = threading.Thread(target=self._read, daemon=True)
        send(self._process.stdin, asdict(music))
        try:
            first = receive(self._process.stdout)[0]
        except EOFError:
            first = ["error", 1, "the composing process has ended"]
        if first != READY:
            self.close()
            _fail(*first[1:])
        self._reader.start()

    def ask(self, turn: Turn) -> None:
        """Send a turn to the process. Raises FailedError if it has ended."""
        try:
            send(self._process.stdin, turn)
        except OSError as error:
            raise FailedError("the composing process has ended") from error

    def poll(self) -> list[Composed]:
        """Return the newly composed notes. Raises InputError, FailedError if composing failed."""
        composed = []
        while self._done:
            kind, *values = self._done.popleft()
            if kind == "error":
                _fail(*values)
            number, notes, is_last, key = values
            composed.append(Composed(number, [GridNote(*note) for note in notes], is_last, key))
        return composed

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.terminate()
        self._process.wait()
        if self._reader.is_alive():
            self._reader.join()
        self._process.stdout.close()  # type: ignore[union-attr]

    def _read(self) -> None:
        try:
            while True:
                self._done.append(receive(self._process.stdout)[0])
        except (EOFError, OSError, ValueError):
            self._done.append(["error", 1, "the composing process has ended"])


def _fail(code: int, message: str) -> None:
    raise (InputError if code == InputError.exit_code else FailedError)(message)


def main() -> None:
    """Compose the answers to the turns on standard input until it is closed."""
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)  # so that text printed by a library does not mix with the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C
    try:
        composer = TurnComposer(JamMusic(**receive(source)[0]))
        send(answers, READY)
        while True:
            number, notes, *others = receive(source)[0]
            turn = Turn(number, [GridNote(*note) for note in notes], *others)
            composer.compose(turn, lambda composed: send(answers, ["composed", *composed]))
    except EOFError:
        return
    except RitornelloError as error:
        send(answers, ["error", error.exit_code, str(error)])


if __name__ == "__main__":
    main()
