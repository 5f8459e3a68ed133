"""How long work reports how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, description); a total of 0 is not known yet."""


def no_progress(done: int, total: int, description: str) -> None:
    """Report nothing."""
