"""The limits of a song file: bytes, notes, events, ticks and beats. All commands that read a file obey them.

A file beyond these limits is damaged, hostile or several songs; reading it takes minutes and gigabytes.
"""

from __future__ import annotations

from ritornello.midi.chunks import Chunks
from ritornello.midi.event_counts import count_events
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score import Score
from ritornello.music.score_limits import MAX_TICKS

MAX_FILE_BYTES = 16 << 20
MAX_NOTES_OF_A_SONG = 1_000_000
MAX_EVENTS = 10_000
"""The most changes of tempo, meter, key and chord, and markers, together."""
MAX_BEATS = 32_768
"""The last beat at which a note may begin: four and a half hours at 120 beats per minute."""


def check_file_size(size_bytes: int, most: int = MAX_FILE_BYTES) -> tuple[str, str] | None:
    """Outcome and reason of a file that is too large to be read; None if it may be read."""
    return ("too large", f"{size_bytes} bytes, at most {most}") if size_bytes > most else None


def check_events(chunks: Chunks, scanned: TrackScan, max_events: int = MAX_EVENTS) -> tuple[str, str] | None:
    """Outcome and reason of a file with too many ticks or events for a reader; None if it may be read.

    Readers silently wrap ticks beyond 32 bits, and a million tempo events cost seconds and hundreds of
    megabytes. `scanned`, the scan of all tracks joined, gives quick upper bounds; events are counted exactly
    only if a bound exceeds a limit.
    """
    if scanned.max_ticks <= MAX_TICKS and scanned.max_changes <= max_events:
        return None
    changes = 0
    for number, track in enumerate(chunks.tracks):
        if scanned.max_changes <= max_events and scan_tracks(track).max_ticks <= MAX_TICKS:
            continue
        ticks, track_changes = count_events(track)
        changes += track_changes
        if ticks > MAX_TICKS:
            return "absurd ticks", f"track {number} lasts {ticks} ticks, at most {MAX_TICKS}"
    return _too_many_events(changes, max_events)


def check_score(
    score: Score,
    max_notes: int = MAX_NOTES_OF_A_SONG,
    max_events: int = MAX_EVENTS,
    max_beats: int = MAX_BEATS,
) -> tuple[str, str] | None:
    """Outcome and reason of a song with too many notes, events or beats; None if it is within the limits."""
    if (notes := len(score)) > max_notes:
        return "too many notes", f"{notes} notes, at most {max_notes}"
    events = sum(len(e) for e in (score.tempi, score.meters, score.keys, score.chords, score.markers))
    if refused := _too_many_events(events, max_events):
        return refused
    beats = int(score.onset_ticks[-1]) // score.ticks_per_beat if notes else 0
    if beats > max_beats:
        return "too long", f"the last note begins at beat {beats}, at most {max_beats}"
    return None


def _too_many_events(events: int, most: int) -> tuple[str, str] | None:
    """Outcome and reason if there are more changes and markers than `most`."""
    return ("too many events", f"{events} changes and markers, at most {most}") if events > most else None
