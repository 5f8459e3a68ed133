"""The position on the staff and the notehead of each percussion instrument of General MIDI.

From Norman Weinberg, "Guidelines for Drumset Notation" (1994), which most programs follow. Instruments that
it does not name are distributed over the staff.
"""

from typing import NamedTuple


class DrumNotation(NamedTuple):
    """How a percussion instrument is written; step and octave are those of its position in treble clef."""

    name: str
    step: str
    octave: int
    head: str = "normal"


FOOT_PITCHES = {35, 36, 44}  # played with the feet
DRUM_NOTATION = {
    35: DrumNotation("Bass drum 2", "E", 4), 36: DrumNotation("Bass drum", "F", 4),
    44: DrumNotation("Pedal hi-hat", "D", 4, "x"), 37: DrumNotation("Side stick", "C", 5, "x"),
    38: DrumNotation("Snare", "C", 5), 40: DrumNotation("Electric snare", "C", 5),
    39: DrumNotation("Hand clap", "E", 5, "x"), 41: DrumNotation("Low floor tom", "G", 4),
    43: DrumNotation("High floor tom", "A", 4), 45: DrumNotation("Low tom", "B", 4),
    47: DrumNotation("Low-mid tom", "D", 5), 48: DrumNotation("Hi-mid tom", "E", 5),
    50: DrumNotation("High tom", "F", 5), 42: DrumNotation("Closed hi-hat", "G", 5, "x"),
    46: DrumNotation("Open hi-hat", "G", 5, "circle-x"), 49: DrumNotation("Crash cymbal", "A", 5, "x"),
    57: DrumNotation("Crash cymbal 2", "B", 5, "x"), 55: DrumNotation("Splash cymbal", "C", 6, "x"),
    52: DrumNotation("Chinese cymbal", "D", 6, "x"), 51: DrumNotation("Ride cymbal", "F", 5, "x"),
    59: DrumNotation("Ride cymbal 2", "E", 5, "x"), 53: DrumNotation("Ride bell", "F", 5, "diamond"),
    54: DrumNotation("Tambourine", "B", 5, "triangle"), 56: DrumNotation("Cowbell", "E", 5, "triangle"),
    60: DrumNotation("High bongo", "A", 5), 61: DrumNotation("Low bongo", "F", 5),
    62: DrumNotation("Mute conga", "D", 5, "x"), 63: DrumNotation("Open conga", "D", 5),
    64: DrumNotation("Low conga", "B", 4), 69: DrumNotation("Cabasa", "D", 6, "slash"),
    70: DrumNotation("Maracas", "E", 6, "slash"), 75: DrumNotation("Claves", "C", 6, "slash"),
    80: DrumNotation("Mute triangle", "F", 6, "x"),
    81: DrumNotation("Open triangle", "F", 6, "triangle"),
}  # fmt: skip


def drum_notation(pitch: int) -> DrumNotation:
    """How the percussion instrument of a MIDI pitch is written."""
    if pitch in DRUM_NOTATION:
        return DRUM_NOTATION[pitch]
    steps = 30 + pitch % 8  # of the scale, from C0: E4 to E5
    return DrumNotation(f"Percussion {pitch}", "CDEFGAB"[steps % 7], steps // 7, "diamond")
