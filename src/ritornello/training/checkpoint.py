"""The folder of a training run: its configuration, and the checkpoint from which it continues bit for bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ritornello.errors import InputError
from ritornello.system.files import write_bytes, write_json
from ritornello.training.config import TrainConfig

DURATIONS = ("steps", "minutes", "epochs", "pace")
MAY_CHANGE = (*DURATIONS, "sketch_steps", "patience", "memory_mb")  # settings that a continued run may change
Tensors = dict[str, torch.Tensor]  # by name, of any shape


@dataclass
class RunState:
    """The progress of a run; the averaged weights had their `best_loss` at `best_step` (0: not measured)."""

    step: int = 0
    total_steps: int | None = None
    best_step: int = 0
    best_loss: float = float("inf")
    seconds: float = 0.0  # of the run so far, including the preparation before its steps
    sounds: str = ""  # the sample monitor's last text
    measure_s: float = 0.0  # the time of the last measurement, with its samples and its checkpoint
    pace: list[list[int]] = field(default_factory=list)  # see schedule.py

    def as_json(self) -> str:
        """Return the state as JSON; an infinite best loss is null."""
        values = vars(self) | {"best_loss": self.best_loss if self.best_step else None}
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> RunState:
        """Return the state that `as_json` wrote."""
        values = json.loads(text)
        values["best_loss"] = float("inf") if values["best_loss"] is None else values["best_loss"]
        return cls(**values)


def save(path: Path, state: RunState, groups: dict[str, Tensors]) -> None:
    """Write state and groups of tensors to one file: weights, average, best, optimizer."""
    from safetensors.torch import save as to_bytes

    tensors = {
        f"{group}/{name}": tensor.cpu().contiguous()
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    write_bytes(path, to_bytes(tensors, metadata={"state": state.as_json()}))


def load(path: Path) -> tuple[RunState, dict[str, Tensors]]:
    """Return what `save` wrote. Raises InputError if the file is damaged."""
    from safetensors import SafetensorError, safe_open

    groups: dict[str, Tensors] = {}
    try:
        with safe_open(path, framework="pt") as file:
            state = RunState.from_json(file.metadata()["state"])
            for key in file.keys():  # noqa: SIM118, the handle is not a mapping
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        problem = f"the checkpoint {str(path)!r} is damaged ({error}): remove it to start again"
        raise InputError(problem) from error
    return state, groups


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """Return the optimizer's state as named tensors; numbers become tensors of one element."""
    tensors: Tensors = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"{index}.{name}"] = value if torch.is_tensor(value) else torch.tensor(value)
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Load the tensors of `optimizer_tensors` into an optimizer."""
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def run_settings(config: TrainConfig, data: str, teacher_hashes: Sequence[str] | None) -> dict[str, Any]:
    """Return the content of config.json: the configuration of a run, the hashes of its data and teachers."""
    return {**asdict(config), "data": data, "taught_by": teacher_hashes}


def check_folder(folder: Path, settings: dict[str, Any]) -> bool:
    """Return whether `folder` has a run that a run with these settings may continue.

    Raises InputError if it has a run of another configuration or other files, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{str(folder)!r} is a file: must be a folder for the model")
    config = folder / "checkpoint" / "config.json"
    if not config.exists() and not (folder / "checkpoint" / "state.safetensors").exists():
        others = [path.name for path in folder.iterdir() if path.name != "lock"] if folder.exists() else []
        if others:
            problem = f"{str(folder)!r} has other files ({min(others)!r})"
            raise InputError(f"{problem}: must be new or empty for a model")
        return False
    try:
        old = dict(json.loads(config.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{str(config)!r} is damaged ({error}): remove {str(folder)!r} to start again"
        ) from error
    changed = [
        f"{key} was {old.get(key)!r}, is {value!r}"
        for key, value in settings.items()
        if old.get(key) != value and key not in MAY_CHANGE
    ]
    if changed:
        raise InputError(
            f"{str(folder)!r} has a run of another configuration: {'; '.join(changed)}. "
            "Give the old values to continue it, or another --out"
        )
    return (folder / "checkpoint" / "state.safetensors").exists()


def write_settings(folder: Path, settings: dict[str, Any]) -> bool:
    """Write the settings of the run in `folder`; return whether its duration differs from before."""
    config = folder / "checkpoint" / "config.json"
    old = json.loads(config.read_bytes()) if config.exists() else settings
    write_json(config, settings)
    return any(old.get(key) != settings.get(key) for key in DURATIONS)
