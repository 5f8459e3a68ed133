"""Draw classes from the logits of a network: temperature, top-p and reproducible random numbers.

The random numbers are counter-based: the number for a field of a row depends on (seed, song, row, field)
alone, so a song is the same whatever other songs are composed in the same batch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.composing.options import DEFAULT_CREATIVITY

Logits = npt.NDArray[np.float32]

FORBIDDEN = np.float32(-np.inf)  # the logit of a class that must not be drawn
ROWS_PER_BLOCK = 256  # rows for which random numbers are made at a time
# By field, at the default creativity: temperature, and the share of probability that top-p cuts off. Human
# songs have rare shifts, durations and velocities; without the distribution's tail, songs are too even. A
# wrong pitch is noticed at once and misleads what follows, so pitches are drawn cooler. Measured in
# docs/results.md.
DEFAULTS = {"shift": (1.0, 0.01), "pitch": (0.85, 0.01), "duration": (1.0, 0.005), "velocity": (1.0, 0.005)}
OTHER_FIELDS = (1.0, 0.02)
CREATIVITY_POINTS = (0.0, DEFAULT_CREATIVITY, 1.0)  # between these, temperature and top-p are interpolated
LOWEST_HEAT, HIGHEST_HEAT = 0.1, 1.3  # factors of the temperature at creativity 0 and 1
CUT_AT_ZERO = 0.08  # the share that top-p cuts off at creativity 0; at creativity 1 it cuts off nothing
HABITS = ("drums", "rhythms", "style")  # repeated drums, repeated rhythms, and the style statistics
FIRST_SONG_BLOCK = 1 << 32  # blocks from here on are for numbers drawn once a song, not for rows


class SamplingParams(NamedTuple):
    """Temperature and top-p (the share of the probability that is kept) of each field."""

    temperature: dict[str, float]
    top_p: dict[str, float]

    @classmethod
    def from_creativity(
        cls, creativity: float, fields: Sequence[str], of_model: float = 1.0
    ) -> SamplingParams:
        """Return the parameters for a creativity from 0 (nearly always the likeliest class) to 1.

        `of_model` is the model's own factor of all temperatures.
        """
        heat = float(np.interp(creativity, CREATIVITY_POINTS, (LOWEST_HEAT, 1.0, HIGHEST_HEAT))) * of_model
        temperature, top_p = {}, {}
        for name in fields:
            usual, cut = DEFAULTS.get(name, OTHER_FIELDS)
            temperature[name] = heat * usual
            top_p[name] = 1 - float(np.interp(creativity, CREATIVITY_POINTS, (CUT_AT_ZERO, cut, 0.0)))
        return cls(temperature, top_p)


class Uniforms:
    """Uniform random numbers in [0, 1) for the rows of songs, which are identified by seed and number.

    Each `attempt` has other numbers.
    """

    def __init__(self, songs: Sequence[tuple[int, int]], fields: int, attempt: int = 0) -> None:
        self._songs, self._fields, self._attempt, self._block = songs, fields, attempt, -1
        self._numbers = np.zeros((0, len(songs), fields))

    def row(self, row: int) -> npt.NDArray[np.float64]:
        """The numbers (B, fields) of a row."""
        block, index = divmod(row, ROWS_PER_BLOCK)
        if block != self._block:
            drawn = [
                _generator(seed, song, block, self._attempt).random((ROWS_PER_BLOCK, self._fields))
                for seed, song in self._songs
            ]
            self._numbers, self._block = np.stack(drawn, axis=1), block
        numbers: npt.NDArray[np.float64] = self._numbers[index]
        return numbers


def song_generator(seed: int, song: int) -> np.random.Generator:
    """Return the generator for values that are drawn once a song, such as its plan."""
    return _generator(seed, song, FIRST_SONG_BLOCK)


def habit_generator(seed: int, song: int, habit: str) -> np.random.Generator:
    """Return the generator that draws one of HABITS for a song."""
    return _generator(seed, song, FIRST_SONG_BLOCK + 1 + HABITS.index(habit))


def _generator(seed: int, song: int, block: int, attempt: int = 0) -> np.random.Generator:
    """Return the generator of a block of a song; Philox is counter-based, so other draws do not change it."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, attempt, song, block]))


def number_after(uniform: float) -> float:
    """Return another number in [0, 1), computed from a uniform number but nearly independent of it."""
    return (uniform * 69069 + 0.5) % 1


def draw_classes(
    logits: Logits, temperature: float, top_p: float, uniforms: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Draw one class (B,) for each row of logits (B, size) with a uniform number (B,); -inf is never drawn.

    Only the likeliest classes that hold `top_p` of the probability are drawn (Holtzman et al., "The Curious
    Case of Neural Text Degeneration", 2020).
    """
    weights = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    weights *= np.float32(1 / temperature)
    np.exp(weights, out=weights)
    if top_p < 1:
        ordered = np.sort(weights, axis=1)  # ascending: the tail that is cut off comes first
        cumulated = np.add.accumulate(ordered, axis=1)
        cut = np.add.reduce(cumulated <= np.float32(1 - top_p) * cumulated[:, -1:], axis=1)
        least = ordered[np.arange(len(cut)), np.minimum(cut, ordered.shape[1] - 1)]
        weights *= weights >= least[:, None]
    cumulated = np.add.accumulate(weights, axis=1, dtype=np.float64)
    return np.asarray(np.add.reduce(cumulated <= (uniforms * cumulated[:, -1])[:, None], axis=1))


def seed_or_random(seed: int | None) -> int:
    """Return the seed, or a random one of 16 bits, which is short to type again."""
    return int.from_bytes(os.urandom(2), "big") if seed is None else int(seed)
