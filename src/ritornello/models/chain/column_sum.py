"""One vector a row from several columns of classes: each class has an embedding; all are summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.layout import ColumnLayout


class ColumnSum(nn.Module):
    """For each column, the embedding of its class times the column's matrix; summed over the columns.

    `count` (columns,) is how many classes a column has, `start` (columns,) where its vectors begin.

    All embeddings of a column times its matrix are computed once per call (a few thousand rows); the rest is
    a lookup. A column in `forked` has two matrices, and each row chooses one of them.
    """

    start: Tensor
    count: Tensor

    def __init__(
        self, layout: ColumnLayout, columns: list[int], forked: Sequence[int], config: NetworkSize
    ) -> None:
        super().__init__()
        uses = [column for column in columns for _ in range(1 + (column in forked))]  # one for each matrix
        self.names = [layout.fields[column].name for column in uses]
        self.tables = [layout.tables[column] for column in uses]
        scale = (config.embedding * len(columns)) ** -0.5
        self.weight = nn.Parameter(scale * torch.randn(len(uses), config.embedding, config.width))
        count = torch.tensor([layout.classes[column] for column in columns], dtype=torch.int32)
        rows = count * torch.tensor([1 + (column in forked) for column in columns], dtype=torch.int32)
        self.register_buffer("count", count, persistent=False)
        self.register_buffer("start", (rows.cumsum(0) - rows).int(), persistent=False)

    def load_matching_weights(self, old: ColumnSum) -> None:
        """Copy the matrices of the columns that `old` has too; the others become zero.

        If a name occurs several times, the first of it is copied from the first, and so on.
        """
        of = dict(zip(_numbered(old.names), old.weight, strict=True))
        zero = torch.zeros_like(self.weight[0])
        self.weight.copy_(torch.stack([of.get(use, zero) for use in _numbered(self.names)]))

    def forward(self, classes: Tensor, tables: Mapping[str, Tensor], fork: Tensor | None = None) -> Tensor:
        """Return (B, T, W) of `classes` (B, T, columns) int32.

        `fork` (B, T, columns) is 1 where a forked column takes its second matrix, else 0.
        """
        row = classes + self.start  # (B, T, columns), an index into all vectors stacked below each other
        if fork is not None:
            row = row + self.count * fork
        uses = zip(self.tables, self.weight.unbind(), strict=True)
        vectors = torch.cat([tables[name] @ matrix for name, matrix in uses])  # (all classes, W)
        vectors = vectors.to(self.weight.dtype)  # gradients of many rows add up here: no half precision
        found = functional.embedding_bag(row.flatten(0, 1), vectors, mode="sum")  # (B * T, W)
        return found.view(*row.shape[:2], -1)


def _numbered(names: Iterable[str]) -> list[tuple[str, int]]:
    """Each name with the number of times that it came before."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        found.append((name, seen[name]))
        seen[name] += 1
    return found
