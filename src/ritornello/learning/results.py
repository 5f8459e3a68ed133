"""Results: songs by the model that is kept, and how close they are to the songs of the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ritornello.composing.compose import compose_many
from ritornello.composing.song import Song
from ritornello.corpus.corpus import Corpus
from ritornello.evaluation.originality import closest_passages, opening, run_lengths, typical_longest_run
from ritornello.learning.model_selection import HeldOut
from ritornello.models.fingerprints import SongFingerprint, of_training_songs
from ritornello.models.model import Model

HUMAN_SONGS = 30


def compose(model: Model, folder: Path, count: int, seed: int | None) -> tuple[list[Song], list[Path]]:
    """Compose songs into a folder, each with its recipe, under the first numbers that are free there."""
    songs = compose_many(model, count, seed=seed) if count else []
    files, number = [], 0
    for song in songs:
        number += 1
        while (folder / f"song-{number}.mid").exists():
            number += 1
        files.append(folder / f"song-{number}.mid")
        song.write(files[-1])
        song.write(files[-1].with_suffix(".json"))
    return songs, files


def closeness(songs: list[Song], corpus: Corpus) -> dict[str, Any]:
    """How many notes in a row the songs share with training songs at most, and human songs of that length do.

    `passage` is the longest of all, `human` what as many held-out songs share in half of all cases, None
    where none is held out.
    """
    composed = [song.score for song in songs]
    length = int(np.median([len(song) for song in composed])) if composed else 0
    held = [opening(song.score, length) for song in HeldOut(corpus, "test").songs()[:HUMAN_SONGS]]
    queries, training = [SongFingerprint.of(song) for song in (*composed, *held)], of_training_songs(corpus)
    found = closest_passages(queries, training)
    runs = run_lengths(queries, found)
    ours, theirs = runs[: len(composed)], runs[len(composed) :]
    longest = max(filter(None, found[: len(composed)]), key=lambda passage: passage.notes, default=None)
    return {
        "longest": max(ours, default=0),
        "passage": longest.plain() if longest else None,
        "by_song": ours,
        "human": typical_longest_run(theirs, len(ours)) if theirs and ours else None,
        "human_songs": len(theirs),
        "training_songs": len(training),
    }


def in_words(close: dict[str, Any]) -> str:
    """Closeness for people."""
    human = "" if close["human"] is None else f" (human: {close['human']})"
    there = f" of {close['passage']['name']}" if close["passage"] else ""
    return f"closest to a training song: {close['longest']} notes{there}{human}"
