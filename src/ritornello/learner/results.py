"""Results: songs by the model that is kept, and how close they are to the songs of the folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ritornello import composer
from ritornello.corpus import Corpus
from ritornello.errors import ScoreError
from ritornello.judging.originality import longest_of, longest_runs, opening
from ritornello.learner.contest import HeldOut
from ritornello.model import Model
from ritornello.score import Score
from ritornello.song import Song

HUMAN_SONGS = 30
MOST_NOTES = 3_000_000  # of training songs, among which the longest run is looked for


def compose(model: Model, folder: Path, count: int, seed: int | None) -> tuple[list[Song], list[Path]]:
    """Compose songs into a folder, each with its recipe, under the first numbers that are free there."""
    songs = composer.compose_many(model, count, seed=seed) if count else []
    files, number = [], 0
    for song in songs:
        number += 1
        while (folder / f"song-{number}.mid").exists():
            number += 1
        files.append(folder / f"song-{number}.mid")
        song.write(files[-1])
        song.write(files[-1].with_suffix(".json"))
    return songs, files


def closeness(songs: list[Song], corpus: Corpus, representation: Any) -> dict[str, Any]:
    """How many notes in a row the songs share with training songs at most, and human songs of that length do.

    `human` is what as many held-out songs share in half of all cases, None where none is held out. All songs
    are compared as the representation has them, for what is composed stands on its grid.
    """
    composed = list(_plain((song.score for song in songs), representation))
    length = int(np.median([len(song) for song in composed])) if composed else 0
    held = [song.score for song in HeldOut(corpus, "test").songs()][:HUMAN_SONGS]
    human = [opening(song, length) for song in _plain(held, representation)]
    numbers = corpus.songs("train")
    share = min(1.0, MOST_NOTES / max(1, int(corpus.note_counts[numbers].sum())))
    numbers = numbers[np.linspace(0, len(numbers) - 1, max(1, round(share * len(numbers)))).astype(np.int64)]
    training = _plain((corpus.score(n) for n in numbers.tolist()), representation)
    runs = longest_runs([*composed, *human], training)
    ours, theirs = runs[: len(composed)], runs[len(composed) :]
    return {
        "longest": max(ours, default=0),
        "by_song": ours,
        "human": longest_of(theirs, len(ours)) if theirs and ours else None,
        "human_songs": len(theirs),
        "training_songs": len(numbers),
    }


def in_words(close: dict[str, Any]) -> str:
    """Closeness for people."""
    human = "" if close["human"] is None else f" (human: {close['human']})"
    return f"closest to a training song: {close['longest']} notes{human}"


def _plain(songs: Iterable[Score], representation: Any) -> Iterator[Score]:
    """The songs as the representation has them; without those that it refuses."""
    for song in songs:
        try:
            yield representation.canonical(song)[0]
        except ScoreError:
            continue
