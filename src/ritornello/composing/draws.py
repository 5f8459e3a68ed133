"""What is drawn from a network's logits: by which numbers, how boldly.

Draws are counter-based: what is drawn for a field of a row is a function of (seed, song, row, field) alone,
so a song is the same whatever other songs are composed beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import PlanError

Logits = npt.NDArray[np.float32]

BLOCK_ROWS = 256
# By field the usual temperature, and how much of the probability does not count. When notes come, how long,
# how loud they are varies in human songs by what is rare: with its tail cut off a song is too even. A wrong
# pitch is heard at once, and what follows builds on it: the likelier come a little more often.
USUAL = {"shift": (1.0, 0.01), "pitch": (0.85, 0.01), "duration": (1.0, 0.005), "velocity": (1.0, 0.005)}
OTHERS = (1.0, 0.02)
MARKS = (0.0, 0.5, 1.0)  # of the dial for people: safest, usual, wild
SAFEST, WILDEST = 0.1, 1.3  # times the usual temperature
SAFE = 0.08  # of the probability does not count where nothing is dared
FIRST_SONG = 1 << 32  # of the generators for whole songs, out of the rows' way


class Taste(NamedTuple):
    """How boldly to draw: a temperature and a share of the probability that counts (top-p), by field."""

    temperature: dict[str, float]
    top_p: dict[str, float]

    @classmethod
    def of(cls, creativity: float, fields: Sequence[str]) -> Taste:
        """From one dial for people: 0 is the safest choice nearly always, 0.5 usual, 1 wild.

        Raises PlanError.
        """
        if not 0 <= creativity <= 1:
            raise PlanError(f"creativity {creativity:g}, must be 0-1")
        heat = float(np.interp(creativity, MARKS, (SAFEST, 1.0, WILDEST)))
        usual = {name: USUAL.get(name, OTHERS) for name in fields}
        return cls(
            {name: heat * temperature for name, (temperature, _) in usual.items()},
            {
                name: 1 - float(np.interp(creativity, MARKS, (SAFE, left_out, 0.0)))
                for name, (_, left_out) in usual.items()
            },
        )


class Uniforms:
    """Numbers 0 <= u < 1 for the rows of songs, each with a seed and a number; a block of rows at a time."""

    def __init__(self, songs: Sequence[tuple[int, int]], fields: int) -> None:
        self._songs, self._fields, self._block = songs, fields, -1
        self._numbers = np.zeros((0, len(songs), fields))

    def row(self, row: int) -> npt.NDArray[np.float64]:
        """The numbers (B, fields) of a row."""
        block, place = divmod(row, BLOCK_ROWS)
        if block != self._block:
            drawn = [
                _generator(seed, song, block).random((BLOCK_ROWS, self._fields)) for seed, song in self._songs
            ]
            self._numbers, self._block = np.stack(drawn, axis=1), block
        numbers: npt.NDArray[np.float64] = self._numbers[place]
        return numbers


def of_song(seed: int, song: int) -> np.random.Generator:
    """The generator for what is drawn once a song, such as its plan."""
    return _generator(seed, song, FIRST_SONG)


def _generator(seed: int, song: int, block: int) -> np.random.Generator:
    """Philox is counter-based: no other draw comes before those of a block of a song."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, song, block]))


def pick(
    logits: Logits, temperature: float, top_p: float, uniforms: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """One class a row of (B, size), where -inf is never drawn; `uniforms` (B,) say which.

    Only the likeliest classes that have `top_p` of the probability together count (Holtzman et al. 2020).
    """
    weights = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    weights *= np.float32(1 / temperature)
    np.exp(weights, out=weights)
    if top_p < 1:
        ordered = np.sort(weights, axis=1)  # rising: what lies below the rest of the probability goes
        below = np.add.accumulate(ordered, axis=1)
        cut = np.add.reduce(below <= np.float32(1 - top_p) * below[:, -1:], axis=1)
        least = ordered[np.arange(len(cut)), np.minimum(cut, ordered.shape[1] - 1)]
        weights *= weights >= least[:, None]
    upto = np.add.accumulate(weights, axis=1, dtype=np.float64)
    return np.asarray(np.add.reduce(upto <= (uniforms * upto[:, -1])[:, None], axis=1))
