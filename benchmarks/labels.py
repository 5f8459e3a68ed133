"""The held-out nats per note of each label: models next to an n-gram, in pairs of the same songs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared import CORPUS, OUT, argument, benchmark, stored, table
from ritornello import Corpus, Model
from ritornello.composing.compose import opened_model
from ritornello.evaluation.inputs import LabelledScore
from ritornello.evaluation.likelihood import NATS_OF_A_KEY, likelihood
from ritornello.evaluation.summary import bootstrap_interval
from ritornello.music.key_frame import frame_shift, shift_within
from ritornello.representations.notes import Notes

Cells = npt.NDArray[np.int64]
ROWS_BEFORE = 3  # whose fields are in the longest context of the n-gram
CONTEXT_FIELDS = ("pitch", "part", "shift")  # of each row before, the nearest first
OWN_CONTEXT = ("duration", "velocity")  # read only for the same field
MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd number, 2^64 divided by the golden ratio: mixes hashes
NGRAM, GIVEN = "n-gram", ("none", "plan")
Nats = Mapping[str, tuple[int, float]]  # by song: notes, nats


class Ngram:
    """Interpolated n-grams of the fields of `notes`, one for each field, of the songs of a label.

    The context of a field is the position in the bar, the fields before it in its row, then pitch, part and
    shift of up to three rows before. Orders are interpolated as by Witten and Bell (1991): an order of which
    N cells with T different classes are known weighs N / (N + T). Counts are looked up in sorted hashes.
    """

    def __init__(self, rows: Sequence[Cells], learn: Sequence[npt.NDArray[np.bool_]]) -> None:
        self.fields = Notes().fields
        self.columns = {field.name: number for number, field in enumerate(self.fields)}
        self.choices = [number for number, field in enumerate(self.fields) if field.kind == "choice"]
        self.counts: dict[int, list[tuple[npt.NDArray[Any], ...]]] = {}
        for column in self.choices:
            contexts = [self._contexts(song, column) for song in rows]  # (orders, N) each
            counted = [mask[:, column] & (song[:, column] < self.fields[column].size)
                       for song, mask in zip(rows, learn, strict=True)]  # fmt: skip
            values = np.concatenate([song[mask, column] for song, mask in zip(rows, counted, strict=True)])
            keys = np.concatenate([c[:, mask] for c, mask in zip(contexts, counted, strict=True)], axis=1)
            self.counts[column] = [self._count(order, values) for order in keys]

    def choose_orders(self, rows: Sequence[Cells], learn: Sequence[npt.NDArray[np.bool_]]) -> None:
        """Keep for each field the orders that predict other songs best."""
        for column in self.choices:
            by_order = np.sum(
                [self._nats_by_order(song, mask, column) for song, mask in zip(rows, learn, strict=True)],
                axis=0,
            )
            self.counts[column] = self.counts[column][: int(np.argmin(by_order)) + 1]

    def _contexts(self, rows: Cells, column: int) -> npt.NDArray[np.uint64]:
        """The hashes (orders, N) of the contexts of a field, the shortest first."""
        before = [rows[:, number] for number in reversed(self.choices) if number < column]
        read: list[Cells] = [np.zeros(len(rows), np.int64), rows[:, self.columns["position"]], *before]
        own = self.fields[column].name
        names = ((own, *CONTEXT_FIELDS) if own in OWN_CONTEXT else CONTEXT_FIELDS)  # fmt: skip
        for back in range(1, ROWS_BEFORE + 1):
            shifted = np.full_like(rows, -1)
            shifted[back:] = rows[:-back]
            read += [shifted[:, self.columns[name]] for name in names]
        hashed, found = np.zeros(len(rows), np.uint64), []
        for values in read:
            hashed = (hashed ^ values.astype(np.uint64)) * MIX
            hashed ^= hashed >> np.uint64(29)
            found.append(hashed)
        return np.stack(found)

    @staticmethod
    def _count(keys: npt.NDArray[np.uint64], values: Cells) -> tuple[npt.NDArray[Any], ...]:
        """Sorted hashes of contexts with N and T, and sorted hashes of contexts and classes with counts."""
        pairs, pair_counts = np.unique(_with_class(keys, values), return_counts=True)
        contexts, totals = np.unique(keys, return_counts=True)
        first = np.unique(_with_class(keys, values), return_index=True)[1]
        kinds = np.bincount(np.searchsorted(contexts, keys[first]), minlength=len(contexts))
        return contexts, totals, kinds, pairs, pair_counts

    def nats(self, rows: Cells, learn: npt.NDArray[np.bool_]) -> float:
        """The negative log-likelihood of a song's rows (N, F) in nats, of the cells of `learn` (N, F)."""
        return float(sum(self._nats_by_order(rows, learn, column)[-1] for column in self.choices))

    def _nats_by_order(self, rows: Cells, learn: npt.NDArray[np.bool_], column: int) -> list[float]:
        """The nats of a field with the first order alone, the first two, and so on."""
        counted = learn[:, column] & (rows[:, column] < self.fields[column].size)
        values, keys = rows[counted, column], self._contexts(rows, column)[:, counted]
        share = np.full(len(values), 1 / self.fields[column].size)
        found = []
        for order, (contexts, totals, kinds, pairs, pair_counts) in zip(
            keys, self.counts[column], strict=False
        ):
            known = _look_up(contexts, totals, order)
            different = _look_up(contexts, kinds, order)
            count = _look_up(pairs, pair_counts, _with_class(order, values))
            mixed = (count + different * share) / np.maximum(known + different, 1)
            share = np.where(known > 0, mixed, share)
            found.append(-float(np.log(share).sum()))
        return found


def _with_class(keys: npt.NDArray[np.uint64], values: Cells) -> npt.NDArray[np.uint64]:
    """The hash of each context with a class."""
    return np.asarray((keys ^ (values.astype(np.uint64) + np.uint64(1))) * MIX)


def _look_up(
    keys: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64], wanted: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """The counts of wanted keys, 0 for those that are not among the sorted keys."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0)


def framed_rows(song: LabelledScore) -> tuple[Cells, npt.NDArray[np.bool_]]:
    """The rows (N, F) of a song in C major or A minor by its estimated key, and which cells count."""
    representation = Notes()
    score, _ = representation.canonical(song.score)
    rows, learn = representation.encode(score)
    if (key := score.estimated_key) is not None:
        shift = shift_within(frame_shift(key), *representation.transposition_range(rows))
        rows = representation.augmented(rows, shift, 0)
    return rows.astype(np.int64), learn


def songs_of(corpus: Corpus, label: str, split: str, most: int | None = None) -> Iterator[LabelledScore]:
    """The songs of a label on one side of the corpus; at most `most` of them, evenly spaced."""
    numbers = [n for n in corpus.songs(split).tolist() if label in corpus.info(n).labels]
    if most is not None and len(numbers) > most:
        numbers = [numbers[index * len(numbers) // most] for index in range(most)]
    for number in numbers:
        yield LabelledScore(corpus.info(number).name, corpus.score(number), corpus.info(number).labels)


def ngram_nats(corpus: Corpus, label: str, most: int) -> dict[str, tuple[int, float]]:
    """Notes and nats of the test songs by an n-gram of the training songs, the key not known."""
    train = [framed_rows(song) for song in songs_of(corpus, label, "train")]
    ngram = Ngram([rows for rows, _ in train], [learn for _, learn in train])
    valid = [framed_rows(song) for song in songs_of(corpus, label, "valid", most)]
    ngram.choose_orders([rows for rows, _ in valid], [learn for _, learn in valid])
    found = {}
    for song in songs_of(corpus, label, "test", most):
        rows, learn = framed_rows(song)
        key = NATS_OF_A_KEY if song.score.estimated_key is not None else 0.0
        found[song.name] = len(song.score), ngram.nats(rows, learn) + key
    return found


def model_nats(
    model: Model, corpus: Corpus, label: str, most: int, threads: int
) -> dict[str, dict[str, tuple[int, float]]]:
    """Notes and nats of the test songs by a model, for each name of GIVEN."""
    measured = likelihood(
        model.network_in_torch(),
        model.representation,
        songs_of(corpus, label, "test", most),
        plan_encoder=model.plan_encoder,
        has_key_frame=model.has_key_frame,
        threads=threads,
    )
    found: dict[str, dict[str, tuple[int, float]]] = {name: {} for name in GIVEN}
    for song in measured:
        for name in GIVEN:
            found[name][song[name].song] = song[name].notes, song[name].total
    return found


def per_note(nats: Nats) -> float:
    """The nats per note of all songs."""
    return sum(total for _, total in nats.values()) / sum(notes for notes, _ in nats.values())


def difference(nats: Nats, reference: Nats) -> str:
    """How many nats per note more than `reference` on the same songs, with its 95% interval over songs."""
    names = sorted(nats.keys() & reference.keys())
    notes = [nats[name][0] for name in names]
    more = [nats[name][1] - reference[name][1] for name in names]
    low, high = (
        bootstrap_interval(np.array(more), np.array(notes))
        if len(names) > 1
        else (float("nan"), float("nan"))
    )
    return f"{sum(more) / sum(notes):+.3f} ({low:+.3f} to {high:+.3f})"


@benchmark(
    CORPUS,
    OUT,
    argument("--model", type=Path, help="a model folder (default: the bundled model)"),
    argument("--before", type=Path, help="the model that it replaces, to be compared with"),
    argument("--songs", type=int, default=30, help="test songs of each label, evenly spaced (default: 30)"),
    argument("--labels", nargs="+", help="default: all labels of the corpus"),
    argument("--threads", type=int, default=1),
)
def labels(options: argparse.Namespace) -> None:
    """Measure a model on the test songs of each label, next to an n-gram and the model before.

    The n-gram knows the label, learns from all its training songs, and has the orders that are best for its
    valid songs; the model is given nothing, or the plan. Differences are in pairs of the same songs, with 95%
    intervals over songs; below 0 is better.
    """
    corpus = Corpus.open(options.corpus)
    models = {"model": opened_model(options.model)}
    if options.before:
        models["before"] = Model.open(options.before)
    rows = []
    for label in options.labels or corpus.labels:
        cell = options.out / f"{label}.ngram.json"
        base: Nats = stored(cell, partial(ngram_nats, corpus, label, options.songs))
        found: dict[str, Mapping[str, Nats]] = {}
        for name, model in models.items():
            file = options.out / f"{label}.{model.hash[:12]}.json"
            found[name] = stored(
                file, partial(model_nats, model, corpus, label, options.songs, options.threads)
            )
        new = found["model"]
        row = [label, len(base), f"{per_note(base):.3f}", f"{per_note(new['none']):.3f}",
               f"{per_note(new['plan']):.3f}", difference(new["none"], base)]  # fmt: skip
        if "before" in found:
            row += [difference(new[given], found["before"][given]) for given in GIVEN]
        rows.append(row)
        print(*row, flush=True)
    head = ["label", "songs", NGRAM, "none", "plan", "none - n-gram"]
    head += [f"{given} - before" for given in GIVEN] if options.before else []
    text = table(head, rows)
    (options.out / "table.md").write_text(text + "\n")
    print(text)
