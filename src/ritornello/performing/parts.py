"""Perform a part other than drums: by the rules, or with a network that `learn` trained on performances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ritornello.music.score import Score
from ritornello.performing import rules
from ritornello.performing.drums import PLAYED_DEVIATION, at_level
from ritornello.performing.feel_network import FeelNetwork
from ritornello.performing.grid_notes import Floats, Ints, places_of
from ritornello.performing.part_notes import SongGrid, part_notes, written_beats
from ritornello.performing.rules import Context, Line
from ritornello.performing.tempo_shape import ticks_per_second

AS_WRITTEN = 0.1  # a note keeps its length if this differs from the written length by a larger share
# The more the velocities of a part vary, the less the rules change them: at VARIED_DEVIATION, the share of
# their changes that is applied would be 0, but it is at least LEAST_DYNAMICS
VARIED_DEVIATION, LEAST_DYNAMICS = 24.0, 0.35


class PlayedPart(NamedTuple):
    """How much louder, later and longer (in ticks) the notes (n,) of a part are played than written."""

    louder: Floats
    later_ticks: Floats
    longer_ticks: Floats


def part_by_network(
    song: Score, notes: Ints, grid: SongGrid, network: FeelNetwork, feel: float, draw: np.random.Generator
) -> PlayedPart:
    """Return how the notes (n,) of one part of a song are played, `feel` 0-1; the level of the part stays."""
    beats = song.onset_ticks[notes] / song.ticks_per_beat
    length = song.duration_ticks[notes] / song.ticks_per_beat
    place, program = places_of(beats), song.parts[int(song.part[notes[0]])].program
    written = written_beats(place, length)
    loudness = song.velocity[notes].astype(np.float64)
    inputs = part_notes(place, song.pitch[notes].astype(np.int64), written, program, grid)
    trust = float(np.clip(loudness.std() / PLAYED_DEVIATION, 0, 1))
    drawn = network.draw(inputs, draw, (loudness - loudness.mean())[inputs.order], trust)
    of_note = np.argsort(inputs.order)
    louder, later, share = (column[of_note] for column in drawn.values())
    velocity = trust * (loudness.mean() + louder) + (1 - trust) * at_level(louder, loudness)
    longer = np.where(np.abs(length / written - 1) <= AS_WRITTEN, share * written - length, 0.0)
    ticks = feel * song.ticks_per_beat
    return PlayedPart(feel * (velocity - loudness), (later - later.mean()) * ticks, longer * ticks)


def part_by_rules(song: Score, notes: Ints, context: Context, draw: np.random.Generator) -> PlayedPart:
    """Return how the rules play the notes (n,) of one part of a song."""
    line, pace = Line.of(song, notes), ticks_per_second(song, song.onset_ticks[notes])
    change = rules.loudness_db(song, notes, line, context, draw) * rules.VELOCITY_PER_DB
    share_of_change = 1 - song.velocity[notes].astype(np.float64).std() / VARIED_DEVIATION
    later = rules.delays_s(song, notes, line, context, draw) * pace
    longer = (rules.lengths_s(song, notes, line, context) - line.length_s) * pace
    return PlayedPart(change * np.clip(share_of_change, LEAST_DYNAMICS, 1), later, longer)
