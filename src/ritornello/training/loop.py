"""The training loop: steps, held-out measurements, the best averaged weights, resuming bit for bit."""

import json
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ritornello.errors import FailedError
from ritornello.system.files import output_errors, write_bytes
from ritornello.training import checkpoint
from ritornello.training.batches import Batch, PrefetchedBatches
from ritornello.training.checkpoint import RunState, run_settings
from ritornello.training.config import TrainConfig
from ritornello.training.distillation import TeacherEnsemble
from ritornello.training.distributed import TrainingProcess
from ritornello.training.history import is_before
from ritornello.training.schedule import Timekeeper, lengthen, rate_share
from ritornello.training.start import Loss

SEEDS = 1 << 63
StepReport = Callable[[RunState, dict[str, float]], None]
SampleCheck = Callable[[Any], str]  # from a network to a short text, such as "repeats one pitch"


class Batches(Protocol):
    """A source of batches: `batches.Windows` or `crops.Crops`."""

    def __len__(self) -> int: ...
    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the batch of a step: rows `rank`::`world` of the `size` of all processes."""
        ...

    def sample(self, most: int) -> Batch:
        """Return a fixed sample for held-out measurements."""
        ...


class TrainingRun:
    """A training run in a folder: `checkpoint/state.safetensors`, `checkpoint/config.json`, `log.jsonl`.

    If the folder has a run of the same configuration, this one continues it; steps or minutes may be more.
    Raises InputError if the folder has a run of another configuration.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        network: Any,
        data: str,
        process: TrainingProcess | None = None,
        teachers: TeacherEnsemble | None = None,
        loss: Loss | None = None,
        *,
        began: float | None = None,
        after_s: float = 0.0,
    ) -> None:
        """`data` is the hash of the corpus; `loss` (each value is a scalar) replaces the network's own.

        Minutes are counted from `began`, a reading of schedule.CLOCK, to `after_s` seconds after the last
        measurement and its checkpoint.
        """
        self.folder, self.config = folder, config.resolved(network)
        self.process = process or TrainingProcess(torch.device("cpu"), "float32", self.config.threads or 1)
        self.network, self.teachers = network.to(self.process.device), teachers
        self.loss: Loss = loss or network.loss
        self.call = torch.compile(self.network) if self.config.compile else self.network
        self.optimizer = network.optimizer(self.config.learning_rate)
        self.state = RunState(total_steps=config.steps)
        self.average = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
        self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        self.stopped = False
        self._timekeeper = Timekeeper(self.config, self.process, began, after_s)
        self._open(run_settings(self.config, data, teachers.hashes if teachers else None))

    def train(
        self,
        train: Batches,
        heldout: Batches,
        report: StepReport | None = None,
        check_samples: SampleCheck | None = None,
    ) -> None:
        """Train up to the last step; at Ctrl-C stop after the present step (`stopped` is then true).

        `check_samples` is called with the averaged network at each measurement; its text goes into the log.
        Raises FailedError if the loss is no longer finite; the best state is kept.
        """
        torch.set_num_threads(self.process.threads)
        assert self.config.heldout_windows is not None, "the configuration of a run is resolved"
        sample = heldout.sample(self.config.heldout_windows)
        if self.config.epochs and self.state.total_steps is None:
            self.state.total_steps = max(1, math.ceil(self.config.epochs * len(train) / self._batch))
        self._timekeeper.begin(self.state)
        with _interrupts() as interrupted, PrefetchedBatches(train, self._batch, self.process) as batches:
            while not self._finished():
                losses = self._step(batches)
                self.state.step += 1
                # read once, as Ctrl-C may come at any time; summed, so that all processes stop together
                stopping = bool(self.process.total(float(interrupted.is_set())))
                must_measure = self._timekeeper.stepped()
                measures = must_measure or self._finished() or self.state.step % self._every == 0
                if measures:
                    losses |= self._measure(sample, check_samples)
                if measures or self.state.step == 1:  # the curves of `ritornello log` begin at step 1
                    self._log(losses)
                if measures or stopping:  # Ctrl-C adds no measurement: a resumed run chooses the same weights
                    self.save()
                if measures:
                    self._timekeeper.measured()
                if report:
                    report(self.state, losses)
                if stopping:
                    self.stopped = True
                    return

    def _step(self, train: Batches) -> dict[str, float]:
        """Take one step of the optimizer; return the losses of the batch, of all processes."""
        process = self.process
        batch = train.batch(self.state.step, self._batch, process.rank, process.world)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.network.train()
        # the seed of dropout depends on the step alone, so that a resumed run draws the same
        place = self.state.step * process.world + process.rank
        torch.manual_seed((self.config.seed * 1_000_003 + place) % SEEDS)
        losses = self._losses(batch, self.teachers)
        # a loss is a mean over learnt rows, so weight each process by its rows
        rows = float(batch.learn[:, 1:].any(-1).sum())
        share = rows / process.total(rows) if process.world > 1 else 1.0
        means = process.total_of({name: share * float(value.detach()) for name, value in losses.items()})
        if not math.isfinite(means["loss"]):
            raise FailedError(
                f"the loss is {means['loss']} at step {self.state.step}: try a learning "
                f"rate below {self.config.learning_rate:g}; the best state is kept"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(losses["loss"])
        process.add_gradients(list(self.network.parameters()), share)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            # an exponential moving average of about 1 / (1 - average) steps, of fewer at first
            past = min(self.config.average, (1 + self.state.step) / (10 + self.state.step))
            weights = self._weights()
            names = [name for name, tensor in weights.items() if tensor.is_floating_point()]
            averages = [self.average[name] for name in names]
            torch._foreach_lerp_(averages, [weights[name] for name in names], 1 - past)
            for name in weights.keys() - names:  # counts, such as BatchNorm's, have no mean
                self.average[name].copy_(weights[name])
        return means

    def _losses(self, batch: Batch, teachers: TeacherEnsemble | None = None) -> dict[str, torch.Tensor]:
        """The losses of a batch by name, mixed with the loss of teachers if there are any."""
        values, learn = self._tensor(batch.values), self._tensor(batch.learn)
        plan = None if batch.plan is None else self._tensor(batch.plan)
        with self.process.autocast():
            predictions = self.call(values, plan)
            found = self.loss(predictions, values, learn)
            if teachers:
                targets = self.network.targets(values, learn)
                found = teachers.add_loss(found, predictions, targets, teachers(values, plan))
        return found

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.process.device)

    def _measure(self, sample: Batch, check_samples: SampleCheck | None = None) -> dict[str, float]:
        """Return the held-out losses of the averaged weights, which are kept if they are the best."""
        own = {name: tensor.clone() for name, tensor in self._weights().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        totals: dict[str, float] = {}
        learnt = sample.learn[:, 1:].any(-1).sum(axis=1)  # (B,), rows of each window
        size = max(self._batch, 4096 // sample.values.shape[1])
        with torch.no_grad():
            for start in range(0, len(learnt), size):
                piece = slice(start, start + size)
                share = float(learnt[piece].sum() / learnt.sum())
                for name, value in self._losses(sample.part(piece)).items():
                    totals[name] = totals.get(name, 0.0) + float(value) * share
        if check_samples and not self.process.rank:
            self.state.sounds = check_samples(self.network)
        self.network.load_state_dict(own)
        if totals["loss"] < self.state.best_loss:
            self.state.best_loss, self.state.best_step = totals["loss"], self.state.step
            self.best = {name: tensor.clone() for name, tensor in self.average.items()}
        return {f"heldout_{name}": value for name, value in totals.items()}

    def _learning_rate(self) -> float:
        """The learning rate of the next step."""
        assert self.config.learning_rate is not None, "the configuration of a run is resolved"
        state = self.state
        share = rate_share(state.step, state.total_steps, state.pace, self.config.warmup_steps)
        return self.config.learning_rate * share

    def _finished(self) -> bool:
        """Whether all steps are done, or the last `patience` measurements brought no progress."""
        if self.state.total_steps is not None and self.state.step >= self.state.total_steps:
            return True
        waited = (self.state.step - self.state.best_step) // self._every
        return bool(self.config.patience and self.state.best_step and waited >= self.config.patience)

    @property
    def _every(self) -> int:
        """Steps between two measurements; fewer where a run of some minutes would have too few of them."""
        return self.state.pace[-1][2] if self.state.pace else self.config.measure_every

    @property
    def _batch(self) -> int:
        assert self.config.batch is not None, "the configuration of a run is resolved"
        return self.config.batch

    def _weights(self) -> dict[str, torch.Tensor]:
        """The network's tensors by name, which are averaged, saved and exported."""
        return dict(self.network.state_dict())

    def save(self) -> None:
        """Replace the checkpoint with the present state; only the first process writes."""
        if self.process.rank:
            return
        groups = {"weights": self._weights(), "average": self.average, "best": self.best}
        groups["optimizer"] = checkpoint.optimizer_tensors(self.optimizer)
        checkpoint.save(self.folder / "checkpoint" / "state.safetensors", self.state, groups)

    def _open(self, settings: dict[str, Any]) -> None:
        """Continue the run in the folder, if there is one."""
        if not checkpoint.check_folder(self.folder, settings):
            if not self.process.rank:
                checkpoint.write_settings(self.folder, settings)
                write_bytes(self.folder / "log.jsonl", b"")
            return
        self.state, groups = checkpoint.load(self.folder / "checkpoint" / "state.safetensors")
        if checkpoint.write_settings(self.folder, settings):
            lengthen(self.state, self.config, finished=self._finished())
        self.network.load_state_dict(groups["weights"])
        self.average, self.best = groups["average"], groups["best"]
        checkpoint.restore_optimizer(self.optimizer, groups["optimizer"])
        log = self.folder / "log.jsonl"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        write_bytes(log, "".join(f"{line}\n" for line in lines if is_before(line, self.state.step)).encode())

    def _log(self, losses: dict[str, float]) -> None:
        """Append a line to log.jsonl."""
        if self.process.rank:
            return
        line: dict[str, Any] = {"step": self.state.step, "seconds": round(self.state.seconds, 2)}
        line |= {"lr": self._learning_rate()} | ({"sounds": self.state.sounds} if self.state.sounds else {})
        with output_errors(log := self.folder / "log.jsonl"), log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | losses) + "\n")


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Within the block, a first Ctrl-C sets the event, so that the step is finished; a second raises."""
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
