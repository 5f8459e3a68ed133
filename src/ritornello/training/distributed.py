"""The processes of a training run: device, precision, threads, and sums over all processes.

Usually there is one process. With `torchrun -m ritornello train ...` there are several, each with a rank;
each learns from a part of the same batch, and their gradients are summed.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from ritornello.errors import InputError
from ritornello.training.config import DEVICES, PRECISIONS

# Tensors that were summed over processes are never freed: a thread of gloo uses them for a moment after the
# sum, and if Python is ending just then, the process aborts
SUMMED: dict[str, torch.Tensor] = {}


@dataclass(frozen=True)
class TrainingProcess:
    """One process of a training run, with its rank among `world` processes."""

    device: torch.device
    precision: str
    threads: int
    rank: int = 0
    world: int = 1

    @classmethod
    def of(cls, device: str, precision: str, threads: int, halves: bool) -> TrainingProcess:
        """Return this process; "auto" takes a GPU, and bfloat16 if the hardware has it.

        `halves` says whether the network may be computed in bfloat16. Raises InputError.
        """
        for name, value, known in (("device", device, DEVICES), ("precision", precision, PRECISIONS)):
            if value not in known:
                raise InputError(f"{name} {value!r}: must be one of {', '.join(known)}")
        gpu = torch.cuda.is_available()
        if device == "cuda" and not gpu:
            raise InputError("device 'cuda': torch sees no GPU here; take cpu or auto")
        kind = "cuda" if gpu and device != "cpu" else "cpu"
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        local_rank = int(os.environ.get("LOCAL_RANK", 0))
        place = torch.device(kind, local_rank) if kind == "cuda" else torch.device(kind)
        if precision == "auto":
            precision = "bfloat16" if halves and has_bfloat16(kind) else "float32"
        torch.set_num_threads(threads)
        return cls(place, precision, threads, rank, world)

    def __str__(self) -> str:
        """Describe the process for people, as in model.json."""
        where = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "the processor"
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.device.type == "cpu" else ""
        others = f", process {self.rank + 1} of {self.world}" if self.world > 1 else ""
        return f"on {where}{threads}, {self.precision}{others}"

    def autocast(self) -> AbstractContextManager[Any]:
        """Return a context in which matrices are multiplied in `precision`."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    @cached_property
    def group(self) -> Any:
        """torch.distributed, connected with the other processes."""
        import torch.distributed as distributed

        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        return distributed

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first process run the block before the others do."""
        if self.rank:
            self.total(0.0)
        yield
        if self.world > 1 and not self.rank:
            self.total(0.0)

    def total(self, number: float) -> float:
        """Return the sum of a number over all processes."""
        return self.total_of({"": number})[""]

    def total_of(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return the sum of each number over all processes, which have the same names in the same order."""
        if self.world == 1:
            return dict(numbers)
        values = torch.tensor([*numbers.values()], dtype=torch.float64, device=self.device)
        sums = self._sum(f"{len(values)} numbers", values)
        return dict(zip(numbers, sums.tolist(), strict=True))

    def add_gradients(self, weights: Sequence[torch.nn.Parameter], share: float) -> None:
        """Replace each gradient by the sum over all processes, each multiplied by its `share`."""
        if self.world == 1:
            return
        gradients = [w.grad if w.grad is not None else torch.zeros_like(w) for w in weights]
        flat = torch.cat([gradient.flatten() for gradient in gradients]) * share
        parts = torch.split(self._sum("gradients", flat), [gradient.numel() for gradient in gradients])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)

    def _sum(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of a tensor (N,) over all processes; the next sum of that name overwrites it."""
        buffer = SUMMED.setdefault(name, torch.empty_like(tensor))
        buffer.copy_(tensor)
        self.group.all_reduce(buffer)
        return buffer

    def leave(self) -> None:
        """Disconnect from the other processes; after a success the process will end without clean-up.

        gloo's threads may outlive the group and abort a process whose interpreter is shutting down.
        """
        if self.world > 1 and self.group.is_initialized():
            self.group.destroy_process_group()
            if sys.exc_info()[0] is None:
                atexit.register(_end)


def _end() -> None:
    """End the process at once, with exit code 1 after an exception that was not caught."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(getattr(sys, "last_type", None) is not None))


def has_bfloat16(kind: str) -> bool:
    """Return whether a GPU ("cuda") or this CPU multiplies matrices in bfloat16 faster than in float32."""
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    features = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, name)()) for name in features if hasattr(torch.cpu, name))
