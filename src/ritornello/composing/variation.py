"""Compose a variation of a song: new notes in some bars of some parts, by the plan of the song."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ritornello.composing.generate import generate_songs
from ritornello.composing.given_music import GivenMusic, keeping
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.composing.request import request_for
from ritornello.composing.sampler import OnRow
from ritornello.composing.sampling import song_generator
from ritornello.composing.song import Song
from ritornello.composing.takes import given_notes
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import part_classes
from ritornello.system.progress import Progress

AVOID_NATS = 3.0  # subtracted from the logits of the song's own notes in new bars
VARIED = 1  # the highest similarity of a new bar to a bar that stays as it is
Cell = tuple[int, int]  # a bar and the class of a part


def compose_variation(
    model: Model,
    given: GivenMusic,
    amount: float,
    seed: int,
    creativity: float,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
) -> Song:
    """Replace a share `amount` (0-1) of the open notes of `given`; raises as `generate_songs` does."""
    chosen = _chosen_cells(given, amount, song_generator(seed, 0))
    classes = given.part_classes.tolist()
    kept = {
        (bar, number)
        for bar in range(len(given.timeline))
        for number, part in enumerate(classes)
        if (bar, part) not in chosen
    }
    varied = keeping(given, frozenset(kept))
    plan = _plan_of_variation(varied)
    if not chosen:
        names = {"network": model.network, "representation": "notes", "sha256": model.hash}
        recipe = Recipe(names, plan, seed, 0, {"creativity": creativity}, varied.rows, varied)
        return build_song(recipe)
    request = replace(
        request_for(plan, seed, given=varied), avoided=given_notes(varied), avoid_nats=AVOID_NATS
    )
    dials = {"creativity": creativity}
    return generate_songs(model, [request], dials, progress=progress, on_row=on_row)[0]


def _chosen_cells(given: GivenMusic, amount: float, generator: np.random.Generator) -> set[Cell]:
    """Draw the cells to compose again, which have about the share `amount` of the open notes.

    Bars that return to the same bar are drawn together, so that repeats are varied alike.
    """
    bars = given.timeline.bar_of(given.canonical.onset_ticks)[given.is_redone].tolist()
    part = part_classes(given.canonical.parts)[given.canonical.part][given.is_redone].tolist()
    counts = Counter[Cell](zip(bars, part, strict=True))  # cells without notes are not composed
    origins = given.timeline.origins.tolist()
    groups = sorted({(origins[bar], each) for bar, each in counts})
    rank = dict(zip(groups, generator.permutation(len(groups)).tolist(), strict=True))
    chosen, notes_left = set[Cell](), amount * sum(counts.values())
    for cell in sorted(counts, key=lambda cell: (rank[origins[cell[0]], cell[1]], cell)):
        if notes_left < max(counts[cell] / 2, 1e-9) and amount < 1:
            break
        chosen.add(cell)
        notes_left -= counts[cell]
    return chosen


def _plan_of_variation(given: GivenMusic) -> Plan:
    """Return the plan of the song with its chords, form and sketch.

    A bar with a new part that stays as it is in the earlier bar is at most a varied return of that bar.
    """
    timeline, returns = given.timeline, []
    pairs = zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True)
    for bar, (target, similarity) in enumerate(pairs):
        is_alike = set(given.open_parts[bar]) <= set(given.open_parts[max(target, 0)])
        returns.append((target, similarity if is_alike else min(similarity, VARIED)))
    chords = given.plan.chords or timeline.chords
    return replace(given.plan, returns=tuple(returns), chords=chords, sketch=given.sketch)
