"""Rules for the field `part`: which parts play, how often, and how many notes at once."""

from functools import lru_cache
from math import log

import numpy as np

from ritornello.composing.sampling import FORBIDDEN
from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.representations.grid.vocabulary import COLUMN, DRUM_PART, PARTS

# A network alone left out three of a quartet's four parts, and a sixth of its game songs were drums alone.
NATS_PER_MISSING_BAR = 3.0
# A requested part is at least this likely for each bar it misses, relative to the likeliest part: a network
# that has learnt tunes of a violin hardly gives a bass any probability. So is any part while fewer than half
# of them have played
LEAST_ODDS_PER_BAR = 0.1
UNPLAYED_NATS = 4.0  # added to an unplayed part at the end of the song; less before, in proportion
MAX_SOUNDING_NOTES = 20  # in one part: more than two hands play, because a pedal holds notes
DUE_NATS = 4.0  # added to a part that lacks notes of the density that the user set
# A part may play this many times the notes that the sketch plans for a bar, and this many more
MOST_TIMES_PLANNED, MORE_THAN_PLANNED = 2, 2
EXCESS_NATS = (
    6.0  # subtracted from a part for each note at an onset or in a bar beyond the label's statistics
)


def forbid_unrequested_parts(state: SamplingState) -> Bias | None:
    """Forbid all parts but the requested ones that do not rest by the sketch, and the next given note's."""
    given = state.song.next_given("part")
    if not state.request.parts:
        return None
    parts = state.playing_parts(state.row_tick)
    if given is None:
        return _forbid_all_but(parts)
    inside = state.first_tick <= state.row_tick < state.end_tick
    return _forbid_all_but((*parts, given) if inside else (given,))


def require_unplayed_parts(state: SamplingState) -> Bias | None:
    """Make required parts that have not played likelier, the later the more.

    In the second half of the last bar, forbid all parts but the first of them.
    """
    unplayed = state.unplayed_parts
    if not unplayed:
        return None
    tick, song = state.row_tick, state.song
    if is_late_in_last_bar(state, tick):
        is_new_onset = song.row[COLUMN["shift"]] > 0 or not song.notes
        can_follow = [part for part in unplayed if is_new_onset or part >= song.notes[-1][1]]
        given = song.next_given("part")
        if can_follow and given is not None and given < can_follow[0]:
            return _forbid_all_but((given,))  # rows of an onset ascend by part
        return _forbid_all_but(tuple(can_follow[:1])) if can_follow else None
    span = max(state.end_tick - state.first_tick, 1)
    return bias_at(PARTS, unplayed, UNPLAYED_NATS * max(tick - state.first_tick, 0) / span)


def forbid_too_many_sounding_notes(state: SamplingState) -> Bias | None:
    """Forbid parts in which MAX_SOUNDING_NOTES notes sound."""
    full_parts = [
        part
        for part, ends in state.sounding.items()
        if len(ends) >= MAX_SOUNDING_NOTES
        and sum(end > state.row_tick for end in ends) >= MAX_SOUNDING_NOTES
        and part != state.song.next_given("part")
    ]
    if not full_parts:
        return None
    return bias_at(PARTS, full_parts, FORBIDDEN)


def favour_rare_parts(state: SamplingState) -> Bias | None:
    """Make parts likelier that have played in fewer bars than planned, or than in songs of the label."""
    missing = state.missing_bars(state.row_tick)
    if not missing:
        return None
    bias, parts = np.zeros(PARTS, np.float32), state.request.parts or ()
    must_play = not state.request.parts_are_optional or 2 * len(state.played_parts) < len(parts)
    highest = max(map(state.part_logits.__getitem__, state.playing_parts(state.row_tick)), default=0.0)
    for part, bars in missing.items():
        bias[part] = NATS_PER_MISSING_BAR * bars
        if must_play and state.part_logits[part] > FORBIDDEN:
            least = highest - float(state.part_logits[part]) + log(LEAST_ODDS_PER_BAR * bars)
            bias[part] = max(bias[part], least)
    return bias


def favour_parts_of_set_density(state: SamplingState) -> Bias | None:
    """Make parts of a set density likelier while they are behind their planned notes in the bar."""
    if not state.planned.held_parts:
        return None
    bar = state.song.bar_of(state.row_tick)
    start, end = state.song.bar_lines[bar : bar + 2]
    elapsed, due = (state.row_tick - start) / (end - start), []
    for part in state.planned.held_parts:
        lacking = state.lacking_notes(bar, part) or 0
        planned = state.planned.notes[bar].get(part, 0)
        if lacking > 0 and planned - lacking <= planned * elapsed:
            due.append(part)
    return bias_at(PARTS, due, DUE_NATS) if due else None


def penalize_excess_notes(state: SamplingState) -> Bias | None:
    """Make parts unlikelier whose next note would be one too many at this onset or in this bar."""
    tick = state.row_tick
    bar = state.song.bar_of(tick)
    penalties = {part: excess_nats(state, part, tick, bar) for part in state.notes_in_bar}
    if not any(penalties.values()):
        return None
    bias = np.zeros(PARTS, np.float32)
    for part, nats in penalties.items():
        bias[part] = -nats
    return bias


def excess_nats(state: SamplingState, part: int, tick: int, bar: int) -> float:
    """Return the penalty in nats of another note of a part at a tick of a bar.

    A note is too many beyond the statistics of the label, for an onset (but for drums) and for a bar, beyond
    the density that the user set, and far beyond that of the sketch.
    """
    last, notes = state.notes_in_bar.get(part, (-1, 0))
    excess = max(0.0, notes + 1 - state.style.notes) if bar == last else 0.0
    if (tick, part) == (state.onset, state.part) and part != DRUM_PART:
        excess += max(0.0, state.part_notes_at_onset + 1 - state.style.voices)
        excess += max(0.0, state.recent.extra_notes_struck(state.style.notes_struck))
    if (lacking := state.lacking_notes(bar, part)) is not None:
        excess += max(0.0, 1.0 - lacking)
    elif (planned := state.planned.notes[bar].get(part)) and part != DRUM_PART and bar == last:
        excess += max(0.0, notes + 1 - MOST_TIMES_PLANNED * planned - MORE_THAN_PLANNED)
    return EXCESS_NATS * excess


def is_late_in_last_bar(state: SamplingState, tick: int) -> bool:
    """Whether a tick is in the second half of the last requested bar, where unplayed parts must play."""
    middle: int = (state.song.bar_starts[state.last_bar] + state.end_tick) // 2
    return tick >= middle


@lru_cache(maxsize=256)
def _forbid_all_but(parts: tuple[int, ...]) -> Bias:
    """Return a bias that forbids all other parts."""
    bias = np.full(PARTS, FORBIDDEN, np.float32)
    bias[list(parts)] = 0
    return bias
