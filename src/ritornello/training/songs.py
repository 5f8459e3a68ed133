"""Songs as a network reads them, encoded when they are asked for and kept while there is room.

A corpus may be larger than the memory: what is not kept is read and encoded again. Nothing is drawn here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ritornello.conditions import heard
from ritornello.corpus import Corpus
from ritornello.errors import ScoreError
from ritornello.plan import Plan
from ritornello.score import Score


class Encoded(NamedTuple):
    """A song's `values` and `learn` (N, F), the plan it would have been made by, and its `room`.

    `room` is by how many semitones it can go down (at most 0) and up.
    """

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]
    plan: Plan
    room: tuple[int, int]


class Scores(Protocol):
    """Where songs come from: a list of Scores, or a side of a corpus."""

    def __len__(self) -> int: ...
    def __getitem__(self, song: int, /) -> Score: ...


class Side:
    """The kept songs of one side of a corpus ("train", "valid" or "test")."""

    def __init__(self, corpus: Corpus, side: str) -> None:
        self.corpus, self.numbers = corpus, corpus.songs(side)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, song: int) -> Score:
        return self.corpus.score(int(self.numbers[song]))

    @property
    def notes(self) -> npt.NDArray[np.int64]:
        """How many notes each song has, (S,)."""
        return self.corpus.note_counts[self.numbers]

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """The labels of each song that enough songs have."""
        known = set(self.corpus.labels)
        column = self.corpus.index["labels"].take(self.numbers).to_pylist()
        return [tuple(label for label in labels if label in known) for labels in column]


class Songs:
    """Songs by number, as `representation` has them; at most about `memory_mb` of them are kept."""

    def __init__(
        self,
        scores: Scores,
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
        self._kept: OrderedDict[int, Encoded] = OrderedDict()

    def __len__(self) -> int:
        return len(self.scores)

    def only_readable(self) -> int:
        """Leave out the songs that the representation refuses; how many those are. Reads all of them."""
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
            self._kept = OrderedDict(
                (new, self._kept[old]) for new, old in enumerate(good) if old in self._kept
            )
        return refused

    def song(self, song: int) -> Encoded:
        """A song whole. Raises ScoreError where the representation refuses it."""
        if song in self._kept:
            self._kept.move_to_end(song)
            return self._kept[song]
        encoded = self._encode(song, None)
        self._kept[song] = encoded
        self.room_bytes -= _bytes(encoded)
        while self.room_bytes < 0 and len(self._kept) > 1:
            self.room_bytes += _bytes(self._kept.popitem(last=False)[1])
        return encoded

    def with_given(self, song: int, draw: np.random.Generator) -> Encoded:
        """The same with some of its notes given, as the representation picks them; never kept."""
        return self._encode(song, draw)

    def _encode(self, song: int, draw: np.random.Generator | None) -> Encoded:
        representation = self.representation
        score, _ = representation.canonical(self.scores[song])
        timeline = representation.timeline(score)
        given = {} if draw is None else {"given": representation.pick_given(score, draw)}
        values, learn = representation.encode(score, timeline, **given)
        returns = tuple(zip(timeline.returns_to.tolist(), timeline.likeness.tolist(), strict=True))
        plan = replace(heard(score, self.labels[song]), returns=returns, chords=(), title="")
        return Encoded(values, learn, plan, representation.room(values))


def _bytes(encoded: Encoded) -> int:
    """What keeping a song costs."""
    return encoded.values.nbytes + encoded.learn.nbytes + 1024
