"""Knowledge distillation: a network learns the mean prediction of other models and the songs.

A teacher gives a probability for every class, while the song shows only which class came. Probabilities carry
more information, and are harder to memorize (Hinton, Vinyals and Dean 2015, *Distilling the Knowledge in a
Neural Network*). The teachers predict the same augmented crops as the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ritornello.errors import InputError
from ritornello.models.losses.cross_entropy import IGNORED_TARGET, count_learnt_rows
from ritornello.models.network import Network
from ritornello.representations.table import Field
from ritornello.training.start import TrainingStart, open_model

TEACHER_SHARE = 0.75  # the share of the teachers in the loss; the rest is the loss of the songs


class TeacherEnsemble:
    """Networks with the same fields and labels as the network that is trained."""

    def __init__(self, networks: Sequence[Network], hashes: Sequence[str] = ()) -> None:
        self.networks = nn.ModuleList(networks).eval().requires_grad_(False)
        self.hashes = list(hashes)

    @classmethod
    def of(cls, folders: Sequence[str], start: TrainingStart, device: torch.device) -> TeacherEnsemble:
        """Open model folders. Raises InputError for one with other fields or labels, ModelError."""
        if not isinstance(start.network, Network):
            name = start.config.network
            raise InputError(f"network {name!r} predicts no probabilities, so it can have no teacher")
        models = [open_model(folder, start.config) for folder in folders]
        networks = [model.network_in_torch() for model in models]
        for folder, model, network in zip(folders, models, networks, strict=True):
            if not isinstance(network, Network):
                raise InputError(
                    f"teacher {folder!r}: its network {model.network!r} predicts no probabilities"
                )
            if fields_of(network) != fields_of(start.network):
                raise InputError(f"teacher {folder!r} has other fields than the network that learns from it")
            if model.labels != start.labels:
                problem = f"teacher {folder!r} has the labels {', '.join(model.labels) or 'none'}"
                raise InputError(f"{problem}: must be {', '.join(start.labels) or 'none'}")
        ensemble = cls(networks, [model.hash for model in models])
        ensemble.networks.to(device)
        return ensemble

    @torch.no_grad()
    def __call__(self, values: Tensor, plan: Tensor | None) -> dict[str, Tensor]:
        """Return the mean of the teachers' probabilities (B, T+1, size) of each choice.

        `values` are (B, T+1, F), `plan` (B, P) or None.
        """
        total: dict[str, Tensor] = {}
        for network in self.networks:
            for name, logits in network(values, plan).items():
                probabilities = logits.float().softmax(-1)
                total[name] = total[name] + probabilities if name in total else probabilities
        return {name: probabilities / len(self.networks) for name, probabilities in total.items()}

    def add_loss(
        self,
        losses: Mapping[str, Tensor],
        predictions: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        probabilities: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Return `losses` with the teachers' loss mixed into "loss", and alone as "taught", in nats a row.

        `predictions[field]` are logits and `probabilities[field]` the teachers' (B, T+1, size);
        `targets[field]` (B, T+1) says where something is learnt.
        """
        nats = []
        for name, target in targets.items():
            log_probabilities = predictions[name].float().log_softmax(-1)
            cross_entropy = -(probabilities[name] * log_probabilities).sum(-1)  # (B, T+1)
            nats.append(cross_entropy[target != IGNORED_TARGET].sum())
        taught = torch.stack(nats).sum() / count_learnt_rows(targets)
        return {**losses, "loss": torch.lerp(losses["loss"], taught, TEACHER_SHARE), "taught": taught}


def fields_of(network: Network) -> list[Field]:
    """Return the fields that a network reads, without their units, which change nothing."""
    return [field._replace(unit="") for field in network.config.fields]
