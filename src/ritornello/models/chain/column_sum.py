"""Columns of classes as one vector a row: each has a vector in a table and a matrix, and all are summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.layout import ColumnLayout


class ColumnSum(nn.Module):
    """For each column the vector of its class, from the column's table and through a matrix; summed.

    A table times a matrix is a few thousand rows, so that is done once, and the rest is gathering. A column
    of `forked` has two matrices, and each row says which it takes.
    """

    start: Tensor
    count: Tensor

    def __init__(
        self, layout: ColumnLayout, columns: list[int], forked: Sequence[int], config: NetworkSize
    ) -> None:
        super().__init__()
        uses = [column for column in columns for _ in range(1 + (column in forked))]
        self.names = [layout.fields[column].name for column in uses]
        self.tables = [layout.tables[column] for column in uses]
        scale = (config.embedding * len(columns)) ** -0.5
        self.weight = nn.Parameter(scale * torch.randn(len(uses), config.embedding, config.width))
        count = torch.tensor([layout.classes[column] for column in columns], dtype=torch.int32)
        rows = count * torch.tensor([1 + (column in forked) for column in columns], dtype=torch.int32)
        self.register_buffer("count", count, persistent=False)
        self.register_buffer("start", (rows.cumsum(0) - rows).int(), persistent=False)

    def load_matching_weights(self, old: ColumnSum) -> None:
        """The matrices of columns that another sum has too, each use of a name in turn; the rest are zero."""
        of = dict(zip(_numbered(old.names), old.weight, strict=True))
        none = torch.zeros_like(self.weight[0])
        self.weight.copy_(torch.stack([of.get(use, none) for use in _numbered(self.names)]))

    def forward(self, classes: Tensor, tables: Mapping[str, Tensor], fork: Tensor | None = None) -> Tensor:
        """(B, T, columns) int32, and where they are forked 0 or 1, to (B, T, W)."""
        row = classes + self.start  # of all vectors below each other
        if fork is not None:
            row = row + self.count * fork
        uses = zip(self.tables, self.weight.unbind(), strict=True)
        vectors = torch.cat([tables[name] @ matrix for name, matrix in uses])
        vectors = vectors.to(self.weight.dtype)  # gradients of many rows meet here: no half precision
        found = functional.embedding_bag(row.flatten(0, 1), vectors, mode="sum")
        return found.view(*row.shape[:2], -1)


def _numbered(names: Iterable[str]) -> list[tuple[str, int]]:
    """Each name with how often it came before."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        found.append((name, seen[name]))
        seen[name] += 1
    return found
