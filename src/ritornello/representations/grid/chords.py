"""The chords of a song: those that its Score names, else estimated beat by beat."""

from __future__ import annotations

from ritornello.score import Score
from ritornello.timeline import Timeline


def with_chords(timeline: Timeline, song: Score) -> Timeline:
    """The timeline with the song's chords."""
    return timeline
