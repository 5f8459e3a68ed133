"""Drum maps: which note of a drum kit plays which percussion sound of General MIDI.

The table of a kit gives, for each pitch of General MIDI, the notes of the kit with that sound; when songs are
written, the first of them is used. A table has only notes on which two independent public tables of the kit
agree, or that the cited document of its maker gives. Kits without such sources, such as Battery, are missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError
from ritornello.music.file_details import FileDetails
from ritornello.music.score import COLUMNS, Score
from ritornello.system.suggest import did_you_mean

Notes = dict[int, tuple[int, ...]]


class DrumMap(NamedTuple):
    """The notes of a kit by pitch of General MIDI, and the notes of the kit that silence a cymbal."""

    kit: str
    notes: Notes
    chokes: tuple[int, ...] = ()


# General MIDI level 1 percussion is 35-81 (MIDI Manufacturers Association, RP-003); other sets have more. 22
# and 26 are the edges of the hi-hat on kits that otherwise follow General MIDI.
_GM: Notes = {pitch: (pitch,) for pitch in range(128) if pitch not in (22, 26)}
_GM |= {42: (42, 22), 46: (46, 26)}
# Factory notes of the TD-11, TD-17 and TD-27: Roland, "TD-17 Default Factory MIDI Note Map"; the same in the
# table of the Groove MIDI Dataset (Gillick et al., "Learning to Groove ...", 2019), whose kit was a TD-11.
_ROLAND: Notes = {
    36: (36,), 37: (37,), 38: (38,), 40: (40,), 42: (42, 22), 44: (44,), 46: (46, 26),
    48: (48, 50), 45: (45, 47), 43: (43, 58), 49: (49, 55), 57: (57, 52), 51: (51,), 59: (59,), 53: (53,),
}  # fmt: skip
# Default layout of EZdrummer and Superior Drummer 3, which extends General MIDI: Toontrack calls its sounds
# "Closed Edge", "Open 1" and so on. Some notes of General MIDI silence a cymbal here.
_TOONTRACK: Notes = {
    36: (36, 35), 37: (37,), 38: (38,), 40: (40,), 42: (42, 22, 61, 62, 63), 44: (44, 21, 23),
    46: (46, 24, 25, 26, 60, 17), 48: (48, 82), 47: (47, 80), 45: (45, 78), 43: (43, 75), 41: (41, 73),
    49: (49,), 55: (55,), 57: (57,), 52: (52,), 51: (51,), 59: (59,), 53: (53,),
}  # fmt: skip
# Default map of Addictive Drums 2 (XLN Audio), which does not follow General MIDI.
_ADDICTIVE: Notes = {
    36: (36,), 37: (42,), 38: (38, 40, 43), 40: (37, 44), 42: (51, 49, 50, 52, 53), 44: (48,),
    46: (56, 54, 55, 57, 58, 59), 50: (71, 72), 47: (69, 70), 45: (67, 68), 41: (65, 66), 49: (77, 46),
    57: (79, 81, 89, 93), 52: (91,), 51: (60, 62, 45), 59: (84, 86), 53: (61, 85), 56: (47,),
}  # fmt: skip

DRUM_MAPS = {
    "gm": DrumMap("General MIDI", _GM),
    "roland": DrumMap("Roland V-Drums (TD)", _ROLAND),
    "toontrack": DrumMap("EZdrummer, Superior Drummer", _TOONTRACK, (50, 54, 56, 58, 83)),
    "addictive": DrumMap("Addictive Drums 2", _ADDICTIVE, (63, 78, 80, 82, 87, 90, 92, 94)),
}
ALIASES = {
    "general midi": "gm", "v-drums": "roland", "vdrums": "roland", "td": "roland", "td-11": "roland",
    "td-17": "roland", "td-27": "roland", "ezdrummer": "toontrack", "superior": "toontrack",
    "superior drummer": "toontrack", "sd3": "toontrack", "addictive drums": "addictive", "ad2": "addictive",
    "addictive drums 2": "addictive", "superior drummer 3": "toontrack", "ezdrummer 3": "toontrack",
}  # fmt: skip
# The substitutes for a sound that a kit lacks, the most similar first. Other sounds have none.
SUBSTITUTES = {
    35: (36,), 36: (35,), 38: (40,), 40: (38,), 37: (40, 38), 44: (42,), 42: (44,), 46: (42,),
    50: (48, 47, 45), 48: (50, 47, 45), 47: (45, 48, 50), 45: (47, 43, 48), 43: (41, 45), 41: (43, 45),
    49: (57, 55), 57: (49, 55), 55: (57, 49), 52: (57, 49), 51: (59,), 59: (51,), 53: (51,),
}  # fmt: skip


def find_drum_map(name: str) -> DrumMap:
    """Return a drum map by a name of DRUM_MAPS or ALIASES. Raises InputError with the most similar name."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key in DRUM_MAPS:
        return DRUM_MAPS[key]
    hint = did_you_mean(key, [*DRUM_MAPS, *ALIASES])
    raise InputError(f"drum map {name!r}: must be one of {', '.join(DRUM_MAPS)}{hint}")


def from_drum_map(score: Score, name: str) -> Score:
    """Return a song, whose drums are notes of the kit `name`, with its drums in General MIDI.

    Notes that silence a cymbal are left out; a note that the kit does not have keeps its pitch. If the song
    has one part and no drums, this part is taken as the drums. Raises InputError if the kit is unknown, or if
    there are no drums.
    """
    kit = find_drum_map(name)
    if not any(part.is_drum for part in score.parts):
        if len(score.parts) != 1:
            raise InputError(f"drum map {name!r}: the song has no drums, which are on channel 10")
        score = _as_drums(score)
    to_gm = np.arange(128)
    for pitch, notes in kit.notes.items():
        to_gm[list(notes)] = pitch
    return _mapped(score, to_gm, ~np.isin(score.pitch, kit.chokes))[0]


def to_drum_map(score: Score, name: str) -> tuple[Score, int]:
    """Return a song, whose drums are in General MIDI, with its drums as notes of the kit `name`.

    A sound that the kit lacks is replaced by the first of its SUBSTITUTES that the kit has. Also return how
    many notes have no substitute and are left out. Raises InputError if the kit is unknown.
    """
    kit = find_drum_map(name)
    to_kit = np.full(128, -1)
    for pitch in range(128):
        place = next((p for p in (pitch, *SUBSTITUTES.get(pitch, ())) if p in kit.notes), None)
        if place is not None:
            to_kit[pitch] = kit.notes[place][0]
    to_kit[[22, 26]] = to_kit[[42, 46]]
    return _mapped(score, np.maximum(to_kit, 0), to_kit[score.pitch] >= 0)


def _mapped(score: Score, pitches: npt.NDArray[Any], has_place: npt.NDArray[np.bool_]) -> tuple[Score, int]:
    """Return the song with the pitch p of each drum note replaced by `pitches[p]` (128,), and a count.

    The count is of drum notes that were left out, because `has_place` (N,) is false for them. Notes of equal
    pitch and onset become one.
    """
    drums = score.of_drums
    stays = ~drums | has_place
    pitch = np.where(drums, pitches[score.pitch], score.pitch)[stays]
    columns = {name: getattr(score, name)[stays] for name in COLUMNS} | {"pitch": pitch}
    notes = Score.of(score.ticks_per_beat, **columns, parts=score.parts)
    return replace(score, **{name: getattr(notes, name) for name in COLUMNS}), int((~stays).sum())


def _as_drums(score: Score) -> Score:
    """The song with its only part as drums; a written file has it on the channel of drums."""
    part = score.parts[0]._replace(is_drum=True)
    return replace(score, parts=(part,), details=FileDetails(encoded=score.details.encoded))
