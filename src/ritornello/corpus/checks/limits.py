"""Limits: what is refused before a reader sees it, because it would take too long or be read wrongly.

Readers wrap ticks beyond 32 bits without a word, and a million tempo events cost seconds and hundreds of
megabytes. Each limit is first tried with a bound that is cheap and never too low; only where that does not
settle it, the events are counted one by one.
"""

from __future__ import annotations

from ritornello.midi.chunks import Chunks
from ritornello.midi.event_counts import count_events
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score_limits import MAX_TICKS


def over_limit(chunks: Chunks, seen: TrackScan, max_events: int) -> tuple[str, str] | None:
    """The fate of a MIDI file that is beyond a limit, and why; None where a reader may have it.

    `seen` is what all its tracks side by side show.
    """
    if seen.max_ticks <= MAX_TICKS and seen.max_changes <= max_events:
        return None
    changes = 0
    for number, track in enumerate(chunks.tracks):
        if seen.max_changes <= max_events and scan_tracks(track).max_ticks <= MAX_TICKS:
            continue
        ticks, found = count_events(track)
        changes += found
        if ticks > MAX_TICKS:
            return "absurd ticks", f"track {number} lasts {ticks} ticks, at most {MAX_TICKS}"
    if changes > max_events:
        return "too many events", f"{changes} changes and markers, at most {max_events}"
    return None
