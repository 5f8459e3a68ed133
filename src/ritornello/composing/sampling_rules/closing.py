"""Rules that keep the closing notes of a sketch: when each phrase closes, and on which pitch class.

The network reads the closing notes too, but the preceding notes influence it more: without rules 63% of
composed tunes end on the tonic, but 92% of the sketches plan it (docs/results.md, "Closing notes").
"""

import numpy as np

from ritornello.composing.sampling_rules.harmony import bias_of_tones
from ritornello.composing.sampling_state import Bias, SamplingState
from ritornello.representations.grid.vocabulary import COLUMN, END, MAX_SHIFT, SHIFTS, WAIT

ONSET_NATS = 4.0  # subtracted from shifts beyond the closing onset, and from notes after the last one
PITCH_NATS = 8.0  # subtracted from other pitches at the closing onset


def favour_closing_notes(state: SamplingState) -> Bias | None:
    """Make a note at the closing onset likelier, and in a song of one part an end after its last one."""
    closing = state.closings.get(state.song.bar)
    if closing is None:
        return None
    ticks_left, bias = closing.onset_ticks - state.song.clock, np.zeros(SHIFTS, np.float32)
    if ticks_left > 0 or (ticks_left == 0 and state.onset < closing.onset_ticks):
        bias[ticks_left + 1 : MAX_SHIFT + 1] = -ONSET_NATS
        bias[[WAIT, END]] = -ONSET_NATS
    elif state.song.bar == state.last_bar and len(state.request.parts or ()) == 1:
        bias[1 : WAIT + 1] = -ONSET_NATS
    else:
        return None
    return bias


def keep_closing_pitch(state: SamplingState) -> Bias | None:
    """Make other pitches unlikelier for the first note of the leading part at the closing onset."""
    tick, part = state.row_tick, state.song.row[COLUMN["part"]]
    closing = state.closing_note
    if closing is None or closing.part != part:
        return None
    if (state.onset, state.part) == (tick, part):  # another note of the part at this onset
        return None
    return bias_of_tones({closing.pitch_class}, 0.0, -PITCH_NATS)
