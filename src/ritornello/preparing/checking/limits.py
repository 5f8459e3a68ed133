"""Limits: what is refused before a reader sees it, because it would take too long or be read wrongly.

Readers wrap ticks beyond 32 bits without a word, and a million tempo events cost seconds and hundreds of
megabytes. Each limit is first tried with a bound that is cheap and never too low; only where that does not
settle it, the events are counted one by one.
"""

from __future__ import annotations

from ritornello.errors import MidiError
from ritornello.midi.chunks import split
from ritornello.midi.counting import count, most_ticks
from ritornello.score import MAX_TICKS

# Marker, tempo, meter, key: each begins with three bytes that always look the same (a marker's with two).
CHANGES = (b"\xff\x06", b"\xff\x51\x03", b"\xff\x58\x04", b"\xff\x59\x02")


def over_limit(data: bytes, max_events: int) -> tuple[str, str] | None:
    """The fate of a MIDI file that is beyond a limit, and why; None where a reader may have it."""
    may_change = data.count(b"\xff") > max_events and sum(map(data.count, CHANGES)) > max_events
    if not may_change and most_ticks(data) <= MAX_TICKS:
        return None
    try:
        tracks = split(data).tracks
    except MidiError:  # the reader will say so too
        return None
    changes = 0
    for number, track in enumerate(tracks):
        if not may_change and most_ticks(track) <= MAX_TICKS:
            continue
        ticks, found = count(track)
        changes += found
        if ticks > MAX_TICKS:
            return "absurd ticks", f"track {number} lasts {ticks} ticks, at most {MAX_TICKS}"
    if changes > max_events:
        return "too many events", f"{changes} changes and markers, at most {max_events}"
    return None
