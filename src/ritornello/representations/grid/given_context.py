"""The fields `given.*` of the vocabulary: when the next given note comes, and which given pitches sound.

With them the network need not remember given notes, and has some information on those to come. Given drum
notes have no pitch fields.
"""

from bisect import bisect_right
from functools import cached_property

import numpy as np

from ritornello.representations.grid.shifts import BarLines, shift_to
from ritornello.representations.grid.vocabulary import DRUM_PART, DURATION_TICKS, PITCHES, Ints

GIVEN_PITCH_FIELDS = ("given.top", "given.low", "given.next")
NONE, HERE, LATER = range(3)  # classes of the field "given"
NO_PITCH = PITCHES


class GivenContext:
    """The given notes of one song: their onsets in ticks and their classes, (G,) each, in order of onset.

    `pitch_fields` is for the rows of a whole song, `pitch_fields_at` for one row of a song that is composed.
    """

    def __init__(self, onset: Ints, part: Ints, pitch: Ints, duration: Ints) -> None:
        self._onset = np.append(onset, -1)  # -1: no more notes; shift_to finds no shift to it
        pitched = np.flatnonzero(part < DRUM_PART)
        pitches = pitch[pitched]
        spans = np.stack([onset, onset + DURATION_TICKS[duration]])[:, pitched]
        self._edges = np.unique(np.append(spans, 0))  # (S,): between two edges the same notes sound
        first, end = np.searchsorted(self._edges, spans)
        count = end - first  # of edges at and after which each note sounds
        note = np.repeat(np.arange(len(pitches)), count)
        edge = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
        top, highest = (np.full(len(self._edges) + 1, -1) for _ in range(2))
        low = np.full(len(self._edges), NO_PITCH)
        np.maximum.at(top, edge, pitches[note])
        np.minimum.at(low, edge, pitches[note])
        np.maximum.at(highest, first, pitches)  # of the notes that begin at an edge
        begins = np.flatnonzero(highest >= 0)
        following = np.searchsorted(begins, np.arange(len(self._edges)), side="right")
        following_pitch = highest[np.append(begins, len(self._edges))[following]]
        self._pitches = np.stack([top[:-1], low, following_pitch])  # (3, S)
        self._pitches[self._pitches < 0] = NO_PITCH

    @cached_property
    def _lists(self) -> tuple[list[int], list[list[int]]]:
        return self._edges.tolist(), self._pitches.T.tolist()

    def next_fields(self, passed: Ints, clock: Ints, earliest: Ints, bars: BarLines) -> dict[str, Ints]:
        """Return the fields `given` and `given.shift` of rows (R,), each after `passed` of the given notes.

        `clock` and `earliest` are ticks, as in `shift_to`.
        """
        onset = self._onset[passed]
        when = np.where(onset < 0, NONE, np.where(onset == clock, HERE, LATER))
        return {"given": when, "given.shift": shift_to(onset, clock, earliest, bars)}

    def pitch_fields(self, ticks: Ints) -> dict[str, Ints]:
        """GIVEN_PITCH_FIELDS at ticks (R,), (R,) each."""
        pitches = self._pitches[:, np.searchsorted(self._edges, ticks, side="right") - 1]
        return dict(zip(GIVEN_PITCH_FIELDS, pitches, strict=True))

    def pitch_fields_at(self, tick: int) -> list[int]:
        """GIVEN_PITCH_FIELDS at one tick, in order."""
        pitches: list[int] = self._lists[1][bisect_right(self._lists[0], tick) - 1]
        return pitches
