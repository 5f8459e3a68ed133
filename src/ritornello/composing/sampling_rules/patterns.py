"""Rules that let the parts of a band repeat what they played in an earlier bar (`part_patterns`)."""

from math import log

import numpy as np

from ritornello.composing.sampling_rules.onsets import favour_shift, require_onset
from ritornello.composing.sampling_state import LEAST_SHARE, Bias, SamplingState
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    MAX_SHIFT,
    PARTS,
    PITCHES,
    SHIFTS,
)

PATTERN_NATS = 8.0  # subtracted from onsets that leave the pattern of a part
MOST_PART_NATS = 10.0  # the most that is added to a part at an onset of its pattern


def favour_onsets_of_patterns(state: SamplingState) -> Bias | None:
    """Make shifts unlikelier that would leave out an onset of a pattern.

    In a bar in which every part that may play repeats a pattern, all other onsets are unlikelier too.
    """
    patterns, clock = state.patterns, state.song.clock
    if patterns is None:
        return None
    parts, end = state.playing_parts(clock), state.song.bar_lines[state.song.bar + 1]
    fixed = patterns.repeating(clock, parts)
    bias = np.zeros(SHIFTS, np.float32)
    if patterns.due(clock, fixed):
        bias[1:] = -PATTERN_NATS
        return favour_shift(state, 0, bias)
    following = patterns.next_tick(clock, fixed)
    if following < 0 and end < state.song.end_tick:
        following = patterns.next_tick(end - 1, patterns.repeating(end, state.playing_parts(end)))
    if following >= 0:
        bias = require_onset(state, following, PATTERN_NATS, bias)
    elif not fixed:
        return None
    if len(fixed) == len(parts):
        first = 1 if clock == state.onset else 0
        last = min(end, following) if following >= 0 else end
        bias[first : max(first, last - clock)][: MAX_SHIFT + 1] = -PATTERN_NATS
        if 0 <= following - clock <= MAX_SHIFT:
            return favour_shift(state, following - clock, bias)
    return bias


def favour_parts_of_patterns(state: SamplingState) -> Bias | None:
    """Make parts likelier at onsets of their pattern, and unlikelier at others.

    The parts of an onset ascend, so those above the first that is due are unlikelier too.
    """
    patterns, tick = state.patterns, state.row_tick
    if patterns is None:
        return None
    parts = state.playing_parts(tick)
    fixed = patterns.repeating(tick, parts)
    if not fixed:
        return None
    bias, due = np.zeros(PARTS, np.float32), patterns.due(tick, fixed)
    joins = state.part if tick == state.onset else -1
    for part in fixed:
        if part not in due and part != joins:
            bias[part] = -PATTERN_NATS
    if due:
        share = float(state.shift_shares[state.song.row[COLUMN["shift"]]])
        bias[due[0] + 1 :] = -PATTERN_NATS
        bias[due[0]] = min(-log(max(share, LEAST_SHARE)), MOST_PART_NATS)
    return bias


def keep_pitches_of_patterns(state: SamplingState) -> Bias | None:
    """Make other pitches unlikelier where a part repeats those of an earlier bar."""
    patterns, part = state.patterns, int(state.song.row[COLUMN["part"]])
    if patterns is None or part == DRUM_PART:
        return None
    due = patterns.due_pitches(state.row_tick, part)
    if not due:
        return None
    bias = np.full(PITCHES, -PATTERN_NATS, np.float32)
    bias[due[0]] = 0.0  # pitches of an onset are in ascending order
    return bias
