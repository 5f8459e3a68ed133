"""Songs that strain the representation `notes`: many parts, long silences, passages that return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from ritornello.music.plan import GRID
from ritornello.music.score import Meter, Part, Score
from tests.scores import scores


@st.composite
def wide(draw: Callable[..., Any]) -> Score:
    """Scores with more parts of one program than there are instances, and with long silences."""
    song = draw(scores(max_parts=8, max_beats=draw(st.sampled_from((4, 24, 80)))))
    few = [part._replace(program=part.program % 2) for part in song.parts]
    return replace(song, parts=few) if draw(st.booleans()) else song


@st.composite
def repetitive(draw: Callable[..., Any]) -> Score:
    """Songs of a few bars that come back, whole or nearly, now and then after bars of rest."""
    beats = draw(st.sampled_from((2, 3, 4, 12)))
    note = st.tuples(st.integers(0, 4 * beats - 1), st.integers(0, 1), st.integers(60, 63))
    patterns = draw(st.lists(st.sets(note, min_size=1, max_size=6), min_size=1, max_size=3))
    order = draw(st.lists(st.integers(-1, len(patterns) - 1), min_size=2, max_size=12))
    struck = {
        (bar * beats * GRID + place * GRID // 4, part, pitch)
        for bar, index in enumerate(order)
        if index >= 0
        for place, part, pitch in patterns[index]
    }
    struck ^= {(bar * beats * GRID, 0, 60) for bar in draw(st.sets(st.integers(0, 11), max_size=3))}
    onset, part, pitch = zip(*sorted(struck), strict=True) if struck else ((), (), ())
    meters = (Meter(0, beats, 4),)
    parts = (Part(), Part("", 9))
    return Score.of(GRID, onset, [6] * len(onset), pitch, [64] * len(onset), part, parts, meters=meters)
