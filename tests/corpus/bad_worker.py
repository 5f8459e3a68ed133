"""A worker that crashes, hangs or prints on files with certain bytes, in place of the real one."""

import ctypes
import os
import sys
import time
from typing import Any

from ritornello.corpus.checks.check import CheckedFile
from ritornello.corpus.workers import worker

real_check = worker.check


def check(data: bytes, checks: Any, name: str) -> CheckedFile:
    """Misbehave as the bytes of the file say, else check the file."""
    if b"CRASH" in data:
        ctypes.string_at(0)
    if b"ABORT" in data:
        os.abort()
    if b"RAISE" in data:
        raise OverflowError("number too large")
    if b"EXIT" in data:
        os._exit(3)
    if b"HANG" in data:
        while True:
            time.sleep(1)
    if b"MEMORY" in data:
        bytearray(8 << 30)
    if b"PRINT" in data:
        print("to standard output", flush=True)
        os.write(1, b"and past Python")
    if b"NOISE" in data:
        os.write(3, b"\xff" * 4096)
        for handle in range(3, 20):
            try:
                os.write(handle, b"\xff" * 4096)
            except OSError:
                continue
    return real_check(data, checks, name)


if __name__ == "__main__":
    if "broken" in sys.argv:
        sys.exit(9)
    worker.check = check
    worker.main()
