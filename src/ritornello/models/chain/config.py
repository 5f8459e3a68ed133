"""Sizes: the settings of `chain.py`'s networks, and the one dial that sets how large they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from ritornello.errors import InputError
from ritornello.representations.table import Field

RANGES = {
    "plan_size": (0, 1 << 16),
    "width": (0, 1 << 13),
    "layers": (0, 64),
    "embedding": (0, 1 << 10),
    "window": (1, 1 << 14),
    "dropout": (0.0, 0.9),
    "weight_decay": (0.0, 1.0),
    "interval": (0.0, 100.0),
}


class NetworkSize(NamedTuple):
    """What the size dial sets."""

    width: int
    layers: int
    embedding: int


def check_ranges(config: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise InputError unless settings are numbers in their ranges; whole ones where those are whole."""
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        kinds = int if isinstance(low, int) else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
            raise InputError(f"{name} {value!r}, must be {low}-{high}")


def check_names(kind: Any, settings: Iterable[str]) -> None:
    """Raise InputError for a setting that a dataclass of settings has not."""
    known = [f.name for f in fields(kind)]
    for name in settings:
        if name not in known:
            raise InputError(f"the network has no setting {name!r}, must be one of {', '.join(known)}")


@dataclass(frozen=True)
class ChainConfig:
    """The table that the network reads, and its sizes. Raises InputError."""

    fields: tuple[Field, ...] = ()
    """The representation's table; in JSON a list of dicts."""
    plan_size: int = 0
    """Numbers in a plan's vector (P)."""
    size: str = "small"
    """tiny, small, medium or large: sets what of the next three is 0."""
    width: int = 0
    """Of the context and all hidden layers (W)."""
    layers: int = 0
    """Of the trunk."""
    embedding: int = 0
    """Numbers that a class is to a table (E)."""
    window: int = 256
    """Rows in a crop; and how far back the transformer looks."""
    dropout: float = 0.0
    """Share of the trunk's input and of what each layer adds that is left out in training."""
    weight_decay: float = 0.05
    """Of all that is no vector."""
    agreement: bool = True
    """Whether the head is told if a candidate has been right so far (off for the ablation)."""
    interval: float = 0.0
    """Weight of the loss of `losses/interval.py` beside the cross-entropy."""
    curve: Mapping[str, Any] | None = None
    """That loss's curve as `Curve.to_dict` gives it; None is the one through the default points."""

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ChainConfig:
        """The config that a dict says. Raises InputError."""
        check_names(cls, settings)
        try:
            table = tuple(Field(**f) if isinstance(f, Mapping) else Field(*f) for f in settings["fields"])
        except (KeyError, TypeError) as error:
            raise InputError(f"the setting 'fields' is no list of fields: {error}") from error
        return cls(**{**settings, "fields": table})

    def sized(self, sizes: Mapping[str, NetworkSize]) -> ChainConfig:
        """With width, layers and embedding set. Raises InputError."""
        if self.size not in sizes:
            raise InputError(f"size {self.size!r}, must be one of {', '.join(sizes)}")
        dial = sizes[self.size]._asdict()
        return replace(self, **{name: getattr(self, name) or value for name, value in dial.items()})

    @property
    def dial(self) -> NetworkSize:
        """The three that the dial sets."""
        return NetworkSize(self.width, self.layers, self.embedding)
