"""Whether songs drawn at temperature 1 are encoded as the rows that were drawn, so that nats are theirs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import numpy as np

import ritornello as r
from benchmarks.shared import argument, benchmark, table
from ritornello.composing.compose import BUNDLED
from ritornello.composing.sampling import SamplingParams
from ritornello.models.model import Model


def plain_sampling(creativity: float, fields: Sequence[str]) -> SamplingParams:
    """The parameters of the network's own distribution: temperature 1, all of the probability."""
    return SamplingParams(dict.fromkeys(fields, 1.0), dict.fromkeys(fields, 1.0))


def compare(song: Any) -> tuple[int, int, int, int, int]:
    """Of a composed song: its rows, how many differ once decoded and encoded, of these only in the duration,
    its notes, and those lost.
    """
    recipe = song.recipe
    representation = recipe.representation
    decoded = representation.decode(recipe.rows, recipe.plan)
    again = representation.encode(representation.canonical(decoded)[0]).values
    choices = [column for column, field in enumerate(representation.fields) if field.kind == "choice"]
    drawn, encoded = recipe.rows[:, choices], again[:, choices]
    shared = min(len(drawn), len(encoded))
    wrong = drawn[:shared] != encoded[:shared]  # (rows, choices)
    differ = int(wrong.any(axis=1).sum()) + abs(len(drawn) - len(encoded))
    names = [field.name for field in representation.fields]
    is_duration = np.array([names[column] == "duration" for column in choices])
    shorter = int((wrong.any(axis=1) & ~wrong[:, ~is_duration].any(axis=1)).sum())
    pitch = names.index("pitch")
    notes = int((recipe.rows[:, pitch] < representation.fields[pitch].size).sum())
    return len(drawn), differ, shorter, notes, notes - len(decoded)


@benchmark(
    argument("--model", default=str(BUNDLED), help="a model folder; by default the bundled model"),
    argument("--labels", nargs="+", default=["fiddle", "chorale"]),
    argument("--songs", type=int, default=10, help="of each label"),
    argument("--bars", type=int, default=8),
    argument("--seed", type=int, default=0),
)
def reencode(options: argparse.Namespace) -> None:
    """Compose songs at temperature 1 with all of the probability, and encode them again.

    Where a row differs, the nats that `measure` gives the song are not those with which it was drawn; rows
    that are too many or missing count as well. The sampling rules stay, as in every song.
    """
    model = Model.open(options.model)
    lines = []
    with patch.object(SamplingParams, "from_creativity", plain_sampling):
        for label in options.labels:
            songs = r.compose_many(model, options.songs, genre=label, bars=options.bars, seed=options.seed)
            counts = np.array([compare(song) for song in songs])
            rows, differ, shorter, notes, lost = counts.sum(axis=0).tolist()
            shares = f"{differ / rows:.2%}", f"{shorter / rows:.2%}"
            lines.append([label, len(songs), rows, *shares, int((counts[:, 1] > 0).sum()), notes, lost])
    head = [
        "label",
        "songs",
        "rows",
        "rows that differ",
        "only in duration",
        "songs with one",
        "notes",
        "lost",
    ]
    print(table(head, lines))
