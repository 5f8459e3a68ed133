"""Summary: from what each song cost to nats per note with an interval, and a table of all songs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ritornello.errors import InputError
from ritornello.models.model import Model
from ritornello.system.version import __version__

if TYPE_CHECKING:
    from ritornello.evaluation.likelihood import SongNats

FEWEST_SONGS = 5  # of which an interval by song says anything
ROUNDS = 2000
SEED = 0


class Heard(Protocol):
    """Where the songs came from: a side of a corpus, or a folder (`split` None)."""

    split: str | None
    skipped: dict[str, str]

    @property
    def hash(self) -> str:
        """Of the songs."""
        ...


def measurement_report(
    model: Model, on: str, heard: Heard, found: Mapping[str, Sequence[SongNats]]
) -> dict[str, Any]:
    """What was measured and how; `found` has all songs' nats by what the network was given.

    `held_out` is whether these songs are known to be new to the model, None where nobody can tell: another
    corpus or folder may hold what it has learnt. Raises InputError where no song could be used.
    """
    songs = next(iter(found.values()))
    if not songs:
        named = "; ".join(f"{name!r}: {why}" for name, why in list(heard.skipped.items())[:3])
        raise InputError(f"none of the {len(heard.skipped)} songs of {on!r} can be measured: {named}")
    same = heard.hash == model.info.get("data", {}).get("hash")
    return {
        "ritornello": __version__,
        "model": str(model.path),
        "model_hash": model.hash,
        "network": model.network,
        "representation": model.representation.name,
        "on": on,
        "split": heard.split,
        "data_hash": heard.hash,
        "held_out": heard.split != "train" if same else None,
        "songs": len(songs),
        "notes": sum(song.notes for song in songs),
        "skipped": dict(heard.skipped),
        "given": {name: summarize(nats) for name, nats in found.items()},
    }


def summarize(songs: Sequence[SongNats]) -> dict[str, Any]:
    """Nats per source note, all songs' nats over all songs' notes.

    `by_field` sums to `nats_per_note`; `end` is the part of it that the END cost. `interval` and
    `reference_interval` are None with fewer than FEWEST_SONGS songs, the reference where there is none.
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
        "by_field": {name: mean([song.fields[name] for song in songs]) for name in songs[0].fields},
        "end": mean([song.end for song in songs]),
        "reference": mean(references) if references else None,
        "reference_interval": between(references) if references else None,
        "notes_lost": sum(song.notes - song.kept for song in songs),
    }


def paired_difference(ours: Sequence[SongNats], theirs: Sequence[SongNats]) -> dict[str, Any]:
    """By how many nats per note `ours` is better than `theirs` (below 0: worse), on the songs that both have.

    The songs are paired, so that what makes one of them hard counts for neither; `interval` is that of
    `interval`, None with fewer than FEWEST_SONGS of them. Raises ValueError where there are none.
    """
    others = {song.song: song for song in theirs}
    pairs = [(song, others[song.song]) for song in ours if song.song in others]
    if not pairs:
        raise ValueError("no song was measured by both")
    notes = np.array([mine.notes for mine, _ in pairs], np.float64)
    gained = np.array([other.total - mine.total for mine, other in pairs])
    return {
        "songs": len(pairs),
        "better_by": float(gained.sum() / notes.sum()),
        "interval": bootstrap_interval(gained, notes) if len(pairs) >= FEWEST_SONGS else None,
    }


def bootstrap_interval(
    totals: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], share: float = 0.95
) -> tuple[float, float]:
    """In which the sum of `totals` over that of `weights` lies, were other such songs drawn, (S,) each.

    By the bootstrap over songs (Efron 1979): ROUNDS times as many songs are drawn with replacement, always
    the same ones; the quantiles of their ratios are returned.
    """
    draw = np.random.default_rng(SEED)
    times = draw.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), size=ROUNDS)  # (ROUNDS, S)
    ratios = (times @ totals) / (times @ weights)
    low, high = np.quantile(ratios, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def songs_as_csv(found: Mapping[str, Sequence[SongNats]]) -> str:
    """All songs as CSV, a row a song and condition: notes, and nats of the whole song (not per note)."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    fields = [name for songs in found.values() for song in songs[:1] for name in song.fields]
    fields = list(dict.fromkeys(fields))
    write.writerow(["song", "given", "notes", "notes_lost", "nats", *fields, "end", "reference"])
    for given, songs in found.items():
        for song in sorted(songs, key=lambda each: each.song):
            cells = [song.total, *(song.fields[name] for name in fields), song.end, song.reference]
            rounded = ["" if cell is None else f"{cell:.4f}" for cell in cells]
            write.writerow([song.song, given, song.notes, song.notes - song.kept, *rounded])
    return out.getvalue()
