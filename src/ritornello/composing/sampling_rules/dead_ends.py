"""Find dead ends: classes after which the grammar and the hard rules leave no class for the next choice.

A class is tested after it was drawn, so that classes that are no dead ends keep their probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ritornello.composing.sampling import FORBIDDEN
from ritornello.composing.sampling_rules import Rule
from ritornello.composing.sampling_rules.parts import MAX_SOUNDING_NOTES
from ritornello.composing.sampling_state import SamplingState
from ritornello.representations.grid.vocabulary import COLUMN, MAX_SHIFT


def leads_nowhere(state: SamplingState, field: str, value: int, rules: Sequence[Rule]) -> bool:
    """Whether a class, drawn for a field of the present row, leaves no class for the next choice.

    Of `rules` only the hard ones count, because soft rules forbid nothing.
    """
    if not state.request.parts:
        return False
    if field == "shift":
        return value <= MAX_SHIFT and _no_note_fits(state, value, rules)
    if field == "part":
        return _silences_bar(state, value) or _no_pitch_fits(state, value, rules)
    return False


def _no_note_fits(state: SamplingState, shift: int, rules: Sequence[Rule]) -> bool:
    """Whether no part can play any pitch at the onset after a shift."""
    song, parts = state.song, state.playing_parts(state.song.clock + shift)
    if not parts:
        return False  # only given notes come
    is_full = any(len(ends) >= MAX_SOUNDING_NOTES for ends in state.sounding.values())
    if not is_full and (shift > 0 or not song.notes or song.notes[-1][1] < parts[-1]):
        return False  # the last of the requested parts can play
    before = song.row[COLUMN["shift"]]
    song.row[COLUMN["shift"]] = shift
    possible_parts = _possible_classes(state, "part", rules)
    fits = any(not _no_pitch_fits(state, part, rules) for part in reversed(possible_parts))
    song.row[COLUMN["shift"]] = before
    return not fits


def _no_pitch_fits(state: SamplingState, part: int, rules: Sequence[Rule]) -> bool:
    """Whether a part can play no pitch at the onset of the present row."""
    row = state.song.row
    if row[COLUMN["shift"]] > 0 and state.song.next_given("part") != part:
        return False
    before = row[COLUMN["part"]]
    row[COLUMN["part"]] = part
    possible_pitches = _possible_classes(state, "pitch", rules)
    row[COLUMN["part"]] = before
    return not possible_pitches


def _silences_bar(state: SamplingState, part: int) -> bool:
    """Whether a part has a given note at the last tick of a silent bar, and comes after all requested parts.

    No other note could follow it in the bar, which the rule `forbid_silence` requires.
    """
    song = state.song
    if state.silent_bar > state.last_bar or song.next_given("part") != part:
        return False
    parts = state.playing_parts(song.bar_starts[state.silent_bar])
    return part > parts[-1] and state.row_tick == song.bar_lines[state.silent_bar + 1] - 1


def _possible_classes(state: SamplingState, field: str, rules: Sequence[Rule]) -> list[int]:
    """Return the classes of a field that the grammar and the hard rules leave, ascending."""
    logits = np.where(state.song.allowed(field)[:-1], np.float32(0), FORBIDDEN)
    for rule in rules:
        if rule.field == field and rule.is_hard and (bias := rule.bias(state)) is not None:
            logits += bias
    classes: list[int] = np.flatnonzero(logits > FORBIDDEN).tolist()
    return classes
