"""Batches as a pure function of (songs, seed, step): windows of songs, of which the last row is learnt.

So a run can be resumed from the number of its step. Of n processes, rank r takes the windows r::n of a batch;
together they learn from the same batch as one process.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.score import Score
from ritornello.system.progress import Progress
from ritornello.training.distributed import TrainingProcess


class Batch(NamedTuple):
    """The input of one training step: `values` and `learn` (B, T+1, F), and plan vectors (B, P) or None.

    Row 0 is the predecessor (docs/architecture.md, Network).
    """

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]
    plan: npt.NDArray[np.float32] | None = None

    def part(self, crops: slice) -> Batch:
        """Return the batch of some of its crops."""
        plan = None if self.plan is None else self.plan[crops]
        return Batch(self.values[crops], self.learn[crops], plan)


def step_generator(seed: int, step: int, crop: int = 0) -> np.random.Generator:
    """Return the random generator of one step, or of one crop of it.

    Philox is counter-based, so the numbers do not depend on earlier steps.
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, crop, step]))


@dataclass(frozen=True)
class SongRows:
    """The rows of many songs in one array: `values` (N, F); song s is at `offsets[s]:offsets[s + 1]`."""

    values: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def song(self, number: int) -> npt.NDArray[np.float32]:
        """Return the rows (n, F) of one song."""
        return self.values[self.offsets[number] : self.offsets[number + 1]]


def encode_songs(
    scores: Iterable[Score], representation: Any, total: int, progress: Progress | None = None
) -> SongRows:
    """Encode every score with `representation`; 4 bytes of memory a value, and a quarter more at first."""
    fields = len(representation.fields)
    values, offsets = np.zeros((0, fields), np.float32), [0]
    for number, score in enumerate(scores):
        rows = representation.encode(score).values
        offsets.append(offsets[-1] + len(rows))
        if offsets[-1] > len(values):  # grows in place; joining a list of songs would need twice the memory
            values.resize((offsets[-1] * 5 // 4, fields), refcheck=False)
        values[offsets[-2] : offsets[-1]] = rows
        if progress:
            progress(number + 1, total, "encoding songs")
    values.resize((offsets[-1], fields), refcheck=False)
    return SongRows(values, np.array(offsets))


class Windows:
    """Windows of `window` rows and the row that follows, drawn uniformly from all songs.

    A batch is (B, window + 1, F); its last row is the one to predict.
    """

    def __init__(self, rows: SongRows, window: int, seed: int) -> None:
        self.rows, self.window, self.seed = rows, window, seed
        self.counts = np.maximum(np.diff(rows.offsets) - window, 0)  # (songs,), windows in each song
        self.ends = np.cumsum(self.counts)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the batch of a step: windows rank::world of the `size` windows of all processes."""
        return self._learning(step_generator(self.seed, step).integers(len(self), size=size)[rank::world])

    def sample(self, most: int) -> Batch:
        """Return at most `most` evenly spaced windows: a fixed sample for measurements."""
        return self._learning(self.evenly_spaced(most))

    def _learning(self, numbers: npt.NDArray[np.int64]) -> Batch:
        """The windows with these numbers, of which the last row is learnt."""
        values = self.take(numbers)
        learn = np.zeros(values.shape, bool)
        learn[:, -1] = True
        return Batch(values, learn)

    def take(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the windows (B, window + 1, F) with these numbers (B,), counted over all songs."""
        song = np.searchsorted(self.ends, numbers, side="right")
        start = self.rows.offsets[song] + numbers - (self.ends - self.counts)[song]
        return np.asarray(self.rows.values[start[:, None] + np.arange(self.window + 1)])

    def evenly_spaced(self, most: int) -> npt.NDArray[np.int64]:
        """Return the numbers (n,) of at most `most` windows at even distances."""
        return np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).astype(np.int64))


class PrefetchedBatches:
    """The batches of `source`; when one is returned, another thread begins to prepare the next.

    A batch that is not the next in order is correct too, but not prepared in advance.
    """

    def __init__(self, source: Any, size: int, process: TrainingProcess) -> None:
        self.source, self.size, self.process = source, size, process
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[int, Future[Batch]] | None = None

    def __enter__(self) -> PrefetchedBatches:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the batch of a step, and begin to prepare the next."""
        prepared, self._next = self._next, None
        future = prepared[1] if prepared and prepared[0] == step else self._begin(step)
        batch = future.result()
        self._next = (step + 1, self._begin(step + 1))
        return batch

    def sample(self, most: int) -> Batch:
        """Return the source's sample for measurements."""
        batch: Batch = self.source.sample(most)
        return batch

    def _begin(self, step: int) -> Future[Batch]:
        process = self.process
        return self._thread.submit(self.source.batch, step, self.size, process.rank, process.world)
