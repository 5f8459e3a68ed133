"""Read a file of format 2, whose tracks are songs of their own, as one song after the other."""

from __future__ import annotations

from ritornello.midi.chunks import Chunks
from ritornello.midi.event_counts import count_events
from ritornello.midi.track_events import variable_length

BEATS_OF_A_BAR = 4  # a song lasts a whole number of bars of 4/4, so that most begin on a bar line
MAX_TIME_TICKS = (1 << 28) - 1  # the longest time of one event
# The defaults at the start of a song: 120 beats per minute, 4/4
DEFAULTS = b"\x00\xff\x51\x03\x07\xa1\x20" + b"\x00\xff\x58\x04\x04\x02\x18\x08"


def song_starts(chunks: Chunks) -> list[int]:
    """Return the tick at which each track begins, which is 0 except in a file of format 2."""
    starts: list[int] = []
    tick = 0
    bar_ticks = BEATS_OF_A_BAR * chunks.ticks_per_beat
    for track in chunks.tracks:
        starts.append(tick)
        if chunks.are_songs:
            tick += -(-count_events(track).ticks // bar_ticks) * bar_ticks
    return starts


def one_after_the_other(chunks: Chunks) -> Chunks:
    """Return the chunks; each track begins with empty texts that last until the song before it has ended."""
    tracks: list[bytes] = []
    for start, track in zip(song_starts(chunks), chunks.tracks, strict=True):
        waits, rest = divmod(start, MAX_TIME_TICKS)
        times = [MAX_TIME_TICKS] * waits + [rest]
        texts = b"".join(variable_length(time) + b"\xff\x01\x00" for time in times)
        tracks.append(texts + DEFAULTS + track if tracks else track)
    return chunks._replace(tracks=tracks)
