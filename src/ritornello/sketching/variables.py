"""The variables of a sketch, which the sketch network predicts, as arrays of classes. Any may be open.

kind        for each              class
origin      bar                   the earlier bar that it returns to, or NONE
similarity  bar                   0-3 as in Plan.returns; 0 without an origin
cadence     bar                   as in Sketch.cadences
chord       slot of a bar         root * KINDS + kind, or NO_CHORD; roots are moved to C major or A minor
closing_onset bar                 eighths from the bar line to the note on which its phrase closes, or NONE
closing_pitch bar                 the pitch class of that note, moved to C major or A minor, or NONE
motif       bar                   the first earlier bar with its motif, or NONE
presence    part                  the share of bars in which the part plays, in quarters (0-3)
notes       part and bar          the number of notes, exact up to 16
pitch       part and bar          the mean pitch divided by 4, or NONE where the part rests
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.key_estimate import estimate_key
from ritornello.music.modes import fitting_chords
from ritornello.music.plan import Plan
from ritornello.music.score import Chord, Part, drop_redundant
from ritornello.music.sketch import NO_CADENCE, NO_MOTIF, UNKNOWN, Sketch
from ritornello.music.theory import CHORD_KINDS
from ritornello.music.theory import CHORDS as CHORD_TONES
from ritornello.music.timeline import Timeline
from ritornello.music.usual_textures import usual_pitches

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]  # of any shape; each user names it

NONE, OPEN, ABSENT = -1, -2, -3  # the bar or part has no such value; it is unknown; there is no such variable
SLOTS = 8  # the most chords in a bar, one a beat; in longer bars a slot has several beats
KINDS = len(CHORD_KINDS)
NO_CHORD = 12 * KINDS
CHORDS = NO_CHORD + 1
SIMILARITIES, CADENCES, PRESENCES = 4, 4, 4
TICKS_PER_CLOSING_ONSET = 12
CLOSING_ONSETS, CLOSING_PITCHES = (
    16,
    12,
)  # the last class of onsets includes all later ones; it is never drawn
CLOSINGS = ("closing_onset", "closing_pitch")
NOTE_CLASS_STARTS = np.array([*range(17), 17, 21, 25, 33, 49])  # the least number of notes of each class
NOTE_CLASSES = len(NOTE_CLASS_STARTS)
SEMITONES_PER_MEAN_PITCH_CLASS = 4
MEAN_PITCH_CLASSES = 128 // SEMITONES_PER_MEAN_PITCH_CLASS


@dataclass
class Variables:
    """The variables of a sketch of T bars and P parts. Each is a class, NONE, OPEN or ABSENT."""

    origin: Ints  # (T,)
    similarity: Ints  # (T,)
    cadence: Ints  # (T,)
    chord: Ints  # (T, SLOTS)
    closing_onset: Ints  # (T,)
    closing_pitch: Ints  # (T,)
    motif: Ints  # (T,)
    presence: Ints  # (P,)
    notes: Ints  # (P, T)
    pitch: Ints  # (P, T)

    @classmethod
    def of(cls, plan: Plan, timeline: Timeline, open_bars: Mask | None = None) -> Variables:
        """Return the variables of a plan with the bars `timeline`; open values are OPEN.

        The chords of `open_bars` (T,) are open. None means that all are if the plan has no chords, else none.
        """
        bars, sketch = len(timeline), plan.sketch or Sketch()
        origin, similarity = _returns(plan, bars)
        cadence = _filled(sketch.cadences, bars, UNKNOWN)
        motif = _filled(sketch.motifs, bars, UNKNOWN)
        textures = [_filled(texture, bars, (UNKNOWN, UNKNOWN)) for texture in matched_textures(plan)]
        notes, pitch = np.array(textures, np.int64).reshape(len(plan.parts), bars, 2).transpose(2, 0, 1)
        variables = cls(
            origin,
            similarity,
            np.where(cadence == UNKNOWN, OPEN, cadence),
            _chords(plan, timeline, open_bars),
            *_closings(plan, cadence),
            np.select([motif == UNKNOWN, motif == NO_MOTIF], [OPEN, NONE], motif),
            np.full(len(plan.parts), OPEN),
            np.where(notes < 0, OPEN, np.searchsorted(NOTE_CLASS_STARTS, notes, side="right") - 1),
            np.select([notes == 0, pitch < 0], [NONE, OPEN], pitch // SEMITONES_PER_MEAN_PITCH_CLASS),
        )
        is_known = (notes >= 0).all(axis=1)
        variables.presence[is_known] = presence_of(notes[is_known] > 0)
        return variables

    def copy(self) -> Variables:
        """Return variables that can be changed without changing these."""
        return replace(self, **{name: array.copy() for name, array in vars(self).items()})


def repeated_bars(variables: Variables, least: int, same_cadence: bool) -> Ints:
    """Return the number (T,) of the first bar that each bar repeats, or its own number.

    A bar repeats its origin if its similarity is `least` or more; with `same_cadence`, only if the cadence
    is the same too.
    """
    v = variables
    found = np.arange(len(v.origin))
    for bar in np.flatnonzero((v.origin >= 0) & (v.similarity >= least)).tolist():
        origin = int(v.origin[bar])
        if not same_cadence or v.cadence[bar] == v.cadence[origin]:
            found[bar] = found[origin]
    return found


def presence_of(plays: Mask) -> Ints:
    """Return the class of presence (P,) of parts that play in some of T bars, `plays` (P, T)."""
    share = plays.mean(axis=1) if plays.shape[1] else np.zeros(len(plays))
    return np.asarray(np.minimum(share * PRESENCES, PRESENCES - 1).astype(np.int64))


def slot_ticks(timeline: Timeline) -> Ints:
    """Return the length of a slot of each bar (T,) in ticks: a beat, or several so that SLOTS are enough."""
    length = timeline.length_ticks
    beat = timeline.ticks_per_beat
    compound = (timeline.denominator == 8) & (length % (beat * 3 // 2) == 0)
    unit = np.where(compound, beat * 3 // 2, beat)
    return np.asarray(unit * -(-length // (SLOTS * unit)))


def slot_counts(timeline: Timeline) -> Ints:
    """Return the number of slots of each bar (T,)."""
    return np.asarray(-(-timeline.length_ticks // slot_ticks(timeline)))


def matched_textures(plan: Plan) -> list[tuple[Any, ...]]:
    """Return the textures in a plan's sketch for each part of the plan; () for a part without any.

    Parts of the same program are matched in order.
    """
    sketch = plan.sketch or Sketch()
    unmatched: dict[tuple[int, bool], list[tuple[Any, ...]]] = {}
    for part, texture in zip(sketch.parts, sketch.textures, strict=True):
        unmatched.setdefault(_kind_of_part(part), []).append(texture)
    return [
        unmatched[kind].pop(0) if unmatched.get(kind := _kind_of_part(part)) else () for part in plan.parts
    ]


def chords_of(variables: Variables, plan: Plan, timeline: Timeline, known: Mask) -> tuple[Chord, ...]:
    """Return the chords at 24 ticks a beat; bars that are `known` (T,) have those of the plan, unchanged."""
    chords: list[Chord] = []
    size, sharps = slot_ticks(timeline), plan.key[0] if plan.key else 0
    onsets = [chord.onset_ticks for chord in plan.chords]
    for bar, start in enumerate(timeline.start_ticks.tolist()):
        if known[bar]:
            end = start + int(timeline.length_ticks[bar])
            before = np.searchsorted(onsets, start, side="right") - 1
            if bar and not known[bar - 1] and before >= 0:  # the plan's chord holds here again
                chords.append(plan.chords[before]._replace(onset_ticks=start))
            chords += [chord for chord in plan.chords if start <= chord.onset_ticks < end]
            continue
        for slot, value in enumerate(variables.chord[bar].tolist()):
            if 0 <= value < NO_CHORD:
                root, kind = divmod(value, KINDS)
                onset = start + slot * int(size[bar])
                chords.append(Chord(onset, (root + 7 * sharps) % 12, CHORD_KINDS[kind]))
    return drop_redundant(chords)


def key_of_chords(chord: Ints) -> tuple[int, bool]:
    """Return the key (sharps, is_minor) that is heard in the chords (T, SLOTS), by `estimate_key`."""
    weights, root = np.zeros(12), None
    for number in chord[(chord >= 0) & (chord < NO_CHORD)].tolist():
        root, kind = divmod(number, KINDS)
        weights[(root + np.array(CHORD_TONES[CHORD_KINDS[kind]][1])) % 12] += 1
    return estimate_key(weights, root)


def sketch_of(variables: Variables, plan: Plan, generator: np.random.Generator) -> Sketch:
    """Return the sketch of complete variables; values that the plan's sketch has stay.

    For a class that stands for several numbers of notes, one of them is drawn.
    """
    bars = len(variables.cadence)
    ends = np.append(NOTE_CLASS_STARTS[1:], 65)
    textures = []
    for part, texture in enumerate(matched_textures(plan)):
        known = _filled(texture, bars, (UNKNOWN, UNKNOWN))
        classes = variables.notes[part]
        notes = generator.integers(NOTE_CLASS_STARTS[classes], ends[classes])
        notes = np.where(known[:, 0] == UNKNOWN, notes, known[:, 0])
        middle = variables.pitch[part] * SEMITONES_PER_MEAN_PITCH_CLASS + SEMITONES_PER_MEAN_PITCH_CLASS // 2
        pitch = np.where(known[:, 1] == UNKNOWN, middle, known[:, 1])
        pitch = np.where(notes == 0, UNKNOWN, pitch)
        textures.append(tuple(zip(notes.tolist(), pitch.tolist(), strict=True)))
    motifs = np.where(variables.motif == NONE, NO_MOTIF, variables.motif)
    cadences, closings = tuple(variables.cadence.tolist()), _closing_notes(variables, plan)
    return Sketch(cadences, tuple(motifs.tolist()), plan.parts, tuple(textures), closings)


def _closing_notes(variables: Variables, plan: Plan) -> tuple[tuple[int, int], ...]:
    """Return the closing note of each bar, or () if none is known; those of the plan's sketch stay."""
    onset, pitch = variables.closing_onset * TICKS_PER_CLOSING_ONSET, variables.closing_pitch
    pitch = np.where(pitch < 0, UNKNOWN, (pitch + 7 * (plan.key[0] if plan.key else 0)) % 12)
    drawn = np.stack([np.where(onset < 0, UNKNOWN, onset), pitch], axis=1)
    known = _filled(plan.sketch.closings if plan.sketch else (), len(drawn), (UNKNOWN, UNKNOWN))
    notes = np.where(known == UNKNOWN, drawn, known)
    return tuple((ticks, pitch) for ticks, pitch in notes.tolist()) if (notes >= 0).any() else ()


def _kind_of_part(part: Part) -> tuple[int, bool]:
    return (0 if part.is_drum else part.program, part.is_drum)


def _filled(values: Sequence[Any], count: int, missing: Any) -> Ints:
    """Return the first `count` values as an array, filled up with `missing`."""
    return np.array(([*values, *[missing] * count])[:count], np.int64).reshape(count, *np.shape(missing))


def _returns(plan: Plan, bars: int) -> tuple[Ints, Ints]:
    """Return the origin and the similarity of each bar (T,). In a plan, (-1, -1) is an open bar."""
    if plan.returns is None:
        return np.full(bars, OPEN), np.full(bars, OPEN)
    origin, similarity = _filled(plan.returns, bars, (-1, 0)).T.copy()
    origin[(origin < 0) & (similarity < 0)] = OPEN
    similarity[similarity < 0] = OPEN
    similarity[origin == NONE] = 0
    return origin, similarity


def late_onsets(length_ticks: Ints) -> Mask:
    """Return which classes of closing onsets (T, classes) bars of `length_ticks` (T,) cannot have.

    They lie after the end of the bar; the last class, "and later", counts as one of them.
    """
    late = np.arange(CLOSING_ONSETS) * TICKS_PER_CLOSING_ONSET >= length_ticks[:, None]
    late[:, -1], late[:, 0] = True, False
    return np.asarray(late)


def unusual_pitches(parts: Sequence[Part]) -> Mask:
    """Return which classes of mean pitch (P, classes) parts should not have, by `usual_pitches`."""
    unusual = np.zeros((len(parts), MEAN_PITCH_CLASSES), bool)
    middles = (np.arange(MEAN_PITCH_CLASSES) + 0.5) * SEMITONES_PER_MEAN_PITCH_CLASS
    for number, part in enumerate(parts):
        if not part.is_drum:
            low, high = usual_pitches(part)
            unusual[number] = (middles < low) | (middles > high)
    return unusual


def _closings(plan: Plan, cadence: Ints) -> tuple[Ints, Ints]:
    """Return the classes of the onset and the pitch class of the closing note of each bar (T,)."""
    planned = plan.sketch.closings if plan.sketch else ()
    ticks, pitch = _filled(planned, len(cadence), (UNKNOWN, UNKNOWN)).T
    onset = np.minimum(ticks // TICKS_PER_CLOSING_ONSET, CLOSING_ONSETS - 1)
    pitch_class = (pitch - 7 * (plan.key[0] if plan.key else 0)) % 12
    has_none, is_absent = cadence == NO_CADENCE, np.full(len(cadence), plan.key is None)
    return (
        np.select([has_none, is_absent, ticks < 0], [NONE, ABSENT, OPEN], onset),
        np.select([has_none, is_absent, pitch < 0], [NONE, ABSENT, OPEN], pitch_class),
    )


def chords_outside_mode(plan: Plan) -> Mask | None:
    """Return which chords (CHORDS,) do not fit the mode of a plan; None without a mode."""
    if plan.key is None or not plan.mode:
        return None
    fitting = [_chord_class(root, kind, plan.key[0]) for root, kind in fitting_chords(plan.key, plan.mode)]
    is_outside = np.ones(CHORDS, bool)
    is_outside[fitting] = False
    return is_outside


def _chord_class(root: int, kind: str, sharps: int) -> int:
    """Return the class of a chord, relative to a key of so many sharps."""
    return (root - 7 * sharps) % 12 * KINDS + CHORD_KINDS.index(kind)


def _chords(plan: Plan, timeline: Timeline, open_bars: Mask | None) -> Ints:
    """The chord in the middle of each slot (T, SLOTS), relative to the key."""
    slots = np.arange(SLOTS)
    size = slot_ticks(timeline)[:, None]
    middle = timeline.start_ticks[:, None] + slots * size + size // 2
    middle = np.minimum(middle, (timeline.start_ticks + timeline.length_ticks - 1)[:, None])
    sharps = plan.key[0] if plan.key else 0
    numbers = [NO_CHORD if c.is_silent else _chord_class(c.root, c.kind, sharps) for c in plan.chords]
    at = np.searchsorted([chord.onset_ticks for chord in plan.chords], middle, side="right")
    classes: Ints = np.array([NO_CHORD, *numbers])[at]
    if plan.key is None:
        classes[:] = ABSENT
    elif open_bars is not None:
        classes[open_bars] = OPEN
    elif not plan.chords:
        classes[:] = OPEN
    classes[slots >= slot_counts(timeline)[:, None]] = ABSENT
    return classes
