"""What the user gave: a prompt to continue, a tune to play along with, bars of a song to redo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ritornello import midi
from ritornello.composing.recipe import Source
from ritornello.errors import MidiError, PlanError
from ritornello.music import theory
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline

Music = str | Path | Score  # a file, or a song that was read


def begun(prompt: Music, bars: int | None = None) -> Source:
    """A song to continue, or its first bars. Raises MidiError, PlanError."""
    score = _read(prompt, "prompt")
    if bars is None:
        return Source("prompt", _bytes(prompt))
    count = len(Timeline.of(score))
    if not 1 <= bars <= count:
        raise PlanError(f"{bars} bars of the prompt, must be 1-{count}")
    return Source("prompt", midi.to_bytes(_first_bars(score, bars))[0])


def tune(melody: Music) -> Source:
    """A tune to play along with. Raises MidiError."""
    _read(melody, "melody")
    return Source("tune", _bytes(melody))


def redone(song: Music, bars: str | range, parts: str | Collection[str] | None = None) -> Source:
    """Bars of a song to redo, "9-12" (counted from 1) or a range (from 0), of some parts or all.

    Parts are named by name, instrument, family, or number from 1. Raises MidiError, PlanError.
    """
    score = _read(song, "song")
    which = bars if isinstance(bars, range) else _bar_range(bars)
    count = len(Timeline.of(score))
    if not 0 <= which.start < which.stop <= count:
        raise PlanError(
            f"bars {which.start + 1}-{which.stop}, must be within 1-{count}, the bars of the song"
        )
    words = parts.split(",") if isinstance(parts, str) else parts
    numbers = None if words is None else tuple(sorted({n for word in words for n in _parts(score, word)}))
    return Source("redo", _bytes(song), (which.start, which.stop), numbers)


def _read(music: Music, what: str) -> Score:
    """The Score of what was given, which must have notes."""
    name = (music.title or what) if isinstance(music, Score) else Path(music).name
    score = midi.parse(_bytes(music), name=name).score
    if not len(score):
        raise MidiError(f"{name!r} has no notes, so it is no {what}")
    return score


def _first_bars(score: Score, bars: int) -> Score:
    """The first bars of a song, its notes held as long as they were."""
    timeline = Timeline.of(score)
    end = int(timeline.start_ticks[bars - 1] + timeline.length_ticks[bars - 1])
    kept = score.onset_ticks < end
    columns = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    events = ("tempi", "meters", "keys", "chords", "markers")
    cut: dict[str, Any] = {name: getattr(score, name)[kept] for name in columns}
    cut |= {name: tuple(e for e in getattr(score, name) if e.onset_ticks < end) for name in events}
    if not kept.any():
        raise PlanError(f"the first {bars} bars of the prompt have no notes")
    return replace(score, **cut)


def _parts(score: Score, word: str) -> list[int]:
    """The numbers of the parts that a word names."""
    name = word.strip().lower()
    programs: tuple[int, ...] = ()
    if not name.isdecimal():
        try:
            programs = theory.parse_instrument(name)
        except ValueError:
            programs = ()
    heard = np.unique(score.part).tolist()
    found = []
    for number in heard:
        part = score.parts[number]
        sounds = name in ("drum", "drums") if part.is_drum else part.program in programs
        if sounds or name in (part.name.lower(), str(number + 1)):
            found.append(number)
    if not found:
        sound = {
            n: "drums" if (p := score.parts[n]).is_drum else theory.INSTRUMENTS[p.program] for n in heard
        }
        known = ", ".join(f"{number + 1} {score.parts[number].name or sound[number]}" for number in heard)
        raise PlanError(f"the song has no part {word.strip()!r}, must be one of {known}")
    return found


def _bar_range(text: str) -> range:
    """Bars such as "9-12" or "9", counted from 1. Raises PlanError."""
    first, _, last = text.partition("-")
    try:
        found = range(int(first) - 1, int(last or first))
    except ValueError:
        found = range(0)
    if not found or found.start < 0:
        raise PlanError(f"bars {text!r}, must be such as 9-12, counted from 1")
    return found


def _bytes(music: Music) -> bytes:
    """A MIDI file's bytes. Raises MidiError."""
    if isinstance(music, Score):
        return midi.to_bytes(music)[0]
    try:
        return Path(music).read_bytes()
    except OSError as error:
        raise MidiError(f"cannot read {str(music)!r}: {error.strerror}") from error
