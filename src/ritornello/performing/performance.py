"""The class Performance: how a song is performed. A recipe keeps it, to make the same again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ritornello.errors import InputError, check_between

SWING_NOTES = {"eighths": 0.5, "sixteenths": 0.25}  # beats
STRAIGHT = 50.0
MAX_SEED = (1 << 63) - 1


@dataclass(frozen=True)
class Performance:
    """How a song is performed. Raises InputError for a value out of its range."""

    feel: float = 0.0
    """0-1: how far timing, loudness, length, pedal and tempo go from the grid to what people play."""
    swing: float = STRAIGHT
    """50-75: the share, in per cent, of the first of two notes, of the time of both; 50 is straight."""
    swing_notes: str = "eighths"
    """Which notes swing, a name of SWING_NOTES."""
    style: str = ""
    """A name of `manners.MANNERS`, or "" if unknown."""
    seed: int = 0
    drums: str = ""
    """The hash of the network that played the drums; "" is the one that ships."""
    notes: str = ""
    """The hash of the performed notes, by which a recipe knows its file; "" before they are made."""

    def __post_init__(self) -> None:
        check_between("feel", self.feel, 0, 1)
        check_between("swing", self.swing, 50, 75)
        check_between("seed", self.seed, 0, MAX_SEED)
        if self.swing_notes not in SWING_NOTES:
            raise InputError(f"swing_notes {self.swing_notes!r}: must be {' or '.join(SWING_NOTES)}")

    @property
    def is_plain(self) -> bool:
        """Whether the song stays as it is on its grid."""
        return self.feel == 0 and self.swing == STRAIGHT

    def to_dict(self) -> dict[str, Any]:
        """Return the performance as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Performance:
        """Return the performance that `to_dict` wrote. Raises InputError if a field is unknown or wrong."""
        known = {field.name: type(field.default) for field in fields(cls)}
        if not isinstance(values, Mapping) or set(values) - set(known):
            raise InputError(f"the performance of the recipe must be an object of {', '.join(known)}")
        checked: dict[str, Any] = {}
        for name, value in values.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = is_number and known[name] is not str if known[name] is not str else isinstance(value, str)
            if not fits or (known[name] is int and not isinstance(value, int)):
                raise InputError(f"performance.{name} of the recipe is {value!r:.40}, which is not allowed")
            checked[name] = float(value) if known[name] is float else value
        return cls(**checked)
