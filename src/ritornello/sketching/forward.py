"""The computation of the sketch network, the same for torch (training) and numpy (composing).

The network is a bidirectional transformer whose positions are the bars. Biases of the attention depend on how
far apart two bars are, also modulo 16, and on whether one returns to the other. The textures of a part are
read and predicted by attention over the bars of that part, and over the parts of a bar. Parts and bars
exchange means of their states. Chords and textures of near places get a bonus. A pointer (origin, motif) has
a score for each earlier bar.

Arrays are those of numpy or tensors of torch. T is the number of bars and P that of parts; the state of a bar
has d numbers, that of a bar of a part p. Any axes may come before those named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ritornello.sketching.inputs import PADDING, RELATIONS
from ritornello.sketching.shapes import PART_ATTENTIONS, PART_LAYERS, RELATION_INPUTS, SketchConfig
from ritornello.sketching.variables import CHORDS, CLOSINGS

Array = Any
BIAS_SCALE = 8.0  # a factor of attention biases, because they must become larger than other weights
NEIGHBOURS = ("before", "after", "from_origin")
BAR_TABLES = ("start", "end", "start_period", "end_period", "origin", "motif", "similarity", "cadence")
EPSILON = 1e-6


class Operations(NamedTuple):
    """The functions that differ between numpy and torch; `dropout` changes numbers in training only.

    `one_hot` turns indices (...,) into vectors (..., classes), which are 0 for an index of `classes`.
    """

    softmax: Callable[[Array], Array]  # over the last axis
    gather: Callable[[Array, Array], Array]  # along the last axis
    dropout: Callable[[Array], Array]
    one_hot: Callable[[Array, int], Array]


class Network(NamedTuple):
    """The weights of a sketch network, with the operations of numpy or torch."""

    weights: Mapping[str, Array]
    config: SketchConfig
    ops: Operations

    def biases(self, x: Mapping[str, Array]) -> dict[str, Array]:
        """Return the biases of the attention scores (heads, T, T), inputs of the methods below.

        They depend on how far apart two bars are, and on whether one returns to the other.
        """
        w, biases = self.weights, {}
        for name in (*PART_LAYERS, *(f"layers.{number}" for number in range(self.config.layers))):
            near = w[f"{name}.distance"][x["distance"]] + w[f"{name}.distance_period"][x["distance_period"]]
            bias = BIAS_SCALE * (near + w[f"{name}.relation"][x["relation"]])  # (T, T, heads)
            bias = bias.swapaxes(-1, -3).swapaxes(-1, -2)
            biases[f"{name}.bias"] = bias + x["bar_padding"][..., None, None, :]
        return biases

    def read_parts(self, x: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the embedding of each part (P, 1, p) and the hidden state of each of its bars (P, T, p)."""
        w = self.weights
        part = w["family"][x["family"]] + w["program"][x["program"]] + w["instance"][x["instance"]]
        part = part + w["presence"][x["presence"]]
        part = part[..., None, :]
        bars = (part + w["notes"][x["notes"]] + w["pitch"][x["pitch"]]).clip(0) @ w["part_in"]
        near = [x[name][..., None, :, :] @ bars @ w[f"part_{name}"] for name in NEIGHBOURS]
        bars = bars + near[0] + near[1] + near[2]
        bars = self._layer("part_layers.0", bars, x["part_layers.0.bias"][..., None, :, :, :])
        return part, self._attend_to_parts(PART_ATTENTIONS[0], x, bars)

    def read_bars(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the hidden state of each bar (T, d)."""
        w = self.weights
        song = x["label"] @ w["label"] + x["song"] @ w["song"] + x["profile"] @ w["profile"]
        bars = song[..., None, :] + x["bar"] @ w["bar"]
        for name in (*BAR_TABLES, *CLOSINGS):
            bars = bars + w[name][x[name]]
        chords = w["root"][x["root"]] + w["kind"][x["kind"]]
        bars = bars + chords.reshape(*chords.shape[:-2], -1) @ w["chord"]
        bars = bars + self._mean_of_parts(x, part_bars) @ w["part_to_bar"]
        near = [x[name] @ bars @ w[name] for name in NEIGHBOURS]
        bars = bars + near[0] + near[1] + near[2]
        for number in range(self.config.layers):
            bars = self._layer(f"layers.{number}", bars, x[f"layers.{number}.bias"])
        return _normed(bars, w["out_norm"])

    def write_parts(self, x: Mapping[str, Array], part: Array, part_bars: Array, bars: Array) -> Array:
        """Return the state (P, T, p) from which the textures of each part are predicted.

        `part` and `part_bars` are those of `read_parts`, `bars` (T, d) are those of `read_bars`.
        """
        w = self.weights
        mean = self._mean_of_parts(x, part_bars) @ w["mean_to_part"] + bars @ w["bar_to_part"]
        state = part_bars + part + mean[..., None, :, :]
        state = self._attend_to_parts(PART_ATTENTIONS[1], x, state)
        state = self._layer("part_layers.1", state, x["part_layers.1.bias"][..., None, :, :, :])
        return _normed(state, w["part_norm"])

    def pointer_logits(self, name: str, x: Mapping[str, Array], bars: Array) -> tuple[Array, Array]:
        """Return the logits of "origin" or "motif": of no earlier bar (T, 1), and of each bar (T, T)."""
        w = self.weights
        query, key = bars @ w[f"{name}_query"], bars @ w[f"{name}_key"]
        by_lag = (query @ w[f"{name}_lag"].swapaxes(0, 1)) + w[f"{name}_lag_bias"][:, 0]
        lag = x["lag"]
        scores = (query @ key.swapaxes(-1, -2) + self.ops.gather(by_lag, lag)) * bars.shape[-1] ** -0.5
        for relation in RELATION_INPUTS:
            scores = scores + BIAS_SCALE * w[f"{name}_{relation}"][:, 0][x[relation]]
        by_relation = bars @ w[f"{name}_by_relation"]
        for number, relation in enumerate(RELATION_INPUTS):
            of_relation = by_relation[..., number * RELATIONS : (number + 1) * RELATIONS]
            scores = scores + self.ops.gather(of_relation, x[relation])
        return bars @ w[f"{name}_none"], scores

    def bar_logits(self, name: str, bars: Array) -> Array:
        """Return the logits (T, classes) of "similarity", "cadence" or one of CLOSINGS."""
        logits = bars @ self.weights[f"{name}_out"]
        return logits + self.weights[f"{name}_bias"] if name in CLOSINGS else logits

    def chord_logits(self, x: Mapping[str, Array], bars: Array, at: tuple[Array, ...]) -> Array:
        """Return the logits (N, CHORDS) of the chords at the indices `at` of bar and slot, (N,) each.

        Chords of near slots, and those that the song has anywhere, get a bonus, because chords return.
        """
        w = self.weights
        hidden = bars[at[:-1]] @ w["chord_hidden"] + w["slot_out"][at[-1]]
        for name in ("before", "after", "origin"):
            chord = w["root"][x[f"root_{name}"][at]] + w["kind"][x[f"kind_{name}"][at]]
            hidden = hidden + chord @ w[f"chord_{name}"]
        hidden = hidden.clip(0)
        logits = hidden @ w["chord_out"] + w["chord_bias"]
        bonus = hidden @ w["chord_near"] + w["chord_near_bias"]  # (N, NEAR_CHORDS)
        near = self.ops.one_hot(x["chord_near"][at], CHORDS)  # (N, NEAR_CHORDS, CHORDS)
        logits = logits + (bonus[..., None, :] @ near)[..., 0, :]
        counts = x["chord_counts"][at[:-2]]  # (2, CHORDS), or in a batch (N, 2, CHORDS)
        return logits + ((hidden @ w["chord_counts"])[..., None, :] @ counts)[..., 0, :]

    def part_logits(self, name: str, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the logits of "notes" or "pitch" (P, T, classes).

        The classes in near bars and parts get a bonus each, because textures often return unchanged; so do
        the classes next to them, or other ones that follow from them by a table.
        """
        w, near = self.weights, x[f"{name}_near"]
        bonus = part_bars @ w[f"{name}_near"] + w[f"{name}_near_bias"]  # (P, T, NEAR)
        step = part_bars @ w[f"{name}_step"]
        logits = part_bars @ w[f"{name}_out"] + w[f"{name}_bias"] + (bonus[..., None, :] @ near)[..., 0, :]
        return logits + (step[..., None, :] @ near)[..., 0, :] @ w[f"{name}_steps"]

    def presence_logits(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the logits of the presence of each part (P, PRESENCES)."""
        inside = (x["bar_padding"] >= 0)[..., None, :, None]
        total = (part_bars * inside).sum(-2)
        return total / inside.sum(-2).clip(1) @ self.weights["presence_out"]

    def _mean_of_parts(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """The mean over parts (T, p)."""
        weight = x["part_weight"][..., None, None]
        return (part_bars * weight).sum(-3) / weight.sum(-3).clip(1)

    def _attend_to_parts(self, name: str, x: Mapping[str, Array], part_bars: Array) -> Array:
        """One layer of attention over the parts of each bar, (P, T, p)."""
        if not part_bars.shape[-3]:
            return part_bars
        bias = BIAS_SCALE * self.weights[f"{name}.part_distance"][x["part_distance"]]  # (P, P, heads)
        padding = PADDING * (1 - x["part_weight"])
        bias = bias.swapaxes(-1, -3).swapaxes(-1, -2) + padding[..., None, None, :]
        return self._layer(name, part_bars.swapaxes(-2, -3), bias[..., None, :, :, :]).swapaxes(-2, -3)

    def _layer(self, name: str, bars: Array, bias: Array) -> Array:
        """One layer of attention and a hidden layer, (..., T, width)."""
        w, heads = self.weights, self.config.heads
        width = bars.shape[-1]
        qkv = _normed(bars, w[f"{name}.attention_norm"]) @ w[f"{name}.qkv"]
        qkv = qkv.reshape(*qkv.shape[:-1], 3, heads, width // heads)
        query, key, value = (qkv[..., i, :, :].swapaxes(-2, -3) for i in range(3))
        scores = query @ key.swapaxes(-1, -2) * (width // heads) ** -0.5 + bias
        mixed = (self.ops.softmax(scores) @ value).swapaxes(-2, -3)
        mixed = mixed.reshape(*mixed.shape[:-2], width) @ w[f"{name}.mix"]
        bars = bars + self.ops.dropout(mixed)
        hidden = _normed(bars, w[f"{name}.hidden_norm"]) @ w[f"{name}.hidden"] + w[f"{name}.hidden_bias"]
        return bars + self.ops.dropout(hidden.clip(0) @ w[f"{name}.out"])


def _normed(x: Array, gain: Array) -> Array:
    """Divide by the root mean square of the last axis (Zhang and Sennrich, arXiv 1910.07467)."""
    mean = (x * x).sum(-1, keepdims=True) / x.shape[-1]  # faster than mean() of numpy
    return x * (mean + EPSILON) ** -0.5 * gain


def numpy_operations() -> Operations:
    """Return the operations of numpy."""

    def softmax(scores: Array) -> Array:
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)

    def one_hot(indices: Array, classes: int) -> Array:
        return np.eye(classes + 1, classes, dtype=np.float32)[indices]

    return Operations(softmax, lambda x, i: np.take_along_axis(x, i, -1), lambda x: x, one_hot)
