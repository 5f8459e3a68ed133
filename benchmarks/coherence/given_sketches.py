"""Whether composed songs differ from people's by their sketches, or by how notes follow a sketch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.coherence.sketches import drawn_like
from benchmarks.coherence.songs import HELD_OUT, full_bars
from benchmarks.shared import CORPUS, argument, benchmark, table
from ritornello.composing import compose
from ritornello.composing.generate import generate_songs
from ritornello.composing.replay import with_mean_velocity
from ritornello.composing.request import request_for
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError
from ritornello.evaluation.analysed_song import AnalysedSong
from ritornello.evaluation.detector import FEWEST, detector
from ritornello.evaluation.features import song_table
from ritornello.learning.song_comparison import DIALS
from ritornello.models.model import Model
from ritornello.models.plan_vector import mean_velocity
from ritornello.music.plan import Plan
from ritornello.music.score import Score
from ritornello.sketching.sketcher import Sketcher
from ritornello.training.sketch_training import song_plan

MOST_BARS = 64  # of a song


def composed(model: Model, plans: Sequence[Plan], seed: int) -> list[Score]:
    """Return a song for each plan, as `compose` would compose it; silent songs are left out."""
    requests = [request_for(plan, seed, number, parts_are_optional=True) for number, plan in enumerate(plans)]
    songs = generate_songs(model, requests, DIALS)
    pairs = zip(songs, plans, strict=True)
    return [with_mean_velocity(song.score, plan.mean_velocity) for song, plan in pairs if len(song.score)]


@benchmark(
    CORPUS,
    argument("--model", help="a model folder (default: the bundled model)"),
    argument("--labels", nargs="+", help="default: all labels of the model"),
    argument("--songs", type=int, default=100, help="of a label at most (default: %(default)s)"),
    argument("--seed", type=int, default=0),
    one_thread=True,
)
def given_sketches(options: argparse.Namespace) -> None:
    """Compose from people's sketches and from drawn ones, and print the AUC of the detector for both.

    For each held-out song of at most 64 bars, one song is composed from the whole sketch of that song, and
    one from a sketch that is drawn for its label, meter, tempo, key, parts and length. The AUC says how well
    the detector distinguishes each of the two from people's songs; 0.5 is chance. If it is lower with
    people's sketches, the sketch network is the weaker of the two networks. CORPUS is the one from which the
    model learnt; people's songs are those of its sides test and valid.
    """
    corpus, model = Corpus.open(options.corpus), compose.opened_model(options.model)
    sketcher = Sketcher.of(model)
    if sketcher is None:
        raise FailedError("the model has no sketch network")
    rows: list[list[Any]] = []
    for label in options.labels or model.labels:
        songs = held_out(corpus, label, options.songs)
        if len(songs) < FEWEST:
            continue
        plans = [whole_plan(song, label, model) for song in songs]
        people = song_table([AnalysedSong(song) for song in songs])
        row: list[Any] = [label, len(songs)]
        for given in (plans, drawn_like(plans, sketcher, options.seed)):
            ours = song_table([AnalysedSong(song) for song in composed(model, given, options.seed)])
            found = detector(people, ours, {}, options.seed)
            row.append("{:.2f} ({:.2f}-{:.2f})".format(found["auc"], *found["interval"]))
        rows.append(row)
    print(table(["label", "songs", "people's sketches", "drawn sketches"], rows))


def whole_plan(song: Score, label: str, model: Model) -> Plan:
    """The complete plan of a song; its mean velocity is that of the song, not of the classes of velocity."""
    plan = song_plan(song, (label,), model.representation)
    return replace(plan, mean_velocity=mean_velocity(song))


def held_out(corpus: Corpus, label: str, most: int) -> list[Score]:
    """At most `most` of the held-out songs of a label with up to MOST_BARS bars, evenly spaced."""
    numbers = [number for side in HELD_OUT for number in corpus.songs(side).tolist()]
    chosen = [number for number in numbers if label in corpus.info(number).labels]
    songs = [song for number in chosen if full_bars(song := corpus.score(number)) <= MOST_BARS]
    places = np.unique(np.linspace(0, len(songs) - 1, min(most, len(songs))).astype(np.int64))
    return [songs[place] for place in places.tolist()]
