"""The process that works for the studio: it reads requests and answers them (worker.py has the messages).

It is started as `python -m ritornello.studio.work NAME MEMORY_BYTES`. What it can do is in `WORK`.
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

Answer = Callable[[dict[str, Any], Sequence[bytes]], None]
WORK = {
    "state": "composing_work", "sketch": "composing_work",
    "compose": "composing_work", "redo": "composing_work", "vary": "composing_work",
    "change": "composing_work", "perform": "composing_work",
    "learn": "learning_work", "doctor": "learning_work",
    "warm_files": "file_work", "import_song": "file_work", "view": "file_work", "edit": "file_work",
    "export": "file_work", "originality": "originality_work",
    "prepare": "sound_work", "warm_sound": "sound_work", "sound": "sound_work", "metronome": "sound_work",
}  # fmt: skip
"""The names of requests, and the module of this folder that has the function of that name."""


def main() -> None:
    """Answer the requests on standard input until it is closed."""
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)  # so that text printed by a library does not mix with the answers
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # forked processes close sys.stdin: no thread may hold it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl-C
    if memory_bytes := int(sys.argv[2]):
        limit_memory(memory_bytes)
    requests: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, requests), daemon=True).start()
    while True:
        request, arrays = requests.get()
        send(answers, *_answer(request, arrays, partial(send, answers)))


def _read(source: Any, requests: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]]]) -> None:
    """Read requests; end this process, whatever it does, when the server is gone."""
    try:
        while True:
            requests.put(receive(source))
    except (EOFError, OSError):
        os._exit(0)


def _answer(
    request: dict[str, Any], arrays: list[bytes], on_event: Answer
) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Do one piece of work; returns the last message."""
    name = request.pop("do")
    try:
        module = import_module(f"ritornello.studio.{WORK[name]}")
        value, data = getattr(module, name)(request, arrays, on_event)
        return {"done": value}, data
    except RitornelloError as error:
        return {"error": str(error), "status": 400 if isinstance(error, InputError) else 500}, ()
    except MemoryError:
        return {"error": f"{name} needs more memory than it may have", "status": 413}, ()
    except Exception as error:  # a fault of the program must not end the process
        sys.excepthook(*sys.exc_info())
        return {"error": f"{name} failed: {type(error).__name__}: {error}", "status": 500}, ()


if __name__ == "__main__":
    main()
