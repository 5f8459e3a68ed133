"""Prepare the next batch in a thread while the network learns from the present one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ritornello.training.batches import Batch
from ritornello.training.distributed import TrainingProcess


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
