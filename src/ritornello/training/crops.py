"""Crops of songs, varied: the batches of a network that learns every row ("all").

The batch of a step is a pure function of (songs, seed, step), as in batches.py. A song is drawn by its notes
and its genre, then a crop of it, then what is varied: key, loudness, tempo, what is given, what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ritornello.models.plan_vector import PlanEncoder
from ritornello.music.plan import Plan
from ritornello.music.theory import transposed_key
from ritornello.representations.table import hide, start_row
from ritornello.training.batches import Batch, step_generator
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSong, EncodedSongs

SIDE_INFORMATION = ("form", "bars_left", "chord", "plan")
HIDDEN, ALL_HIDDEN = 0.3, 0.1  # how often each of them is unknown for a whole crop, and all of them together


@dataclass(frozen=True)
class Augmentation:
    """What a crop is varied by; the defaults are those of training, `none()` leaves all as it is."""

    semitones: tuple[int, int] = (-5, 6)
    """The key is moved by a number from the first to the last of these, where the song has room."""
    louder: int = 2
    """Velocities move by up to so many bins."""
    tempo: float = 0.15
    """The plan's tempo is multiplied by up to 2 to this power, or divided."""
    given: float = 0.5
    """How often notes of the song are given."""
    hidden: float = HIDDEN
    """How often each piece of side information is unknown."""
    all_hidden: float = ALL_HIDDEN
    """How often all of it is."""

    @classmethod
    def none(cls, all_hidden: float = 1.0) -> Augmentation:
        """The song as it is, nothing known beyond its notes."""
        return cls((0, 0), 0, 0.0, 0.0, 0.0, all_hidden)


class Crops:
    """Crops of `window` rows and the row before, of songs as drawn."""

    def __init__(
        self,
        songs: EncodedSongs,
        plan_encoder: PlanEncoder,
        window: int,
        seed: int,
        variation: Augmentation | None = None,
        genre_power: float = 0.5,
    ) -> None:
        self.songs, self.plan_encoder, self.window, self.seed = songs, plan_encoder, window, seed
        self.variation = variation or Augmentation()
        self.ends = np.cumsum(_weights(songs, genre_power))
        self.fields = songs.representation.fields

    def __len__(self) -> int:
        """How many crops of full length the songs' notes would fill."""
        return -(-int(self.songs.notes.sum()) // self.window)

    def batch(self, step: int, size: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step: crops rank::world of the global one of `size` crops."""
        return self._together([self._drawn(step, crop) for crop in range(rank, size, world)])

    def sample(self, most: int) -> Batch:
        """Crops at even distances over all songs, not varied: a fixed sample of at most `most` rows."""
        total = int(self.songs.notes.sum())
        count = max(1, min(most, total) // self.window)
        ends = np.cumsum(self.songs.notes)
        places = (np.arange(count) + 0.5) * total / count
        found = []
        for place in places.tolist():
            song = int(np.searchsorted(ends, place, side="right"))
            encoded = self.songs.song(song)
            within = 1 - (ends[song] - place) / max(1, self.songs.notes[song])
            start = round(within * max(0, len(encoded.values) - self.window))
            found.append((encoded, start, 0, 0, encoded.plan, SIDE_INFORMATION))
        return self._together([self._crop(*crop) for crop in found])

    def _drawn(self, step: int, crop: int) -> Batch:
        """One crop of the batch of a step."""
        draw, vary = step_generator(self.seed, step, crop), self.variation
        song = int(np.searchsorted(self.ends, draw.random() * self.ends[-1], side="right"))
        song = min(song, len(self.songs) - 1)
        variant = int(draw.integers(1, GIVEN_VARIANTS + 1)) if draw.random() < vary.given else 0
        encoded = self.songs.song(song, variant)
        rows, half = len(encoded.values), self.window // 2
        # what would begin before the song or end after it begins or ends with it: so its ends are learnt too
        start = int(np.clip(draw.integers(-half, max(rows - half, 1 - half)), 0, max(0, rows - self.window)))
        semitones = int(np.clip(draw.integers(vary.semitones[0], vary.semitones[1] + 1), *encoded.room))
        bins = int(draw.integers(-vary.louder, vary.louder + 1))
        us_per_beat = encoded.plan.us_per_beat * 2 ** draw.uniform(-vary.tempo, vary.tempo)
        key = encoded.plan.key and transposed_key(encoded.plan.key, semitones)
        plan = replace(encoded.plan, key=key, us_per_beat=int(np.clip(us_per_beat, 1, (1 << 24) - 1)))
        hidden = [what for what in SIDE_INFORMATION if draw.random() < vary.hidden]
        if draw.random() < vary.all_hidden:
            hidden = list(SIDE_INFORMATION)
        return self._crop(encoded, start, semitones, bins, plan, hidden)

    def _crop(
        self, encoded: EncodedSong, start: int, semitones: int, bins: int, plan: Plan, hidden: Sequence[str]
    ) -> Batch:
        """A crop as a batch of one, filled up with rows of which nothing is learnt."""
        representation = self.songs.representation
        values = np.tile(np.array(start_row(self.fields), np.int16), (self.window + 1, 1))
        learn = np.zeros(values.shape, bool)
        taken = encoded.values[max(0, start - 1) : start + self.window]
        first = 0 if start else 1  # the start row stands before a song
        values[first : first + len(taken)] = taken
        learn[1 : 1 + len(encoded.learn[start : start + self.window])] = encoded.learn[
            start : start + self.window
        ]
        values = hide(self.fields, representation.augmented(values, semitones, bins), hidden)
        return Batch(values[None], learn[None], self.plan_encoder.vector(plan, hidden)[None])

    def _together(self, crops: Sequence[Batch]) -> Batch:
        """Batches of one as one, no longer than the longest crop."""
        values, learn, plan = (np.concatenate(column) for column in zip(*crops, strict=True))
        learnt = np.flatnonzero(learn.any(axis=(0, 2)))
        end = int(learnt[-1]) + 1 if len(learnt) else 2
        return Batch(values[:, :end], learn[:, :end], plan)


def _weights(songs: EncodedSongs, genre_power: float) -> npt.NDArray[np.float64]:
    """How likely each song is drawn: by its notes, and a genre by the notes of all its songs to a power."""
    genre = [labels[0] if labels else "" for labels in songs.labels]
    _, index = np.unique(genre, return_inverse=True)
    notes = np.maximum(songs.notes, 1).astype(np.float64)
    sizes = np.bincount(index, notes)
    return np.asarray(notes * sizes[index] ** (genre_power - 1))
