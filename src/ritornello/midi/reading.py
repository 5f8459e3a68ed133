"""From the bytes of a MIDI file to a Score, the same through symusic and through mido.

Both readers give the same Score, by one semantics:
 1. a part is (track, channel, program at the note's start), in this order; channel 10 is drums;
 2. a note-off closes the oldest open note of its pitch and channel in its track;
 3. a note that is never closed is dropped;
 4. the sustain pedal (controller 64, down from 64 on) holds the notes of its part until it is released;
    a pedal that is never released holds nothing; bends and other controllers are dropped and counted
    (they belong to the part that plays; those that come before its first note to the channel's next part);
 5. a pitch struck again in its part cuts the earlier note there, and zero length becomes one tick.
The tracks of a file of format 2, which may be songs of their own, are laid one over the other.
A file with an SMPTE division counts real time: its beat becomes one second, its tempo events do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import MidiError, ScoreError
from ritornello.midi.chunks import Chunks, split_file, title
from ritornello.midi.mido_reader import read_mido
from ritornello.midi.raw_events import CHORD_PREFIX, RawEvents
from ritornello.midi.symusic_reader import read_symusic, read_whole
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music import theory
from ritornello.music.score import MAX_PARTS, Chord, Marker, Score, drop_redundant
from ritornello.music.score_limits import MAX_TICKS

Reader = Literal["symusic", "mido"]
Ticks = npt.NDArray[np.int64]
Pedal = Literal["extend", "ignore"]


class Parsed(NamedTuple):
    """A Score and what reading it cost: how many events of each dropped sort."""

    score: Score
    dropped: dict[str, int]


def read(path: str | Path, *, reader: Reader = "symusic", pedal: Pedal = "extend") -> Score:
    """The Score in a .mid, .midi, .kar or .rmi file. Raises MidiError that names the file and the reason."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"cannot read {str(path)!r}: {error.strerror}") from error
    return parse(data, name=path.name, reader=reader, pedal=pedal).score


def parse(data: bytes, *, name: str = "data", reader: Reader = "symusic", pedal: Pedal = "extend") -> Parsed:
    """The Score in the bytes of a MIDI file, and what was dropped. `name` is for messages.

    With symusic as `reader`, a track that symusic refuses is tried with mido. Raises MidiError.
    """
    try:
        chunks = split_file(data)
        return parse_chunks(chunks, scan_tracks(b"".join(chunks.tracks)), reader, pedal)
    except (MidiError, ScoreError) as error:
        raise MidiError(f"{name!r}: {error}") from error


def parse_chunks(chunks: Chunks, seen: TrackScan, reader: Reader, pedal: Pedal) -> Parsed:
    """The same for a file that was cut up and looked at. Raises MidiError or ScoreError."""
    raw = read_whole(chunks, seen) if reader == "symusic" else None
    if raw is None:
        raw = _read_tracks(chunks, read_symusic if reader == "symusic" else read_mido)
    return _assemble(raw, chunks, pedal)


def _read_tracks(chunks: Chunks, read_track: Callable[[bytes, int], RawEvents]) -> RawEvents:
    """What all tracks hold, one after the other. Raises MidiError, which names the track."""
    raw = RawEvents()
    for number, (track, start) in enumerate(zip(chunks.tracks, chunks.starts, strict=True)):
        try:
            raw.extend(read_track(track, chunks.ticks_per_beat))
        except MidiError as error:
            raise MidiError(f"track {number} at byte {start}: {error}") from error
    return raw


def _assemble(raw: RawEvents, chunks: Chunks, pedal: Pedal) -> Parsed:
    """The common semantics, from what either reader found."""
    if len(raw.parts) > MAX_PARTS:
        raise MidiError(f"{len(raw.parts)} parts, must be at most {MAX_PARTS}")
    columns = _columns(raw, pedal)
    onset_ticks, duration_ticks = columns["onset_ticks"], columns["duration_ticks"]
    if min(onset_ticks.min(initial=0), duration_ticks.min(initial=0)) < 0 or (
        (onset_ticks.astype(np.int64) + duration_ticks).max(initial=0) > MAX_TICKS
    ):
        raise MidiError(f"a note lies beyond tick {MAX_TICKS}")
    events: dict[str, list[Any]] = {
        "tempi": [t for t in raw.tempi if t.us_per_beat > 0],
        "meters": [m for m in raw.meters if m.numerator > 0 and m.denominator in (1, 2, 4, 8, 16, 32, 64)],
        "keys": [k for k in raw.keys if -7 <= k.sharps <= 7],
    }
    dropped = dict(raw.dropped)
    for sort, kept in events.items():
        dropped[f"impossible {sort}"] = len(getattr(raw, sort)) - len(kept)
    if chunks.fixed_tempo:
        dropped["tempi under SMPTE"] = len(events["tempi"])
        events["tempi"] = [chunks.fixed_tempo]
    chords, markers = _split_markers(raw.markers)
    score = Score.of(
        chunks.ticks_per_beat,
        **columns,
        parts=raw.parts,
        **{sort: drop_redundant(kept) for sort, kept in events.items()},
        chords=drop_redundant(chords),
        markers=tuple(sorted(m for m in markers if m.text)),
        title=title(chunks.tracks[0]),
    )
    dropped["doubled notes"] = len(onset_ticks) - len(score)
    return Parsed(score, {sort: count for sort, count in dropped.items() if count})


def _columns(raw: RawEvents, pedal: Pedal) -> dict[str, npt.NDArray[Any]]:
    """The notes of all parts as columns (N,), in the types of their reader, held by their pedals."""
    nothing = np.zeros(0, np.int8)
    columns = {
        name: np.concatenate([nothing, *(notes[place] for notes in raw.notes)])
        for place, name in enumerate(("onset_ticks", "duration_ticks", "pitch", "velocity"))
    }
    counts = [len(notes[0]) for notes in raw.notes]
    columns["part"] = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    if pedal == "extend":
        for end, count, pedals in zip(accumulate(counts), counts, raw.pedals, strict=True):
            if len(pedals):
                own = slice(end - count, end)
                _hold(columns["onset_ticks"][own], columns["duration_ticks"][own], pedals)
    return columns


def _hold(onset_ticks: npt.NDArray[Any], duration_ticks: npt.NDArray[Any], pedals: Ticks) -> None:
    """Lengthen, in place, the notes (N,) of a part that end while its pedal is down, to the release.

    `pedals` is (M, 2): tick and value.
    """
    down = pedals[:, 1] >= 64
    changes = np.flatnonzero(np.diff(down, prepend=False))
    presses, releases = pedals[changes[0::2], 0], pedals[changes[1::2], 0]
    presses = presses[: len(releases)]  # a pedal that is never released holds nothing
    if not len(presses):
        return
    end = onset_ticks + duration_ticks
    at = np.searchsorted(presses, end, side="right") - 1
    held = (at >= 0) & (end < releases[at])
    duration_ticks[held] = releases[at[held]] - onset_ticks[held]


def _split_markers(found: list[Marker]) -> tuple[list[Chord], list[Marker]]:
    """Markers that are chord labels, and the others."""
    chords, markers = [], []
    for marker in found:
        try:
            label = marker.text.removeprefix(CHORD_PREFIX)
            chords.append(
                Chord(marker.onset_ticks, *theory.parse_chord(label if label != marker.text else ""))
            )
        except ValueError:
            markers.append(marker)
    return chords, markers
