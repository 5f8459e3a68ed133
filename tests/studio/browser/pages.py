"""What the tests of the page share: types, and asking the page for its state."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Opened = Callable[..., Any]


class Studio(NamedTuple):
    """A running studio: its address with the token, and the folders of its songs and of music."""

    address: str
    songs: Path
    music: Path


def until(page: Any, condition: str, limit_s: float = 90) -> None:
    """Wait until an expression is true. The page forbids `eval`, which Playwright's own waiting needs."""
    end_s = time.monotonic() + limit_s
    while not page.evaluate(f"() => {{ const state = studio.store.get(); return Boolean({condition}); }}"):
        said = page.inner_text("#said")
        assert time.monotonic() < end_s, f"{condition}: not true after {limit_s} s; the page says {said!r}"
        page.wait_for_timeout(50)


def state_of(page: Any, expression: str) -> Any:
    """A value of the page's state."""
    return page.evaluate(f"() => {{ const state = studio.store.get(); return {expression}; }}")
