"""The program of a worker process of the studio: it reads requests and answers them.

It is started as `python -m ritornello.studio.work NAME MEMORY_BYTES`; NAME only shows in lists of processes.
worker.py describes its messages; `WORK` lists the requests that it can answer.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from ritornello.corpus.workers.worker import limit_memory
from ritornello.errors import InputError, RitornelloError
from ritornello.system.ipc import receive, send

SendEvent = Callable[[dict[str, Any], Sequence[bytes]], None]
"""Sends an event (JSON) and arrays of bytes to the server, before the result."""
Result = tuple[Any, Sequence[bytes]]
"""What a function of WORK returns: a value that JSON can hold, and arrays of bytes such as files."""
WORK = {
    "state": "composing_work", "sketch": "composing_work",
    "compose": "composing_work", "redo": "composing_work", "vary": "composing_work",
    "change": "composing_work", "perform": "composing_work",
    "learn": "learning_work", "doctor": "learning_work",
    "warm_files": "file_work", "import_song": "file_work", "view": "file_work", "edit": "file_work",
    "export": "file_work", "originality": "originality_work",
    "prepare": "sound_work", "warm_sound": "sound_work", "sound": "sound_work", "metronome": "sound_work",
}  # fmt: skip
"""For each name of a request, the module of this folder that has the function of the same name."""


def main() -> None:
    """Answer the requests on standard input until it is closed."""
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)  # so that text printed by a library does not mix with the answers
    os.dup2(
        os.open(os.devnull, os.O_RDONLY), 0
    )  # sys.stdin must not be read by a thread here: processes forked from this one close it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl-C
    if memory_bytes := int(sys.argv[2]):
        limit_memory(memory_bytes)
    requests: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, requests), daemon=True).start()
    while True:
        request, arrays = requests.get()
        send(answers, *_answer(request, arrays, partial(send, answers)))


def _read(source: Any, requests: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]]) -> None:
    """Read requests; end this process at once when the server is gone."""
    try:
        while True:
            requests.put(receive(source))
    except (EOFError, OSError):
        os._exit(0)


def _answer(
    request: dict[str, Any], arrays: list[bytes], on_event: SendEvent
) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Answer one request; return the message that ends it, and its arrays."""
    name = request.pop("do")
    try:
        module = import_module(f"ritornello.studio.{WORK[name]}")
        value, data = getattr(module, name)(request, arrays, on_event)
        return {"done": value}, data
    except RitornelloError as error:
        return {"error": str(error), "status": 400 if isinstance(error, InputError) else 500}, ()
    except MemoryError:
        return {"error": f"{name} needs more memory than a worker process may use", "status": 413}, ()
    except Exception as error:  # a fault of the program must not end the process
        sys.excepthook(*sys.exc_info())
        return {"error": f"{name} failed: {type(error).__name__}: {error}", "status": 500}, ()


if __name__ == "__main__":
    main()
