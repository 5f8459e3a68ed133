"""Check the weights and the config of a chain network before the numpy step uses them.

A model folder of unknown origin may contain anything. First the config is compared with the allowed ranges,
then the names, shapes and types of the weights with the config; no memory is allocated before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError, ModelError
from ritornello.models.chain.layout import ColumnLayout
from ritornello.representations.table import Field

Floats = npt.NDArray[np.float32]
Shapes = dict[str, tuple[int, ...]]
MAX_FIELDS = 256
MAX_WEIGHT = 1000.0  # absolute value; trained weights stay below 50, and sums of larger ones may overflow
RANGES = {  # as in chain/config.py, but 0 does not stand for a default here
    "plan_size": (0, 1 << 16),
    "width": (1, 1 << 13),
    "layers": (0, 64),
    "embedding": (1, 1 << 10),
    "window": (1, 1 << 14),
}


class StepConfig(NamedTuple):
    """The part of a network's config that a step needs."""

    plan_size: int
    width: int
    layers: int
    embedding: int
    window: int
    agreement: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> StepConfig:
        """Read the sizes of a config. Raises ModelError."""
        for name, (low, high) in RANGES.items():
            value = config.get(name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ModelError(f"network.config.{name} {value!r:.40}: must be {low}-{high}")
        agreement = config.get("agreement", True)
        if not isinstance(agreement, bool):
            raise ModelError(f"network.config.agreement {agreement!r:.40}: must be true or false")
        return cls(**{name: config[name] for name in RANGES}, agreement=agreement)


def read_layout(config: Mapping[str, Any]) -> ColumnLayout:
    """Return the column layout of the config's fields. Raises ModelError."""
    table = config.get("fields")
    if not isinstance(table, (list, tuple)) or not 1 <= len(table) <= MAX_FIELDS:
        raise ModelError(f"network.config.fields must be a list of 1-{MAX_FIELDS} fields")
    fields = [_field(number, entry) for number, entry in enumerate(table)]
    try:
        layout = ColumnLayout(fields)
    except InputError as error:
        raise ModelError(f"network.config.fields: {error}") from None
    sizes: dict[str, int] = {}
    for name, classes in zip(layout.tables, layout.classes, strict=True):
        if sizes.setdefault(name, classes) != classes:
            raise ModelError(f"network.config.fields has two of the name {name!r}: must have one")
    return layout


def _field(number: int, entry: Any) -> Field:
    """Read one field from JSON. Raises ModelError."""
    where = f"network.config.fields[{number}]"
    if isinstance(entry, Mapping) and entry.keys() <= set(Field._fields):
        entry = [entry.get(name, Field._field_defaults.get(name)) for name in Field._fields]
    if not isinstance(entry, (list, tuple)) or not 3 <= len(entry) <= len(Field._fields):
        raise ModelError(f"{where} is not a field; a field has {', '.join(Field._fields)}")
    field = Field(*entry)
    whole = (field.size, 0 if field.unknown is None else field.unknown)
    if not all(isinstance(size, int) and not isinstance(size, bool) for size in whole):
        sizes = f"size {field.size!r:.20} and unknown {field.unknown!r:.20}"
        raise ModelError(f"{where} has {sizes}: must be whole")
    if not 0 <= whole[1] < max(field.size, 1):
        raise ModelError(f"{where} has unknown {field.unknown}: must be 0-{field.size - 1}")
    if not (isinstance(field.name, str) and isinstance(field.guesses, str | None)):
        raise ModelError(f"{where} has name {field.name!r:.20}, guesses {field.guesses!r:.20}: must be texts")
    if field.kind not in ("choice", "known", "real"):
        raise ModelError(f"{where} has kind {field.kind!r:.20}: must be choice, known or real")
    return field


def weight_shapes(layout: ColumnLayout, sizes: StepConfig, layer: Shapes) -> Shapes:
    """Return the names and shapes of all weights of a network; `layer` has those of one layer."""
    width, embedding = sizes.width, sizes.embedding
    shapes: Shapes = {
        f"tables.{name}": (classes, embedding)
        for name, classes in zip(layout.tables, layout.classes, strict=True)
    }
    shapes["reads.weight"] = (len(layout.fields) + len(layout.first), embedding, width)
    if sizes.plan_size:
        shapes["plan.weight"] = (width, sizes.plan_size)
    for number in range(sizes.layers):
        shapes |= {f"layers.{number}.{name}": shape for name, shape in layer.items()}
    for choice in layout.choices:
        field = layout.fields[choice.column]
        head = f"head.{field.name.replace('.', '_')}"
        uses = len(choice.put + choice.guesses) + (len(choice.contested) if sizes.agreement else 0)
        if uses:
            shapes[f"{head}.adds.weight"] = (uses, embedding, width)
        shapes |= {f"{head}.hidden.weight": (width, width), f"{head}.hidden.bias": (width,)}
        shapes |= {f"{head}.logits.weight": (field.size, width), f"{head}.logits.bias": (field.size,)}
    return shapes


def check_weights(weights: Mapping[str, npt.NDArray[Any]], shapes: Shapes) -> dict[str, Floats]:
    """Return the weights in float32, which must have the names and `shapes`, such as (classes, E).

    Raises ModelError if a weight is missing, unknown, or of a wrong shape, type or value.
    """
    for names, problem in ((shapes.keys() - weights, "lack"), (weights.keys() - shapes, "must not have")):
        if names:
            raise ModelError(f"the network's weights {problem} {_few(names)}")
    arrays = {}
    for name, shape in shapes.items():
        array = weights[name]
        if array.shape != shape:
            raise ModelError(f"{name} has shape {array.shape}: must be {shape}")
        if array.dtype.kind != "f":
            raise ModelError(f"{name} has type {array.dtype}: must be floating-point")
        with np.errstate(over="ignore"):
            floats = array.astype(np.float32, copy=False)  # before min and max, which are slow in float16
        if not (floats.min() >= -MAX_WEIGHT and floats.max() <= MAX_WEIGHT):  # also true for NaN
            raise ModelError(f"{name} has a number that is not within -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}")
        arrays[name] = floats
    return arrays


def _few(names: Iterable[str]) -> str:
    """The first three names, and the number of the others."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"{name!r:.60}" for name in names[:3]) + more
