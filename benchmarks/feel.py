"""Feel: how close performed parts are to those of people, beside Gaussian jitter and the rules."""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import erf
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.shared import argument, benchmark
from ritornello import midi
from ritornello.music.plan import GRID
from ritornello.performing.drum_hits import recording_of
from ritornello.performing.feel_network import DRUMS, FeelKind, FeelNetwork, Quantity, bundled
from ritornello.performing.grid_notes import BAR_AGO, Floats, Ints, Recording, Values

QUANTILES = np.linspace(0.005, 0.995, 100)
PASSAGE_BARS, FEWEST_NOTES = 4, 24  # of what the detector hears
TYPICAL_MS, TYPICAL_VELOCITY = 10.0, 10.0  # deviations that "humanize" functions of other programs suggest
UNITS = {"offset": " ms"}  # of quantities


class Take(NamedTuple):
    """A recorded part: who played it, beats a minute, what was played, and how the rules play it (drums: {}).

    `group` (N,) are the numbers of groups in which notes are compared: drums, or families of instruments.
    """

    player: str
    bpm: float
    played: Recording
    group: Ints
    by_rules: Values

    @property
    def ms_per_beat(self) -> float:
        """Milliseconds of a beat."""
        return 60_000 / self.bpm

    def in_ms(self, values: Values) -> Values:
        """Values with offsets in milliseconds rather than beats."""
        return values | {"offset": values["offset"] * self.ms_per_beat}


Play = Callable[[Take, np.random.Generator], Values]


class Arm(NamedTuple):
    """A way to play takes, and the nats of what people played; None: it allows one way only."""

    play: Play
    nats: Callable[[Take], Values] | None


def read_groove(folder: Path, split: str) -> list[Take]:
    """The recordings of a split."""
    with (folder / "info.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    found = []
    for row in rows:
        song, bpm = midi.read(folder / row["midi_filename"]), float(row["bpm"])
        played = recording_of(song, row["style"].split("/")[0], bpm)
        found.append(Take(row["drummer"], bpm, played, played.notes.kind, {}))
    return found


def network_arm(network: FeelNetwork) -> Arm:
    """A network."""
    return Arm(
        lambda take, draw: network.draw(take.played.notes, draw), lambda take: network.nats(take.played)
    )


def jitter_arm(kind: FeelKind, train: Sequence[Take], by_group: bool, typical: bool = False) -> Arm:
    """Independent normal deviations of all notes or each group, of the train split or as programs suggest."""
    groups = np.concatenate([take.group for take in train])
    names = [quantity.name for quantity in kind.quantities]
    columns = {
        name: np.concatenate([take.in_ms(take.played.values)[name] for take in train]) for name in names
    }
    fits = np.zeros((int(groups.max()) + 1, len(names), 2))  # mean, deviation
    for group, fit in enumerate(fits):
        own = groups == group
        chosen = own if by_group and own.sum() > 20 else np.ones(len(groups), bool)
        fit[:] = [[columns[name][chosen].mean(), columns[name][chosen].std()] for name in names]
    if typical:
        usual = {"velocity": [columns["velocity"].mean(), TYPICAL_VELOCITY], "offset": [0.0, TYPICAL_MS]}
        fits[:] = [usual.get(name, [1.0, 0.0]) for name in names]

    def play(take: Take, draw: np.random.Generator) -> Values:
        mean, deviation = np.moveaxis(fits[take.group], 2, 0)
        drawn = mean + deviation * draw.standard_normal(mean.shape)
        values = {name: drawn[:, number] for number, name in enumerate(names)}
        least, most = kind.quantities[0].least, kind.quantities[0].most
        values["velocity"] = np.clip(values["velocity"], least, most)
        return values | {"offset": values["offset"] / take.ms_per_beat}

    def nats(take: Take) -> Values:
        found = {}
        for number, quantity in enumerate(kind.quantities):
            scale = take.ms_per_beat if quantity.name == "offset" else 1.0
            chances = np.stack([_shares(_edges(quantity) * scale, *fit) for fit in fits[:, number]])
            chosen = quantity.classes_of(take.played.values[quantity.name])
            found[quantity.name] = -np.log(chances[take.group, chosen])
        return found

    return Arm(play, nats)


def _edges(quantity: Quantity) -> Floats:
    """The lower edges of the classes of a quantity, and the upper edge of the last."""
    step: Floats = np.arange(quantity.classes + 1, dtype=np.float64) - quantity.zero
    if quantity.is_centred:
        return (step - 0.5) * quantity.width
    return step * quantity.width - (0.5 if quantity.width > 1 else 0.0)  # velocities are whole numbers


def _shares(edges: Floats, mean: float, deviation: float) -> Floats:
    """The probability of each class between edges; the outer classes take the tails."""
    below = np.array([0.5 + 0.5 * erf((edge - mean) / max(deviation, 1e-9) / 2**0.5) for edge in edges])
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


def numbers(take: Take, values: Values, kinds: Sequence[int]) -> list[list[float]]:
    """Of each passage what the detector knows: of each quantity the means and deviations, of kinds of notes
    too, means of places in the beat, correlation of successive notes, and of notes with those a bar ago."""
    notes, columns = take.played.notes, take.in_ms(values)
    bar = notes.place // (4 * GRID)
    found = []
    for start in range(0, int(bar.max(initial=-1)) + 1, PASSAGE_BARS):
        inside = np.flatnonzero((bar >= start) & (bar < start + PASSAGE_BARS))
        if len(inside) < FEWEST_NOTES:
            continue
        row: list[float] = []
        for column in columns.values():
            own = column[inside]
            row += [own.mean(), own.std(), _correlation(own[1:], own[:-1])]
            ago = notes.earlier[inside, BAR_AGO]
            row.append(_correlation(column[inside[ago >= 0]], column[ago[ago >= 0]]))
            for kind in kinds:
                of_kind = own[notes.kind[inside] == kind]
                row += [of_kind.mean(), of_kind.std()] if len(of_kind) > 1 else [np.nan, np.nan]
            place = notes.place[inside] % GRID // 6
            row += [own[place == at].mean() if (place == at).any() else np.nan for at in range(4)]
            row.append(np.abs(np.diff(own)).mean())
        row.append(_correlation(columns["velocity"][inside], columns["offset"][inside]))
        found.append(row)
    return found


def _correlation(one: Floats, other: Floats) -> float:
    """The correlation of two columns, 0 where one of them does not vary."""
    if len(one) < 3 or one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def measure(arm: Arm, kind: FeelKind, takes: Sequence[Take], seed: int) -> Mapping[str, float]:
    """The distances of an arm from people, weighted by the notes of each group, and its nats per note."""
    draw = np.random.default_rng(seed)
    groups = np.concatenate([take.group for take in takes])
    played = [arm.play(take, draw) for take in takes]
    nats = [arm.nats(take) for take in takes] if arm.nats else []
    found: dict[str, float] = {}
    for quantity in kind.quantities:
        name = quantity.name
        scale = [take.ms_per_beat if name == "offset" else 1.0 for take in takes]
        ours = np.concatenate([values[name] for values in played])
        theirs = np.concatenate([take.played.values[name] for take in takes])
        factor = np.concatenate([np.full(len(take.group), by) for take, by in zip(takes, scale, strict=True)])
        classes = [quantity.classes_of(values) for values in (ours, theirs)]
        w1, kl = f"{name} W1{UNITS.get(name, '')}", f"{name} KL"
        found |= {w1: 0.0, kl: 0.0}
        for group in np.unique(groups).tolist():
            own = groups == group
            found[w1] += own.mean() * distance((ours * factor)[own], (theirs * factor)[own])
            found[kl] += own.mean() * divergence(classes[0][own], classes[1][own], quantity.classes)
        found[f"{name} nats"] = (
            float(np.concatenate([each[name] for each in nats]).mean()) if nats else np.inf
        )
    return found


def detector_auc(arm: Arm, takes: Sequence[Take], seed: int, kinds: Sequence[int]) -> str:
    """The AUC of the judge's detector between passages as the arm plays them and as people did."""
    from ritornello.evaluation.detector import auc

    draw, ours, theirs = np.random.default_rng(seed), list[list[float]](), list[list[float]]()
    for take in takes:
        ours += numbers(take, arm.play(take, draw), kinds)
        theirs += numbers(take, take.played.values, kinds)
    found = auc(np.array(ours), np.array(theirs), seed, paired=True)
    return f"{found['auc']:.3f} ({found['interval'][0]:.3f} to {found['interval'][1]:.3f})"


def structure(play: Play, kind: FeelKind, takes: Sequence[Take]) -> str:
    """Of each quantity, the correlations of successive notes, and of notes with those a bar ago."""
    draw, pairs = np.random.default_rng(0), defaultdict[str, list[Floats]](list)
    for take in takes:
        ago = take.played.notes.earlier[:, BAR_AGO]
        for name, values in play(take, draw).items():
            centred = values - values.mean()
            pairs[f"{name} next"].append(np.stack([centred[1:], centred[:-1]]))
            pairs[f"{name} bar"].append(np.stack([centred[ago >= 0], centred[ago[ago >= 0]]]))
    names = [f"{quantity.name} {far}" for quantity in kind.quantities for far in ("next", "bar")]
    columns = (np.concatenate(pairs[name], axis=1) for name in names)  # (2, n) each
    return " | ".join(f"{_correlation(*both):.2f}" for both in columns)


def print_tables(
    kind: FeelKind, arms: Mapping[str, Arm], takes: Sequence[Take], seed: int, kinds: Sequence[int]
) -> list[str]:
    """Print the distances and the correlations of arms; returns the names of the distances."""
    measured = {name: measure(arm, kind, takes, seed) for name, arm in arms.items()}
    keys = list(next(iter(measured.values())))
    ends = (" W1", " W1 ms", " KL", " nats")
    names = [key for end in ends for key in keys if key.endswith(end)]
    names.sort(key=lambda name: ("W1" not in name, "KL" not in name))
    print(f"| | {' | '.join(names)} | detector AUC (95% interval) |\n|---{'|---' * (len(names) + 1)}|")
    for name, arm in arms.items():
        figures = " | ".join(f"{measured[name][key]:.2f}" for key in names)
        print(f"| {name} | {figures} | {detector_auc(arm, takes, seed, kinds)} |", flush=True)
    far = [f"{each.name}, {what}" for each in kind.quantities for what in ("next note", "a bar ago")]
    print(f"\n| correlation | {' | '.join(far)} |\n|---{'|---' * len(far)}|")
    print(f"| people | {structure(lambda take, _: take.played.values, kind, takes)} |")
    for name, arm in arms.items():
        print(f"| {name} | {structure(arm.play, kind, takes)} |")
    return names


def measure_drums(folder: Path, split: str, seed: int) -> None:
    """Print the tables of drums, and one by drummer."""
    train, takes = read_groove(folder, "train"), read_groove(folder, split)
    arms = {
        "network": network_arm(bundled()),
        "jitter, for each drum": jitter_arm(DRUMS, train, by_group=True),
        "jitter": jitter_arm(DRUMS, train, by_group=False),
        "jitter as programs suggest": jitter_arm(DRUMS, train, by_group=False, typical=True),
    }
    hits = sum(len(take.group) for take in takes)
    print(f"{split}: {len(takes)} recordings, {hits:,} hits\n")
    names = print_tables(DRUMS, arms, takes, seed, kinds=(0, 1, 3, 4, 10))
    print(f"\n| drummer | hits | {' | '.join(names)} | the same, jitter for each drum |")
    print(f"|---|---{'|---' * (len(names) + 1)}|")
    for drummer in sorted({take.player for take in takes}):
        own = [take for take in takes if take.player == drummer]
        both = [measure(arms[name], DRUMS, own, seed) for name in list(arms)[:2]]
        count = sum(len(take.group) for take in own)
        ours, theirs = (" | ".join(f"{each[key]:.2f}" for key in names) for each in both)
        print(f"| {drummer} | {count:,} | {ours} | {theirs.replace(' | ', ', ')} |", flush=True)


@benchmark(
    argument("folder", type=Path, help="the unpacked Groove MIDI Dataset with its info.csv, or other songs"),
    argument("--split", default="test", choices=("validation", "test"), help="of the Groove MIDI Dataset"),
    argument("--songs", type=int, default=400, help="performed songs that are looked for, of other folders"),
    argument("--epochs", type=int, default=None, help="of the network of other parts"),
    argument("--seed", type=int, default=1),
    one_thread=True,
)
def feel(options: argparse.Namespace) -> None:
    """Each recording is put on the grid and played again by each arm.

    Of the Groove MIDI Dataset these are the network of drums that ships, and normal deviations (jitter) with
    the means and deviations of the train split, for all drums or for each, or with those that other programs
    suggest. Of other folders the parts other than drums that were performed are measured: a network that is
    trained on nine tenths of the songs as `learn` does it, the rules, jitter, and the grid, on the others.

    Distances are between the distributions of people and of an arm, drum by drum or family of instruments by
    family, weighted by notes. Nats are those of what people played, in classes of 4 velocities, of 1/120 beat
    and of 1/16 of the written length, given the score and, to the network, the notes before; of the rules,
    those of normal deviations around a straight line from what they play. The detector is that of `judge`,
    with numbers of loudness, timing and length of passages of four bars; 0.5 is human.
    """
    if (options.folder / "info.csv").is_file():
        measure_drums(options.folder, options.split, options.seed)
    else:
        from benchmarks.feel_parts import measure_parts

        measure_parts(options.folder, options.songs, options.epochs, options.seed)
