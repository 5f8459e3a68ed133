"""Judging: how well a model predicts songs (likelihood, reference), and what its own songs are like."""

from __future__ import annotations

from typing import NamedTuple

from ritornello.music.score import Score


class Song(NamedTuple):
    """A song to be judged: what it is called in a report, its notes, and its labels."""

    name: str
    score: Score
    labels: tuple[str, ...] = ()
