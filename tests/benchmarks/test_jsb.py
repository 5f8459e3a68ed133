"""What `benchmarks/jsb.py` counts is honest: no voice is predicted from what it is to predict."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import chorale_returns as returns
import jsb
from any_order import HEARD, AnyOrder, Config
from ritornello.representations.chorale import SIZE

VOICES = [0, 3, 2, 1]  # column of soprano, alto, tenor, bass among the four of a row


def song(draw: np.random.Generator, frames: int = 40) -> np.ndarray:
    """Frames (N, 4) of pitches that move and return."""
    moves = np.repeat(draw.integers(0, 5, (frames // 4, 4)), 4, axis=0)
    found = moves + np.array([72, 64, 57, 48])
    return np.concatenate([found, found])


@pytest.fixture(scope="module")
def judged() -> tuple[jsb.Judge, returns.Memory]:
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    learnt = jsb.encoded([song(draw) for _ in range(3)], "none", None, True)
    network = AnyOrder(Config(width=16)).eval()
    return jsb.Judge([network], []), returns.Memory([rows[:, HEARD] for rows in learnt])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_to_come_changes_nothing_before_it(
    judged: tuple[jsb.Judge, returns.Memory], seed: int
) -> None:
    judge, memory = judged
    draw = np.random.default_rng(seed)
    one = song(draw)
    frame, voice = int(draw.integers(1, len(one) - 1)), int(draw.integers(4))
    other = one.copy()
    other[frame + 1 :] = draw.integers(50, 70, (len(one) - frame - 1, 4))
    other[frame, voice] += 1  # known to no voice but those that are told of it
    first, second = (
        judge._logs(jsb.encoded([each], "corpus", memory, False), (0,))[0] for each in (one, other)
    )
    compared = 0
    for (predicted, known), logs in first.items():
        told = predicted == VOICES[voice] or known >> VOICES[voice] & 1
        upto = frame if told else frame + 1
        assert torch.equal(logs[0, :upto], second[predicted, known][0, :upto])
        compared += not told
    assert compared == 12  # three voices, each under the four ways to know the two others
    assert any(not torch.equal(logs, second[key]) for key, logs in first.items())


def test_a_training_song_does_not_find_itself(judged: tuple[jsb.Judge, returns.Memory]) -> None:
    draw = np.random.default_rng(0)
    frames = jsb.encoded([song(draw)], "none", None, True)[0][:, HEARD]
    memory = returns.Memory([frames])
    alone = memory.candidates(frames, 0)
    assert not np.array_equal(memory.candidates(frames), alone)
    nothing = returns.Memory([])
    assert np.array_equal(nothing.candidates(frames), alone)


def test_the_chances_of_a_mixture_add_up_to_one(judged: tuple[jsb.Judge, returns.Memory]) -> None:
    judge, memory = judged
    one = song(np.random.default_rng(1))
    total = torch.zeros(())
    for pitch in range(SIZE):
        rows = jsb.encoded([one], "corpus", memory, False)[0].copy()
        rows[-1, 1] = pitch  # every class that the soprano's last frame can be
        total = total + judge._logs([rows], (0,))[0][0, 0][0, -1].exp()
    assert float(total) == pytest.approx(1, abs=1e-5)
