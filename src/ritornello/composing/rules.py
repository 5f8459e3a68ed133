"""Rules of taste, each a function from what a song sounds like so far to what is added to a field's logits.

The cursor holds the grammar: what can be written at all. A rule holds what a listener would miss or mind; it
returns numbers (size,) to add, -inf where it forbids, or None where it has nothing to say. A rule that would
leave no class at all is not heard; forced rows (prompts, given notes) are never asked about. `HARD` rules
forbid; `benchmarks/rules.py` counts how many notes of human songs each would have forbidden, at most 0.1%.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ritornello.composing import form_rules, voice_rules
from ritornello.composing.sampling_state import RECENT, Bias, Ear
from ritornello.representations.grid.vocabulary import (
    COLUMN,
    DRUM_PART,
    END,
    MAX_SHIFT,
    PARTS,
    PITCHES,
    SHIFTS,
    WAIT,
)

NEVER = np.float32(-np.inf)

AT_ONCE = 32  # notes at one onset
LOWEST, HIGHEST = 12, 115  # of a pitched part
OUT_OF_KEY = 0.5  # what pitches outside the scale lose,
USUAL, TOO_OFTEN = 0.05, 12.0  # and what for each share of them above the usual
REPEATED = 8  # times in a row that a pitch may come before it is held back
AGAIN = 40.0  # what a repeated pitch loses for each share of them above what is usual for the label
CALL, MOST_LACKING = 3.0, 3.0  # what a part gains for each bar that it lacks, and of how many at most
HOLD_BACK = 0.4  # for each time more


def within_the_bars_asked_for(ear: Ear) -> Bias | None:
    """What is composed lies in its bars: those of `redo`, or after a prompt; what is given, anywhere."""
    clock, kept = ear.song.clock, ear.song.next_given("shift")
    if clock >= ear.first_tick and ear.end_tick == ear.song.end_tick:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[: max(ear.first_tick - clock, 0)][: MAX_SHIFT + 1] = NEVER
    bias[max(ear.end_tick - clock, 0) : MAX_SHIFT + 1] = NEVER
    if kept is not None:
        bias[kept] = 0
    return bias


def no_silent_bar(ear: Ear) -> Bias | None:
    """In each bar something that is composed sounds: struck there, or held to its middle."""
    if ear.bar > ear.last_bar:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    until = ear.song.bar_lines[ear.bar + 1]
    bias[max(until - ear.song.clock, 0) : MAX_SHIFT + 1] = NEVER
    if ear.wait_floor >= until:
        bias[WAIT] = NEVER
    bias[END] = NEVER
    return bias


def ends_in_the_last_bar(ear: Ear) -> Bias | None:
    """The song is as long as was asked: its last bar has an onset."""
    if ear.struck_last or ear.end_tick < ear.song.end_tick:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[END] = NEVER
    if ear.wait_floor >= ear.song.end_tick:
        bias[WAIT] = NEVER
    return bias


def no_end_before_all_are_heard(ear: Ear) -> Bias | None:
    """Each part that was asked for plays before the song (or what is redone of it) is over."""
    song = ear.song
    if not ear.unheard or (song.bar < ear.last_bar and ear.wait_floor < ear.end_tick):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[END] = NEVER
    if ear.wait_floor >= ear.end_tick:
        bias[WAIT] = NEVER
    bias[max(ear.end_tick - song.clock, 0) : MAX_SHIFT + 1] = NEVER
    if _must_come(ear, song.clock) and ear.unheard[0] < song.notes[-1][1] and song.clock + 1 < ear.end_tick:
        bias[0] = NEVER
    return bias


def room_at_this_onset(ear: Ear) -> Bias | None:
    """No more at one onset than an orchestra plays, nor where no part that was asked for can follow."""
    song, parts = ear.song, ear.request.parts
    if ear.onset != song.clock or parts is None:
        return None
    part, pitch = song.notes[-1][1:3]
    top = HIGHEST if part < DRUM_PART else PITCHES - 1
    higher = part in parts and pitch < top
    if ear.here < AT_ONCE and (higher or parts[-1] > part):
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[0] = NEVER
    return bias


def parts_asked_for(ear: Ear) -> Bias | None:
    """No part plays that was not asked for, but for what is given."""
    parts, kept = ear.request.parts, ear.song.next_given("part")
    if parts is None:
        return None
    if kept is None:
        return _only(parts)
    return _only((*parts, kept) if ear.first_tick <= ear.tick < ear.end_tick else (kept,))


def no_more_than_is_given(ear: Ear) -> Bias | None:
    """A part that plays but what is given plays nothing else; nor does any outside the bars asked for."""
    parts, kept = ear.request.parts, ear.song.next_given("pitch")
    inside = ear.first_tick <= ear.tick < ear.end_tick
    if kept is None or parts is None or (inside and ear.song.row[COLUMN["part"]] in parts):
        return None
    bias = np.full(PITCHES, NEVER, np.float32)
    bias[kept] = 0
    return bias


def each_part_is_heard(ear: Ear) -> Bias | None:
    """A part that has not played yet is called for the louder the later it is; in the end, it must come."""
    waiting = ear.unheard
    if not waiting:
        return None
    if _must_come(ear, ear.tick):
        later = [part for part in waiting if ear.song.row[COLUMN["shift"]] or part >= ear.song.notes[-1][1]]
        return _only(tuple(later[:1])) if later else None
    span = max(ear.end_tick - ear.first_tick, 1)
    bias = np.zeros(PARTS, np.float32)
    bias[waiting] = 4.0 * max(ear.tick - ear.first_tick, 0) / span
    return bias


def no_part_is_forgotten(ear: Ear) -> Bias | None:
    """A part that has played in fewer bars than is usual for the label is called for, ever louder."""
    lacking = ear.lacking(ear.tick)
    if not lacking:
        return None
    bias = np.zeros(PARTS, np.float32)
    for part, bars in lacking.items():
        bias[part] = CALL * min(bars, MOST_LACKING)
    return bias


def parts_play_together(ear: Ear) -> Bias | None:
    """Where a part that plays too little can still join the present onset, the clock rather stays."""
    song = ear.song
    if ear.onset != song.clock or not song.notes:
        return None
    lacking = ear.lacking(song.clock)
    bars = max((bars for part, bars in lacking.items() if part > song.notes[-1][1]), default=0.0)
    if bars == 0:
        return None
    bias = np.zeros(SHIFTS, np.float32)
    bias[0] = CALL * min(bars, MOST_LACKING)
    return bias


def within_range(ear: Ear) -> Bias | None:
    """No pitch that no instrument plays."""
    return None if ear.song.row[COLUMN["part"]] == DRUM_PART else _range()


def in_key(ear: Ear) -> Bias | None:
    """Pitches outside the plan's scale are a little rarer, and much rarer where there were many of late."""
    if ear.request.plan.key is None or ear.song.row[COLUMN["part"]] == DRUM_PART:
        return None
    share = sum(ear.outside) / max(len(ear.outside), RECENT // 4)
    bias: Bias = _outside(ear.scale) * np.float32(-OUT_OF_KEY - TOO_OFTEN * max(0.0, share - USUAL))
    return bias


def not_one_pitch(ear: Ear) -> Bias | None:
    """A pitch that its part has played many times in a row is held back, ever more; so is any repeated one
    where there were more of late than people have in songs of the label.
    """
    part = ear.song.row[COLUMN["part"]]
    pitch, times = ear.runs.get(part, (-1, 0))
    if pitch < 0 or part == DRUM_PART:
        return None
    share = sum(ear.again) / max(len(ear.again), RECENT // 4)
    held = HOLD_BACK * max(0, times - REPEATED + 1) + AGAIN * max(0.0, share - ear.request.repeats)
    if held == 0:
        return None
    bias = np.zeros(PITCHES, np.float32)
    bias[pitch] = -held
    return bias


class Rule(NamedTuple):
    """A rule, the field that it speaks to, and whether it forbids."""

    field: str
    says: Callable[[Ear], Bias | None]
    is_hard: bool

    @property
    def name(self) -> str:
        """Its name in words."""
        return self.says.__name__.replace("_", " ")


RULES: tuple[Rule, ...] = (  # of a field the first is the last to be given up
    Rule("shift", within_the_bars_asked_for, True),
    Rule("shift", ends_in_the_last_bar, True),
    Rule("shift", no_silent_bar, True),
    Rule("shift", no_end_before_all_are_heard, True),
    Rule("shift", room_at_this_onset, True),
    Rule("shift", parts_play_together, False),
    Rule("shift", voice_rules.no_piling_up, False),
    Rule("shift", voice_rules.no_standing_in, False),
    Rule("shift", form_rules.a_return_begins_in_time, False),
    Rule("part", parts_asked_for, True),
    Rule("part", each_part_is_heard, True),
    Rule("part", voice_rules.hands_and_lungs, True),
    Rule("part", no_part_is_forgotten, False),
    Rule("part", voice_rules.as_many_voices_as_usual, False),
    Rule("part", form_rules.a_return_has_its_parts, False),
    Rule("pitch", no_more_than_is_given, True),
    Rule("pitch", within_range, True),
    Rule("pitch", in_key, False),
    Rule("pitch", not_one_pitch, False),
    Rule("pitch", form_rules.no_endless_loop, False),
    Rule("pitch", form_rules.a_return_has_its_pitches, False),
    Rule("pitch", form_rules.no_copy_where_none_was_asked_for, False),
)


def _must_come(ear: Ear, tick: int) -> bool:
    """Whether it is so late that parts which have not been heard come before all others."""
    middle: int = (ear.song.bar_starts[ear.last_bar] + ear.end_tick) // 2
    return tick >= middle


@lru_cache(maxsize=256)
def _only(parts: tuple[int, ...]) -> Bias:
    """Forbids all parts but these."""
    bias = np.full(PARTS, NEVER, np.float32)
    bias[list(parts)] = 0
    return bias


@lru_cache(maxsize=1)
def _range() -> Bias:
    """Forbids what lies below the lowest and above the highest pitch."""
    pitch = np.arange(PITCHES)
    bias: Bias = np.where((pitch < LOWEST) | (pitch > HIGHEST), NEVER, np.float32(0))
    return bias


@lru_cache(maxsize=64)
def _outside(scale: frozenset[int]) -> Bias:
    """1 for each pitch (128,) that is not of a scale."""
    return np.array([pitch % 12 not in scale for pitch in range(PITCHES)], np.float32)
