"""The training loop: steps, held-out measurements, the best averaged weights kept, exact resume."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ritornello.errors import FailedError
from ritornello.files import output_errors, write_bytes
from ritornello.training import checkpoint, folder
from ritornello.training.batches import Windows
from ritornello.training.checkpoint import State

TIMED_STEPS = 50  # after these `minutes` is turned into steps
Report = Callable[[State, dict[str, float]], None]


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. Saved beside the model; a run is resumed only with the same."""

    network: str = "original"
    """Name of a network, or FILE.py:CLASS."""
    network_config: dict[str, Any] = field(default_factory=dict)
    """The network's own settings."""
    steps: int | None = None
    """How many steps; or else `minutes`."""
    minutes: float | None = None
    """How long to train; turned into steps after the first 50 are timed."""
    batch: int = 256
    """Windows in a step."""
    learning_rate: float = 2e-3
    """At its highest, after the warm-up; it falls along a cosine to a twentieth."""
    warmup_steps: int = 100
    """Steps in which the learning rate rises from 0."""
    average: float = 0.998
    """Weight of the past in the running average of the weights."""
    measure_every: int = 200
    """Steps between two held-out measurements (and checkpoints)."""
    heldout_windows: int = 8192
    """How many held-out windows a measurement uses, at most."""
    seed: int = 0
    """Of initial weights and batches."""
    threads: int = 1
    """Of the CPU. Two collapse beside a busy neighbour, for a network this small."""


class Run:
    """A training run in a folder: `checkpoint/state.safetensors`, `checkpoint/config.json`, `log.jsonl`.

    Run again it goes on; with more steps or minutes it goes on for longer.

    Raises InputError if the folder holds a run of another configuration.
    """

    def __init__(self, folder: Path, config: TrainConfig, network: Any, data: str) -> None:
        self.folder, self.config, self.network = folder, config, network
        self.optimizer = network.optimizer(config.learning_rate)
        self.state = State(total_steps=config.steps)
        self.average = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
        self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        self.stopped = False
        self._open({**asdict(config), "data": data})

    def train(self, train: Windows, heldout: Windows, report: Report | None = None) -> None:
        """Go on to the last step; stop in order at Ctrl-C (`stopped` is then true).

        Raises FailedError when the loss is no longer finite; the best state is kept.
        """
        torch.set_num_threads(self.config.threads)
        sample = torch.from_numpy(heldout.take(heldout.spread(self.config.heldout_windows)))
        began, before = time.perf_counter(), self.state.seconds
        with _interrupts() as interrupted:
            while not self._finished():
                losses = self._step(train)
                self.state.step += 1
                self.state.seconds = before + time.perf_counter() - began
                if self.state.total_steps is None and self.state.step == TIMED_STEPS:
                    self.state.total_steps = self._steps_for(self.state.seconds, train, sample)
                stopping = interrupted.is_set()  # asked once: the key may be pressed between two lines
                if self._finished() or self.state.step % self.config.measure_every == 0:
                    losses |= self._measure(sample)
                    self._log(losses)
                    self.save()
                elif stopping:  # no measurement out of turn: a resumed run must choose the same best
                    self.save()
                if report:
                    report(self.state, losses)
                if stopping:
                    self.stopped = True
                    return

    def _step(self, train: Windows) -> dict[str, float]:
        """One step of the optimizer; the losses of its batch."""
        values = torch.from_numpy(train.batch(self.state.step, self.config.batch))  # (B, T+1, F)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.network.train()
        losses = self._losses(values)
        if not math.isfinite(float(losses["loss"].detach())):
            raise FailedError(
                f"the loss is {float(losses['loss'].detach())} at step {self.state.step}: try a learning "
                f"rate below {self.config.learning_rate:g}; the best state is kept"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(losses["loss"])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            # the average follows closely at first, later it looks back about 1 / (1 - average) steps
            past = min(self.config.average, (1 + self.state.step) / (10 + self.state.step))
            for name, tensor in self._weights().items():
                self.average[name].lerp_(tensor, 1 - past)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        """The losses of a batch (B, T+1, F) of which the network learns the last row."""
        learn = torch.zeros(values.shape, dtype=torch.bool)
        learn[:, -1] = True
        found: dict[str, torch.Tensor] = self.network.loss(self.network(values), values, learn)
        return found

    def _measure(self, sample: torch.Tensor) -> dict[str, float]:
        """Held-out losses of the averaged weights, in pieces; the best are remembered."""
        own = {name: tensor.clone() for name, tensor in self._weights().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        totals: dict[str, float] = {}
        with torch.no_grad():
            for piece in torch.split(sample, 1024):
                for name, value in self._losses(piece).items():
                    totals[name] = totals.get(name, 0.0) + float(value) * len(piece) / len(sample)
        self.network.load_state_dict(own)
        if totals["loss"] < self.state.best_loss:
            self.state.best_loss, self.state.best_step = totals["loss"], self.state.step
            self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        return {f"heldout_{name}": value for name, value in totals.items()}

    def _learning_rate(self) -> float:
        """Warm-up, then a cosine down to a twentieth; while the total is not known, the warm-up's."""
        warm = min(1.0, (self.state.step + 1) / self.config.warmup_steps)
        total = self.state.total_steps or self.config.warmup_steps
        way = (self.state.step - self.config.warmup_steps) / max(1, total - self.config.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, way))))
        return self.config.learning_rate * warm * (0.05 + 0.95 * cosine)

    def _steps_for(self, seconds: float, train: Windows, sample: torch.Tensor) -> int:
        """How many steps fit `minutes`, from the first ones and the cost of a measurement."""
        assert self.config.minutes is not None
        at = time.perf_counter()
        self._measure(sample[:1024])
        measure_s = (time.perf_counter() - at) * len(sample) / min(1024, len(sample))
        self.state.best_loss, self.state.best_step = float("inf"), 0  # a measurement of a part is no record
        step_s = seconds / TIMED_STEPS + measure_s / self.config.measure_every
        return max(TIMED_STEPS + 1, int(self.config.minutes * 60 / step_s))

    def _steps_at_this_pace(self) -> int | None:
        """How many steps fit `minutes` by the pace so far; None while too few are timed."""
        if self.config.minutes is None or self.state.step < TIMED_STEPS:
            return None
        return int(self.config.minutes * 60 * self.state.step / self.state.seconds)

    def _finished(self) -> bool:
        return self.state.total_steps is not None and self.state.step >= self.state.total_steps

    def _weights(self) -> dict[str, torch.Tensor]:
        """The network's own tensors by name: what is averaged, saved and shipped."""
        return dict(self.network.state_dict())

    def save(self) -> None:
        """Replace the checkpoint with the present state."""
        groups = {"weights": self._weights(), "average": self.average, "best": self.best}
        groups["optimizer"] = checkpoint.optimizer_tensors(self.optimizer)
        checkpoint.save(self.folder / "checkpoint" / "state.safetensors", self.state, groups)

    def _open(self, settings: dict[str, Any]) -> None:
        """Take up the run that the folder holds, if any."""
        if not folder.check(self.folder, settings):
            folder.take(self.folder, settings)
            write_bytes(self.folder / "log.jsonl", b"")
            return
        self.state, groups = checkpoint.load(self.folder / "checkpoint" / "state.safetensors")
        if folder.take(self.folder, settings):
            self.state.total_steps = self.config.steps or self._steps_at_this_pace()
        self.network.load_state_dict(groups["weights"])
        self.average, self.best = groups["average"], groups["best"]
        checkpoint.restore_optimizer(self.optimizer, groups["optimizer"])
        log = self.folder / "log.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        write_bytes(log, "".join(f"{line}\n" for line in lines if _is_before(line, self.state.step)).encode())

    def _log(self, losses: dict[str, float]) -> None:
        """Append a line to log.jsonl."""
        line = {"step": self.state.step, "seconds": round(self.state.seconds, 2), "lr": self._learning_rate()}
        log = self.folder / "log.jsonl"
        with output_errors(log), log.open("a") as file:
            file.write(json.dumps(line | losses) + "\n")


def _is_before(line: str, step: int) -> bool:
    """Whether a line of the log is of no later step, and whole: a killed run may leave half of one."""
    try:
        return bool(json.loads(line)["step"] <= step)
    except (ValueError, KeyError, TypeError):
        return False


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
