"""The sizes of the sketch network, and the names and shapes of its weights.

The state of a bar has d numbers, that of a bar of a part p.
"""

from __future__ import annotations

from typing import NamedTuple

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
    NEAR_CHORDS,
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
    MEAN_PITCH_CLASSES,
    NOTE_CLASSES,
    PRESENCES,
    SIMILARITIES,
    SLOTS,
)  # fmt: skip

Shapes = dict[str, tuple[int, ...]]
CHORD_EMBEDDING = 32
TEXTURES = ("notes", "pitch")
PART_ATTENTIONS = ("part_attention.0", "part_attention.1")  # of textures as they are read and predicted
PART_LAYERS = ("part_layers.0", "part_layers.1")  # over the bars of each part
RELATION_INPUTS = ("relation", "relation_before", "relation_after")


class SketchConfig(NamedTuple):
    """The sizes of a sketch network."""

    labels: int = 0
    width: int = 96  # of a bar
    layers: int = 6
    heads: int = 4
    part_width: int = 48  # of a bar of a part
    profiles: int = 0  # the number of stored profiles of songs


def weight_shapes(config: SketchConfig) -> Shapes:
    """Return the names and shapes of all weights."""
    d, p = config.width, config.part_width
    shapes: Shapes = {
        "label": (max(config.labels, 1), d), "song": (SONG_NUMBERS, d), "bar": (BAR_NUMBERS, d),
        "profile": (PROFILE_INPUTS, d),
        "start": (MAX_PLACE + 1, d), "end": (MAX_PLACE + 1, d),
        "start_period": (PERIOD, d), "end_period": (PERIOD, d),
        "origin": (LAG_OPEN + 1, d), "motif": (LAG_OPEN + 1, d),
        "similarity": (SIMILARITIES + 1, d), "cadence": (CADENCES + 1, d),
        "root": (15, CHORD_EMBEDDING), "kind": (KINDS + 3, CHORD_EMBEDDING),
        "chord": (SLOTS * CHORD_EMBEDDING, d),
        "family": (len(FAMILIES) + 1, p), "program": (129, p), "instance": (MAX_INSTANCES**2, p),
        "presence": (PRESENCES + 1, p),
        "notes": (NOTE_CLASSES + 1, p), "pitch": (MEAN_PITCH_CLASSES + 2, p),
        "before": (d, d), "after": (d, d), "from_origin": (d, d),
        "part_before": (p, p), "part_after": (p, p), "part_from_origin": (p, p),
        "chord_before": (CHORD_EMBEDDING, d), "chord_after": (CHORD_EMBEDDING, d),
        "chord_origin": (CHORD_EMBEDDING, d),
        "part_in": (p, p), "part_to_bar": (p, d), "bar_to_part": (d, p), "mean_to_part": (p, p),
        "out_norm": (d,), "part_norm": (p,),
        "similarity_out": (d, SIMILARITIES), "cadence_out": (d, CADENCES),
        "slot_out": (SLOTS, d), "chord_hidden": (d, d), "chord_out": (d, CHORDS), "chord_bias": (CHORDS,),
        "notes_out": (p, NOTE_CLASSES), "pitch_out": (p, MEAN_PITCH_CLASSES), "presence_out": (p, PRESENCES),
        "notes_bias": (NOTE_CLASSES,), "pitch_bias": (MEAN_PITCH_CLASSES,),
    }  # fmt: skip
    for name, size in zip(CLOSINGS, (CLOSING_ONSETS, CLOSING_PITCHES), strict=True):
        shapes |= {name: (size + 3, d), f"{name}_out": (d, size), f"{name}_bias": (size,)}
    for name in ("origin", "motif"):
        shapes[f"{name}_by_relation"] = (d, len(RELATION_INPUTS) * RELATIONS)
        shapes |= {f"{name}_query": (d, d), f"{name}_key": (d, d), f"{name}_none": (d, 1)}
        shapes |= {f"{name}_lag": (MAX_LAG + 1, d), f"{name}_lag_bias": (MAX_LAG + 1, 1)}
        shapes |= {f"{name}_{relation}": (RELATIONS, 1) for relation in RELATION_INPUTS}
    for number in range(config.layers):
        shapes |= _layer_shapes(f"layers.{number}", d, config.heads)
    for name in PART_LAYERS:
        shapes |= _layer_shapes(name, p, config.heads)
    for name in PART_ATTENTIONS:
        shapes |= _attention_shapes(name, p)
        shapes[f"{name}.part_distance"] = (2 * MAX_PART_DISTANCE + 1, config.heads)
    return shapes | _bonus_shapes(d, p)


def _bonus_shapes(d: int, p: int) -> Shapes:
    """The weights of the bonuses for chords and textures of near places."""
    shapes: Shapes = {
        "chord_near": (d, NEAR_CHORDS), "chord_near_bias": (NEAR_CHORDS,), "chord_counts": (d, 2),
    }  # fmt: skip
    for name, size in zip(TEXTURES, (NOTE_CLASSES, MEAN_PITCH_CLASSES), strict=True):
        shapes |= {f"{name}_near": (p, NEAR), f"{name}_near_bias": (NEAR,)}
        shapes |= {f"{name}_step": (p, NEAR), f"{name}_steps": (size, size)}
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
