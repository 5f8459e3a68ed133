"""The shape of the tempo: faster in the middle of phrases, and slower at the end of the song.

Phrases: Todd, A model of expressive timing in tonal music (Music Perception, 1985), and The dynamics of
dynamics (JASA, 1992): the parabolas of phrases and of pairs of phrases are combined, and each pair keeps
its written length in seconds. The end: Friberg & Sundberg, Does music performance allude to
locomotion? A model of final ritardandi derived from measurements of stopping runners (JASA, 1999):
v(x) = (1 + (w^q - 1) x)^(1/q), where q = 3 describes the runners; listeners preferred q = 2 and 3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ritornello.music.score import DEFAULT_TEMPO, Score, Tempo
from ritornello.performing.grid_notes import Floats, Ints
from ritornello.performing.rules import Context, arch

ARCH = 0.08  # the relative change of tempo from the ends of a phrase to its peak, at feel 1
PAIR_ARCH = 0.04  # the same for two phrases together
RITARD_Q = 3.0
FINAL_TEMPO = 0.5  # the factor of the tempo at the end of a ritard, at feel 1
RITARD_BARS = 1.5
LEAST_CHANGE = 0.001  # a smaller relative change of tempo is left out
MAX_CHANGES_A_BAR = 0.25  # a song whose tempo changes more often has rubato already, and keeps its tempi
MAX_US_PER_BEAT = (1 << 24) - 1
MAX_TEMPI = 20_000


def shaped_tempi(score: Score, context: Context, has_end: bool) -> tuple[Tempo, ...]:
    """Return the tempi of a song, changed for its phrases and, if `has_end`, for a final ritard."""
    written = _tempi_from_start(score)
    timeline, manner = context.timeline, context.manner
    has_rubato = len(written) - 1 > MAX_CHANGES_A_BAR * len(timeline)
    depth = 0.0 if has_rubato else context.feel * manner.rubato
    ritard = 0.0 if has_rubato or not has_end else context.feel * manner.ritard
    if (depth == 0 and ritard == 0) or len(timeline) * 8 > MAX_TEMPI:
        return score.tempi
    end = max(score.end_ticks, 1)
    starts = _steps(context, end, ritard)
    middle = (starts[:-1] + starts[1:]) // 2
    factor = 1 + depth * _phrases(starts, middle, context)
    factor *= _ritard(middle, end, ritard, context)
    return _multiplied(written, starts, factor)


def _steps(context: Context, end: int, ritard: float) -> Ints:
    """The ticks (S + 1,) of S steps of constant tempo: beats, and quarters of beats in the ritard."""
    beat = context.timeline.ticks_per_beat
    last = end - int(RITARD_BARS * context.timeline.length_ticks[-1]) if ritard else end
    fine = np.arange(max(last, 0) // beat * beat, end, max(beat // 4, 1)) if ritard else np.zeros(0, np.int64)
    return np.unique(np.concatenate([np.arange(0, end, beat), fine, context.phrase_ticks[:-1], [end]]))


def _phrases(starts: Ints, middle: Ints, context: Context) -> Floats:
    """The relative change (S,) of the tempo at each step for phrases and pairs of phrases."""
    edges = context.phrase_ticks
    pairs = np.unique(np.append(edges[:-1:2], edges[-1]))
    factor = (1 + ARCH * arch(middle, edges)) * (1 + PAIR_ARCH * arch(middle, pairs))
    pair = np.clip(np.searchsorted(pairs, middle, side="right") - 1, 0, len(pairs) - 2)
    length = np.diff(starts)
    shaped_length = np.bincount(pair, length / factor, len(pairs) - 1)
    return np.asarray(
        factor * (shaped_length / np.maximum(np.bincount(pair, length, len(pairs) - 1), 1))[pair] - 1
    )


def _ritard(middle: Ints, end: int, amount: float, context: Context) -> Floats:
    """The factor (S,) of the tempo at each step in the final ritard, 1 before it."""
    length = min(RITARD_BARS * float(context.timeline.length_ticks[-1]), end / 2)
    place = np.clip((middle - (end - length)) / length, 0, 1)
    final = 1 - amount * (1 - FINAL_TEMPO)
    return np.asarray((1 + (final**RITARD_Q - 1) * place) ** (1 / RITARD_Q))


def _multiplied(written: tuple[Tempo, ...], starts: Ints, factor: Floats) -> tuple[Tempo, ...]:
    """The written tempi times the factor (S,) of each step; `starts` (S + 1,) are the ticks of the steps."""
    written_ticks = np.array([tempo.onset_ticks for tempo in written])
    ticks = np.union1d(starts[:-1], written_ticks)
    us = np.array([tempo.us_per_beat for tempo in written])[
        np.searchsorted(written_ticks, ticks, side="right") - 1
    ]
    step = np.minimum(np.searchsorted(starts, ticks, side="right") - 1, len(factor) - 1)
    shaped = np.clip(np.rint(us / np.where(ticks < starts[-1], factor[step], 1.0)), 1, MAX_US_PER_BEAT)
    tempi: list[Tempo] = []
    for tick, value in zip(ticks.tolist(), shaped.astype(np.int64).tolist(), strict=True):
        if not tempi or tick in written_ticks or abs(value / tempi[-1].us_per_beat - 1) >= LEAST_CHANGE:
            tempi.append(Tempo(tick, value))
    return tuple(tempi)


def ticks_per_second(score: Score, ticks: npt.NDArray[np.integer]) -> Floats:
    """Return the ticks per second at each of ticks (N,)."""
    tempi = _tempi_from_start(score)
    at = np.searchsorted([tempo.onset_ticks for tempo in tempi], ticks, side="right") - 1
    return np.asarray(score.ticks_per_beat * 1e6 / np.array([tempo.us_per_beat for tempo in tempi])[at])


def _tempi_from_start(score: Score) -> tuple[Tempo, ...]:
    """The tempi of a song, of which the first is at tick 0."""
    has_first = score.tempi and score.tempi[0].onset_ticks == 0
    return score.tempi if has_first else (DEFAULT_TEMPO, *score.tempi)
