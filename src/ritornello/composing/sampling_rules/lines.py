"""Rules for labels whose parts are lines without gaps and overlaps: each note ends where the next begins.

A network begins 96 of 100 notes of a chorale where the note before ends. But then hardly a chorale of four
voices has neither gap nor overlap. In people's chorales all voices sound from the first chord to the last.
"""

from functools import lru_cache

import numpy as np

from ritornello.composing.sampling_rules.onsets import require_onset
from ritornello.composing.sampling_state import Bias, SamplingState
from ritornello.models.model_folder import RARE_BREAKS
from ritornello.representations.grid.vocabulary import DRUM_PART, MAX_SHIFT, PARTS, SHIFTS

ONSET_NATS = 20.0  # subtracted from shifts after which a part would have a gap, or no part could play
PART_NATS = 20.0  # subtracted from parts that must wait (with 8, half the chorales had a gap or overlap)


def favour_onsets_where_notes_end(state: SamplingState) -> Bias | None:
    """Make onsets unlikelier that come after the end of a note, or while notes of all parts still sound."""
    style, clock = state.style, state.song.clock
    if min(style.gaps, style.overlaps) >= RARE_BREAKS or not state.request.parts:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    ends = [_end(state, part) for part in state.playing_parts(clock) if part != DRUM_PART]
    later = [end for end in ends if end > clock]
    if style.overlaps < RARE_BREAKS:
        if state.onset == clock and not any(
            part > state.part and _end(state, part) <= clock for part in state.playing_parts(clock)
        ):
            bias[0] = -ONSET_NATS
        if len(later) == len(ends):  # all parts are held until the first of them ends
            bias[1 : min(min(later, default=clock) - clock, MAX_SHIFT + 1)] = -ONSET_NATS
    if style.gaps < RARE_BREAKS:
        if _ended_parts(state, clock):
            bias[1:] = -ONSET_NATS
        elif later and (following := min(later)) < state.end_tick:
            return require_onset(state, following, ONSET_NATS, bias)
    return bias


def favour_parts_whose_notes_end(state: SamplingState) -> Bias | None:
    """Make parts unlikelier after which a part whose note ends here could not play: parts come in order."""
    if state.style.gaps >= RARE_BREAKS or not (ended := _ended_parts(state, state.row_tick)):
        return None
    return _above(ended[0])


def penalize_overlaps(state: SamplingState) -> Bias | None:
    """Make parts unlikelier in which a note sounds that began before this onset."""
    if state.style.overlaps >= RARE_BREAKS:
        return None
    tick = state.row_tick
    held = [
        part
        for part in state.sounding
        if part != DRUM_PART and (tick, part) != (state.onset, state.part) and _end(state, part) > tick
    ]
    if not held:
        return None
    bias = np.zeros(PARTS, np.float32)
    bias[held] = -PART_NATS
    return bias


def _end(state: SamplingState, part: int) -> int:
    """The tick at which the last note of a part ends; -1 if it has none."""
    return max(state.sounding.get(part, ()), default=-1)


def _ended_parts(state: SamplingState, tick: int) -> list[int]:
    """The parts, ascending, whose last note ends at a tick and that can still begin one there."""
    least = state.part + 1 if state.onset == tick else 0
    return [
        part
        for part in state.playing_parts(tick)
        if part >= least and part != DRUM_PART and _end(state, part) == tick
    ]


@lru_cache(maxsize=PARTS)
def _above(part: int) -> Bias:
    """A bias that makes the parts above a part unlikelier."""
    bias = np.zeros(PARTS, np.float32)
    bias[part + 1 :] = -PART_NATS
    return bias
