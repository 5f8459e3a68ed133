"""Find the longest run of notes that a song shares with the training songs.

A stretch is successive hashes of a training song that all occur in the song. A shared run must lie within a
stretch. So only stretches are compared, the longest ones first, until the other stretches are too short to
hold a longer run than the one found.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello import midi
from ritornello.composing.compose import BUNDLED, opened_model
from ritornello.evaluation.originality import Passage, closest_passages
from ritornello.models.fingerprints import RUN_STEPS, PartFingerprint, SongFingerprint, read
from ritornello.music.score import Score
from ritornello.studio.work import Result, SendEvent

Ints = npt.NDArray[np.int64]  # (N,)
LEAST_HASHES = (64, 32, 16, 8, 4, 2, 1)  # stretches of at least so many hashes are compared first, then next
TABLE_BITS = 22  # a table of this many bits of the hashes quickly rules out most hashes that the song lacks


class TrainingSongs(NamedTuple):
    """The hashes of all parts of all training songs, joined."""

    songs: list[SongFingerprint]
    places: list[tuple[int, int]]
    """Of each of P parts: the index of its song, and its number in the song."""
    starts: Ints
    """Where the hashes of each part begin (P,)."""
    hashes: Ints
    """The hashes (N,), with -1 after each part."""

    @classmethod
    def of(cls, songs: list[SongFingerprint]) -> TrainingSongs:
        """Join the hashes of songs."""
        places = [(number, line) for number, song in enumerate(songs) for line in range(len(song.lines))]
        pieces = [songs[number].lines[line].runs for number, line in places]
        lengths = np.array([0, *(len(piece) + 1 for piece in pieces)], np.int64)
        hashes = np.full(int(lengths.sum()), -1, np.int64)
        starts = np.cumsum(lengths)
        for start, piece in zip(starts.tolist(), pieces, strict=False):
            hashes[start : start + len(piece)] = piece
        return cls(songs, places, starts[:-1], hashes)

    def closest(self, song: SongFingerprint) -> Passage | None:
        """The longest passage that a song shares with a training song, or one of the longest."""
        song_hashes = np.unique(np.concatenate([np.zeros(0, np.int64), *(line.runs for line in song.lines)]))
        edges = np.flatnonzero(np.diff(self._is_shared(song_hashes), prepend=False, append=False))
        first, last = edges[::2], edges[1::2]
        for least in LEAST_HASHES:
            chosen = last - first >= least
            (passage,) = closest_passages([song], self._stretches(first[chosen], last[chosen]))
            if passage is not None and passage.notes - RUN_STEPS >= least:
                return passage
        return None

    def _is_shared(self, song_hashes: Ints) -> npt.NDArray[np.bool_]:
        """Which of the hashes (N,) are among the hashes (M,) of a song."""
        table, bits = np.zeros(1 << TABLE_BITS, bool), (1 << TABLE_BITS) - 1
        table[song_hashes & bits] = True
        is_shared: npt.NDArray[np.bool_] = table[self.hashes & bits] & (self.hashes >= 0)
        candidates = np.flatnonzero(is_shared)
        is_shared[candidates] = np.isin(self.hashes[candidates], song_hashes)
        return is_shared

    def _stretches(self, first: Ints, last: Ints) -> list[SongFingerprint]:
        """The stretches from `first` (n,) to `last` (n,), each as a song of its own."""
        parts = np.searchsorted(self.starts, first, side="right") - 1
        offsets = first - self.starts[parts]
        stretches = []
        for part, offset, length in zip(
            parts.tolist(), offsets.tolist(), (last - first).tolist(), strict=True
        ):
            number, line = self.places[part]
            song = self.songs[number]
            runs, bars = song.lines[line]
            stretch = PartFingerprint(
                runs[offset : offset + length], bars[offset : offset + length + RUN_STEPS]
            )
            stretches.append(song._replace(lines=(stretch,)))
        return stretches


def originality(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Return the longest run of notes that a song shares with the training songs of a model, and its bars."""
    return originality_of(midi.parse(arrays[0], name="the song").score, request.get("model")), ()


def originality_of(score: Score, model: str | None) -> dict[str, Any]:
    """The same for a Score. Raises ModelError if the model has no fingerprints of its training songs."""
    song = SongFingerprint.of(score)
    passage = _training_songs(model).closest(song)
    if passage is None:
        return {"longest_run": 0, "notes": song.notes}
    training_song = {"song": passage.name, "bars": passage.bars, "there": passage.there}
    return {"longest_run": passage.notes, "notes": song.notes, **training_song}


@lru_cache(maxsize=1)
def _training_songs(model: str | None) -> TrainingSongs:
    """The training songs of a model; only a packed model must be opened for them."""
    path = BUNDLED if model is None else Path(model)
    return TrainingSongs.of(read(path if path.is_dir() else opened_model(model).path))
