"""Collect the facts about one song that the doctor reports, as values for JSON."""

from collections import Counter
from itertools import pairwise
from typing import Any

from ritornello.corpus.checks.check import ANNOTATION as ANNOTATION_NOTES
from ritornello.corpus.doctor.warnings import ANNOTATION, TRACK_LENGTH, find_warnings
from ritornello.errors import ScoreError
from ritornello.midi.reading import WRONG_LENGTHS
from ritornello.music import theory
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline


def song_facts(score: Score, dropped: dict[str, int]) -> dict[str, Any]:
    """The facts about a song, by name; `dropped` counts the events that reading left out of the Score.

    "key", "meter" and "bpm" (beats per minute) are the values that last longest, empty or 0 if the file has
    none. "estimated_key" is estimated from the pitches if the file names no key. "seconds" is the length.
    """
    warnings = find_warnings(score)
    if notes := dropped.get(ANNOTATION_NOTES, 0):
        warnings = {ANNOTATION.name: f"{notes:,} notes of chord labels", **warnings}
    if tracks := dropped.get(WRONG_LENGTHS, 0):
        warnings = {TRACK_LENGTH.name: f"{tracks:,} tracks", **warnings}
    key, meter, tempo = (longest_lasting(score, name) for name in ("keys", "meters", "tempi"))
    estimated = score.estimated_key
    return {
        "notes": len(score),
        "parts": len(score.parts),
        "bars": _count_bars(score),
        "seconds": round(score.duration_s, 1),
        "key": theory.key_name(*key) if key else "",
        "estimated_key": "" if key or not estimated else theory.key_name(*estimated),
        "meter": f"{meter[0]}/{meter[1]}" if meter else "",
        "bpm": round(60e6 / tempo[0], 1) if tempo else 0.0,
        "warnings": warnings,
    }


def longest_lasting(score: Score, name: str) -> tuple[Any, ...]:
    """The longest-lasting value of a Score's "keys", "meters" or "tempi" (`name`); () without any."""
    events = getattr(score, name)
    onsets = [event.onset_ticks for event in events]
    lengths_ticks: Counter[tuple[Any, ...]] = Counter()
    for event, (start, stop) in zip(events, pairwise([*onsets, score.end_ticks]), strict=True):
        lengths_ticks[event[1:]] += max(stop - start, 0)
    return lengths_ticks.most_common(1)[0][0] if lengths_ticks else ()


def _count_bars(score: Score) -> int:
    try:
        return len(Timeline.of(score))
    except ScoreError:  # the song has more bars than a Timeline may have
        return 0
