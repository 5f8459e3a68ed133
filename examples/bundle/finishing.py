"""From a trained model to the one that ships: float16, its plans cut, measured by label, with its card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ritornello.composing.merge_notes import instrument_name
from ritornello.composing.style_stats import measure_style
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError
from ritornello.evaluation.inputs import CorpusSongs, LabelledScore
from ritornello.evaluation.likelihood import HIDDEN_BY_GIVEN, SongNats, likelihood
from ritornello.evaluation.summary import summarize
from ritornello.models import fingerprints
from ritornello.models import model as folder
from ritornello.models.model import Arrays, Model
from ritornello.music.plan import Plan
from ritornello.system.files import sha256, write_bytes
from ritornello.training.config import TrainConfig
from ritornello.training.start import TrainingStart

DEFAULT_LABEL = "chorale"
MAX_PLANS_BYTES = 4 << 20
MAX_BYTES = 25 << 20  # of the whole folder
MAX_PLAN_BARS = 256  # longer songs are not drawn from: few ask for so long a one
RIGHTS = "rights.json"
FIGURES = ("nats_per_note", "interval", "by_field", "reference")


def finish(trained: Model, corpus: Corpus, rights: bytes, side: str, threads: int, out: Path) -> Model:
    """Write the model folder that ships. Raises FailedError where it is too large to ship."""
    half = replace(trained, weights=halved(trained.weights))
    said = json.loads(rights)
    found = by_label(half, corpus, side, threads)
    plans = some_plans(trained.plans, MAX_PLANS_BYTES)
    songs = Counter(label for number in corpus.songs().tolist() for label in corpus.info(number).labels)
    sources = [{**source, "files": len(said["files"][name])} for name, source in said["sources"].items()]
    info = {name: value for name, value in trained.info.items() if name not in ("format", "files")}
    info |= {
        "data": {**info["data"], "songs_by_label": dict(songs), "sources": sources, "rights": sha256(rights)},
        "measured": {**info["measured"], "side": side, "by_label": found},
        "defaults": {"genre": DEFAULT_LABEL},
        "usual": usual(corpus, trained.representation),
    }
    folder.write(out, info, half.weights, half.tables, card(info), plans)
    write_bytes(out / RIGHTS, rights)
    fingerprints.write(out, fingerprints.of_training_songs(corpus))
    size = sum(file.stat().st_size for file in out.iterdir() if file.is_file())
    if size > MAX_BYTES:
        raise FailedError(f"{str(out)!r} has {size} bytes, must be at most {MAX_BYTES} to ship")
    return Model.open(out)


def averaged(trained: Model, first: Model) -> Model:
    """The mean of a model's weights and of those that it was trained on from, which may lack known fields.

    Where both lie in one valley it predicts better than either (Wortsman et al., arXiv 2109.01903).
    """
    before = TrainingStart.of(TrainConfig(init=str(first.path)), trained.labels).network.state_dict()
    known = {
        f"tables.{field['name'].replace('.', '_')}" for field in first.info["network"]["config"]["fields"]
    }
    weights: Arrays = {}
    for name, after in trained.weights.items():
        new = name.startswith("tables.") and name not in known  # a table that the first had not
        weights[name] = after if new else (after + before[name].numpy()) / 2
    info = trained.info | {"training": trained.info["training"] | {"mean_with": first.hash}}
    return replace(trained, weights=weights, info=info)


def usual(corpus: Corpus, representation: Any) -> dict[str, dict[str, float]]:
    """What is usual in the training songs of each label, as the representation has them."""
    infos = ((number, corpus.info(number)) for number in corpus.songs("train").tolist())
    songs = ((representation.canonical(corpus.score(n))[0], info.labels) for n, info in infos)
    return measure_style(songs)


def halved(weights: Arrays) -> Arrays:
    """The weights in float16. Raises FailedError where one is too large for it."""
    found: Arrays = {}
    for name, array in weights.items():
        with np.errstate(over="ignore"):
            found[name] = array.astype(np.float16) if array.dtype.kind == "f" else array
        if not np.isfinite(found[name]).all():
            raise FailedError(f"{name} has a weight of {np.abs(array).max():g}, float16 ends at 65504")
    return found


def some_plans(plans: Sequence[Plan], most_bytes: int) -> list[Plan]:
    """Plans of every label in turn, as many as fit; only parts have names, those of their instruments."""
    waiting: dict[str, list[Plan]] = {}
    for plan in plans:
        if plan.bars and plan.bars <= MAX_PLAN_BARS:
            parts = tuple(part._replace(name=instrument_name(part)) for part in plan.parts)
            label = plan.genres[0][0] if plan.genres else ""
            waiting.setdefault(label, []).append(replace(plan, parts=parts, title=""))
    left, kept = most_bytes - 2, []
    for plan in _in_turn(list(waiting.values())):
        left -= len(json.dumps(plan.to_dict(), separators=(",", ":"))) + 1
        if left < 0:
            break
        kept.append(plan)
    return kept


def _in_turn(lists: list[list[Plan]]) -> Iterator[Plan]:
    """The first of each list, the second of each, and so on."""
    for place in range(max(map(len, lists), default=0)):
        yield from (each[place] for each in lists if place < len(each))


def by_label(model: Model, corpus: Corpus, side: str, threads: int) -> dict[str, dict[str, Any]]:
    """Held-out nats a note of each label, and of all songs: by what the model is given, with intervals."""
    labels: dict[str, tuple[str, ...]] = {}

    def named(songs: Iterable[LabelledScore]) -> Iterator[LabelledScore]:
        for song in songs:
            labels[song.name] = song.labels
            yield song

    songs = CorpusSongs(corpus, side)
    found: dict[str, dict[str, list[SongNats]]] = {}
    for account in likelihood(
        model.network_in_torch(),
        model.representation,
        named(songs),
        plan_encoder=model.plan_encoder,
        threads=threads,
        skipped=songs.skipped.__setitem__,
    ):
        for given, nats in account.items():
            for label in ("all", *labels[nats.song]):
                found.setdefault(label, {name: [] for name in HIDDEN_BY_GIVEN})[given].append(nats)
    return {label: _figures(found[label]) for label in sorted(found)}


def _figures(found: dict[str, list[SongNats]]) -> dict[str, Any]:
    """Of the songs of a label: how many, their notes, and nats a note with interval by what was given."""
    first = next(iter(found.values()))
    figures: dict[str, Any] = {"songs": len(first), "notes": sum(song.notes for song in first)}
    for given, songs in found.items():
        whole = summarize(songs)
        figures[given] = {
            name: whole[name] for name in ("nats_per_note", "interval", "by_field", "reference")
        }
    return figures


def card(info: dict[str, Any]) -> str:
    """The model in words: its data with their rights, its numbers, its limits."""
    return "\n".join([_data(info), _training(info), _worth(info), LIMITS])


def _data(info: dict[str, Any]) -> str:
    """What it is, and what it learnt from."""
    data = info["data"]
    sources = "\n".join(
        f"| {s['label']} | {s['what']} | {s['composition']} | {s['transcription']} | {s['licence']} | "
        f"{s['files']:,} | {s['address']} |"
        for s in data["sources"]
    )
    counts = ", ".join(f"{label} {count:,}" for label, count in sorted(data["songs_by_label"].items()))
    return f"""# The model that ships with Ritornello {info["ritornello"]}

Network `{info["network"]["name"]}` ({info["parameters"]:,} parameters, kept as float16) on representation
`{info["representation"]["name"]}`. Labels: {", ".join(info["labels"])}; `{info["defaults"]["genre"]}` unless
another is asked for.

## What it learnt from

{data["train_songs"]:,} songs, and {data["heldout_songs"]:,} to choose the weights by; copies and near copies
were taken out. Songs by label, held-out ones with them: {counts}.

| label | what | composition | transcription | licence | files | where from |
|---|---|---|---|---|---|---|
{sources}

Every file is named in `rights.json`, with its SHA-256. Files with a notice of rights that their source's
licence does not cover were refused. Drums: "Groove MIDI Dataset" by Google LLC, CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/), changed as said. Freedoom: Copyright (c) 2001-2024
Contributors to the Freedoom project, all rights reserved, redistribution under its BSD licence.

The weights hold no song; like any that learns, the model may play a few bars that it has heard. So that
`ritornello judge` can find them, `reference.npz` has of every song that it learnt its name and, part by part,
hashes of five notes in a row, from which no song can be played. It composes without that file.
"""


def _training(info: dict[str, Any]) -> str:
    """How long it learnt, and on what."""
    training = info["training"]
    return f"""## Training

{training["steps"]:,} steps of {training["batch"]} crops in {training["seconds"] / 60:.1f} minutes
{training["machine"]}, seed {training["seed"]}; the weights are the average at step {training["best_step"]:,}.
{_begun(training)}"""


def _begun(training: dict[str, Any]) -> str:
    """What it was trained on from, if not from chance, and what taught it beside the songs."""
    said = ""
    if training.get("init"):
        mean = "; what ships is the mean of both weights" if training.get("mean_with") else ""
        said += f"It began from a model of the same songs ({training['init'][:12]}){mean}.\n"
    if teachers := training.get("teachers"):
        names = ", ".join(name[:12] for name in teachers)
        said += (
            f"Beside the songs it learnt the mean prediction of {len(teachers)} models of them ({names}).\n"
        )
    return said


def _worth(info: dict[str, Any]) -> str:
    """Held-out nats a note by label."""
    measured = info["measured"]
    figures = "\n".join(_row(label, figures) for label, figures in measured["by_label"].items())
    return f"""## What it is worth

Nats a note over whole songs of the {measured["side"]} side, never learnt{_chosen(measured["side"])}.
Fewer is better; in brackets where 95 of 100 such samples of songs would lie. "plan" tells the model label,
meter, tempo, key, parts, form, bars left and chords, "none" nothing but the notes so far. Measured with the
float16 weights that ship.

| label | songs | notes | given none | given plan |
|---|---|---|---|---|
{figures}
"""


LIMITS = """## Limits

It plays in these labels' manner and in no other. Fiddle tunes are one voice; drums are drums alone.
Velocities of chorales are constant, those of fiddle tunes made from the meter: their sources have none.
"""


def _chosen(side: str) -> str:
    return ", but the weights were chosen by it" if side == "valid" else " and by which nothing was chosen"


def _row(label: str, figures: dict[str, Any]) -> str:
    """A label's line of the table."""
    cells = []
    for given in ("none", "plan"):
        found = figures[given]
        between = f" ({found['interval'][0]:.3f}-{found['interval'][1]:.3f})" if found["interval"] else ""
        cells.append(f"{found['nats_per_note']:.3f}{between}")
    return f"| {label} | {figures['songs']:,} | {figures['notes']:,} | {cells[0]} | {cells[1]} |"
