"""Turn logits into probabilities, and draw classes from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ritornello.sketching.variables import Ints

Floats = npt.NDArray[np.float64]


def probabilities_at(logits: npt.NDArray[np.floating], temperatures: Floats, cut: float = 0.0) -> Floats:
    """Return the probabilities (N, classes) of logits (N, classes) at temperatures (N,).

    The least likely classes, of a share of `cut` (0-1) or less together, get 0.
    """
    weights = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / temperatures[:, None]
    p = np.exp(weights)
    p /= p.sum(axis=1, keepdims=True)
    if cut:
        order = np.argsort(p, axis=1)
        tail = np.take_along_axis(p, order, 1).cumsum(axis=1) <= cut
        np.put_along_axis(p, order, np.where(tail, 0, np.take_along_axis(p, order, 1)), 1)
        p /= p.sum(axis=1, keepdims=True)
    return np.asarray(p)


def draw_classes(p: Floats, generator: np.random.Generator) -> Ints:
    """Draw a class (N,) from each row of probabilities (N, classes)."""
    cumulated = p.cumsum(axis=1)
    uniform = generator.random((len(p), 1)) * cumulated[:, -1:]
    return np.asarray((cumulated <= uniform).sum(axis=1))


def entropy_of(p: Floats) -> Floats:
    """Return the entropy (N,) of rows of probabilities (N, classes) in nats."""
    return -np.asarray((p * np.log(np.maximum(p, 1e-12))).sum(axis=1))


def lowest(entropies: Floats, least: int, most_nats: float) -> Ints:
    """Return the indices of the lowest entropies (N,): at least `least`, more if `most_nats` allows them.

    `most_nats` is the most that the entropies may sum to, without the largest of them.
    """
    order = np.argsort(entropies, kind="stable")
    sums = entropies[order].cumsum()  # item n - 1 is the sum of n + 1 entropies without the largest
    count = 1 + int(np.searchsorted(sums, most_nats, side="right"))
    return order[: max(count, least)]
