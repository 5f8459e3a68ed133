"""The network that is to be taught: its first weights drawn, or those of another model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ritornello.errors import InputError
from ritornello.models import registry
from ritornello.models.model import Model
from ritornello.models.plan_vector import PlanEncoder
from ritornello.training.config import TrainConfig

LARGE = 10_000_000  # parameters, from which on more threads pay


@dataclass(frozen=True)
class TrainingStart:
    """A network before its first step, what it reads, and the labels that it is told."""

    config: TrainConfig
    network: Any
    representation: Any
    labels: tuple[str, ...] = ()
    init: str = ""
    """The hash of the model that it begins from."""

    @classmethod
    def of(cls, config: TrainConfig, labels: Sequence[str]) -> TrainingStart:
        """What a configuration asks for. Raises InputError, ModelError."""
        if config.init is not None:
            return cls._from_model(config, Model.open(config.init), labels)
        kind = registry.find("networks", config.network)
        name = config.representation or kind.representation
        representation = registry.find("representations", name)()
        torch.manual_seed(config.seed)
        if kind.learns == "last":
            return cls(config, kind(config.network_config), representation)
        plan_encoder = PlanEncoder(labels)
        table = {"fields": representation.fields, "plan_size": plan_encoder.size}
        return cls(config, kind({**config.network_config, **table}), representation, plan_encoder.labels)

    @classmethod
    def _from_model(cls, config: TrainConfig, model: Model, labels: Sequence[str]) -> TrainingStart:
        """The network of a model: known labels keep their vectors, new ones begin at the others' mean.

        Where its table lacks known fields (an older version's), they begin without weight.
        """
        sizes = model.info["network"]["config"]
        for name, given, own in (
            ("network", config.network, model.network),
            ("representation", config.representation, model.info["representation"]["name"]),
        ):
            if given not in (None, own, TrainConfig().network):
                raise InputError(
                    f"{name} {given!r}, but {config.init!r} has {own!r}: leave it out, or --init"
                )
        changed = {n: v for n, v in config.network_config.items() if n not in FREE and sizes.get(n) != v}
        if changed:
            n, v = next(iter(changed.items()))
            raise InputError(f"{n} {v!r}, but {config.init!r} has {sizes.get(n)!r}: leave it out, or --init")
        old = model.network_in_torch()
        representation = model.representation
        config = replace(config, network=model.network)
        if old.learns == "last":
            return cls(config, old, representation, init=model.hash)
        joined = (*model.labels, *(label for label in labels if label not in model.labels))
        plan_encoder = PlanEncoder(joined)
        if old.plan is not None:
            old.plan.weight = _with_labels(old.plan.weight, len(model.labels), len(joined))
        table = {"fields": representation.fields, "plan_size": plan_encoder.size}
        torch.manual_seed(config.seed)
        network = type(old)({**old.settings(), **config.network_config, **table})
        try:
            network.load_matching_weights(old)
        except InputError as error:
            raise InputError(f"{config.init!r}, made by another version: {error}") from None
        if config.only:
            network.freeze_except(config.only.split(","))
        return cls(config, network, representation, joined, model.hash)

    @property
    def plan_encoder(self) -> PlanEncoder:
        """What the network is told of a plan."""
        return PlanEncoder(self.labels)

    @property
    def threads(self) -> int:
        """Those asked for; else one, and all cores but one for a large network."""
        large = sum(weight.numel() for weight in self.network.parameters()) > LARGE
        return self.config.threads or (max(1, (os.cpu_count() or 1) - 1) if large else 1)

    def nothing_to_learn(self, corpus: str) -> str:
        """Why there is nothing."""
        if self.network.learns == "all":
            return f"no song of {corpus!r} to train on: none is kept on its train side"
        rows = self.network.config.window
        return f"no song of {corpus!r} to train on has more than {rows} rows, the network's window"


FREE = ("dropout", "weight_decay", "interval", "curve", "window")  # may be another than the model's


def _with_labels(weight: torch.Tensor, before: int, after: int) -> torch.nn.Parameter:
    """The plan's matrix (W, P) with a column for each new label after the old ones: their mean."""
    known = weight[:, :before]
    mean = known.mean(dim=1, keepdim=True) if before else torch.zeros(len(weight), 1)
    columns = [known, mean.expand(-1, after - before), weight[:, before:]]
    return torch.nn.Parameter(torch.cat(columns, dim=1).detach())
