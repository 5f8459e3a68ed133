"""From a recipe to its song, without a network; and from what the user gave to the request for one."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ritornello import midi
from ritornello.composing import merge_notes
from ritornello.composing.recipe import Recipe, Source
from ritornello.composing.request import NOTES, Request, around, continuing, gap, plain
from ritornello.midi.patching import Note, replace_notes
from ritornello.models.plan_vector import infer_plan
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.representations.table import SamplesItself

UNKNOWN = (-1, -1)  # a bar of which nobody knows whether it returns


class Built(NamedTuple):
    """A song; of what was redone also the file, of which all else is untouched."""

    score: Score
    file: bytes | None = None


def build(recipe: Recipe) -> Built:
    """The song that a recipe says. Raises InputError where its parts do not fit together."""
    representation = recipe.representation
    if isinstance(representation, SamplesItself):
        return Built(representation.finish(recipe.rows, recipe.plan))
    source, plan = recipe.source, recipe.plan
    if source is None:
        return Built(merge_notes.named(representation.decode(recipe.rows, plan)))
    request = requested(plan, recipe.seed, recipe.song, source)
    if source.how != "redo":
        return Built(merge_notes.into(source.score, recipe.rows, plan, request.first_tick, request.given))
    file = _redone(source, recipe, request)
    return Built(midi.parse(file, name="what was redone").score, file)


def requested(plan: Plan, seed: int, song: int, source: Source | None) -> Request:
    """What is to be composed."""
    if source is None:
        return plain(plan, seed, song)
    if source.how == "redo":
        assert source.bars is not None
        return gap(plan, source.score, range(*source.bars), source.parts, seed, song)
    return (continuing if source.how == "prompt" else around)(plan, source.score, seed, song)


def plan_of(score: Score) -> Plan:
    """The plan that a song would have been made by, with its form; its parts are those of the canonical."""
    canonical, _ = NOTES.canonical(score)
    timeline = NOTES.timeline(canonical)
    form = zip(timeline.returns_to.tolist(), timeline.similarity.tolist(), strict=True)
    return replace(infer_plan(canonical), returns=tuple(form))


def plan_of_redo(score: Score, bars: range, parts: tuple[int, ...] | None) -> Plan:
    """The plan by which bars of a song are redone: whether they return to others is open.

    Where other parts play on, the song's chords stay.
    """
    canonical, _ = NOTES.canonical(score)
    plan = plan_of(score)
    returns = [UNKNOWN if bar in bars else form for bar, form in enumerate(plan.returns or ())]
    chords = plan.chords or (() if parts is None else NOTES.timeline(canonical).chords)
    return replace(plan, returns=tuple(returns), chords=chords)


def _redone(source: Source, recipe: Recipe, request: Request) -> bytes:
    """The file with what was redone in its place."""
    score, plan = source.score, recipe.plan
    ticks = np.array([request.first_tick, request.end_tick])
    first, end = merge_notes.placed(score, plan, ticks).tolist()
    parts = range(len(score.parts)) if source.parts is None else source.parts
    old = merge_notes.table(score)
    goes = (old[:, 0] >= first) & (old[:, 0] < end) & np.isin(old[:, 4], list(parts))
    kept = old[~goes]
    notes, _ = merge_notes.new_notes(score, kept, recipe.rows, plan, request.first_tick, request.given)
    mine = [Note(*row) for row in notes.tolist() if row[4] < len(score.parts)]
    return replace_notes(source.midi, parts, first, end, mine)
