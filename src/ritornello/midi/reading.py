"""Read a MIDI file into a Score, with symusic or with mido.

Both readers give the same Score, by these rules: 1. The notes of a track with the same channel and program
are a part; parts are in the order of track, channel and program. Channel 10 is drums. The program of a note
is the last one that was set on its channel, in any track of its port; a track of drums that sets a program
has its own. 2. A note-off ends the oldest open note of its pitch and channel in its track. 3. If a note of a
pitch is never ended, each note of that pitch ends at the next note-off or note of the pitch; a note with
neither after it is dropped. 4. The sustain pedal of a port's channel (controller 64 in any track, down from
value 64 on) prolongs its notes until it is released or their pitch is struck again. A pedal that is never
released has no effect. 5. Pitch bends and other controllers are dropped. They are counted for the part on
their channel; if they come before its first note, for the next part of the channel. 6. A pitch that is struck
again in its part ends the earlier note there. A duration of 0 becomes one tick. 7. The tracks of a file of
format 2 are songs of their own, and come one after the other (see `song_starts`). 8. In a file with an SMPTE
division a beat is one second, and its tempo events have no effect.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import MidiError, ScoreError
from ritornello.midi import limits
from ritornello.midi.channel_state import apply_channel_state
from ritornello.midi.chunks import Chunks, split_file
from ritornello.midi.details import file_details
from ritornello.midi.encodings import encoded_texts, file_decoder, is_utf8
from ritornello.midi.mido_reader import read_mido
from ritornello.midi.raw_events import CHORD_PREFIX, RawEvents
from ritornello.midi.songs import one_after_the_other
from ritornello.midi.symusic_reader import read_symusic, read_symusic_file
from ritornello.midi.track_events import sequence_name
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.chord_names import parse_chord
from ritornello.music.file_details import FileDetails
from ritornello.music.score import MAX_PARTS, Chord, Marker, Score, drop_redundant
from ritornello.music.score_limits import MAX_TICKS

WRONG_LENGTHS = "wrong track lengths"  # a key of `Parsed.dropped`, though no event is lost
LOG = logging.getLogger(__name__)
Indices = npt.NDArray[np.int64]
Reader = Literal["symusic", "mido"]
Pedal = Literal["extend", "ignore"]


class Parsed(NamedTuple):
    """A Score, and how many events were dropped in reading it, by kind."""

    score: Score
    dropped: dict[str, int]


def read(
    path: str | Path, *, reader: Reader = "symusic", pedal: Pedal = "extend", with_details: bool = False
) -> Score:
    """Read a .mid, .midi, .kar or .rmi file. Raises MidiError, which names the file and the reason.

    `pedal` "ignore" keeps the durations of the file. `with_details` keeps the other events of the file, so
    that `write` writes them again; use it with "ignore", because the pedal is one of these events.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"cannot read {str(path)!r}: {error.strerror}") from error
    return parse(data, name=path.name, reader=reader, pedal=pedal, with_details=with_details).score


def parse(
    data: bytes,
    *,
    name: str = "data",
    reader: Reader = "symusic",
    pedal: Pedal = "extend",
    with_details: bool = False,
) -> Parsed:
    """Read the bytes of a MIDI file. Raises MidiError with `name` and the reason, also beyond a limit.

    With symusic as `reader`, a track that symusic refuses is read with mido. For `with_details` see `read`.
    """
    try:
        _refuse(limits.check_file_size(len(data)))
        chunks = split_file(data)
        scan = scan_tracks(b"".join(chunks.tracks))
        _refuse(limits.check_events(chunks, scan))
        for line in chunks.wrong_lengths:
            _warn(f"{name!r}: {line}; it was read up to its end")
        parsed = parse_chunks(chunks, scan, reader, pedal)
        _refuse(limits.check_score(parsed.score))
        if not with_details:
            return parsed
        details, lost = file_details(chunks, len(parsed.score.parts))
        if not details.channels:  # the pedal is lost as well
            parsed = parse_chunks(chunks, scan, reader, "extend")
        details = details._replace(encoded=encoded_texts(chunks.tracks))
        return _with_details(parsed, details, lost)
    except (MidiError, ScoreError) as error:
        raise MidiError(f"{name!r}: {error}") from error


@lru_cache(maxsize=1000)
def _warn(line: str) -> None:
    """Print a warning, but only once if a file is read several times."""
    LOG.warning(line)


def _refuse(refusal: tuple[str, str] | None) -> None:
    """Raise MidiError if a limit refuses a song."""
    if refusal:
        raise MidiError(f"{refusal[0]}: {refusal[1]}")


def parse_chunks(chunks: Chunks, scan: TrackScan, reader: Reader, pedal: Pedal) -> Parsed:
    """Read a file that is already split; `scan` is the scan of its tracks. Raises MidiError, ScoreError."""
    if chunks.are_songs:
        chunks = one_after_the_other(chunks)
        scan = scan_tracks(b"".join(chunks.tracks))
    raw = read_symusic_file(chunks, scan) if reader == "symusic" else None
    if raw is None:
        raw = _read_tracks(chunks, read_symusic if reader == "symusic" else read_mido)
    apply_channel_state(raw, chunks.tracks, chunks.are_songs)
    return _assemble(raw, chunks, pedal)


def _with_details(parsed: Parsed, details: FileDetails, lost: dict[str, int]) -> Parsed:
    """Add the details of the file to its Score; `lost` counts the events that are not in them, by kind."""
    dropped = {kind: n for kind, n in parsed.dropped.items() if kind not in ("controllers", "pitch bends")}
    dropped |= {kind: count for kind, count in lost.items() if count}
    return Parsed(replace(parsed.score, details=details), dropped)


def _read_tracks(chunks: Chunks, read_track: Callable[[bytes, int, int], RawEvents]) -> RawEvents:
    """Read each track by itself. Raises MidiError, which names the track."""
    raw = RawEvents()
    for number, (track, start) in enumerate(zip(chunks.tracks, chunks.starts, strict=True)):
        try:
            raw.extend(read_track(track, chunks.ticks_per_beat, number))
        except MidiError as error:
            raise MidiError(f"track {number} at byte {start}: {error}") from error
    return raw


def _assemble(raw: RawEvents, chunks: Chunks, pedal: Pedal) -> Parsed:
    """Make a Score of the events of either reader. Raises MidiError or ScoreError."""
    if len(raw.parts) > MAX_PARTS:
        raise MidiError(f"{len(raw.parts)} parts: must be at most {MAX_PARTS}")
    columns = _columns(raw, pedal)
    onset_ticks, duration_ticks = columns["onset_ticks"], columns["duration_ticks"]
    if min(onset_ticks.min(initial=0), duration_ticks.min(initial=0)) < 0 or (
        (onset_ticks.astype(np.int64) + duration_ticks).max(initial=0) > MAX_TICKS
    ):
        raise MidiError(f"a note ends after tick {MAX_TICKS}, the highest allowed")
    events: dict[str, list[Any]] = {
        "tempi": [t for t in raw.tempi if t.us_per_beat > 0],
        "meters": [m for m in raw.meters if m.numerator > 0 and m.denominator in (1, 2, 4, 8, 16, 32, 64)],
        "keys": [k for k in raw.keys if -7 <= k.sharps <= 7],
    }
    dropped = {WRONG_LENGTHS: len(chunks.wrong_lengths), **raw.dropped}
    for kind, possible in events.items():
        dropped[f"impossible {kind}"] = len(getattr(raw, kind)) - len(possible)
    if chunks.fixed_tempo:
        dropped["tempi under SMPTE"] = len(events["tempi"])
        events["tempi"] = [chunks.fixed_tempo]
    title = _decode_texts(raw, chunks)
    chords, markers = _split_markers(raw.markers)
    score = Score.of(
        chunks.ticks_per_beat,
        **columns,
        parts=raw.parts,
        **{kind: drop_redundant(possible) for kind, possible in events.items()},
        chords=drop_redundant(chords),
        markers=tuple(sorted(m for m in markers if m.text)),
        title=title,
    )
    dropped["doubled notes"] = len(onset_ticks) - len(score)
    return Parsed(score, {kind: count for kind, count in dropped.items() if count})


def _decode_texts(raw: RawEvents, chunks: Chunks) -> str:
    """Decode the names and markers that are not UTF-8 in the encoding of the file; return the title."""
    title = sequence_name(chunks.tracks[0])
    texts = {title, *(part.name for part in raw.parts), *(marker.text for marker in raw.markers)}
    undecoded = {text: text.encode("utf-8", "surrogateescape") for text in texts if not text.isascii()}
    if not all(map(is_utf8, undecoded.values())):
        decode = file_decoder(chunks.tracks)
        decoded = {text: decode(data) for text, data in undecoded.items()}
        raw.parts = [part._replace(name=decoded.get(part.name, part.name)) for part in raw.parts]
        raw.markers = [marker._replace(text=decoded.get(marker.text, marker.text)) for marker in raw.markers]
        title = decoded.get(title, title)
    return title


def _columns(raw: RawEvents, pedal: Pedal) -> dict[str, npt.NDArray[Any]]:
    """Return the notes of all parts as columns (N,), in the reader's types, prolonged by the pedal."""
    empty = np.zeros(0, np.int8)
    columns = {
        name: np.concatenate([empty, *(notes[column] for notes in raw.notes)])
        for column, name in enumerate(("onset_ticks", "duration_ticks", "pitch", "velocity"))
    }
    counts = [len(notes[0]) for notes in raw.notes]
    columns["part"] = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    written = columns["duration_ticks"].copy() if raw.one_pedal else empty
    if pedal == "extend":
        for end, count, pedal_events in zip(accumulate(counts), counts, raw.pedals, strict=True):
            if len(pedal_events):
                rows = slice(end - count, end)
                _prolong(columns["onset_ticks"][rows], columns["duration_ticks"][rows], pedal_events)
        for parts in raw.one_pedal:
            _end_at_strikes(columns, np.isin(columns["part"], parts).nonzero()[0], written)
    return columns


def _end_at_strikes(columns: dict[str, npt.NDArray[Any]], rows: Indices, written: npt.NDArray[Any]) -> None:
    """Let the notes `rows` of parts that share a pedal end where their pitch is struck again, in place.

    `written` (N,) are the durations without the pedal; no note becomes shorter than that.
    """
    onset, pitch = columns["onset_ticks"][rows].astype(np.int64), columns["pitch"][rows].astype(np.int64)
    strikes = np.sort(pitch << 32 | onset)
    after = np.searchsorted(strikes, pitch << 32 | onset, side="right")
    strike = np.append(strikes, 1 << 60)[after] - (pitch << 32)  # of a higher pitch: very late
    end = np.minimum(onset + columns["duration_ticks"][rows], strike)
    columns["duration_ticks"][rows] = np.maximum(end - onset, written[rows])


def _prolong(
    onset_ticks: npt.NDArray[Any], duration_ticks: npt.NDArray[Any], pedal_events: npt.NDArray[np.int64]
) -> None:
    """Let the notes (N,) of a part that end while its pedal is down last until its release, in place.

    `pedal_events` is (M, 2): tick and value.
    """
    is_down = pedal_events[:, 1] >= 64
    changes = np.flatnonzero(np.diff(is_down, prepend=False))
    presses, releases = pedal_events[changes[0::2], 0], pedal_events[changes[1::2], 0]
    presses = presses[: len(releases)]  # a pedal that is never released has no effect
    if not len(presses):
        return
    end = onset_ticks + duration_ticks
    press = np.searchsorted(presses, end, side="right") - 1  # the last one before each end
    is_held = (press >= 0) & (end < releases[press])
    duration_ticks[is_held] = releases[press[is_held]] - onset_ticks[is_held]


def _split_markers(all_markers: list[Marker]) -> tuple[list[Chord], list[Marker]]:
    """Return the chords that markers name, and the other markers."""
    chords, markers = [], []
    for marker in all_markers:
        try:
            label = marker.text.removeprefix(CHORD_PREFIX)
            chord = parse_chord(label if label != marker.text else "")
            chords.append(chord._replace(onset_ticks=marker.onset_ticks))
        except ValueError:
            markers.append(marker)
    return chords, markers
