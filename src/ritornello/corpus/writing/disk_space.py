"""Space: what to say when the disk is full."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ritornello.errors import OutputError

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def space(folder: Path, needed_bytes: Callable[[], int]) -> Iterator[None]:
    """Add to an OutputError because of a full disk how many bytes more are needed, and how many are free."""
    try:
        yield
    except OutputError as error:
        if getattr(error.__cause__, "errno", None) not in FULL:
            raise
        free = shutil.disk_usage(folder).free
        message = f"{error}: about {needed_bytes():,} bytes are needed, {free:,} are free"
        raise OutputError(message) from error.__cause__
