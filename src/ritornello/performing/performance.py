"""The class Performance: the settings with which a song is performed, which its recipe holds."""

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
    """The settings of a performance. Raises InputError for a value out of its range."""

    feel: float = 0.0
    """0-1: the strength of changes in timing, loudness, length, pedal and tempo; 0 changes nothing."""
    swing: float = STRAIGHT
    """50-75: the length of the first of two notes in per cent of the length of both; 50 is straight."""
    swing_notes: str = "eighths"
    """Which notes swing, a name of SWING_NOTES."""
    style: str = ""
    """A name of `manners.MANNERS`, or "" if unknown."""
    seed: int = 0
    drums: str = ""
    """The hash of the network that performed the drums; "" means the bundled network."""
    parts: str = ""
    """The hash of the network that performed the other parts; "" means the rules."""
    notes: str = ""
    """The hash of the performed notes, by which a recipe recognizes its file; "" before performing."""

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

    @property
    def has_own_networks(self) -> bool:
        """Whether a network of a model folder performed the song."""
        return bool(self.drums or self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the performance as values that JSON can hold."""
        values = asdict(self)
        return values if self.parts else {name: values[name] for name in values if name != "parts"}

    @classmethod
    def from_dict(cls, values: Any) -> Performance:
        """Return the performance that `to_dict` wrote. Raises InputError if a field is unknown or wrong."""
        field_types = {field.name: type(field.default) for field in fields(cls)}
        if not isinstance(values, Mapping) or set(values) - set(field_types):
            raise InputError(f"the performance of the recipe must be an object of {', '.join(field_types)}")
        checked: dict[str, Any] = {}
        for name, value in values.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = isinstance(value, str) if field_types[name] is str else is_number
            if not fits or (field_types[name] is int and not isinstance(value, int)):
                raise InputError(f"performance.{name} of the recipe is {value!r:.40}, which is not allowed")
            checked[name] = float(value) if field_types[name] is float else value
        return cls(**checked)
