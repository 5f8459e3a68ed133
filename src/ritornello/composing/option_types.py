"""Check that the value of an option has the type with which the option is declared.

This module imports no numpy, because `ritornello --help` imports it; integers of numpy are `Integral`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

from ritornello.errors import PlanError
from ritornello.music.midi_song import MUST_BE_SONG, MidiSong

OR_NONE = " | None"
# What the value of each type, as it is declared, must be
MUST_BE = {
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be True or False",
    "str": "must be a text",
    "str | Path": "must be a text or a Path",
    "str | range": "must be a text such as '9-12', or a range",
    "str | Iterable[str]": "must be a text or a list of texts",
    "str | Collection[str]": "must be a text or a list of texts",
    "list[str] | str | Mapping[str, str]": "must be PART=VALUE, a list of such texts, or a dict of texts",
    "Music": MUST_BE_SONG,
    "SketchSource": "must be the path of a sketch, or a sketch that was drawn",
}
NUMBERS_IN_MAPPING = ("Mapping[str, str | float]", "Mapping[str, str | int]")


def checked_value(name: str, declared: str, value: Any, allowed: str = "") -> Any:
    """Return the value of an option as the type that it is declared with.

    Numbers of numpy become Python's, an iterator of texts becomes a tuple. `allowed` is the range, for the
    message. Raises PlanError for a value of another type, or for a range whose step is not 1.
    """
    kind = declared.removesuffix(OR_NONE)
    if value is None and declared.endswith(OR_NONE):
        return None
    has_numbers = kind.endswith(NUMBERS_IN_MAPPING)
    must = MUST_BE["list[str] | str | Mapping[str, str]" if has_numbers else kind]
    must = must.replace("dict of texts", "dict of texts or numbers") if has_numbers else must
    if kind.endswith(("Iterable[str]", "Collection[str]")) and _is_iterator(value):
        value = tuple(value)
    if not _fits(kind, value, has_numbers):
        raise PlanError(f"{name} {value!r:.60}: {must}{allowed and ', ' + allowed}")
    if isinstance(value, range) and value.step != 1:
        raise PlanError(f"{name} {value!r}: must have the step 1, not {value.step}")
    if isinstance(value, int | float | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _fits(kind: str, value: Any, has_numbers: bool) -> bool:
    """Whether a value has the type `kind`; `has_numbers` if a mapping may have numbers."""
    if kind in ("int", "float"):
        return isinstance(value, Integral if kind == "int" else Real) and not isinstance(value, bool)
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, str):
        return True
    if kind == "str":
        return False
    if kind == "str | Path":
        return isinstance(value, PathLike)
    if kind == "str | range":
        return isinstance(value, range)
    if kind == "SketchSource":
        from ritornello.composing.draw_sketch import DrawnSketch

        return isinstance(value, PathLike | DrawnSketch)
    if kind == "Music":
        from ritornello.music.score import Score

        return isinstance(value, PathLike | Score | MidiSong)
    if isinstance(value, Mapping):
        values = [item for item in value.values() if not (has_numbers and _fits("float", item, False))]
        return "Mapping" in kind and all(isinstance(item, str) for item in (*value, *values))
    return isinstance(value, Iterable) and all(isinstance(item, str) for item in value)


def _is_iterator(value: Any) -> bool:
    """Whether the items of a value can be read only once."""
    return isinstance(value, Iterable) and iter(value) is value
