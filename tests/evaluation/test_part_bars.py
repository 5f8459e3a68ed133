"""Bars of parts that repeat earlier ones. Notes are (onset, duration, pitch) in beats."""

from __future__ import annotations

from ritornello.evaluation import part_bars as measures
from ritornello.evaluation.coherence import NOTHING
from ritornello.music.score import Meter, Part
from tests.evaluation.test_coherence import song

KIT = Part("", 0, True)


def test_bars_repeat_the_onsets_and_the_notes_of_earlier_ones() -> None:
    # bars of 4 beats: A, the onsets of A, others, A, and a bar later, after a rest, A again
    bars = [
        [(0, 60), (1, 62)],
        [(0, 64), (1, 65)],
        [(0, 60), (2, 62)],
        [(0, 60), (1, 62)],
        [],
        [(0, 60), (1, 62)],
    ]
    line = [(4 * bar + beat, 1, pitch) for bar, notes in enumerate(bars) for beat, pitch in notes]
    assert measures.rhythms_of_bar_before(song(line)) == (1, 3)  # of bars 2 to 4; bar 6 follows a rest
    assert measures.rhythms_of_earlier_bars(song(line)) == (3, 4)
    assert measures.notes_of_earlier_bars(song(line)) == (2, 4)


def test_each_part_is_compared_with_itself() -> None:
    both = song([(0, 1, 60), (5, 1, 60)], [(1, 1, 48), (4, 1, 48)])
    assert measures.rhythms_of_earlier_bars(both) == (0, 2)
    assert measures.notes_of_earlier_bars(song([(0, 1, 60)], [(0, 1, 60)])) == NOTHING


def test_drums_do_not_count() -> None:
    drums = song([(0, 1, 36), (4, 1, 36)], parts=(KIT,))
    for measure in measures.PART_MEASURES:
        assert measure.amount(drums) == NOTHING


def test_a_bar_of_another_length_is_no_repeat() -> None:
    notes = [(0, 1, 60), (4, 1, 60), (8, 1, 60)]
    assert measures.rhythms_of_bar_before(song(notes)) == (2, 2)
    longer = song(notes, meters=(Meter(0, 4, 4), Meter(96, 5, 4)))  # the second bar, with onsets at 0 and 4
    assert measures.rhythms_of_bar_before(longer) == (0, 1)
    waltz = song([(0, 1, 60), (4, 1, 60), (7, 1, 60)], meters=(Meter(0, 4, 4), Meter(96, 3, 4)))
    assert measures.rhythms_of_bar_before(waltz) == (1, 2)  # the third bar has the length of the second
    assert measures.notes_of_earlier_bars(waltz) == (1, 2)
