"""The training loop: steps, held-out measurements, the best averaged weights kept, exact resume."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ritornello.errors import FailedError
from ritornello.system.files import output_errors, write_bytes
from ritornello.training import checkpoint, run_folder
from ritornello.training.batches import Batch
from ritornello.training.checkpoint import RunState
from ritornello.training.config import TrainConfig
from ritornello.training.distillation import TeacherEnsemble
from ritornello.training.distributed import TrainingProcess
from ritornello.training.history import is_before
from ritornello.training.prefetch import PrefetchedBatches
from ritornello.training.run_folder import run_settings

TIMED_STEPS, TIMED_SHARE = 20, 1 / 40  # of steps and of `minutes`: after both these are turned into steps
MEASURES = 8  # at least, in a run of so many minutes
WARM_SHARE = 0.1  # of all steps, at most
SEEDS = 1 << 63
CLOCK = time.perf_counter  # a benchmark on a shared machine counts processor time instead
UNTIMED_STEPS = 5  # the first of them, in which songs are met for the first time
StepReport = Callable[[RunState, dict[str, float]], None]
SampleCheck = Callable[[Any], str]  # a network to words


class Batches(Protocol):
    """Where batches come from: `batches.Windows` or `crops.Crops`."""

    def __len__(self) -> int: ...
    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step."""
        ...

    def sample(self, most: int) -> Batch:
        """A fixed sample for measuring."""
        ...


class TrainingRun:
    """A training run in a folder: `checkpoint/state.safetensors`, `checkpoint/config.json`, `log.jsonl`.

    Run again it goes on; with more steps or minutes it goes on for longer.

    Raises InputError if the folder holds a run of another configuration.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        network: Any,
        data: str,
        machine: TrainingProcess | None = None,
        teachers: TeacherEnsemble | None = None,
    ) -> None:
        self.folder, self.config = folder, config.resolved(network)
        self.machine = machine or TrainingProcess(torch.device("cpu"), "float32", self.config.threads or 1)
        self.network, self.teachers = network.to(self.machine.device), teachers
        self.call = torch.compile(self.network) if self.config.compile else self.network
        self.optimizer = network.optimizer(self.config.learning_rate)
        self.state = RunState(total_steps=config.steps)
        self.average = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
        self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        self.stopped = False
        self._timed_from = 0.0
        self._open(run_settings(self.config, data, teachers.hashes if teachers else None))

    def train(
        self,
        train: Batches,
        heldout: Batches,
        report: StepReport | None = None,
        listen: SampleCheck | None = None,
    ) -> None:
        """Go on to the last step; stop in order at Ctrl-C (`stopped` is then true).

        `listen` is asked at each measurement what the averaged network sounds like, for the log.
        Raises FailedError when the loss is no longer finite; the best state is kept.
        """
        torch.set_num_threads(self.machine.threads)
        assert self.config.heldout_windows is not None, "a run's configuration is resolved"
        sample = heldout.sample(self.config.heldout_windows)
        if self.config.epochs and self.state.total_steps is None:
            self.state.total_steps = max(1, math.ceil(self.config.epochs * len(train) / self._batch))
        began, before = CLOCK(), self.state.seconds
        with _interrupts() as interrupted, PrefetchedBatches(train, self._batch, self.machine) as ahead:
            while not self._finished():
                losses = self._step(ahead)
                self.state.step += 1
                self.state.seconds = before + CLOCK() - began
                self._time(sample, heldout)
                # asked once: the key may be pressed between two lines; and all processes stop together
                stopping = bool(self.machine.total(float(interrupted.is_set())))
                if self._finished() or self.state.step % self._every == 0:
                    losses |= self._measure(sample, listen)
                    self._log(losses)
                    self.save()
                elif stopping:  # no measurement out of turn: a resumed run must choose the same best
                    self.save()
                if report:
                    report(self.state, losses)
                if stopping:
                    self.stopped = True
                    return

    def _step(self, train: Batches) -> dict[str, float]:
        """One step of the optimizer; the losses of its batch (of this process's part of it)."""
        machine = self.machine
        batch = train.batch(self.state.step, self._batch, machine.rank, machine.world)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.network.train()
        # what is random in the network (dropout) depends on the step alone: a resumed run draws the same
        torch.manual_seed(
            (self.config.seed * 1_000_003 + self.state.step * machine.world + machine.rank) % SEEDS
        )
        losses = self._losses(batch, self.teachers)
        loss = machine.total(float(losses["loss"].detach()))
        if not math.isfinite(loss):
            raise FailedError(
                f"the loss is {loss} at step {self.state.step}: try a learning "
                f"rate below {self.config.learning_rate:g}; the best state is kept"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(losses["loss"])
        if machine.world > 1:  # the loss is a mean over learnt rows: parts count by how many they have
            rows = float(batch.learn[:, 1:].any(-1).sum())
            machine.add_gradients(list(self.network.parameters()), rows / machine.total(rows))
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            # the average follows closely at first, later it looks back about 1 / (1 - average) steps
            past = min(self.config.average, (1 + self.state.step) / (10 + self.state.step))
            weights = self._weights()
            averages = [self.average[name] for name in weights]
            torch._foreach_lerp_(averages, list(weights.values()), 1 - past)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, batch: Batch, teachers: TeacherEnsemble | None = None) -> dict[str, torch.Tensor]:
        """The losses of a batch, with those of teachers where there are any."""
        values, learn = self._tensor(batch.values), self._tensor(batch.learn)
        plan = None if batch.plan is None else self._tensor(batch.plan)
        with self.machine.autocast():
            predictions = self.call(values, plan)
            found: dict[str, torch.Tensor] = self.network.loss(predictions, values, learn)
            if teachers:
                targets = self.network.targets(values, learn)
                found = teachers.joined(found, predictions, targets, teachers(values, plan))
        return found

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.machine.device)

    def _measure(self, sample: Batch, listen: SampleCheck | None = None) -> dict[str, float]:
        """Held-out losses of the averaged weights, in pieces; the best are remembered."""
        own = {name: tensor.clone() for name, tensor in self._weights().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        totals: dict[str, float] = {}
        learnt = sample.learn[:, 1:].any(-1).sum(axis=1)  # rows of each window
        size = max(self._batch, 4096 // sample.values.shape[1])
        with torch.no_grad():
            for start in range(0, len(learnt), size):
                piece = slice(start, start + size)
                share = float(learnt[piece].sum() / learnt.sum())
                for name, value in self._losses(sample.some(piece)).items():
                    totals[name] = totals.get(name, 0.0) + float(value) * share
        if listen and not self.machine.rank:
            self.state.sounds = listen(self.network)
        self.network.load_state_dict(own)
        if totals["loss"] < self.state.best_loss:
            self.state.best_loss, self.state.best_step = totals["loss"], self.state.step
            self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        return {f"heldout_{name}": value for name, value in totals.items()}

    def _time(self, sample: Batch, heldout: Batches) -> None:
        """Turn `minutes` into steps once the first ones are timed; all processes by the slowest's clock."""
        if self.config.minutes is None or self.state.total_steps:
            return
        step, budget_s = self.state.step, self.config.minutes * 60
        if step == UNTIMED_STEPS:
            self._timed_from = self.state.seconds
        spent_s = self.machine.total(self.state.seconds) / self.machine.world
        if step < TIMED_STEPS or spent_s < TIMED_SHARE * budget_s:
            return
        piece = sample.some(slice(max(1, len(sample.values) // MEASURES)))
        at = CLOCK()
        self._measure(piece)
        measure_s = (CLOCK() - at) * len(sample.values) / len(piece.values)
        self.state.best_loss, self.state.best_step = float("inf"), 0  # a measurement of a part is no record
        step_s = (self.state.seconds - self._timed_from) / (step - UNTIMED_STEPS)
        left_s = budget_s - self.state.seconds - measure_s / MEASURES
        # at least MEASURES measurements; in a long run one every `measure_every` steps
        few, many = (left_s - MEASURES * measure_s) / step_s, left_s / (step_s + measure_s / self._every)
        steps = self.machine.total(step + min(few, many)) / self.machine.world
        self.state.total_steps = max(step + 1, int(steps))

    def _learning_rate(self) -> float:
        """Warm-up, then a cosine down to a twentieth; while the total is not known, the warm-up's."""
        total, warm_steps = self.state.total_steps, self.config.warmup_steps
        if total is not None:
            warm_steps = max(1, min(warm_steps, int(WARM_SHARE * total)))
        warm = min(1.0, (self.state.step + 1) / warm_steps)
        way = (self.state.step - warm_steps) / max(1, (total or warm_steps) - warm_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, way))))
        assert self.config.learning_rate is not None, "a run's configuration is resolved"
        return self.config.learning_rate * warm * (0.05 + 0.95 * cosine)

    def _steps_at_this_pace(self) -> int | None:
        """How many steps fit `minutes` by the pace so far; None while too few are timed."""
        if self.config.minutes is None or self.state.step < TIMED_STEPS:
            return None
        return int(self.config.minutes * 60 * self.state.step / self.state.seconds)

    def _finished(self) -> bool:
        """Whether all steps are done, or the held-out loss has not fallen for `patience` measurements."""
        if self.state.total_steps is not None and self.state.step >= self.state.total_steps:
            return True
        waited = (self.state.step - self.state.best_step) // self._every
        return bool(self.config.patience and self.state.best_step and waited >= self.config.patience)

    @property
    def _every(self) -> int:
        """Steps between two measurements: as asked, and at least eight in a run of so many minutes."""
        if self.config.minutes is None or self.state.total_steps is None:
            return self.config.measure_every
        return max(10, min(self.config.measure_every, self.state.total_steps // MEASURES))

    @property
    def _batch(self) -> int:
        assert self.config.batch is not None, "a run's configuration is resolved"
        return self.config.batch

    def _weights(self) -> dict[str, torch.Tensor]:
        """The network's own tensors by name: what is averaged, saved and shipped."""
        return dict(self.network.state_dict())

    def save(self) -> None:
        """Replace the checkpoint with the present state; the first process alone writes."""
        if self.machine.rank:
            return
        groups = {"weights": self._weights(), "average": self.average, "best": self.best}
        groups["optimizer"] = checkpoint.optimizer_tensors(self.optimizer)
        checkpoint.save(self.folder / "checkpoint" / "state.safetensors", self.state, groups)

    def _open(self, settings: dict[str, Any]) -> None:
        """Take up the run that the folder holds, if any."""
        if not run_folder.check_folder(self.folder, settings):
            if not self.machine.rank:
                run_folder.write_settings(self.folder, settings)
                write_bytes(self.folder / "log.jsonl", b"")
            return
        self.state, groups = checkpoint.load(self.folder / "checkpoint" / "state.safetensors")
        if run_folder.write_settings(self.folder, settings):
            self.state.total_steps = self.config.steps or self._steps_at_this_pace()
        self.network.load_state_dict(groups["weights"])
        self.average, self.best = groups["average"], groups["best"]
        checkpoint.restore_optimizer(self.optimizer, groups["optimizer"])
        log = self.folder / "log.jsonl"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        write_bytes(log, "".join(f"{line}\n" for line in lines if is_before(line, self.state.step)).encode())

    def _log(self, losses: dict[str, float]) -> None:
        """Append a line to log.jsonl."""
        if self.machine.rank:
            return
        line: dict[str, Any] = {"step": self.state.step, "seconds": round(self.state.seconds, 2)}
        line |= {"lr": self._learning_rate()} | ({"sounds": self.state.sounds} if self.state.sounds else {})
        with output_errors(log := self.folder / "log.jsonl"), log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | losses) + "\n")


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Inside, a first Ctrl-C sets the event, so that a step is never cut in half; a second one raises."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def handle(number: int, frame: Any) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
