"""The common part of the networks `lstm` and `transformer`: everything but the hidden layers of the trunk.

    row t-1: all columns ─────────────┐
    row t: known before any choice ───┼─ trunk ─ context ─ + ─ logits of choice 1 ─ + ─ logits of choice 2 ...
    plan ─────────────────────────────┘                    │                        │
                               guesses of choice 1 ────────┘    value of choice 1, ─┘
                                                                columns known before choice 2,
                                                                guesses of choice 2

The part after the trunk, the *chain head*, predicts each field from the context and all earlier fields of its
row. A guess by a candidate (echo, alone, form) is added through one of two matrices: one for rows in which
the candidate has been right in all earlier fields, one for the others.

The weights by name, for width W and embedding E, as the numpy step reads them:

    tables.<field>              (classes, E)     a vector a class; columns that guess a field share its table
    reads.weight                (columns, E, W)  a matrix a column of the trunk's input: row t-1, then row t
    plan.weight                 (W, P)
    layers.<n>.*                the trunk
    head.<field>.adds.weight    (columns, E, W)  what is added before the field is predicted: `ColumnLayout`
    head.<field>.hidden.weight  (W, W), .bias;   head.<field>.logits.weight  (size, W), .bias
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.errors import InputError
from ritornello.models.chain.column_sum import ColumnSum
from ritornello.models.chain.config import ChainConfig, NetworkSize
from ritornello.models.chain.layout import ChoiceColumns, ColumnLayout
from ritornello.models.losses.interval import IntervalLoss
from ritornello.models.network import Network

TrunkState = list[tuple[Tensor, ...]]  # for each layer, the tensors that it carries from row to row
EPSILON = 1e-5  # added to the mean square


def rms_norm(hidden: Tensor) -> Tensor:
    """RMSNorm of (..., W) without a scale, which the matrix that follows can represent.

    Without a scale it takes a third less time. Zhang and Sennrich 2019, arXiv 1910.07467.
    """
    return functional.rms_norm(hidden, hidden.shape[-1:], eps=EPSILON)


def _masked(gradient: Tensor, mask: Tensor) -> Tensor:
    """The gradient where the mask is true, else 0."""
    return gradient * mask.to(gradient.device)


class FieldHead(nn.Module):
    """The part of the chain head that predicts one field."""

    def __init__(self, layout: ColumnLayout, choice: ChoiceColumns, config: ChainConfig) -> None:
        super().__init__()
        size = config.network_size
        self.columns = choice.put + choice.guesses
        forked = choice.contested if config.agreement else []
        self.adds = ColumnSum(layout, self.columns, forked, size) if self.columns else None
        self.forked = [column in forked for column in self.columns]
        self.hidden = nn.Linear(size.width, size.width)
        self.logits = nn.Linear(size.width, layout.fields[choice.column].size)

    def add(
        self, context: Tensor, values: Tensor, agreed: Mapping[int, Tensor], tables: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the context (B, T, W) plus the columns of `values` that are known before this field."""
        if self.adds is None:
            return context
        fork = None
        if any(self.forked):
            never = torch.zeros_like(values[..., 0], dtype=torch.bool)
            columns = zip(self.columns, self.forked, strict=True)
            fork = torch.stack([agreed[c] if forked else never for c, forked in columns], dim=-1)
        added: Tensor = self.adds(values[..., self.columns], tables, fork)  # (B, T, W)
        return context + added

    def forward(self, context: Tensor) -> Tensor:
        """Return the logits (B, T, size) of the field's classes, without void."""
        logits: Tensor = self.logits(functional.silu(self.hidden(context)))
        return logits


class ChainNetwork(Network):
    """A network without the layers of its trunk, which a subclass defines. `config` may be a dict.

    Raises InputError for a wrong setting, or a table that a chain cannot predict.
    """

    halves: ClassVar[bool] = True
    sizes: ClassVar[Mapping[str, NetworkSize]]

    def __init__(self, config: ChainConfig | Mapping[str, Any]) -> None:
        config = config if isinstance(config, ChainConfig) else ChainConfig.from_dict(config)
        super().__init__(config := config.with_size(self.sizes))
        self.layout = layout = ColumnLayout(config.fields)
        self.interval_loss = IntervalLoss(config.fields, config.curve) if config.interval else None
        sizes = dict(zip(layout.tables, layout.classes, strict=True))
        self.tables = nn.ParameterDict({n: torch.randn(size, config.embedding) for n, size in sizes.items()})
        columns = [*range(len(layout.fields)), *layout.first]
        self.reads = ColumnSum(layout, columns, (), config.network_size)
        self.plan = nn.Linear(config.plan_size, config.width, bias=False) if config.plan_size else None
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(self.layer() for _ in range(config.layers))
        names = [layout.fields[choice.column].name.replace(".", "_") for choice in layout.choices]
        heads = [FieldHead(layout, choice, config) for choice in layout.choices]
        self.head = nn.ModuleDict(dict(zip(names, heads, strict=True)))

    @abstractmethod
    def layer(self) -> nn.Module:
        """Return a new layer of the trunk.

        It is called with hidden (B, T, W) and its state or None, and returns the next hidden and state.
        """

    def predict(
        self, values: Tensor, plan: Tensor | None = None, state: TrunkState | None = None
    ) -> tuple[dict[str, Tensor], TrunkState]:
        """Return logits (B, T+1, size) of each choice, and the state from which the next call continues.

        `values` (B, T+1, F) are classes of any integer type, `plan` (B, P) or None; with `state`, row 0 is
        the last row of the call that returned it.
        """
        values = values.int()
        context, state = self.trunk(self.inputs(values, plan), state)  # (B, T, W)
        return self.chain(functional.pad(context, (0, 0, 1, 0)), values), state

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Return logits (B, T+1, size) of each choice; those of row 0, the predecessor, are not used."""
        return self.predict(values, plan)[0]

    def inputs(self, values: Tensor, plan: Tensor | None = None) -> Tensor:
        """Return the trunk's input (B, T, W) for rows 1 ... T of `values` (B, T+1, F)."""
        known = torch.cat([values[:, :-1], values[:, 1:, self.layout.first]], dim=-1)  # (B, T, columns)
        inputs: Tensor = self.reads(known, self.tables)
        if self.plan is not None and plan is not None:
            inputs = inputs + self.plan(plan)[:, None]
        return inputs

    def trunk(self, inputs: Tensor, state: TrunkState | None = None) -> tuple[Tensor, TrunkState]:
        """Return the contexts (B, T, W) and the state after them; `state` None: there are no earlier rows."""
        hidden, after = self.dropout(inputs), []
        for number, layer in enumerate(self.layers):
            hidden, layer_state = layer(hidden, state[number] if state else None)
            after.append(layer_state)
        return rms_norm(hidden), after

    def chain(self, context: Tensor, values: Tensor) -> dict[str, Tensor]:
        """Return the logits (B, T, size) of each choice in `values` (B, T, F), from contexts (B, T, W)."""
        agreed = self.layout.agreed(values)
        predictions: dict[str, Tensor] = {}
        heads: Iterable[Any] = self.head.values()
        for choice, head in zip(self.layout.choices, heads, strict=True):
            context = head.add(context, values, agreed, self.tables)
            predictions[self.layout.fields[choice.column].name] = head(context)
        return predictions

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy in nats a row: "loss", and each field's part of it.

        `values` and `learn` are (B, T+1, F). With the setting `interval`, "interval" is the interval loss;
        "loss" includes it times that weight.
        """
        parts = super().loss(predictions, values, learn)
        if self.interval_loss is not None:
            learn = functional.pad(learn[:, 1:], (0, 0, 1, 0))  # not the predecessor
            parts["interval"] = self.interval_loss(predictions, values, learn)["interval"]
            parts["loss"] = parts["loss"] + self.config.interval * parts["interval"]
        return parts

    def settings(self) -> dict[str, Any]:
        """Return the config as JSON: the class called with it is this network again."""
        curve = self.interval_loss.curve.to_dict() if self.interval_loss else None
        table = [field._asdict() for field in self.config.fields]
        return {**asdict(self.config), "fields": table, "curve": curve}

    @torch.no_grad()
    def load_matching_weights(self, old: ChainNetwork) -> None:
        """Load the weights of a network of the same sizes whose table lacks some of this one's known fields.

        The matrices of the new fields are zero, so that the predictions are those of `old`. Raises
        InputError if the old table has a field that this one does not have.
        """
        table = {field.name: field._replace(unit="") for field in self.layout.fields}
        for field in old.layout.fields:
            if table.get(field.name) != field._replace(unit=""):
                raise InputError(f"its table has the field {field.name!r}, which this version does not have")
        sums = {name: part for name, part in self.named_modules() if isinstance(part, ColumnSum)}
        for name, part in sums.items():
            part.load_matching_weights(old.get_submodule(name))  # type: ignore[arg-type]
        weights, old_weights = dict(self.named_parameters()), dict(old.named_parameters())
        for name in weights.keys() & old_weights.keys() - {f"{name}.weight" for name in sums}:
            weights[name].copy_(old_weights[name])

    def freeze_except(self, names: Collection[str]) -> None:
        """Freeze all weights but those of some fields or groups of fields: their matrices and own tables.

        The network can then learn new fields without changing its other weights. Raises InputError for a name
        that no field has, and for a weight decay, which would shrink the frozen matrices.
        """
        known = {name for field in self.layout.fields for name in (field.name, field.name.partition(".")[0])}
        if unknown := set(names) - known:
            raise InputError(f"only {min(unknown)!r}: must be a field or a group of fields such as 'echo'")
        if self.config.weight_decay:
            decay = self.config.weight_decay
            raise InputError(f"weight_decay {decay:g}: must be 0 where most weights are frozen")

        def is_free(name: str) -> bool:
            return name in names or name.partition(".")[0] in names

        tables = {f.name.replace(".", "_") for f in self.layout.fields if is_free(f.name) and not f.guesses}
        for name, weight in self.named_parameters():
            weight.requires_grad_(name.removeprefix("tables.") in tables)
        for part in self.modules():
            if isinstance(part, ColumnSum) and any(map(is_free, part.names)):
                mask = torch.tensor([is_free(name) for name in part.names])[:, None, None]
                part.weight.requires_grad_()
                part.weight.register_hook(partial(_masked, mask=mask))  # type: ignore[no-untyped-call]
