"""Feel of parts other than drums: what of a recording is learned, what the network reads, how it plays."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.music.score import Part, Score
from ritornello.performing.feel_network import PARTS, FeelNetwork, FeelNetworks
from ritornello.performing.grid_notes import follows_grid, is_off_grid
from ritornello.performing.part_notes import (
    BASS,
    INNER,
    TOP,
    SongGrid,
    part_notes,
    performed_parts,
    written_beats,
)
from ritornello.performing.perform import perform
from ritornello.performing.performance import Performance


def tune(late_ticks: int = 0, length_ticks: int = 240, velocity: int = 80, bars: int = 16) -> Score:
    """Eighths up and down a scale, after the beat late by some ticks and louder by 20 on it."""
    number = np.arange(8 * bars)
    onset = number * 240 + np.where(number % 2, late_ticks, 0)
    pitch = 60 + np.abs(number % 14 - 7)
    loud = velocity + np.where(number % 2, -10, 10)
    return Score.of(480, onset, number * 0 + length_ticks, pitch, loud, number * 0, [Part("", 73, False)])


def grid_of(**places: np.ndarray) -> SongGrid:
    """A song of one part and no chords, at 120 beats a minute, in 4/4 and phrases of four bars."""
    none = np.zeros(0, np.int64)
    bars, phrases = np.arange(9) * 96, np.arange(3) * 384
    return SongGrid(places["place"], places["pitch"], none, bars, phrases, none, none, 120.0, "")


def network(**biases: int) -> FeelNetwork:
    """A network that draws one class of each quantity, whatever the notes."""
    weights = {}
    for number, quantity in enumerate(PARTS.quantities):
        shapes = [(PARTS.inputs + 2 * number, 4), (4, 4), (4, quantity.classes)]
        for layer, shape in enumerate(shapes):
            weights[f"{quantity.name}.{layer}.weight"] = np.zeros(shape)
            weights[f"{quantity.name}.{layer}.bias"] = np.zeros(shape[1])
        weights[f"{quantity.name}.2.bias"][biases[quantity.name]] = 1e3
    return FeelNetwork(PARTS, weights)


def test_a_note_is_written_up_to_the_next_one_or_as_a_note_value() -> None:
    """The next chords come after 1, 1 and 2 beats: 0.8 and 1.2 of a beat are a beat, 0.5 of two is short."""
    place = np.array([0, 24, 48, 96])
    assert written_beats(place, np.array([0.8, 1.2, 0.5, 3.7])).tolist() == [1, 1, 0.5, 4]


def test_what_is_learned_of_a_recording() -> None:
    """Half of the notes are 30 ticks late: 0.0625 beats, which is 0.03125 on either side of the mean."""
    found, without = performed_parts(tune(late_ticks=30, length_ticks=210))
    (recording,) = found
    assert without == 0
    assert recording.notes.place.tolist() == (np.arange(128) * 12).tolist()
    assert recording.values["offset"][:4] == pytest.approx([-0.03125, 0.03125, -0.03125, 0.03125])
    assert recording.values["velocity"][:4] == pytest.approx([10, -10, 10, -10])
    assert recording.values["length"][:3] == pytest.approx([0.875] * 3)
    assert recording.notes.features.shape[1] + 3 * 16 + 16 + 2 * 3 == PARTS.inputs


def test_quantised_flat_and_free_parts_are_not_learned() -> None:
    assert performed_parts(tune()) == ([], 0)
    draw = np.random.default_rng(1)
    played = tune(late_ticks=30)
    flat = Score.of(
        480,
        played.onset_ticks,
        played.duration_ticks,
        played.pitch,
        np.full(128, 80),
        played.part,
        played.parts,
    )
    assert performed_parts(flat) == ([], 0)
    onset = draw.integers(0, 30000, 128)
    columns = (played.duration_ticks, played.pitch, played.velocity, played.part, played.parts)
    free = Score.of(480, onset, *columns)
    assert performed_parts(free) == ([], 1)


def test_jitter_follows_the_grid_and_a_wrong_tempo_does_not() -> None:
    draw = np.random.default_rng(0)
    eighths = np.arange(400) / 2
    assert not is_off_grid(eighths)
    for onsets, follows in ((eighths + draw.normal(0, 0.025, 400), True), (eighths * 0.937, False)):
        assert is_off_grid(np.maximum(onsets, 0))
        assert follows_grid(np.maximum(onsets, 0)) is follows


def test_the_notes_of_a_chord_have_kinds_and_earlier_notes_come_before() -> None:
    place, pitch = np.array([0, 0, 0, 24, 96, 96]), np.array([48, 55, 64, 67, 50, 62])
    notes = part_notes(place, pitch, np.ones(6), 0, grid_of(place=place, pitch=pitch))
    assert notes.kind.tolist() == [BASS, INNER, TOP, TOP, BASS, TOP]
    assert (notes.earlier < np.arange(6)[:, None]).all()
    assert notes.earlier[5, 6:9].tolist() == [3, 2, -1]  # the last notes at the top
    assert np.isfinite(notes.features).all()


def test_a_network_plays_the_parts_and_their_level_stays() -> None:
    """Class 12 of lengths is 12/16 to 13/16 of the written one; an offset of all notes is taken out."""
    played = perform(
        tune(),
        Performance(feel=1, seed=1),
        networks=FeelNetworks(None, network(velocity=16, offset=30, length=12)),
    )
    assert played.velocity.mean() == pytest.approx(80, abs=2)
    assert np.abs(played.onset_ticks - np.arange(128) * 240).max() <= 3
    length = played.duration_ticks[:-1] / 240
    assert (length > 0.74).all()
    assert (length < 0.83).all()


def test_staccato_and_played_timing_stay() -> None:
    networks = FeelNetworks(None, network(velocity=16, offset=20, length=20))
    short = perform(tune(length_ticks=70), Performance(feel=1), networks=networks)
    assert np.abs(short.duration_ticks - 70).max() <= 3
    human = tune(late_ticks=30)
    assert np.array_equal(
        perform(human, Performance(feel=1), networks=networks).onset_ticks, human.onset_ticks
    )
