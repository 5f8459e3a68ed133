"""Summaries of the nats of songs: nats per note with an interval, and a CSV table of all songs."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError
from ritornello.evaluation.inputs import CorpusSongs, FolderSongs
from ritornello.models.model import Model
from ritornello.system.version import __version__

FEWEST_SONGS = 5  # for an interval
ROUNDS, SEED = 2000, 0  # of the bootstrap


class SongNats(NamedTuple):
    """The nats of one song."""

    song: str
    notes: int  # of the song before encoding
    kept: int  # the notes that the representation holds
    fields: dict[str, float]  # the nats of each field
    end: float  # the nats for the end of the song, which are part of a field
    reference: float | None  # the reference nats; None if the representation gives no widths of its bins

    @property
    def total(self) -> float:
        """The nats of all fields."""
        return sum(self.fields.values())


def measurement_report(
    model: Model, on: str, songs: CorpusSongs | FolderSongs, nats_by_given: Mapping[str, Sequence[SongNats]]
) -> dict[str, Any]:
    """Return the report of `measure` from the nats of all songs, by the choice of `given`.

    `held_out` is True if the model was not trained on these songs, and None if this is unknown, because
    another corpus or folder may contain training songs. Raises InputError if no song could be measured.
    """
    measured = next(iter(nats_by_given.values()))
    if not measured:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in list(songs.skipped.items())[:3])
        raise InputError(f"none of the {len(songs.skipped)} songs of {on!r} can be measured: {reasons}")
    same_corpus = songs.hash == model.info.get("data", {}).get("hash")
    return {
        "ritornello": __version__,
        "model": str(model.path),
        "model_hash": model.hash,
        "network": model.network,
        "representation": model.representation.name,
        "on": on,
        "split": songs.split,
        "data_hash": songs.hash,
        "held_out": songs.split != "train" if same_corpus else None,
        "songs": len(measured),
        "notes": sum(song.notes for song in measured),
        "skipped": dict(songs.skipped),
        "given": {name: summarize(nats) for name, nats in nats_by_given.items()},
    }


def summarize(songs: Sequence[SongNats]) -> dict[str, Any]:
    """Return the nats per note of the source: the nats of all songs divided by their notes.

    `median` is the median of the songs, since one song can move the mean. `by_field` adds up to
    `nats_per_note`; `end` is the part of it for the ends of songs. The intervals are None for fewer than
    FEWEST_SONGS songs, and the reference is None if the songs have none.
    """
    notes = np.array([song.notes for song in songs], np.float64)

    def mean(values: list[float]) -> float:
        return float(sum(values) / notes.sum())

    def between(values: list[float]) -> tuple[float, float] | None:
        return bootstrap_interval(np.array(values), notes) if len(songs) >= FEWEST_SONGS else None

    totals = [song.total for song in songs]
    references = [song.reference for song in songs if song.reference is not None]
    return {
        "nats_per_note": mean(totals),
        "interval": between(totals),
        "median": float(np.median(np.array(totals) / notes)),
        "by_field": {name: mean([song.fields[name] for song in songs]) for name in songs[0].fields},
        "end": mean([song.end for song in songs]),
        "reference": mean(references) if references else None,
        "reference_interval": between(references) if references else None,
        "notes_lost": sum(song.notes - song.kept for song in songs),
    }


def paired_difference(ours: Sequence[SongNats], theirs: Sequence[SongNats]) -> dict[str, Any]:
    """Return the nats per note by which `ours` is better than `theirs`, on songs measured with both models.

    The result has "songs", "better_by" and its "interval", which is None for fewer than FEWEST_SONGS songs.
    Songs are compared in pairs, so that a difficult song does not widen it. Raises ValueError if no song was
    measured with both.
    """
    others = {song.song: song for song in theirs}
    pairs = [(song, others[song.song]) for song in ours if song.song in others]
    if not pairs:
        raise ValueError("no song was measured with both models")
    notes = np.array([our.notes for our, _ in pairs], np.float64)
    gains = np.array([their.total - our.total for our, their in pairs])
    return {
        "songs": len(pairs),
        "better_by": float(gains.sum() / notes.sum()),
        "interval": bootstrap_interval(gains, notes) if len(pairs) >= FEWEST_SONGS else None,
    }


def bootstrap_interval(
    totals: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], share: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the sum of `totals` (S,) divided by that of `weights` (S,), for other S songs.

    By the bootstrap over songs (Efron 1979): S songs are drawn ROUNDS times with replacement, with a fixed
    seed, and the quantiles of their ratios are returned, which hold the middle `share` of them.
    """
    draw = np.random.default_rng(SEED)
    times = draw.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), size=ROUNDS)  # (ROUNDS, S)
    ratios = (times @ totals) / (times @ weights)
    low, high = np.quantile(ratios, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def songs_as_csv(nats_by_given: Mapping[str, Sequence[SongNats]]) -> str:
    """Return CSV with a row for each song and choice of `given`: notes, and nats of the whole song."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    fields = [name for songs in nats_by_given.values() for song in songs[:1] for name in song.fields]
    fields = list(dict.fromkeys(fields))
    write.writerow(["song", "given", "notes", "notes_lost", "nats", *fields, "end", "reference"])
    for given, songs in nats_by_given.items():
        for song in sorted(songs, key=lambda each: each.song):
            cells = [song.total, *(song.fields[name] for name in fields), song.end, song.reference]
            rounded = ["" if cell is None else f"{cell:.4f}" for cell in cells]
            write.writerow([song.song, given, song.notes, song.notes - song.kept, *rounded])
    return out.getvalue()
