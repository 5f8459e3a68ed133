"""Models that teach: a network learns their mean prediction beside the truth, so that it is worth many.

A teacher says of every class how likely it is, where the song says only which one came: that is more to
learn from, and harder to learn by heart (Hinton, Vinyals and Dean 2015, *Distilling the Knowledge in a Neural
Network*). The crops are varied as always, so the teachers are asked about music that they have not heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ritornello.errors import InputError
from ritornello.models.chain.network import IGNORED_TARGET, ChainNetwork, count_learnt_rows
from ritornello.models.model import Model
from ritornello.representations.table import Field
from ritornello.training.start import TrainingStart

SHARE = 0.75  # of the loss, that is the teachers'; the rest is the song's


class TeacherEnsemble:
    """Networks of the same table and labels as the one that is taught."""

    def __init__(self, networks: Sequence[ChainNetwork], hashes: Sequence[str] = ()) -> None:
        self.networks = nn.ModuleList(networks).eval().requires_grad_(False)
        self.hashes = list(hashes)

    @classmethod
    def of(cls, folders: Sequence[str], start: TrainingStart, device: torch.device) -> TeacherEnsemble:
        """Those of model folders. Raises InputError where one has other fields or labels, ModelError."""
        if not isinstance(start.network, ChainNetwork):
            raise InputError(f"network {start.config.network!r} says no chances: it can have no teacher")
        models = [Model.open(folder) for folder in folders]
        networks = [model.network_in_torch() for model in models]
        for folder, model, network in zip(folders, models, networks, strict=True):
            if not isinstance(network, ChainNetwork):
                raise InputError(f"teacher {folder!r}: its network {model.network!r} says no chances")
            if fields_of(network) != fields_of(start.network):
                raise InputError(f"teacher {folder!r} has other fields than the network that it is to teach")
            if model.labels != start.labels:
                asked = f"labels {', '.join(model.labels)}, must be {', '.join(start.labels) or 'none'}"
                raise InputError(f"teacher {folder!r} has the {asked}")
        made = cls(networks, [model.hash for model in models])
        made.networks.to(device)
        return made

    @torch.no_grad()
    def __call__(self, values: Tensor, plan: Tensor | None) -> dict[str, Tensor]:
        """The mean of their chances (B, T+1, size) of each choice."""
        total: dict[str, Tensor] = {}
        for network in self.networks:
            for name, logits in network(values, plan).items():
                chances = logits.float().softmax(-1)
                total[name] = total[name] + chances if name in total else chances
        return {name: chances / len(self.networks) for name, chances in total.items()}

    def joined(
        self,
        losses: Mapping[str, Tensor],
        predictions: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        chances: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Losses with the teachers' in "loss"; theirs alone, in nats a row, is "taught"."""
        nats = [
            (-(chances[name] * predictions[name].float().log_softmax(-1)).sum(-1))[
                target != IGNORED_TARGET
            ].sum()
            for name, target in targets.items()
        ]
        taught = torch.stack(nats).sum() / count_learnt_rows(targets)
        return {**losses, "loss": torch.lerp(losses["loss"], taught, SHARE), "taught": taught}


def fields_of(network: ChainNetwork) -> list[Field]:
    """Its table; units are but words."""
    return [field._replace(unit="") for field in network.config.fields]
