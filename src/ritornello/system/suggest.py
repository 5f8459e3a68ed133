"""Suggest the name that a user may have meant, for the end of an error message."""

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

MAX_FILES = 10_000  # the most files of a folder among which a name is searched


def nearest(text: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that is nearest to `text`, whatever the case, if its similarity (0-1) reaches the cutoff."""
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(text.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def did_you_mean(text: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """`; did you mean 'NAME'?` with the nearest name, or nothing if none is near."""
    near = nearest(text, names, cutoff)
    return f"; did you mean {near!r}?" if near else ""


def similar_path(path: str | Path, with_file: str = "") -> str:
    """The same for a path that does not exist, with the names beside it.

    If `with_file` is given, only folders with a file of that name count.
    """
    place = Path(path)
    with suppress(OSError, ValueError):
        if not place.exists():
            siblings = [file for file in islice(place.parent.iterdir(), MAX_FILES) if file.name[:1] != "."]
            names = [file.name for file in siblings if not with_file or (file / with_file).is_file()]
            if near := nearest(place.name, names, 0.75):
                return f"; did you mean {str(place.parent / near)!r}?"
    return ""
