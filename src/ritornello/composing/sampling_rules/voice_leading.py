"""Rules of voice leading: against parallel fifths and octaves, repeated highest pitches, leaps, and clashes.

Each holds for the labels in whose human songs these are rare. Closing notes are exempt: with the rules 60% of
100 chorales ended on the tonic, without them 75%.
"""

import numpy as np

from ritornello.composing.recent_notes import share
from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.composing.voice_leading import FIFTH, WHOLE_TONE
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, PITCHES

RARE_PARALLELS = 0.05  # a label with fewer parallels per beat avoids them
PARALLEL_NATS = 6.0  # subtracted from pitches that make a parallel
EXCESS_REPEAT_NATS = 40.0  # times the recent share of repeated highest pitches above that of the label
# By how much the recent share of skips or leaps may exceed that of the song, since it varies within people's
# songs too: with 0, parts of composed songs moved by step more often than theirs
MOVES_TOLERANCE = 0.1
EXCESS_LEAP_NATS = 40.0  # times the recent share of leaps above that of the label
CLASH_NATS = 3.0  # subtracted from a pitch for each second with a sounding note, if a song has too many


def penalize_parallels(state: SamplingState) -> Bias | None:
    """Make pitches unlikelier that would make parallel fifths or octaves."""
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
    """Make the highest pitch of a part's last onset unlikelier, if recent parts repeat theirs too often."""
    leading, part = state.voice_leading, int(state.song.row[COLUMN["part"]])
    move = leading.moves.get(part)
    if move is None or part == DRUM_PART or state.closing_note:
        return None
    pitch = move.before if move.onset == state.row_tick else move.pitch
    excess = share([interval == 0 for interval in leading.intervals]) - state.style.top_repeats
    if pitch < 0 or excess <= 0:
        return None
    return bias_at(PITCHES, pitch, -EXCESS_REPEAT_NATS * excess)


def penalize_skips_and_leaps(state: SamplingState) -> Bias | None:
    """Make skips and leaps of a line unlikelier if there were more of them lately than the song may have.

    A part is a line while it strikes single notes.
    """
    leading, part = state.voice_leading, int(state.song.row[COLUMN["part"]])
    move = leading.moves.get(part)
    if (
        move is None
        or move.notes > 1
        or move.onset == state.row_tick
        or part == DRUM_PART
        or state.closing_note
        or state.row_tick >= state.song.bar_starts[-1]
    ):
        return None
    bias, distance = np.zeros(PITCHES, np.float32), np.abs(np.arange(PITCHES) - move.pitch)
    for size, usual in ((WHOLE_TONE, state.style.skips), (FIFTH, state.style.leaps)):
        excess = leading.share_of_moves(size) - usual - MOVES_TOLERANCE
        bias[distance > size] -= EXCESS_LEAP_NATS * max(excess, 0.0)
    return bias if bias.any() else None


def penalize_clashes(state: SamplingState) -> Bias | None:
    """Make seconds with sounding notes unlikelier, while the song has more than songs of its label."""
    tick = state.row_tick
    is_drums = state.song.row[COLUMN["part"]] == DRUM_PART
    if is_drums or state.closing_note or state.voice_leading.clashes_per_beat(tick) <= state.style.clashes:
        return None
    bias = np.zeros(PITCHES, np.float32)
    for pitch, count in state.voice_leading.clashes_of(tick).items():
        if 0 <= pitch < PITCHES:
            bias[pitch] = -CLASH_NATS * count
    return bias
