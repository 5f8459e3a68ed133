"""Check the bytes of one file: find its outcome, and its Score if the song is kept."""

from dataclasses import dataclass
from typing import NamedTuple

from ritornello.corpus.checks.annotation import take_annotation
from ritornello.corpus.outcomes import KEPT
from ritornello.errors import MidiError, ScoreError
from ritornello.midi import Pedal, Reader
from ritornello.midi.chunks import Chunks, split_file
from ritornello.midi.event_counts import count_events
from ritornello.midi.reading import parse_chunks
from ritornello.midi.track_scan import TrackScan, scan_tracks
from ritornello.music.score import Score
from ritornello.music.score_limits import MAX_TICKS

ANNOTATION = "annotation notes"  # key in `CheckedFile.dropped`


@dataclass(frozen=True)
class CheckSettings:
    """How files are read and which are kept. The manifest of a corpus records them."""

    reader: Reader = "symusic"
    pedal: Pedal = "extend"
    drums_only: bool = True
    """Whether a song with only drums is kept."""
    annotations: bool = True
    """Whether a part of chord labels written as notes becomes the chords of the song (annotation.py)."""
    min_notes: int = 16
    max_file_bytes: int = 16 << 20
    max_notes: int = 1_000_000
    max_events: int = 10_000
    """The most changes of tempo, meter, key and chord, and markers, together."""
    max_beats: int = 32_768
    """The last beat at which a note may begin: four and a half hours at 120 beats per minute."""


class CheckedFile(NamedTuple):
    """The outcome of one file by itself (a kept song may still prove a duplicate), the reason, and the Score.

    `dropped` counts what reading left out of the Score, by kind.
    """

    outcome: str
    reason: str
    score: Score | None = None
    dropped: dict[str, int] | None = None


def check(data: bytes, checks: CheckSettings) -> CheckedFile:
    """Check the file with the bytes `data`; the result has a Score only if the outcome is "kept"."""
    if len(data) > checks.max_file_bytes:
        return CheckedFile("too large", f"{len(data)} bytes, at most {checks.max_file_bytes}")
    if not data:
        return CheckedFile("empty", "the file has no bytes")
    if data[:4] != b"MThd" and not (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
        return CheckedFile("not MIDI", f"begins with {data[:4]!r}, a MIDI file with b'MThd'")
    try:
        chunks = split_file(data)
        scanned = scan_tracks(b"".join(chunks.tracks))
        if refused := over_limit(chunks, scanned, checks.max_events):
            return CheckedFile(*refused)
        score, dropped = parse_chunks(chunks, scanned, checks.reader, checks.pedal)
    except (MidiError, ScoreError) as error:
        return CheckedFile("unreadable", str(error))
    if checks.annotations:
        score, notes = take_annotation(score)
        if notes:
            dropped[ANNOTATION] = notes
    outcome, reason = _check_score(score, checks)
    return CheckedFile(outcome, reason, score if outcome == KEPT else None, dropped)


def over_limit(chunks: Chunks, scanned: TrackScan, max_events: int) -> tuple[str, str] | None:
    """Outcome and reason of a file with too many ticks or events for a reader; None if it may be read.

    Readers silently wrap ticks beyond 32 bits, and a million tempo events cost seconds and hundreds of
    megabytes. `scanned`, the scan of all tracks joined, gives bounds that are cheap and never too low; events
    are counted exactly only where a bound is over a limit.
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
    if changes > max_events:
        return "too many events", f"{changes} changes and markers, at most {max_events}"
    return None


def _check_score(score: Score, checks: CheckSettings) -> tuple[str, str]:
    """The outcome of a song by its notes and events, and the reason."""
    notes = len(score)
    if not notes:
        return "empty", "it has no note that starts and ends"
    if notes < checks.min_notes:
        return "too short", f"{notes} notes, at least {checks.min_notes}"
    if notes > checks.max_notes:
        return "too many notes", f"{notes} notes, at most {checks.max_notes}"
    events = sum(len(e) for e in (score.tempi, score.meters, score.keys, score.chords, score.markers))
    if events > checks.max_events:
        return "too many events", f"{events} changes and markers, at most {checks.max_events}"
    beats = int(score.onset_ticks[-1]) // score.ticks_per_beat
    if beats > checks.max_beats:
        return "too long", f"the last note begins at beat {beats}, at most {checks.max_beats}"
    if (score.pitch == score.pitch[0]).all():
        return "one repeated note", f"{notes} times pitch {score.pitch[0]}"
    if not checks.drums_only and all(part.is_drum for part in score.parts):
        return "drums only", f"{notes} notes, all of drums"
    return KEPT, ""
