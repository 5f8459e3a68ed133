"""Ear: what is composed of a song sounds like so far, for the rules; note by note, so that asking is cheap.

It also remembers what the network would rather have played.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.composing.request import Request
from ritornello.music.theory import scale
from ritornello.representations.grid.song_state import SongState
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, DURATION_TICKS, WAIT

Bias = npt.NDArray[np.float32]  # what a rule adds to the logits of a field
LENGTHS = DURATION_TICKS.tolist()
RECENT = 32  # notes whose pitches are remembered
HARDLY = 1e-4  # less of the probability than that counts as that
Bars = dict[tuple[int, int, int], Any]  # a tree of bars: place in the bar, part and pitch to what came next
FEW_PLAY = 0.25  # of the bars that a part should play in, while less than half of the parts have


class Ear:
    """The request and what is heard of its song. `listen` takes the notes that are new.

    `bar` is the first of the bars asked for in which nothing that is composed sounds yet (beyond `last_bar`:
    none), `here` how many notes the present onset has, `together` how many of them, the last ones, are of the
    part that plays the last, `heard` the parts of the request that have played where they may, `runs` the
    last pitch of each part and how often it came in a row, `again` of the last pitches which repeated the one
    before in their part, `outside` which were not of the scale, `until` where all that sounds ends, `unasked`
    how sure the network was that parts which nobody asked for play at the present onset, in nats, `likeness`
    how like an earlier one each bar is to be (-1: nobody says), `goes_on` the notes that followed where a bar
    before began as that of the last note did, if one has.
    """

    def __init__(self, request: Request, song: SongState) -> None:
        self.request, self.song = request, song
        self.first_tick = request.first_tick
        self.end_tick = song.end_tick if request.end_tick is None else request.end_tick
        self.bar = bisect_right(song.bar_starts, self.first_tick) - 1
        self.last_bar = bisect_right(song.bar_starts, max(self.end_tick - 1, 0)) - 1
        given = request.given
        # whether the last bar has an onset; one that is given will do
        self.struck_last = (
            given is not None and len(given) > 0 and given.onset_ticks[-1] >= song.bar_starts[-1]
        )
        self.until = self.here = self.together = self.taken = 0
        self.onset = self.part = -1
        self.unasked = 0.0
        timeline = request.timeline
        self.models, self.likeness = timeline.returns_to.tolist(), [*timeline.similarity.tolist(), -1]
        self.bars: Bars = {}
        self.at_bar, self.branch, self.goes_on = -1, self.bars, self.bars
        self.heard: set[int] = set()
        self.runs: dict[int, tuple[int, int]] = {}
        key = request.plan.key
        self.scale = frozenset(range(12)) if key is None else scale(*key)
        self.outside: deque[bool] = deque(maxlen=RECENT)
        self.again: deque[bool] = deque(maxlen=RECENT)
        self.sounding: dict[int, list[int]] = {}  # by part: where its notes end
        self.ends: dict[tuple[int, int], int] = {}  # by part and pitch: where the last one ends
        self.first_bar = self.bar
        self.played: dict[int, tuple[int, int]] = {}  # by part: the last bar it struck in, and how many
        self._skip_sounding()

    def told(self, field: str, logits: npt.NDArray[np.float32]) -> None:
        """Take what the network would draw for a field of the row, before any rule."""
        parts = self.request.parts
        if field != "part" or not parts:
            return
        weights = np.exp(logits - np.maximum.reduce(logits))
        kept = self.song.next_given(field)
        parts = parts if kept is None else (*parts, kept)  # what is given is asked for
        asked = np.add.reduce(weights.take(parts)) / np.add.reduce(weights)
        before = self.unasked if self.tick == self.onset else 0.0
        self.unasked = before - log(max(float(asked), HARDLY))

    def listen(self) -> None:
        """Take the notes that were struck since the last time."""
        notes, given = self.song.notes, self.song.is_given
        if self.taken == len(notes):
            return
        for note in range(self.taken, len(notes)):
            onset, part, pitch, duration, _ = notes[note]
            self._cut(onset, part, pitch)
            if given[note]:
                continue
            end = self.ends[part, pitch] = onset + LENGTHS[duration]
            self.here = self.here + 1 if onset == self.onset else 1
            self.together = self.together + 1 if (onset, part) == (self.onset, self.part) else 1
            self.onset, self.part, self.until = onset, part, max(self.until, end)
            before, times = self.runs.get(part, (-1, 0))
            self.runs[part] = (pitch, times + 1 if pitch == before else 1)
            if part != DRUM_PART:
                self.outside.append(pitch % 12 not in self.scale)
                self.again.append(pitch == before)
            ends = self.sounding.setdefault(part, [])
            ends[:] = [other for other in ends if other > onset]
            ends.append(end)
            bar = bisect_right(self.song.bar_starts, onset) - 1
            self._compare(bar, onset, part, pitch)
            if onset >= self.first_tick:
                self.heard.add(part)
                last, bars = self.played.get(part, (-1, 0))
                self.played[part] = bar, bars + (bar > last)
        self.taken = len(notes)
        self.struck_last |= self.onset >= self.song.bar_starts[-1]
        self._skip_sounding()

    def _cut(self, onset: int, part: int, pitch: int) -> None:
        """A pitch struck again ends the note there: bars that it was to fill may be silent once more."""
        end = self.ends.pop((part, pitch), onset)
        if end <= onset:
            return
        self.sounding[part].remove(end)
        if end == self.until:
            self.until = max(self.ends.values(), default=onset)
            self.bar = min(self.bar, max(self.first_bar, bisect_right(self.song.bar_starts, onset) - 1))

    def _compare(self, bar: int, onset: int, part: int, pitch: int) -> None:
        """Find the place of a note in the tree of bars."""
        if bar > self.at_bar:
            self.at_bar, self.branch, self.goes_on = bar, self.bars, self.bars
        note = onset - self.song.bar_starts[bar], part, pitch
        self.goes_on = self.goes_on.get(note, {})
        self.branch = self.branch.setdefault(note, {})

    def _skip_sounding(self) -> None:
        """Move on to the first bar asked for in which nothing is struck, or held to its middle."""
        edges = self.song.bar_lines
        while self.bar <= self.last_bar:
            held = 2 * self.until >= edges[self.bar] + edges[self.bar + 1]
            if not (held or self.onset >= edges[self.bar]):
                return
            self.bar += 1

    @property
    def tick(self) -> int:
        """Where the row in the making is, once its shift is known."""
        return self.song.clock + int(self.song.row[COLUMN["shift"]])

    @property
    def wait_floor(self) -> int:
        """From where on an onset could follow if WAIT came next."""
        next_bars_end: int = self.song.bar_lines[self.song.bar + 2]
        return min(self.song.clock + WAIT, next_bars_end)

    def there(self, tick: int) -> tuple[int, int, int] | None:
        """The next note from a tick on (above the last one, if it is there too) in the bar that the tick's
        returns to: onset as if it were in this bar, part, pitch. None where there is none.
        """
        song = self.song
        bar = bisect_right(song.bar_starts, tick) - 1
        if (model := self.models[bar]) < 0:
            return None
        moved, notes = song.bar_starts[bar] - song.bar_starts[model], song.notes
        above = (notes[-1][1], notes[-1][2] + 1) if tick == self.onset else (-1, 0)
        at = bisect_left(notes, (tick - moved, *above))
        if at == len(notes) or notes[at][0] >= song.bar_lines[model + 1]:
            return None
        return notes[at][0] + moved, notes[at][1], notes[at][2]

    @property
    def returning(self) -> int:
        """How like an earlier one the bar of the row in the making is to be, once its shift is known."""
        found: int = self.likeness[bisect_right(self.song.bar_starts, self.tick) - 1]
        return found

    def lacking(self, tick: int) -> dict[int, float]:
        """By part the bars in which it should have played by the bar of a tick, and has not; above 0.

        Of parts that need not be heard all are called for until half of them have been.
        """
        plays, parts = self.request.plays, self.request.parts or ()
        if self.request.must == () and 2 * len(self.heard) < len(parts):
            plays = max(plays, FEW_PLAY)
        if plays == 0:
            return {}
        due = plays * (bisect_right(self.song.bar_starts, tick) - self.first_bar)
        found = {part: due - self.played.get(part, (-1, 0))[1] for part in parts}
        return {part: bars for part, bars in found.items() if bars > 0}

    @property
    def unheard(self) -> list[int]:
        """The parts that must be heard and have not been, in order."""
        request = self.request
        must = request.parts if request.must is None else request.must
        return [part for part in must or () if part not in self.heard]
