"""The state of one song while it is sampled, which the sampling rules read.

It is updated after each note, so that the rules need not go through all notes again.
"""

from bisect import bisect_left
from math import log

import numpy as np
import numpy.typing as npt

from ritornello.composing.bar_rhythms import BarRhythms
from ritornello.composing.bar_tree import BarTree
from ritornello.composing.drum_groove import DrumGroove
from ritornello.composing.harmony_state import HarmonyState
from ritornello.composing.part_patterns import PartPatterns
from ritornello.composing.planned_parts import ClosingNote, PlannedParts, closing_notes
from ritornello.composing.recent_notes import RecentNotes
from ritornello.composing.request import PlayedNotes, Request
from ritornello.composing.voice_leading import VoiceLeading
from ritornello.music.modes import tones
from ritornello.representations.grid.song_state import SongState
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    DURATION_TICKS,
    PARTS,
    SHIFTS,
    WAIT,
)

Bias = npt.NDArray[np.float32]  # (size,) what a rule adds to the logits of a field
TICKS_OF_DURATION = DURATION_TICKS.tolist()
LEAST_SHARE = 1e-4  # a smaller share of the probability counts as this one
PLANNED_BARS = 2.0  # how many bars a part misses at the end of a bar without any of its planned notes
MOST_BARS_MISSING = 3  # the most that a part may miss, and how many bars are searched for silence
SHARE_OF_BARS = 0.25  # of the bars that a part should play in, while fewer than half of the parts have played


def bias_at(size: int, classes: int | list[int], nats: float | np.float32) -> Bias:
    """A bias that adds `nats` to one class or several of a field, and 0 to the others."""
    bias = np.zeros(size, np.float32)
    bias[classes] = nats
    return bias


class SamplingState:
    """A request and the notes that have been composed. Ticks are those of the grid, 24 a beat."""

    def __init__(self, request: Request, song: SongState) -> None:
        self.request, self.song, self.style = request, song, request.style
        self.first_tick = request.first_tick
        self.end_tick = song.end_tick if request.end_tick is None else request.end_tick
        self.first_bar = song.bar_of(self.first_tick)
        self.last_bar = song.bar_of(max(self.end_tick - 1, 0))
        self.planned, self.closings = PlannedParts(request, len(song.bar_starts)), closing_notes(request)
        self.returns_to = request.timeline.returns_to.tolist()
        self.similarity = [*request.timeline.similarity.tolist(), -1]  # to the bar it returns to; -1: unknown
        self.other_takes = _pitches_by_place(request.avoided)
        """By tick and part: the pitches of other takes."""
        key = request.plan.key
        self.scale = frozenset(range(12)) if key is None else tones(key, request.plan.mode)
        self.harmony = HarmonyState.of(request)
        self.groove = DrumGroove.of(request, song.bar_starts)
        self.rhythms = BarRhythms.of(request, song.bar_starts)
        self.patterns = PartPatterns.of(request, song.bar_starts)
        self.silent_bar = self.first_bar
        """The first requested bar in which no composed note sounds yet; beyond `last_bar` there is none."""
        given = request.given
        self.last_bar_has_onset = bool(given and len(given) and given.onset_ticks[-1] >= song.bar_starts[-1])
        self.notes_read = 0
        self.sounding_until = 0  # the tick at which all composed notes have ended
        self.onset, self.part = -1, -1  # of the last composed note
        self.notes_at_onset = 0
        self.part_notes_at_onset = 0  # how many of them, the last ones, are of `part`
        self.unrequested_nats = 0.0
        """-log of the probability that the network leaves to the requested parts, summed over an onset."""
        self.shift_shares = np.full(SHIFTS, 1 / SHIFTS, np.float32)
        """The probability of each shift in the network."""
        self.part_logits = np.zeros(PARTS, np.float32)
        """Of the network, at the present row."""
        self.bar_tree, self.voice_leading = BarTree(), VoiceLeading()
        self.played_parts: set[int] = set()  # since `first_tick`
        self.bars_played: dict[int, tuple[int, int]] = {}  # by part: the last bar, and how many
        self.notes_in_bar: dict[int, tuple[int, int]] = {}  # by part: the last bar, and its notes
        self.pitch_runs: dict[int, tuple[int, int]] = {}  # by part: last pitch, times in a row
        self.recent = RecentNotes()
        self.sounding: dict[int, list[int]] = {}  # by part: the end ticks of its notes
        self.end_of: dict[tuple[int, int], int] = {}  # by part and pitch: the end tick of its last note
        self._skip_sounding_bars()

    def observe_logits(self, field: str, logits: npt.NDArray[np.float32]) -> None:
        """Read the logits (size,) of a field of the row, before any rule has changed them."""
        parts = self.request.parts
        if field == "shift":
            weights = np.exp(logits - np.maximum.reduce(logits))
            self.shift_shares = weights / np.add.reduce(weights)
        if field != "part" or not parts:
            return
        self.part_logits = logits.copy()  # rules change the logits in place
        weights = np.exp(logits - np.maximum.reduce(logits))
        given = self.song.next_given(field)
        parts = self.playing_parts(self.row_tick)
        parts = parts if given is None else (*parts, given)
        share = np.add.reduce(weights.take(parts)) / np.add.reduce(weights)
        before = self.unrequested_nats if self.row_tick == self.onset else 0.0
        self.unrequested_nats = before - log(max(float(share), LEAST_SHARE))

    def update(self) -> None:
        """Read the notes that the song has gained since the last update."""
        notes, is_given = self.song.notes, self.song.is_given
        if self.notes_read == len(notes):
            return
        for note in range(self.notes_read, len(notes)):
            onset, part, pitch, duration, _ = notes[note]
            if self.rhythms is not None:
                self.rhythms.add(onset)
            if self.patterns is not None:
                self.patterns.add(onset, part, pitch)
            if self.groove is not None and part == DRUM_PART:
                self.groove.add(onset, pitch)
            self._cut_note(onset, part, pitch)
            self.voice_leading.add(onset, part, pitch, onset + TICKS_OF_DURATION[duration])
            if not is_given[note]:
                self._add_note(onset, part, pitch, onset + TICKS_OF_DURATION[duration])
        self.notes_read = len(notes)
        self.last_bar_has_onset |= self.onset >= self.song.bar_starts[-1]
        self._skip_sounding_bars()

    def _add_note(self, onset: int, part: int, pitch: int, end: int) -> None:
        """Update what the rules read, such as sounding notes and repeats, with a newly composed note."""
        self.end_of[part, pitch] = end
        self.notes_at_onset = self.notes_at_onset + 1 if onset == self.onset else 1
        same = (onset, part) == (self.onset, self.part)
        self.part_notes_at_onset = self.part_notes_at_onset + 1 if same else 1
        self.onset, self.part, self.sounding_until = onset, part, max(self.sounding_until, end)
        before, times = self.pitch_runs.get(part, (-1, 0))
        self.pitch_runs[part] = (pitch, times + 1 if pitch == before else 1)
        if part != DRUM_PART:
            self.recent.add(
                pitch,
                out_of_key=pitch % 12 not in self.scale,
                repeats=pitch == before,
                planned=self.planned_pitch(onset, part),
                joins=same,
            )
        ends = self.sounding.setdefault(part, [])
        ends[:] = [other for other in ends if other > onset]
        ends.append(end)
        bar = self.song.bar_of(onset)
        self.bar_tree.add(bar, onset - self.song.bar_starts[bar], part, pitch)
        if self.harmony is not None:
            self.harmony.add(onset, part, pitch, bar, self.playing_parts(onset))
        last, count = self.notes_in_bar.get(part, (-1, 0))
        self.notes_in_bar[part] = bar, count + 1 if bar == last else 1
        if onset >= self.first_tick:
            self.played_parts.add(part)
            last, bars = self.bars_played.get(part, (-1, 0))
            self.bars_played[part] = bar, bars + (bar > last)

    def _cut_note(self, onset: int, part: int, pitch: int) -> None:
        """End a sounding note whose pitch is struck again: bars that it would fill may be silent again."""
        end = self.end_of.pop((part, pitch), onset)
        if end <= onset:
            return
        self.sounding[part].remove(end)
        if end == self.sounding_until:
            self.sounding_until = max(self.end_of.values(), default=onset)
            bar = self.song.bar_of(onset)
            self.silent_bar = min(self.silent_bar, max(self.first_bar, bar))

    def _skip_sounding_bars(self) -> None:
        """Move `silent_bar` past bars in which a note is struck, or held to the middle of the bar."""
        bar_lines = self.song.bar_lines
        while self.silent_bar <= self.last_bar:
            start, end = bar_lines[self.silent_bar], bar_lines[self.silent_bar + 1]
            is_silent = self.onset < start and 2 * self.sounding_until < start + end
            if is_silent and self.planned.playing[self.silent_bar]:
                return
            self.silent_bar += 1

    @property
    def row_tick(self) -> int:
        """The tick of the current row, once its shift is drawn."""
        return self.song.clock + int(self.song.row[COLUMN["shift"]])

    @property
    def tick_after_wait(self) -> int:
        """The first tick at which a note could be struck if WAIT were drawn now."""
        end_of_next_bar: int = self.song.bar_lines[self.song.bar + 2]
        return min(self.song.clock + WAIT, end_of_next_bar)

    @property
    def closing_note(self) -> ClosingNote | None:
        """The planned closing note at the onset of the current row, once its shift is drawn."""
        closing = self.closings.get(self.song.bar_of(self.row_tick))
        return closing if closing is not None and closing.onset_ticks == self.row_tick else None

    def note_to_repeat(self, tick: int) -> tuple[int, int, int] | None:
        """The note that the bar of a tick should repeat next: (onset in ticks, part, pitch), or None.

        It is the first note from the same place on in the bar to which this bar returns, its onset moved to
        this bar. If a note was composed at this tick, the note to repeat comes after it in (part, pitch).
        """
        song = self.song
        bar = song.bar_of(tick)
        if (earlier := self.returns_to[bar]) < 0:
            return None
        moved, notes = song.bar_starts[bar] - song.bar_starts[earlier], song.notes
        above = (notes[-1][1], notes[-1][2] + 1) if tick == self.onset else (-1, 0)
        index = bisect_left(notes, (tick - moved, *above))
        if index == len(notes) or notes[index][0] >= song.bar_lines[earlier + 1]:
            return None
        return notes[index][0] + moved, notes[index][1], notes[index][2]

    @property
    def row_similarity(self) -> int:
        """The planned similarity of the bar of the current row, once its shift is drawn."""
        similarity: int = self.similarity[self.song.bar_of(self.row_tick)]
        return similarity

    def playing_parts(self, tick: int) -> tuple[int, ...]:
        """The parts that may play in the bar of a tick, ascending: open ones that do not rest by the sketch.

        If all of them rest, none may play, but with given music all of them may. In the last bar, parts that
        have not played yet may play too.
        """
        bar = self.song.bar_of(tick)
        playing = self.planned.playing[bar]
        if not playing and not self.planned.is_silent[bar]:
            playing = self.planned.open[bar]
        if bar < self.last_bar or not (unplayed := self.unplayed_parts):
            return playing
        return tuple(sorted({*playing, *unplayed}))

    def lacking_notes(self, bar: int, part: int) -> int | None:
        """How many planned notes a part still lacks in a bar; negative if it has too many.

        None if the user did not set the density of the part, or if no notes are planned.
        """
        planned = self.planned.notes[bar].get(part)
        if part not in self.planned.held_parts or planned is None:
            return None
        last, played = self.notes_in_bar.get(part, (-1, 0))
        return planned - (played if last == bar else 0)

    def planned_pitch(self, tick: int, part: int) -> int | None:
        """The mean pitch that is planned for a part in the bar of a tick, if any."""
        pitches, bar = self.planned.pitches.get(part, ()), self.song.bar_of(tick)
        return pitches[bar] if bar < len(pitches) and pitches[bar] >= 0 else None

    def missing_bars(self, tick: int) -> dict[int, float]:
        """By part: in how many more bars it should have played before a tick, at most MOST_BARS_MISSING."""
        bar = self.song.bar_of(tick)
        if self.planned.notes[bar]:
            return self._missing_planned_bars(tick, bar)
        request, parts = self.request, self.request.parts or ()
        share = self.style.plays
        if request.parts_are_optional and 2 * len(self.played_parts) < len(parts):
            share = max(share, SHARE_OF_BARS)
        if share == 0:
            return {}
        due = share * (bar + 1 - self.first_bar)
        missing = {part: due - self.bars_played.get(part, (-1, 0))[1] for part in parts}
        return {part: min(bars, MOST_BARS_MISSING) for part, bars in missing.items() if bars > 0}

    def _missing_planned_bars(self, tick: int, bar: int) -> dict[int, float]:
        """By part: how many bars it misses at a tick of a bar for which a sketch plans notes.

        A part with too few notes misses PLANNED_BARS times the share of the bar for which it lacks notes, and
        one bar for each of the last bars before in which notes were planned and it did not play.
        """
        start, end = self.song.bar_lines[bar : bar + 2]
        elapsed, missing = (tick - start) / (end - start), {}
        for part, notes in self.planned.notes[bar].items():
            last, played = self.notes_in_bar.get(part, (-1, 0))
            share = elapsed - (played / notes if last == bar and notes else 0.0)
            earlier = range(max(last + 1, bar - MOST_BARS_MISSING), bar)
            silent = sum(self.planned.notes[other].get(part, 0) > 0 for other in earlier)
            if notes and (share > 0 or silent):
                missing[part] = min(PLANNED_BARS * max(share, 0.0) + silent, MOST_BARS_MISSING)
        return missing

    @property
    def unplayed_parts(self) -> list[int]:
        """The required parts that have not played yet, in ascending order, without those that only rest."""
        required = () if self.request.parts_are_optional else self.request.parts or ()
        return [part for part in required if part not in self.played_parts | self.planned.resting]


def _pitches_by_place(notes: PlayedNotes) -> dict[tuple[int, int], list[int]]:
    """Return the pitches of notes by their tick and part."""
    pitches: dict[tuple[int, int], list[int]] = {}
    for tick, part, pitch in notes:
        pitches.setdefault((tick, part), []).append(pitch)
    return pitches
