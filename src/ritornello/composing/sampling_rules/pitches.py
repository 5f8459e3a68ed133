"""Rules for the field `pitch`, apart from those of form."""

from functools import lru_cache

import numpy as np

from ritornello.composing.recent_notes import OCTAVE, share
from ritornello.composing.sampling import FORBIDDEN
from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.music.instrument_ranges import pitch_range
from ritornello.music.modes import MODES
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, PITCHES, part_of_class

# Penalties in nats, subtracted from the logits of pitches
OUT_OF_MODE_NATS = 3.5  # of a pitch outside the scale of a mode
EXCESS_OUT_OF_MODE_NATS = 12.0  # in addition, times the recent share of such pitches above USUAL_OUT_OF_MODE
USUAL_OUT_OF_MODE = 0.05
BLUES_CHORD_NATS = 1.0  # of a tone of the present chord that is not in the scale of the blues
FREE_REPEATS = 8  # how often in a row a pitch is played without a penalty
REPEAT_NATS = 0.4  # of each further repeat
NEVER_REPEATS_NATS = 20.0  # of a repeat where songs of the label hold notes on instead, as chorales of JSB do
EXCESS_REPEAT_NATS = 40.0  # times the recent share of repeats above the statistics of the label
NEAR_SEMITONES = 3  # distance from the planned mean pitch without a penalty
FAR_NATS = 0.3  # of each further semitone
EXCESS_FAR_NATS = 150.0  # times the recent share of far pitches above the statistics of the label


def forbid_additions_to_given_parts(state: SamplingState) -> Bias | None:
    """Forbid all but given notes in parts that are not requested, and outside the requested bars."""
    tick, given = state.row_tick, state.song.next_given("pitch")
    if given is None or state.request.parts is None:
        return None
    is_inside = state.first_tick <= tick < state.end_tick
    if is_inside and state.song.row[COLUMN["part"]] in state.playing_parts(tick):
        return None
    bias = np.full(PITCHES, FORBIDDEN, np.float32)
    bias[given] = 0
    return bias


def forbid_unplayable_pitches(state: SamplingState) -> Bias | None:
    """Forbid pitches outside the range of the instrument, apart from given ones."""
    part = state.song.row[COLUMN["part"]]
    if part == DRUM_PART:
        return None
    bias, given = _unplayable_pitches(part, state.request.transposed_by), state.song.next_given("pitch")
    if given is not None and bias[given] == FORBIDDEN:
        bias = bias.copy()
        bias[given] = 0
    return bias


def forbid_pitches_above_melody(state: SamplingState) -> Bias | None:
    """Forbid pitches above a given melody, unless the instrument cannot play below it."""
    request, row = state.request, state.song.row
    if request.music is None or request.music.kind != "tune" or row[COLUMN["part"]] == DRUM_PART:
        return None
    melody = min(row[COLUMN["given.top"]], row[COLUMN["given.next"]])
    lowest, _ = playable_pitches(row[COLUMN["part"]], request.transposed_by)
    if melody >= PITCHES or lowest >= melody:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[melody + 1 :] = FORBIDDEN
    if (given := state.song.next_given("pitch")) is not None:
        bias[given] = 0
    return bias


def penalize_pitches_outside_mode(state: SamplingState) -> Bias | None:
    """Make pitches outside the scale of a mode unlikelier, because the network knows only the nearest key.

    The penalty is larger after many notes outside the scale. Tones of the present chord have none, or in the
    blues, whose own chords have tones outside the scale, a small one.
    """
    if not state.request.plan.mode or state.song.row[COLUMN["part"]] == DRUM_PART:
        return None
    excess = share(state.recent.out_of_key) - USUAL_OUT_OF_MODE
    nats = OUT_OF_MODE_NATS + EXCESS_OUT_OF_MODE_NATS * max(0.0, excess)
    of_chord = state.harmony.tones_at(state.row_tick) if state.harmony else frozenset()
    bias: Bias = _outside(state.scale | of_chord) * np.float32(-nats)
    if MODES[state.request.plan.mode].chords:
        bias += (_outside(state.scale) - _outside(state.scale | of_chord)) * np.float32(-BLUES_CHORD_NATS)
    return bias


def favour_planned_register(state: SamplingState) -> Bias | None:
    """Make pitches far from the planned mean pitch unlikelier.

    In parts whose register the user set, pitches are far beyond NEAR_SEMITONES; in others beyond an octave,
    while the share of such notes is larger than in songs of the label.
    """
    part = int(state.song.row[COLUMN["part"]])
    planned = state.planned_pitch(state.row_tick, part)
    if planned is None:
        return None
    distance = np.abs(np.arange(PITCHES) - planned)
    if part in state.planned.held_registers:
        return np.asarray(-FAR_NATS * np.maximum(distance - NEAR_SEMITONES, 0), np.float32)
    excess = share(state.recent.far_notes) - state.style.far_notes
    return np.where(distance > OCTAVE, np.float32(-EXCESS_FAR_NATS * excess), 0) if excess > 0 else None


def penalize_repeated_pitches(state: SamplingState) -> Bias | None:
    """Make the last pitch of the part unlikelier after many repeats.

    Many are more than FREE_REPEATS in a row, a larger share of recent notes than in songs of the label, or
    any if these have none.
    """
    part = state.song.row[COLUMN["part"]]
    pitch, times = state.pitch_runs.get(part, (-1, 0))
    if pitch < 0 or part == DRUM_PART:
        return None
    penalty = REPEAT_NATS * max(0, times - FREE_REPEATS + 1)
    penalty += EXCESS_REPEAT_NATS * max(0.0, share(state.recent.repeats) - state.style.repeats)
    is_final = state.closing_note is not None and state.row_tick >= state.song.bar_starts[-1]
    penalty += NEVER_REPEATS_NATS * (state.style.repeats == 0 and not is_final)
    if penalty == 0:
        return None
    return bias_at(PITCHES, pitch, -penalty)


def playable_pitches(part: int, transposed_by: int) -> tuple[int, int]:
    """Return the lowest and the highest pitch that a part (its class) can play in a transposed song."""
    if part == DRUM_PART:
        return 0, PITCHES - 1
    lowest, highest = pitch_range(part_of_class(part).program)
    return lowest + transposed_by, highest + transposed_by


@lru_cache(maxsize=1024)
def _unplayable_pitches(part: int, transposed_by: int) -> Bias:
    """Return a bias (128,) that forbids pitches outside the range of a part's instrument."""
    lowest, highest = playable_pitches(part, transposed_by)
    pitch = np.arange(PITCHES)
    bias: Bias = np.where((pitch < lowest) | (pitch > highest), FORBIDDEN, np.float32(0))
    return bias


@lru_cache(maxsize=64)
def _outside(scale: frozenset[int]) -> Bias:
    """Return 1 for each pitch (128,) whose pitch class is not in a scale, else 0."""
    return np.array([pitch % 12 not in scale for pitch in range(PITCHES)], np.float32)
