"""Compose songs with the model that is kept, and compare them with the songs of the folder."""

from pathlib import Path
from typing import Any

import numpy as np

from ritornello.composing.compose import compose_many
from ritornello.composing.song import Song
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.originality import closest_passages, opening, run_lengths, typical_longest_run
from ritornello.learning.model_selection import HeldOutSongs
from ritornello.models.fingerprints import SongFingerprint, of_training_songs
from ritornello.models.model import Model

MAX_HUMAN_SONGS = 30


def compose_songs(model: Model, folder: Path, count: int, seed: int | None) -> tuple[list[Song], list[Path]]:
    """Compose songs and write each, with its recipe, under the lowest free numbers of `folder`."""
    songs = compose_many(model, count, seed=seed) if count else []
    files, number = [], 0
    for song in songs:
        number += 1
        while (folder / f"song-{number}.mid").exists():
            number += 1
        files.append(folder / f"song-{number}.mid")
        song.write_with_recipe(files[-1])
    return songs, files


def closeness(songs: list[Song], corpus: Corpus) -> dict[str, Any]:
    """The longest runs of notes that the songs share with training songs.

    "longest" and "by_song" are lengths in notes, "passage" is the longest run. "human" is the median of the
    longest run of as many held-out songs, shortened to the same length; None if no song is held out.
    """
    composed = [song.score for song in songs]
    length = int(np.median([len(song) for song in composed])) if composed else 0
    human = [opening(song.score, length) for song in HeldOutSongs(corpus, "test").songs()[:MAX_HUMAN_SONGS]]
    training = of_training_songs(corpus)
    fingerprints = [SongFingerprint.of(song) for song in (*composed, *human)]
    passages = closest_passages(fingerprints, training)
    runs = run_lengths(fingerprints, passages)
    composed_runs, human_runs = runs[: len(composed)], runs[len(composed) :]
    longest = max(filter(None, passages[: len(composed)]), key=lambda passage: passage.notes, default=None)
    return {
        "longest": max(composed_runs, default=0),
        "passage": longest.to_dict() if longest else None,
        "by_song": composed_runs,
        "human": typical_longest_run(human_runs, len(composed)) if human and composed else None,
        "human_songs": len(human),
        "training_songs": len(training),
    }


def describe_closeness(close: dict[str, Any]) -> str:
    """The longest shared run as one line for the terminal."""
    human = "" if close["human"] is None else f" (songs of people: {close['human']})"
    source = f" of {close['passage']['name']}" if close["passage"] else ""
    return f"longest run shared with a training song: {close['longest']} notes{source}{human}"
