"""Check the bytes of one file: find its outcome, and its Score if the song is kept."""

from dataclasses import dataclass
from typing import NamedTuple

from ritornello.corpus.outcomes import KEPT
from ritornello.errors import InputError, MidiError, ScoreError
from ritornello.midi import Pedal, Reader, limits
from ritornello.midi.chunks import split_file
from ritornello.midi.reading import parse_chunks
from ritornello.midi.track_scan import scan_tracks
from ritornello.music.annotation import take_annotation
from ritornello.music.score import Score
from ritornello.notation import parse_notation
from ritornello.notation.formats import Format, format_of
from ritornello.notation.song_file import gunzip, without_mac_header

ANNOTATION = "annotation notes"  # key in `CheckedFile.dropped`


@dataclass(frozen=True)
class CheckSettings:
    """The settings with which files are read and chosen; the manifest of a corpus records them."""

    reader: Reader = "symusic"
    pedal: Pedal = "extend"
    drums_only: bool = True
    """Whether a song with only drums is kept."""
    annotations: bool = True
    """Whether a part of chord labels becomes the chords of the song (music/annotation.py)."""
    min_notes: int = 16
    max_file_bytes: int = limits.MAX_FILE_BYTES
    max_notes: int = limits.MAX_NOTES_OF_A_SONG
    max_events: int = limits.MAX_EVENTS
    max_beats: int = limits.MAX_BEATS


class CheckedFile(NamedTuple):
    """The outcome of one file, the reason, and the Score; a kept song may later turn out to be a duplicate.

    `dropped` counts the events that reading left out of the Score, by kind.
    """

    outcome: str
    reason: str
    score: Score | None = None
    dropped: dict[str, int] | None = None


def check(
    data: bytes, checks: CheckSettings, name: str = "", format_name: Format | None = None
) -> CheckedFile:
    """Check the file with the bytes `data`; the result has a Score only if the outcome is "kept".

    The ending of `name` shows whether the file is packed, and without `format_name` its format.
    """
    if refused := limits.check_file_size(len(data), checks.max_file_bytes):
        return CheckedFile(*refused)
    if not data:
        return CheckedFile("empty", "the file is empty")
    try:
        if format_name := format_name or format_of(name, data):
            score, dropped = parse_notation(data, format_name)
            return _checked(score, dropped, checks)
        if name.lower().endswith(".gz"):
            data = gunzip("data", data)
        data = without_mac_header(data)
        if data[:4] != b"MThd" and not (data[:4] == b"RIFF" and data[8:12] == b"RMID"):
            return CheckedFile("not MIDI", f"begins with {data[:4]!r}: must be b'MThd'")
        chunks = split_file(data)
        scanned = scan_tracks(b"".join(chunks.tracks))
        if refused := limits.check_events(chunks, scanned, checks.max_events):
            return CheckedFile(*refused)
        score, dropped = parse_chunks(chunks, scanned, checks.reader, checks.pedal)
    except (MidiError, ScoreError) as error:
        return CheckedFile("unreadable", str(error).removeprefix("'data': "))
    except InputError as error:
        return CheckedFile("no reader", str(error))
    return _checked(score, dropped, checks)


def _checked(score: Score, dropped: dict[str, int], checks: CheckSettings) -> CheckedFile:
    """The outcome of a song that was read."""
    if checks.annotations:
        score, notes = take_annotation(score)
        if notes:
            dropped[ANNOTATION] = notes
    outcome, reason = _check_score(score, checks)
    return CheckedFile(outcome, reason, score if outcome == KEPT else None, dropped)


def _check_score(score: Score, checks: CheckSettings) -> tuple[str, str]:
    """The outcome of a song by its notes and events, and the reason."""
    notes = len(score)
    if not notes:
        return "empty", "it has no note that starts and ends"
    if notes < checks.min_notes:
        return "too short", f"{notes} notes, at least {checks.min_notes}"
    if refused := limits.check_score(score, checks.max_notes, checks.max_events, checks.max_beats):
        return refused
    if (score.pitch == score.pitch[0]).all():
        return "one repeated note", f"{notes} times pitch {score.pitch[0]}"
    if not checks.drums_only and all(part.is_drum for part in score.parts):
        return "drums only", f"{notes} notes, all of drums"
    return KEPT, ""
