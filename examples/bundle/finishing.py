"""Turn a trained model into the one that ships: float16, fewer plans, measured by label, with a card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.composing.style_stats import NO_LABEL
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError
from ritornello.evaluation.inputs import CorpusSongs, LabelledScore
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, likelihood
from ritornello.evaluation.summary import SongNats, summarize
from ritornello.models import fingerprints
from ritornello.models import model as folder
from ritornello.models.model import Model
from ritornello.models.model_folder import Arrays
from ritornello.music.plan import Plan
from ritornello.system.files import sha256, write_bytes
from ritornello.training.config import TrainConfig
from ritornello.training.label_style import style_of_corpus
from ritornello.training.start import TrainingStart

DEFAULT_LABEL = "chorale"
FEWEST_JUDGED = 50  # songs of a label; with fewer its mark is too uncertain to compare
MAX_PLANS_BYTES = 4 << 20
MAX_FOLDER_BYTES = 25 << 20
MAX_MEASURED = 30  # songs of a label, evenly spaced
MAX_PLAN_BARS = 256  # plans of longer songs are left out
RIGHTS_FILE = "rights.json"
MEASURED = ("nats_per_note", "interval", "by_field", "reference")


def finish(
    trained: Model,
    corpus: Corpus,
    rights: bytes,
    side: str,
    threads: int,
    out: Path,
    judged: dict[str, Any] | None = None,
) -> Model:
    """Write the model folder that ships. Raises FailedError if it is larger than MAX_FOLDER_BYTES.

    `judged` is tables.json of the benchmark `coherence`, for the marks of the labels; with it the default
    label is that of `default_label`.
    """
    marks = marks_of(judged or {})
    sketch = None if trained.sketch is None else to_float16(trained.sketch)
    half = replace(trained, weights=to_float16(trained.weights), sketch=sketch)
    files = json.loads(rights)
    measured = measure_by_label(half, corpus, side, threads)
    plans = select_plans(trained.plans, MAX_PLANS_BYTES)
    songs = Counter(label for number in corpus.songs().tolist() for label in corpus.info(number).labels)
    sources = [{**source, "files": len(files["files"][name])} for name, source in files["sources"].items()]
    info = {name: value for name, value in trained.info.items() if name not in ("format", "files")}
    info |= {
        "data": {**info["data"], "songs_by_label": dict(songs), "sources": sources, "rights": sha256(rights)},
        "measured": {**info["measured"], "side": side, "by_label": measured, "judged": marks},
        "defaults": {"genre": default_label(marks, songs)},
        "usual": style_by_label(corpus, trained.representation),
    }
    folder.write(out, info, half.weights, half.tables, card(info), plans, half.sketch)
    write_bytes(out / RIGHTS_FILE, rights)
    fingerprints.write(out, fingerprints.of_training_songs(corpus))
    size = sum(file.stat().st_size for file in out.iterdir() if file.is_file())
    if size > MAX_FOLDER_BYTES:
        raise FailedError(f"{str(out)!r} has {size} bytes: must have at most {MAX_FOLDER_BYTES}")
    return Model.open(out)


def marks_of(judged: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of each label the AUC of the detector, its interval, and how many songs were compared."""
    marks = {}
    for label, columns in judged.items():
        found = columns.get("as long as people's", {}).get("detector AUC", {}).get("composed")
        if found:
            marks[label] = {"auc": found["value"], "interval": found["interval"], "songs": found["songs"]}
    return marks


def default_label(marks: dict[str, dict[str, Any]], learnt: Mapping[str, int]) -> str:
    """The label that composes best: of those with enough judged songs, one that the detector tells least.

    Several may be as good as the lowest AUC, by their intervals; of these it is the one with most of the
    `learnt` songs.
    """
    judged = {label: mark for label, mark in marks.items() if mark["songs"] >= FEWEST_JUDGED}
    least = min((float(mark["auc"]) for mark in judged.values()), default=0.0)
    best = [label for label, mark in judged.items() if mark["interval"][0] <= least]
    return max(best, key=lambda label: learnt.get(label, 0), default=DEFAULT_LABEL)


def average(trained: Model, first: Model, share: float = 0.5) -> Model:
    """The mean of the weights of a model and of an earlier one, of which `share` 0-1 is that of the latter.

    The earlier model may lack known fields.

    It often predicts better than both (Wortsman et al., arXiv 2109.01903).
    """
    before = TrainingStart.of(TrainConfig(init=str(first.path)), trained.labels).network.state_dict()
    known = {
        f"tables.{field['name'].replace('.', '_')}" for field in first.info["network"]["config"]["fields"]
    }
    weights: Arrays = {}
    for name, after in trained.weights.items():
        new = name.startswith("tables.") and name not in known  # a table that `first` lacks
        weights[name] = after if new else (1 - share) * after + share * before[name].numpy()
    info = trained.info | {
        "training": trained.info["training"] | {"mean_with": first.hash, "mean_share": share}
    }
    return replace(trained, weights=weights, info=info)


def style_by_label(corpus: Corpus, representation: Any) -> dict[str, dict[str, float]]:
    """The style statistics of each label. Songs of no label have none: the labels are too different."""
    found = style_of_corpus(corpus, representation, fewest=1)
    return {label: stats for label, stats in found.items() if label != NO_LABEL}


def to_float16(weights: Arrays) -> Arrays:
    """The weights in float16, integers unchanged. Raises FailedError if a weight is too large."""
    converted: Arrays = {}
    for name, array in weights.items():
        with np.errstate(over="ignore"):
            converted[name] = array.astype(np.float16) if array.dtype.kind == "f" else array
        if not np.isfinite(converted[name]).all():
            raise FailedError(
                f"{name} has a weight of {np.abs(array).max():g}: must be at most 65504 in float16"
            )
    return converted


def select_plans(plans: Sequence[Plan], max_bytes: int) -> list[Plan]:
    """Plans of every label in turn, as many as fit; without titles, and parts are named by instrument."""
    by_label: dict[str, list[Plan]] = {}
    for plan in plans:
        if plan.bars and plan.bars <= MAX_PLAN_BARS:
            parts = tuple(part._replace(name=part.instrument) for part in plan.parts)
            label = plan.genres[0][0] if plan.genres else ""
            by_label.setdefault(label, []).append(replace(plan, parts=parts, title=""))
    left, kept = max_bytes - 2, []
    for plan in _in_turn(list(by_label.values())):
        left -= len(json.dumps(plan.to_dict(), separators=(",", ":"))) + 1
        if left < 0:
            break
        kept.append(plan)
    return kept


def _in_turn(lists: list[list[Plan]]) -> Iterator[Plan]:
    """The first of each list, the second of each, and so on."""
    for place in range(max(map(len, lists), default=0)):
        yield from (each[place] for each in lists if place < len(each))


def measure_by_label(model: Model, corpus: Corpus, side: str, threads: int) -> dict[str, dict[str, Any]]:
    """Nats per note of each label and of "all" songs, by what the model is given, with intervals."""
    labels: dict[str, tuple[str, ...]] = {}
    songs = CorpusSongs(corpus, side)
    by_first: dict[tuple[str, ...], list[int]] = {}
    for number in corpus.songs(side).tolist():
        by_first.setdefault(corpus.info(number).labels, []).append(number)
    chosen = {corpus.info(n).name for group in by_first.values() for n in _evenly(group, MAX_MEASURED)}

    def with_labels(songs: Iterable[LabelledScore]) -> Iterator[LabelledScore]:
        for song in songs:
            if song.name in chosen:
                labels[song.name] = song.labels
                yield song

    by_label: dict[str, dict[str, list[SongNats]]] = {}
    for song in likelihood(
        model.network_in_torch(),
        model.representation,
        with_labels(songs),
        plan_encoder=model.plan_encoder,
        has_key_frame=model.has_key_frame,
        threads=threads,
        skipped=songs.skipped.__setitem__,
    ):
        for given, nats in song.items():
            for label in ("all", *labels[nats.song]):
                by_label.setdefault(label, {name: [] for name in HIDDEN_BY_GIVEN})[given].append(nats)
    return {label: _figures(by_label[label]) for label in sorted(by_label)}


def _evenly(numbers: list[int], most: int) -> list[int]:
    """At most `most` of the numbers, evenly spaced."""
    places = np.unique(np.linspace(0, len(numbers) - 1, min(most, len(numbers))).astype(np.int64))
    return [numbers[place] for place in places.tolist()]


def _figures(by_given: dict[str, list[SongNats]]) -> dict[str, Any]:
    """The number of songs and notes of a label, and nats per note with interval by what was given."""
    first = next(iter(by_given.values()))
    figures: dict[str, Any] = {"songs": len(first), "notes": sum(song.notes for song in first)}
    for given, songs in by_given.items():
        summary = summarize(songs)
        figures[given] = {name: summary[name] for name in MEASURED}
    return figures


def card(info: dict[str, Any]) -> str:
    """The model card: data with their rights, training, measurements, limits."""
    return "\n".join([_data(info), _training(info), _measurements(info), LIMITS])


def _data(info: dict[str, Any]) -> str:
    """The section about the model and its data."""
    data = info["data"]
    sources = "\n".join(
        f"| {s['label'] or 'several'} | {s['what']} | {s['composition']} | {s['transcription']} | "
        f"{s['licence']} | {s['files']:,} | {s['address']} |"
        for s in data["sources"]
    )
    counts = ", ".join(f"{label} {count:,}" for label, count in sorted(data["songs_by_label"].items()))
    return f"""# The model that ships with Ritornello {info["ritornello"]}

Network `{info["network"]["name"]}` ({info["parameters"]:,} parameters, kept as float16) on representation
`{info["representation"]["name"]}`. Labels: {", ".join(info["labels"])}; by default
`{info["defaults"]["genre"]}`.

## Training data

{data["train_songs"]:,} songs for training, and {data["heldout_songs"]:,} for the choice of the weights;
duplicates and near duplicates were removed. Songs by label, with held-out ones: {counts}.

| label | what | composition | transcription | licence | files | where from |
|---|---|---|---|---|---|---|
{sources}

Every file is listed in `rights.json`, with its SHA-256. Files with a notice of rights that the licence of
their source does not cover were rejected. Drums: "Groove MIDI Dataset" by Google LLC, CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), with pitches mapped to General MIDI; the network of drum
feel (`performing/drums.safetensors`) learned from its train split. Freedoom: Copyright (c)
2001-2024 Contributors to the Freedoom project, all rights reserved, redistribution under its BSD licence.
What is licensed CC BY was changed as the table says; who typeset single pieces of Mutopia under CC BY is in
`credits` of `rights.json`.

The model contains no songs, but it may repeat a few bars of its training data. So that `ritornello judge`
can find them, `reference.npz` contains the names of training songs (of at most 3 million notes, at even
distances) and, for each part, hashes of five notes in a row, from which no song can be restored. Composing
does not need this file.
"""


def _training(info: dict[str, Any]) -> str:
    """The section about the training."""
    training = info["training"]
    return f"""## Training

{training["steps"]:,} steps of {training["batch"]} crops in {training["seconds"] / 60:.1f} minutes
{training["machine"]}, seed {training["seed"]}; the weights are the average at step {training["best_step"]:,}.
{_begun(training)}"""


def _begun(training: dict[str, Any]) -> str:
    """The sentences about the model that training started from, and about teachers, if any."""
    text = ""
    if training.get("init"):
        text += f"Training started from a model of the same songs ({training['init'][:12]}).\n"
    if training.get("mean_with"):
        text += (
            f"What ships is the mean of these weights and those of an earlier model of the same songs "
            f"({training['mean_with'][:12]}), which count {training['mean_share']:.0%}.\n"
        )
    if teachers := training.get("teachers"):
        names = ", ".join(name[:12] for name in teachers)
        text += f"Its teachers were {len(teachers)} models of the same songs ({names}), by distillation.\n"
    return text


def _measurements(info: dict[str, Any]) -> str:
    """The section about nats per note by label."""
    measured = info["measured"]
    figures = "\n".join(_row(label, figures) for label, figures in measured["by_label"].items())
    return f"""## Measurements

Nats per note on whole songs of the {measured["side"]} side (at most {MAX_MEASURED} of a label, evenly
spaced), which were not trained on{_chosen(info)}.
Lower is better; 95% intervals over songs in brackets. With "plan" the model is given label, meter, tempo,
key, parts, form, bars left, chords and sketch,
with "none" only the notes so far; the key of a song then costs log 12 nats.
Measured with the float16 weights that ship.

| label | songs | notes | given none | given plan |
|---|---|---|---|---|
{figures}
"""


LIMITS = """## Limits

It composes in the style of these labels only. Fiddle tunes have one voice, drum songs only drums. Nearly
all other labels are scores of music written before 1955: on the grid, without a band. Only game music has
bass and drums, and there are few such songs. Velocities of chorales, hymns and many scores are constant,
those of fiddle tunes depend on the meter, because their sources have none.
"""


def _chosen(info: dict[str, Any]) -> str:
    """How the measured songs relate to the choice of the weights."""
    if info["measured"]["side"] == "valid":
        return ", but the weights were chosen with them"
    if "mean_with" in info["training"]:  # whoever averages may have looked at both models' figures before
        return "; the share of the mean was set after their nats had been seen"
    return ", and used for no choice"


def _row(label: str, figures: dict[str, Any]) -> str:
    """The row of a label in the table."""
    cells = []
    for given in ("none", "plan"):
        nats, interval = figures[given]["nats_per_note"], figures[given]["interval"]
        cells.append(f"{nats:.3f}" + (f" ({interval[0]:.3f}-{interval[1]:.3f})" if interval else ""))
    return f"| {label} | {figures['songs']:,} | {figures['notes']:,} | {cells[0]} | {cells[1]} |"
