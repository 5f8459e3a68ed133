"""Perform a song file, and read the song on its grid from the recipe of a performed file.

The recipe beside a performed file holds the song on its grid: the rows of a composed song, or the MIDI file
of any other song (keys `format`, `ritornello`, `performance`, `midi`). A recipe is used only if the notes of
the file have the hash that the recipe holds; a file that was edited since is read without its recipe.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ritornello import midi, notation
from ritornello.composing.given_music import SongSource
from ritornello.composing.options import Music, PerformOptions, with_help_of
from ritornello.composing.recipe import FORMAT, MAX_BYTES, Recipe, recipe_in
from ritornello.composing.replay import build_song
from ritornello.composing.song import Song
from ritornello.errors import InputError, MidiError, ModelError, RitornelloError
from ritornello.models.model import Model
from ritornello.models.packing import local_folder
from ritornello.music.midi_song import MidiSong
from ritornello.music.score import Score
from ritornello.notation.song_file import STANDARD_INPUT, SongFile
from ritornello.performing.feel_network import FeelNetworks, of_model
from ritornello.performing.manners import MANNERS, style_of_labels
from ritornello.performing.performance import Performance
from ritornello.system.files import write_bytes, write_json
from ritornello.system.version import __version__


class Grid(NamedTuple):
    """A song on its grid, from its recipe or its file."""

    midi: bytes
    """The MIDI file of the song on its grid."""
    performance: Performance | None = None
    """How the song file was performed, if it was."""
    song: Song | None = None
    """The song, if it was composed."""

    @property
    def seed(self) -> int:
        """The seed of the song, or else of its performance; 0 without both."""
        if self.song:
            return self.song.recipe.seed
        return self.performance.seed if self.performance else 0


@dataclass(frozen=True, eq=False, repr=False)
class PerformedSong:
    """A song file that was performed."""

    score: Score
    """The notes as in the MIDI file; the pedal does not lengthen durations."""
    midi: bytes
    recipe: dict[str, Any] | None
    """The recipe that is written beside the file and holds the grid; None if the song is on its grid."""
    performance: Performance
    dropped: dict[str, int]
    """How many events of the original file are not in the new one, by kind."""

    def write(self, path: str | Path) -> list[Path]:
        """Write the MIDI file, and its recipe beside it (.json) if it has one; returns the files.

        Raises InputError if the path does not end in .mid or .midi, OutputError.
        """
        target = midi.midi_path(path)
        write_bytes(target, self.midi)
        if self.recipe is None:
            return [target]
        write_json(target.with_suffix(".json"), self.recipe)
        return [target, target.with_suffix(".json")]

    def to_bytes(self) -> bytes:
        """The song as a MIDI file."""
        return self.midi

    def score_on_grid(self) -> Score | None:
        """The song on its grid; None if it is on it already."""
        return None if self.recipe is None else _parsed(_grid_of_recipe(self.recipe).midi)

    def __repr__(self) -> str:
        feel, style, seed = self.performance.feel, self.performance.style, self.performance.seed
        return f"<PerformedSong: {len(self.score)} notes, feel {feel:g}, style {style!r}, seed {seed}>"


@with_help_of(PerformOptions)
def perform(
    song: Music,
    *,
    feel: float = PerformOptions.feel,
    swing: float = PerformOptions.swing,
    swing_notes: str = PerformOptions.swing_notes,
    style: str | None = PerformOptions.style,
    seed: int | None = PerformOptions.seed,
    model: str | Path | None = None,
) -> PerformedSong:
    """Perform a song: change timing, loudness, articulation, pedal and tempo as people play.

    A performed song with its recipe beside it is performed again from its grid; `feel` 0 returns the grid.
    `model` is a model folder with networks of feel, made by `learn`; by default the bundled one of drums.
    Raises MidiError, PlanError, InputError, ModelError. Options:"""
    options = PerformOptions(feel=feel, swing=swing, swing_notes=swing_notes, style=style, seed=seed)
    if style is not None and style not in MANNERS:
        raise InputError(f"style {style!r}: must be one of {', '.join(sorted(MANNERS))}")
    networks = FeelNetworks() if model is None else _networks_of(model)
    file = song_file(song)
    grid = grid_of(song, file) or Grid(file.data)
    labels = [label for label, _ in grid.song.plan.genres] if grid.song else _folders(song)
    style = style_of_labels(labels) if style is None else style
    own_seed = grid.seed if options.seed is None else options.seed
    performance = Performance(options.feel, options.swing, options.swing_notes, style, own_seed)
    if grid.song is None:
        return _performed_file(file._replace(data=grid.midi), performance, networks)
    played = grid.song.performed_as(performance, networks)
    recipe = None if performance.is_plain and grid.performance is None else played.recipe.to_dict()
    return PerformedSong(played.performed, played.to_bytes(), recipe, performance, played.dropped)


def _performed_file(file: SongFile, performance: Performance, networks: FeelNetworks) -> PerformedSong:
    """Perform a MIDI file on its grid, which was not composed. Raises MidiError."""
    from ritornello.performing.perform import hash_of_notes
    from ritornello.performing.perform import perform as perform_score

    parsed = midi.parse(file.data, name=file.name, pedal="ignore", with_details=True)
    if not len(parsed.score):
        raise MidiError(f"{file.name!r} has no notes, so it cannot be performed")
    if performance.is_plain:
        return PerformedSong(parsed.score, file.data, None, performance, {})
    performance = replace(performance, **networks.hashes)
    score = perform_score(parsed.score, performance, networks=networks)
    data = midi.to_bytes(score)[0]
    notes = hash_of_notes(midi.parse(data, name=file.name, pedal="ignore").score)
    performance = replace(performance, notes=notes)
    recipe = {"format": FORMAT, "ritornello": __version__, "performance": performance.to_dict()}
    recipe["midi"] = base64.b64encode(file.data).decode()
    return PerformedSong(score, data, recipe, performance, parsed.dropped)


def performed(song: Song, performance: Performance, networks: FeelNetworks) -> Song:
    """Return the song performed with networks of feel; the default seed and style are those of the song."""
    if performance.is_plain:
        return song.performed_as(None) if song.recipe.performance else song
    style = performance.style or style_of_labels(label for label, _ in song.plan.genres)
    seed = performance.seed or song.recipe.seed
    return song.performed_as(replace(performance, style=style, seed=seed), networks)


def networks_again(performance: Performance | None, model: Model) -> FeelNetworks:
    """Return those networks of feel of a model that repeat a performance: for drums, other parts, or both."""
    if performance is None or not performance.has_own_networks:
        return FeelNetworks()
    networks = of_model(model.path)
    return FeelNetworks(
        networks.drums if performance.drums else None, networks.parts if performance.parts else None
    )


def check_networks(performance: Performance, networks: FeelNetworks) -> None:
    """Raise InputError if a network that performed the song is not one of `networks`."""
    for name, available_hash in networks.hashes.items():
        needed_hash = getattr(performance, name)
        if needed_hash and performance.feel and available_hash != needed_hash:
            raise InputError(
                f"network {needed_hash} of another model folder performed the {name}: add this folder MODEL "
                "(in Python model=...), or --feel 0"
            )


def _networks_of(model: str | Path) -> FeelNetworks:
    """The networks of feel of a model. Raises ModelError if there is none."""
    folder = local_folder(model)
    if any(networks := of_model(folder)):
        return networks
    if not folder.is_dir():
        raise ModelError(f"{str(model)!r} is neither a model folder nor a packed model")
    raise ModelError(f"{str(model)!r} has no network of feel: `learn` trains it on performed songs")


def song_file(song: Music) -> SongFile:
    """Return the MIDI file of a song; files of other formats are converted. Raises MidiError."""
    if isinstance(song, Score):
        return SongFile(song.title or "the song", midi.to_bytes(song)[0], None)
    file = notation.open_song(song)
    return file._replace(data=midi.to_bytes(file.parse().score)[0], format=None) if file.format else file


def on_grid(song: Music) -> tuple[SongSource, Performance | None]:
    """Return a performed song on its grid, and its performance; any other song as it is, and None.

    A song file counts as performed only if its recipe is beside it. Raises MidiError.
    """
    if isinstance(song, Score):
        return song, None
    file = notation.open_song(song)
    grid = grid_of(song, file)
    if grid is None or (grid.performance is None and not isinstance(song, MidiSong)):
        return file if isinstance(song, MidiSong) else song, None
    return SongFile(file.name, grid.midi, None), grid.performance


def grid_score(song: Music) -> Score | None:
    """Return a performed song on its grid; None if it is not performed, or its recipe is not beside it.

    Raises MidiError.
    """
    grid, performance = on_grid(song)
    return grid.parse(pedal="ignore").score if performance and isinstance(grid, SongFile) else None


def grid_of(song: Music, file: SongFile) -> Grid | None:
    """Return the grid of a composed or performed song from its recipe; None if no recipe matches."""
    if isinstance(song, Song):
        return Grid(song.performed_as(None).to_bytes(), song.recipe.performance, song)
    if isinstance(song, PerformedSong) and song.recipe is not None:
        return _grid_of_recipe(song.recipe)
    if isinstance(song, Score | MidiSong) or str(song) == STANDARD_INPUT or file.format:
        return None
    from ritornello.performing.perform import hash_of_notes

    for content in _recipes_beside(Path(song)):
        with suppress(RitornelloError, ValueError, TypeError):
            grid = _grid_of_recipe(content)
            expected = grid.performance.notes if grid.performance else hash_of_notes(_parsed(grid.midi))
            if expected == hash_of_notes(_parsed(file.data)):
                return grid
    return None


def _grid_of_recipe(content: dict[str, Any]) -> Grid:
    """The grid that a recipe holds. Raises InputError, KeyError, ValueError."""
    if "rows" in content:
        recipe = Recipe.from_dict(content)
        song = build_song(replace(recipe, performance=None))
        return Grid(song.to_bytes(), recipe.performance, song)
    performance = Performance.from_dict(content.get("performance"))
    return Grid(base64.b64decode(content.get("midi", ""), validate=True), performance, None)


def _parsed(data: bytes) -> Score:
    """The notes of a MIDI file; the pedal does not lengthen durations."""
    return midi.parse(data, pedal="ignore").score


def _recipes_beside(path: Path) -> Iterator[dict[str, Any]]:
    """The content of the recipes that may belong to a song: SONG.json, or recipe.json in its folder."""
    for file in (path.with_suffix(".json"), path.with_name("recipe.json")):
        with suppress(OSError, ValueError, RecursionError):
            if file.stat().st_size <= MAX_BYTES:
                content = recipe_in(json.loads(file.read_bytes()))
                if isinstance(content, dict) and ("rows" in content or "midi" in content):
                    yield content


def _folders(song: Music) -> list[str]:
    """The names of the four innermost folders of a song's path, from the inside; one may be its label."""
    if isinstance(song, Score | MidiSong):
        return []
    return [folder.name for folder in Path(song).resolve().parents[:4]]
