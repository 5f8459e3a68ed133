"""The profile of a song: numbers that describe its sketch as a whole.

A song returns in long stretches or in single bars, changes its chords often or rarely, and so on, and it does
so from start to end. A network that draws one variable after the other mixes such habits. So the habits of a
new song are drawn first, from the profiles of songs that were learnt with a similar plan, and the network is
told them. A profile has K numbers between 0 and 1, NaN if unknown. Plans are compared by S numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.sketch import CLOSED, NO_CADENCE
from ritornello.music.theory import CHORD_KINDS, scale
from ritornello.music.theory import CHORDS as CHORD_TONES
from ritornello.sketching.inputs import knots
from ritornello.sketching.stages import SAME
from ritornello.sketching.variables import KINDS, NO_CHORD, OPEN, Variables

Floats = npt.NDArray[np.float64]
# The numbers of a profile, by the kind of variables that they describe. A return goes on if the next bar
# returns to the next bar. Parts are alike if they have similar numbers of notes in a bar
GROUPS = {
    "origin": ("returns", "returns that go on", "returns of whole bars"),
    "cadence": ("phrases of the commonest length", "closed phrase ends"),
    "motif": ("new bars with an earlier motif",),
    "chord": ("chord changes", "different chords", "commonest chord", "chords outside the scale"),
    "notes": ("notes", "rests", "changes of notes", "different textures", "parts alike", "changes of pitch"),
}  # fmt: skip
NUMBERS = tuple(name for names in GROUPS.values() for name in names)
GROUP_OF = np.repeat(np.arange(len(GROUPS)), [len(names) for names in GROUPS.values()])
KNOTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
PROFILE_INPUTS = len(NUMBERS) * (len(KNOTS) + 1)
SCALE = scale(0, True)  # of C major and A harmonic minor, to which chords are moved
# The distance of songs with twice the bars, another part, drums or none, another beat in a bar, another mode
DISTANCES = np.array([1.0, 0.7, 2.0, 0.5, 0.3])
PLAN_NUMBERS = len(DISTANCES)
# Numbers without an upper limit are divided by these, or go half of the way to 1 at these
MOST_CHORDS_LOG2, MOST_NOTES, NOTES_HALFWAY, PITCHES_HALFWAY = 6, 20, 2, 1
SHARPNESS = 2.0  # a song one unit farther away is chosen exp(SHARPNESS) times less often


@dataclass(frozen=True)
class Profiles:
    """The profiles of N songs that were learnt: `songs` (N, 1 + S) and `numbers` (N, K) of them.

    The first column of `songs` is the number of the label among those of the network, or their count for a
    song without a label; the others are `plan_numbers`. In `numbers`, -1 is unknown.
    """

    songs: npt.NDArray[np.float32] = field(repr=False)
    numbers: npt.NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, songs: Sequence[tuple[int, Floats, Variables]]) -> Profiles:
        """Return the profiles of songs: of each the label's number, its `plan_numbers` (S,) and variables."""
        known = [np.append(label, numbers) for label, numbers, _ in songs]
        found = [np.nan_to_num(profile_of(variables), nan=-1) for _, _, variables in songs]
        return cls(
            np.array(known, np.float32).reshape(-1, 1 + PLAN_NUMBERS),
            np.array(found, np.float32).reshape(-1, len(NUMBERS)),
        )

    @classmethod
    def read(cls, arrays: dict[str, Any], count: int) -> Profiles:
        """Take the `count` profiles out of the arrays of a sketch network, which have `profile_shapes`."""
        return cls(*map(arrays.pop, profile_shapes(count))) if count else cls.of([])

    @property
    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """The arrays that `read` takes, of the shapes (N, 1 + S) and (N, K)."""
        return dict(zip(profile_shapes(len(self)), (self.songs, self.numbers), strict=False))

    def __len__(self) -> int:
        return len(self.songs)

    def joined(self, other: Profiles, label_numbers: Sequence[int | None]) -> Profiles:
        """Return these profiles, and those of `other` whose label has a number and no profile here.

        `label_numbers` are the numbers here of the labels of `other`.
        """
        here = set(self.songs[:, 0].astype(np.int64).tolist())
        numbers = np.array([-1 if n is None or n in here else n for n in label_numbers], np.int64)
        songs = other.songs.copy()
        songs[:, 0] = numbers[songs[:, 0].astype(np.int64)] if len(songs) else 0
        kept = songs[:, 0] >= 0
        return Profiles(
            np.concatenate([self.songs, songs[kept]]), np.concatenate([self.numbers, other.numbers[kept]])
        )

    def draw(self, plan: Plan, bars: int, labels: Sequence[str], generator: np.random.Generator) -> Floats:
        """Return the profile (K,) of a song with a similar plan, and with one of its labels, if any."""
        weights = dict(plan.genres)
        by_label = np.array([*(weights.get(label, 0.0) for label in labels), 0.0])
        of_song = by_label[self.songs[:, 0].astype(np.int64)] if by_label.any() else np.ones(len(self.songs))
        if not of_song.any():
            return no_profile()
        apart = np.abs(self.songs[:, 1:] - plan_numbers(plan, bars)) @ DISTANCES
        apart -= apart[of_song > 0].min()
        chances = of_song * np.exp(-SHARPNESS * apart)
        chosen = self.numbers[generator.choice(len(chances), p=chances / chances.sum())].astype(np.float64)
        return np.where(chosen < 0, np.nan, chosen)


def profile_shapes(count: int) -> dict[str, tuple[int, int]]:
    """Return the names and shapes of the arrays of `count` profiles, none of no profile."""
    if not count:
        return {}
    return {"profile_songs": (count, 1 + PLAN_NUMBERS), "profile_numbers": (count, len(NUMBERS))}


def plan_numbers(plan: Plan, bars: int) -> Floats:
    """Return what a plan with so many `bars` says of its song, (S,)."""
    numerator, denominator = plan.only_main_meter().meters[0][1:]
    has_drums = any(part.is_drum for part in plan.parts)
    is_minor = plan.key is not None and plan.key[1]
    numbers = [np.log2(max(bars, 1)), len(plan.parts), has_drums, 4 * numerator / denominator, is_minor]
    return np.array(numbers, np.float64)


def profile_of(variables: Variables) -> Floats:
    """Return the profile (K,) of known variables; the numbers of a kind with open ones are NaN."""
    groups = (_returns, _phrases, _motifs, _chords, _textures)
    found: list[float] = []
    for (kind, names), group in zip(GROUPS.items(), groups, strict=True):
        is_open = (getattr(variables, kind) == OPEN).any()
        found += [np.nan] * len(names) if is_open else group(variables)
    return np.clip(np.array(found, np.float64), 0, 1)


def known_groups(variables: Variables) -> npt.NDArray[np.bool_]:
    """Return which numbers (K,) of a profile describe a kind of variables of which some are known."""
    known = [(getattr(variables, kind) >= 0).any() for kind in GROUPS]
    return np.asarray(np.array(known)[GROUP_OF])


def profile_inputs(profile: Floats) -> npt.NDArray[np.float32]:
    """Return the inputs (PROFILE_INPUTS,) of the network for a profile."""
    is_unknown = np.isnan(profile)
    weights = knots(np.nan_to_num(profile), KNOTS) * ~is_unknown[:, None]
    return np.concatenate([weights.ravel(), is_unknown]).astype(np.float32)


def no_profile() -> Floats:
    """Return the profile (K,) of a song of which nothing is known."""
    return np.full(len(NUMBERS), np.nan)


def _returns(v: Variables) -> list[Any]:
    returns = v.origin >= 0
    after = returns[1:] & returns[:-1]
    goes_on = (v.origin[1:] == v.origin[:-1] + 1)[after]
    return [_mean(returns), _mean(goes_on), _mean(v.similarity[returns] == SAME)]


def _phrases(v: Variables) -> list[Any]:
    ends = np.flatnonzero(v.cadence != NO_CADENCE)
    lengths = Counter(np.diff(ends).tolist())
    commonest = max(lengths.values()) / lengths.total() if lengths else np.nan
    return [commonest, _mean(v.cadence[ends] == CLOSED)]


def _motifs(v: Variables) -> list[Any]:
    return [_mean((v.motif >= 0)[v.origin < 0])]


def _chords(v: Variables) -> list[Any]:
    chords = v.chord[v.chord >= 0]
    counts = Counter(chords.tolist())
    if not counts:
        return [np.nan] * 4
    tones = [_is_in_scale(chord) for chord in counts]
    outside = sum(n for n, inside in zip(counts.values(), tones, strict=True) if not inside)
    changes = _mean(chords[1:] != chords[:-1])
    different = np.log2(len(counts)) / MOST_CHORDS_LOG2
    return [changes, different, max(counts.values()) / len(chords), outside / len(chords)]


def _is_in_scale(chord: int) -> bool:
    if chord == NO_CHORD:
        return True
    root, kind = divmod(chord, KINDS)
    return all((root + interval) % 12 in SCALE for interval in CHORD_TONES[CHORD_KINDS[kind]][1])


def _textures(v: Variables) -> list[Any]:
    notes, bars = v.notes.astype(np.float64), v.notes.shape[1]
    plays, pitch = notes > 0, v.pitch.astype(np.float64)
    if not notes.size:
        return [np.nan] * 6
    change = _mean(np.abs(np.diff(notes)))
    pitch_change = _mean(np.abs(np.diff(pitch))[plays[:, 1:] & plays[:, :-1]])
    different = len({tuple(column) for column in v.notes.T.tolist()}) / bars
    alike = np.nan
    if len(notes) > 1 and bars > 1:
        distances = np.abs(notes[:, None] - notes[None]).mean(-1)[np.triu_indices(len(notes), 1)]
        alike = 1 / (1 + distances.mean())
    change, pitch_change = change / (NOTES_HALFWAY + change), pitch_change / (PITCHES_HALFWAY + pitch_change)
    return [_mean(notes[plays]) / MOST_NOTES, _mean(~plays), change, different, alike, pitch_change]


def _mean(values: Any) -> float:
    """The mean of values, NaN of none."""
    return float(values.mean()) if values.size else np.nan
