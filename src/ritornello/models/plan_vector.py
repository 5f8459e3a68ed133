"""Encode a plan as a vector, an input of the network.

    group    numbers
    genre    the weight of each label of the model, summing to 1
    meter    one-hot: METERS, then any other
    tempo    how near each of TEMPO_KNOTS is, on a logarithmic scale
    key      one-hot: 12 tonics x (major, minor)
    parts    a bit for each program that plays, and one for drums
    known    a bit for each of the five groups above; the numbers of an unknown group are 0

A model stores its labels and so the size of its vector. `infer_plan` gives the plan of a training song; when
composing, the plan comes from the user's options.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.music.theory import key_tonic

METERS = ((4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (12, 8), (9, 8), (3, 8), (5, 4), (6, 4), (7, 8), (3, 2))
TEMPO_KNOTS = 40.0 * 2.0 ** (np.arange(8) * 3 / 8)  # (8,), beats per minute, 40 to 247
PROGRAMS = 128
GROUPS = ("genre", "meter", "tempo", "key", "parts")


class PlanEncoder:
    """Turns plans into vectors for a model with these labels; `groups` are the slices of the vector."""

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = tuple(labels)
        sizes = (len(self.labels), len(METERS) + 1, len(TEMPO_KNOTS), 24, PROGRAMS + 1, len(GROUPS))
        ends = np.cumsum(sizes).tolist()
        names = (*GROUPS, "known")
        columns = zip(names, sizes, ends, strict=True)
        self.groups = {name: slice(end - size, end) for name, size, end in columns}
        self.size = ends[-1]

    def vector(self, plan: Plan, hidden: Collection[str] = ()) -> npt.NDArray[np.float32]:
        """Return the vector (size,) of a plan; groups in `hidden` are unknown, `"plan"` stands for all.

        Labels that the model does not know are ignored; a plan without genre, key or parts leaves it unknown.
        """
        vector = np.zeros(self.size, np.float32)
        for number, group in enumerate(GROUPS):
            numbers = vector[self.groups[group]]
            if "plan" not in hidden and group not in hidden:
                getattr(self, f"_{group}")(plan, numbers)
                vector[self.groups["known"].start + number] = numbers.any()
        return vector

    def _genre(self, plan: Plan, out: npt.NDArray[np.float32]) -> None:
        for label, weight in plan.genres:
            if label in self.labels:
                out[self.labels.index(label)] = weight
        if out.any():
            out /= out.sum()

    def _meter(self, plan: Plan, out: npt.NDArray[np.float32]) -> None:
        meter = plan.only_main_meter().meters[0][1:]
        out[METERS.index(meter) if meter in METERS else len(METERS)] = 1

    def _tempo(self, plan: Plan, out: npt.NDArray[np.float32]) -> None:
        position = np.interp(np.log(plan.bpm), np.log(TEMPO_KNOTS), np.arange(len(TEMPO_KNOTS)))
        out[:] = np.maximum(0, 1 - np.abs(np.arange(len(TEMPO_KNOTS)) - position))

    def _key(self, plan: Plan, out: npt.NDArray[np.float32]) -> None:
        if plan.key is not None:
            out[2 * key_tonic(*plan.key) + plan.key[1]] = 1

    def _parts(self, plan: Plan, out: npt.NDArray[np.float32]) -> None:
        out[[PROGRAMS if part.is_drum else part.program for part in plan.parts]] = 1


def infer_plan(song: Score, labels: Sequence[str] = ()) -> Plan:
    """Return the plan of a song: `Plan.of` with labels, an estimated key, and only the parts with notes.

    Its mean velocity is that of all notes.

    Key signatures in files are often wrong (sequencers write C major by default), so the key is always
    estimated from the notes; a song of drums alone has none.
    """
    plan = Plan.of(song)
    parts = tuple(song.parts[part] for part in np.unique(song.part).tolist())
    genres = tuple((label, 1 / len(labels)) for label in labels)
    velocity = mean_velocity(song)
    return replace(plan, key=song.estimated_key, parts=parts, genres=genres, mean_velocity=velocity)


def mean_velocity(song: Score) -> int | None:
    """Return the mean velocity of all notes of a song, rounded, 1-127; None without notes."""
    return round(float(song.velocity.mean())) if len(song) else None
