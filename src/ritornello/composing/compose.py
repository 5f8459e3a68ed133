"""Compose songs, redo bars of songs and replay recipes: the functions behind the commands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ritornello.composing.critic import BestOfEach, most_typical
from ritornello.composing.draw_sketch import DrawnSketch, PlanDrawer
from ritornello.composing.generate import OnSong, check_has_notes, generate_songs
from ritornello.composing.genres import Genre, genres_of
from ritornello.composing.given_chords import with_chart
from ritornello.composing.given_music import read_redo
from ritornello.composing.options import (
    DIALS,
    PERFORMING,
    BatchOptions,
    ComposeOptions,
    Music,
    RedoOptions,
    SketchOptions,
    SketchSource,
    VaryOptions,
    with_help_of,
)
from ritornello.composing.performed_files import check_networks, networks_again, on_grid, performed
from ritornello.composing.recipe import Recipe
from ritornello.composing.replay import build_song
from ritornello.composing.request import request_for
from ritornello.composing.sampler import OnRow
from ritornello.composing.sampling import seed_or_random, song_generator
from ritornello.composing.song import Song
from ritornello.composing.song_requests import requests_of_own_plan, song_requests
from ritornello.composing.takes import compose_takes
from ritornello.composing.variation import compose_variation
from ritornello.errors import FailedError, InputError, ModelError, PlanError
from ritornello.models.model import Model
from ritornello.performing.feel_network import FeelNetworks, of_model
from ritornello.performing.performance import Performance
from ritornello.representations.table import SamplesItself
from ritornello.system.files import read_bytes
from ritornello.system.progress import Progress

BUNDLED = Path(__file__).parents[1] / "bundled"


@with_help_of(ComposeOptions)
def compose(
    model: str | Path | Model | None = None,
    *,
    bars: int | None = ComposeOptions.bars,
    seconds: float | None = ComposeOptions.seconds,
    genre: str | None = ComposeOptions.genre,
    key: str | None = ComposeOptions.key,
    tempo: float | None = ComposeOptions.tempo,
    meter: str | None = ComposeOptions.meter,
    parts: str | Iterable[str] | None = ComposeOptions.parts,
    form: str | None = ComposeOptions.form,
    chords: str | Path | None = ComposeOptions.chords,
    chords_from: Music | None = ComposeOptions.chords_from,
    sketch: SketchSource | None = ComposeOptions.sketch,
    prompt: Music | None = ComposeOptions.prompt,
    prompt_bars: int | None = ComposeOptions.prompt_bars,
    melody: Music | None = ComposeOptions.melody,
    creativity: float = ComposeOptions.creativity,
    spread: float = ComposeOptions.spread,
    density: list[str] | str | Mapping[str, str | float] | None = ComposeOptions.density,
    register: list[str] | str | Mapping[str, str | int] | None = ComposeOptions.register,
    intro: int | None = ComposeOptions.intro,
    outro: int | None = ComposeOptions.outro,
    loop: bool = ComposeOptions.loop,
    candidates: int = ComposeOptions.candidates,
    feel: float = ComposeOptions.feel,
    swing: float = ComposeOptions.swing,
    swing_notes: str = ComposeOptions.swing_notes,
    seed: int | None = ComposeOptions.seed,
    force: bool = ComposeOptions.force,
) -> Song:
    """Compose a song with a model folder, or the bundled model; needs no torch.

    Options that are None are taken from the plan of a training song that fits. Raises ModelError, PlanError,
    MidiError, FailedError. Options:"""
    options = locals()  # all arguments by name
    return compose_many(options.pop("model"), **options)[0]


@with_help_of(BatchOptions)
def compose_many(
    model: str | Path | Model | None = None,
    n: int = BatchOptions.n,
    best: int | None = BatchOptions.best,
    *,
    progress: Progress | None = None,
    on_song: OnSong | None = None,
    on_row: OnRow | None = None,
    **options: Any,
) -> list[Song]:
    """Compose several songs with the options of `compose`; raises as it does.

    `on_song` is called with the number (from 0) of each song and the song as soon as it is composed, or with
    `best` after the best ones are chosen. `on_row` is called after each row with the sampling states of the
    songs in the batch. Two more options:"""
    BatchOptions(n=n, best=best)
    song_options, done = ComposeOptions(**options), dict[int, Song]()
    performance = Performance(**{name: getattr(song_options, name) for name in PERFORMING})
    opened, seed = opened_model(model), seed_or_random(song_options.seed)
    networks = of_model(opened.path) if performance.feel else FeelNetworks()
    dials = {name: getattr(song_options, name) for name in DIALS}

    def finish(number: int, song: Song) -> None:
        done[number] = performed(song, performance, networks)
        if on_song:
            on_song(number, done[number])

    if isinstance(opened.representation, SamplesItself):
        requests = requests_of_own_plan(opened.representation, song_options, seed, n)
        generate_songs(opened, requests, dials, on_song=finish)
    else:
        requests = song_requests(opened, song_options, seed, n)
        choosing = best is not None and n > 1
        critic = BestOfEach(song_options.candidates, None if choosing else finish)
        generate_songs(
            opened, requests, dials, measured=choosing, progress=progress, on_song=critic, on_row=on_row
        )
        for number, song in enumerate(most_typical(critic.songs, best or n) if choosing else ()):
            finish(number, song)
    return [done[number] for number in sorted(done)]


@with_help_of(SketchOptions)
def sketch(
    model: str | Path | Model | None = None,
    *,
    bars: int | None = SketchOptions.bars,
    seconds: float | None = SketchOptions.seconds,
    genre: str | None = SketchOptions.genre,
    key: str | None = SketchOptions.key,
    tempo: float | None = SketchOptions.tempo,
    meter: str | None = SketchOptions.meter,
    parts: str | Iterable[str] | None = SketchOptions.parts,
    form: str | None = SketchOptions.form,
    chords: str | Path | None = SketchOptions.chords,
    chords_from: Music | None = SketchOptions.chords_from,
    creativity: float = SketchOptions.creativity,
    seed: int | None = SketchOptions.seed,
    force: bool = SketchOptions.force,
) -> DrawnSketch:
    """Draw the sketch of a song with a model folder, or the bundled model; `compose` makes the song of it.

    Options that are None are taken from the plan of a training song that fits. If the model has no sketch
    network, chords, cadences and texture stay open. Raises ModelError, PlanError. Options:"""
    options = locals()  # all arguments by name
    opened = opened_model(options.pop("model"))
    if isinstance(opened.representation, SamplesItself):
        name = opened.info["representation"]["name"]
        raise ModelError(f"{str(opened.path)!r} has the representation {name}: must have notes for a sketch")
    options["seed"] = seed = seed_or_random(seed)
    drawer = PlanDrawer(opened, with_chart(ComposeOptions(**options)))
    return DrawnSketch(drawer.plan(song_generator(seed, 0)), seed)


@with_help_of(RedoOptions)
def redo(
    song: Music,
    bars: str | range | None = RedoOptions.bars,
    *,
    parts: str | Collection[str] | None = RedoOptions.parts,
    lock: str | Collection[str] | None = RedoOptions.lock,
    key: str | None = RedoOptions.key,
    chords: str | Path | None = RedoOptions.chords,
    chords_from: Music | None = RedoOptions.chords_from,
    takes: int = RedoOptions.takes,
    model: str | Path | Model | None = None,
    seed: int | None = RedoOptions.seed,
    creativity: float = RedoOptions.creativity,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
) -> list[Song]:
    """Recompose some bars of a song, or all bars and parts that are not locked; nothing else changes.

    Return a list of takes (versions), which differ from each other and from the song; it is shorter if no
    more can be found. A range counts bars as the Timeline does: from 0, with the pickup as bar 0. Raises
    MidiError, PlanError, ModelError, FailedError. Options:"""
    arguments = locals()  # all of them by name
    options = RedoOptions(**{name: arguments[name] for name in RedoOptions.__dataclass_fields__})
    if bars is None and parts is None and not lock:
        raise PlanError("nothing to recompose: give bars, parts or lock")
    opened, seed = opened_model(model), seed_or_random(seed)
    check_has_notes(opened)
    grid, performance = on_grid(song)
    given = read_redo(grid, bars, parts, lock)
    songs = compose_takes(opened, given, with_chart(options, given), seed, progress, on_row)
    if not songs:
        raise FailedError("no take differs from the song: try another seed, or a higher --creativity")
    networks = networks_again(performance, opened)
    return [take.performed_as(performance, networks) for take in songs]


@with_help_of(VaryOptions)
def vary(
    song: Music,
    amount: float = VaryOptions.amount,
    *,
    parts: str | Collection[str] | None = VaryOptions.parts,
    lock: str | Collection[str] | None = VaryOptions.lock,
    model: str | Path | Model | None = None,
    seed: int | None = VaryOptions.seed,
    creativity: float = VaryOptions.creativity,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
) -> Song:
    """Compose a variation of a song: some bars of some parts are new, the rest stays as it is.

    With the same seed, a larger amount varies all that a smaller one varies, and more. Raises MidiError,
    PlanError, ModelError, FailedError. Options:"""
    VaryOptions(amount=amount, parts=parts, lock=lock, seed=seed, creativity=creativity)  # checks the ranges
    opened, seed = opened_model(model), seed_or_random(seed)
    check_has_notes(opened)
    grid, performance = on_grid(song)
    given = read_redo(grid, None, parts, lock)
    varied = compose_variation(opened, given, amount, seed, creativity, progress, on_row)
    return varied.performed_as(performance, networks_again(performance, opened))


def replay(
    recipe: Recipe | str | Path,
    *,
    redraw: bool = False,
    model: str | Path | Model | None = None,
    seed: int | None = None,
    creativity: float | None = None,
    representation: str | None = None,
    **performing: float | str | None,
) -> Song:
    """Build the song of a recipe without its model; with `redraw`, compose another by its plan and a model.

    `seed` and `creativity` (default: that of the recipe) are for `redraw`; `representation` is FILE.py:CLASS,
    if that of the recipe is in a user's file. `feel`, `swing` and `swing_notes` replace those of the recipe.
    `model` is also needed if networks of feel in that model folder performed the song. Raises InputError
    for a wrong recipe, ModelError, PlanError, MidiError, FailedError.
    """
    for name, value in {"seed": seed, "creativity": creativity}.items():
        if value is not None and not redraw:
            raise InputError(f"{name} {value!r}: needs redraw, since the recipe has all notes of the song")
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.read(recipe, representation)
    changes: dict[str, Any] = {name: value for name, value in performing.items() if value is not None}
    if unknown := sorted(set(changes) - set(PERFORMING)):
        raise InputError(f"option {unknown[0]!r} of replay: must be one of {', '.join(PERFORMING)}")
    performance = replace(recipe.performance or Performance(), **changes)
    if not redraw:
        networks = FeelNetworks() if model is None else networks_again(performance, opened_model(model))
        check_networks(performance, networks)
        return performed(build_song(replace(recipe, performance=None)), performance, networks)
    options: dict[str, Any] = {"seed": seed, **recipe.dials}
    song_options = ComposeOptions(**options | ({} if creativity is None else {"creativity": creativity}))
    request = request_for(recipe.plan, seed_or_random(seed), recipe.song, recipe.given)
    opened = opened_model(model)
    song = generate_songs(opened, [request], {name: getattr(song_options, name) for name in DIALS})[0]
    networks = of_model(opened.path) if performance.feel else FeelNetworks()
    return performed(song, replace(performance, seed=song.recipe.seed), networks)


def genres(model: str | Path | Model | None = None, most_parts: int = 5) -> list[Genre]:
    """The labels of a model, or of the bundled model. Raises ModelError."""
    return genres_of(opened_model(model), most_parts)


def card(model: str | Path | Model | None = None) -> str:
    """The card of a model, or of the bundled one: data, rights, limits. Raises ModelError if it has none."""
    return read_bytes(opened_model(model).path / "card.md", ModelError).decode("utf-8", "replace")


def opened_model(model: str | Path | Model | None) -> Model:
    """A model, opened; None is the bundled model. Raises ModelError."""
    if isinstance(model, Model):
        return model
    if model is not None:
        return Model.open(model)
    if not (BUNDLED / "model.json").is_file():
        raise ModelError("no model ships with this version: name a model folder, made by `ritornello train`")
    return _open_once(BUNDLED, (BUNDLED / "model.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _open_once(path: Path, _modified_ns: int) -> Model:
    """Open the bundled model once for all songs of a process."""
    return Model.open(path)
