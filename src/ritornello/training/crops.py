"""Crops of songs with augmentation: the batches of a network that learns every row ("all").

The batch of a step is a pure function of (songs, seed, step), as in batches.py. A song is drawn by its number
of notes and its genre, then a crop of it, then the augmentation: key, velocity, tempo, which notes are given,
which side information is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.key_frame import frame_shift, shift_within
from ritornello.music.plan import Plan
from ritornello.music.sketch import CLOSED
from ritornello.music.theory import transposed_key
from ritornello.representations.table import hide, start_row
from ritornello.training.batches import Batch, step_generator
from ritornello.training.pack import SongHead
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSongs

SIDE_INFORMATION = ("form", "bars_left", "chord", "plan", "cadence", "texture")
CANDIDATES = ("echo", "alone")
ALL_SEMITONES, FRAMED_SEMITONES = (-5, 6), (-2, 2)
# The probability that one of them is hidden for a whole crop, and that all of them are.
HIDDEN, ALL_HIDDEN = 0.3, 0.1


@dataclass(frozen=True)
class Augmentation:
    """The settings of augmentation; the defaults are for training, `none()` hides side information alone."""

    semitones: tuple[int, int] | None = None
    """A crop is transposed by a number of semitones from the first to the last, within the song's range.

    None: by -5 to 6; or in a key frame by -2 to 2, so that each key is learnt at its own height.
    """
    louder: int = 2
    """The most bins by which velocities are raised or lowered."""
    tempo: float = 0.15
    """The tempo in bpm is divided by 2**x, with x uniform in -tempo to tempo."""
    given: float = 0.5
    """The probability that notes of the song are given."""
    hidden: float = HIDDEN
    """The probability that one kind of side information is hidden."""
    all_hidden: float = ALL_HIDDEN
    """The probability that all side information is hidden."""
    no_candidate: float = 0.1
    """The probability that echo is hidden, and that alone is."""
    no_candidate_at_ends: float = 0.3
    """The same for crops in which the song or a phrase ends: endings are not to be copied from middles."""
    ends: float = 0.125
    """The probability that a crop is the last one of its song."""

    @classmethod
    def none(cls, all_hidden: float = 1.0) -> Augmentation:
        """Return the settings for songs as they are, with all side information hidden."""
        return cls((0, 0), 0, 0.0, 0.0, 0.0, all_hidden, 0.0, 0.0, 0.0)


class Crops:
    """Crops of `window` rows and the row before, of songs drawn at random."""

    def __init__(
        self,
        songs: EncodedSongs,
        plan_encoder: PlanEncoder,
        window: int,
        seed: int,
        augmentation: Augmentation | None = None,
        genre_power: float = 0.5,
        has_key_frame: bool = False,
        label_weights: Mapping[str, float] | None = None,
    ) -> None:
        self.songs, self.plan_encoder, self.window, self.seed = songs, plan_encoder, window, seed
        self.augmentation, self.has_key_frame = augmentation or Augmentation(), has_key_frame
        default = FRAMED_SEMITONES if has_key_frame else ALL_SEMITONES
        self.semitones = default if self.augmentation.semitones is None else self.augmentation.semitones
        self.ends = np.cumsum(_song_weights(songs, genre_power, label_weights or {}))
        self.fields = songs.representation.fields

    def __len__(self) -> int:
        """The number of crops of full length that the songs' notes would fill."""
        return -(-int(self.songs.notes.sum()) // self.window)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """Return the batch of a step: crops rank::world of the `size` crops of all processes."""
        return self._joined([self._random_crop(step, crop) for crop in range(rank, size, world)])

    def sample(self, most: int) -> Batch:
        """Return evenly spaced crops without augmentation: a fixed sample of at most `most` rows."""
        total = int(self.songs.notes.sum())
        count = max(1, min(most, total) // self.window)
        ends = np.cumsum(self.songs.notes)
        found = []
        for position in ((np.arange(count) + 0.5) * total / count).tolist():
            song = int(np.searchsorted(ends, position, side="right"))
            within = 1 - (ends[song] - position) / max(1, self.songs.notes[song])
            song = self.songs.usable(song)
            head = self.songs.head(song)
            start = round(within * max(0, head.rows - self.window))
            found.append((song, 0, start, self._framed(head, 0), 0, head.plan, SIDE_INFORMATION))
        return self._joined([self._crop(*crop) for crop in found])

    def _random_crop(self, step: int, crop: int) -> Batch:
        """Draw one crop of the batch of a step: its song, where it begins, and its augmentation."""
        draw, vary = step_generator(self.seed, step, crop), self.augmentation
        song = int(np.searchsorted(self.ends, draw.random() * self.ends[-1], side="right"))
        song = min(song, len(self.songs) - 1)
        variant = int(draw.integers(1, GIVEN_VARIANTS + 1)) if draw.random() < vary.given else 0
        song = self.songs.usable(song, variant)
        head = self.songs.head(song, variant)
        rows, half = head.rows, self.window // 2
        # starts are drawn beyond both ends of the song and then clipped, so that the ends are learnt as often
        start, last = int(draw.integers(-half, max(rows - half, 1 - half))), max(0, rows - self.window)
        start = last if draw.random() < vary.ends else min(max(start, 0), last)
        semitones = int(np.clip(draw.integers(self.semitones[0], self.semitones[1] + 1), *head.range))
        bins = int(draw.integers(-vary.louder, vary.louder + 1))
        us_per_beat = head.plan.us_per_beat * 2 ** draw.uniform(-vary.tempo, vary.tempo)
        key = head.plan.key and transposed_key(head.plan.key, semitones)
        plan = replace(head.plan, key=key, us_per_beat=int(np.clip(us_per_beat, 1, (1 << 24) - 1)))
        hidden = [what for what in SIDE_INFORMATION if draw.random() < vary.hidden]
        if draw.random() < vary.all_hidden:
            hidden = list(SIDE_INFORMATION)
        return self._crop(
            song, variant, start, self._framed(head, semitones), bins, plan, hidden, draw.random(2).tolist()
        )

    def _hidden_candidates(self, values: npt.NDArray[Any], chances: Sequence[float]) -> list[str]:
        """Which of CANDIDATES are hidden in a crop of rows (N, F), for a random number of 0-1 for each."""
        column = {field.name: number for number, field in enumerate(self.fields)}
        end = getattr(self.songs.representation, "end", None)
        has_end = end is not None and bool((values[:, column[end[0]]] == end[1]).any())
        if "cadence.kind" in column:
            kind, bars = (values[:, column[name]] for name in ("cadence.kind", "cadence.bars"))
            has_end |= bool(((kind == CLOSED) & (bars == 0)).any())
        limit = self.augmentation.no_candidate_at_ends if has_end else self.augmentation.no_candidate
        return [name for name, chance in zip(CANDIDATES, chances, strict=False) if chance < limit]

    def _framed(self, head: SongHead, semitones: int) -> int:
        """By how many semitones the rows of a song that is transposed by `semitones` are moved in all."""
        key = head.plan.key
        if not self.has_key_frame or key is None:
            return semitones
        return shift_within(semitones + frame_shift(transposed_key(key, semitones)), *head.range)

    def _crop(
        self,
        song: int,
        variant: int,
        start: int,
        semitones: int,
        bins: int,
        plan: Plan,
        hidden: Sequence[str],
        chances: Sequence[float] = (),
    ) -> Batch:
        """A crop as a batch of one, padded with rows in which nothing is learnt.

        `chances` are those of `_hidden_candidates`.
        """
        representation = self.songs.representation
        values = np.tile(np.array(start_row(self.fields), np.int16), (self.window + 1, 1))
        learn = np.zeros(values.shape, bool)
        rows, learnt = self.songs.rows(song, variant, max(0, start - 1), start + self.window)
        first = 0 if start else 1  # the start row stands before a song
        values[first : first + len(rows)] = rows
        learn[first : first + len(rows)] = learnt
        learn[0] = False
        hidden = [*hidden, *self._hidden_candidates(values[1:], chances)]
        values = hide(self.fields, representation.augmented(values, semitones, bins), hidden)
        return Batch(values[None], learn[None], self.plan_encoder.vector(plan, hidden)[None])

    def _joined(self, crops: Sequence[Batch]) -> Batch:
        """Join batches of one crop; rows after the last learnt one are cut off."""
        values, learn, plan = (np.concatenate(column) for column in zip(*crops, strict=True))
        learnt = np.flatnonzero(learn.any(axis=(0, 2)))
        end = int(learnt[-1]) + 1 if len(learnt) else 2
        return Batch(values[:, :end], learn[:, :end], plan)


def _song_weights(
    songs: EncodedSongs, genre_power: float, label_weights: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """The weight of each song (songs,): its share of its genre's notes, times those notes**genre_power.

    That of a label in `label_weights` is multiplied by its number.
    """
    genre = [labels[0] if labels else "" for labels in songs.labels]
    _, index = np.unique(genre, return_inverse=True)
    notes = np.maximum(songs.notes, 1).astype(np.float64)
    sizes = np.bincount(index, notes)
    factors = np.array([label_weights.get(label, 1.0) for label in genre])
    return np.asarray(notes * factors * sizes[index] ** (genre_power - 1))
