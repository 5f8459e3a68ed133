"""Find the ornaments of a part: grace notes, rolled chords, trills, and tremolos on one pitch.

Their notes are quicker than the note values of a grid, which would tear them apart or make chords of them.
Each ornament becomes one note or chord with a mark. Regular rhythm stays as it is, however fast.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from ritornello.music.score import Score

Mark = Literal["", "arpeggio up", "arpeggio down", "trill", "tremolo"]
ARPEGGIO: dict[int, Mark] = {1: "arpeggio up", -1: "arpeggio down"}  # by direction

# The largest time between two notes of an ornament, in seconds and in beats: shorter than a 32nd, or so quick
# that nobody counts it and still clearly shorter than a 16th. Performers play a grace note within 0.03-0.1 s.
QUICK = ((0.13, 0.12), (0.07, 0.2))
QUICK_IN_A_ROLL = ((0.13, 0.19), (0.07, 0.21))  # held notes are no run: their time may be a 32nd or more
CHORD_S = 0.012  # notes that begin within this time begin together
MIN_GRACE_S = 0.014  # a shorter distance is the unevenness of a chord that is played live
MAX_GRACES = 4  # before one note; more are a run
RUN_RATIO = 1.5  # a note that is at most this many times as far away belongs to the same run
OCTAVE = 12  # the largest interval between successive notes of an ornament, in semitones
MIN_ROLLED = 3  # notes; two are hardly ever marked as rolled
MIN_ROLL_S, MAX_ROLL_S = (
    0.05,
    0.45,
)  # of a chord, from its first to its last onset; chords played live: < 0.05
SAME_END = 0.2  # the ends of a chord are one if they differ by at most this share of its length
MIN_REPEATS = 6  # notes of a trill or tremolo; fewer are a mordent or a turn
MIN_WRITTEN_TRILL = 8  # notes of a trill whose notes are 32nds
# Runs of 32nds and of triplets of 16ths are readable as they are; their length in beats, the time above which
# they are a rhythm that a listener follows, and the share of a beat by which a note may miss its place.
WRITTEN_VALUES, WRITTEN_S, TOLERANCE = (1 / 8, 1 / 6), 0.065, 0.006
# Where main notes stand: the places in a beat, and a penalty in beats for those that are less likely.
PLACES, CLEARLY = ((1, 0.0), (2, 0.01), (4, 0.02), (3, 0.03)), 0.015


class PlayedNote(NamedTuple):
    """A note before quantisation; `graces` are the onset (ticks) and pitch of each grace note before it."""

    onset_ticks: int
    end_ticks: int
    pitch: int
    onset_s: float
    end_s: float
    graces: tuple[tuple[int, int], ...] = ()
    mark: Mark = ""

    @property
    def length_s(self) -> float:
        """The duration in seconds."""
        return self.end_s - self.onset_s

    def starting_with(self, other: PlayedNote) -> PlayedNote:
        """The note with the onset of another, unless it would have no length."""
        if other.onset_ticks >= self.end_ticks:
            return self
        return self._replace(onset_ticks=other.onset_ticks, onset_s=other.onset_s)


def played_notes(score: Score, part: int) -> list[PlayedNote]:
    """The notes of a part, sorted by onset, with the notes of each ornament joined; drums have none."""
    (rows,) = (score.part == part).nonzero()
    onset, pitch = score.onset_ticks[rows].astype("i8"), score.pitch[rows]
    end = onset + score.duration_ticks[rows]
    columns = (onset, end, pitch, score.seconds(onset), score.seconds(end))
    notes = [PlayedNote(*note) for note in zip(*(column.tolist() for column in columns), strict=True)]
    if score.parts[part].is_drum:
        return notes
    notes = _join_repetitions(notes, score.ticks_per_beat)
    notes = _join_rolled_chords(notes, score.ticks_per_beat)
    return _attach_graces(notes, score.ticks_per_beat)


def _is_quick(
    first: PlayedNote, second: PlayedNote, beat_ticks: int, limits: tuple[tuple[float, float], ...] = QUICK
) -> bool:
    """Whether two successive notes are as close as those of an ornament."""
    time, beats = second.onset_s - first.onset_s, (second.onset_ticks - first.onset_ticks) / beat_ticks
    return any(time <= max_s and beats <= max_beats for max_s, max_beats in limits)


def _followed(notes: list[PlayedNote], beat_ticks: int) -> list[int]:
    """Indexes of the notes after which a note begins so soon that both may belong to an ornament."""
    max_s, max_ticks = QUICK_IN_A_ROLL[0][0], QUICK_IN_A_ROLL[1][1] * beat_ticks
    onset_s = np.array([note.onset_s for note in notes])
    onset = np.array([note.onset_ticks for note in notes])
    following = np.searchsorted(onset_s, onset_s + CHORD_S)
    until = np.minimum(
        np.searchsorted(onset_s, onset_s + max_s, "right"), np.searchsorted(onset, onset + max_ticks, "right")
    )
    return [int(index) for index in np.flatnonzero(following < until)]


def _is_on_grid(notes: Sequence[PlayedNote], value_beats: float, beat_ticks: int) -> bool:
    """Whether successive notes are one note value apart, and begin on its grid."""
    places = [note.onset_ticks / beat_ticks / value_beats for note in notes]
    allowed = max(TOLERANCE, 0.6 / beat_ticks) / value_beats
    is_regular = all(abs(after - before - 1) <= allowed for before, after in pairwise(places))
    return is_regular and all(abs(place - round(place)) <= allowed for place in places)


def _off_grid(note: PlayedNote, beat_ticks: int) -> float:
    """How far a note begins from a likely place of a main note, in beats."""
    beats = note.onset_ticks / beat_ticks
    return min(abs(beats - round(beats * places) / places) + penalty for places, penalty in PLACES)


def _main_onset(first: PlayedNote, last: PlayedNote, beat_ticks: int) -> PlayedNote:
    """Which of the outer notes of an ornament stands on the beat: the last unless the first fits better."""
    is_first = _off_grid(first, beat_ticks) + CLEARLY < _off_grid(last, beat_ticks)
    return first if is_first else last


def _lengthened(notes: list[PlayedNote], stolen: dict[int, PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes; one that ends where an ornament begins lasts until its main note.

    `stolen` has the main note of each ornament that begins before it, by the tick of its first note.
    """
    starts, allowed = sorted(stolen), round(CLEARLY * beat_ticks)
    result = []
    for note in notes:
        index = bisect_right(starts, note.end_ticks + allowed) - 1
        if index >= 0 and note.onset_ticks < starts[index]:
            main = stolen[starts[index]]
            if note.end_ticks < main.onset_ticks:
                note = note._replace(end_ticks=main.onset_ticks, end_s=main.onset_s)
        result.append(note)
    return sorted(result, key=lambda note: (note.onset_ticks, note.pitch))


def _join_repetitions(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes with each trill and tremolo as one note; that of a trill is the lower of its two pitches."""
    result, joined = dict(enumerate(notes)), set[int]()
    for index in _followed(notes, beat_ticks):
        note = notes[index]
        if index in joined:
            continue
        for interval in (0, 2, 1, -1, -2):
            run = _repetition(notes, index, note.pitch + interval, beat_ticks)
            if joined.isdisjoint(run) and _is_ornamental([notes[i] for i in run], beat_ticks):
                joined.update(run)
                last, pitch = notes[run[-1]], min(note.pitch, note.pitch + interval)
                mark: Mark = "trill" if interval else "tremolo"
                for i in run:
                    del result[i]
                joint = note._replace(pitch=pitch, mark=mark)
                result[index] = joint._replace(end_ticks=last.end_ticks, end_s=last.end_s)
                break
    return sorted(result.values(), key=lambda note: (note.onset_ticks, note.pitch))


def _repetition(notes: list[PlayedNote], index: int, other: int, beat_ticks: int) -> list[int]:
    """Indexes of quick successive notes that alternate between the pitch of note `index` and `other`."""
    run, pitches = [index], (notes[index].pitch, other)
    for following in range(index + 1, len(notes)):
        before, note = notes[run[-1]], notes[following]
        gap = note.onset_s - before.onset_s
        if not _is_quick(before, note, beat_ticks):
            break
        if note.pitch == pitches[len(run) % 2] and before.end_s <= note.onset_s + gap / 2:
            run.append(following)
    if len(run) > 1 and notes[run[-1]].length_s > 2 * (notes[run[-1]].onset_s - notes[run[-2]].onset_s):
        run.pop()  # the note to which the trill leads
    return run


def _is_ornamental(run: list[PlayedNote], beat_ticks: int) -> bool:
    """Whether repeated notes are a trill or tremolo, not a rhythm that is readable as it is."""
    if len(run) < MIN_REPEATS:
        return False
    gaps = [second.onset_s - first.onset_s for first, second in pairwise(run)]
    if max(gaps) > 2 * min(gaps) + CHORD_S:
        return False
    is_trill = run[0].pitch != run[1].pitch
    if is_trill and len(run) >= MIN_WRITTEN_TRILL:
        return not _is_on_grid(run, WRITTEN_VALUES[1], beat_ticks)
    return not any(_is_on_grid(run, value, beat_ticks) for value in WRITTEN_VALUES)


def _join_rolled_chords(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes, with one onset for all notes of a rolled chord, and one end if they end at about a time."""
    rolls = [
        (roll, mark)
        for index in _followed(notes, beat_ticks)
        for direction, mark in ARPEGGIO.items()
        if _is_rolled_chord(notes, roll := _roll(notes, index, direction, beat_ticks), beat_ticks)
    ]
    joined: dict[int, PlayedNote] = {}
    stolen: dict[int, PlayedNote] = {}
    for roll, mark in sorted(rolls, key=lambda found: -len(found[0])):
        if joined.keys() & roll:
            continue
        first, last = notes[roll[0]], notes[roll[-1]]
        main = _main_onset(last, first, beat_ticks)  # the first if both fit
        members = sorted({*roll, *_held_along(notes, roll)} - joined.keys())
        ends = sorted((notes[i].end_ticks, notes[i].end_s) for i in members)
        spread = RUN_RATIO * (last.onset_ticks - first.onset_ticks)
        is_one_end = ends[-1][0] - ends[0][0] <= max(SAME_END * (ends[-1][0] - main.onset_ticks), spread)
        for i in members:
            note = notes[i].starting_with(main)
            if is_one_end:
                end_ticks, end_s = ends[len(ends) // 2]
                note = note._replace(end_ticks=end_ticks, end_s=end_s)
            is_rolled = i in roll or abs(notes[i].onset_s - main.onset_s) > CHORD_S
            joined[i] = note._replace(mark=mark if is_rolled else "")
        if main is last:
            stolen[first.onset_ticks] = main
    if not joined:
        return notes
    return _lengthened([joined.get(i, note) for i, note in enumerate(notes)], stolen, beat_ticks)


def _roll(notes: list[PlayedNote], index: int, direction: int, beat_ticks: int) -> list[int]:
    """Indexes of notes from `index` on that follow each other quickly, up (1) or down (-1), all held."""
    roll = [index]
    while True:
        last, best, until = notes[roll[-1]], -1, float("inf")
        for following in range(roll[-1] + 1, len(notes)):
            note = notes[following]
            if note.onset_s > until or not _is_quick(last, note, beat_ticks, QUICK_IN_A_ROLL):
                break
            interval = direction * (note.pitch - last.pitch)
            if note.onset_s - last.onset_s < CHORD_S or not 0 < interval <= OCTAVE:
                continue
            if any(notes[i].end_s <= note.onset_s for i in roll):
                continue
            if best < 0 or interval < abs(notes[best].pitch - last.pitch):
                best, until = following, min(until, note.onset_s + CHORD_S)
        if best < 0:
            return roll
        roll.append(best)


def _is_rolled_chord(notes: list[PlayedNote], roll: list[int], beat_ticks: int) -> bool:
    """Whether a roll is long enough, short enough, held, and not part of a run."""
    if len(roll) < MIN_ROLLED:
        return False
    first, last = notes[roll[0]], notes[roll[-1]]
    spread = last.onset_s - first.onset_s
    if not MIN_ROLL_S <= spread <= MAX_ROLL_S:
        return False
    if min(notes[i].end_s for i in roll) - last.onset_s < spread / 2:
        return False
    far = RUN_RATIO * spread / (len(roll) - 1)
    if far > RUN_RATIO * QUICK[1][0] and _is_on_grid([notes[i] for i in roll], WRITTEN_VALUES[1], beat_ticks):
        return False
    return not any(
        abs(note.pitch - edge.pitch) <= OCTAVE
        for edge, low, high in (
            (first, first.onset_s - far, first.onset_s - CHORD_S),
            (last, last.onset_s + CHORD_S, last.onset_s + far),
        )
        for note in map(notes.__getitem__, _beginning(notes, low, high))
    )


def _beginning(notes: list[PlayedNote], low_s: float, high_s: float) -> range:
    """The indexes of the notes that begin between two times, in seconds."""
    begin = bisect_left(notes, low_s, key=lambda note: note.onset_s)
    return range(begin, bisect_right(notes, high_s, key=lambda note: note.onset_s))


def _held_along(notes: list[PlayedNote], roll: list[int]) -> list[int]:
    """Indexes of the notes that begin during a roll and end with it: the other hand's."""
    first, last = notes[roll[0]], notes[roll[-1]]
    ends = [notes[i].end_s for i in roll]
    allowed = max(SAME_END * median(notes[i].length_s for i in roll), CHORD_S)
    during = _beginning(notes, first.onset_s - CHORD_S, last.onset_s + CHORD_S)
    return [i for i in during if min(ends) - allowed <= notes[i].end_s <= max(ends) + allowed]


def _attach_graces(notes: list[PlayedNote], beat_ticks: int) -> list[PlayedNote]:
    """The notes without grace notes, which are attached to their main notes.

    A main note that steals the time of its grace notes on the beat begins where they do.
    """
    following = {
        i: main
        for i in _followed(notes, beat_ticks)
        if (main := _next_quick(notes, i, beat_ticks)) is not None
    }
    graces: dict[int, set[int]] = defaultdict(set)
    for head in sorted(following.keys() - set(following.values())):
        chain = [head]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        if _are_graces(notes, chain, beat_ticks):
            graces[chain[-1]].update(chain[:-1])
    result, stolen = dict(enumerate(notes)), dict[int, PlayedNote]()
    for main, before in sorted(graces.items()):
        first, attached = notes[min(before)], [notes[i] for i in sorted(before)]
        result[main] = result[main]._replace(graces=tuple((n.onset_ticks, n.pitch) for n in attached))
        if _main_onset(first, notes[main], beat_ticks) is not first:
            stolen[first.onset_ticks] = notes[main]
            continue
        for i in _beginning(notes, notes[main].onset_s - CHORD_S, notes[main].onset_s + CHORD_S):
            result[i] = result[i].starting_with(first)
    for index in set[int]().union(*graces.values()):
        del result[index]
    return _lengthened(list(result.values()), stolen, beat_ticks) if graces else notes


def _next_quick(notes: list[PlayedNote], index: int, beat_ticks: int) -> int | None:
    """The index of the note that follows where a quick note ends, the nearest in pitch; None if none does."""
    first, best, until = notes[index], None, float("inf")
    if first.length_s > RUN_RATIO * QUICK[0][0] or first.mark:
        return None
    for following in range(index + 1, len(notes)):
        note = notes[following]
        gap, interval = note.onset_s - first.onset_s, abs(note.pitch - first.pitch)
        if note.onset_s > until or not _is_quick(first, note, beat_ticks):
            break
        if gap < MIN_GRACE_S or not 0 < interval <= OCTAVE or first.end_s > note.onset_s + gap / 2:
            continue
        if best is None or interval < abs(notes[best].pitch - first.pitch):
            best, until = following, min(until, note.onset_s + CHORD_S)
    return best


def _are_graces(notes: list[PlayedNote], chain: list[int], beat_ticks: int) -> bool:
    """Whether the notes of a chain before its last are grace notes: few, short, and no part of a run."""
    played = [notes[i] for i in chain]
    *graces, main = played
    gap = main.onset_s - graces[-1].onset_s
    reach = RUN_RATIO * gap
    if len(graces) > MAX_GRACES or main.length_s < reach:
        return False
    is_slow = gap > WRITTEN_S or len(graces) > 2
    if is_slow and any(_is_on_grid(played, value, beat_ticks) for value in WRITTEN_VALUES):
        return False
    before = _beginning(notes, graces[0].onset_s - reach, graces[0].onset_s - CHORD_S)
    after = _beginning(notes, main.onset_s + CHORD_S, main.onset_s + reach)
    near = [notes[i] for i in before if abs(notes[i].pitch - graces[0].pitch) <= OCTAVE]
    return not near and not any(abs(notes[i].pitch - main.pitch) <= OCTAVE for i in after)
