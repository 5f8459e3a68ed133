"""Batches as a pure function of (songs, seed, step): windows of songs whose last row is learnt ("last").

Because a batch depends on nothing else, resuming is one integer, and rank r of n processes that takes rows
r::n of the same global batch sees, with the others, what one process sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score

Progress = Callable[[int, int, str], None]  # done, total, what


class Batch(NamedTuple):
    """What a step learns from: `values` and `learn` (B, T + 1, F), and a plan's vectors (B, P) or None.

    Row 0 is the predecessor (docs/architecture.md, alignment).
    """

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]
    plan: npt.NDArray[np.float32] | None = None

    def some(self, crops: slice) -> Batch:
        """Some of its crops."""
        plan = None if self.plan is None else self.plan[crops]
        return Batch(self.values[crops], self.learn[crops], plan)


def step_generator(seed: int, step: int, crop: int = 0) -> np.random.Generator:
    """The generator of one step, or of one crop of it; Philox is counter-based: no draw comes before it."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, crop, step]))


@dataclass(frozen=True)
class SongRows:
    """The rows of many songs, one after another: `values` (N, F), song s at `offsets[s]:offsets[s + 1]`."""

    values: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def song(self, number: int) -> npt.NDArray[np.float32]:
        """The rows (n, F) of one song."""
        return self.values[self.offsets[number] : self.offsets[number + 1]]


def encode_songs(
    scores: Iterable[Score], representation: Any, total: int, progress: Progress | None = None
) -> SongRows:
    """Encode every score with `representation`. Memory: 4 bytes a value."""
    pieces = [np.zeros((0, len(representation.fields)), np.float32)]
    for number, score in enumerate(scores):
        pieces.append(representation.encode(score).values)
        if progress:
            progress(number + 1, total, "encoding songs")
    offsets = np.cumsum([len(piece) for piece in pieces])
    return SongRows(np.concatenate(pieces), offsets)


class Windows:
    """Windows of `window` rows and the row that follows, drawn evenly over all songs.

    A batch is (B, window + 1, F); its last row is the one to predict (see docs/architecture.md, alignment).
    """

    def __init__(self, rows: SongRows, window: int, seed: int) -> None:
        self.rows, self.window, self.seed = rows, window, seed
        self.counts = np.maximum(np.diff(rows.offsets) - window, 0)  # windows in each song
        self.ends = np.cumsum(self.counts)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step: rows rank::world of the global one of `size` windows."""
        return self._learning(step_generator(self.seed, step).integers(len(self), size=size)[rank::world])

    def sample(self, most: int) -> Batch:
        """At most `most` windows at even distances: a fixed sample for measuring."""
        return self._learning(self.spread(most))

    def _learning(self, numbers: npt.NDArray[np.int64]) -> Batch:
        """The windows of these numbers, of which the last row is learnt."""
        values = self.take(numbers)
        learn = np.zeros(values.shape, bool)
        learn[:, -1] = True
        return Batch(values, learn)

    def take(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The windows of these numbers (B,), counted through all songs: (B, window + 1, F)."""
        song = np.searchsorted(self.ends, numbers, side="right")
        start = self.rows.offsets[song] + numbers - (self.ends - self.counts)[song]
        return np.asarray(self.rows.values[start[:, None] + np.arange(self.window + 1)])

    def spread(self, most: int) -> npt.NDArray[np.int64]:
        """The numbers of at most `most` windows at even distances."""
        return np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64))
