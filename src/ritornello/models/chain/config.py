"""The settings of `lstm` and `transformer`, and the setting `size` that stands for three of them."""

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
    """The numbers for which a `size` such as "small" stands."""

    width: int
    layers: int
    embedding: int


def check_ranges(config: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise InputError unless each setting is a number in its range; a whole one if the range is whole."""
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        kinds = int if isinstance(low, int) else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
            raise InputError(f"{name} {value!r}: must be {low}-{high}")


def check_names(kind: Any, settings: Iterable[str]) -> None:
    """Raise InputError for a name that is not an attribute of `kind`, a dataclass of settings."""
    known = [f.name for f in fields(kind)]
    for name in settings:
        if name not in known:
            raise InputError(f"setting {name!r} of the network: must be one of {', '.join(known)}")


@dataclass(frozen=True)
class ChainConfig:
    """The fields that the network reads, and its sizes. Raises InputError for a value out of range."""

    fields: tuple[Field, ...] = ()
    """The representation's fields; in JSON a list of dicts."""
    plan_size: int = 0
    """Numbers in the vector of a plan (P)."""
    size: str = "small"
    """tiny, small, medium or large; gives the next three where they are 0."""
    width: int = 0
    """Numbers in the context and in all hidden layers (W)."""
    layers: int = 0
    """Layers of the trunk."""
    embedding: int = 0
    """Numbers in the embedding of a class (E)."""
    window: int = 256
    """Rows in a crop; also how many rows a row of the transformer attends to."""
    dropout: float = 0.0
    """Share of the trunk's input, and of what each layer adds, that is set to zero in training."""
    weight_decay: float = 0.05
    """Weight decay of all weights that are not vectors."""
    agreement: bool = True
    """Whether a guess has a second matrix for rows in which its candidate has been right so far."""
    interval: float = 0.0
    """Weight of the interval loss (`losses/interval.py`) that is added to the cross-entropy."""
    curve: Mapping[str, Any] | None = None
    """The curve of the interval loss, a dict of `Curve.to_dict`; None: through the default points."""

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> ChainConfig:
        """Read the config from a dict of settings. Raises InputError."""
        check_names(cls, settings)
        try:
            table = tuple(Field(**f) if isinstance(f, Mapping) else Field(*f) for f in settings["fields"])
        except (KeyError, TypeError) as error:
            raise InputError(f"the setting 'fields' must be a list of fields: {error}") from error
        return cls(**{**settings, "fields": table})

    def with_size(self, sizes: Mapping[str, NetworkSize]) -> ChainConfig:
        """Return the config with the numbers of its `size` in place of zeros. Raises InputError."""
        if self.size not in sizes:
            raise InputError(f"size {self.size!r}: must be one of {', '.join(sizes)}")
        numbers = sizes[self.size]._asdict()
        return replace(self, **{name: getattr(self, name) or value for name, value in numbers.items()})

    @property
    def network_size(self) -> NetworkSize:
        """Width, layers and embedding."""
        return NetworkSize(self.width, self.layers, self.embedding)
