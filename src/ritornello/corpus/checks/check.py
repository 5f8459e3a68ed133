"""Check: from the bytes of a file to its fate, and the Score if it is worth keeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ritornello.corpus.checks.annotation import take_annotation
from ritornello.corpus.checks.limits import over_limit
from ritornello.corpus.outcomes import KEPT
from ritornello.errors import MidiError, ScoreError
from ritornello.midi import Pedal, Reader
from ritornello.midi.chunks import split_file
from ritornello.midi.reading import parse_chunks
from ritornello.midi.track_scan import scan_tracks
from ritornello.music.score import Score

ANNOTATION = "annotation notes"  # as they are called among what reading dropped


@dataclass(frozen=True)
class Checks:
    """How files are read and what is asked of them; a corpus is made with one set, its manifest has it."""

    reader: Reader = "symusic"
    pedal: Pedal = "extend"
    drums_only: bool = True
    """Whether a song of drums alone is kept."""
    annotations: bool = True
    """Whether a part of chord labels written as notes becomes the song's chords (see annotation.py)."""
    min_notes: int = 16
    max_file_bytes: int = 16 << 20
    max_notes: int = 1_000_000
    max_events: int = 10_000
    """Of tempo, meter and key changes, chords and markers together."""
    max_beats: int = 32_768
    """Where the last note may begin: four and a half hours at 120 beats a minute."""


class Checked(NamedTuple):
    """A file's fate so far (a kept song may still prove a copy), in words why, and what was read."""

    fate: str
    reason: str
    score: Score | None = None
    dropped: dict[str, int] | None = None


def check(data: bytes, checks: Checks) -> Checked:
    """The fate of the file with the bytes `data`; with its Score where that is "kept"."""
    if len(data) > checks.max_file_bytes:
        return Checked("too large", f"{len(data)} bytes, at most {checks.max_file_bytes}")
    if not data:
        return Checked("empty", "the file has no bytes")
    if data[:4] != b"MThd" and not (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
        return Checked("not MIDI", f"begins with {data[:4]!r}, a MIDI file with b'MThd'")
    try:
        chunks = split_file(data)
        seen = scan_tracks(b"".join(chunks.tracks))
        if beyond := over_limit(chunks, seen, checks.max_events):
            return Checked(*beyond)
        score, dropped = parse_chunks(chunks, seen, checks.reader, checks.pedal)
    except (MidiError, ScoreError) as error:
        return Checked("unreadable", str(error))
    if checks.annotations:
        score, notes = take_annotation(score)
        if notes:
            dropped[ANNOTATION] = notes
    fate, reason = music(score, checks)
    return Checked(fate, reason, score if fate == KEPT else None, dropped)


def music(score: Score, checks: Checks) -> tuple[str, str]:
    """The fate of a song by its notes, and why."""
    count = len(score)
    if not count:
        return "empty", "it has no note that starts and ends"
    if count < checks.min_notes:
        return "too short", f"{count} notes, at least {checks.min_notes}"
    if count > checks.max_notes:
        return "too many notes", f"{count} notes, at most {checks.max_notes}"
    events = sum(len(e) for e in (score.tempi, score.meters, score.keys, score.chords, score.markers))
    if events > checks.max_events:
        return "too many events", f"{events} changes and markers, at most {checks.max_events}"
    beats = int(score.onset_ticks[-1]) // score.ticks_per_beat
    if beats > checks.max_beats:
        return "too long", f"the last note begins at beat {beats}, at most {checks.max_beats}"
    if (score.pitch == score.pitch[0]).all():
        return "one repeated note", f"{count} times pitch {score.pitch[0]}"
    if not checks.drums_only and all(part.is_drum for part in score.parts):
        return "drums only", f"{count} notes, all of drums"
    return KEPT, ""
