"""Small songs for the tests of rendering."""

from __future__ import annotations

import numpy as np

from ritornello.music.score import Meter, Part, Score

BEAT = 24  # ticks


def song(
    *notes: tuple[int, int, int, int, int], parts: tuple[Part, ...] = (Part("Lead"),), **events: object
) -> Score:
    """A Score of (onset, duration, pitch, velocity, part), 24 ticks a beat."""
    return Score.of(BEAT, *(np.array(notes, dtype=int).reshape(-1, 5).T), parts=parts, **events)


def drum_loop() -> Score:
    """Four bars of 4/4: a kick on each beat, a snare on the second and fourth, eighths on the hi-hat."""
    kick = [(24 * beat, 6, 36, 100, 0) for beat in range(16)]
    snare = [(24 * beat, 6, 38, 120, 0) for beat in range(1, 16, 2)]
    hat = [(12 * eighth, 6, 42, 60, 0) for eighth in range(32)]
    return song(*kick, *snare, *hat, parts=(Part("", 0, True),), title="Loop")


def orchestra(bars: int = 200, parts: int = 10) -> Score:
    """`bars` bars of 4/4, a quarter note a beat in each of `parts` parts, the last of them drums."""
    players = tuple(Part(f"Part {index}", 8 * index, index == parts - 1) for index in range(parts))
    notes = [
        (BEAT * beat, BEAT, 36 if player.is_drum else 40 + 5 * index + beat % 5, 40 + beat % 80, index)
        for beat in range(4 * bars)
        for index, player in enumerate(players)
    ]
    return song(*notes, parts=players, title="Orchestra")


def changing_meters() -> Score:
    """Bars of 4/4, 4/4, 3/4, 6/8, 5/4, 5/4, in quarters: 4 + 4 + 3 + 3 + 5 + 5 = 24 beats."""
    meters = (Meter(0, 4, 4), Meter(8 * BEAT, 3, 4), Meter(11 * BEAT, 6, 8), Meter(14 * BEAT, 5, 4))
    return song(*((BEAT * beat, BEAT, 60 + beat, 90, 0) for beat in range(24)), meters=meters)
