"""Sample the open variables of a sketch, one kind after another.

The kinds are sampled from the large to the small: how much each part plays, form, phrase ends, chords,
closing notes, motifs, textures. Within a kind, each pass of the network predicts all open variables, and
some of them are drawn: random ones, or in careful stages those with the lowest entropy. The number of the
latter is limited: the sum of their entropies, without the largest, is at most MAX_ENTROPY, because it bounds
how much they depend on each other (Ben-Hamu et al., "Accelerated Sampling from Masked Diffusion Models via
Entropy Bounded Unmasking", arXiv 2505.24857). See stages.py for the temperatures.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ritornello.music.plan import GRID, Plan
from ritornello.music.sketch import CLOSED, END, NO_CADENCE
from ritornello.sketching.draw import Floats, draw_classes, entropy_of, lowest, probabilities_at
from ritornello.sketching.forward import Array, Network
from ritornello.sketching.inputs import GROUPS, Inputs, allowed_origins, context_inputs, pair_inputs
from ritornello.sketching.profile import Profiles, known_groups, no_profile, profile_inputs
from ritornello.sketching.stages import (
    CREATIVITIES,
    CUTS,
    HIGHEST,
    KEY_TRIES,
    LAST_BAR_TEMPERATURE,
    LOWEST,
    MAX_ENTROPY,
    OTHER_TEMPERATURE,
    SAME,
    SIMILAR,
    STAGES,
    TEMPERATURES,
    Stage,
)
from ritornello.sketching.variables import (
    CLOSINGS,
    NONE,
    OPEN,
    Ints,
    Mask,
    Variables,
    chords_of,
    chords_outside_mode,
    key_of_chords,
    late_onsets,
    repeated_bars,
    sketch_of,
    unusual_pitches,
)  # fmt: skip


class Filling:
    """A sketch whose open variables are being sampled."""

    def __init__(
        self,
        network: Network,
        labels: Sequence[str],
        plan: Plan,
        open_bars: Mask | None,
        generator: np.random.Generator,
        creativity: float,
        required: Collection[int] = (),
        without_rests: Collection[int] = (),
    ) -> None:
        """The chords of `open_bars` (T,) are open. See `Sketcher.fill`.

        Each of the parts `required` is planned to play in a quarter of the bars or more, before its textures
        are drawn. Parts `without_rests` play in all bars in which they are open.
        """
        self._labels, self._required, self._without_rests = labels, required, without_rests
        self._network, self._plan, self._generator = network, plan, generator
        self._creativity = creativity
        self._cut = float(np.interp(creativity, CREATIVITIES, CUTS))
        self._bars = replace(plan, returns=None, sketch=None).timeline(GRID)
        self._variables = Variables.of(plan, self._bars, open_bars)
        self._context = context_inputs(plan, self._bars, labels)
        self._context |= pair_inputs(len(self._bars), len(plan.parts))
        self._context["profile"] = profile_inputs(no_profile())
        self._allowed = allowed_origins(self._bars.length_ticks)
        self._unusual_pitches = unusual_pitches(plan.parts)
        self._late_onsets = late_onsets(self._bars.length_ticks)
        self._has_known_chords = ~(self._variables.chord == OPEN).any(axis=1)  # (T,)
        self._chords_outside_mode = chords_outside_mode(plan)
        self._inputs: dict[Any, Inputs] = {}  # by group of GROUPS; what is missing is computed anew
        self._biases: dict[str, Array] | None = None  # of the network; None: to be computed anew
        self._part_states: tuple[Array, Array] | None = None

    def draw_profile(self, profiles: Profiles) -> None:
        """Draw a profile as an input of the network.

        Numbers that describe a kind of variables of which some are known stay unknown.
        """
        profile = profiles.draw(self._plan, len(self._bars), self._labels, self._generator)
        profile = np.where(known_groups(self._variables), np.nan, profile)
        self._context["profile"] = profile_inputs(profile)

    def plan(self) -> Plan:
        """Return the plan with nothing open."""
        v = self._variables
        v.cadence[-1:][v.cadence[-1:] == OPEN] = END
        v.similarity[v.origin == NONE] = 0
        for stage in STAGES:
            self._find_sources(stage.kinds)
            if stage.kinds == ("chord",):
                self._sample_chords(stage)
            else:
                self._sample(stage)
        plan, known = self._plan, self._has_known_chords
        chords = plan.chords if known.all() else chords_of(v, plan, self._bars, known)
        returns = tuple(zip(v.origin.tolist(), v.similarity.tolist(), strict=True))
        return replace(plan, chords=chords, returns=returns, sketch=sketch_of(v, plan, self._generator))

    def _find_sources(self, kinds: Sequence[str]) -> None:
        """Set `_source` (T,): the bar whose values each bar repeats, or the bar itself; copy known values."""
        v, least = self._variables, SAME if "notes" in kinds or "motif" in kinds else SIMILAR
        self._source = repeated_bars(v, least, same_cadence=least != SAME)
        if "chord" in kinds:  # known chords of a later bar also hold for the bars that it repeats
            for bar in np.flatnonzero(self._has_known_chords)[::-1].tolist():
                same = (self._source == self._source[bar]) & ~self._has_known_chords
                v.chord[same] = v.chord[bar]
        for name in {"notes", "pitch"} & set(kinds):
            self._copy_from_sources(getattr(v, name))
        for name in CLOSINGS if kinds == CLOSINGS else ():
            getattr(v, name)[v.cadence == NO_CADENCE] = NONE
            self._copy_from_sources(getattr(v, name)[None])

    def _copy_from_sources(self, values: Ints) -> None:
        """Copy known values (P, T) of each source to the bars that repeat it and are open."""
        source = values[:, self._source]
        values[:] = np.where((values == OPEN) & (source != OPEN), source, values)

    def _sample(self, stage: Stage) -> None:
        """Sample all open variables of a stage, in about so many passes at most."""
        at_once = 0  # how many variables must be drawn in each pass
        self._forget([kind for read in GROUPS.values() for kind in read])
        while True:
            places = {kind: self._open_places(kind) for kind in stage.kinds}
            count = sum(len(place[0]) for place in places.values())
            if not count:
                return
            at_once = at_once or -(-count // stage.passes)
            logits = self._logits({kind: place for kind, place in places.items() if len(place[0])})
            cut = self._cut if stage.is_careful else 0.0
            probabilities = {
                kind: probabilities_at(values, self._temperatures(kind, places[kind]), cut)
                for kind, values in logits.items()
            }
            chosen = np.zeros(sum(map(len, probabilities.values())), bool)
            if stage.is_careful:
                entropies = np.concatenate([entropy_of(p) for p in probabilities.values()])
                chosen[lowest(entropies, at_once, MAX_ENTROPY)] = True
            else:
                chosen[self._generator.permutation(len(chosen))[:at_once]] = True
            for kind, p in probabilities.items():
                of_kind, chosen = chosen[: len(p)], chosen[len(p) :]
                at = tuple(index[of_kind] for index in places[kind])
                self._put(kind, at, draw_classes(p[of_kind], self._generator))

    def _sample_chords(self, stage: Stage) -> None:
        """Sample the open chords, up to KEY_TRIES times, until the plan's key is heard in all chords."""
        is_open = self._variables.chord == OPEN  # (T, SLOTS)
        for _ in range(KEY_TRIES):
            self._variables.chord[is_open] = OPEN
            self._sample(stage)
            heard = key_of_chords(self._variables.chord)
            if self._plan.key is None or self._plan.mode or heard == (0, self._plan.key[1]):
                break

    def _open_places(self, kind: str) -> tuple[Ints, ...]:
        """The indices of the variables of a kind that can be sampled now."""
        v = self._variables
        value = getattr(v, kind)
        is_open = value == OPEN
        if kind == "similarity":
            is_open &= v.origin >= 0
        elif kind == "pitch":
            is_open &= v.notes > 0
        if kind in (*CLOSINGS, "notes", "pitch"):
            is_open &= self._source == np.arange(len(self._source))
        elif kind == "chord":
            is_open &= (self._source == np.arange(len(self._source)))[:, None]
        return np.nonzero(is_open)

    def _logits(self, places: dict[str, tuple[Ints, ...]]) -> dict[str, Array]:
        """Return the logits (N, classes) of the variables at `places`, by kind.

        The first class of a pointer (origin, motif) is "no earlier bar".
        """
        network, x, parts = self._network, *self._read()
        bars = network.read_bars(x, parts[1])
        by_kind: dict[str, Array] = {}
        part_bars = None
        if {"notes", "pitch", "presence"} & places.keys():
            part_bars = network.write_parts(x, *parts, bars)
        for kind, at in places.items():
            if kind in ("origin", "motif"):
                nothing, scores = network.pointer_logits(kind, x, bars)
                scores = np.where(self._allowed, scores, -np.inf)
                logits = np.concatenate([nothing, scores], axis=1)[at]
            elif kind == "chord":
                logits = network.chord_logits(x, bars, at)
                if self._chords_outside_mode is not None:
                    logits[:, self._chords_outside_mode] = -np.inf
            elif kind == "presence":
                logits = network.presence_logits(x, part_bars)[at]
                logits[np.isin(at[0], list(self._required)), 0] = -np.inf
            elif kind in ("notes", "pitch"):
                logits = network.part_logits(kind, x, part_bars)[at]
                if kind == "pitch":
                    logits[self._unusual_pitches[at[0]]] = -np.inf
                else:
                    logits[np.isin(at[0], list(self._without_rests)), 0] = -np.inf
            else:
                logits = self._possible(kind, at, network.bar_logits(kind, bars)[at])
            by_kind[kind] = logits
        return by_kind

    def _possible(self, kind: str, at: tuple[Ints, ...], logits: Array) -> Array:
        """Return the logits (N, classes) of variables of bars, without classes that a bar cannot have."""
        if kind == "closing_onset":
            logits[self._late_onsets[at]] = -np.inf
        elif kind == "similarity":  # to its origin, so it is not 0; a bar that leads on is no end
            logits[:, 0] = -np.inf  # (81% of 120 fiddle tunes ended on the tonic, now 86%)
            logits[at[0] == len(self._bars) - 1, SAME] = -np.inf
        elif kind == "cadence":  # only the last bar is END
            logits[:, END] = -np.inf
        return logits

    def _put(self, kind: str, at: tuple[Ints, ...], classes: Ints) -> None:
        """Set variables at the indices `at` to the drawn classes, and others that follow from them."""
        v = self._variables
        if kind in ("origin", "motif"):
            classes = classes - 1
        getattr(v, kind)[at] = classes
        if kind == "origin":
            v.similarity[v.origin == NONE] = 0
        elif kind == "chord":
            open_bars = ~self._has_known_chords
            v.chord[open_bars] = v.chord[self._source[open_bars]]
        elif kind in CLOSINGS:
            self._copy_from_sources(getattr(v, kind)[None])
        elif kind == "motif":
            self._resolve_motifs()
        elif kind in ("notes", "pitch"):
            self._copy_from_sources(v.notes)
            v.pitch[(v.notes == 0) & (v.pitch == OPEN)] = NONE
            self._copy_from_sources(v.pitch)
        self._forget((kind, "similarity") if kind == "origin" else (kind,))

    def _forget(self, kinds: Collection[str]) -> None:
        """Discard what was computed from these kinds of variables, so that it is computed again."""
        for group, read in GROUPS.items():
            if not set(read).isdisjoint(kinds):
                self._inputs.pop(group, None)
        if not {"origin", "similarity", "motif"}.isdisjoint(kinds):
            self._biases = self._part_states = None
        if not {"notes", "pitch", "presence"}.isdisjoint(kinds):
            self._part_states = None

    def _read(self) -> tuple[Inputs, tuple[Array, Array]]:
        """Return the inputs of the network, with its biases, and the states of parts from `read_parts`."""
        inputs = self._context.copy()
        for group in GROUPS:
            if group not in self._inputs:
                self._inputs[group] = group(self._variables)
            inputs |= self._inputs[group]
        if self._biases is None:
            self._biases = self._network.biases(inputs)
        inputs |= self._biases
        if self._part_states is None:
            self._part_states = self._network.read_parts(inputs)
        return inputs, self._part_states

    def _resolve_motifs(self) -> None:
        """Make each motif point to the first bar that has it."""
        motif = self._variables.motif
        for bar in np.flatnonzero(motif >= 0).tolist():
            if motif[motif[bar]] >= 0:
                motif[bar] = motif[motif[bar]]

    def _temperatures(self, kind: str, places: tuple[Ints, ...]) -> Floats:
        """Return the temperature (N,) at which each of the variables of a kind is drawn."""
        temperatures = np.full(len(places[0]), TEMPERATURES.get(kind, OTHER_TEMPERATURE))
        if kind == "chord":
            cadence = self._variables.cadence[places[0]]
            temperatures[cadence == END] = LAST_BAR_TEMPERATURE
            temperatures[cadence == CLOSED] = OTHER_TEMPERATURE
        end = LOWEST if self._creativity < CREATIVITIES[1] else HIGHEST
        return temperatures + (end - temperatures) * abs(self._creativity - CREATIVITIES[1]) / CREATIVITIES[1]
