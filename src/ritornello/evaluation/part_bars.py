"""Measures of how parts keep what they play: bars of a pitched part that repeat one of its earlier bars."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.coherence import Amount, Measure

Notes = frozenset[tuple[int, int]]  # position in the bar in ticks of 1/24 beat, pitch


class PartBar(NamedTuple):
    """What a part plays in a bar: the length of the bar in ticks, and the notes of the part."""

    length_ticks: int
    notes: Notes

    @property
    def rhythm(self) -> tuple[int, frozenset[int]]:
        """The length of the bar, and the positions of the onsets."""
        return self.length_ticks, frozenset(position for position, _ in self.notes)


def part_bars(song: AnalysedSong) -> dict[int, dict[int, PartBar]]:
    """Return by pitched part, and by bar in which it plays, what it plays; bars ascend."""
    bar, position = song.positions
    columns = (song.score.part, bar, position, song.score.pitch)
    found: dict[int, dict[int, set[tuple[int, int]]]] = {}
    for part, number, at, pitch in zip(*(column[song.pitched].tolist() for column in columns), strict=True):
        found.setdefault(part, {}).setdefault(number, set()).add((at, pitch))
    lengths = song.timeline.length_ticks.tolist()
    return {
        part: {number: PartBar(lengths[number], frozenset(notes)) for number, notes in sorted(bars.items())}
        for part, bars in found.items()
    }


def rhythms_of_bar_before(song: AnalysedSong) -> Amount:
    """How many bars of parts have the onsets of the bar before, of those in which the part played before."""
    repeats = [
        bars[number].rhythm == bars[number - 1].rhythm
        for bars in part_bars(song).values()
        for number in bars
        if number - 1 in bars
    ]
    return Amount(float(sum(repeats)), len(repeats))


def rhythms_of_earlier_bars(song: AnalysedSong) -> Amount:
    """How many bars of parts have the onsets of an earlier bar of the part; its first one does not count."""
    return _repeated([bar.rhythm for bar in bars.values()] for bars in part_bars(song).values())


def notes_of_earlier_bars(song: AnalysedSong) -> Amount:
    """How many bars of parts have the notes of an earlier bar of the part; its first one does not count."""
    return _repeated(list(bars.values()) for bars in part_bars(song).values())


def _repeated(bars_of_parts: Iterable[Sequence[Hashable]]) -> Amount:
    """How many bars of each part are equal to an earlier one; its first one does not count."""
    amount = of = 0
    for bars in bars_of_parts:
        amount += len(bars) - len(set(bars))
        of += len(bars) - 1
    return Amount(float(amount), of)


PART_MEASURES = (
    Measure("bars of parts with the onsets of the bar before", rhythms_of_bar_before),
    Measure("with the onsets of an earlier bar", rhythms_of_earlier_bars, is_of_opening=True),
    Measure("with the notes of an earlier bar", notes_of_earlier_bars, is_of_opening=True),
)
