"""The key as a frame, and the sketch: what each is worth in nats per note of held-out songs."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.shared import CORPUS, OUT, argument, benchmark, set_training_clock, stored, table
from ritornello import Corpus, Model
from ritornello.corpus.corpus import import_pyarrow
from ritornello.corpus.outcomes import KEPT
from ritornello.errors import InputError
from ritornello.evaluation.inputs import CorpusSongs, LabelledScore
from ritornello.evaluation.likelihood import SIDE_INFORMATION, likelihood
from ritornello.evaluation.summary import FEWEST_SONGS, bootstrap_interval
from ritornello.system.files import sha256_file
from ritornello.training.train import train

FRAMES = ("none", "key")
SKETCH = ("form", "chord", "cadence", "texture")
CANDIDATES = ("echo", "alone")
GIVEN: dict[str, tuple[str, ...]] = {  # what is hidden from networks with and without the frame
    "all": (),
    "all but form and chord": ("form", "chord"),
    "all but form, chord, echo, alone": ("form", "chord", *CANDIDATES),
    "all but the sketch": SKETCH,
    "all but the sketch, echo, alone": (*SKETCH, *CANDIDATES),
    "nothing": SIDE_INFORMATION,
}
FIELD_GROUPS = ("chord", "cadence", "texture", "form", "echo", "alone", "bars_left")
FIELDS_HIDDEN: dict[str, tuple[str, ...]] = {
    "all": (),
    "none": FIELD_GROUPS,
    **{f"without {group}": (group,) for group in FIELD_GROUPS},
    **{f"only {group}": tuple(other for other in FIELD_GROUPS if other != group) for group in FIELD_GROUPS},
}
UNTIMED_STEPS = 5  # the first steps are slower


class Nats(NamedTuple):
    """The nats of songs (S,) under one condition: of all fields, and of pitches."""

    notes: list[int]
    total: list[float]
    pitch: list[float]


Measured = Mapping[str, Nats]  # by condition

# Songs


def corpus_of_label(corpus: Corpus, label: str, out: Path) -> Corpus:
    """Open the corpus `out` of the songs of one label, with links to the shards of `corpus`; make it first.

    A song keeps its number and its split. Raises InputError if no song has the label.
    """
    if not (out / "manifest.json").exists():
        pa = import_pyarrow()
        has_label = np.array([label in labels for labels in corpus.index["labels"].to_pylist()])
        index, columns = corpus.index, {}
        for name in ("fate", "split"):
            values = np.array(index[name].to_pylist(), dtype=object)
            columns[name] = np.where(has_label, values, "")
            place = index.schema.get_field_index(name)
            index = index.set_column(place, name, pa.array(columns[name].tolist(), pa.string()))
        if not (kept := int((columns["fate"] == KEPT).sum())):
            raise InputError(f"label {label!r}: must be one of {', '.join(corpus.labels)}")
        out.mkdir(parents=True, exist_ok=True)
        if not (out / "shards").is_symlink():
            (out / "shards").symlink_to((corpus.path / "shards").resolve())
        pa.parquet.write_table(index, file := out / "index.parquet")
        manifest = {**corpus.manifest, "kept": kept, "labels": {label: kept}}
        manifest["splits"] = {
            split: int((columns["split"] == split).sum()) for split in corpus.manifest["splits"]
        }
        manifest["index"] = {file.name: [file.stat().st_size, sha256_file(file)]}
        (out / "manifest.json").write_text(json.dumps(manifest) + "\n")
    return Corpus.open(out)


def held_out_songs(
    corpus: Corpus, splits: Sequence[str], most: int | None = None, seed: int = 0
) -> Iterator[LabelledScore]:
    """The songs of some splits; at most `most` of them, drawn by the seed."""
    songs = [CorpusSongs(corpus, split) for split in splits]
    if most is not None:
        numbers = np.concatenate([each.numbers for each in songs])
        drawn = np.random.default_rng(seed).permutation(numbers)[:most]
        for each in songs:
            each.numbers = np.intersect1d(each.numbers, drawn)
    return chain.from_iterable(songs)


# Measuring


def nats_by_condition(
    model: Model, songs: Iterator[LabelledScore], hidden: Mapping[str, Sequence[str]], threads: int
) -> dict[str, list[list[float]]]:
    """The columns of Nats for each name of `hidden`, songs in the order of their names."""
    found = likelihood(
        model.network_in_torch(),
        model.representation,
        songs,
        plan_encoder=model.plan_encoder,
        given=hidden,
        has_key_frame=model.has_key_frame,
        threads=threads,
    )
    in_order = sorted(found, key=lambda nats: nats[next(iter(hidden))].song)
    return {
        name: [
            [song[name].notes for song in in_order],
            [song[name].total for song in in_order],
            [song[name].fields["pitch"] for song in in_order],
        ]
        for name in hidden
    }


def measured(cell: Mapping[str, Any]) -> dict[str, Nats]:
    """The nats of a cell by condition."""
    return {name: Nats(*columns) for name, columns in cell["nats"].items()}


def per_note(nats: Nats, field: str) -> float:
    """The nats per note of all songs, of the field "total" or "pitch"."""
    return float(sum(getattr(nats, field)) / sum(nats.notes))


def difference(more: Nats, less: Nats, field: str) -> str:
    """By how many nats per note `less` is below `more`, with the 95% interval by song, in pairs."""
    gains = np.array(getattr(more, field)) - np.array(getattr(less, field))
    notes = np.array(more.notes, np.float64)
    mean = f"{gains.sum() / notes.sum():.3f}"
    if len(notes) < FEWEST_SONGS:
        return mean
    low, high = bootstrap_interval(gains, notes)
    return f"{mean} ({low:.3f} to {high:.3f})"


# The frame


def train_and_measure(
    corpus: Corpus, folder: Path, frame: str, length: Mapping[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    """Train a network from random weights in a frame, and measure it on the held-out songs."""
    clock: list[float] = []
    model = train(
        corpus.path,
        folder,
        report=lambda state, losses: clock.append(time.process_time()),
        frame=frame,
        network_config={"size": options.size},
        batch=options.batch,
        seed=options.seed,
        threads=options.threads,
        measure_every=10**6,  # with steps once, at the end: the last weights are kept, not chosen ones
        **length,
    )
    songs = held_out_songs(corpus, options.splits)
    seconds = np.diff(clock[UNTIMED_STEPS:-1])  # without the last step, which has a measurement
    return {
        "steps": model.info["training"]["steps"],
        "processor_s_per_step": float(np.median(seconds)) if len(seconds) else None,
        "nats": nats_by_condition(model, songs, GIVEN, options.threads),
    }


def table_of_frames(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of a label: nats per note without and with the frame, and the difference."""
    without, framed = (measured(cells[frame]) for frame in FRAMES)
    head = ["known"]
    for what in ("nats per note", "of the pitch"):
        head += [f"{what}: none", "key", "lower by (95% interval)"]
    rows = []
    for name in without:
        row = [name]
        for field in ("total", "pitch"):
            both = without[name], framed[name]
            row += [*(f"{per_note(nats, field):.3f}" for nats in both), difference(*both, field)]
        rows.append(row)
    return table(head, rows)


def line_of_frames(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """What both networks were measured on and needed."""
    notes = measured(cells["none"])["all"].notes
    needed = []
    for frame in FRAMES:
        per_step = cells[frame]["processor_s_per_step"]
        seconds = "" if per_step is None else f" of {per_step:.2f} s"
        needed.append(f"{frame} {cells[frame]['steps']} steps{seconds}")
    known = "all but form and chord"
    without, framed = (measured(cells[frame])[known].pitch for frame in FRAMES)
    better = int((np.array(framed) < np.array(without)).sum())
    return (
        f"{len(notes)} songs, {sum(notes):,} notes; {', '.join(needed)} (processor time). Known {known}, "
        f"pitches cost less in the key frame in {better} songs."
    )


SPLITS = argument("--splits", nargs="+", default=["test"], help="whose songs are measured (default: test)")
LABELS = argument(
    "--labels", nargs="+", help="measure the songs of each of these; else all songs of the corpus together"
)
THREADS = argument("--threads", type=int, default=1)
SEED = argument("--seed", type=int, default=0)


def corpora(options: argparse.Namespace) -> dict[str, Corpus]:
    """The corpus of each label of the options; or the whole one, named "all"."""
    corpus = Corpus.open(options.corpus)
    labels = options.labels or []
    home = options.out / "corpora" / corpus.hash[:8]
    made = {label: corpus_of_label(corpus, label, home / label) for label in labels}
    return made or {"all": corpus}


def cell_suffix(corpus: Corpus, options: argparse.Namespace) -> str:
    """The end of the names of cells that were measured on these splits of a corpus, with this seed."""
    return f"{'+'.join(options.splits)}-{corpus.hash[:8]}-seed{options.seed}"


@benchmark(
    CORPUS,
    OUT,
    LABELS,
    argument("--steps", type=int, nargs="*", default=[300], help="train for each of these (default: 300)"),
    argument("--minutes", type=float, nargs="*", default=[], help="also for each, in processor time"),
    argument("--size", default="tiny", help="of the network (default: %(default)s)"),
    argument("--batch", type=int, default=32),
    SEED,
    SPLITS,
    THREADS,
)
def frame(options: argparse.Namespace) -> None:
    """Train networks on one label with `--frame none` and `--frame key`, and compare held-out nats per note.

    Both begin with the same random weights and take the same number of steps (--steps), or the same processor
    time (--minutes). The differences are paired by song. What is hidden from both, beside what the table
    says: nothing. "All" is the plan with the key, bars left, the whole sketch (form, chord, cadence, texture)
    and the candidates echo and alone. With "nothing" known, which hides the plan and the sketch but not echo
    and alone, log 12 nats a song are added to the pitches of a network in the key frame (see `measure`).

    Each network and its nats by song are kept in --out, and are not computed again.
    """
    set_training_clock("processor")
    lengths = [{"steps": steps} for steps in options.steps]
    lengths += [{"minutes": minutes} for minutes in options.minutes]
    for label, corpus in corpora(options).items():
        for length in lengths:
            (unit, value), cells = next(iter(length.items())), {}
            name = f"{label}-{options.size}-{value:g}{unit}-batch{options.batch}"
            name = f"{name}-{cell_suffix(corpus, options)}"
            for which in FRAMES:
                file = options.out / f"{name}-{which}.json"
                work = partial(train_and_measure, corpus, file.with_suffix(""), which, length, options)
                cells[which] = stored(file, work)
            print(f"\n### {label}, {options.size}, {value:g} {unit}\n{line_of_frames(cells)}\n")
            print(table_of_frames(cells), flush=True)


# The fields of the sketch


def measure_fields(model: Model, songs: Iterator[LabelledScore], threads: int) -> dict[str, Any]:
    """Measure a model on songs with each choice of groups that are hidden."""
    return {"nats": nats_by_condition(model, songs, FIELDS_HIDDEN, threads)}


def table_of_fields(by_label: Mapping[str, Measured], field: str) -> str:
    """What each group of fields is worth, by label: hidden alone, and known alone."""
    rows: list[list[str]] = []
    for group in FIELD_GROUPS:
        for what in (f"without {group}", f"only {group}"):
            row = [what]
            for nats in by_label.values():
                pair = (nats[what], nats["all"]) if what.startswith("without") else (nats["none"], nats[what])
                row.append(difference(*pair, field))
            rows.append(row)
    levels = [
        [f"nats, {name} known", *(f"{per_note(nats[name], field):.3f}" for nats in by_label.values())]
        for name in ("all", "none")
    ]
    return table(["", *by_label], [*levels, *rows])


@benchmark(
    argument("model", type=Path, help="a trained model"),
    CORPUS,
    OUT,
    LABELS,
    argument("--songs", type=int, default=40, help="measured of each label at most (default: 40)"),
    SEED,
    SPLITS,
    THREADS,
)
def sketch_fields(options: argparse.Namespace) -> None:
    """Hide groups of known fields from a model one by one: how many nats per note each is worth, by label.

    The groups are those of the sketch (chord, cadence, texture, form), bars left, and the candidates echo and
    alone. "Without" is by how much the held-out nats per note rise if one group is hidden and the others are
    known; "only" is by how much they fall if one group is known and the others are hidden. The plan (label,
    meter, tempo, key, parts) is always known. Fields that a model does not read are worth 0. Intervals are
    paired by song. The songs must be held out: those of the corpus on which the model was trained.

    The nats of each label are kept in --out by the model's hash, and are not computed again.
    """
    model, by_label = Model.open(options.model), {}
    for label, corpus in corpora(options).items():
        name = f"fields-{model.hash[:8]}-{label}-{options.songs}songs-{cell_suffix(corpus, options)}"
        songs = held_out_songs(corpus, options.splits, options.songs, options.seed)
        work = partial(measure_fields, model, songs, options.threads)
        by_label[label] = measured(stored(options.out / f"{name}.json", work))
        notes = by_label[label]["all"].notes
        print(f"{label}: {len(notes)} songs, {sum(notes):,} notes", flush=True)
    for field, title in (("total", "Nats per note"), ("pitch", "Nats per note of the pitch")):
        print(f"\n{title}\n\n{table_of_fields(by_label, field)}")
