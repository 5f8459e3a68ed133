"""Which staff a note stands on, and in which voice: from the notes of a part to chords in order."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ritornello.music.score import Part
from ritornello.rendering.sheet.grid import UNITS, Bars, Written
from ritornello.rendering.sheet.percussion import FEET

MAX_VOICES = 4  # what notation programs allow on a staff
KEYBOARDS = {*range(8), *range(16, 24), 46}  # pianos, organs, the harp
SPLITS = range(52, 69)  # the lowest pitch of the right hand
MIDDLE = 60
HAND = 14  # semitones that a hand spans
# for changing hands, in the cost of a note a semitone out of reach
MOVE, OFF_CENTRE = 0.6, 0.02


class Chord(NamedTuple):
    """Pitches that start and end together, in units from the song's start."""

    start: int
    end: int
    pitches: tuple[int, ...]


class Clef(NamedTuple):
    """A clef: its sign, its line, and octaves that it moves what is written."""

    sign: str
    line: int = 0
    octave: int = 0


class Staff(NamedTuple):
    """A staff: its clef and its voices, the upper one first."""

    clef: Clef
    voices: list[list[Chord]]


def staves(part: Part, notes: list[Written], bars: Bars) -> list[Staff]:
    """The staves of a part: one, or two where a keyboard's notes need both hands."""
    if part.is_drum:
        return [Staff(Clef("percussion"), _drum_voices(notes, bars))]
    pitches = [note.pitch for note in notes] or [MIDDLE]
    if part.program in KEYBOARDS and min(pitches) < 53 and max(pitches) > 64:
        split = _split(notes, bars)
        right = [note for note, low in zip(notes, split, strict=True) if note.pitch >= low]
        left = [note for note, low in zip(notes, split, strict=True) if note.pitch < low]
        return [Staff(Clef("G", 2), voices(right)), Staff(Clef("F", 4), voices(left))]
    return [Staff(clef(part.program, float(np.median(pitches))), voices(notes))]


def clef(program: int, middle: float) -> Clef:
    """The clef for an instrument whose middle pitch is given; guitars and basses sound an octave lower."""
    if 32 <= program < 40:
        return Clef("F", 4, -1 if middle < 50 else 0)
    if 24 <= program < 32:
        return Clef("G", 2, -1)
    if middle < 57:
        return Clef("F", 4, -1 if middle < 38 else 0)
    return Clef("G", 2, 1 if middle > 86 else 0)


def _split(notes: list[Written], bars: Bars) -> list[int]:
    """For each note the lowest pitch of the right hand in its bar.

    The path through all bars with the least cost: what a hand would have to reach too far, how far the hands'
    border lies from middle C, and how often it moves.
    """
    bar = np.searchsorted(bars.edges, [note.start for note in notes], side="right") - 1
    together: dict[int, list[int]] = defaultdict(list)
    for note in notes:
        together[note.start].append(note.pitch)
    cost = np.zeros((len(bars), len(SPLITS)))
    for start, pitches in together.items():
        where = int(np.searchsorted(bars.edges, start, side="right")) - 1
        for column, low in enumerate(SPLITS):
            for hand in ([p for p in pitches if p < low], [p for p in pitches if p >= low]):
                cost[where, column] += max(0, max(hand) - min(hand) - HAND) if hand else 0
    centre = OFF_CENTRE * np.abs(np.array(SPLITS) - MIDDLE)
    move = MOVE * np.abs(np.subtract.outer(np.array(SPLITS), np.array(SPLITS)))
    best, came = cost[0] + centre, []
    for row in cost[1:]:  # Viterbi
        paths = best[None, :] + move
        came.append(paths.argmin(axis=1))
        best = paths.min(axis=1) + row + centre
    path = [int(best.argmin())]
    for row in reversed(came):
        path.append(int(row[path[-1]]))
    return [SPLITS[path[::-1][index]] for index in bar.tolist()]


def voices(notes: list[Written]) -> list[list[Chord]]:
    """Notes as voices of chords that follow each other, the upper voice first; at least one voice.

    A chord goes to the first voice that is free, below those that sound above it. Where all are taken, the
    chord that sounds longest yet ends there.
    """
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    for note in notes:
        together[note.start, note.end].append(note.pitch)
    chords = [Chord(*span, tuple(sorted(pitches))) for span, pitches in together.items()]
    found: list[list[Chord]] = [[]]
    for chord in sorted(chords, key=lambda c: (c.start, -c.pitches[-1])):
        sounding = [index for index, voice in enumerate(found) if voice and voice[-1].end > chord.start]
        free = [index for index in range(MAX_VOICES) if index not in sounding]
        above = [index for index in sounding if found[index][-1].pitches[-1] >= chord.pitches[-1]]
        wanted = max(above, default=-1) + 1
        if free:
            place = min(free, key=lambda index: (index < wanted, index))
        else:
            place = max(
                (index for index in sounding if found[index][-1].start < chord.start),
                key=lambda index: found[index][-1].end,
                default=-1,
            )
            if place < 0:  # five lengths at one onset: this one takes the length of the lowest
                last = found[-1].pop()
                both = tuple(sorted({*last.pitches, *chord.pitches}))
                found[-1].append(last._replace(pitches=both))
                continue
            found[place][-1] = found[place][-1]._replace(end=chord.start)
        while len(found) <= place:
            found.append([])
        found[place].append(chord)
    return found


def _drum_voices(notes: list[Written], bars: Bars) -> list[list[Chord]]:
    """Hands above, feet below: a stroke is written until the next of its voice or the end of its beat."""
    result = []
    for feet in (False, True):
        strokes: dict[int, list[int]] = defaultdict(list)
        for note in notes:
            if (note.pitch in FEET) == feet:
                strokes[note.start].append(note.pitch)
        starts = sorted(strokes)
        voice = []
        for start, following in pairwise([*starts, int(bars.edges[-1])]):
            bar = int(np.searchsorted(bars.edges, start, side="right")) - 1
            beat_end = start + UNITS - (start - int(bars.edges[bar])) % UNITS
            end = min(following, beat_end, int(bars.edges[bar + 1]))
            voice.append(Chord(start, end, tuple(sorted(strokes[start]))))
        if voice or not feet:
            result.append(voice)
    return result
