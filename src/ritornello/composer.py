"""Composing for people: compose, redo, replay; they join a model and wishes in words to Songs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ritornello.composing import reals, sources
from ritornello.composing.asking import ask
from ritornello.composing.building import build, plan_of, plan_of_redo, requested
from ritornello.composing.draws import Taste, of_song
from ritornello.composing.planning import resolve
from ritornello.composing.recipe import Recipe, Source
from ritornello.composing.sampler import sample
from ritornello.composing.sources import Music
from ritornello.composing.splice import instrument_name
from ritornello.errors import FailedError, ModelError, PlanError
from ritornello.model import Model
from ritornello.plan import MAX_BARS, TEMPO_BPM, Plan
from ritornello.score import Score
from ritornello.song import Song

Progress = Callable[[int, int, str], None]
BUNDLED = Path(__file__).parent / "bundled"
TOGETHER = 32  # songs composed side by side
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
    wishes: dict[str, Any] = {
        "bars": bars,
        "seconds": seconds,
        "genre": genre,
        "key": key,
        "tempo": tempo,
        "meter": meter,
    }
    wishes |= {"parts": parts, "form": form, "chords": chords, "prompt": prompt, "prompt_bars": prompt_bars}
    dials: dict[str, Any] = {
        "melody": melody,
        "creativity": creativity,
        "spread": spread,
        "seed": seed,
        "force": force,
    }
    return compose_many(model, 1, **wishes, **dials)[0]


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
    if _is_of_reals(opened):
        given = {**wishes, "prompt": prompt, "melody": melody}
        return [_by_reals(opened, given, seed, song, spread) for song in range(n)]
    if wishes.get("genre") is None and prompt is None and melody is None:
        wishes["genre"] = opened.info.get("defaults", {}).get("genre")
    asked = ask(labels=opened.labels, force=force, **wishes)
    source = _source(prompt, prompt_bars, melody, wishes.get("tempo"))
    own = plan_of(source.score) if source else None
    tune = source is not None and source.how == "tune"
    plans = [resolve(asked, opened.plans, of_song(seed, i), source=own, tune=tune) for i in range(n)]
    jobs = [(plan, song, source) for song, plan in enumerate(plans)]
    measured = best is not None and n > 1
    songs = _by_choices(opened, jobs, seed, creativity, progress, measured)
    if not measured:
        return songs
    middle = float(np.median([song.nats for song in songs]))
    return sorted(songs, key=lambda song: abs(song.nats - middle))[:best]


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
    _needs_notes(opened)
    source = sources.redone(song, bars, parts)
    score = source.score
    plan = plan_of_redo(score, range(*source.bars or ()), source.parts)
    found: dict[bytes, Song] = {}
    for number in range(TRIES):
        missing = takes - len(found)
        jobs = [(plan, number * takes + i, source) for i in range(missing)]
        for take in _by_choices(opened, jobs, seed, creativity, progress):
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
    if _is_of_reals(network):
        return _reals_song(network, opened.plan, seed, opened.song, opened.how.get("spread", 1.0))
    dial = opened.how.get("creativity", CREATIVITY) if creativity is None else creativity
    return _by_choices(network, [(opened.plan, opened.song, opened.source)], seed, dial, None)[0]


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


def _by_choices(
    model: Model,
    jobs: Sequence[tuple[Plan, int, Source | None]],
    seed: int,
    creativity: float,
    progress: Progress | None,
    measured: bool = False,
) -> list[Song]:
    """Songs by a network of choices, side by side."""
    representation = model.representation
    if any(source for _, _, source in jobs):
        _needs_notes(model)
    choices = [field.name for field in representation.fields if field.kind == "choice"]
    taste = Taste.of(creativity, choices)
    made = {"network": model.network, "representation": representation.name, "sha256": model.hash}
    songs = []
    for start in range(0, len(jobs), TOGETHER):
        batch = jobs[start : start + TOGETHER]
        requests = [requested(plan, seed, song, source) for plan, song, source in batch]
        for composed, (plan, song, source) in zip(
            sample(model, requests, taste, measured=measured, progress=progress), batch, strict=True
        ):
            recipe = Recipe(made, plan, seed, song, {"creativity": creativity}, composed.rows, source)
            built = build(recipe)
            songs.append(Song(built.score, recipe, built.file, composed.nats))
    return songs


def _by_reals(model: Model, wishes: dict[str, Any], seed: int, song: int, spread: float) -> Song:
    """A song by a network of reals, which knows a length and a tempo and nothing else."""
    for name, value in wishes.items():
        if value is not None and name not in ("bars", "tempo"):
            raise PlanError(f"{name} {value!r}: the network {model.network} knows bars and tempo alone")
    bars, tempo = wishes.get("bars"), wishes.get("tempo")
    bars, tempo = 16 if bars is None else bars, 120.0 if tempo is None else tempo
    _check("bars", bars, 1, MAX_BARS)
    _check("tempo", tempo, *TEMPO_BPM)
    _check("spread", spread, 0.0, 10.0)
    return _reals_song(model, Plan(bars=bars, us_per_beat=round(60e6 / tempo)), seed, song, spread)


def _reals_song(model: Model, plan: Plan, seed: int, song: int, spread: float) -> Song:
    rows = reals.sample(model, plan, seed=seed, spread=spread, song=song)
    made = {"network": model.network, "representation": model.representation.name, "sha256": model.hash}
    recipe = Recipe(made, plan, seed, song, {"spread": spread}, rows)
    return Song(build(recipe).score, recipe)


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
    return sources.tune(melody) if melody is not None else sources.begun(prompt, prompt_bars)  # type: ignore[arg-type]


def _notes(score: Score) -> bytes:
    """The notes of a song as bytes, to compare."""
    return b"".join(
        column.tobytes() for column in (score.onset_ticks, score.duration_ticks, score.pitch, score.part)
    )


def _is_of_reals(model: Model) -> bool:
    return any(field.kind == "real" for field in model.representation.fields)


def _needs_notes(model: Model) -> None:
    """Raise ModelError unless the model's rows are notes, which can be given."""
    if model.representation.name != "notes":
        raise ModelError(f"{str(model.path)!r} has {model.representation.name}: this needs a model of notes")


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise PlanError(f"{name} {value:g}, must be {low:g}-{high:g}")


def _seed(seed: int | None) -> int:
    """The seed, or one that is drawn. Raises PlanError."""
    drawn = int.from_bytes(os.urandom(2), "big") if seed is None else seed
    if not 0 <= drawn <= MAX_SEED:
        raise PlanError(f"seed {drawn}, must be 0-{MAX_SEED}")
    return drawn
