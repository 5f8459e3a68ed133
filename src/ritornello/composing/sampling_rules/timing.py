"""Rules for the fields `shift` and `duration`: when the next note comes, when notes and the song end."""

import numpy as np

from ritornello.composing.sampling import FORBIDDEN
from ritornello.composing.sampling_rules.onsets import favour_shift
from ritornello.composing.sampling_rules.parts import (
    NATS_PER_MISSING_BAR,
    excess_nats,
    is_late_in_last_bar,
)
from ritornello.composing.sampling_rules.pitches import playable_pitches
from ritornello.composing.sampling_state import Bias, SamplingState, bias_at
from ritornello.representations.grid.vocabulary import (
    DURATION_TICKS,
    END,
    MAX_SHIFT,
    PITCHES,
    SHIFTS,
    WAIT,
)

MAX_NOTES_AT_ONSET = 32  # as many as an orchestra plays
# A part that lacks notes in a bar should play within this many times the mean time left for each of them
LATEST_SHARE = 1.5
LATE_NATS = 4.0  # subtracted from later shifts
LEAST_RHYTHM_SHARE = 0.03  # of the probability that the network gives to the next onset of a rhythm
RHYTHM_NATS = 6.0  # subtracted from onsets that leave the rhythm of a bar
LEAST_NATS = 0.01  # a smaller penalty is left out


def forbid_onsets_outside_requested_bars(state: SamplingState) -> Bias | None:
    """Forbid onsets outside the bars to redo, within the prompt, and in bars in which all parts rest.

    The next given note is not forbidden.
    """
    song, clock, given = state.song, state.song.clock, state.song.next_given("shift")
    has_closed_bars = state.request.open_parts is not None or any(state.planned.is_silent)
    if clock >= state.first_tick and state.end_tick == song.end_tick and not has_closed_bars:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    for bar in range(song.bar, len(song.bar_starts)) if has_closed_bars else ():
        if song.bar_starts[bar] > clock + MAX_SHIFT:
            break
        if not state.playing_parts(song.bar_starts[bar]):
            start, end = (max(line - clock, 0) for line in song.bar_lines[bar : bar + 2])
            bias[start:end][: MAX_SHIFT + 1 - start] = FORBIDDEN
    bias[: max(state.first_tick - clock, 0)][: MAX_SHIFT + 1] = FORBIDDEN
    bias[max(state.end_tick - clock, 0) : MAX_SHIFT + 1] = FORBIDDEN
    if given is not None:
        bias[given] = 0
    return bias


def forbid_silence(state: SamplingState) -> Bias | None:
    """Forbid shifts that would leave a requested bar silent.

    In each requested bar a composed note must begin, or sound to its middle; in the last bar one must begin.
    A new song must begin before the middle of its first bar, the pickup if there is one: training songs do
    so (`music.pickup`), but for models trained before that, pickups were silent bars.
    """
    song, request = state.song, state.request
    deadlines = []  # the ticks before which a note must come
    if state.silent_bar <= state.last_bar:
        deadlines.append(song.bar_lines[state.silent_bar + 1])
    is_silent = state.planned.is_silent
    if not state.last_bar_has_onset and state.end_tick >= song.end_tick and not is_silent[-1]:
        deadlines.append(song.end_tick)
    is_new = request.given is None and request.first_tick == 0 and request.end_tick is None
    if not song.notes and is_new and not is_silent[0]:
        deadlines.append((song.bar_lines[1] + 1) // 2)
    if not deadlines:
        return None
    bias, deadline = np.zeros(SHIFTS, np.float32), min(deadlines)
    bias[max(deadline - song.clock, 0) : MAX_SHIFT + 1] = FORBIDDEN
    if state.tick_after_wait >= deadline:
        bias[WAIT] = FORBIDDEN
    bias[END] = FORBIDDEN
    return bias


def forbid_end_before_all_parts_play(state: SamplingState) -> Bias | None:
    """Forbid the end of the song, or of the bars to redo, before each required part has played."""
    song, unplayed = state.song, state.unplayed_parts
    if not unplayed or (song.bar < state.last_bar and state.tick_after_wait < state.end_tick):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[END] = FORBIDDEN
    if state.tick_after_wait >= state.end_tick:
        bias[WAIT] = FORBIDDEN
    bias[max(state.end_tick - song.clock, 0) : MAX_SHIFT + 1] = FORBIDDEN
    is_late = is_late_in_last_bar(state, song.clock) and song.clock + 1 < state.end_tick
    if is_late and song.notes and unplayed[0] < song.notes[-1][1]:
        bias[0] = FORBIDDEN  # parts ascend within an onset, so the unplayed part needs a later one
    return bias


def forbid_crowded_onsets(state: SamplingState) -> Bias | None:
    """Forbid more notes at an onset than MAX_NOTES_AT_ONSET, or if no part can add one in ascending order."""
    song = state.song
    if state.onset != song.clock or state.request.parts is None:
        return None
    parts = state.playing_parts(song.clock)
    if not parts:
        return None  # the prompt ends in a bar that is not redone
    part, pitch = song.notes[-1][1:3]
    _, highest = playable_pitches(part, state.request.transposed_by)
    can_play_higher = part in parts and pitch < min(highest, PITCHES - 1)
    if state.notes_at_onset < MAX_NOTES_AT_ONSET and (can_play_higher or parts[-1] > part):
        return None
    return bias_at(SHIFTS, 0, FORBIDDEN)


def favour_joining_rare_parts(state: SamplingState) -> Bias | None:
    """Make another note at this onset likelier if a later part can join it that plays in too few bars."""
    song = state.song
    if state.onset != song.clock or not song.notes:
        return None
    missing = state.missing_bars(song.clock)
    bars = max((bars for part, bars in missing.items() if part > song.notes[-1][1]), default=0.0)
    if bars == 0:
        return None
    return bias_at(SHIFTS, 0, NATS_PER_MISSING_BAR * bars)


def penalize_excess_onsets(state: SamplingState) -> Bias | None:
    """Make another note at this onset or in this bar unlikelier if all parts that can play have too many."""
    song, parts = state.song, state.playing_parts(state.song.clock)
    if not parts:
        return None
    clock, bar = song.clock, song.bar
    later = min(excess_nats(state, part, clock + 1, bar) for part in parts)
    here = later
    if clock == state.onset:  # parts ascend within an onset
        here = min(
            (excess_nats(state, part, clock, bar) for part in parts if part >= state.part), default=0.0
        )
    if not (here or later):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[: song.bar_lines[bar + 1] - clock][: MAX_SHIFT + 1] = -later
    bias[0] = -here
    return bias


def favour_onsets_of_set_density(state: SamplingState) -> Bias | None:
    """Make late onsets unlikelier if a part of a set density lacks notes, to fill the bar evenly."""
    song, bar = state.song, state.song.bar
    if not state.planned.held_parts:
        return None
    lacking = [state.lacking_notes(bar, part) or 0 for part in state.playing_parts(song.clock)]
    if max(lacking, default=0) <= 0:
        return None
    latest = LATEST_SHARE * (song.bar_lines[bar + 1] - song.clock) / max(lacking)
    bias = np.zeros(SHIFTS, np.float32)
    bias[int(latest) + 1 :] = -LATE_NATS
    return bias


def penalize_substitute_notes(state: SamplingState) -> Bias | None:
    """Make another note at this onset unlikelier, the more probable unrequested parts are to the network.

    Otherwise the requested parts would play the notes of those parts as well: game music for piano and bass
    had 100 notes a bar (benchmarks/RESULTS.md).
    """
    if state.song.clock != state.onset or state.unrequested_nats < LEAST_NATS:
        return None
    return bias_at(SHIFTS, 0, -state.unrequested_nats)


def forbid_sounding_after_end(state: SamplingState) -> Bias | None:
    """Forbid durations beyond the last bar of the song."""
    left = state.song.end_tick - state.row_tick
    if left >= DURATION_TICKS[-1]:
        return None
    bias: Bias = np.where(max(left, 1) < DURATION_TICKS, FORBIDDEN, np.float32(0))
    return bias


def favour_repeated_rhythm(state: SamplingState) -> Bias | None:
    """Make other onsets unlikelier in bars that have those of an earlier one (`bar_rhythms`)."""
    rhythms, clock = state.rhythms, state.song.clock
    if rhythms is None:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    first = clock + 1 if clock == state.onset else clock
    for start, end, onsets in rhythms.fixed_bars(clock):
        low, high = (min(max(tick - clock, first - clock), MAX_SHIFT + 1) for tick in (start, end))
        bias[low:high] = -RHYTHM_NATS
        left = [tick - clock for tick in onsets if first <= tick <= clock + MAX_SHIFT]
        if left and state.shift_shares[left[0]] < LEAST_RHYTHM_SHARE:
            return None  # where no part has a note to play, others would join
        if left:  # the first of them must come: what passes it is unlikelier too
            bias[left[0]] = 0.0
            bias[left[0] + 1 :] = -RHYTHM_NATS
            return favour_shift(state, left[0], bias)
    return bias
