"""Find the longest run of notes that a song shares with the training songs of a model.

    songs > SongFingerprint: for each part the hashes of RUN_STEPS successive steps
          > the hashes of all songs in one array > its suffix array
          > the longest common prefix of a suffix of the song and a suffix of a training song

A step is the interval and the ticks from one note to the next of a part (a chord from its lowest note up), so
a shared run is found in any key. A run has more than RUN_STEPS notes. Durations and velocities do not count.
Drums are left out, because most songs share their patterns. A run of 12 notes alone means little, as songs
quote each other and have scales: compare it with the runs that human songs of as many notes share with the
same training songs.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.evaluation.inputs import in_blocks
from ritornello.models.fingerprints import RUN_STEPS, PartFingerprint, SongFingerprint
from ritornello.music.score import Meter, Score
from ritornello.music.timeline import Timeline

BLOCK_NOTES = 1 << 20  # notes of training songs that are sorted at a time
Ints = npt.NDArray[np.int64]  # (N,)
Bars = tuple[int, int]  # the first and the last, counted from 1


class Passage(NamedTuple):
    """A run of notes that a song shares with a training song.

    Lines are parts, counted from 0 among the parts with more than RUN_STEPS notes.
    """

    notes: int  # its number of notes
    bars: Bars  # of the song
    line: int  # of the song
    song: int  # the number of the training song
    name: str  # of the training song
    there: Bars  # of the training song
    there_line: int  # of the training song

    def to_dict(self) -> dict[str, Any]:
        """Return the passage as JSON can hold it."""
        return {**self._asdict(), "bars": list(self.bars), "there": list(self.there)}


def closest_passages(
    songs: Sequence[SongFingerprint], training: Iterable[SongFingerprint]
) -> list[Passage | None]:
    """Return the longest passage of each song that is also in a training song; None if there is none.

    Of equally long ones the first is returned. Time grows as n log² n with the number of notes. Only some of
    the training songs are in memory at a time.
    """
    query = _HashLines(songs, range(-1, -1 - len(songs), -1))
    passages: list[Passage | None] = [None] * len(songs)
    first = 0  # the number of the first song of a block
    for block in in_blocks(training, lambda song: song.notes, BLOCK_NOTES):
        text = _HashLines(block, range(-1 - len(songs) - first, -1 - len(songs) - first - len(block), -1))
        shared, position = _longest_matches(text.hashes, query.hashes)
        for number, (start, end) in enumerate(query.songs):
            if start == end or not (longest := int(shared[start:end].max())):
                continue
            before = passages[number]
            if before is None or longest + RUN_STEPS > before.notes:
                at = start + int(shared[start:end].argmax())
                _, line, bars = query.locate(at, longest)
                song, there_line, bars_there = text.locate(int(position[at]), longest)
                notes, name = longest + RUN_STEPS, block[song].name
                passages[number] = Passage(notes, bars, line, first + song, name, bars_there, there_line)
        first += len(block)
    return passages


def run_lengths(songs: Sequence[SongFingerprint], passages: Sequence[Passage | None]) -> list[int]:
    """Return the lengths of the songs' closest passages in notes.

    A length is RUN_STEPS for a song without a passage, and 0 if none of its parts has more notes than that.
    """
    pairs = zip(songs, passages, strict=True)
    return [passage.notes if passage else RUN_STEPS * bool(song.lines) for song, passage in pairs]


def typical_longest_run(runs: Sequence[int], songs: int) -> int:
    """Return the median of the longest of `songs` runs that are drawn from `runs`.

    The longest of n runs is at most the quantile q of all runs with probability q**n, which is 1/2 here.
    """
    return int(np.quantile(np.asarray(runs), 0.5 ** (1 / songs), method="higher"))


def opening(song: Score, notes: int) -> Score:
    """Return the first `notes` notes of a song, for a comparison of songs of equal length."""
    return song.select(np.sort(np.argsort(song.onset_ticks, kind="stable")[:notes]))


def excerpt(song: Score, bars: Bars, line: int) -> Score:
    """Return the notes of a line of Passage in some bars (first and last, from 1), moved to tick 0."""
    timeline = Timeline.of(song)
    first, last = (min(max(0, bar - timeline.number(0)), len(timeline) - 1) for bar in bars)
    start = int(timeline.start_ticks[first])
    end = int(timeline.start_ticks[last] + timeline.length_ticks[last])
    part = np.flatnonzero(np.bincount(song.part[~song.of_drums]) > RUN_STEPS)[line]
    inside = (song.onset_ticks >= start) & (song.onset_ticks < end) & (song.part == part)
    onset = song.onset_ticks[inside] - start
    duration = np.minimum(song.duration_ticks[inside], end - start - onset)
    columns = (onset, duration, song.pitch[inside], song.velocity[inside])
    meter = Meter(0, int(timeline.numerator[first]), int(timeline.denominator[first]))
    tempi = [tempo for tempo in song.tempi if tempo.onset_ticks <= start][-1:]
    return Score.of(
        song.ticks_per_beat,
        *columns,
        parts=[song.parts[part]],
        tempi=[tempo._replace(onset_ticks=0) for tempo in tempi],
        meters=[meter],
    )


class _HashLines:
    """The hashes of songs, line after line; each line ends with the mark of its song, a negative number."""

    def __init__(self, songs: Sequence[SongFingerprint], marks: Iterable[int]) -> None:
        self.lines: list[PartFingerprint] = [line for song in songs for line in song.lines]
        self.owner = [number for number, song in enumerate(songs) for _ in song.lines]
        pairs = zip(songs, marks, strict=True)
        pieces = [np.append(line.runs, mark) for song, mark in pairs for line in song.lines]
        self.hashes: Ints = np.concatenate([np.zeros(0, np.int64), *pieces])
        self.starts = np.cumsum([0, *(len(piece) for piece in pieces)])  # of the lines
        ends = self.starts[np.cumsum([0, *(len(song.lines) for song in songs)])].tolist()
        self.songs = list(pairwise(ends))  # start and end of each song

    def locate(self, position: int, hashes: int) -> tuple[int, int, Bars]:
        """Return the song, its line, and the bars of a number of hashes from `position` on."""
        line = int(np.searchsorted(self.starts, position, side="right")) - 1
        note = position - int(self.starts[line])
        bars = self.lines[line].bars[note : note + hashes + RUN_STEPS]
        song = self.owner[line]
        return song, line - self.owner.index(song), (int(bars.min()) + 1, int(bars.max()) + 1)


def _longest_matches(text: Ints, query: Ints) -> tuple[Ints, Ints]:
    """Return, for each position of `query` (Q,), the longest match in `text` from there on, and its place.

    In the suffix array of both (Manber & Myers 1990), the suffix of `text` that shares most with a suffix of
    `query` is the nearest one before it or after it.
    """
    both = np.concatenate([text, query])
    ranks = _ranks(both)
    order = np.argsort(ranks[-1], kind="stable")
    index = np.arange(len(both))
    is_text = order < len(text)
    before = np.maximum.accumulate(np.where(is_text, index, -1))
    after = np.minimum.accumulate(np.where(is_text, index, len(both))[::-1])[::-1]
    of_query = np.flatnonzero(~is_text)
    best, where = np.zeros(len(query), np.int64), np.zeros(len(query), np.int64)
    for nearest in (before[of_query], after[of_query]):
        exists = (nearest >= 0) & (nearest < len(both))
        suffix, other = order[of_query[exists]], order[nearest[exists]]
        length = _common_prefix(ranks, suffix, other)
        better = length > best[suffix - len(text)]
        best[suffix[better] - len(text)] = length[better]
        where[suffix[better] - len(text)] = other[better]
    return best, where


def _ranks(values: Ints) -> list[Ints]:
    """Return for each level k the ranks (N,) of the 2**k numbers from each position on.

    Equal numbers have equal ranks. The ranks of the last level are all different.
    """
    ranks = [np.unique(values, return_inverse=True)[1].astype(np.int64)]
    while len(values) and ranks[-1].max() < len(values) - 1:
        width = 1 << (len(ranks) - 1)
        second_half = np.zeros(len(values), np.int64)  # 0, before all others, beyond the end
        second_half[:-width] = ranks[-1][width:] + 1
        pairs = ranks[-1] * (len(values) + 1) + second_half
        ranks.append(np.unique(pairs, return_inverse=True)[1].astype(np.int64))
    return ranks


def _common_prefix(ranks: list[Ints], a: Ints, b: Ints) -> Ints:
    """Return how many numbers from the positions `a` (n,) on are equal to those from `b` (n,) on, (n,)."""
    length = np.zeros(len(a), np.int64)
    size = len(ranks[0])
    for level in range(len(ranks) - 1, -1, -1):
        x, y = np.minimum(a + length, size - 1), np.minimum(b + length, size - 1)
        inside = (np.maximum(a, b) + length + (1 << level)) <= size
        length += np.where(inside & (ranks[level][x] == ranks[level][y]), 1 << level, 0)
    return length
