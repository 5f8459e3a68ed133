"""Convert fiddle tunes in ABC to Scores, with their repeats.

text > tunes (abc_text) > written bars (abc_music) > bars with repeats > full bars > Score
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from bundle.abc_music import Bar, Parser
from bundle.abc_text import Tune, key_of
from ritornello.errors import InputError
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo

VIOLIN = 40  # General MIDI program
TICKS_PER_BEAT = 480
STRONG, MIDDLE, WEAK = 100, 92, 84  # velocities: on the first beat, on other beats, between beats
# Pulses a minute by kind of tune, estimates on the slow side. A pulse is a quarter, in compound meters a
# dotted quarter, in the fast dances of FAST_DANCES in 4/4 a half note.
PULSES = {"reel": 100, "hornpipe": 80, "clog": 76, "jig": 112, "slip jig": 116, "slipjig": 116, "air": 60}
PULSES |= {"strathspey": 64, "fling": 72, "waltz": 132, "march": 92, "slide": 120, "walkaround": 92}
CHARACTER_PULSES = {
    "slow": 56,
    "moderate": 80,
    "tender": 60,
    "plaintive": 56,
    "spirit": 104,
    "lively": 108,
    "gay": 104,
}
DEFAULT_PULSES = 88
FAST_DANCES = ("reel", "hornpipe", "clog", "strathspey", "fling")


def to_score(tune: Tune) -> Score:
    """The Score of a tune with its repeats. Raises InputError if it has bars of wrong length or no notes."""
    bars = _full_bars(_with_repeats(Parser(tune).bars()))
    if not bars or not any(bar.notes for bar in bars):
        raise InputError("no notes")
    wrong = [number for number, bar in enumerate(bars) if bar.length != bar.full]
    if wrong:
        raise InputError(
            f"bar {wrong[0] + 1} has length {bars[wrong[0]].length}: must be {bars[wrong[0]].full}"
        )
    rows, onset = _notes(bars), Fraction(0)
    meters: list[Meter] = []
    for bar in bars:
        if not meters or meters[-1][1:] != bar.meter:
            meters.append(Meter(_ticks(onset), *bar.meter))
        onset += bar.full
    columns: Any = (*np.array(rows).T, np.zeros(len(rows), int), [Part("Fiddle", VIOLIN)])
    return Score.of(
        TICKS_PER_BEAT,
        *columns,
        meters=tuple(meters),
        keys=(KeySignature(0, *key_of(tune.fields.get("K", "C"))),),
        tempi=(Tempo(0, round(60e6 / beats_a_minute(tune, bars[0].meter))),),
        title=tune.title,
    )


def beats_a_minute(tune: Tune, meter: tuple[int, int]) -> float:
    """The tempo in quarters a minute, from words in the notes or title, the kind of tune, or a default."""
    kind = tune.fields.get("R", "").lower()
    text = " ".join(tune.notes).lower() + " " + tune.title.lower()
    pulses = next((PULSES[name] for name in PULSES if name in kind), None)
    pulses = next((CHARACTER_PULSES[word] for word in CHARACTER_PULSES if word in text), None) or pulses
    pulses = pulses or next((PULSES[name] for name in PULSES if name in text), DEFAULT_PULSES)
    if meter[1] == 8 and meter[0] % 3 == 0:
        return pulses * 1.5
    is_fast = any(name in f"{kind} {text}" for name in FAST_DANCES)
    return float(min(240, pulses * (2 if meter == (4, 4) and is_fast else 1)))


def _with_repeats(bars: list[Bar]) -> list[Bar]:
    """The bars in the order of playing, with every repeat played twice.

    A repeat starts at its opening sign, else at the last double bar or end of a repeat. A second ending is
    played once, even if a repeat sign closes it.
    """
    played: list[Bar] = []
    start, opened, first, last = 0, False, None, False
    for number, bar in enumerate(bars):
        if bar.opens == ":" or (bar.opens == "|" and not opened):
            start, opened, first, last = number, bar.opens == ":", None, False
        first = number if bar.ending.startswith("1") else first
        last = last or bar.is_second
        played.append(bar)
        if bar.closes:
            played += [] if last else bars[start : number + 1 if first is None else first]
            opened = False
            if not any(after.is_second for after in bars[number + 1 : number + 2]):
                start, first, last = number + 1, None, False
    return played


def _full_bars(bars: list[Bar]) -> list[Bar]:
    """Complete bars: a rest precedes an upbeat, two parts of a bar are joined, the last bar is filled."""
    full: list[Bar] = []
    for bar in bars:
        if bar.length == 0:
            continue
        before = full[-1] if full else None
        if before and before.length < before.full and before.length + bar.length <= bar.full:
            moved = [note._replace(onset=note.onset + before.length) for note in bar.notes]
            full[-1] = replace(before, notes=before.notes + moved, length=before.length + bar.length)
        elif not full and bar.length < bar.full:
            rest = bar.full - bar.length
            moved = [note._replace(onset=note.onset + rest) for note in bar.notes]
            full.append(replace(bar, notes=moved, length=bar.full))
        else:
            full.append(bar)
    if full and full[-1].length < full[-1].full:
        full[-1] = replace(full[-1], length=full[-1].full)
    return full


def _notes(bars: list[Bar]) -> list[tuple[int, int, int, int]]:
    """Onset and duration in ticks, pitch and velocity of every note; tied notes are joined."""
    rows: list[tuple[int, int, int, int]] = []
    held: dict[int, tuple[Fraction, int]] = {}  # pitch -> end, index of its row
    start = Fraction(0)
    for bar in bars:
        pulse = Fraction(3, 8) if bar.meter[1] == 8 and bar.meter[0] % 3 == 0 else Fraction(1, 4)
        for onset, length, pitch, tied in bar.notes:
            at = start + onset
            end, row = held.pop(pitch, (Fraction(-1), -1))
            if end == at:
                rows[row] = (rows[row][0], _ticks(at + length) - rows[row][0], *rows[row][2:])
            else:
                velocity = STRONG if onset == 0 else MIDDLE if onset % pulse == 0 else WEAK
                rows.append((_ticks(at), _ticks(at + length) - _ticks(at), pitch, velocity))
                row = len(rows) - 1
            if tied:
                held[pitch] = (at + length, row)
        start += bar.full
    return rows


def _ticks(whole_notes: Fraction) -> int:
    return round(whole_notes * 4 * TICKS_PER_BEAT)
