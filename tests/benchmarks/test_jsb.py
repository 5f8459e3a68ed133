"""The benchmark `jsb` measures honestly: no voice is predicted from itself or from what comes after it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.chorales import candidates, jsb
from benchmarks.chorales.network import PITCH, AnyOrder, Config
from ritornello.representations.chorale import SIZE

MixtureAndMemory = tuple[jsb.Mixture, candidates.Memory]
VOICES = [0, 3, 2, 1]  # column of soprano, alto, tenor, bass among the four of a row


def song(draw: np.random.Generator, frames: int = 40) -> np.ndarray:
    """Frames (N, 4) of pitches: random ones, and the same again."""
    moves = np.repeat(draw.integers(0, 5, (frames // 4, 4)), 4, axis=0)
    found = moves + np.array([72, 64, 57, 48])
    return np.concatenate([found, found])


@pytest.fixture(scope="module")
def mixture_and_memory() -> MixtureAndMemory:
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    learnt = jsb.encode_songs([song(draw) for _ in range(3)], "none", None, True)
    network = AnyOrder(Config(width=16)).eval()
    return jsb.Mixture([network], []), candidates.Memory([rows[:, PITCH] for rows in learnt])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_to_come_changes_nothing_before_it(mixture_and_memory: MixtureAndMemory, seed: int) -> None:
    mixture, memory = mixture_and_memory
    draw = np.random.default_rng(seed)
    one = song(draw)
    frame, voice = int(draw.integers(1, len(one) - 1)), int(draw.integers(4))
    other = one.copy()
    other[frame + 1 :] = draw.integers(50, 70, (len(one) - frame - 1, 4))
    other[frame, voice] += 1  # known only to voices that are predicted from it
    first, second = (
        mixture.log_probabilities(jsb.encode_songs([each], "corpus", memory, False), (0,))[0]
        for each in (one, other)
    )
    compared = 0
    for (predicted, known), logs in first.items():
        depends = predicted == VOICES[voice] or known >> VOICES[voice] & 1
        upto = frame if depends else frame + 1
        assert torch.equal(logs[0, :upto], second[predicted, known][0, :upto])
        compared += not depends
    assert compared == 12  # three voices, each under the four ways to know the two others
    assert any(not torch.equal(logs, second[key]) for key, logs in first.items())


def test_a_training_song_does_not_find_itself(
    mixture_and_memory: MixtureAndMemory,
) -> None:
    draw = np.random.default_rng(0)
    frames = jsb.encode_songs([song(draw)], "none", None, True)[0][:, PITCH]
    memory = candidates.Memory([frames])
    alone = memory.candidates(frames, 0)
    assert not np.array_equal(memory.candidates(frames), alone)
    nothing = candidates.Memory([])
    assert np.array_equal(nothing.candidates(frames), alone)


def test_the_chances_of_a_mixture_add_up_to_one(
    mixture_and_memory: MixtureAndMemory,
) -> None:
    mixture, memory = mixture_and_memory
    one = song(np.random.default_rng(1))
    total = torch.zeros(())
    for pitch in range(SIZE):
        rows = jsb.encode_songs([one], "corpus", memory, False)[0].copy()
        rows[-1, 1] = pitch  # every class that the soprano's last frame can be
        total = total + mixture.log_probabilities([rows], (0,))[0][0, 0][0, -1].exp()
    assert float(total) == pytest.approx(1, abs=1e-5)


def test_orders_differ_by_song_and_a_mixture_is_no_worse_than_their_mean(
    mixture_and_memory: MixtureAndMemory,
) -> None:
    mixture, memory = mixture_and_memory
    songs = jsb.encode_songs(
        [song(np.random.default_rng(seed)) for seed in range(3)], "corpus", memory, False
    )
    several = jsb.Mixture(mixture.networks, songs)
    each = np.array([several.song_nats((0,), [order])[0] for order in jsb.ORDERS])  # (24, S)
    all_orders, tokens = several.song_nats((0,))
    assert tokens.tolist() == [4 * len(rows) for rows in several.songs]
    assert (each.std(axis=0) > 0).all()
    assert (all_orders <= each.mean(axis=0) + 1e-6).all()  # -log of a mean is convex (Jensen)


def test_rows_of_one_network_and_of_several(mixture_and_memory: MixtureAndMemory) -> None:
    mixture, memory = mixture_and_memory
    songs = {"test": jsb.encode_songs([song(np.random.default_rng(0))], "corpus", memory, False)}
    rows = list(jsb.figure_rows([mixture.networks[0]] * 2, songs, 0))
    assert [row[0] for row in rows] == [
        "one network, one order",
        "one network, all orders",
        "2 networks, one order",
        "2 networks, all orders",
    ]
    assert rows[0][1] == rows[2][1] and rows[1][1] == rows[3][1]  # a mixture of equals changes nothing
