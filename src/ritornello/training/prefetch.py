"""The next batch is put together while the present one is learnt."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ritornello.training.batches import Batch
from ritornello.training.distributed import TrainingProcess


class PrefetchedBatches:
    """Batches of `source`, each begun in another thread when the one before is handed out.

    The same batches as `source` gives; whoever asks for them out of order waits a little longer.
    """

    def __init__(self, source: Any, size: int, machine: TrainingProcess) -> None:
        self.source, self.size, self.machine = source, size, machine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[int, Future[Batch]] | None = None

    def __enter__(self) -> PrefetchedBatches:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step; that of the next one is begun."""
        begun, self._next = self._next, None
        future = begun[1] if begun and begun[0] == step else self._begin(step)
        batch = future.result()
        self._next = (step + 1, self._begin(step + 1))
        return batch

    def sample(self, most: int) -> Batch:
        """The source's sample."""
        batch: Batch = self.source.sample(most)
        return batch

    def _begin(self, step: int) -> Future[Batch]:
        machine = self.machine
        return self._thread.submit(self.source.batch, step, self.size, machine.rank, machine.world)
