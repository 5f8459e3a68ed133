"""The JSB chorales as Scores: pitches on a grid of 16ths, put into bars and read by the representation.

The file says neither where bars begin nor whether there are four beats in them or three. `bars` finds both:
long notes begin on strong beats, songs end with a bar, and most begin with it or a beat before. Of the 201
songs whose edition in music21's wheel shows the bars, 196 come out as printed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.chorale import Chorale

BPM = 72
BEAT = 4  # 16ths
LONG = 2 * BEAT  # a note that is longer counts no more
FOUR, THREE = 4 * BEAT, 3 * BEAT
THIRD_BEAT = 0.5  # how strong the third beat of four is beside the first
ENDS_WITH_A_BAR, USUAL_UPBEAT, IN_THREE = 0.8, 0.4, -0.2  # what each says for a reading


def to_score(frames: npt.NDArray[np.int64], title: str) -> Score:
    """The Score of pitches (N, 4), soprano to bass, -1 for a rest; an upbeat is preceded by rest."""
    bar, upbeat = bars(frames)
    rest = np.full(((bar - upbeat) % bar, 4), -1)
    chorale = Chorale()
    whole = np.concatenate([rest, frames])
    rows = chorale.rows(whole, positions=np.arange(len(whole)) % bar)
    count = -(-len(whole) // bar)
    plan = Plan(bars=count, meters=((0, bar // BEAT, 4),), us_per_beat=round(60e6 / BPM), title=title)
    return chorale.decode(rows.values, plan)


def bars(frames: npt.NDArray[np.int64]) -> tuple[int, int]:
    """How many 16ths a bar has (16 or 12), and how many stand before the first bar line."""
    readings = [(bar, upbeat) for bar in (FOUR, THREE) for upbeat in range(0, bar, BEAT)]
    return max(readings, key=lambda reading: _fit(frames, *reading))


def _fit(frames: npt.NDArray[np.int64], bar: int, upbeat: int) -> float:
    """How well a reading fits: by how long notes are on its strong beats, in standard deviations."""
    begins = np.ones(frames.shape, bool)
    begins[1:] = frames[1:] != frames[:-1]
    lengths = np.zeros(frames.shape)
    for voice in range(frames.shape[1]):
        at = np.flatnonzero(begins[:, voice])
        lengths[at, voice] = np.diff(at, append=len(frames))
    on_beats = np.minimum(lengths, LONG).sum(axis=1)[::BEAT]  # (beats,)
    beat = (np.arange(len(on_beats)) - upbeat // BEAT) % (bar // BEAT)
    mean = [
        on_beats[beat == number].mean() if (beat == number).any() else 0.0 for number in range(bar // BEAT)
    ]
    if bar == FOUR:
        weak = (1 + THIRD_BEAT) / 2 * (mean[1] + mean[3])
        found = mean[0] + THIRD_BEAT * mean[2] - weak
    else:
        found = mean[0] - (mean[1] + mean[2]) / 2 + IN_THREE * (on_beats.std() + 1e-9)
    fit = found / (on_beats.std() + 1e-9)
    fit += ENDS_WITH_A_BAR * ((len(frames) - upbeat) % bar == 0) + USUAL_UPBEAT * (upbeat in (0, BEAT))
    return float(fit)
