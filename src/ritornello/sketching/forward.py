"""The computation of the sketch network, the same for torch (training) and numpy (composing).

The network is a bidirectional transformer whose positions are the bars. Biases of the attention depend on how
far apart two bars are, also modulo 16, and on whether one returns to the other. The textures of a part are
read and predicted by attention over the bars of that part, and over the parts of a bar; the classes of near
bars and parts get a bonus.
Parts and bars exchange means of their states. A pointer (origin, motif) has a score for each earlier bar.

Arrays are those of numpy or tensors of torch. T is the number of bars and P that of parts; the state of a bar
has d numbers, that of a bar of a part p. Any axes may come before those named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ritornello.music.theory import FAMILIES
from ritornello.sketching.inputs import (
    BAR_NUMBERS,
    LAG_OPEN,
    MAX_DISTANCE,
    MAX_INSTANCES,
    MAX_LAG,
    MAX_PART_DISTANCE,
    MAX_PLACE,
    NEAR,
    PADDING,
    PERIOD,
    RELATIONS,
    SONG_NUMBERS,
)  # fmt: skip
from ritornello.sketching.profile import PROFILE_INPUTS
from ritornello.sketching.variables import (
    CADENCES,
    CHORDS,
    CLOSING_ONSETS,
    CLOSING_PITCHES,
    CLOSINGS,
    KINDS,
    NOTE_CLASSES,
    PITCH_CLASSES,
    PRESENCES,
    SIMILARITIES,
    SLOTS,
)  # fmt: skip

Array = Any
Shapes = dict[str, tuple[int, ...]]
CHORD_EMBEDDING = 32
BIAS_SCALE = 8.0  # a factor of attention biases, because they must become larger than other weights
NEIGHBOURS = ("before", "after", "from_origin")
TEXTURES = ("notes", "pitch")
PART_ATTENTIONS = (
    "part_attention.0",
    "part_attention.1",
)  # when textures are read, and when they are predicted
RELATION_INPUTS = ("relation", "relation_before", "relation_after")
BAR_TABLES = ("start", "end", "start_period", "end_period", "origin", "motif", "similarity", "cadence")
EPSILON = 1e-6


class SketchConfig(NamedTuple):
    """The sizes of a sketch network."""

    labels: int = 0
    width: int = 96  # of a bar
    layers: int = 3
    heads: int = 4
    part_width: int = 48  # of a bar of a part
    has_closings: bool = True  # older networks do not predict closing notes
    copies_textures: bool = True  # from near bars and parts; older networks do not
    parts_attend: bool = True  # to the other parts of the same bar; in older networks they do not
    profiles: int = 0  # the number of stored profiles of songs; if 0, it knows nothing of profiles


class Operations(NamedTuple):
    """The functions that differ between numpy and torch; `dropout` changes numbers in training only."""

    softmax: Callable[[Array], Array]  # over the last axis
    gather: Callable[[Array, Array], Array]  # along the last axis
    dropout: Callable[[Array], Array]


def weight_shapes(config: SketchConfig) -> Shapes:
    """Return the names and shapes of all weights."""
    d, p = config.width, config.part_width
    shapes: Shapes = {
        "label": (max(config.labels, 1), d), "song": (SONG_NUMBERS, d), "bar": (BAR_NUMBERS, d),
        "start": (MAX_PLACE + 1, d), "end": (MAX_PLACE + 1, d),
        "start_period": (PERIOD, d), "end_period": (PERIOD, d),
        "origin": (LAG_OPEN + 1, d), "motif": (LAG_OPEN + 1, d),
        "similarity": (SIMILARITIES + 1, d), "cadence": (CADENCES + 1, d),
        "root": (15, CHORD_EMBEDDING), "kind": (KINDS + 3, CHORD_EMBEDDING),
        "chord": (SLOTS * CHORD_EMBEDDING, d),
        "family": (len(FAMILIES) + 1, p), "program": (129, p), "instance": (MAX_INSTANCES**2, p),
        "presence": (PRESENCES + 1, p),
        "notes": (NOTE_CLASSES + 1, p), "pitch": (PITCH_CLASSES + 2, p),
        "before": (d, d), "after": (d, d), "from_origin": (d, d),
        "part_before": (p, p), "part_after": (p, p), "part_from_origin": (p, p),
        "chord_before": (CHORD_EMBEDDING, d), "chord_after": (CHORD_EMBEDDING, d),
        "chord_origin": (CHORD_EMBEDDING, d),
        "part_in": (p, p), "part_to_bar": (p, d), "bar_to_part": (d, p), "mean_to_part": (p, p),
        "out_norm": (d,), "part_norm": (p,),
        "similarity_out": (d, SIMILARITIES), "cadence_out": (d, CADENCES),
        "slot_out": (SLOTS, d), "chord_hidden": (d, d), "chord_out": (d, CHORDS), "chord_bias": (CHORDS,),
        "notes_out": (p, NOTE_CLASSES), "pitch_out": (p, PITCH_CLASSES), "presence_out": (p, PRESENCES),
        "notes_bias": (NOTE_CLASSES,), "pitch_bias": (PITCH_CLASSES,),
    }  # fmt: skip
    if config.profiles:
        shapes["profile"] = (PROFILE_INPUTS, d)
    for name, size in zip(CLOSINGS, (CLOSING_ONSETS, CLOSING_PITCHES), strict=True):
        if config.has_closings:
            shapes |= {name: (size + 3, d), f"{name}_out": (d, size), f"{name}_bias": (size,)}
    if config.copies_textures:
        shapes |= {f"{name}_near": (p, NEAR) for name in TEXTURES}
        shapes |= {f"{name}_near_bias": (NEAR,) for name in TEXTURES}
    for name in ("origin", "motif"):
        shapes |= {f"{name}_query": (d, d), f"{name}_key": (d, d), f"{name}_none": (d, 1)}
        shapes |= {f"{name}_lag": (MAX_LAG + 1, d), f"{name}_lag_bias": (MAX_LAG + 1, 1)}
        shapes |= {f"{name}_{relation}": (RELATIONS, 1) for relation in RELATION_INPUTS}
    for number in range(config.layers):
        shapes |= _layer_shapes(f"layers.{number}", d, config.heads)
    for name in ("part_layers.0", "part_layers.1"):
        shapes |= _layer_shapes(name, p, config.heads)
    for name in PART_ATTENTIONS if config.parts_attend else ():
        shapes |= _attention_shapes(name, p)
        shapes[f"{name}.part_distance"] = (2 * MAX_PART_DISTANCE + 1, config.heads)
    return shapes


def _layer_shapes(name: str, width: int, heads: int) -> Shapes:
    biases = {
        "distance": (2 * MAX_DISTANCE + 1, heads), "distance_period": (PERIOD, heads),
        "relation": (RELATIONS, heads),
    }  # fmt: skip
    return _attention_shapes(name, width) | {f"{name}.{key}": shape for key, shape in biases.items()}


def _attention_shapes(name: str, width: int) -> Shapes:
    shapes = {
        "attention_norm": (width,), "qkv": (width, 3 * width), "mix": (width, width),
        "hidden_norm": (width,), "hidden": (width, 2 * width), "hidden_bias": (2 * width,),
        "out": (2 * width, width),
    }  # fmt: skip
    return {f"{name}.{key}": shape for key, shape in shapes.items()}


class Network(NamedTuple):
    """The weights of a sketch network, with the operations of numpy or torch."""

    weights: Mapping[str, Array]
    config: SketchConfig
    ops: Operations

    def read_parts(self, x: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the embedding of each part (P, 1, p) and the hidden state of each of its bars (P, T, p)."""
        w = self.weights
        part = w["family"][x["family"]] + w["program"][x["program"]] + w["instance"][x["instance"]]
        part = part + w["presence"][x["presence"]]
        part = part[..., None, :]
        bars = (part + w["notes"][x["notes"]] + w["pitch"][x["pitch"]]).clip(0) @ w["part_in"]
        near = [x[name][..., None, :, :] @ bars @ w[f"part_{name}"] for name in NEIGHBOURS]
        bars = bars + near[0] + near[1] + near[2]
        bars = self._layer("part_layers.0", bars, self._bias("part_layers.0", x, of_parts=True))
        return part, self._attend_to_parts(PART_ATTENTIONS[0], x, bars)

    def read_bars(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the hidden state of each bar (T, d)."""
        w = self.weights
        song = x["label"] @ w["label"] + x["song"] @ w["song"]
        if self.config.profiles:
            song = song + x["profile"] @ w["profile"]
        bars = song[..., None, :] + x["bar"] @ w["bar"]
        for name in (*BAR_TABLES, *(CLOSINGS if self.config.has_closings else ())):
            bars = bars + w[name][x[name]]
        chords = w["root"][x["root"]] + w["kind"][x["kind"]]
        bars = bars + chords.reshape(*chords.shape[:-2], -1) @ w["chord"]
        bars = bars + self._mean_of_parts(x, part_bars) @ w["part_to_bar"]
        near = [x[name] @ bars @ w[name] for name in NEIGHBOURS]
        bars = bars + near[0] + near[1] + near[2]
        for number in range(self.config.layers):
            name = f"layers.{number}"
            bars = self._layer(name, bars, self._bias(name, x))
        return _normed(bars, w["out_norm"])

    def write_parts(self, x: Mapping[str, Array], part: Array, part_bars: Array, bars: Array) -> Array:
        """Return the state (P, T, p) from which the textures of each part are predicted.

        `part` and `part_bars` are those of `read_parts`, `bars` (T, d) are those of `read_bars`.
        """
        w = self.weights
        mean = self._mean_of_parts(x, part_bars) @ w["mean_to_part"] + bars @ w["bar_to_part"]
        state = part_bars + part + mean[..., None, :, :]
        state = self._attend_to_parts(PART_ATTENTIONS[1], x, state)
        bias = self._bias("part_layers.1", x, of_parts=True)
        return _normed(self._layer("part_layers.1", state, bias), w["part_norm"])

    def pointer_logits(self, name: str, x: Mapping[str, Array], bars: Array) -> tuple[Array, Array]:
        """Return the logits of "origin" or "motif": of no earlier bar (T, 1), and of each bar (T, T)."""
        w = self.weights
        query, key = bars @ w[f"{name}_query"], bars @ w[f"{name}_key"]
        by_lag = (query @ w[f"{name}_lag"].swapaxes(0, 1)) + w[f"{name}_lag_bias"][:, 0]
        lag = x["lag"]
        scores = (query @ key.swapaxes(-1, -2) + self.ops.gather(by_lag, lag)) * bars.shape[-1] ** -0.5
        for relation in RELATION_INPUTS:
            scores = scores + BIAS_SCALE * w[f"{name}_{relation}"][:, 0][x[relation]]
        return bars @ w[f"{name}_none"], scores

    def bar_logits(self, name: str, bars: Array) -> Array:
        """Return the logits (T, classes) of "similarity", "cadence" or one of CLOSINGS."""
        logits = bars @ self.weights[f"{name}_out"]
        return logits + self.weights[f"{name}_bias"] if name in CLOSINGS else logits

    def chord_logits(self, x: Mapping[str, Array], bars: Array, at: tuple[Array, ...]) -> Array:
        """Return the logits (N, CHORDS) of the chords at the indices `at` of bar and slot, (N,) each."""
        w = self.weights
        hidden = bars[at[:-1]] @ w["chord_hidden"] + w["slot_out"][at[-1]]
        for name in ("before", "after", "origin"):
            chord = w["root"][x[f"root_{name}"][at]] + w["kind"][x[f"kind_{name}"][at]]
            hidden = hidden + chord @ w[f"chord_{name}"]
        return hidden.clip(0) @ w["chord_out"] + w["chord_bias"]

    def part_logits(self, name: str, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the logits of "notes" or "pitch" (P, T, classes).

        The classes in near bars and parts get a bonus each, because textures often return unchanged.
        """
        w = self.weights
        logits = part_bars @ w[f"{name}_out"] + w[f"{name}_bias"]
        if not self.config.copies_textures:
            return logits
        bonus = part_bars @ w[f"{name}_near"] + w[f"{name}_near_bias"]  # (P, T, NEAR)
        return logits + (bonus[..., None, :] @ x[f"{name}_near"])[..., 0, :]

    def presence_logits(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """Return the logits of the presence of each part (P, PRESENCES)."""
        inside = (x["bar_padding"] >= 0)[..., None, :, None]
        total = (part_bars * inside).sum(-2)
        return total / inside.sum(-2).clip(1) @ self.weights["presence_out"]

    def _mean_of_parts(self, x: Mapping[str, Array], part_bars: Array) -> Array:
        """The mean over parts (T, p)."""
        weight = x["part_weight"][..., None, None]
        return (part_bars * weight).sum(-3) / weight.sum(-3).clip(1)

    def _bias(self, name: str, x: Mapping[str, Array], of_parts: bool = False) -> Array:
        """Return the bias of the attention scores (heads, T, T); `of_parts` gives (1, heads, T, T)."""
        w = self.weights
        near = w[f"{name}.distance"][x["distance"]] + w[f"{name}.distance_period"][x["distance_period"]]
        bias = BIAS_SCALE * (near + w[f"{name}.relation"][x["relation"]])
        bias = bias.swapaxes(-1, -3).swapaxes(-1, -2) + x["bar_padding"][..., None, None, :]
        return bias[..., None, :, :, :] if of_parts else bias

    def _attend_to_parts(self, name: str, x: Mapping[str, Array], part_bars: Array) -> Array:
        """One layer of attention over the parts of each bar, (P, T, p)."""
        if not self.config.parts_attend or not part_bars.shape[-3]:
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
    return x * ((x * x).mean(-1, keepdims=True) + EPSILON) ** -0.5 * gain


def numpy_operations() -> Operations:
    """Return the operations of numpy."""

    def softmax(scores: Array) -> Array:
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)

    return Operations(softmax, lambda x, i: np.take_along_axis(x, i, -1), lambda x: x)
