"""Crops of songs: a pure function of (songs, seed, step), aligned with the row before, varied as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.key_frame import frame_shift
from ritornello.music.sketch import CLOSED
from ritornello.representations.grid.vocabulary import END
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide, start_row
from ritornello.training.crops import SIDE_INFORMATION, Augmentation, Crops
from ritornello.training.songs import EncodedSongs
from tests.scores import tune

NAMES = [field.name for field in Notes.fields]
SONGS = EncodedSongs([tune(), tune().transposed(-3)], Notes(), [("fiddle",), ("jig",)])
CONDITIONS = PlanEncoder(("fiddle", "jig"))
PLAIN = Augmentation.none(all_hidden=0.0)


def crops(window: int = 8, seed: int = 0, augmentation: Augmentation | None = PLAIN) -> Crops:
    return Crops(SONGS, CONDITIONS, window, seed, augmentation)


def column(values: np.ndarray, name: str) -> np.ndarray:
    found: np.ndarray = values[..., NAMES.index(name)]
    return found


@settings(max_examples=20)
@given(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(1, 4))
def test_ranks_together_see_what_one_process_sees(seed: int, step: int, world: int) -> None:
    made = crops(seed=seed, augmentation=None)
    whole = made.batch(step, 8)
    for rank in range(world):
        part = made.batch(step, 8, rank, world)
        rows = part.values.shape[1]
        assert np.array_equal(whole.values[rank::world, :rows], part.values)
        assert np.array_equal(whole.plan[rank::world], part.plan)  # type: ignore[index, arg-type]
        assert not whole.learn[rank::world, rows:].any()


def test_a_crop_is_rows_of_a_song_and_the_row_before() -> None:
    songs = [SONGS.song(i) for i in range(2)]
    batch = crops().batch(0, 64)
    starts = set()
    for values, learn in zip(batch.values, batch.learn, strict=True):
        found = [
            (song, start)
            for song in songs
            for start in range(len(song.values) - 7)
            if np.array_equal(song.values[start : start + 8], values[1:])
        ]
        assert found
        song, start = found[0]
        before = song.values[start - 1] if start else np.array(start_row(Notes.fields))
        assert any(np.array_equal(before, values[0]) for song, start in found) or len(found) > 1
        assert np.array_equal(learn[1:], song.learn[start : start + 8])
        assert not learn[0].any()
        starts.add(start)
    assert {0, len(songs[0].values) - 8} <= starts  # both ends of a song are met


def test_a_song_shorter_than_the_window_is_filled_up_with_nothing_to_learn() -> None:
    rows = len(SONGS.song(0).values)
    batch = crops(window=4 * rows).batch(0, 4)
    assert batch.values.shape[1] == rows + 1  # no longer than the longest song
    batch = Crops(EncodedSongs([tune(), _half()], Notes()), PlanEncoder(), 4 * rows, 0, PLAIN).batch(0, 16)
    short = batch.learn.any(-1).sum(axis=1) < rows
    assert short.any() and not short.all()


def _half() -> object:
    from ritornello.music.score import Score

    song = tune()
    early = song.onset_ticks < song.onset_ticks[len(song) // 2]
    columns = [
        getattr(song, n)[early] for n in ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    ]
    return Score.of(song.ticks_per_beat, *columns, song.parts)


def test_the_plan_moves_with_the_key() -> None:
    moved = crops(augmentation=replace(PLAIN, semitones=(3, 3))).batch(0, 16)
    plain = crops().batch(0, 16)
    key = CONDITIONS.groups["key"]
    assert moved.plan is not None and plain.plan is not None
    assert np.array_equal(np.roll(plain.plan[:, key], 6, axis=1), moved.plan[:, key])  # two a semitone
    said = column(plain.learn, "pitch")
    assert (column(moved.values, "pitch")[said] - column(plain.values, "pitch")[said] == 3).all()


def test_tempo_and_loudness_move_alone() -> None:
    moved = crops(augmentation=replace(PLAIN, louder=2, tempo=0.5)).batch(0, 32)
    plain = crops().batch(0, 32)
    assert moved.plan is not None and plain.plan is not None
    differ = np.flatnonzero((moved.plan != plain.plan).any(axis=0))
    tempo = CONDITIONS.groups["tempo"]
    assert set(differ.tolist()) <= set(range(tempo.start, tempo.stop)) and len(differ)
    changed = {NAMES[i] for i in np.flatnonzero((moved.values != plain.values).any(axis=(0, 1)))}
    assert changed == {"velocity", "echo.velocity"}  # the tune has no form


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_side_information_is_hidden_together_or_not(share: float) -> None:
    batch = crops(augmentation=Augmentation.none(all_hidden=share)).batch(0, 8)
    assert batch.plan is not None
    assert batch.plan.any() == (share == 0)
    silent = np.array_equal(batch.values, hide(Notes.fields, batch.values, SIDE_INFORMATION))
    assert silent == (share == 1)


def test_each_piece_is_hidden_as_often_as_asked() -> None:
    batch = crops(augmentation=replace(PLAIN, hidden=0.3)).batch(0, 400)
    assert batch.plan is not None
    unknown = [~batch.plan.any(axis=1), (column(batch.values, "bars_left")[:, 1:] == 64).all(axis=1)]
    for hidden in unknown:
        assert 0.2 < hidden.mean() < 0.4  # four sigmas of 400 draws are 0.09
    assert 0.03 < (unknown[0] & unknown[1]).mean() < 0.16  # by chance together: 0.09


def test_candidates_are_hidden_where_a_song_or_a_closed_phrase_ends() -> None:
    plain = crops().batch(0, 100).values
    batch = crops(augmentation=replace(PLAIN, no_candidate_at_ends=1.0)).batch(0, 100).values
    closes = (column(batch, "cadence.kind") == CLOSED) & (column(batch, "cadence.bars") == 0)
    ends = ((column(batch, "shift") == END) | closes)[:, 1:].any(axis=1)
    assert ends.any() and not ends.all()
    assert np.array_equal(batch[~ends], plain[~ends])
    assert np.array_equal(batch[ends], hide(Notes.fields, plain[ends], ("echo", "alone")))


def test_ends_are_drawn_as_often_as_asked() -> None:
    shares = []
    for ends in (0.0, 0.5):
        batch = crops(augmentation=replace(PLAIN, ends=ends)).batch(0, 400)
        shares.append((column(batch.values, "shift") == END).any(axis=1).mean())
    assert shares[1] == pytest.approx((1 + shares[0]) / 2, abs=0.1)


def test_a_genre_counts_by_a_power_of_its_notes() -> None:
    songs = EncodedSongs([tune()] * 4, Notes(), [("a",), ("a",), ("a",), ("b",)])
    shares = []
    for power in (1.0, 0.5, 0.0):
        made = Crops(songs, PlanEncoder(), 8, 0, PLAIN, power)
        weights = np.diff(made.ends, prepend=0)
        shares.append(weights[3] / weights.sum())
    assert shares == pytest.approx([1 / 4, 1 / (1 + 3**0.5), 1 / 2])


def test_a_fixed_sample_knows_nothing_beyond_the_notes() -> None:
    sample = crops().sample(10**6)
    assert np.array_equal(sample.values, crops(seed=5).sample(10**6).values)
    assert sample.plan is not None and not sample.plan.any()
    assert (column(sample.values, "bars_left")[sample.learn.any(-1)] == 64).all()
    assert len(crops().sample(17).values) == 2


def test_in_a_key_frame_each_crop_is_in_c_major_and_the_plan_in_its_own_key() -> None:
    songs = EncodedSongs([tune(), tune().transposed(-3), tune().transposed(4)], Notes())
    framed = Crops(songs, PlanEncoder(), 8, 0, PLAIN, has_key_frame=True)
    key = songs.song(0).plan.key
    assert key is not None
    step = frame_shift(key)
    for song, transposed in ((0, 0), (1, -3), (2, 4)):
        encoded = songs.song(song)
        moved = framed._framed(encoded, 0)
        assert (moved + transposed - step) % 12 == 0
        assert (framed._framed(encoded, 2) - moved) % 12 == 0  # augmentation changes the octave alone
    batch = framed.batch(0, 32)
    keys = batch.plan[:, PlanEncoder().groups["key"]]  # type: ignore[index]
    assert len(np.unique(keys.argmax(axis=1))) == 3


def test_a_label_is_drawn_more_often_by_its_weight() -> None:
    songs = EncodedSongs([tune()] * 2, Notes(), [("a",), ("b",)])
    made = Crops(songs, PlanEncoder(), 8, 0, PLAIN, label_weights={"b": 3.0})
    weights = np.diff(made.ends, prepend=0)
    assert weights[1] == pytest.approx(3 * weights[0])
