"""Assign the notes of a part to staves and to voices of successive chords."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ritornello.music.score import Part
from ritornello.rendering.sheet.grid import UNITS, SheetBars, WrittenNote
from ritornello.rendering.sheet.percussion import FOOT_PITCHES
from ritornello.rendering.sheet.played_note import Mark

MAX_VOICES = 4  # on a staff, in most notation programs
KEYBOARDS = {*range(8), *range(16, 24), 46}  # pianos, organs, the harp
SPLIT_PITCHES = range(52, 69)  # possible lowest pitches of the right hand
MIDDLE_C = 60
HAND_SPAN_SEMITONES = 14
# The cost of moving the split by a semitone, and of each semitone between it and middle C. A semitone out of
# a hand's reach costs 1.
MOVE_COST, OFF_CENTRE_COST = 0.6, 0.02


class StaffChord(NamedTuple):
    """Pitches that start and end together; `start` and `end` are in units from the start of the song.

    `graces` are the pitches of each grace note or chord before it.
    """

    start: int
    end: int
    pitches: tuple[int, ...]
    graces: tuple[tuple[int, ...], ...] = ()
    mark: Mark = ""

    @classmethod
    def of(cls, notes: list[WrittenNote]) -> StaffChord:
        """The chord of notes that start and end together; it has the mark that most of them have."""
        graces: dict[int, set[int]] = defaultdict(set)
        for ticks, pitch in (grace for note in notes for grace in note.graces):
            graces[ticks].add(pitch)
        ((mark, _),) = Counter(note.mark for note in notes).most_common(1)
        return cls(
            notes[0].start,
            notes[0].end,
            tuple(sorted(note.pitch for note in notes)),
            tuple(tuple(sorted(pitches)) for _, pitches in sorted(graces.items())),
            mark if len(notes) > 1 or not mark.startswith("arpeggio") else "",
        )


class Clef(NamedTuple):
    """A clef: its sign, its line, and by how many octaves it transposes."""

    sign: str
    line: int = 0
    octave: int = 0


class Staff(NamedTuple):
    """A staff: its clef and its voices from top to bottom."""

    clef: Clef
    voices: list[list[StaffChord]]


def staves(part: Part, notes: list[WrittenNote], bars: SheetBars) -> list[Staff]:
    """The staves of a part: two if a keyboard part is low and high enough for two hands, else one."""
    if part.is_drum:
        return [Staff(Clef("percussion"), _drum_voices(notes, bars))]
    pitches = [note.pitch for note in notes] or [MIDDLE_C]
    if part.program in KEYBOARDS and min(pitches) < 53 and max(pitches) > 64:
        splits = _split_hands(notes, bars)
        right = [note for note, low in zip(notes, splits, strict=True) if note.pitch >= low]
        left = [note for note, low in zip(notes, splits, strict=True) if note.pitch < low]
        return [Staff(Clef("G", 2), split_voices(right)), Staff(Clef("F", 4), split_voices(left))]
    return [Staff(clef(part.program, float(np.median(pitches))), split_voices(notes))]


def clef(program: int, median_pitch: float) -> Clef:
    """The clef of a part; guitars and basses are written an octave above their sound."""
    if 32 <= program < 40:
        return Clef("F", 4, -1 if median_pitch < 50 else 0)
    if 24 <= program < 32:
        return Clef("G", 2, -1)
    if median_pitch < 57:
        return Clef("F", 4, -1 if median_pitch < 38 else 0)
    return Clef("G", 2, 1 if median_pitch > 86 else 0)


def _split_hands(notes: list[WrittenNote], bars: SheetBars) -> list[int]:
    """For each note the lowest pitch of the right hand in its bar.

    The Viterbi algorithm finds the splits with the least total cost: semitones out of reach of a hand,
    distance of the split from middle C, and changes of the split from bar to bar.
    """
    bar = np.searchsorted(bars.edges, [note.start for note in notes], side="right") - 1
    pitches_at: dict[int, list[int]] = defaultdict(list)
    for note in notes:
        pitches_at[note.start].append(note.pitch)
    cost = np.zeros((len(bars), len(SPLIT_PITCHES)))
    for start, pitches in pitches_at.items():
        row = int(np.searchsorted(bars.edges, start, side="right")) - 1
        for column, low in enumerate(SPLIT_PITCHES):
            for hand in ([p for p in pitches if p < low], [p for p in pitches if p >= low]):
                cost[row, column] += max(0, max(hand) - min(hand) - HAND_SPAN_SEMITONES) if hand else 0
    splits = np.array(SPLIT_PITCHES)
    off_centre = OFF_CENTRE_COST * np.abs(splits - MIDDLE_C)
    move = MOVE_COST * np.abs(np.subtract.outer(splits, splits))
    best, predecessors = cost[0] + off_centre, []
    for bar_cost in cost[1:]:
        paths = best[None, :] + move
        predecessors.append(paths.argmin(axis=1))
        best = paths.min(axis=1) + bar_cost + off_centre
    path = [int(best.argmin())]
    for predecessor in reversed(predecessors):
        path.append(int(predecessor[path[-1]]))
    path.reverse()
    return [SPLIT_PITCHES[path[index]] for index in bar.tolist()]


def split_voices(notes: list[WrittenNote]) -> list[list[StaffChord]]:
    """Split notes into voices, from top to bottom; the chords of a voice do not overlap.

    A chord goes to the first free voice below the voices that sound above it. If none is free, the sounding
    chord that would end last is cut off.
    """
    notes_of: dict[tuple[int, int], list[WrittenNote]] = defaultdict(list)
    for note in notes:
        notes_of[note.start, note.end].append(note)
    chords = [StaffChord.of(together) for together in notes_of.values()]
    voices: list[list[StaffChord]] = [[]]
    for chord in sorted(chords, key=lambda c: (c.start, -c.pitches[-1])):
        sounding = [i for i, voice in enumerate(voices) if voice and voice[-1].end > chord.start]
        free = [i for i in range(MAX_VOICES) if i not in sounding]
        above = [i for i in sounding if voices[i][-1].pitches[-1] >= chord.pitches[-1]]
        lowest = max(above, default=-1) + 1
        if free:
            index = min(free, key=lambda i: (i < lowest, i))
        else:
            index = max(
                (i for i in sounding if voices[i][-1].start < chord.start),
                key=lambda i: voices[i][-1].end,
                default=-1,
            )
            if index < 0:  # the fifth duration at one onset: it gets the duration of the lowest voice
                last = voices[-1].pop()
                pitches = sorted({*last.pitches, *chord.pitches})
                graces = last.graces + chord.graces
                voices[-1].append(last._replace(pitches=tuple(pitches), graces=graces))
                continue
            voices[index][-1] = voices[index][-1]._replace(end=chord.start)
        while len(voices) <= index:
            voices.append([])
        voices[index].append(chord)
    return voices


def _drum_voices(notes: list[WrittenNote], bars: SheetBars) -> list[list[StaffChord]]:
    """Two voices, hands and feet. A note lasts until the next of its voice, or to the end of its beat."""
    result = []
    for feet in (False, True):
        pitches_at: dict[int, list[int]] = defaultdict(list)
        for note in notes:
            if (note.pitch in FOOT_PITCHES) == feet:
                pitches_at[note.start].append(note.pitch)
        starts = sorted(pitches_at)
        voice = []
        for start, following in pairwise([*starts, int(bars.edges[-1])]):
            bar = int(np.searchsorted(bars.edges, start, side="right")) - 1
            beat_end = start + UNITS - (start - int(bars.edges[bar])) % UNITS
            end = min(following, beat_end, int(bars.edges[bar + 1]))
            voice.append(StaffChord(start, end, tuple(sorted(pitches_at[start]))))
        if voice or not feet:
            result.append(voice)
    return result
