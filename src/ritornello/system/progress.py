"""The type of the functions to which long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, description); `total` is 0 while it is not known."""


def no_progress(done: int, total: int, description: str) -> None:
    """Report nothing."""
