"""Build the song of a recipe, which needs no network."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello import midi
from ritornello.composing import merge_notes
from ritornello.composing.given_music import GivenMusic
from ritornello.composing.recipe import Recipe
from ritornello.composing.request import Request, request_for
from ritornello.composing.song import Song
from ritornello.midi.details import with_neutral_channels
from ritornello.midi.patching import Note, replace_chord_markers, replace_notes
from ritornello.music.chord_names import marker_name
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Score
from ritornello.music.sections import section_markers
from ritornello.representations.table import SamplesItself


def build_song(recipe: Recipe, nats: float = 0.0) -> Song:
    """Build the song of a recipe; `nats` is the mean negative log-likelihood of its choices, if measured.

    Raises InputError if the parts of the recipe do not fit together.
    """
    representation, plan, given = recipe.representation, recipe.plan, recipe.given
    if isinstance(representation, SamplesItself):
        return Song(representation.finish(recipe.rows, plan), recipe)
    if given is None:
        score = merge_notes.with_part_names(representation.decode(recipe.rows, plan))
        score = with_mean_velocity(score, plan.mean_velocity)
        score = replace(score, markers=section_markers(plan, score.ticks_per_beat))
        return Song(score, recipe, nats=nats)
    request = request_for(plan, recipe.seed, recipe.song, given)
    if given.kind == "redo":
        file = _redone_file(recipe.rows, request, given)
        return Song(midi.parse(file, name="the redone song").score, recipe, file, nats)
    score = merge_notes.with_grid_resolution(given.score)
    old = merge_notes.note_table(score)
    new, parts = merge_notes.notes_for_score(
        score, given.part_classes, old, recipe.rows, plan, request.first_tick, request.given
    )
    song = Song(merge_notes.with_notes(score, new, parts, plan), recipe, nats=nats)
    detailed = given.score_to_write()
    if given.kind == "prompt":
        first = merge_notes.ticks_in_score(given.score, np.array([request.first_tick])).tolist()[0]
        detailed = given.score_to_write(first)
        detailed = replace(detailed, details=with_neutral_channels(detailed.details, first))
    to_write = merge_notes.with_notes(merge_notes.with_grid_resolution(detailed), new, parts, plan)
    return replace(song, score_to_write=to_write, dropped=given.with_details.dropped)


def with_mean_velocity(score: Score, mean_velocity: int | None) -> Score:
    """Return a song with all velocities (1-127) moved by one number, so that their mean is as planned.

    Training moves the velocities of a song at random, so the mean of a composed song is arbitrary.
    """
    if mean_velocity is None or not len(score):
        return score
    velocity = score.velocity.astype(np.int64)
    moved = np.clip(velocity + round(mean_velocity - float(velocity.mean())), 1, 127)
    return replace(score, velocity=moved.astype(score.velocity.dtype))


def _redone_file(rows: npt.NDArray[Any], request: Request, given: GivenMusic) -> bytes:
    """Return the given MIDI file with the notes of rows (N, F) in the bars and parts to redo."""
    score, plan = given.score, request.plan
    edges = np.array([[request.first_tick], [request.end_tick]])
    first, end = (int(ticks[0]) for ticks in merge_notes.bars_in_score(score, *edges))
    parts = range(len(score.parts)) if given.parts is None else given.parts
    old = merge_notes.note_table(score)
    is_inside = (old[:, 0] >= first) & (old[:, 0] < end) & np.isin(old[:, 4], list(parts))
    stays = is_inside & _stay(old, given, plan)
    if given.kept and not any(given.open_parts):
        return given.midi
    notes, _ = merge_notes.notes_for_score(
        score,
        given.part_classes,
        old[~is_inside | stays],
        rows,
        plan,
        request.first_tick,
        request.given,
        given.parts,
    )
    new = [Note(*note) for note in notes.tolist() if note[4] < len(score.parts)]
    staying = {(onset, part) for onset, part in old[stays][:, [0, 4]].tolist()}
    file = replace_notes(given.midi, parts, first, end, new, staying)
    if not given.has_new_chords:
        return file
    onsets = np.array([chord.onset_ticks for chord in plan.chords], np.int64)
    ticks = merge_notes.bars_in_score(score, onsets, onsets)[0].tolist()
    names = [marker_name(chord) for chord in plan.chords]
    return replace_chord_markers(file, first, end, list(zip(ticks, names, strict=True)))


def _stay(notes: npt.NDArray[np.int64], given: GivenMusic, plan: Plan) -> npt.NDArray[np.bool_]:
    """Return which notes (N, 5) of the given music, in its ticks, lie in bars and parts that stay."""
    if not given.kept:
        return np.zeros(len(notes), bool)
    bars = plan.timeline(GRID)
    ends = bars.start_ticks + bars.length_ticks
    start, _ = merge_notes.bars_in_score(given.score, bars.start_ticks, ends)
    bar = np.searchsorted(start, notes[:, 0], side="right") - 1
    return np.array(
        [pair in given.kept for pair in zip(bar.tolist(), notes[:, 4].tolist(), strict=True)], bool
    )
