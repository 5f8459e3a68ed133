"""Run the matrix products of numpy on one thread while a song is composed.

A step of a network is about a hundred small products one after another. More threads do not speed them up,
and where another process uses the second processor, a product of 0.1 ms waits 7 ms for it (measured on two
cores). OpenBLAS also divides a product by its number of threads, so the last bits of a large network's
output, and with them the sampled notes, could depend on the machine.

The library threadpoolctl does the same, but its import costs 7 to 10 ms each time that `compose` starts.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

# The folders in which the wheels of numpy keep OpenBLAS: Linux and Windows, macOS.
LIBRARY_FOLDERS = ("../numpy.libs", ".dylibs")
# The names that its builds give to get_num_threads and set_num_threads.
FUNCTION_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run numpy's matrix products on one thread, in the whole process, while the block runs.

    This works for the OpenBLAS in numpy's wheels; any other library keeps its number of threads.
    """
    get_threads, set_threads = _openblas_functions()
    threads_before = get_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(threads_before)


@cache
def _openblas_functions() -> tuple[Callable[[], int], Callable[[int], object]]:
    """Return OpenBLAS's functions that get and set the number of threads, or two that do nothing."""
    package = Path(np.__file__).parent
    for folder in LIBRARY_FOLDERS:
        for file in sorted((package / folder).glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(file))  # numpy has loaded it already, so this costs nothing
            except OSError:
                continue
            for name in FUNCTION_NAMES:
                get_threads = getattr(library, name.format("get_num_threads"), None)
                set_threads = getattr(library, name.format("set_num_threads"), None)
                if get_threads and set_threads:
                    return get_threads, set_threads
    return (lambda: 1), (lambda _: None)
