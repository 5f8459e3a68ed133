"""Rules of how much a part plays at once. As in rules.py, each says what logits gain."""

from __future__ import annotations

import numpy as np

from ritornello.composing.sampling_state import Bias, Ear
from ritornello.representations.grid.vocabulary import DRUM_PART, PARTS, SHIFTS

NEVER = np.float32(-np.inf)

VOICES = 20  # notes that sound at once in one part: more than hands have, but the pedal holds them
CROWDED = 6.0  # what a part loses for each note more than usual that it would strike at one onset
LEAST = 0.01  # nats of which it is worth speaking


def hands_and_lungs(ear: Ear) -> Bias | None:
    """A part that has as many notes sounding as can be played takes no more until one ends."""
    full = [
        part
        for part, ends in ear.sounding.items()
        if len(ends) >= VOICES and sum(end > ear.tick for end in ends) >= VOICES
    ]
    if not full:
        return None
    bias = np.zeros(PARTS, np.float32)
    bias[full] = NEVER
    return bias


def as_many_voices_as_usual(ear: Ear) -> Bias | None:
    """A part that strikes as many notes here as is usual for the label at most is held back, ever more."""
    if ear.tick != ear.onset or not (held := _crowded(ear)):
        return None
    bias = np.zeros(PARTS, np.float32)
    bias[ear.part] = -held
    return bias


def no_piling_up(ear: Ear) -> Bias | None:
    """Where only such a part could follow at this onset, the clock is rather moved on."""
    held = _crowded(ear)
    if (
        not held
        or ear.song.clock != ear.onset
        or ear.request.parts is None
        or ear.part < ear.request.parts[-1]
    ):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[0] = -held
    return bias


def no_standing_in(ear: Ear) -> Bias | None:
    """Where the network would have had other parts than those asked for, these do not play their notes too:
    the clock is rather moved on, as if they had been played.
    """
    if ear.song.clock != ear.onset or ear.unasked < LEAST:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[0] = -ear.unasked
    return bias


def _crowded(ear: Ear) -> float:
    """What one more note at the present onset costs the part that struck the last one; drums have many."""
    return 0.0 if ear.part == DRUM_PART else CROWDED * max(0.0, ear.together + 1 - ear.request.voices)
