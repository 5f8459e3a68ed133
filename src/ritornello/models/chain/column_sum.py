"""A layer that turns several columns of classes into one vector for each row: a sum of embeddings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ritornello.models.chain.config import NetworkSize
from ritornello.models.chain.layout import ColumnLayout


class ColumnSum(nn.Module):
    """The sum over columns of the embedding of the column's class times the column's matrix.

    `count` (columns,) is how many classes a column has, `start` (columns,) where its vectors begin.

    In each call all embeddings of a column are multiplied by its matrix once (a few thousand rows), and then
    looked up. A column in `forked` has two matrices, of which each row uses one.
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

        If a name occurs several times, its first matrix is copied from the first one of `old`, and so on.
        """
        old_matrices = dict(zip(_numbered(old.names), old.weight, strict=True))
        zero = torch.zeros_like(self.weight[0])
        self.weight.copy_(torch.stack([old_matrices.get(use, zero) for use in _numbered(self.names)]))

    def forward(self, classes: Tensor, tables: Mapping[str, Tensor], fork: Tensor | None = None) -> Tensor:
        """Return (B, T, W) of `classes` (B, T, columns) int32.

        `fork` (B, T, columns) is 1 where a forked column takes its second matrix, else 0.
        """
        row = classes + self.start  # (B, T, columns), an index into all vectors stacked below each other
        if fork is not None:
            row = row + self.count * fork
        uses = zip(self.tables, self.weight.unbind(), strict=True)
        vectors = torch.cat([tables[name] @ matrix for name, matrix in uses])  # (all classes, W)
        vectors = vectors.to(self.weight.dtype)  # gradients of many rows are summed here: no half precision
        sums = functional.embedding_bag(row.flatten(0, 1), vectors, mode="sum")  # (B * T, W)
        return sums.view(*row.shape[:2], -1)


def _numbered(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return each name with the number of times that it came before."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        numbered.append((name, seen[name]))
        seen[name] += 1
    return numbered
