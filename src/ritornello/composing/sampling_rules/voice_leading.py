"""Rules of voice leading for labels whose songs of people avoid parallel fifths and octaves, or clashes."""

import numpy as np

from ritornello.composing.sampling_state import Bias, SamplingState
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, PITCHES

RARE_PARALLELS = 0.03  # per beat in songs of a label: below, they are avoided
PARALLEL_NATS = 6.0  # subtracted from pitches that make one
CLASH_NATS = 3.0  # subtracted from a pitch for each second with a sounding note, if a song has too many


def penalize_parallels(state: SamplingState) -> Bias | None:
    """Make pitches unlikelier that make parallel fifths or octaves, where people avoid these."""
    if state.style.parallels >= RARE_PARALLELS:
        return None
    part = int(state.song.row[COLUMN["part"]])
    pitches = state.voice_leading.parallel_pitches(state.row_tick, part)
    if not pitches:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[pitches] = -PARALLEL_NATS
    return bias


def penalize_clashes(state: SamplingState) -> Bias | None:
    """Make seconds with sounding notes unlikelier while the song has more of them than songs of the label."""
    tick = state.row_tick
    is_drums = state.song.row[COLUMN["part"]] == DRUM_PART
    if is_drums or state.voice_leading.clashes_per_beat(tick) <= state.style.clashes:
        return None
    bias = np.zeros(PITCHES, np.float32)
    for pitch, count in state.voice_leading.clashes_of(tick).items():
        if 0 <= pitch < PITCHES:
            bias[pitch] = -CLASH_NATS * count
    return bias
