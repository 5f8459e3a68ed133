"""Feel of the user's own: parts that are performed, not quantised, train the networks of `performing`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ritornello.corpus.corpus import Corpus
from ritornello.learning.run_paths import Say
from ritornello.performing.drum_hits import recording_of
from ritornello.performing.feel_network import DRUMS, PARTS, FeelKind, FeelNetwork, bundled
from ritornello.performing.grid_notes import Recording, is_off_grid
from ritornello.performing.manners import MANNERS, style_of_labels
from ritornello.performing.part_notes import performed_parts
from ritornello.system.files import write_bytes
from ritornello.system.progress import Progress

FEWEST_SONGS, FEWEST_HELD_OUT, FEWEST_NOTES = 8, 2, 3000  # with performed drums, or other parts
MOST_SONGS = 2000
MOST_NOTES = 300_000  # of a kind that are learned from: 0.3 GB of inputs
# Of a part; with all notes of 195 songs of one folder a network had 6.73 nats, with 400 of each part of 400
# songs 6.18
MOST_NOTES_OF_A_PART = 400
MOST_NOTES_SEEN = 3_000_000  # in training
NOTES_PER_S = 50_000  # from which one core learns
EPOCHS = (4, 40)  # the fewest and the most
LEAST_DEVIATION = 8.0  # of the velocities of performed drums


class Performances(NamedTuple):
    """What songs have of performances: recordings of a kind by song, and songs that follow no grid."""

    songs: list[list[Recording]]
    without_grid: int

    @property
    def recordings(self) -> list[Recording]:
        """Those of all songs."""
        return [recording for song in self.songs for recording in song]

    @property
    def notes(self) -> int:
        """The number of their notes."""
        return sum(len(recording.notes.place) for recording in self.recordings)


class FeelSongs(NamedTuple):
    """The performances of a kind in a corpus: those to learn from, and those held out."""

    kind: FeelKind
    train: Performances
    held_out: Performances

    @property
    def are_enough(self) -> bool:
        """Whether a network can learn from them."""
        songs = len(self.train.songs) >= FEWEST_SONGS and len(self.held_out.songs) >= FEWEST_HELD_OUT
        return songs and self.train.notes >= FEWEST_NOTES

    @property
    def expected_s(self) -> float:
        """The estimated seconds in which one core learns from them."""
        notes = self.train.notes
        return notes * epochs_of(notes) / NOTES_PER_S if self.are_enough else 0.0


def find_performances(corpus: Corpus, progress: Progress | None = None) -> list[FeelSongs]:
    """Return the performed drums and the other performed parts of a corpus."""
    finders, found = ((DRUMS, performed_drums), (PARTS, performed_others)), []
    for number, (kind, find) in enumerate(finders, start=1):
        train, *others = (find(corpus, split) for split in ("train", "valid", "test"))
        if progress:
            progress(number, len(finders), "finding performances")
        held_out = Performances(
            [song for each in others for song in each.songs], sum(each.without_grid for each in others)
        )
        found.append(FeelSongs(kind, train, held_out))
    return found


def learn_feel(
    performances: Sequence[FeelSongs], model: Path, say: Say, seconds: float | None = None
) -> dict[str, Any]:
    """Train a network on each kind of performances of which there are enough, in about `seconds` at most.

    One is written to the model folder if it predicts the songs held out better than the network that ships;
    or, of other parts, for which none ships, than how often each value occurs. Returns the report. Raises
    OutputError.
    """
    report, expected_s = {}, sum(each.expected_s for each in performances)
    for songs in performances:
        limit = None if seconds is None else seconds * songs.expected_s / max(expected_s, 1e-9)
        report[songs.kind.plays] = _learn(songs, model, say, limit)
    return report


def _learn(found: FeelSongs, model: Path, say: Say, seconds: float | None) -> dict[str, Any]:
    """Train a network of a kind and write it if it is better; returns the report."""
    kind, train, held_out = found
    songs, without = len(train.songs) + len(held_out.songs), train.without_grid + held_out.without_grid
    report: dict[str, Any] = {
        "performed": songs,
        "without_grid": without,
        "notes": train.notes,
        "kept": False,
    }
    free = f"; {without} follow no grid: their tempo is not that of the music" if without else ""
    if not found.are_enough:
        if songs or without:
            say("feel", f"{songs} songs have performed {kind.plays}, too few to learn from{free}")
        return report
    from safetensors.numpy import save

    from ritornello.training.feel_training import nats_of_shares, nats_per_note, train_feel_network

    choosing, deciding = (
        [one for song in held_out.songs[half::2] for one in song] for half in (0, 1)
    )  # the epoch, and whether to keep the network
    epochs = epochs_of(train.notes)
    weights = train_feel_network(kind, train.recordings, choosing, epochs=epochs, seconds=seconds)
    own = sum(nats_per_note(FeelNetwork(kind, weights), deciding).values())
    if kind is DRUMS:
        other, name = sum(nats_per_note(bundled(), deciding).values()), "those that ship"
    else:
        other = sum(nats_of_shares(kind, train.recordings, deciding).values())
        name = "shares of values alone"
    report |= {"nats_per_note": {"own": own, name: other}, "kept": own < other}
    if report["kept"]:
        write_bytes(model / kind.file, save(weights))
    stay = "the bundled network of drums stays" if kind is DRUMS else "the rules stay"
    kept = f"own {kind.plays} of --feel are kept" if report["kept"] else stay
    figures = f"{own:.2f} nats per note, {name} {other:.2f}"
    say("feel", f"{songs} songs have performed {kind.plays}{free}   {figures}: {kept}")
    return report


def epochs_of(notes: int) -> int:
    """Return the epochs in which a network learns from a number of notes."""
    return int(np.clip(MOST_NOTES_SEEN // notes, *EPOCHS))


def excerpts(song: list[Recording], number: int) -> list[Recording]:
    """Return at most MOST_NOTES_OF_A_PART of each part of a song: by its number the first, middle or last."""
    spare = [max(len(one.notes.place) - MOST_NOTES_OF_A_PART, 0) * (number % 3) // 2 for one in song]
    return [one.excerpt(at, at + MOST_NOTES_OF_A_PART) for one, at in zip(song, spare, strict=True)]


def performed_drums(corpus: Corpus, split: str) -> Performances:
    """Return the recordings of those songs of a split whose drums are performed, not quantised.

    Whether they follow the grid is not asked: of drummers who did, half are beyond the limit for other parts.
    """
    found = []
    for number in corpus.songs(split)[:MOST_SONGS]:
        score = corpus.score(number)
        drums = np.flatnonzero(score.of_drums)
        beats = score.onset_ticks[drums] / score.ticks_per_beat
        if len(drums) and is_off_grid(beats) and score.velocity[drums].std() >= LEAST_DEVIATION:
            style = style_of_labels(corpus.info(number).labels)
            found.append([recording_of(score, MANNERS[style].drums if style else "")])
    return Performances(found, 0)


def performed_others(corpus: Corpus, split: str) -> Performances:
    """Return the recordings of the performed parts, other than drums, of the songs of a split."""
    found, without, notes = list[list[Recording]](), 0, 0
    for number in corpus.songs(split)[:MOST_SONGS]:
        parts = performed_parts(corpus.score(number), style_of_labels(corpus.info(number).labels))
        without += not parts.recordings and parts.without_grid > 0
        if parts.recordings:
            found.append(excerpts(parts.recordings, len(found)))
            notes += sum(len(recording.notes.place) for recording in found[-1])
        if notes >= MOST_NOTES:
            break
    return Performances(found, without)
