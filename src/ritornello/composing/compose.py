"""Composing for people: compose, redo, replay; they join a model and wishes in words to Songs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ritornello.composing import given_music
from ritornello.composing.choose_plan import resolve
from ritornello.composing.generate import Job, Made, Progress, make, needs_notes
from ritornello.composing.given_music import Music
from ritornello.composing.merge_notes import instrument_name
from ritornello.composing.options import ask
from ritornello.composing.recipe import Recipe, Source
from ritornello.composing.replay import build, plan_of, plan_of_redo
from ritornello.composing.sampling import song_generator
from ritornello.composing.song import Song
from ritornello.errors import FailedError, ModelError, PlanError
from ritornello.models.model import Model
from ritornello.music.score import Score
from ritornello.representations.table import SamplesItself

BUNDLED = Path(__file__).parents[1] / "bundled"
MAX_SONGS = 1000
MAX_SEED = (1 << 63) - 1
TRIES = 4  # for each take, to be unlike the others
CREATIVITY = 0.5


def compose(
    model: str | Path | Model | None = None,
    *,
    bars: int | None = None,
    seconds: float | None = None,
    genre: str | None = None,
    key: str | None = None,
    tempo: float | None = None,
    meter: str | None = None,
    parts: str | Iterable[str] | None = None,
    form: str | None = None,
    chords: str | None = None,
    prompt: Music | None = None,
    prompt_bars: int | None = None,
    melody: Music | None = None,
    creativity: float = CREATIVITY,
    spread: float = 1.0,
    seed: int | None = None,
    force: bool = False,
) -> Song:
    """Compose a song with a model folder, or the bundled model; needs no torch.

    What is left open (None) is drawn from a training song that fits. `genre` may be a blend, such as
    "chorale:0.7,game:0.3"; `form` names sections, "A8 A8 B8 A8~"; `chords` is one a bar, "Am F C G". A
    `prompt` is continued, its own bars untouched; a `melody` stays as it is while other parts join it.
    `creativity` 0-1 is how boldly to draw; `spread` the same for networks of reals. `force` allows parts that
    the genre never has. Raises ModelError, PlanError, MidiError, FailedError.
    """
    said = {name: value for name, value in locals().items() if name != "model"}
    return compose_many(model, 1, **said)[0]


def compose_many(
    model: str | Path | Model | None = None,
    n: int = 1,
    best: int | None = None,
    *,
    creativity: float = CREATIVITY,
    spread: float = 1.0,
    seed: int | None = None,
    force: bool = False,
    prompt: Music | None = None,
    prompt_bars: int | None = None,
    melody: Music | None = None,
    progress: Progress | None = None,
    **wishes: Any,
) -> list[Song]:
    """Compose `n` songs as `compose` does, and keep the `best`: the most typical of what was composed.

    Typical is a song whose choices were as likely to the network, on average, as those of the middle one.
    Raises as `compose` does.
    """
    _check("songs", n, 1, MAX_SONGS)
    _check("best", n if best is None else best, 1, n)
    opened, seed = opened_model(model), _seed(seed)
    dials, own = {"creativity": creativity, "spread": spread}, opened.representation
    if isinstance(own, SamplesItself):
        plan = own.plan({**wishes, "prompt": prompt, "melody": melody, own.dial: dials[own.dial]})
        return _songs(make(opened, [Job(plan, song) for song in range(n)], seed, dials))
    if wishes.get("genre") is None and prompt is None and melody is None:
        wishes["genre"] = opened.info.get("defaults", {}).get("genre")
    asked = ask(labels=opened.labels, force=force, **wishes)
    source = _source(prompt, prompt_bars, melody, wishes.get("tempo"))
    own = plan_of(source.score) if source else None
    tune = source is not None and source.how == "tune"
    plans = [resolve(asked, opened.plans, song_generator(seed, i), source=own, tune=tune) for i in range(n)]
    drawn = source is None and asked.parts is None
    jobs = [Job(plan, song, source, drawn) for song, plan in enumerate(plans)]
    choosing = best is not None and n > 1
    songs = _songs(make(opened, jobs, seed, dials, measured=choosing, progress=progress))
    return _most_typical(songs, best or n) if choosing else songs


def redo(
    song: Music,
    bars: str | range,
    *,
    parts: str | Collection[str] | None = None,
    takes: int = 4,
    model: str | Path | Model | None = None,
    seed: int | None = None,
    creativity: float = CREATIVITY,
    progress: Progress | None = None,
) -> list[Song]:
    """Compose some bars of a song anew, "9-12" (counted from 1) or a range (from 0); nothing else changes.

    `parts` are names, instruments or numbers (from 1) of parts of the song; all of them if left out. The
    takes are unlike each other and unlike what was there; fewer come where no more can be found. Raises
    MidiError, PlanError, ModelError, FailedError.
    """
    _check("takes", takes, 1, MAX_SONGS)
    opened, seed = opened_model(model), _seed(seed)
    needs_notes(opened)
    source = given_music.redone(song, bars, parts)
    score = source.score
    plan = plan_of_redo(score, range(*source.bars or ()), source.parts)
    found: dict[bytes, Song] = {}
    for number in range(TRIES):
        missing = takes - len(found)
        jobs = [Job(plan, number * takes + i, source) for i in range(missing)]
        for take in _songs(make(opened, jobs, seed, {"creativity": creativity}, progress=progress)):
            notes = _notes(take.score)
            if notes != _notes(score):
                found.setdefault(notes, take)
        if len(found) == takes:
            break
    if not found:
        raise FailedError("nothing new came of these bars: try another seed, or more --creativity")
    return list(found.values())


def replay(
    recipe: Recipe | str | Path,
    *,
    redraw: bool = False,
    model: str | Path | Model | None = None,
    seed: int | None = None,
    creativity: float | None = None,
) -> Song:
    """The song of a recipe again, without its model; with `redraw`, another by the same plan and model."""
    opened = recipe if isinstance(recipe, Recipe) else Recipe.read(recipe)
    if not redraw:
        built = build(opened)
        return Song(built.score, opened, built.file)
    network, seed = opened_model(model), _seed(seed)
    dials = {"creativity": CREATIVITY, "spread": 1.0, **opened.how}
    dials |= {} if creativity is None else {"creativity": creativity}
    return _songs(make(network, [Job(opened.plan, opened.song, opened.source)], seed, dials))[0]


class Genre(NamedTuple):
    """A label of a model: how many stored plans have it, and the parts that they have most."""

    label: str
    songs: int
    parts: tuple[str, ...]


def genres(model: str | Path | Model | None = None, most_parts: int = 5) -> list[Genre]:
    """The labels of a model, or of the bundled one."""
    opened, found = opened_model(model), []
    for label in opened.labels:
        plans = [plan for plan in opened.plans if label in dict(plan.genres)]
        names = Counter(instrument_name(part) for plan in plans for part in set(plan.parts))
        found.append(Genre(label, len(plans), tuple(name for name, _ in names.most_common(most_parts))))
    return found


def card(model: str | Path | Model | None = None) -> str:
    """The card of a model, or of the bundled one: its data with their rights, its numbers, its limits."""
    file = opened_model(model).path / "card.md"
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ModelError(f"cannot read {str(file)!r}: {error.strerror}") from error


def opened_model(model: str | Path | Model | None) -> Model:
    """A model, opened; the bundled one if none is named. Raises ModelError."""
    if isinstance(model, Model):
        return model
    if model is not None:
        return Model.open(model)
    if not (BUNDLED / "model.json").is_file():
        raise ModelError(
            "no model ships with this version yet: name a model folder, made by `ritornello train`"
        )
    return _shipped(BUNDLED, (BUNDLED / "model.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _shipped(path: Path, _: int) -> Model:
    """The model that ships, opened once: it is what most songs are composed with."""
    return Model.open(path)


def _most_typical(songs: list[Song], best: int) -> list[Song]:
    """The songs whose choices were most nearly as likely as those of the middle one."""
    middle = float(np.median([song.nats for song in songs]))
    return sorted(songs, key=lambda song: abs(song.nats - middle))[:best]


def _songs(made: Iterable[Made]) -> list[Song]:
    return [Song(each.built.score, each.recipe, each.built.file, each.nats) for each in made]


def _source(
    prompt: Music | None, prompt_bars: int | None, melody: Music | None, tempo: float | None
) -> Source | None:
    """What the user gave. Raises MidiError, PlanError."""
    if prompt is not None and melody is not None:
        raise PlanError("a prompt and a melody: give one of the two")
    if prompt_bars is not None and prompt is None:
        raise PlanError(f"{prompt_bars} bars of a prompt, but there is no prompt")
    if prompt is None and melody is None:
        return None
    if tempo is not None:
        raise PlanError(f"tempo {tempo:g}: it comes from the {'prompt' if melody is None else 'melody'}")
    return given_music.tune(melody) if melody is not None else given_music.begun(prompt, prompt_bars)  # type: ignore[arg-type]


def _notes(score: Score) -> bytes:
    """The notes of a song as bytes, to compare."""
    return b"".join(
        column.tobytes() for column in (score.onset_ticks, score.duration_ticks, score.pitch, score.part)
    )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise PlanError(f"{name} {value:g}, must be {low:g}-{high:g}")


def _seed(seed: int | None) -> int:
    """The seed, or one that is drawn. Raises PlanError."""
    drawn = int.from_bytes(os.urandom(2), "big") if seed is None else seed
    if not 0 <= drawn <= MAX_SEED:
        raise PlanError(f"seed {drawn}, must be 0-{MAX_SEED}")
    return drawn
