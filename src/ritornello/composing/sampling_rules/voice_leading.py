"""Rules of voice leading for labels whose songs of people avoid parallel fifths and octaves, or clashes."""

import numpy as np

from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.composing.voice_leading import RECENT_MOVES
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, PITCHES

RARE_PARALLELS = 0.05  # per beat in songs of a label: below, they are avoided
PARALLEL_NATS = 6.0  # subtracted from pitches that make one
EXCESS_REPEAT_NATS = 40.0  # times the recent share of repeated highest pitches above that of the label
LEAST_MOVES = RECENT_MOVES // 4  # shares of fewer moves are computed as if there were so many
CLASH_NATS = 3.0  # subtracted from a pitch for each second with a sounding note, if a song has too many


def penalize_parallels(state: SamplingState) -> Bias | None:
    """Make pitches unlikelier that make parallel fifths or octaves, where people avoid these."""
    if state.style.parallels >= RARE_PARALLELS or state.closing_note:
        return None
    part = int(state.song.row[COLUMN["part"]])
    pitches = state.voice_leading.parallel_pitches(state.row_tick, part)
    if not pitches:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[pitches] = -PARALLEL_NATS
    return bias


def penalize_repeated_tops(state: SamplingState) -> Bias | None:
    """Make the highest pitch of a part's last onset unlikelier after more repeats than people write."""
    leading, part = state.voice_leading, int(state.song.row[COLUMN["part"]])
    move = leading.moves.get(part)
    if move is None or part == DRUM_PART or state.closing_note:
        return None
    pitch = move.before if move.onset == state.row_tick else move.pitch
    share = sum(leading.repeats) / max(len(leading.repeats), LEAST_MOVES)
    if pitch < 0 or share <= state.style.top_repeats:
        return None
    return bias_at(PITCHES, pitch, -EXCESS_REPEAT_NATS * (share - state.style.top_repeats))


def penalize_clashes(state: SamplingState) -> Bias | None:
    """Make seconds with sounding notes unlikelier while the song has more of them than songs of the label."""
    tick = state.row_tick
    is_drums = state.song.row[COLUMN["part"]] == DRUM_PART
    if is_drums or state.closing_note or state.voice_leading.clashes_per_beat(tick) <= state.style.clashes:
        return None
    bias = np.zeros(PITCHES, np.float32)
    for pitch, count in state.voice_leading.clashes_of(tick).items():
        if 0 <= pitch < PITCHES:
            bias[pitch] = -CLASH_NATS * count
    return bias
