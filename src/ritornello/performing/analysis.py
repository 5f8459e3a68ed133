"""Find the chords of a song and the beginnings of its phrases, on which a performance depends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ritornello.errors import RitornelloError
from ritornello.music.plan import MAX_BARS
from ritornello.music.score import Score, rescale_ticks
from ritornello.music.sections import phrases
from ritornello.music.sketch import UNKNOWN
from ritornello.music.timeline import Timeline
from ritornello.performing.grid_notes import Ints


def phrase_ticks(score: Score, cadences: Sequence[int] = ()) -> Ints:
    """Return the ticks (P + 1,) at which the P phrases of a song begin, and the tick at which the last ends.

    `cadences` are the cadences of its sketch, one for each bar; without them, phrases have four bars.
    """
    timeline = Timeline.of(score)
    if not len(timeline):
        return np.array([0, 1])
    known_cadences = () if any(cadence == UNKNOWN for cadence in cadences) else cadences
    starts = [
        timeline.start_ticks[span.start]
        for span in phrases(len(timeline), known_cadences, timeline.pickup_bars)
    ]
    return np.unique([*starts, max(timeline.end_ticks, int(starts[-1]) + 1)])


def analysed(score: Score) -> tuple[Score, tuple[int, ...]]:
    """Return a song with its chords, which are estimated if it has none, and the cadences of its bars.

    If a song exceeds the limits of the representation, such as MAX_BARS bars, neither is estimated.
    """
    from ritornello.representations.notes import Notes

    notes = Notes()
    if not len(score) or len(Timeline.of(score)) > MAX_BARS:
        return score, ()
    try:
        timeline = notes.timeline(notes.canonical(score)[0])
    except RitornelloError:
        return score, ()
    cadences = timeline.sketch.cadences if timeline.sketch else ()
    if score.chords:
        return score, cadences
    to_score = timeline.ticks_per_beat, score.ticks_per_beat
    chords = {rescale_ticks(chord.onset_ticks, *to_score): chord for chord in timeline.chords}
    return replace(
        score, chords=tuple(chord._replace(onset_ticks=tick) for tick, chord in sorted(chords.items()))
    ), cadences
