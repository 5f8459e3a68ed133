"""Songs as variables of sketches, and batches of them in which the network must predict hidden variables.

Different variables are hidden in each song, so that the network learns to predict any part of a sketch from
any other: a share of the variables of one kind and all later kinds, as when a sketch is sampled; or a share
of each kind; or a span of bars, or all bars except a span.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import GRID, MAX_BARS, Plan
from ritornello.sketching.inputs import (
    PADDING,
    Inputs,
    allowed_origins,
    context_inputs,
    pair_inputs,
    variable_inputs,
)
from ritornello.sketching.profile import GROUP_OF, GROUPS, plan_numbers, profile_inputs, profile_of
from ritornello.sketching.stages import SAME, SIMILAR
from ritornello.sketching.variables import ABSENT, CLOSINGS, NONE, OPEN, Ints, Mask, Variables, repeated_bars

MAX_BARS_LEARNT = 128  # of longer songs only the last bars are learnt
MAX_PARTS_LEARNT = 6  # of songs with more parts, others are chosen each time
STAGES = (
    "presence",
    "origin",
    "cadence",
    "chord",
    "closing",
    "motif",
    "notes",
)  # the order in which sketches are sampled
STAGE_WEIGHTS = np.array([1, 4, 3, 6, 3, 3, 5]) / 25
# The share of songs of which one kind and all later kinds are hidden, and of those of which a share of each
# kind is hidden; of the other songs a span of bars is hidden or shown
STAGED_SHARE, MIXED_SHARE = 0.7, 0.1
PART_SUBSET_SHARE = 0.3  # in this share of the songs with several parts, some parts are left out
UNLABELLED_SHARE = 0.1
# In these shares of songs the whole profile, or the numbers of each kind of variable, are unknown. Noise of
# this standard deviation is added to numbers, so that no song is known by them
NO_PROFILE_SHARE, NO_GROUP_SHARE, PROFILE_NOISE = 0.15, 0.15, 0.03
IGNORED = -100  # the target of a variable that is not learnt
BAR_VARIABLES = ("origin", "similarity", "cadence", "chord", *CLOSINGS, "motif")
BAR_INPUTS = ("start", "end", "start_period", "end_period", "bar", "bar_padding", "slots")
PAIR_INPUTS = ("relation", "relation_before", "relation_after", "before", "after", "from_origin")
PART_INPUTS = ("family", "program", "instance", "part_weight")


class SketchSong(NamedTuple):
    """A song as the sketch network learns it: its variables, context, and the length of each bar (T,)."""

    variables: Variables
    context: Inputs
    length_ticks: Ints
    label: str
    plan_numbers: npt.NDArray[np.float64]
    """What `profile.plan_numbers` says of its plan, (S,)."""

    @classmethod
    def of(cls, plan: Plan, labels: Sequence[str]) -> SketchSong:
        """Return the song of a plan whose chords, returns and sketch are known."""
        timeline = replace(plan, returns=None).timeline(GRID)
        context = context_inputs(plan, timeline, labels)
        variables = Variables.of(plan, timeline, np.zeros(len(timeline), bool))
        label = next((name for name, _ in plan.genres), "")
        song = cls(variables, context, timeline.length_ticks, label, plan_numbers(plan, len(timeline)))
        return song.last_bars(MAX_BARS_LEARNT)

    def last_bars(self, count: int) -> SketchSong:
        """Return the song from bar `len - count` on; pointers to earlier bars are open."""
        first = max(0, len(self.length_ticks) - count)
        if not first:
            return self
        v = self.variables
        bars = {name: getattr(v, name)[first:] for name in BAR_VARIABLES}
        for name in ("origin", "motif"):
            bars[name] = np.where(bars[name] >= 0, bars[name] - first, bars[name])
            bars[name][(getattr(v, name)[first:] >= 0) & (bars[name] < 0)] = OPEN
        variables = replace(v, **bars, notes=v.notes[:, first:], pitch=v.pitch[:, first:])
        context = {n: array[first:] if n in BAR_INPUTS else array for n, array in self.context.items()}
        context |= {name: context[name][first:, first:] for name in ("before", "after")}
        return self._replace(variables=variables, context=context, length_ticks=self.length_ticks[first:])

    def with_parts(self, parts: Ints) -> SketchSong:
        """Return the song with some of its parts."""
        v = self.variables
        variables = replace(v, presence=v.presence[parts], notes=v.notes[parts], pitch=v.pitch[parts])
        context = {n: array[parts] if n in PART_INPUTS else array for n, array in self.context.items()}
        return self._replace(variables=variables, context=context)


@dataclass
class SketchBatch:
    """A padded batch: inputs such as (B, T), and for each variable the class to be predicted, or IGNORED."""

    inputs: dict[str, npt.NDArray[Any]]
    targets: dict[str, npt.NDArray[np.int64]]


def sketch_songs(plans: Iterable[Plan], labels: Sequence[str]) -> list[SketchSong]:
    """Return the songs of plans, without those that have no bars or too many."""
    return [
        SketchSong.of(plan, labels) for plan in plans if plan.bars and plan.bars <= MAX_BARS and plan.parts
    ]


def make_batch(songs: Sequence[SketchSong], generator: np.random.Generator) -> SketchBatch:
    """Return a batch in which some variables of each song are hidden at random."""
    examples = []
    for song in songs:
        count = len(song.variables.notes)
        is_subset = count > 1 and generator.random() < PART_SUBSET_SHARE
        size = min(int(generator.integers(1, count)) if is_subset else count, MAX_PARTS_LEARNT)
        if size < count:
            song = song.with_parts(np.sort(generator.choice(count, size, replace=False)))
        if generator.random() < UNLABELLED_SHARE:
            song = song._replace(context=song.context | {"label": 0 * song.context["label"]})
        profile = noisy_profile(song.variables, generator)
        song = song._replace(context=song.context | {"profile": profile_inputs(profile)})
        shown = hide(song.variables, generator)
        examples.append((song, variable_inputs(shown), _targets(song, shown)))
    return _padded(examples)


def noisy_profile(variables: Variables, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the profile (K,) of a song with noise, of which some or all numbers are unknown (NaN)."""
    profile = profile_of(variables)
    profile += PROFILE_NOISE * generator.standard_normal(len(profile))
    unknown = generator.random(len(GROUPS)) < NO_GROUP_SHARE
    unknown |= generator.random() < NO_PROFILE_SHARE
    profile[unknown[GROUP_OF]] = np.nan
    return np.asarray(np.clip(profile, 0, 1))


def hide(variables: Variables, generator: np.random.Generator) -> Variables:
    """Return the variables with some of them OPEN: with an origin its similarity, with notes their pitch."""
    shown, draw = variables.copy(), generator.random
    bars, chosen = len(variables.cadence), draw()
    if chosen < STAGED_SHARE:
        stage = int(generator.choice(len(STAGES), p=STAGE_WEIGHTS))
        shares = {name: [0.0, draw(), 1.0][(n >= stage) + (n > stage)] for n, name in enumerate(STAGES)}
        _hide_shares(shown, shares, np.ones(bars, bool), generator, with_copies=True)
    elif chosen < STAGED_SHARE + MIXED_SHARE:
        shares = {name: float(np.clip(draw() * 1.5 - 0.25, 0, 1)) for name in STAGES}
        _hide_shares(shown, shares, np.ones(bars, bool), generator)
    else:
        first, last = np.sort(generator.integers(0, bars + 1, 2))
        inside = (np.arange(bars) >= first) & (np.arange(bars) < last)
        inside = inside if draw() < 0.5 else ~inside
        stage = int(generator.integers(len(STAGES)))
        shares = {name: [0.0, draw(), 1.0][(n >= stage) + (n > stage)] for n, name in enumerate(STAGES)}
        _hide_shares(shown, shares | {"presence": 1.0}, inside, generator)
    if draw() < 0.3:  # some parts are given as a whole
        is_given = draw(len(shown.notes)) < draw()
        for name in ("notes", "pitch", "presence"):
            getattr(shown, name)[is_given] = getattr(variables, name)[is_given]
    shown.similarity[shown.origin == OPEN] = OPEN
    shown.pitch[shown.notes == OPEN] = OPEN
    for name in CLOSINGS:
        closing = getattr(shown, name)
        closing[(shown.cadence == OPEN) & (closing != ABSENT)] = OPEN
    return shown


def _hide_shares(
    shown: Variables,
    shares: dict[str, float],
    bars: Mask,
    generator: np.random.Generator,
    *,
    with_copies: bool = False,
) -> None:
    """Hide a share of the variables of each stage in some bars (T,).

    With `with_copies`, a value that a bar repeats is hidden in both bars or in none, as in sampling.
    """
    draw = generator.random
    own = np.arange(len(bars))
    similar = repeated_bars(shown, SIMILAR, same_cadence=True) if with_copies else own
    same = repeated_bars(shown, SAME, same_cadence=False) if with_copies else own
    for name in ("origin", "cadence", "motif"):
        getattr(shown, name)[bars & (draw(len(bars)) < shares[name])] = OPEN
    shown.similarity[bars & (draw(len(bars)) < max(shares["origin"], draw()))] = OPEN
    hidden = bars[:, None] & (draw(shown.chord.shape)[similar] < shares["chord"]) & (shown.chord >= 0)
    shown.chord[hidden] = OPEN
    for name in CLOSINGS:
        closing = getattr(shown, name)
        closing[bars & (draw(len(bars))[similar] < shares["closing"]) & (closing >= 0)] = OPEN
    shown.notes[bars & (draw(shown.notes.shape)[:, same] < shares["notes"])] = OPEN
    hidden = bars & (draw(shown.pitch.shape)[:, same] < (1 + shares["notes"]) / 2)
    shown.pitch[hidden & (shown.pitch != NONE)] = OPEN
    shown.presence[draw(len(shown.presence)) < shares["presence"]] = OPEN


def _targets(song: SketchSong, shown: Variables) -> dict[str, npt.NDArray[np.int64]]:
    """The class of each hidden variable that the `shown` ones can predict; pointers count from 1."""
    true = song.variables
    targets = {}
    for name in ("origin", "motif"):
        targets[name] = np.where(getattr(true, name) == OPEN, IGNORED, getattr(true, name) + 1)
    targets["similarity"] = np.where(shown.origin >= 0, true.similarity, IGNORED)
    targets["cadence"], targets["chord"], targets["presence"] = true.cadence, true.chord, true.presence
    targets["notes"] = true.notes
    for name in CLOSINGS:
        targets[name] = np.where(shown.cadence > 0, getattr(true, name), IGNORED)
    targets["pitch"] = np.where(shown.notes > 0, true.pitch, IGNORED)
    return {
        name: np.where((getattr(shown, name) == OPEN) & (target >= 0), target, IGNORED)
        for name, target in targets.items()
    }


def _padded(examples: Sequence[tuple[SketchSong, Inputs, dict[str, Any]]]) -> SketchBatch:
    """Join examples; padding has arbitrary inputs, and is not learnt."""
    bars = max(len(song.length_ticks) for song, _, _ in examples)
    parts = max(len(song.variables.notes) for song, _, _ in examples)
    joined = [{**song.context, **inputs} for song, inputs, _ in examples]
    inputs = {
        name: _stack([one[name] for one in joined], name, bars, parts)
        for name in joined[0]
        if name != "slots"
    }
    for example, (song, _, _) in enumerate(examples):
        inputs["bar_padding"][example, len(song.length_ticks) :] = PADDING
    inputs |= pair_inputs(bars, parts)
    allowed = [allowed_origins(song.length_ticks) for song, _, _ in examples]
    inputs["allowed"] = _stack(allowed, "relation", bars, parts)
    targets = {
        name: _stack([target[name] for _, _, target in examples], name, bars, parts, IGNORED)
        for name in examples[0][2]
    }
    return SketchBatch(inputs, targets)


def _stack(
    arrays: Sequence[npt.NDArray[Any]], name: str, bars: int, parts: int, fill: int = 0
) -> npt.NDArray[Any]:
    """Stack arrays (...) of one name as (B, ...), padded to so many bars and parts."""
    shape = list(arrays[0].shape)
    if name in (*PART_INPUTS, "presence"):
        shape[0] = parts
    elif name in ("notes", "pitch", "notes_near", "pitch_near"):
        shape[:2] = parts, bars
    elif name in PAIR_INPUTS:
        shape[:2] = bars, bars
    elif name not in ("label", "song", "profile", "chord_counts"):
        shape[0] = bars
    stacked = np.full((len(arrays), *shape), fill, arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return stacked
