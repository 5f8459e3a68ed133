"""Build the network before its first training step, with random weights or the weights of another model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ritornello.errors import InputError
from ritornello.models import registry
from ritornello.models.chain.network import ChainNetwork
from ritornello.models.model import Model
from ritornello.models.plan_vector import PlanEncoder
from ritornello.training.config import TrainConfig

LARGE_NETWORK = 10_000_000  # with more parameters, several threads are faster than one
# Settings that may differ from those of the init model
FREE_SETTINGS = ("dropout", "weight_decay", "interval", "curve", "weighting", "window")
# From predictions, values (B, T+1, F) and learn (B, T+1, F) to scalars by name, of which "loss" is minimized.
Loss = Callable[[dict[str, Tensor], Tensor, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class TrainingStart:
    """A network before its first step, its representation, and the labels of its plan vector."""

    config: TrainConfig
    network: Any
    representation: Any
    representation_name: str
    labels: tuple[str, ...] = ()
    has_key_frame: bool = False
    """Whether songs are moved to C major or A minor."""
    init: str = ""
    """The hash of the model from which it begins."""

    @classmethod
    def of(cls, config: TrainConfig, labels: Sequence[str]) -> TrainingStart:
        """Build the network of `config` for a corpus with these labels. Raises InputError, ModelError."""
        if config.init is not None:
            return cls._from_model(config, open_model(config.init, config), labels)
        kind = registry.find("networks", config.network)
        name = config.representation or kind.representation
        representation = registry.find("representations", name)()
        torch.manual_seed(config.seed)
        if kind.learns == "last":
            return cls(config, kind(config.network_config), representation, name)
        plan_encoder = PlanEncoder(labels)
        table = {"fields": representation.fields, "plan_size": plan_encoder.size}
        network = kind({**config.network_config, **table})
        has_frame = _has_key_frame(config, representation, default=True)
        return cls(config, network, representation, name, plan_encoder.labels, has_frame)

    @classmethod
    def _from_model(cls, config: TrainConfig, model: Model, labels: Sequence[str]) -> TrainingStart:
        """Build the network of a model.

        Labels of the model keep their columns of the plan's matrix; new labels begin with the mean of the
        others. Known fields that the model's table lacks (an older version) begin with zero weights.
        """
        _check_settings(config, model)
        old, representation = model.network_in_torch(), model.representation
        name = model.code.get("representations", model.info["representation"]["name"])
        config = replace(config, network=model.code.get("networks", model.network))
        if not isinstance(old, ChainNetwork):
            if config.network_config:
                network = type(old)({**old.settings(), **config.network_config})
                network.load_state_dict(old.state_dict())
                old = network
            return cls(config, old.train(), representation, name, model.labels, init=model.hash)
        has_frame = _has_key_frame(config, representation, default=model.has_key_frame)
        joined = (*model.labels, *(label for label in labels if label not in model.labels))
        if old.plan is not None:
            old.plan.weight = _with_labels(old.plan.weight, len(model.labels), len(joined))
        table = {"fields": representation.fields, "plan_size": PlanEncoder(joined).size}
        torch.manual_seed(config.seed)
        network = type(old)({**old.settings(), **config.network_config, **table})
        try:
            network.load_matching_weights(old)
        except InputError as error:
            raise InputError(f"{config.init!r} was made by another version: {error}") from None
        if config.only:
            network.freeze_except(config.only.split(","))
        return cls(config, network, representation, name, joined, has_frame, model.hash)

    @property
    def plan_encoder(self) -> PlanEncoder:
        """The encoder that turns a plan into the plan vector of the network."""
        return PlanEncoder(self.labels)

    @property
    def loss(self) -> Loss:
        """The loss that the configuration names, or the network's own; it returns scalars by name.

        A named loss may also return one scalar, or parts without a "loss", which are then summed. Raises
        InputError.
        """
        if self.config.loss is None:
            own: Loss = self.network.loss
            return own
        named = registry.find("losses", self.config.loss)(self.representation.fields)

        def loss(predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
            result = named(predictions, values, learn)
            parts = dict(result) if isinstance(result, Mapping) else {"loss": result}
            return parts if "loss" in parts else {"loss": torch.stack(list(parts.values())).sum(), **parts}

        return loss

    @property
    def threads(self) -> int:
        """The number of threads: as configured, or one, or for a large network all cores except one."""
        large = sum(weight.numel() for weight in self.network.parameters()) > LARGE_NETWORK
        return self.config.threads or (max(1, (os.cpu_count() or 1) - 1) if large else 1)

    def no_songs(self, corpus: str) -> str:
        """Return the error text for a corpus that has no song for this network."""
        if self.network.learns == "all":
            return f"corpus {corpus!r} has no song in its train split"
        rows = self.network.config.window
        return f"corpus {corpus!r} has no song to train on of more than {rows} rows, the network's window"


def open_model(path: str | Path, config: TrainConfig) -> Model:
    """Open a model folder; code of a user with which it was trained is taken from the file in `config`.

    Raises ModelError, InputError.
    """
    info = Model.open(path).info
    code = {"network": config.network, "representation": config.representation}
    return Model.open(
        path,
        **{
            kind: name
            for kind, name in code.items()
            if name and registry.is_file(name) and registry.is_file(info[kind]["name"])
        },
    )


def _has_key_frame(config: TrainConfig, representation: Any, default: bool) -> bool:
    """Whether songs are moved to the key frame. Raises InputError if the representation cannot."""
    possible = getattr(representation, "has_key_frame", False)
    if config.frame == "key" and not possible:
        raise InputError(f"frame 'key': must be none for the representation {representation.name!r}")
    return possible and (default if config.frame is None else config.frame == "key")


def _check_settings(config: TrainConfig, model: Model) -> None:
    """Raise InputError if a setting contradicts the model from which training begins."""
    for name, kind, setting in (
        ("network", "networks", config.network),
        ("representation", "representations", config.representation),
    ):
        model_name = model.code.get(kind, model.info[name]["name"])
        if setting not in (None, model_name, TrainConfig().network):
            raise InputError(
                f"{name} {setting!r}, but {config.init!r} has {model_name!r}: leave it out, or --init"
            )
    sizes = model.info["network"]["config"]
    for name, value in config.network_config.items():
        if name not in FREE_SETTINGS and sizes.get(name) != value:
            raise InputError(
                f"{name} {value!r}, but {config.init!r} has {sizes.get(name)!r}: leave it out, or --init"
            )


def _with_labels(weight: Tensor, before: int, after: int) -> torch.nn.Parameter:
    """The plan's matrix (W, P) with a column for each new label after the old ones, which is their mean."""
    old_columns = weight[:, :before]
    mean = old_columns.mean(dim=1, keepdim=True) if before else torch.zeros(len(weight), 1)
    columns = [old_columns, mean.expand(-1, after - before), weight[:, before:]]
    return torch.nn.Parameter(torch.cat(columns, dim=1).detach())
