"""The file with everything that an interrupted run needs to continue bit for bit; written atomically."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ritornello.errors import InputError
from ritornello.system.files import write_bytes

Tensors = dict[str, torch.Tensor]  # by name, of any shape


@dataclass
class RunState:
    """How far a run is; at `best_step` the averaged weights had their `best_loss` (0: never measured)."""

    step: int = 0
    total_steps: int | None = None
    best_step: int = 0
    best_loss: float = float("inf")
    seconds: float = 0.0  # of training so far, before and after interruptions
    sounds: str = ""  # the sample monitor's last text

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
    found: Tensors = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            found[f"{index}.{name}"] = value if torch.is_tensor(value) else torch.tensor(value)
    return found


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Load the tensors of `optimizer_tensors` into an optimizer."""
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
