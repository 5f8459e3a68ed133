"""Where the percussion of General MIDI stands on its staff, and which noteheads it has.

After Norman Weinberg, "Guidelines for Drumset Notation" (1994), which most programs follow; what it does not
name is spread over the staff.
"""

from __future__ import annotations

from typing import NamedTuple


class Stroke(NamedTuple):
    """A drum's name, its place on the staff as if in the treble clef, and its notehead."""

    name: str
    step: str
    octave: int
    head: str = "normal"


FEET = {35, 36, 44}
DRUM_NOTATION = {
    35: Stroke("Bass drum 2", "E", 4), 36: Stroke("Bass drum", "F", 4),
    44: Stroke("Pedal hi-hat", "D", 4, "x"),
    37: Stroke("Side stick", "C", 5, "x"), 38: Stroke("Snare", "C", 5), 40: Stroke("Electric snare", "C", 5),
    39: Stroke("Hand clap", "E", 5, "x"), 41: Stroke("Low floor tom", "G", 4),
    43: Stroke("High floor tom", "A", 4), 45: Stroke("Low tom", "B", 4), 47: Stroke("Low-mid tom", "D", 5),
    48: Stroke("Hi-mid tom", "E", 5), 50: Stroke("High tom", "F", 5),
    42: Stroke("Closed hi-hat", "G", 5, "x"), 46: Stroke("Open hi-hat", "G", 5, "circle-x"),
    49: Stroke("Crash cymbal", "A", 5, "x"), 57: Stroke("Crash cymbal 2", "B", 5, "x"),
    55: Stroke("Splash cymbal", "C", 6, "x"), 52: Stroke("Chinese cymbal", "D", 6, "x"),
    51: Stroke("Ride cymbal", "F", 5, "x"), 59: Stroke("Ride cymbal 2", "E", 5, "x"),
    53: Stroke("Ride bell", "F", 5, "diamond"), 54: Stroke("Tambourine", "B", 5, "triangle"),
    56: Stroke("Cowbell", "E", 5, "triangle"), 60: Stroke("High bongo", "A", 5),
    61: Stroke("Low bongo", "F", 5),
    62: Stroke("Mute conga", "D", 5, "x"), 63: Stroke("Open conga", "D", 5), 64: Stroke("Low conga", "B", 4),
    69: Stroke("Cabasa", "D", 6, "slash"), 70: Stroke("Maracas", "E", 6, "slash"),
    75: Stroke("Claves", "C", 6, "slash"), 80: Stroke("Mute triangle", "F", 6, "x"),
    81: Stroke("Open triangle", "F", 6, "triangle"),
}  # fmt: skip


def stroke(pitch: int) -> Stroke:
    """How the percussion of a pitch is written."""
    if pitch in DRUM_NOTATION:
        return DRUM_NOTATION[pitch]
    place = 30 + pitch % 8  # steps from C0: E4 to E5
    return Stroke(f"Percussion {pitch}", "CDEFGAB"[place % 7], place // 7, "diamond")
