"""The longest run of notes that a song shares with the training songs, found without sorting all of them.

A shared run lies in a stretch of a training song all of whose hashes the song has too. So only such stretches
are compared, the longest ones first, until none is left that could hold a longer run than the one found.
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
from ritornello.studio.work import Answer

Result = tuple[Any, Sequence[bytes]]
Ints = npt.NDArray[np.int64]  # (N,)
LEAST_HASHES = (64, 32, 16, 8, 4, 2, 1)  # of the stretches that are compared first, then next ...
TABLE_BITS = 22  # of the hashes, by which most of those that the song does not have are left out quickly


class TrainingSongs(NamedTuple):
    """The hashes (N,) of all parts of all songs with -1 after each part, and where each part begins (P,)."""

    songs: list[SongFingerprint]
    places: list[tuple[int, int]]
    """The song and the number of each part."""
    starts: Ints
    hashes: Ints

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
        """The longest passage that a song shares with one of these; of equally long ones any."""
        own = np.unique(np.concatenate([np.zeros(0, np.int64), *(line.runs for line in song.lines)]))
        edges = np.flatnonzero(np.diff(self._are_in(own), prepend=False, append=False))
        first, last = edges[::2], edges[1::2]
        for least in LEAST_HASHES:
            chosen = last - first >= least
            (found,) = closest_passages([song], self._stretches(first[chosen], last[chosen]))
            if found is not None and found.notes - RUN_STEPS >= least:
                return found
        return None

    def _are_in(self, own: Ints) -> npt.NDArray[np.bool_]:
        """Which of the hashes (N,) are among `own` (M,)."""
        table, bits = np.zeros(1 << TABLE_BITS, bool), (1 << TABLE_BITS) - 1
        table[own & bits] = True
        found: npt.NDArray[np.bool_] = table[self.hashes & bits] & (self.hashes >= 0)
        maybe = np.flatnonzero(found)
        found[maybe] = np.isin(self.hashes[maybe], own)
        return found

    def _stretches(self, first: Ints, last: Ints) -> list[SongFingerprint]:
        """The stretches of the songs between two places (n,) each, as songs of their own."""
        parts = np.searchsorted(self.starts, first, side="right") - 1
        offsets = first - self.starts[parts]
        found = []
        for part, a, length in zip(parts.tolist(), offsets.tolist(), (last - first).tolist(), strict=True):
            number, line = self.places[part]
            song = self.songs[number]
            runs, bars = song.lines[line]
            stretch = PartFingerprint(runs[a : a + length], bars[a : a + length + RUN_STEPS])
            found.append(song._replace(lines=(stretch,)))
        return found


def originality(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """The longest run of notes that a song shares with the training songs of a model, and where."""
    return originality_of(midi.parse(arrays[0], name="the song").score, request.get("model")), ()


def originality_of(score: Score, model: str | None) -> dict[str, Any]:
    """The same for a song. Raises ModelError if the model has no fingerprints of its training songs."""
    song = SongFingerprint.of(score)
    passage = _training_songs(model).closest(song)
    if passage is None:
        return {"longest_run": 0, "notes": song.notes}
    there = {"song": passage.name, "bars": passage.bars, "there": passage.there}
    return {"longest_run": passage.notes, "notes": song.notes, **there}


@lru_cache(maxsize=1)
def _training_songs(model: str | None) -> TrainingSongs:
    """The training songs of a model folder, which need not be opened, or of a packed model."""
    named = BUNDLED if model is None else Path(model)
    return TrainingSongs.of(read(named if named.is_dir() else opened_model(model).path))
