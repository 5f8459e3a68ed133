"""Read written music (MusicXML, ABC, kern) as a Score."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np

from ritornello.errors import MidiError
from ritornello.midi.reading import Parsed, parse
from ritornello.music.pickup import with_pickup
from ritornello.music.score import EVENTS, Score
from ritornello.notation.convert import to_midi
from ritornello.notation.formats import Format, musicxml_of


def parse_notation(data: bytes, format_name: Format, *, name: str = "data") -> Parsed:
    """Return the Score in the bytes of a file of written music, and the counts of dropped events.

    `name` is for messages. Of an ABC file with several tunes only the first is read (see `split_abc`).
    Raises MidiError if the file is damaged, InputError if the library that reads it is not installed.
    """
    try:
        midi, first_bar_beats = to_midi(data, format_name)
    except MidiError as error:
        raise MidiError(f"{name!r}: {error}") from error
    score, dropped = parse(midi, name=name, pedal="ignore")
    if not len(score):
        raise MidiError(f"{name!r} has no notes, or is not {format_name}")
    score = _with_exact_lengths(score, 1 if format_name == "abc" else 0)
    score = with_pickup(score, round(first_bar_beats * score.ticks_per_beat))
    return Parsed(replace(score, title=score.title or _title(data, format_name)), dropped)


def _title(data: bytes, format_name: Format) -> str:
    """The title of a work: of MusicXML its work-title or movement-title, of kern its line !!!OTL."""
    if format_name == "abc":
        return ""  # abc2midi has it
    text = (musicxml_of(data) if format_name == "musicxml" else data).decode("utf-8", "replace")
    pattern = r"!!!OTL[^:\n]*:([^\n]*)" if format_name == "kern" else r"<(?:work|movement)-title>([^<]*)<"
    match = re.search(pattern, text)
    return unescape(match[1]).strip() if match else ""


def _with_exact_lengths(score: Score, late_ticks: int) -> Score:
    """Return the song with the onsets and ends of the written notes.

    Converters end each note one tick early, and abc2midi begins it `late_ticks` late, to separate successive
    notes of one pitch.
    """
    onset_ticks = np.maximum(score.onset_ticks.astype(np.int64) - late_ticks, 0)
    duration_ticks = score.duration_ticks.astype(np.int64) + 1
    notes = (onset_ticks, duration_ticks, score.pitch, score.velocity, score.part, score.parts)
    events = {name: getattr(score, name) for name in EVENTS}
    return replace(Score.of(score.ticks_per_beat, *notes, **events), title=score.title)
