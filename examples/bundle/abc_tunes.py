"""Fiddle tunes in ABC as Scores.

    text > tunes (abc_text) > written bars (abc_music) > bars as they sound, repeats played > Score

A tune whose bars do not add up is refused.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from bundle.abc_music import Bar, Reader
from bundle.abc_text import Tune, key_of
from ritornello.errors import InputError
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo

VIOLIN = 40
TICKS_PER_BEAT = 480
STRONG, MIDDLE, WEAK = 100, 92, 84  # velocities: the first of a bar, its other pulses, the rest
# Pulses a minute, by the kind of the tune; a pulse is a beat, a dotted one in 6/8 and its like, and a half
# note in reels and hornpipes in common time. What players take, and rather slower than faster.
PULSES = {"reel": 100, "hornpipe": 80, "clog": 76, "jig": 112, "slip jig": 116, "slipjig": 116, "air": 60}
PULSES |= {"strathspey": 64, "fling": 72, "waltz": 132, "march": 92, "slide": 120, "walkaround": 92}
MARKED = {"slow": 56, "moderate": 80, "tender": 60, "plaintive": 56, "spirit": 104, "lively": 108, "gay": 104}
PLAIN = 88


def to_score(tune: Tune) -> Score:
    """The tune as it sounds, repeats played once more. Raises InputError where it does not add up."""
    bars = _joined(_played(Reader(tune).bars()))
    if not bars or not any(bar.notes for bar in bars):
        raise InputError("no notes")
    wrong = [number for number, bar in enumerate(bars) if bar.length != bar.full]
    if wrong:
        raise InputError(f"bar {wrong[0] + 1} lasts {bars[wrong[0]].length}, must be {bars[wrong[0]].full}")
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
    """The tempo in quarter notes: by its kind, what is said of it, or else at a walk."""
    kind = tune.fields.get("R", "").lower()
    said = " ".join(tune.notes).lower() + " " + tune.title.lower()
    pulses = next((PULSES[name] for name in PULSES if name in kind), None)
    pulses = next((MARKED[word] for word in MARKED if word in said), None) or pulses
    pulses = pulses or next((PULSES[name] for name in PULSES if name in said), PLAIN)
    over, under = meter
    if under == 8 and over % 3 == 0:
        return pulses * 1.5
    quick = any(name in f"{kind} {said}" for name in ("reel", "hornpipe", "clog", "strathspey", "fling"))
    return float(min(240, pulses * (2 if (over, under) == (4, 4) and quick else 1)))


def _played(bars: list[Bar]) -> list[Bar]:
    """The bars in the order in which they sound, with every repeat played twice.

    A repeat goes back to where it is opened; else to the last double bar, or end of a repeat. What stands
    under the second ending is played once, also where a repeat sign closes it.
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


def _joined(bars: list[Bar]) -> list[Bar]:
    """Bars that are full: an upbeat is preceded by rest, two parts of a bar are one, the last is filled."""
    found: list[Bar] = []
    for bar in bars:
        if bar.length == 0:
            continue
        before = found[-1] if found else None
        if before and before.length < before.full and before.length + bar.length <= bar.full:
            moved = [note._replace(onset=note.onset + before.length) for note in bar.notes]
            found[-1] = replace(before, notes=before.notes + moved, length=before.length + bar.length)
        elif not found and bar.length < bar.full:
            rest = bar.full - bar.length
            moved = [note._replace(onset=note.onset + rest) for note in bar.notes]
            found.append(replace(bar, notes=moved, length=bar.full))
        else:
            found.append(bar)
    if found and found[-1].length < found[-1].full:
        found[-1] = replace(found[-1], length=found[-1].full)
    return found


def _notes(bars: list[Bar]) -> list[tuple[int, int, int, int]]:
    """Onset, duration (ticks), pitch and velocity of every note; ties are joined."""
    rows: list[tuple[int, int, int, int]] = []
    held: dict[int, tuple[Fraction, int]] = {}  # pitch -> where it ends, and its row
    start = Fraction(0)
    for bar in bars:
        pulse = Fraction(3, 8) if bar.meter[1] == 8 and bar.meter[0] % 3 == 0 else Fraction(1, 4)
        for onset, length, pitch, tied in bar.notes:
            at = start + onset
            end, row = held.pop(pitch, (Fraction(-1), -1))
            if end == at:
                rows[row] = (rows[row][0], _ticks(at + length) - rows[row][0], *rows[row][2:])
            else:
                strong = STRONG if onset == 0 else MIDDLE if onset % pulse == 0 else WEAK
                rows.append((_ticks(at), _ticks(at + length) - _ticks(at), pitch, strong))
                row = len(rows) - 1
            if tied:
                held[pitch] = (at + length, row)
        start += bar.full
    return rows


def _ticks(whole_notes: Fraction) -> int:
    return round(whole_notes * 4 * TICKS_PER_BEAT)
