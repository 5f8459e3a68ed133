"""Read one bar of a sketch file: the values of its JSON object, each checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ritornello.errors import PlanError
from ritornello.music import theory
from ritornello.music.sketch import CADENCE_NAMES, MAX_NOTES_OF_A_BAR, NO_MOTIF, UNKNOWN, Texture

BAR_KEYS = ("bar", "meter", "section", "chords", "repeats", "motif", "cadence", "closing", "texture")
CADENCES = ("none", *CADENCE_NAMES[1:])
SIMILARITIES = {"some": 1, "most": 2, "all": 3}
NOTHING, NEW, RESTS = "nothing", "new", "rests"  # values of "repeats", "motif" and "texture"
OPEN_RETURN = (-1, UNKNOWN)  # a bar of which the sketch does not state what it repeats


def check_keys(what: str, data: Any, known: Sequence[str]) -> None:
    """Raise PlanError unless `data` is an object without unknown keys."""
    if not isinstance(data, Mapping):
        raise PlanError(f"{what} is {data!r:.40}: must be an object")
    if unknown := sorted(set(data) - set(known)):
        raise PlanError(f"{what} has the unknown key {unknown[0]!r:.40}: must be one of {', '.join(known)}")


class Bar:
    """The JSON object of one bar; its properties read and check the values. Raises PlanError with the bar."""

    def __init__(self, index: int, values: Any, has_pickup: bool) -> None:
        number = index + 1 - has_pickup
        check_keys(f"bar {number}", values, BAR_KEYS)
        self.index, self.number, self.values = index, number, values
        self._first = 1 - has_pickup  # the number of the first bar
        if values.get("bar", number) != number:
            raise PlanError(
                f"bar {values['bar']!r:.20} is in the place of bar {number}: must count from 1 (pickup: 0)"
            )

    def _error(self, key: str, allowed: str) -> PlanError:
        return PlanError(f"bar {self.number}: {key} {self.values[key]!r:.60}: must be {allowed}")

    def text(self, key: str) -> str | None:
        """Return a text, or None if it is open."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(key, "a text")
        return value

    @property
    def section(self) -> str | None:
        """Return the name of the section that begins with this bar."""
        name = self.text("section")
        if name is not None and not re.fullmatch(r"[^\W_]+'*~?", name):
            raise self._error("section", "letters and digits, then ' or ~ (varied), such as A or A~")
        return name

    @property
    def meter(self) -> tuple[int, int] | None:
        """Return the meter that begins with this bar."""
        text = self.text("meter")
        if text is None:
            return None
        match = re.fullmatch(r"(\d{1,3})/(1|2|4|8|16|32|64)", text)
        if not match or not int(match[1]):
            raise self._error("meter", "a time signature, such as 3/4")
        return int(match[1]), int(match[2])

    @property
    def repeats(self) -> tuple[int, int]:
        """Return the bar, from 0, that is repeated, and the similarity; OPEN_RETURN if that is open."""
        text = self.text("repeats")
        if text in (None, NOTHING):
            return OPEN_RETURN if text is None else (-1, 0)
        match = re.fullmatch(r"(?:(some|most|all) of )?(bar \d{1,6})", text or "")
        if not match or (earlier := self._earlier(match[2])) is None:
            raise self._error("repeats", f"{NOTHING!r}, or all of, most of or some of an earlier bar")
        return earlier, SIMILARITIES.get(match[1], UNKNOWN)

    def _earlier(self, text: str) -> int | None:
        """Return the index of an earlier bar, such as "bar 1"; None for any other text."""
        match = re.fullmatch(r"bar (\d{1,6})", text)
        return int(match[1]) - self._first if match and self._first <= int(match[1]) < self.number else None

    @property
    def cadence(self) -> int:
        """Return the cadence at the end of the bar."""
        name = self.text("cadence")
        if name is None:
            return UNKNOWN
        if name not in CADENCES:
            raise self._error("cadence", f"one of {', '.join(CADENCES)}")
        return CADENCES.index(name)

    @property
    def closing(self) -> tuple[float, int] | None:
        """Return the beat, from 1, and the pitch class of the note on which the phrase closes."""
        text = self.text("closing")
        if text is None:
            return None
        match = re.fullmatch(r"([A-G][#b]{0,2}) on beat (\d{1,3}(?:\.\d{1,6})?)", text)
        if match is None:
            raise self._error("closing", "a note and a beat, such as 'D on beat 3'")
        return float(match[2]), theory.parse_pitch(f"{match[1]}4") % 12

    @property
    def motif(self) -> int:
        """Return the bar, from 0, whose motif the bar shares."""
        text = self.text("motif")
        if text in (None, NEW):
            return UNKNOWN if text is None else NO_MOTIF
        if (earlier := self._earlier(text or "")) is None:
            raise self._error("motif", f"{NEW!r} or an earlier bar, such as 'bar 1'")
        return earlier

    @property
    def textures(self) -> dict[str, Texture]:
        """Return the texture of each part that is stated."""
        parts = self.values.get("texture")
        if parts is None:
            return {}
        if not isinstance(parts, Mapping):
            raise self._error("texture", 'an object of parts, such as {"violin": "rests"}')
        return {str(part): self._texture(part, value) for part, value in parts.items() if value is not None}

    def _texture(self, part: Any, value: Any) -> Texture:
        """Return the notes and the mean pitch of a part in the bar."""
        if value == RESTS:
            return (0, UNKNOWN)
        what = f"bar {self.number}: {part}"
        if not isinstance(value, Mapping) or set(value) - {"notes", "pitch"}:
            raise PlanError(f'{what} {value!r:.60}: must be "rests" or such as {{"notes": 8, "pitch": "C4"}}')
        notes, pitch = value.get("notes"), value.get("pitch")
        if notes is not None and (type(notes) is not int or not 0 <= notes <= MAX_NOTES_OF_A_BAR):
            raise PlanError(f"{what}: notes {notes!r:.40}: must be 0-{MAX_NOTES_OF_A_BAR}")
        try:
            number = UNKNOWN if pitch is None else theory.parse_pitch(str(pitch))
        except ValueError as error:
            raise PlanError(f"{what}: {error}") from None
        return (UNKNOWN if notes is None else notes, number)
