"""Biases on shifts by which a note comes at a certain onset."""

from math import log

import numpy as np

from ritornello.composing.sampling_state import LEAST_SHARE, Bias, SamplingState
from ritornello.representations.grid.vocabulary import END, MAX_SHIFT, WAIT


def require_onset(state: SamplingState, tick: int, nats: float, bias: Bias) -> Bias:
    """Subtract `nats` from the shifts that lead past a tick, and favour the shift that leads to it.

    The bias (194,) is changed and returned. The tick is later than the clock. If no shift reaches it, none is
    favoured.
    """
    shift = tick - state.song.clock
    bias[shift + 1 : MAX_SHIFT + 1] = -nats
    bias[END] = -nats
    bias[WAIT] = -nats * (state.tick_after_wait > tick)
    return favour_shift(state, shift, bias) if shift <= MAX_SHIFT else bias


def favour_shift(state: SamplingState, shift: int, bias: Bias) -> Bias:
    """Give a shift the probability that other shifts lose, which are those with a negative bias (194,).

    Otherwise shift 0 would gain too, and more notes would join the present onset. The bias is changed and
    returned.
    """
    own = max(float(state.shift_shares[shift]), LEAST_SHARE)
    others = float(np.add.reduce(state.shift_shares[bias < 0]))
    bias[shift] = log((own + others) / own)
    return bias
