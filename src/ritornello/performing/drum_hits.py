"""The hits of a drum part on a grid, and the inputs of the network of drum feel for each hit.

A hit has a place on the grid (in 1/24 beat), an offset from it (in beats, negative is early) and a velocity.
The network draws velocity and offset of one hit after another. Its inputs are the score before and after the
hit (`Hits.features`), and the velocities and offsets of some earlier hits (`Hits.earlier`, their indices).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import main_tempo
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

Floats = npt.NDArray[np.float64]  # (N,)
Ints = npt.NDArray[np.int64]  # (N,)

GRID = 24  # places in a beat
# Divisions of a beat: one replaces 16ths if its squared distances to the hits are below this share of theirs
DIVISIONS = {4: 1.0, 3: 0.5, 8: 0.1, 6: 0.1}
EARLY_BEATS = 0.1  # a hit less than this before a beat belongs to that beat
CLASSES: tuple[str, ...] = ("kick", "snare", "rim", "closed hat", "pedal hat", "open hat")
CLASSES += ("low tom", "mid tom", "high tom", "crash", "ride", "other")
KICK, SNARE, RIM, CLOSED, PEDAL, OPEN, LOW, MID, HIGH, CRASH, RIDE, OTHER = range(len(CLASSES))
# General MIDI, and the notes that a Roland TD-11 adds (22, 26: edges of the hi-hat; 58: edge of the low tom)
CLASS_OF_PITCH = {35: KICK, 36: KICK, 37: RIM, 38: SNARE, 39: RIM, 40: SNARE, 41: LOW, 42: CLOSED, 43: LOW}
CLASS_OF_PITCH |= {44: PEDAL, 45: MID, 46: OPEN, 47: MID, 48: HIGH, 49: CRASH, 50: HIGH, 51: RIDE, 52: CRASH}
CLASS_OF_PITCH |= {53: RIDE, 55: CRASH, 57: CRASH, 58: LOW, 59: RIDE, 22: CLOSED, 26: OPEN}
STYLES: tuple[str, ...] = (
    "rock",
    "funk",
    "jazz",
    "latin",
    "hiphop",
    "soul",
    "afrocuban",
    "punk",
    "neworleans",
    "country",
)
STYLES += ("pop", "reggae", "gospel")
FAR_BEATS = 4.0  # longer distances are treated as equal to this one
# How many earlier hits are inputs: the last ones, the last ones of the class, and those of bars before
LAST, SAME, BARS = 6, 3, 4
BAR_AGO = LAST + SAME + 2  # the column of the hit one bar ago; the columns of the bars before it follow


class Hits(NamedTuple):
    """N hits, sorted by place and class: place on the grid, class, and the inputs of the network.

    `features` (N, F) float32 follow from the score; `earlier` (N, E) are indices of hits before each one,
    -1 for none. `order` (N,) are the indices of the hits in the arrays from which they were made.
    """

    place: Ints
    kind: Ints
    features: npt.NDArray[np.float32]
    earlier: Ints
    order: Ints


def places_of(onset_beats: Floats) -> Ints:
    """Return the place (N,) on the grid of each onset (N,), both from the start of the song.

    Hits of a beat are placed on 16ths, or on triplets, 32nds or 16th triplets if these fit clearly better.
    """
    beat = np.floor(onset_beats + EARLY_BEATS).astype(np.int64)
    _, beat = np.unique(beat, return_inverse=True)
    best = np.full(int(beat.max(initial=-1)) + 1, np.inf)
    place = np.zeros(len(onset_beats), np.int64)
    for division, factor in DIVISIONS.items():
        nearest = np.rint(onset_beats * division)
        cost = np.bincount(beat, (nearest / division - onset_beats) ** 2, len(best)) + 1e-9
        wins = cost < factor * best
        best = np.where(wins, cost, best)
        place = np.where(wins[beat], nearest.astype(np.int64) * (GRID // division), place)
    return np.maximum(place, 0)


def classes_of(pitch: npt.NDArray[np.uint8]) -> Ints:
    """Return the class (N,), an index of CLASSES, of each pitch (N,) of General MIDI."""
    table = np.full(128, OTHER)
    table[list(CLASS_OF_PITCH)] = list(CLASS_OF_PITCH.values())
    return np.asarray(table[pitch])


def hits_of(place: Ints, kind: Ints, bar_start: Ints, bpm: float, style: str = "") -> Hits:
    """Return the hits of a part: places (N,) and classes (N,) in any order, the places (bars,) of bar lines.

    `style` is one of STYLES; any other text means unknown.
    """
    order = np.lexsort((kind, place))
    place, kind = place[order], kind[order]
    bar = np.maximum(np.searchsorted(bar_start, place, side="right") - 1, 0)
    within = place - bar_start[bar]
    one_hot = [np.eye(GRID)[within % GRID], np.eye(8)[np.minimum(within // GRID, 7)], np.eye(12)[kind]]
    before, at_once, after = _neighbours(place, kind)
    last_bar = bar == bar.max(initial=0)
    density = np.bincount(bar)[bar] / 16 if len(bar) else bar
    known = np.zeros((len(place), len(STYLES) + 1))
    known[:, STYLES.index(style) if style in STYLES else -1] = 1
    plain = [last_bar, bar == 0, density, np.full(len(place), np.log2(bpm / 120)), within / GRID / 4]
    features = [*one_hot, before, at_once, after, known, np.stack(plain, axis=1)]
    ago = [
        np.where(bar >= back, place - bar_start[bar] + bar_start[np.maximum(bar - back, 0)], -1)
        for back in range(1, BARS + 1)
    ]
    found = _earlier(place, kind, ago)
    kinds = np.where(found[:, :LAST] >= 0, kind[found[:, :LAST]], len(CLASSES)) if len(place) else found
    last = np.eye(len(CLASSES) + 1)[kinds[:, :2]].reshape(len(place), -1) if len(place) else np.zeros((0, 26))
    gaps = np.where(found >= 0, _closeness(place[:, None] - place[found]), 0.0) if len(place) else found
    return Hits(place, kind, np.concatenate([*features, last, gaps], axis=1, dtype=np.float32), found, order)


def _closeness(ticks: npt.NDArray[np.int64]) -> Floats:
    """Return exp(-1.5 d) for distances in places of the grid, of any shape; d is the distance in beats."""
    return np.asarray(np.exp(-np.clip(ticks / GRID, 0, FAR_BEATS) * 1.5))


def _neighbours(place: Ints, kind: Ints) -> tuple[Floats, Floats, Floats]:
    """Return, for each hit and class (N, classes), how close the last and the next hit of that class are,
    and whether a hit of that class is at the same place."""
    count = len(place)
    before, at_once, after = (np.zeros((count, len(CLASSES))) for _ in range(3))
    for drum in range(len(CLASSES)):
        own = np.unique(place[kind == drum])
        if not len(own):
            continue
        left = np.searchsorted(own, place) - 1
        right = np.searchsorted(own, place, side="right")
        before[:, drum] = np.where(left >= 0, _closeness(place - own[np.maximum(left, 0)]), 0)
        after[:, drum] = np.where(
            right < len(own), _closeness(own[np.minimum(right, len(own) - 1)] - place), 0
        )
        at_once[:, drum] = right - left > 1
    return before, at_once, after


def _earlier(place: Ints, kind: Ints, bars_ago: list[Ints]) -> Ints:
    """Return indices (N, LAST + SAME + BARS + 3) of earlier hits: the last ones, the last ones of the class,
    those of the class half a beat, a beat, and one to BARS bars ago, and of any class a bar ago."""
    count = len(place)
    index = np.arange(count)
    columns = [index - back for back in range(1, LAST + 1)]
    same = np.full((count, SAME), -1)
    for drum in range(len(CLASSES)):
        own = np.flatnonzero(kind == drum)
        for back in range(SAME):
            same[own[back + 1 :], back] = own[: -back - 1]
    columns += list(same.T)
    key = place * 16 + kind
    for target in (place - GRID // 2, place - GRID, *bars_ago):
        columns.append(_index_of(key, target * 16 + kind, index))
    at = np.searchsorted(place, bars_ago[0], side="right") - 1
    columns.append(np.where((at >= 0) & (place[at] == bars_ago[0]) & (at < index), at, -1))
    return np.maximum(np.stack(columns, axis=1), -1) if count else np.zeros((0, len(columns)), np.int64)


def _index_of(keys: Ints, wanted: Ints, index: Ints) -> Ints:
    """Return the last index (N,) of each wanted key in sorted keys (N,) before its own index; -1 for none."""
    at = np.searchsorted(keys, wanted, side="right") - 1
    found = (at >= 0) & (at < index)
    found[found] = keys[at[found]] == wanted[found]
    return np.where(found, at, -1)


class Recording(NamedTuple):
    """A drum part as a person played it: its hits, and velocity 1-127 and offset in beats of each (N,)."""

    hits: Hits
    velocity: Floats
    offset_beats: Floats


def recording_of(score: Score, style: str = "", bpm: float | None = None) -> Recording:
    """Return the drums of a song as they were played; of hits with the same place and class only the loudest.

    `bpm` is the tempo in beats per minute, by default those of the song.
    """
    drums = np.flatnonzero(score.of_drums)
    beats = score.onset_ticks[drums] / score.ticks_per_beat
    place, kind = places_of(beats), classes_of(score.pitch[drums])
    velocity = score.velocity[drums].astype(np.float64)
    order = np.lexsort((-velocity, kind, place))
    key = (place * 16 + kind)[order]
    kept = order[np.append(True, key[1:] != key[:-1])] if len(key) else order
    bars = Timeline.of(score).start_ticks * GRID // score.ticks_per_beat
    tempo = main_tempo(score).bpm if bpm is None else bpm
    hits = hits_of(place[kept], kind[kept], np.unique(bars), tempo, style)
    offset = (beats - place / GRID)[kept]
    return Recording(hits, velocity[kept][hits.order], offset[hits.order])
