"""The hits of a drum part on a grid, and the inputs of the network of drum feel for each hit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, main_tempo
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.grid_notes import (
    GridNotes,
    Ints,
    Recording,
    earlier_notes,
    neighbours,
    places_of,
)

CLASSES = (
    "kick", "snare", "rim", "closed hat", "pedal hat", "open hat",
    "low tom", "mid tom", "high tom", "crash", "ride", "other",
)  # fmt: skip
KICK, SNARE, RIM, CLOSED, PEDAL, OPEN, LOW, MID, HIGH, CRASH, RIDE, OTHER = range(len(CLASSES))
# General MIDI, and the notes that a Roland TD-11 adds (22, 26: edges of the hi-hat; 58: edge of the low tom)
CLASS_OF_PITCH = {35: KICK, 36: KICK, 37: RIM, 38: SNARE, 39: RIM, 40: SNARE, 41: LOW, 42: CLOSED, 43: LOW}
CLASS_OF_PITCH |= {44: PEDAL, 45: MID, 46: OPEN, 47: MID, 48: HIGH, 49: CRASH, 50: HIGH, 51: RIDE, 52: CRASH}
CLASS_OF_PITCH |= {53: RIDE, 55: CRASH, 57: CRASH, 58: LOW, 59: RIDE, 22: CLOSED, 26: OPEN}
STYLES = (
    "rock", "funk", "jazz", "latin", "hiphop", "soul", "afrocuban", "punk", "neworleans", "country",
    "pop", "reggae", "gospel",
)  # fmt: skip


def classes_of(pitch: npt.NDArray[np.uint8]) -> Ints:
    """Return the class (N,), an index of CLASSES, of each pitch (N,) of General MIDI."""
    table = np.full(128, OTHER)
    table[list(CLASS_OF_PITCH)] = list(CLASS_OF_PITCH.values())
    return np.asarray(table[pitch])


def hits_of(place: Ints, kind: Ints, bar_start: Ints, bpm: float, style: str = "") -> GridNotes:
    """Return the hits of a part from their places (N,) and classes (N,), which may be in any order.

    `bar_start` (bars,) are the places of bar lines; `style` is one of STYLES, any other text means unknown.
    """
    order = np.lexsort((kind, place))
    place, kind = place[order], kind[order]
    bar = np.maximum(np.searchsorted(bar_start, place, side="right") - 1, 0)
    within = place - bar_start[bar]
    one_hot = [np.eye(GRID)[within % GRID], np.eye(8)[np.minimum(within // GRID, 7)], np.eye(12)[kind]]
    last_bar = bar == bar.max(initial=0)
    density = np.bincount(bar)[bar] / 16 if len(bar) else bar
    style_one_hot = np.zeros((len(place), len(STYLES) + 1))
    style_one_hot[:, STYLES.index(style) if style in STYLES else -1] = 1
    plain = [last_bar, bar == 0, density, np.full(len(place), np.log2(bpm / 120)), within / GRID / 4]
    around = neighbours(place, kind, len(CLASSES))
    earlier, described = earlier_notes(place, kind, bar_start, len(CLASSES))
    features = [*one_hot, *around, style_one_hot, np.stack(plain, axis=1), *described]
    return GridNotes(place, kind, np.concatenate(features, axis=1, dtype=np.float32), earlier, order)


def recording_of(score: Score, style: str = "", bpm: float | None = None) -> Recording:
    """Return the drums of a song as they were played: of each hit its velocity (1-127) and offset (beats).

    Of hits with the same place and class only the loudest stays. `bpm` is the tempo in beats per minute; None
    takes the song's main tempo.
    """
    drums = np.flatnonzero(score.of_drums)
    beats = score.onset_ticks[drums] / score.ticks_per_beat
    place, kind = places_of(beats), classes_of(score.pitch[drums])
    velocity = score.velocity[drums].astype(np.float64)
    order = np.lexsort((-velocity, kind, place))
    key = (place * 16 + kind)[order]
    loudest = order[np.append(True, key[1:] != key[:-1])] if len(key) else order
    bars = Timeline.of(score).start_ticks * GRID // score.ticks_per_beat
    tempo = main_tempo(score).bpm if bpm is None else bpm
    hits = hits_of(place[loudest], kind[loudest], np.unique(bars), tempo, style)
    offset = (beats - place / GRID)[loudest]
    return Recording(hits, {"velocity": velocity[loudest][hits.order], "offset": offset[hits.order]})
