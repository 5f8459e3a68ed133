"""All collections of a corpus learnt together: nats by collection, and what given notes are worth."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.shared import (
    CLOCK,
    CORPUS,
    argument,
    benchmark,
    highest_part,
    reduction,
    set_training_clock,
    stored,
    table,
)
from ritornello import Corpus, Model, Score
from ritornello.evaluation.inputs import CorpusSongs
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, full_float32, likelihood
from ritornello.evaluation.summary import SongNats, summarize
from ritornello.models import registry
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.vocabulary import COLUMN, FIELDS, MAX_SHIFT
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide, start_row
from ritornello.training.train import train

GAP_BARS = 4
NOTES = Notes()
WITHOUT_ALONE = f"{Path(__file__).resolve().with_name('ablations.py')}:WithoutAlone"
Pair = tuple[float, float, int]  # nats of some notes in two conditions, and how many notes


def collection(path: str) -> str:
    """The first folder of a song's path."""
    return path.partition("/")[0]


def nats_by_collection(model: Model, rows: Notes, corpus: Corpus, threads: int) -> dict[str, dict[str, Any]]:
    """By collection: how many songs it has, and the summary of their nats by what is given."""
    groups: dict[str, list[dict[str, SongNats]]] = defaultdict(list)
    network, encoder = model.network_in_torch(), model.plan_encoder
    songs, frame = CorpusSongs(corpus, "test"), model.has_key_frame
    for nats in likelihood(network, rows, songs, plan_encoder=encoder, has_key_frame=frame, threads=threads):
        groups[collection(nats["none"].song)].append(nats)
    return {
        group: {"songs": len(found)}
        | {name: summarize([one[name] for one in found]) for name in HIDDEN_BY_GIVEN}
        for group, found in sorted(groups.items())
    }


def measure_gap(network: Any, song: Score) -> Pair | None:
    """Nats of the notes in a gap in the middle: with what is before it, and with the notes after it as well.

    None if there are no notes in it, or none before or after it.
    """
    bar = Timeline.of(song).bar_of(song.onset_ticks)
    first = int(bar[-1] + 1 - GAP_BARS) // 2
    inside = (bar >= first) & (bar < first + GAP_BARS)
    after = bar >= first + GAP_BARS
    if first < 1 or not inside.any() or not after.any():
        return None
    left = nats_of_notes(network, NOTES.encode(song).values, inside)
    both = nats_of_notes(network, NOTES.encode(song, given=after).values, inside)
    return sum(left.values()), sum(both.values()), int(inside.sum())


def measure_melody(network: Any, song: Score) -> Pair | None:
    """Nats of the pitches below the highest part: predicted in time order, and with the highest part given.

    None for a song with fewer than two pitched parts.
    """
    parts = [part for part in np.unique(song.part).tolist() if not song.parts[part].is_drum]
    if len(parts) < 2:
        return None
    above = highest_part(song)
    in_order = nats_of_notes(network, NOTES.encode(song).values, ~above)
    given = nats_of_notes(network, NOTES.encode(song, given=above).values, ~above)
    return in_order["pitch"], given["pitch"], int((~above).sum())


def nats_of_notes(network: Any, rows: npt.NDArray[Any], counted: npt.NDArray[np.bool_]) -> dict[str, float]:
    """SongNats by field of the notes of a song that are `counted` (N,), with no plan given."""
    hidden = hide(FIELDS, rows, ("form", "bars_left", "chord"))
    values = torch.from_numpy(np.concatenate([np.array([start_row(FIELDS)], np.int16), hidden]))[None]
    notes = np.flatnonzero(rows[:, COLUMN["shift"]] <= MAX_SHIFT)
    chosen = torch.from_numpy(1 + notes[counted])
    with torch.no_grad():
        logits, _ = network.predict(values)
    return {
        name: float(
            torch.nn.functional.cross_entropy(
                found[0, chosen], values[0, chosen, COLUMN[name]].long(), reduction="sum"
            )
        )
        for name, found in logits.items()
    }


def print_worth_of_given(model: Model, corpus: Corpus, threads: int) -> None:
    """Print the tables of both ways of giving notes, by collection and for all songs."""
    network = model.network_in_torch()
    measures: list[tuple[Callable[[Any, Score], Pair | None], list[str]]] = [
        (measure_gap, ["gap of four bars", "what is before it given", "both sides given"]),
        (measure_melody, ["pitches below the highest part", "in time order", "highest part given"]),
    ]
    for measure, (what, *conditions) in measures:
        groups: dict[str, list[Pair]] = defaultdict(list)
        with full_float32(threads):
            for song in CorpusSongs(corpus, "test"):
                found = measure(network, NOTES.canonical(song.score)[0])
                if found:
                    groups[collection(song.name)].append(found)
        groups["all"] = [pair for pairs in groups.values() for pair in pairs]
        lines = []
        for group, pairs in groups.items():
            if pairs:
                one, other, notes = np.array(pairs).T
                means = [f"{nats.sum() / notes.sum():.3f}" for nats in (one, other)]
                lines.append([group, len(pairs), f"{notes.sum():.0f}", *means, reduction(other, one)])
        print("\n" + table([what, "songs", "notes", *conditions, "lower by (95% interval)"], lines))


def print_by_time(corpus: Corpus, options: argparse.Namespace) -> None:
    """Train, measure after each of the times, and print the table."""
    name = WITHOUT_ALONE if options.without_alone else "notes"
    rows: Notes = registry.find("representations", name)()
    settings: dict[str, Any] = {"representation": name, "threads": options.threads, "memory_mb": 4096}
    found: dict[float, dict[str, Any]] = {}
    for minutes in options.minutes:

        def compute(minutes: float = minutes) -> dict[str, Any]:
            train(corpus.path, options.out, minutes=minutes, **settings)
            return nats_by_collection(Model.open(options.out), rows, corpus, options.threads)

        found[minutes] = stored(options.out.with_name(f"{options.out.name}-{minutes:g}min.json"), compute)
    lines = []
    for group, first in next(iter(found.values())).items():
        cells = [
            f"{one[group]['none']['nats_per_note']:.3f} ({one[group]['plan']['nats_per_note']:.3f})"
            for one in found.values()
        ]
        lines.append([group, first["songs"], *cells])
    times = [f"{minutes:g} min" for minutes in found]
    print(table(["nats per note, nothing given (plan given)", "songs", *times], lines))


@benchmark(
    CORPUS,
    argument("--out", type=Path, help="the model folder to train; results are kept beside it"),
    argument("--model", type=Path, help="a trained model: only measure what given notes are worth"),
    argument("--minutes", type=float, nargs="+", default=[6.0, 12.0, 24.0], help="of training"),
    argument("--threads", type=int, default=1),
    argument("--without-alone", action="store_true", help="train without the candidate alone"),
    CLOCK,
)
def groups(options: argparse.Namespace) -> None:
    """Train one network on a corpus of several collections, and measure it by collection and training time.

    CORPUS is a prepared folder of folders, each a collection of one kind of music. The network is measured on
    the test side after each of the times, with nothing and with the plan given; training goes on from one
    time to the next.

    Then the worth of given notes is measured, twice over the same notes: four bars in the middle of each
    song, with the bars before them and with those after them as well; and the pitches of all parts but the
    highest, in the order of time and with the whole highest part given, as `compose --melody` does.
    """
    set_training_clock(options.clock)
    corpus = Corpus.open(options.corpus)
    if not (options.model or options.out):
        raise SystemExit("groups: give --out DIR or --model MODEL")
    if not options.model:
        print_by_time(corpus, options)
    if not options.without_alone:
        print_worth_of_given(Model.open(options.model or options.out), corpus, options.threads)
