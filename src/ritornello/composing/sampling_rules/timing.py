"""Rules for the fields `shift` and `duration`: when the next note comes, when notes and the song end."""

import numpy as np

from ritornello.composing.sampling import FORBIDDEN
from ritornello.composing.sampling_rules.parts import (
    MOST_BARS_MISSING,
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
LATEST_SHARE = 1.5  # of the mean time between the notes that a part still lacks in a bar
LATE_NATS = 4.0  # what later shifts lose
LEAST_NATS = 0.01  # a smaller penalty is left out


def forbid_onsets_outside_requested_bars(state: SamplingState) -> Bias | None:
    """Composed notes lie in the bars to redo, or after the prompt; given notes may lie anywhere."""
    song, clock, given = state.song, state.song.clock, state.song.next_given("shift")
    is_split = state.request.open_parts is not None
    if clock >= state.first_tick and state.end_tick == song.end_tick and not is_split:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    for bar in range(song.bar, len(song.bar_starts)) if is_split else ():
        if song.bar_starts[bar] > clock + MAX_SHIFT:
            break
        if not state.open_parts[bar]:
            start, end = (max(line - clock, 0) for line in song.bar_lines[bar : bar + 2])
            bias[start:end][: MAX_SHIFT + 1 - start] = FORBIDDEN
    bias[: max(state.first_tick - clock, 0)][: MAX_SHIFT + 1] = FORBIDDEN
    bias[max(state.end_tick - clock, 0) : MAX_SHIFT + 1] = FORBIDDEN
    if given is not None:
        bias[given] = 0
    return bias


def forbid_silence(state: SamplingState) -> Bias | None:
    """In each requested bar a composed note is struck, or held to the middle; in the last one it is struck.

    A new song begins before the middle of its first bar, which is a pickup if the plan has one: songs that
    are learnt begin so (`music.pickup`), and to models trained before, pickups were silent bars.
    """
    song, request = state.song, state.request
    deadlines = []  # the ticks before which a note must come
    if state.silent_bar <= state.last_bar:
        deadlines.append(song.bar_lines[state.silent_bar + 1])
    if not state.last_bar_has_onset and state.end_tick >= song.end_tick:
        deadlines.append(song.end_tick)
    if not song.notes and request.given is None and request.first_tick == 0 and request.end_tick is None:
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
    """The song, or the bars to redo, do not end before each required part has played."""
    song, unplayed = state.song, state.unplayed_parts
    if not unplayed or (song.bar < state.last_bar and state.tick_after_wait < state.end_tick):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[END] = FORBIDDEN
    if state.tick_after_wait >= state.end_tick:
        bias[WAIT] = FORBIDDEN
    bias[max(state.end_tick - song.clock, 0) : MAX_SHIFT + 1] = FORBIDDEN
    is_late = is_late_in_last_bar(state, song.clock) and song.clock + 1 < state.end_tick
    if (
        is_late and song.notes and unplayed[0] < song.notes[-1][1]
    ):  # parts ascend within an onset: it needs a later one
        bias[0] = FORBIDDEN
    return bias


def forbid_crowded_onsets(state: SamplingState) -> Bias | None:
    """An onset has at most MAX_NOTES_AT_ONSET notes, fewer if no requested part can add a higher one."""
    song = state.song
    if state.onset != song.clock or state.request.parts is None:
        return None
    parts = state.playing_parts(song.clock)
    if not parts:
        return None  # the prompt ends in a bar that stays
    part, pitch = song.notes[-1][1:3]
    _, highest = playable_pitches(part, state.request.transposed_by)
    can_play_higher = part in parts and pitch < min(highest, PITCHES - 1)
    if state.notes_at_onset < MAX_NOTES_AT_ONSET and (can_play_higher or parts[-1] > part):
        return None
    return bias_at(SHIFTS, 0, FORBIDDEN)


def favour_joining_rare_parts(state: SamplingState) -> Bias | None:
    """Another note at this onset is likelier if a later part, one that plays in too few bars, can join it."""
    song = state.song
    if state.onset != song.clock or not song.notes:
        return None
    missing = state.missing_bars(song.clock)
    bars = max((bars for part, bars in missing.items() if part > song.notes[-1][1]), default=0.0)
    if bars == 0:
        return None
    return bias_at(SHIFTS, 0, NATS_PER_MISSING_BAR * min(bars, MOST_BARS_MISSING))


def penalize_excess_onsets(state: SamplingState) -> Bias | None:
    """Another note at this onset or in this bar is less likely if all parts that can play have too many."""
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


def favour_asked_onsets(state: SamplingState) -> Bias | None:
    """A note comes soon if a part whose density is asked for lacks notes: they are to fill the bar evenly."""
    song, bar = state.song, state.song.bar
    if not state.held_parts:
        return None
    lacking = [state.lacking_notes(bar, part) or 0 for part in state.playing_parts(song.clock)]
    if max(lacking, default=0) <= 0:
        return None
    latest = LATEST_SHARE * (song.bar_lines[bar + 1] - song.clock) / max(lacking)
    bias = np.zeros(SHIFTS, np.float32)
    bias[int(latest) + 1 :] = -LATE_NATS
    return bias


def penalize_substitute_notes(state: SamplingState) -> Bias | None:
    """Another note at this onset is less likely, the more probable unrequested parts are to the network.

    Otherwise the requested parts would play those notes in their place: game music for piano and bass had 100
    notes a bar (benchmarks/RESULTS.md).
    """
    if state.song.clock != state.onset or state.unrequested_nats < LEAST_NATS:
        return None
    return bias_at(SHIFTS, 0, -state.unrequested_nats)


def forbid_sounding_after_end(state: SamplingState) -> Bias | None:
    """Notes end with the last bar of the song at the latest."""
    left = state.song.end_tick - state.row_tick
    if left >= DURATION_TICKS[-1]:
        return None
    bias: Bias = np.where(max(left, 1) < DURATION_TICKS, FORBIDDEN, np.float32(0))
    return bias
