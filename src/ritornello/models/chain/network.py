"""What `lstm` and `transformer` share, which is all but the trunk; generic over a representation's table.

    row t-1: all columns ──────────┐
    row t: known before any choice ┼─ trunk ─ context ─ + ─ logits of choice 1 ─ + ─ logits of choice 2 ...
    plan ──────────────────────────┘                    │                        │
                               guesses of choice 1 ─────┘    value of choice 1, ─┘
                                                             columns known up to choice 2,
                                                             guesses of choice 2

In this *chain head* a field is predicted from the context and all earlier fields of its row. A guess enters
by one of two vectors: one if all earlier fields have agreed with its candidate (echo, form), one if not.

The weights by name (width W, embedding E), as a step in numpy reads them:

    tables.<field>         (classes, E)   a vector a class; columns that guess a field share its table
    reads.weight           (columns, E, W)   a matrix a column of the trunk's input: row t-1, then row t
    plan.weight            (W, P)
    layers.<n>.*           the trunk
    head.<field>.adds.weight     (columns, E, W)   what is added before it: see `Layout`
    head.<field>.hidden.weight   (W, W), .bias;   head.<field>.logits.weight   (size, W), .bias
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

TrunkState = list[tuple[Tensor, ...]]  # what each layer of a trunk carries from row to row
IGNORED_TARGET = -100  # a target that counts for nothing
EPSILON = 1e-5  # in a root mean square


def rms_norm(hidden: Tensor) -> Tensor:
    """RMSNorm without a scale, which what follows has of its own: a third of its time is saved."""
    return functional.rms_norm(hidden, hidden.shape[-1:], eps=EPSILON)


def count_learnt_rows(targets: Mapping[str, Tensor]) -> Tensor:
    """How many rows have something to learn, at least 1."""
    return torch.stack([target != IGNORED_TARGET for target in targets.values()]).any(0).sum().clamp(min=1)


def _masked(gradient: Tensor, mask: Tensor) -> Tensor:
    """The gradient where the mask is true."""
    return gradient * mask.to(gradient.device)


class FieldHead(nn.Module):
    """One choice of the chain: what is added before it, and its logits."""

    def __init__(self, layout: ColumnLayout, choice: ChoiceColumns, config: ChainConfig) -> None:
        super().__init__()
        size = config.dial
        self.columns = choice.put + choice.guesses
        forked = choice.contested if config.agreement else []
        self.adds = ColumnSum(layout, self.columns, forked, size) if self.columns else None
        self.forked = [column in forked for column in self.columns]
        self.hidden = nn.Linear(size.width, size.width)
        self.logits = nn.Linear(size.width, layout.fields[choice.column].size)

    def add(
        self, context: Tensor, values: Tensor, agreed: Mapping[int, Tensor], tables: Mapping[str, Tensor]
    ) -> Tensor:
        """The context (B, T, W) with what is put and guessed before this choice."""
        if self.adds is None:
            return context
        fork = None
        if any(self.forked):
            never = torch.zeros_like(values[..., 0], dtype=torch.bool)
            told = zip(self.columns, self.forked, strict=True)
            fork = torch.stack([agreed[c] if forked else never for c, forked in told], dim=-1)
        found: Tensor = self.adds(values[..., self.columns], tables, fork)
        return context + found

    def forward(self, context: Tensor) -> Tensor:
        """The logits (B, T, size) of its classes, void left out."""
        found: Tensor = self.logits(functional.silu(self.hidden(context)))
        return found


class ChainNetwork(nn.Module):
    """A network but for its trunk's layers, which a subclass gives. `config` may be a dict, as in JSON."""

    representation: ClassVar[str] = "notes"
    learns: ClassVar[str] = "all"  # every row of a crop
    halves: ClassVar[bool] = True  # bears half precision
    batch: ClassVar[int] = 32
    learning_rate: ClassVar[float] = 4e-3
    heldout: ClassVar[int] = 32768  # rows
    sizes: ClassVar[Mapping[str, NetworkSize]]

    def __init__(self, config: ChainConfig | Mapping[str, Any]) -> None:
        super().__init__()
        config = config if isinstance(config, ChainConfig) else ChainConfig.of(config)
        self.config = config = config.sized(self.sizes)
        self.layout = layout = ColumnLayout(config.fields)
        self.criterion = IntervalLoss(config.fields, config.curve) if config.interval else None
        spaces = dict(zip(layout.tables, layout.classes, strict=True))
        self.tables = nn.ParameterDict({n: torch.randn(size, config.embedding) for n, size in spaces.items()})
        self.reads = ColumnSum(layout, [*range(len(layout.fields)), *layout.first], (), config.dial)
        self.plan = nn.Linear(config.plan_size, config.width, bias=False) if config.plan_size else None
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(self.layer() for _ in range(config.layers))
        names = [layout.fields[choice.column].name for choice in layout.choices]
        links = [FieldHead(layout, choice, config) for choice in layout.choices]
        self.head = nn.ModuleDict({n.replace(".", "_"): k for n, k in zip(names, links, strict=True)})

    @torch.no_grad()
    def load_matching_weights(self, old: ChainNetwork) -> None:
        """The weights of a network of the same sizes whose table lacks some of this one's known fields.

        What it predicts is the same until it has learnt what those fields are worth. Raises InputError where
        the old table has a field that this one has not.
        """
        table = {field.name: field._replace(unit="") for field in self.layout.fields}
        for field in old.layout.fields:
            if table.get(field.name) != field._replace(unit=""):
                raise InputError(
                    f"field {field.name!r} is not one of the table's, so its weights say nothing"
                )
        sums = {name: part for name, part in self.named_modules() if isinstance(part, ColumnSum)}
        for name, part in sums.items():
            part.load_matching_weights(old.get_submodule(name))  # type: ignore[arg-type]
        own, theirs = dict(self.named_parameters()), dict(old.named_parameters())
        for name in own.keys() & theirs.keys() - {f"{name}.weight" for name in sums}:
            own[name].copy_(theirs[name])

    def freeze_except(self, names: Collection[str]) -> None:
        """Hold all weights but those of some fields or groups of fields: their columns and own tables.

        So what a table has new is learnt, and nothing is forgotten. Raises InputError for a name that no
        field has, and for a weight decay, by which the rest would fall.
        """
        known = {name for field in self.layout.fields for name in (field.name, field.name.partition(".")[0])}
        if unknown := set(names) - known:
            raise InputError(f"only {min(unknown)!r}, must be a field or a group of fields such as 'echo'")
        if self.config.weight_decay:
            raise InputError(
                f"weight_decay {self.config.weight_decay:g}, must be 0 where most weights are held"
            )

        def free(name: str) -> bool:
            return name in names or name.partition(".")[0] in names

        own = {f.name.replace(".", "_") for f in self.layout.fields if free(f.name) and not f.guesses}
        for name, weight in self.named_parameters():
            weight.requires_grad_(name.removeprefix("tables.") in own)
        for part in self.modules():
            if isinstance(part, ColumnSum) and any(map(free, part.names)):
                mask = torch.tensor([free(name) for name in part.names])[:, None, None]
                part.weight.requires_grad_()
                part.weight.register_hook(partial(_masked, mask=mask))  # type: ignore[no-untyped-call]

    @abstractmethod
    def layer(self) -> nn.Module:
        """A new layer of the trunk: (hidden (B, T, W), state or None) to the next hidden and state."""

    def forward(self, values: Tensor, plan: Tensor | None = None) -> dict[str, Tensor]:
        """Logits (B, T+1, size) of each choice, from the rows before and what precedes it in its own.

        `values` (B, T+1, F) are classes (of any type), each below its field's size (void: equal to it). Row 0
        is the predecessor, what is said of it is void. `plan` (B, P); None asks for nothing.
        """
        return self.predict(values, plan)[0]

    def predict(
        self, values: Tensor, plan: Tensor | None = None, state: TrunkState | None = None
    ) -> tuple[dict[str, Tensor], TrunkState]:
        """`forward` going on where another crop stopped, and the state to go on from again.

        Row 0 is then the last row of that crop, and `state` what came back with its predictions.
        """
        values = values.int()
        context, state = self.trunk(self.inputs(values, plan), state)  # (B, T, W)
        return self.chain(functional.pad(context, (0, 0, 1, 0)), values), state

    def inputs(self, values: Tensor, plan: Tensor | None = None) -> Tensor:
        """What the trunk reads for rows 1 ... T: (B, T+1, F) to (B, T, W)."""
        known = torch.cat([values[:, :-1], values[:, 1:, self.layout.first]], dim=-1)
        found: Tensor = self.reads(known, self.tables)
        if self.plan is not None and plan is not None:
            found = found + self.plan(plan)[:, None]
        return found

    def trunk(self, inputs: Tensor, state: TrunkState | None = None) -> tuple[Tensor, TrunkState]:
        """The contexts (B, T, W), going on from a state (None: nothing was read yet), and the state after."""
        hidden, after = self.dropout(inputs), []
        for number, layer in enumerate(self.layers):
            hidden, now = layer(hidden, state[number] if state else None)
            after.append(now)
        return rms_norm(hidden), after

    def chain(self, context: Tensor, values: Tensor) -> dict[str, Tensor]:
        """The logits (B, T, size) of each choice in `values` (B, T, F), from their contexts (B, T, W)."""
        agreed = self.layout.agreed(values)
        predictions: dict[str, Tensor] = {}
        links: Iterable[Any] = self.head.values()
        for choice, link in zip(self.layout.choices, links, strict=True):
            context = link.add(context, values, agreed, self.tables)
            predictions[self.layout.fields[choice.column].name] = link(context)
        return predictions

    def targets(self, values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """The class (B, T+1) of each choice that is to be predicted; IGNORED where there is none to learn."""
        found = {}
        for choice in self.layout.choices:
            field, target = self.layout.fields[choice.column], values[..., choice.column].long()
            target = target.masked_fill(~learn[..., choice.column] | (target >= field.size), IGNORED_TARGET)
            target[:, 0] = IGNORED_TARGET  # the predecessor
            found[field.name] = target
        return found

    def loss(self, predictions: dict[str, Tensor], values: Tensor, learn: Tensor) -> dict[str, Tensor]:
        """Cross-entropy in nats a row: "loss", and each field's part of it.

        Rows of which nothing is learnt are not counted. With the setting `interval`, "loss" has that loss
        too, weighted; its own value is "interval".
        """
        targets = self.targets(values, learn)
        rows = count_learnt_rows(targets)
        parts = {}
        for name, target in targets.items():
            logits = predictions[name].flatten(0, 1).float()
            nats = functional.cross_entropy(
                logits, target.flatten(), ignore_index=IGNORED_TARGET, reduction="sum"
            )
            parts[name] = nats / rows
        total = torch.stack(list(parts.values())).sum()
        if self.criterion is not None:
            learn = functional.pad(learn[:, 1:], (0, 0, 1, 0))  # not the predecessor
            parts["interval"] = self.criterion(predictions, values, learn)["interval"]
            total = total + self.config.interval * parts["interval"]
        return {"loss": total, **parts}

    def optimizer(self, lr: float = 2e-3) -> torch.optim.AdamW:
        """AdamW; vectors (biases, scales) do not decay."""
        weights = list(self.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": self.config.weight_decay},
            {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99))

    def settings(self) -> dict[str, Any]:
        """The config as JSON: a network of these settings is this one again."""
        curve = self.criterion.curve.to_dict() if self.criterion else None
        table = [field._asdict() for field in self.config.fields]
        return {**asdict(self.config), "fields": table, "curve": curve}
