"""What the tests of the chain's networks share: small tables, random rows, small networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ritornello.models.chain.network import ChainNetwork
from ritornello.models.lstm.network import Lstm
from ritornello.models.transformer.network import Transformer
from ritornello.representations.table import Field

NETWORKS: list[type[ChainNetwork]] = [Lstm, Transformer]
TABLE = (  # two candidates (one does not guess everything), and a known field amid the choices
    Field("hint", 4, "known"),
    Field("echo.a", 6, "known", "a", unknown=5),
    Field("echo.b", 5, "known", "b", unknown=4),
    Field("echo.c", 4, "known", "c", unknown=3),
    Field("form.a", 6, "known", "a", unknown=5),
    Field("form.c", 4, "known", "c", unknown=3),
    Field("a", 5, "choice"),
    Field("place", 3, "known"),
    Field("b", 4, "choice"),
    Field("c", 3, "choice"),
)
COLUMN = {field.name: column for column, field in enumerate(TABLE)}


def as_dicts(table: tuple[Field, ...]) -> list[dict[str, Any]]:
    return [field._asdict() for field in table]


def network(
    kind: type[ChainNetwork], table: tuple[Field, ...] = TABLE, seed: int = 0, **settings: Any
) -> ChainNetwork:
    torch.manual_seed(seed)
    small = {"fields": as_dicts(table), "width": 32, "layers": 2, "embedding": 8}
    return kind({**small, **settings})


def rows(songs: int, length: int, table: tuple[Field, ...] = TABLE, seed: int = 0) -> Tensor:
    """Random rows (B, T, F) with voids; of the guesses half are right."""
    generator = torch.Generator().manual_seed(seed)
    top = torch.tensor([field.size + (field.kind == "choice") for field in table])
    values = (torch.rand(songs, length, len(table), generator=generator) * top).long()
    columns = {field.name: column for column, field in enumerate(table)}
    for column, field in enumerate(table):
        if field.guesses:
            right = torch.rand(songs, length, generator=generator) < 0.5
            values[..., column] = torch.where(right, values[..., columns[field.guesses]], values[..., column])
    return values


def learnt(values: Tensor, table: tuple[Field, ...] = TABLE) -> Tensor:
    """All choices that are not void, but for row 0."""
    chosen = torch.tensor([field.kind == "choice" for field in table])
    learn: Tensor = chosen & (values < torch.tensor([field.size for field in table]))
    learn[:, 0] = False
    return learn
