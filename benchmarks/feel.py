"""Drum feel: how close performed drums are to those of people, beside Gaussian jitter."""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import erf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.shared import argument, benchmark
from ritornello import midi
from ritornello.performing.drum_hits import BAR_AGO, CLASSES, GRID, Floats, Recording, recording_of
from ritornello.performing.drum_network import (
    MOST_OFFSET,
    OFFSET_WIDTH_BEATS,
    OFFSETS,
    VELOCITIES,
    VELOCITY_WIDTH,
    bundled,
    classes_of,
    features_of,
    with_velocity,
)

QUANTILES = np.linspace(0.005, 0.995, 100)
PASSAGE_BARS, FEWEST_HITS = 4, 24  # of what the detector hears
TYPICAL_MS, TYPICAL_VELOCITY = 10.0, 10.0  # deviations that "humanize" functions of other programs suggest


class Beat(NamedTuple):
    """A recording of the data set: drummer, beats a minute, and the drums."""

    drummer: str
    bpm: float
    played: Recording

    @property
    def ms_per_beat(self) -> float:
        """Milliseconds of a beat."""
        return 60_000 / self.bpm


class Arm(NamedTuple):
    """A way to play scores: velocities and offsets in beats of a beat, and the nats of what people played."""

    play: Callable[[Beat, np.random.Generator], tuple[Floats, Floats]]
    nats: Callable[[Beat], Floats]  # (hits, 2): of velocity and offset


def read_groove(folder: Path, split: str) -> list[Beat]:
    """The recordings of a split."""
    with (folder / "info.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    found = []
    for row in rows:
        song, bpm = midi.read(folder / row["midi_filename"]), float(row["bpm"])
        found.append(Beat(row["drummer"], bpm, recording_of(song, row["style"].split("/")[0], bpm)))
    return found


def network_arm() -> Arm:
    """The network that ships."""
    network = bundled()

    def nats(beat: Beat) -> Floats:
        features = features_of(beat.played)
        known = {"velocity": features, "offset": with_velocity(features, beat.played.velocity)}
        chosen = classes_of(beat.played.velocity, beat.played.offset_beats)
        chances = [
            network.probabilities(name, known[name])[np.arange(len(column)), column]
            for name, column in zip(known, chosen, strict=True)
        ]
        return -np.log(np.stack(chances, axis=1))

    return Arm(lambda beat, draw: network.draw(beat.played.hits, draw), nats)


def jitter_arm(train: Sequence[Beat], by_drum: bool, typical: bool = False) -> Arm:
    """Independent normal deviations of all drums or of each, from the train split, or as programs suggest."""
    kinds = np.concatenate([beat.played.hits.kind for beat in train])
    velocity = np.concatenate([beat.played.velocity for beat in train])
    ms = np.concatenate([beat.played.offset_beats * beat.ms_per_beat for beat in train])
    groups = [kinds == kind for kind in range(len(CLASSES))]
    fits = np.zeros((len(CLASSES), 2, 2))  # of each drum: velocity, offset in ms: mean, deviation
    for kind, group in enumerate(groups):
        chosen = group if by_drum and group.sum() > 20 else np.ones(len(kinds), bool)
        fits[kind] = [[column[chosen].mean(), column[chosen].std()] for column in (velocity, ms)]
    if typical:
        fits[:] = [[velocity.mean(), TYPICAL_VELOCITY], [0.0, TYPICAL_MS]]

    def play(beat: Beat, draw: np.random.Generator) -> tuple[Floats, Floats]:
        mean, deviation = np.moveaxis(fits[beat.played.hits.kind], 2, 0)
        drawn = mean + deviation * draw.standard_normal(mean.shape)
        return np.clip(drawn[:, 0], 1, 127), drawn[:, 1] / beat.ms_per_beat

    def nats(beat: Beat) -> Floats:
        kind = beat.played.hits.kind
        chosen = classes_of(beat.played.velocity, beat.played.offset_beats)
        edges: Floats = np.arange(VELOCITIES + 1, dtype=np.float64) * VELOCITY_WIDTH - 0.5
        velocities = np.stack([_shares(edges, *fit) for fit in fits[:, 0]])
        steps: Floats = np.arange(OFFSETS + 1, dtype=np.float64) - MOST_OFFSET - 0.5
        edges = steps * OFFSET_WIDTH_BEATS * beat.ms_per_beat
        offsets = np.stack([_shares(edges, *fit) for fit in fits[:, 1]])
        return -np.log(np.stack([velocities[kind, chosen[0]], offsets[kind, chosen[1]]], axis=1))

    return Arm(play, nats)


def _shares(edges: Floats, mean: float, deviation: float) -> Floats:
    """The probability of each class between edges; the outer classes take the tails."""
    below = np.array([0.5 + 0.5 * erf((edge - mean) / deviation / 2**0.5) for edge in edges])
    below[0], below[-1] = 0, 1
    return np.maximum(np.diff(below), 1e-6)


def distance(ours: Floats, theirs: Floats) -> float:
    """The Wasserstein distance of two samples, by their quantiles."""
    return float(np.abs(np.quantile(ours, QUANTILES) - np.quantile(theirs, QUANTILES)).mean())


def divergence(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64], size: int) -> float:
    """The Kullback-Leibler divergence in nats of the classes of theirs from those of ours."""
    counts = [np.bincount(each, minlength=size) + 0.5 for each in (theirs, ours)]
    p, q = (each / each.sum() for each in counts)
    return float((p * np.log(p / q)).sum())


def numbers(recording: Recording, velocity: Floats, ms: Floats) -> list[list[float]]:
    """Of each passage what the detector knows: for loudness and timing the means and deviations of drums and
    of places in the beat, correlation of successive hits, and of hits with those a bar ago."""
    hits = recording.hits
    bar = hits.place // (4 * GRID)
    found = []
    for start in range(0, int(bar.max(initial=-1)) + 1, PASSAGE_BARS):
        inside = np.flatnonzero((bar >= start) & (bar < start + PASSAGE_BARS))
        if len(inside) < FEWEST_HITS:
            continue
        row: list[float] = []
        for column in (velocity, ms):
            values = column[inside]
            row += [values.mean(), values.std(), _correlation(values[1:], values[:-1])]
            ago = hits.earlier[inside, BAR_AGO]
            row.append(_correlation(column[inside[ago >= 0]], column[ago[ago >= 0]]))
            for kind in (0, 1, 3, 4, 10):
                own = values[hits.kind[inside] == kind]
                row += [own.mean(), own.std()] if len(own) > 1 else [np.nan, np.nan]
            place = hits.place[inside] % GRID // 6
            row += [values[place == at].mean() if (place == at).any() else np.nan for at in range(4)]
            row.append(np.abs(np.diff(values)).mean())
        row.append(_correlation(velocity[inside], ms[inside]))
        found.append(row)
    return found


def _correlation(one: Floats, other: Floats) -> float:
    """The correlation of two columns, 0 where one of them does not vary."""
    if len(one) < 3 or one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def measure(arm: Arm, beats: Sequence[Beat], seed: int) -> Mapping[str, float]:
    """The distances of an arm from people, weighted by the hits of each drum."""
    draw = np.random.default_rng(seed)
    sides: dict[str, list[Any]] = defaultdict(list)
    for beat in beats:
        velocity, offset = arm.play(beat, draw)
        sides["kind"].append(beat.played.hits.kind)
        for name, values in zip(("velocity", "offset"), (velocity, offset), strict=True):
            sides[name].append(values)
        sides["ms"].append(offset * beat.ms_per_beat)
        sides["their velocity"].append(beat.played.velocity)
        sides["their offset"].append(beat.played.offset_beats)
        sides["their ms"].append(beat.played.offset_beats * beat.ms_per_beat)
        sides["nats"].append(arm.nats(beat))
    all_ = {name: np.concatenate(values) for name, values in sides.items()}
    found: dict[str, float] = defaultdict(float)
    ours = classes_of(all_["velocity"], all_["offset"])
    theirs = classes_of(all_["their velocity"], all_["their offset"])
    for kind in range(len(CLASSES)):
        own = all_["kind"] == kind
        if not own.any():
            continue
        weight = own.mean()
        found["velocity W1"] += weight * distance(all_["velocity"][own], all_["their velocity"][own])
        found["offset W1 ms"] += weight * distance(all_["ms"][own], all_["their ms"][own])
        found["velocity KL"] += weight * divergence(ours[0][own], theirs[0][own], VELOCITIES)
        found["offset KL"] += weight * divergence(ours[1][own], theirs[1][own], OFFSETS)
    found["velocity nats"], found["offset nats"] = all_["nats"].mean(axis=0).tolist()
    return found


def detector_auc(arm: Arm, beats: Sequence[Beat], seed: int) -> str:
    """The AUC of the judge's detector between passages as the arm plays them and as people did."""
    from ritornello.evaluation.detector import auc

    draw, ours, theirs = np.random.default_rng(seed), list[list[float]](), list[list[float]]()
    for beat in beats:
        velocity, offset = arm.play(beat, draw)
        ours += numbers(beat.played, velocity, offset * beat.ms_per_beat)
        theirs += numbers(beat.played, beat.played.velocity, beat.played.offset_beats * beat.ms_per_beat)
    found = auc(np.array(ours), np.array(theirs), seed, paired=True)
    return f"{found['auc']:.3f} ({found['interval'][0]:.3f} to {found['interval'][1]:.3f})"


def structure(
    play: Callable[[Beat, np.random.Generator], tuple[Floats, Floats]], beats: Sequence[Beat]
) -> str:
    """Correlations of successive hits, and of hits with those a bar ago, of velocity and of offset."""
    draw, pairs = np.random.default_rng(0), defaultdict[str, list[Floats]](list)
    for beat in beats:
        ago = beat.played.hits.earlier[:, BAR_AGO]
        for name, values in zip(("velocity", "offset"), play(beat, draw), strict=True):
            centred = values - values.mean()
            pairs[f"{name} next"].append(np.stack([centred[1:], centred[:-1]]))
            pairs[f"{name} bar"].append(np.stack([centred[ago >= 0], centred[ago[ago >= 0]]]))
    names = [f"{name} {far}" for name in ("velocity", "offset") for far in ("next", "bar")]
    tables = (np.asarray(np.corrcoef(np.concatenate(pairs[name], axis=1))) for name in names)  # (2, 2) each
    return " | ".join(f"{correlations[0, 1]:.2f}" for correlations in tables)


@benchmark(
    argument("groove", type=Path, help="the unpacked Groove MIDI Dataset, with its info.csv"),
    argument("--split", default="test", choices=("validation", "test")),
    argument("--seed", type=int, default=1),
    one_thread=True,
)
def feel(options: argparse.Namespace) -> None:
    """Each recording is put on the grid and played again by each arm: the network that ships, and normal
    deviations (jitter) with the means and deviations of the train split, for all drums or for each, or with
    those that other programs suggest.

    Distances are between the distributions of people and of an arm, drum by drum, weighted by hits. Nats are
    those of what people played, in classes of 4 velocities and of 1/120 beat, given the score and, to the
    network, the hits before. The detector is that of `judge`, with numbers of loudness and timing of passages
    of four bars; 0.5 is human.
    """
    train, beats = read_groove(options.groove, "train"), read_groove(options.groove, options.split)
    arms = {
        "network": network_arm(),
        "jitter, for each drum": jitter_arm(train, by_drum=True),
        "jitter": jitter_arm(train, by_drum=False),
        "jitter as programs suggest": jitter_arm(train, by_drum=False, typical=True),
    }
    hits = sum(len(beat.played.velocity) for beat in beats)
    print(f"{options.split}: {len(beats)} recordings, {hits:,} hits\n")
    names = ["velocity W1", "offset W1 ms", "velocity KL", "offset KL", "velocity nats", "offset nats"]
    print(f"| | {' | '.join(names)} | detector AUC (95% interval) |\n|---{'|---' * (len(names) + 1)}|")
    for name, arm in arms.items():
        found = measure(arm, beats, options.seed)
        figures = " | ".join(f"{found[key]:.2f}" for key in names)
        print(f"| {name} | {figures} | {detector_auc(arm, beats, options.seed)} |", flush=True)
    print(
        "\n| correlation | velocity, next hit | velocity, a bar ago | offset, next hit | offset, a bar ago |"
    )
    print("|---|---|---|---|---|")
    print(f"| people | {structure(lambda b, _: (b.played.velocity, b.played.offset_beats), beats)} |")
    for name, arm in arms.items():
        print(f"| {name} | {structure(arm.play, beats)} |")
    print(f"\n| drummer | hits | {' | '.join(names)} | the same, jitter for each drum |")
    print(f"|---|---{'|---' * (len(names) + 1)}|")
    for drummer in sorted({beat.drummer for beat in beats}):
        own = [beat for beat in beats if beat.drummer == drummer]
        both = [measure(arms[name], own, options.seed) for name in list(arms)[:2]]
        count = sum(len(beat.played.velocity) for beat in own)
        ours, theirs = (" | ".join(f"{each[key]:.2f}" for key in names) for each in both)
        print(f"| {drummer} | {count:,} | {ours} | {theirs.replace(' | ', ', ')} |", flush=True)
