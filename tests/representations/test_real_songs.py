"""The properties of `notes` over real files, where RITORNELLO_DATA names a folder of them.

    RITORNELLO_DATA=~/data/clean pytest tests/representations/test_real_songs.py

RITORNELLO_FILES says how many are drawn (300 unless it is set); the same are drawn every time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ritornello import midi
from ritornello.errors import MidiError
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.notes import Notes
from tests.representations.test_cursor import masked, replay

FOLDER = os.environ.get("RITORNELLO_DATA", "")
COUNT = int(os.environ.get("RITORNELLO_FILES", "300"))
REPLAYED_EVERY = 20  # replaying is a hundred times slower than encoding
NOTES = Notes()

pytestmark = pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(),
    reason=f"RITORNELLO_DATA is {FOLDER!r}, no folder: set it to a folder of MIDI files to run this",
)


def songs() -> Iterator[tuple[Path, Score]]:
    """Readable files drawn from the folder, always the same."""
    found = sorted(Path(FOLDER).rglob("*.mid"))
    for path in random.Random(1).sample(found, min(COUNT, len(found))):
        try:
            yield path, midi.read(path)
        except MidiError:
            continue


def test_songs_survive_up_to_canonical() -> None:
    for path, score in songs():
        song, _ = NOTES.canonical(score)
        assert NOTES.decode(NOTES.encode(score).values, Plan.of(score)) == song, path
        assert NOTES.canonical(song) == (song, {}), path


def test_songs_replay_with_a_third_of_the_notes_given() -> None:
    for number, (_, score) in enumerate(songs()):
        if number % REPLAYED_EVERY or not 0 < len(score) < 6000:
            continue
        song, _ = NOTES.canonical(score)
        kept = np.random.default_rng(number).random(len(song)) < 1 / 3
        rows = NOTES.encode(score, given=kept).values
        replay(NOTES.cursor([NOTES.timeline(song)], [masked(song, kept)]), [rows])
        assert NOTES.decode(rows, Plan.of(score)) == song
