"""Convert the JSB chorales, which are pitches on a grid of 16ths, to Scores.

The data set contains no bar lines and no meters. `estimate_bars` finds both: long notes begin on strong
beats, a song ends with a full bar, and it usually begins on a bar line or a beat before one. It agrees with
the printed edition for 196 of the 201 songs that music21 contains.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.chorale import Chorale

BPM = 72
BEAT = 4  # 16ths
MAX_WEIGHT = 2 * BEAT  # the longest length that counts
FOUR, THREE = 4 * BEAT, 3 * BEAT
THIRD_BEAT = 0.5  # the strength of the third beat of four, relative to the first
ENDS_WITH_A_BAR, USUAL_UPBEAT, IN_THREE = 0.8, 0.4, -0.2  # bonuses of a candidate


def to_score(frames: npt.NDArray[np.int64], title: str) -> Score:
    """The Score of pitches (N, 4), soprano to bass, -1 for a rest; a rest is put before an upbeat."""
    bar, upbeat = estimate_bars(frames)
    rest = np.full(((bar - upbeat) % bar, 4), -1)
    chorale = Chorale()
    whole = np.concatenate([rest, frames])
    rows = chorale.rows(whole, positions=np.arange(len(whole)) % bar)
    count = -(-len(whole) // bar)
    plan = Plan(bars=count, meters=((0, bar // BEAT, 4),), us_per_beat=round(60e6 / BPM), title=title)
    return chorale.decode(rows.values, plan)


def estimate_bars(frames: npt.NDArray[np.int64]) -> tuple[int, int]:
    """The length of a bar (16 or 12) and of the upbeat, in 16ths, of pitches (N, 4)."""
    candidates = [(bar, upbeat) for bar in (FOUR, THREE) for upbeat in range(0, bar, BEAT)]
    return max(candidates, key=lambda candidate: _fit(frames, *candidate))


def _fit(frames: npt.NDArray[np.int64], bar: int, upbeat: int) -> float:
    """How well a bar length and upbeat fit: the extra length of notes on strong beats, standardised."""
    begins = np.ones(frames.shape, bool)
    begins[1:] = frames[1:] != frames[:-1]
    lengths = np.zeros(frames.shape)
    for voice in range(frames.shape[1]):
        at = np.flatnonzero(begins[:, voice])
        lengths[at, voice] = np.diff(at, append=len(frames))
    on_beats = np.minimum(lengths, MAX_WEIGHT).sum(axis=1)[::BEAT]  # (beats,)
    beat = (np.arange(len(on_beats)) - upbeat // BEAT) % (bar // BEAT)
    mean = [
        on_beats[beat == number].mean() if (beat == number).any() else 0.0 for number in range(bar // BEAT)
    ]
    if bar == FOUR:
        weak = (1 + THIRD_BEAT) / 2 * (mean[1] + mean[3])
        accent = mean[0] + THIRD_BEAT * mean[2] - weak
    else:
        accent = mean[0] - (mean[1] + mean[2]) / 2 + IN_THREE * (on_beats.std() + 1e-9)
    fit = accent / (on_beats.std() + 1e-9)
    fit += ENDS_WITH_A_BAR * ((len(frames) - upbeat) % bar == 0) + USUAL_UPBEAT * (upbeat in (0, BEAT))
    return float(fit)
