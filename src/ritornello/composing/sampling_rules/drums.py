"""Rules that keep the groove of the drums (`drum_groove`): repeated bars, and the snare on 2 and 4."""

from math import log

import numpy as np

from ritornello.composing.drum_groove import ALL_DRUMS, KICKS_AND_SNARES
from ritornello.composing.sampling_rules.onsets import require_onset
from ritornello.composing.sampling_state import LEAST_SHARE, Bias, SamplingState, bias_at
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    PARTS,
    PITCHES,
    SHIFTS,
)

ONSET_NATS = 8.0  # subtracted from shifts that leave out a drum note of the groove
MOST_PART_NATS = 10.0  # the most that is added to the drums at an onset at which a note of the groove is due
PART_NATS = 8.0  # subtracted from the drums at other onsets of a bar that repeats all drums
PITCH_NATS = 8.0  # subtracted from other drum notes


def favour_onsets_of_groove(state: SamplingState) -> Bias | None:
    """Make shifts unlikelier that would leave out a drum note of the groove."""
    groove, clock = state.groove, state.song.clock
    if groove is None or DRUM_PART not in state.playing_parts(clock):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    if groove.due(clock):
        bias[1:] = -ONSET_NATS
        return bias
    following = groove.next_tick(clock)
    return require_onset(state, following, ONSET_NATS, bias) if following >= 0 else None


def favour_drums_of_groove(state: SamplingState) -> Bias | None:
    """Make the drums likelier where they are due, and unlikelier elsewhere in a bar that repeats all drums.

    They gain the negative log-likelihood of the shift, at most MOST_PART_NATS: after an unlikely shift the
    network expects notes of other parts.
    """
    groove, tick = state.groove, state.row_tick
    if groove is None:
        return None
    if groove.due(tick):
        share = float(state.shift_shares[state.song.row[COLUMN["shift"]]])
        nats = min(-log(max(share, LEAST_SHARE)), MOST_PART_NATS)
    else:
        nats = -PART_NATS * (groove.fixed_pitches(tick) == ALL_DRUMS)
    return bias_at(PARTS, DRUM_PART, nats) if nats else None


def keep_drums_of_groove(state: SamplingState) -> Bias | None:
    """Make drum notes unlikelier that the groove does not have, or after which a due note could not come."""
    groove, tick = state.groove, state.row_tick
    if groove is None or state.song.row[COLUMN["part"]] != DRUM_PART:
        return None
    fixed, due = groove.fixed_pitches(tick), groove.due(tick)
    if not fixed and not due:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[list(fixed)] = -PITCH_NATS
    bias[list(KICKS_AND_SNARES & fixed)] *= 2  # if all drums are fixed, a wrong other drum disturbs less
    if due:  # pitches of an onset are in ascending order: a higher one would leave out the one that is due
        bias[due[0] :] = -PITCH_NATS
        bias[due[0]] = 0.0
    return bias
