"""A file of format 2: its tracks are songs of their own, which are read one after the other."""

from __future__ import annotations

from ritornello.midi.chunks import Chunks, variable_length
from ritornello.midi.event_counts import count_events

BEATS_OF_A_BAR = 4  # a song lasts a whole number of bars of 4/4, so that most begin on a bar line
MAX_TIME_TICKS = (1 << 28) - 1  # of one event
# what holds at the start of a song that does not say otherwise: 120 beats per minute, 4/4
DEFAULTS = b"\x00\xff\x51\x03\x07\xa1\x20" + b"\x00\xff\x58\x04\x04\x02\x18\x08"


def song_starts(chunks: Chunks) -> list[int]:
    """Return the tick at which each track begins: 0, but for a file of format 2."""
    starts: list[int] = []
    tick = 0
    bar_ticks = BEATS_OF_A_BAR * chunks.ticks_per_beat
    for track in chunks.tracks:
        starts.append(tick)
        if chunks.are_songs:
            tick += -(-count_events(track).ticks // bar_ticks) * bar_ticks
    return starts


def one_after_the_other(chunks: Chunks) -> Chunks:
    """Return the chunks with tracks that wait, with empty texts, until the songs before them have ended."""
    tracks: list[bytes] = []
    for start, track in zip(song_starts(chunks), chunks.tracks, strict=True):
        waits, rest = divmod(start, MAX_TIME_TICKS)
        times = [MAX_TIME_TICKS] * waits + [rest]
        texts = b"".join(variable_length(time) + b"\xff\x01\x00" for time in times)
        tracks.append(texts + DEFAULTS + track if tracks else track)
    return chunks._replace(tracks=tracks)
