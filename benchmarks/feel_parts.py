"""Feel of parts other than drums: a network as `learn` trains it, the rules, jitter and the grid."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256
from math import erf
from pathlib import Path

import numpy as np

from benchmarks.feel import Arm, Take, jitter_arm, print_tables
from benchmarks.shared import midi_files
from ritornello import midi
from ritornello.errors import RitornelloError
from ritornello.learning.own_feel import epochs_of, excerpts
from ritornello.music.plan import GRID
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.performing.analysis import analysed, phrase_ticks
from ritornello.performing.feel_network import PARTS, FeelNetwork
from ritornello.performing.grid_notes import Floats, Recording, Values
from ritornello.performing.manners import manner_of, style_of_labels
from ritornello.performing.part_notes import (
    SongGrid,
    kept_notes,
    performed_numbers,
    recording_of,
    written_beats,
)
from ritornello.performing.parts import part_by_rules
from ritornello.performing.rules import Context

Group = list[list[Take]]  # the parts of songs
TEST_TENTH = 0  # songs whose hash of the name ends so are held out
TICKS_PER_BEAT = 480
MOST_NOTES_OF_A_SONG = 30_000


def read_performed(
    folder: Path, songs: int, seed: int
) -> tuple[list[list[Take]], list[list[Take]], dict[str, int]]:
    """The performed parts of songs to learn from and of songs held out, and how many songs of which kind."""
    files = midi_files([folder])
    random.Random(seed).shuffle(files)
    groups: tuple[Group, Group] = [], []
    counts = dict.fromkeys(("songs", "performed", "off the grid, but following no grid"), 0)
    known = set[bytes]()
    for file in files:
        try:
            score = midi.read(file)
        except RitornelloError:
            continue
        notes = sha256(score.pitch.tobytes()).digest()
        if notes in known or len(score) > MOST_NOTES_OF_A_SONG:
            continue
        known.add(notes)
        counts["songs"] += 1
        played, without = performed_numbers(score)
        counts["off the grid, but following no grid"] += not played and without > 0
        if played:
            counts["performed"] += 1
            style = style_of_labels([parent.name for parent in file.parents][:4])
            tenth = int(sha256(file.stem.lower().encode()).hexdigest(), 16) % 10
            groups[tenth == TEST_TENTH].append(takes_of(score, played, style, file.stem))
        if counts["performed"] >= songs:
            break
    return (*groups, counts)


def takes_of(score: Score, played: Sequence[int], style: str, name: str) -> list[Take]:
    """The performed parts of a song, and how the rules play them."""
    song, cadences = analysed(score)
    phrases = phrase_ticks(song, cadences)
    grid = SongGrid.of(song, phrases, style)
    manner = manner_of(style, bool(song.of_drums.any()), len(np.unique(song.part)))
    found = []
    for part in played:
        recording = recording_of(song, part, grid)
        program = song.parts[part].program
        by_rules = rules_of(song, part, recording, Context(Timeline.of(song), phrases, manner, 1.0))
        group = np.full(len(recording.notes.place), program // 8)
        found.append(Take(name, grid.bpm, recording, group, by_rules))
    return found


def rules_of(song: Score, part: int, recording: Recording, context: Context) -> Values:
    """How the rules play a part that is written as its recording says, at the mean velocity of the part."""
    chosen = kept_notes(song, part)
    order, place = chosen[recording.notes.order], recording.notes.place
    tick = song.ticks_per_beat
    length = written_beats(place, song.duration_ticks[order] / tick)
    written = Score.of(
        tick, place * tick // GRID, np.maximum(np.rint(length * tick), 1).astype(np.int64), song.pitch[order],
        np.full(len(order), round(float(song.velocity[order].mean()))), np.zeros(len(order), np.int64),
        [song.parts[part]], tempi=song.tempi, chords=song.chords,
    )  # fmt: skip
    played = part_by_rules(written, np.arange(len(written)), context, np.random.default_rng(part))
    keys = written.onset_ticks.astype(np.int64) * 128 + written.pitch
    wanted = np.searchsorted(keys, place * tick // GRID * 128 + song.pitch[order])
    changed = {
        "velocity": played.louder, "offset": played.later_ticks / tick,
        "length": 1 + played.longer_ticks / written.duration_ticks,
    }  # fmt: skip
    return {name: column[wanted] for name, column in changed.items()}


def rules_arm(train: Sequence[Take]) -> Arm:
    """The rules; their nats are those of normal deviations around a straight line, of the train split."""
    fits: dict[str, tuple[Floats, float]] = {}
    for quantity in PARTS.quantities:
        ours, theirs = _both(train, quantity.name)
        line: Floats = np.polyfit(ours, theirs, 1)
        fits[quantity.name] = line, float((theirs - np.polyval(line, ours)).std())

    def nats(take: Take) -> Values:
        found = {}
        for quantity in PARTS.quantities:
            line, deviation = fits[quantity.name]
            mean = np.polyval(line, take.by_rules[quantity.name])
            chosen = quantity.classes_of(take.played.values[quantity.name])
            low = (chosen - quantity.zero - (0.5 if quantity.is_centred else 0)) * quantity.width
            below = np.where(chosen == 0, -np.inf, low)
            above = np.where(chosen == quantity.classes - 1, np.inf, low + quantity.width)
            share = [
                np.array([0.5 * erf(x) for x in (edge - mean) / deviation / 2**0.5])
                for edge in (below, above)
            ]
            found[quantity.name] = -np.log(np.maximum(share[1] - share[0], 1e-6))
        return found

    return Arm(lambda take, _: take.by_rules, nats)


def _below(deviations: Floats) -> Floats:
    """The share of a normal distribution below each of deviations (n,)."""
    return np.array([0.5 + 0.5 * erf(each / 2**0.5) for each in deviations])


def _both(takes: Sequence[Take], name: str) -> tuple[Floats, Floats]:
    """A quantity of all notes, as the rules play it and as people do."""
    return (
        np.concatenate([take.by_rules[name] for take in takes]),
        np.concatenate([take.played.values[name] for take in takes]),
    )


def centred_arm(network: FeelNetwork) -> Arm:
    """A network, whose velocities and offsets get the mean of the part, as in performing."""

    def play(take: Take, draw: np.random.Generator) -> Values:
        values = network.draw(take.played.notes, draw)
        return values | {name: values[name] - values[name].mean() for name in ("velocity", "offset")}

    return Arm(play, lambda take: network.nats(take.played))


def grid_arm() -> Arm:
    """The grid: every note as written."""

    def play(take: Take, draw: np.random.Generator) -> Values:
        none: Floats = np.zeros(len(take.group))
        return {"velocity": none, "offset": none, "length": none + 1}

    return Arm(play, None)


def measure_parts(folder: Path, songs: int, epochs: int | None, seed: int) -> None:
    """Print the tables of the performed parts of a folder."""
    from ritornello.training.feel_training import train_feel_network

    train, test, counts = read_performed(folder, songs, seed)
    print("; ".join(f"{count:,} {name}" for name, count in counts.items()))
    learned = [excerpts([take.played for take in song], number) for number, song in enumerate(train)]
    held = len(learned) // 10
    recordings, choosing = (
        [one for song in group for one in song] for group in (learned[held:], learned[:held])
    )
    notes = sum(len(one.notes.place) for one in recordings)
    train_takes, takes = ([take for song in group for take in song] for group in (train, test))
    print(f"learned from {len(learned) - held} songs, {notes:,} notes", flush=True)
    weights = train_feel_network(PARTS, recordings, choosing, epochs=epochs or epochs_of(notes))
    arms = {
        "network": centred_arm(FeelNetwork(PARTS, weights)),
        "rules": rules_arm(train_takes),
        "jitter, for each family": jitter_arm(PARTS, train_takes, by_group=True),
        "jitter": jitter_arm(PARTS, train_takes, by_group=False),
        "jitter as programs suggest": jitter_arm(PARTS, train_takes, by_group=False, typical=True),
        "the grid": grid_arm(),
    }
    print(
        f"held out: {len(test)} songs, {len(takes)} parts, {sum(len(take.group) for take in takes):,} notes\n"
    )
    print_tables(PARTS, arms, takes, seed, kinds=(0, 1, 2))
    for name in (quantity.name for quantity in PARTS.quantities):
        print(f"correlation of the rules with people, {name}: {np.corrcoef(*_both(takes, name))[0, 1]:.3f}")
