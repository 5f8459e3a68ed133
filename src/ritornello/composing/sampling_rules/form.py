"""Rules of form, which make each bar as similar to an earlier bar as the plan says.

A network alone copies too much into bars that should be new or similar in part, and too little into bars that
should return unchanged; benchmarks/RESULTS.md has the shares with and without these rules.
"""

import numpy as np

from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT, PARTS, PITCHES, SHIFTS, WAIT

UNCHANGED = 3  # the similarity of a bar that returns note for note
REPEAT_NATS = (0.0, 0.9, 2.0, 8.0)  # by similarity: added to each choice of the next note of the earlier bar
COPY_NATS = 6.0  # subtracted from the next note of an unplanned copy at the end of the bar; less before


def favour_repeated_onsets(state: SamplingState) -> Bias | None:
    """Make the next onset of the earlier bar likelier, and in an unchanged return all others unlikelier."""
    song, clock = state.song, state.song.clock
    similarity, next_similarity = state.similarity[song.bar], state.similarity[song.bar + 1]
    if similarity <= 0 and next_similarity < UNCHANGED:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    if similarity > 0 and (note := state.note_to_repeat(clock)):
        bias[min(note[0] - clock, WAIT)] += REPEAT_NATS[similarity]
    elif similarity == UNCHANGED:  # the earlier bar has no more notes
        bias[: max(song.bar_lines[song.bar + 1] - clock, 0)][: MAX_SHIFT + 1] -= REPEAT_NATS[UNCHANGED]
    if next_similarity == UNCHANGED and (note := state.note_to_repeat(song.bar_lines[song.bar + 1])):
        bias[note[0] - clock + 1 : MAX_SHIFT + 1] -= REPEAT_NATS[UNCHANGED]
    return bias


def favour_repeated_parts(state: SamplingState) -> Bias | None:
    """Make the part of the next note of the earlier bar likelier at its onset."""
    tick, similarity = state.row_tick, state.row_similarity
    note = state.note_to_repeat(tick) if similarity > 0 else None
    if note is None or note[0] != tick:
        return None
    return bias_at(PARTS, note[1], REPEAT_NATS[similarity])


def favour_repeated_pitches(state: SamplingState) -> Bias | None:
    """Make the pitch of the next note of the earlier bar likelier at its onset and in its part."""
    tick, similarity = state.row_tick, state.row_similarity
    note = state.note_to_repeat(tick) if similarity > 0 else None
    if note is None or note[:2] != (tick, state.song.row[COLUMN["part"]]):
        return None
    return bias_at(PITCHES, note[2], REPEAT_NATS[similarity])


def penalize_copies(state: SamplingState) -> Bias | None:
    """Make pitches of other takes at this onset unlikelier, and the next note of an unplanned copy."""
    pitches = state.other_takes.get((state.row_tick, state.song.row[COLUMN["part"]]))
    copy = _unplanned_copy(state)
    if not pitches:
        return copy
    bias = bias_at(PITCHES, pitches, -state.request.avoid_nats)
    return bias if copy is None else bias + copy


def _unplanned_copy(state: SamplingState) -> Bias | None:
    """Return the penalty of the next note of a copy, in a bar that should not return unchanged.

    The bar is a copy if an earlier one begins with the same notes; the penalty grows towards its end.
    """
    song, tick, bar = state.song, state.row_tick, state.bar_tree.bar
    following = state.bar_tree.continuations
    if not following or not 0 <= state.similarity[bar] < UNCHANGED or tick >= song.bar_lines[bar + 1]:
        return None
    start, part = song.bar_starts[bar], song.row[COLUMN["part"]]
    pitches = [pitch for at, other, pitch in following if (at, other) == (tick - start, part)]
    if not pitches:
        return None
    return bias_at(PITCHES, pitches, -COPY_NATS * (tick - start) / (song.bar_lines[bar + 1] - start))
