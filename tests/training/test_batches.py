"""Batches are a pure function of (rows, seed, step), and windows never cross from song to song."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ritornello.legacy2018.messages import Messages
from ritornello.training.batches import SongRows, Windows, encode_songs
from tests.scores import tune


def songs(*lengths: int) -> SongRows:
    """Songs whose rows say (song, row, 0), so that every window shows where it was taken."""
    rows = [np.stack([np.full(n, s), np.arange(n), np.zeros(n)], axis=1) for s, n in enumerate(lengths)]
    return SongRows(np.concatenate(rows).astype(np.float32), np.cumsum([0, *lengths]))


def test_every_window_lies_in_one_song() -> None:
    windows = Windows(songs(10, 3, 4, 7), window=3, seed=0)
    assert len(windows) == 7 + 0 + 1 + 4  # a song of n rows has n - 3
    found = windows.take(np.arange(len(windows)))  # (12, 4, 3)
    assert (found[:, :, 0] == found[:, :1, 0]).all()
    assert (np.diff(found[:, :, 1], axis=1) == 1).all()
    assert found[:, 0, :2].tolist() == [*([0, i] for i in range(7)), [2, 0], *([3, i] for i in range(4))]


@given(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(1, 4))
def test_ranks_together_see_what_one_process_sees(seed: int, step: int, world: int) -> None:
    windows = Windows(songs(20, 30), window=4, seed=seed)
    whole = windows.batch(step, 8).values
    parts = [windows.batch(step, 8, rank, world).values for rank in range(world)]
    for rank in range(world):
        assert np.array_equal(whole[rank::world], parts[rank])


def test_steps_and_seeds_differ() -> None:
    windows, other = (Windows(songs(500), window=4, seed=seed) for seed in (0, 1))
    first = windows.batch(0, 16).values
    assert np.array_equal(first, windows.batch(0, 16).values)
    assert not np.array_equal(first, windows.batch(1, 16).values)
    assert not np.array_equal(first, other.batch(0, 16).values)


def test_a_fixed_sample_for_measuring() -> None:
    windows = Windows(songs(104), window=4, seed=0)
    assert windows.evenly_spaced(5).tolist() == [0, 24, 49, 74, 99]
    assert windows.evenly_spaced(1000).tolist() == list(range(100))


def test_encoding_songs() -> None:
    said: list[tuple[int, int, str]] = []
    rows = encode_songs([tune(), tune()], Messages(), 2, lambda *words: said.append(words))
    assert rows.offsets.tolist() == [0, 46, 92]  # 23 notes: on and off
    assert np.array_equal(rows.song(0), rows.song(1))
    assert said == [(1, 2, "encoding songs"), (2, 2, "encoding songs")]
    assert len(encode_songs([], Messages(), 0)) == 0
