"""What a row tells the network of the given notes around it: the fields `given.*` of the vocabulary.

They tell when the next given note comes, which ones sound at the place reached, and which pitch follows. So a
network need not remember given notes, and has some information on those to come. Drums have no pitches here.
"""

from bisect import bisect_right

import numpy as np

from ritornello.representations.grid.shifts import BarLines, shift_to
from ritornello.representations.grid.vocabulary import DRUM_PART, DURATION_TICKS, PITCHES, Ints

GIVEN_PITCH_FIELDS = ("given.top", "given.low", "given.next")
NONE, HERE, LATER = range(3)  # classes of the field "given"
NO_PITCH = PITCHES


class GivenContext:
    """The given notes of one song, by their onsets in ticks and their classes, (G,) each in order of onset.

    `pitch_fields` is for the rows of a whole song, `pitch_fields_at` for one row of a song that is composed.
    """

    def __init__(self, onset: Ints, part: Ints, pitch: Ints, duration: Ints) -> None:
        self._onset = np.append(onset, -1)  # -1: no more notes; shift_to finds no shift to it
        pitched = np.flatnonzero(part < DRUM_PART)
        rising = pitched[np.argsort(pitch[pitched], kind="stable")]
        spans = np.stack([onset, onset + DURATION_TICKS[duration]])[:, rising]
        self._edges = np.unique(np.append(spans, 0))  # (S,): between two edges the same notes sound
        first_edges, end_edges = np.searchsorted(self._edges, spans).tolist()
        sounding = list(zip(first_edges, end_edges, pitch[rising].tolist(), strict=True))
        self._pitches = np.full((len(GIVEN_PITCH_FIELDS), len(self._edges)), NO_PITCH)  # (3, S)
        for extreme, notes in zip(self._pitches, (sounding, sounding[::-1]), strict=False):
            for first, end, one in notes:
                extreme[first:end] = one  # the last one written stays: the highest, then the lowest
        highest = np.full(len(self._edges) + 1, NO_PITCH)  # of the notes that begin at an edge
        for first, _, one in sounding:
            highest[first] = one
        begins = np.flatnonzero(highest < NO_PITCH)
        following = np.searchsorted(begins, np.arange(len(self._edges)), side="right")
        self._pitches[2] = highest[np.append(begins, len(self._edges))[following]]
        self._lists = self._edges.tolist(), self._pitches.T.tolist()

    def next_fields(self, passed: Ints, clock: Ints, earliest: Ints, bars: BarLines) -> dict[str, Ints]:
        """The fields `given` and `given.shift` of rows (R,), each after `passed` of the given notes.

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
