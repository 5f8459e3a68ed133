"""The clock by which a jam and `play --out` time messages."""

import time
from typing import Protocol


class Clock(Protocol):
    """A clock that tells the time, in seconds from an arbitrary moment on, and can wait."""

    def now_s(self) -> float:
        """The present time in seconds."""

    def wait_until(self, time_s: float) -> None:
        """Return at `time_s`, or at once if that is past."""


class SystemClock:
    """The most precise clock of the system."""

    def now_s(self) -> float:
        """The present time in seconds."""
        return time.perf_counter()

    def wait_until(self, time_s: float) -> None:
        """Sleep until `time_s`."""
        if (left_s := time_s - time.perf_counter()) > 0:
            time.sleep(left_s)
