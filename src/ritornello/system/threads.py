"""numpy's matrix products on one thread while a song is composed.

A step is a hundred small products in a row. More threads do not speed them up: where another process has the
second processor, a product of 0.1 ms waits 7 ms for it (measured). And OpenBLAS cuts a product by its number
of threads, so that for large networks the last bits, and with them a draw, could depend on the machine.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

PLACES = ("../numpy.libs", ".dylibs")  # beside the package (Linux, Windows) or in it (macOS)
NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, products of numpy run on one thread, in the whole process.

    This is for the OpenBLAS that numpy's wheels bring; any other library keeps the threads that it has.
    """
    get, set_ = _openblas()
    threads = get()
    set_(1)
    try:
        yield
    finally:
        set_(threads)


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], object]]:
    """Get and set the number of threads; if numpy has another library, always 1 and nothing."""
    package = Path(np.__file__).parent
    for file in (file for place in PLACES for file in sorted((package / place).glob("*openblas*"))):
        try:
            library = ctypes.CDLL(str(file))  # numpy has loaded it already
        except OSError:
            continue
        for name in NAMES:
            get, set_ = (
                getattr(library, name.format(f"{verb}_num_threads"), None) for verb in ("get", "set")
            )
            if get and set_:
                return get, set_
    return (lambda: 1), (lambda _: None)
