"""A cache of encoded songs: a song is encoded at first use and kept while there is memory.

A corpus may be larger than the memory; songs that are not kept are read and encoded again.
"""

import multiprocessing
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import Corpus
from ritornello.errors import ScoreError
from ritornello.models.plan_vector import infer_plan
from ritornello.music.pickup import without_leading_silence
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.training.batches import step_generator

GIVEN_VARIANTS = 3  # choices of given notes that are encoded of each song


class EncodedSong(NamedTuple):
    """A song's `values` and `learn` (N, F), its plan, and its `range`.

    `range` is by how many semitones it can be transposed down (at most 0) and up.
    """

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]
    plan: Plan
    range: tuple[int, int]


class ScoreSequence(Protocol):
    """A source of songs: a list of Scores, or a split of a corpus."""

    def __len__(self) -> int: ...
    def __getitem__(self, song: int, /) -> Score: ...


class SplitScores:
    """The kept songs of one split of a corpus ("train", "valid" or "test")."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.corpus, self.numbers = corpus, corpus.songs(split)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, song: int) -> Score:
        return self.corpus.score(int(self.numbers[song]))

    @property
    def notes(self) -> npt.NDArray[np.int64]:
        """The number of notes of each song, (songs,)."""
        return self.corpus.note_counts[self.numbers]

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """The labels of each song, without those that too few songs have."""
        known = set(self.corpus.labels)
        column = self.corpus.index["labels"].take(self.numbers).to_pylist()
        return [tuple(label for label in labels if label in known) for labels in column]


class EncodedSongs:
    """Songs by number, encoded with `representation`; about `memory_mb` of them are kept.

    `notes` (songs,) are their numbers of notes, counted if None.
    """

    def __init__(
        self,
        scores: ScoreSequence,
        representation: Any,
        labels: Sequence[tuple[str, ...]] | None = None,
        notes: npt.NDArray[np.int64] | None = None,
        memory_mb: int = 1024,
    ) -> None:
        self.scores, self.representation = scores, representation
        self.labels = list(labels) if labels is not None else [()] * len(scores)
        counts = np.array([len(scores[i]) for i in range(len(scores))]) if notes is None else notes
        self.notes = counts.astype(np.int64)
        self.room_bytes = memory_mb << 20
        self._kept: OrderedDict[tuple[int, int], EncodedSong] = OrderedDict()

    def __len__(self) -> int:
        return len(self.scores)

    def drop_unreadable(self) -> int:
        """Read all songs, drop those that the representation cannot encode, and return how many those are."""
        good = []
        for song in range(len(self)):
            try:
                self.song(song)
            except ScoreError:
                continue
            good.append(song)
        refused = len(self) - len(good)
        if refused:
            self.scores = [self.scores[song] for song in good]
            self.labels, self.notes = [self.labels[song] for song in good], self.notes[good]
            self._kept.clear()
        return refused

    def song(self, song: int, variant: int = 0) -> EncodedSong:
        """Return a whole song; in `variant` 1 ... GIVEN_VARIANTS with some of its notes given.

        Raises ScoreError if the representation cannot encode it.
        """
        key = song, variant
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        return self._keep(key, self._encode(*key))

    def encode_all(self, variants: int, processes: int) -> None:
        """Encode all songs in advance with several processes, until the memory is used up."""
        keys = [(song, variant) for song in range(len(self)) for variant in range(variants + 1)]
        if processes < 2 or sys.platform in ("win32", "darwin"):  # no fork, or none that is safe with threads
            return
        global _encoding
        _encoding = self
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            for key, encoded in zip(keys, pool.imap(_encode_one, keys, chunksize=16), strict=True):
                if _bytes(encoded) > self.room_bytes:
                    break
                self._keep(key, encoded)

    def _keep(self, key: tuple[int, int], encoded: EncodedSong) -> EncodedSong:
        self._kept[key] = encoded
        self.room_bytes -= _bytes(encoded)
        while self.room_bytes < 0 and len(self._kept) > 1:
            self.room_bytes += _bytes(self._kept.popitem(last=False)[1])
        return encoded

    def _encode(self, song: int, variant: int) -> EncodedSong:
        representation = self.representation
        draw = step_generator(variant, song) if variant else None
        score, _ = representation.canonical(without_leading_silence(self.scores[song]))
        timeline = representation.timeline(score)
        given = {} if draw is None else {"given": representation.draw_given(score, draw)}
        values, learn = representation.encode(score, timeline, **given)
        returns = tuple(zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True))
        plan = replace(infer_plan(score, self.labels[song]), returns=returns, chords=(), title="")
        return EncodedSong(values, learn, plan, representation.transposition_range(values))


_encoding: EncodedSongs | None = None  # the songs that the forked processes of `encode_all` encode


def _encode_one(key: tuple[int, int]) -> EncodedSong:
    assert _encoding is not None
    return _encoding._encode(*key)


def _bytes(encoded: EncodedSong) -> int:
    """The memory of an encoded song."""
    return encoded.values.nbytes + encoded.learn.nbytes + 1024
