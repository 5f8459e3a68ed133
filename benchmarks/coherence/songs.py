"""The songs of the benchmark `coherence`: human ones, and those that a model composes, in folders."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ritornello import midi
from ritornello.composing import compose, generate
from ritornello.composing.options import BatchOptions, ComposeOptions
from ritornello.composing.sampler import sample
from ritornello.corpus.corpus import Corpus
from ritornello.errors import FailedError, MidiError, PlanError
from ritornello.models.model import Model
from ritornello.music.pickup import without_leading_silence
from ritornello.music.score import Score
from ritornello.music.timeline import Timeline
from ritornello.representations.notes import Notes

GROUP = 20  # songs of one call of compose_many; a group is composed again if one of its files is missing
PROMPT_BARS, CONTINUED_BARS = 8, 16
TAKES, REDONE_BARS = 4, 4
ALL_NOTES = 3  # the similarity of bars of which all notes return
HELD_OUT = ("test", "valid")


class Settings(NamedTuple):
    """What the songs of a folder depend on, besides their options; a folder has songs of one of them."""

    model: str
    seed: int
    rules: bool
    options: dict[str, Any]


def settings_of(options: argparse.Namespace, model: Model) -> Settings:
    """The settings of a run. Raises PlanError for an option that `compose` does not have."""
    given: dict[str, Any] = {}
    for text in options.option:
        name, _, value = text.partition("=")
        known = [field.name for kind in (ComposeOptions, BatchOptions) for field in fields(kind)]
        if name not in known:
            raise PlanError(f"option {name!r}: must be one of {', '.join(known)}")
        try:
            given[name] = json.loads(value)
        except ValueError:
            given[name] = value
    return Settings(model.hash, options.seed, not options.no_rules, given)


def check_settings(out: Path, settings: Settings) -> None:
    """Write the settings into the folder `out`. Raises SystemExit if its songs were made with others."""
    file, now = out / "settings.json", settings._asdict()
    out.mkdir(parents=True, exist_ok=True)
    if file.exists() and json.loads(file.read_bytes()) != now:
        raise SystemExit(f"{file} has other settings: choose another folder with --out")
    file.write_text(json.dumps(now, indent=1) + "\n")


@contextmanager
def sampling_rules(used: bool) -> Iterator[None]:
    """Compose with all sampling rules, or with none."""
    generate.sample = sample if used else partial(sample, rules=())  # type: ignore[attr-defined]
    try:
        yield
    finally:
        generate.sample = sample  # type: ignore[attr-defined]


def write_human_songs(corpus: Corpus, label: str, folder: Path) -> list[Path]:
    """Write the held-out songs of a label, once; return the files."""
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        numbers = [number for side in HELD_OUT for number in corpus.songs(side).tolist()]
        chosen = [number for number in numbers if label in corpus.info(number).labels]
        for place, number_ in enumerate(chosen):
            midi.write(corpus.score(number_), part / f"{place:04}.mid")
        part.rename(folder)
    return sorted(folder.glob("*.mid"))


def full_bars(song: Score) -> int:
    """The number of bars of a song, without a pickup and silence before the first note."""
    timeline = Timeline.of(without_leading_silence(song))
    return len(timeline) - timeline.pickup_bars


def draw(files: list[Path], most: int, seed: int) -> list[Path]:
    """At most `most` of the files, drawn by the seed."""
    if len(files) <= most:
        return files
    return sorted(np.random.default_rng(seed).choice(np.array(files, object), most, replace=False).tolist())


def compose_free(model: Model, folder: Path, songs: int, settings: Settings, **asked: Any) -> None:
    """Compose songs 0 to `songs` with the same options, in groups, each with a seed of its own."""
    for start in range(0, songs, GROUP):
        count = min(GROUP, songs - start)
        files = [folder / f"{start + place:04}.mid" for place in range(count)]
        compose_group(model, files, settings.seed * 1000 + start // GROUP, settings, asked)


def compose_group(
    model: Model, files: Sequence[Path], seed: int, settings: Settings, asked: Mapping[str, Any]
) -> None:
    """Compose a song for each file, unless all exist."""
    if all(file.exists() for file in files):
        return
    files[0].parent.mkdir(parents=True, exist_ok=True)
    with sampling_rules(settings.rules):
        songs = compose.compose_many(model, n=len(files), seed=seed, **{**settings.options, **asked})
    for file, song in zip(files, songs, strict=True):
        song.write(file)


def compose_as_long(
    model: Model, label: str, human: Sequence[Path], folder: Path, settings: Settings
) -> None:
    """Compose for each human song one of as many bars; songs of one length are composed together."""
    by_bars: dict[int, list[Path]] = defaultdict(list)
    for file in human:
        by_bars[full_bars(midi.read(file))].append(folder / file.name)
    for bars, files in sorted(by_bars.items()):
        compose_group(model, files, settings.seed * 1000 + bars, settings, {"genre": label, "bars": bars})


def continue_songs(model: Model, label: str, human: Sequence[Path], folder: Path, settings: Settings) -> None:
    """Continue the first bars of each human song; those that cannot be continued are printed."""
    for place, file in enumerate(human):
        asked = {"genre": label, "prompt": file, "prompt_bars": PROMPT_BARS, "bars": CONTINUED_BARS}
        try:
            compose_group(model, [folder / file.name], settings.seed * 1000 + place, settings, asked)
        except (PlanError, MidiError) as error:
            print(f"{file}: {error}", flush=True)


def count_takes(model: Model, file: Path, seed: int) -> dict[str, int]:
    """Redo the REDONE_BARS bars of a song in which most bars return; return how many takes come out.

    They are counted from a multiple of REDONE_BARS on, and "returning" of them repeat all of an earlier bar.
    """
    song = midi.read(file)
    similarity = Notes().timeline(Notes().canonical(song)[0]).similarity
    blocks = range(0, max(1, len(similarity) - REDONE_BARS + 1), REDONE_BARS)
    returning = {at: int((similarity[at : at + REDONE_BARS] == ALL_NOTES).sum()) for at in blocks}
    start = max(returning, key=lambda at: (returning[at], at))
    try:
        bars = range(start, min(start + REDONE_BARS, len(similarity)))
        takes = compose.redo(song, bars, takes=TAKES, model=model, seed=seed)
    except FailedError:  # no take differs from the song
        takes = []
    return {"returning": returning[start], "takes": len(takes)}


def read(folder: Path, files: Sequence[Path] | None = None) -> list[Score]:
    """The songs of a folder, or of those of its files that exist and are called like `files`."""
    found = sorted(folder.glob("*.mid")) if files is None else [folder / file.name for file in files]
    return [midi.read(file) for file in found if file.exists()]
