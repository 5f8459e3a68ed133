"""The inputs of the sketch network: the context of a song, which is always known, and the variables.

Most inputs are indices of rows of the network's embedding tables (`forward.weight_shapes`). Open and absent
values have rows of their own, after those of the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.models.plan_vector import METERS, TEMPO_KNOTS
from ritornello.music.plan import Plan
from ritornello.music.theory import FAMILIES
from ritornello.music.timeline import Timeline
from ritornello.sketching.variables import (
    ABSENT,
    CADENCES,
    CHORDS,
    CLOSING_ONSETS,
    CLOSING_PITCHES,
    CLOSINGS,
    KINDS,
    MEAN_PITCH_CLASSES,
    NO_CHORD,
    NONE,
    NOTE_CLASSES,
    OPEN,
    PRESENCES,
    SIMILARITIES,
    SLOTS,
    Ints,
    Variables,
    slot_counts,
)  # fmt: skip

Inputs = dict[str, npt.NDArray[np.generic]]
# Limits beyond which the network makes no difference
MAX_PLACE = 64  # bars from the start and from the end
MAX_LAG = 128  # bars between a bar and its origin
MAX_DISTANCE = 64  # bars between two bars, in attention
MAX_INSTANCES = 4  # parts of one program
MAX_PART_DISTANCE = 4  # parts between two parts of a bar, in attention
PADDING = -1e9  # added to the attention to bars and parts that pad a batch
# A bar may copy the texture of the bars at these distances, of the bar to which it returns, of the parts
# above and below in the same bar, of all other parts of the bar, and of all bars of the part (whether it has
# them, and how often). A chord may be that of the same slot in these bars and in the bar to which its bar
# returns, of the slots before and after it, and of all slots of the song
NEAR_BARS = (-8, -4, -2, -1, 1, 2, 4, 8)
FARTHEST = max(NEAR_BARS)
NEAR = len(NEAR_BARS) + 6
NEAR_CHORDS = len(NEAR_BARS) + 3
PERIOD = 16  # places and distances are also read modulo so many bars
PART_COUNT_KNOTS = (1, 2, 3, 4, 6, 8, 12, 16)
LENGTH_KNOTS = np.arange(11)  # logarithms to base 2 of numbers of bars
PLACE_KNOTS = np.linspace(0, 1, 9)
LAG_OPEN = MAX_LAG + 1  # 0 is NONE, then lags
SONG_NUMBERS = 3 + len(METERS) + 1 + len(TEMPO_KNOTS) + len(LENGTH_KNOTS) + len(PART_COUNT_KNOTS) + 1
BAR_NUMBERS = len(PLACE_KNOTS) + 2
RELATIONS = (
    9 * 3
)  # of two bars: which one returns to the other and how closely; which one has the other's motif


def context_inputs(plan: Plan, timeline: Timeline, labels: Sequence[str]) -> Inputs:
    """Return the inputs that are always known of a song, for a network with these labels.

    Arrays begin with an axis of bars (T, ...) or parts (P, ...); "label" and "song" are vectors (N,).
    """
    bars = np.arange(len(timeline))
    full_bar = np.median(timeline.length_ticks) if len(bars) else 0
    has_pickup = len(bars) > 1 and timeline.length_ticks[0] < timeline.length_ticks[1]
    start, end = np.maximum(bars - has_pickup, 0), len(bars) - 1 - bars
    lengths = np.stack([timeline.length_ticks < full_bar, timeline.length_ticks > full_bar], axis=1)
    weights = dict(plan.genres)
    label = np.array([weights.get(name, 0.0) for name in labels] or [0.0], np.float32)
    return {
        "label": label / max(label.sum(), 1e-9),
        "song": _song_numbers(plan, len(bars)),
        "start": np.minimum(start, MAX_PLACE),
        "end": np.minimum(end, MAX_PLACE),
        "start_period": start % PERIOD,
        "end_period": end % PERIOD,
        "bar": np.hstack([knots(bars / max(len(bars), 1), PLACE_KNOTS), lengths]).astype(np.float32),
        "slots": slot_counts(timeline),
        "family": np.array([len(FAMILIES) if p.is_drum else p.program // 8 for p in plan.parts], np.int64),
        "program": np.array([128 if p.is_drum else p.program for p in plan.parts], np.int64),
        "instance": _instances(plan),
        "bar_padding": np.zeros(len(bars), np.float32),  # PADDING for bars that pad a batch
        "part_weight": np.ones(len(plan.parts), np.float32),  # 0 for parts that pad a batch
        # matrices whose product with the states of bars is the states of the bars before, and after
        "before": np.eye(len(bars), k=-1, dtype=np.float32),
        "after": np.eye(len(bars), k=1, dtype=np.float32),
    }


def _instances(plan: Plan) -> Ints:
    """Return a class for each part (P,): its place among the parts of its program, and their number."""
    numbers = [128 if part.is_drum else part.program for part in plan.parts]
    places = [numbers[:place].count(number) for place, number in enumerate(numbers)]
    last = MAX_INSTANCES - 1
    pairs = zip(places, numbers, strict=True)
    classes = [min(p, last) * MAX_INSTANCES + min(numbers.count(n) - 1, last) for p, n in pairs]
    return np.array(classes, np.int64)


def pair_inputs(count: int, parts: int) -> Inputs:
    """Return the inputs for each pair of `count` bars, (T, T) each, and of `parts`, (P, P)."""
    apart = np.arange(count)[:, None] - np.arange(count)
    parts_apart = np.arange(parts)[:, None] - np.arange(parts)
    return {
        "part_distance": np.clip(parts_apart, -MAX_PART_DISTANCE, MAX_PART_DISTANCE) + MAX_PART_DISTANCE,
        "distance": np.clip(apart, -MAX_DISTANCE, MAX_DISTANCE) + MAX_DISTANCE,
        "distance_period": apart % PERIOD,
        "lag": np.clip(apart, 0, MAX_LAG),
    }


def allowed_origins(length_ticks: Ints) -> npt.NDArray[np.bool_]:
    """Return which bars (columns) each bar (row) can repeat, (T, T): earlier ones of the same length."""
    return np.tril(length_ticks[:, None] == length_ticks, -1)


def variable_inputs(variables: Variables) -> Inputs:
    """Return the indices of the variables, in arrays of the same shapes (T, ...), (P,) and (P, T)."""
    inputs: Inputs = {}
    for group in GROUPS:
        inputs |= group(variables)
    return inputs


def _pointer_inputs(variables: Variables) -> Inputs:
    """Return the inputs that say which bars return, and which motifs."""
    bars, relation = len(variables.origin), relations(variables)
    from_origin = np.zeros((bars, bars), np.float32)
    late = np.flatnonzero(variables.origin >= 0)
    from_origin[late, variables.origin[late]] = 1
    before, after = np.zeros_like(relation), np.zeros_like(relation)
    before[1:, 1:], after[:-1, :-1] = relation[:-1, :-1], relation[1:, 1:]
    return {
        "from_origin": from_origin,
        "relation": relation,
        "relation_before": before,  # of the bars before each two
        "relation_after": after,
        "origin": _lags(variables.origin),
        "motif": _lags(variables.motif),
    }


def _other_inputs(variables: Variables) -> Inputs:
    """Return the inputs of the variables of bars and parts without relations to others."""
    return {
        "similarity": np.where(variables.similarity == OPEN, SIMILARITIES, variables.similarity),
        "cadence": np.where(variables.cadence == OPEN, CADENCES, variables.cadence),
        "closing_onset": _closing_indices(variables.closing_onset, CLOSING_ONSETS),
        "closing_pitch": _closing_indices(variables.closing_pitch, CLOSING_PITCHES),
        "presence": np.where(variables.presence == OPEN, PRESENCES, variables.presence),
    }


def _texture_inputs(variables: Variables) -> Inputs:
    """Return the textures of parts, and those near them."""
    return {
        "notes_near": near_textures(variables.notes, variables.origin, NOTE_CLASSES),
        "pitch_near": near_textures(variables.pitch, variables.origin, MEAN_PITCH_CLASSES),
        "notes": np.where(variables.notes == OPEN, NOTE_CLASSES, variables.notes),
        "pitch": _indices(variables.pitch, {NONE: MEAN_PITCH_CLASSES, OPEN: MEAN_PITCH_CLASSES + 1}),
    }


def near_textures(values: Ints, origin: Ints, classes: int) -> npt.NDArray[np.float32]:
    """Return the classes in NEAR other places of a variable (P, T), as vectors (P, T, NEAR, classes).

    `origin` (T,) is the bar to which each bar returns. A vector is one-hot, or 0 where no class is known or
    no such place exists; of several places it has the share of each class, or 1 for those that occur.
    """
    parts, bars = values.shape
    padded = np.full((parts + 2, bars + 2 * FARTHEST), NONE)
    padded[1:-1, FARTHEST : FARTHEST + bars] = values
    near = [padded[1:-1, FARTHEST + away : FARTHEST + away + bars] for away in NEAR_BARS]
    near.append(np.where(origin >= 0, values[:, np.maximum(origin, 0)], NONE))
    near += [padded[first : first + parts, FARTHEST : FARTHEST + bars] for first in (0, 2)]
    table = np.eye(classes + 1, classes, dtype=np.float32)  # the last row is 0
    place = np.stack(near, axis=-1)
    known = table[np.where(values < 0, classes, values)]  # (P, T, classes)
    others, of_part = known.sum(0) - known, known.sum(1, keepdims=True) - known
    several = [_shares(others), np.minimum(of_part, 1), _shares(of_part)]
    near_vectors = table[np.where(place < 0, classes, place)]
    return np.concatenate([near_vectors, np.stack(several, axis=2)], axis=2, dtype=np.float32)


def _shares(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return counts (..., classes) divided by their sum, 0 if it is 0."""
    return np.asarray(counts / np.maximum(counts.sum(-1, keepdims=True), 1))


def _chord_inputs(variables: Variables) -> Inputs:
    """Return the chord of each slot, of the slots before and after it, and of the same slot in the origin."""
    chord, origin = variables.chord, variables.origin
    present = chord != ABSENT
    before, after = np.full_like(chord, ABSENT), np.full_like(chord, ABSENT)
    before[present] = np.append(ABSENT, chord[present])[:-1]
    after[present] = np.append(chord[present], ABSENT)[1:]
    repeated = np.where((origin >= 0)[:, None], chord[np.maximum(origin, 0)], ABSENT)
    inputs: Inputs = {}
    for name, values in {"": chord, "_before": before, "_after": after, "_origin": repeated}.items():
        root, kind = np.divmod(values, KINDS)
        for place, special in enumerate((NO_CHORD, OPEN, ABSENT)):
            is_special = values == special
            root[is_special], kind[is_special] = 12 + place, KINDS + place
        inputs["root" + name], inputs["kind" + name] = root, kind
    padded = np.full((len(chord) + 2 * FARTHEST, SLOTS), NONE)
    padded[FARTHEST : FARTHEST + len(chord)] = chord
    near = [padded[FARTHEST + bars : FARTHEST + bars + len(chord)] for bars in NEAR_BARS]
    near_chord = np.stack([*near, repeated, before, after], axis=-1)
    counts = np.bincount(chord[chord >= 0], minlength=CHORDS).astype(np.float32)
    inputs["chord_near"] = np.where(near_chord < 0, CHORDS, near_chord)  # (T, SLOTS, NEAR_CHORDS)
    inputs["chord_counts"] = np.stack([np.minimum(counts, 1), _shares(counts)])  # (2, CHORDS)
    return inputs


def relations(variables: Variables) -> Ints:
    """Return the class of each pair of bars (T, T), one of RELATIONS."""
    bars = len(variables.origin)
    classes = np.zeros((bars, bars), np.int64)
    late = np.flatnonzero(variables.origin >= 0)
    early = variables.origin[late]
    similarity = np.where(variables.similarity[late] > 0, variables.similarity[late], SIMILARITIES)
    classes[late, early] = similarity
    classes[early, late] = similarity + SIMILARITIES
    late = np.flatnonzero(variables.motif >= 0)
    classes[late, variables.motif[late]] += 9
    classes[variables.motif[late], late] += 18
    return classes


def _closing_indices(values: Ints, classes: int) -> Ints:
    return _indices(values, {NONE: classes, OPEN: classes + 1, ABSENT: classes + 2})


def _indices(values: Ints, special: dict[int, int]) -> Ints:
    """Return the values with the index of each special value instead of it."""
    found: Ints = values.copy()  # faster than numpy.select, which took a quarter of the time of a sketch
    for value, index in special.items():
        found[values == value] = index
    return found


def _lags(pointers: Ints) -> Ints:
    """Return the class (T,) of each pointer to an earlier bar: the number of bars back to it."""
    lags = np.minimum(np.arange(len(pointers)) - pointers, MAX_LAG)
    lags[pointers == NONE], lags[pointers == OPEN] = 0, LAG_OPEN
    return np.asarray(lags)


def _song_numbers(plan: Plan, bars: int) -> npt.NDArray[np.float32]:
    """Return the inputs (SONG_NUMBERS,) for mode, meter, tempo, length and parts."""
    mode, meter = np.zeros(3), np.zeros(len(METERS) + 1)
    mode[2 if plan.key is None else int(plan.key[1])] = 1
    main = plan.only_main_meter().meters[0][1:]
    meter[METERS.index(main) if main in METERS else len(METERS)] = 1
    tempo = knots(np.log(plan.bpm), np.log(TEMPO_KNOTS))
    length = knots(np.log2(max(bars, 1)), LENGTH_KNOTS)
    parts = knots(len(plan.parts), PART_COUNT_KNOTS)
    drums = [any(part.is_drum for part in plan.parts)]
    return np.concatenate([mode, meter, tempo, length, parts, drums]).astype(np.float32)


def knots(values: Any, at: Any) -> npt.NDArray[np.float64]:
    """Return the weights (..., K) of each value for K knots: 1 at a knot, falling to 0 at its neighbours."""
    count = len(np.asarray(at))
    place = np.interp(np.asarray(values), at, np.arange(count))
    return np.asarray(np.maximum(0, 1 - np.abs(np.arange(count) - place[..., None])))


GROUPS: dict[Callable[[Variables], Inputs], tuple[str, ...]] = {
    _pointer_inputs: ("origin", "similarity", "motif"),
    _chord_inputs: ("origin", "chord"),
    _texture_inputs: ("origin", "notes", "pitch"),
    _other_inputs: ("similarity", "cadence", "presence", *CLOSINGS),
}
"""The functions that compute the inputs of variables, and the kinds of variables that each of them reads."""
