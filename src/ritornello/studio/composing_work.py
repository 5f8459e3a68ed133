"""Compose, redo, vary, change and perform songs for the studio, and send notes while they are composed.

Each public function answers one request of `work.WORK`: it gets the request, its arrays and a function that
sends events, and returns a value and arrays. Songs are MIDI files as bytes; their recipes are in the request
and in the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ritornello.composing import compose as composing
from ritornello.composing.change_song import change as change_song
from ritornello.composing.performed_files import perform as perform_song
from ritornello.composing.song import Song
from ritornello.errors import InputError, ModelError
from ritornello.performing.feel_network import of_model
from ritornello.studio.command_line import OPTIONS, command_line
from ritornello.studio.note_stream import NoteStream
from ritornello.studio.originality_work import originality_of
from ritornello.studio.songs import SKETCH_NAME
from ritornello.studio.work import Result, SendEvent
from ritornello.system.files import write_json

MOST_PARTS = 6  # the most instruments that are listed for a label


def state(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """The labels of the model, and how well it composes each of them."""
    model = composing.opened_model(request.get("model"))
    labels = [
        {
            "name": genre.label, "mark": genre.mark, "songs": genre.songs, "instruments": genre.parts,
            "meters": genre.meters, "tempi": genre.tempo_bpm,
        }
        for genre in composing.genres(model, MOST_PARTS)
    ]  # fmt: skip
    default = model.info.get("defaults", {}).get("genre")
    return {"labels": labels, "default_label": default, "model": model.hash[:12]}, ()


def sketch(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Draw a sketch; return it as JSON and as a lead sheet."""
    drawn = composing.sketch(request.get("model"), **checked_options("sketch", request["options"]))
    return {"sketch": json.loads(drawn.to_json()), "lead_sheet": str(drawn), "seed": drawn.seed}, ()


def compose(request: dict[str, Any], _arrays: Sequence[bytes], on_event: SendEvent) -> Result:
    """Compose a song; send its notes as events while they are composed."""
    options, stream = checked_options("compose", request["options"]), NoteStream(on_event)
    shown, sketch = dict(options), options.pop("sketch", None)
    with TemporaryDirectory() as folder:
        if sketch is not None:
            options["sketch"] = f"{folder}/sketch.json"
            write_json(Path(options["sketch"]), sketch)
            shown["sketch"] = SKETCH_NAME
        (song,) = composing.compose_many(request.get("model"), on_row=stream.on_row, **options)
    shown["seed"] = song.recipe.seed
    command = command_line("compose", shown, model=request.get("model"), out="song.mid")
    return _version(song, command, str(song.plan), request.get("model")), [song.to_bytes()]


def redo(request: dict[str, Any], arrays: Sequence[bytes], on_event: SendEvent) -> Result:
    """Compose takes of bars of a song; the arrays of the answer are their files."""
    options, stream = checked_options("redo", request["options"]), NoteStream(on_event)
    with _song_file(arrays[0], request.get("recipe")) as path:
        takes = composing.redo(path, model=request.get("model"), on_row=stream.on_row, **options)
    shown = options | {"seed": takes[0].recipe.seed}
    command = command_line("redo", shown, song=request["path"], model=request.get("model"))
    versions = []
    for number, take in enumerate(takes, 1):
        action = _action("redo", options) + (f", take {number}" if len(takes) > 1 else "")
        versions.append(_version(take, command, action, request.get("model")))
    return versions, [take.to_bytes() for take in takes]


def vary(request: dict[str, Any], arrays: Sequence[bytes], on_event: SendEvent) -> Result:
    """Compose a variation of a song."""
    options, stream = checked_options("vary", request["options"]), NoteStream(on_event)
    with _song_file(arrays[0], request.get("recipe")) as path:
        song = composing.vary(path, model=request.get("model"), on_row=stream.on_row, **options)
    shown = options | {"seed": song.recipe.seed}
    command = command_line("vary", shown, song=request["path"], model=request.get("model"))
    version = _version(song, command, _action("vary", options), request.get("model"))
    return [version], [song.to_bytes()]


def change(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Transpose a song, set its tempo, or give parts other instruments."""
    options = checked_options("change", request["options"])
    with _song_file(arrays[0], None) as path:
        changed = change_song(path, **options)
    command = command_line("change", options, song=request["path"])
    action = ", ".join(f"{name} {_words(value)}" for name, value in options.items() if value is not None)
    return [{"recipe": None, "command": command, "action": f"change: {action}"}], [changed.file]


def perform(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Perform a song as people play."""
    options, model = checked_options("perform", request["options"]), request.get("model")
    model = (
        model if model and any(of_model(Path(model))) else None
    )  # perform refuses a model without networks of feel
    with _song_file(arrays[0], request.get("recipe")) as path:
        performed = perform_song(path, model=model, **options)
    shown = options | {"seed": performed.performance.seed, "style": performed.performance.style}
    command = command_line("perform", shown, song=request["path"], model=model)
    action = f"perform, feel {performed.performance.feel:g}"
    return [{"recipe": performed.recipe, "command": command, "action": action}], [performed.midi]


def checked_options(kind: str, requested: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a kind of job, without empty values.

    Raises InputError for an unknown option, a wrong type or the name of a file, since songs and sketches are
    sent as data. Raises PlanError for a value that is out of its range.
    """
    option_fields = {field.name: field for field in fields(OPTIONS[kind])}
    if unknown := sorted(set(requested) - set(option_fields)):
        raise InputError(f"option {unknown[0]!r} of {kind}: must be one of {', '.join(option_fields)}")
    options = {name: value for name, value in requested.items() if value not in (None, "", [])}
    for name, value in options.items():
        _check_type(name, value, str(option_fields[name].type))
        if name == "chords" and value.strip().lower().endswith(".txt"):
            raise InputError(f"chords {value!r:.60}: must be chords, not the name of a file")
    OPTIONS[kind](**{name: value for name, value in options.items() if name != "sketch"})  # raises PlanError
    return options


def _check_type(name: str, value: Any, kind: str) -> None:
    """Raise InputError unless a value has the type of an option."""
    allowed: tuple[type, ...] = (str,)
    if kind.startswith("int"):
        allowed = (int,)
    elif kind.startswith("float"):
        allowed = (int, float)
    elif kind.startswith("bool"):
        allowed = (bool,)
    elif name == "sketch":
        allowed = (dict,)
    elif name in ("parts", "lock", "density", "register", "instrument"):
        allowed = (str, list, dict) if name not in ("parts", "lock") else (str, list)
    is_wrong = not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)
    items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if is_wrong or (name != "sketch" and not all(isinstance(item, (str, int, float)) for item in items)):
        names = " or ".join(each.__name__ for each in allowed)
        raise InputError(f"{name} {value!r:.60}: must be of type {names}")


@contextmanager
def _song_file(data: bytes, recipe: dict[str, Any] | None) -> Iterator[str]:
    """Write a song and its recipe to files, for functions that read files; yield the path of the song."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "song.mid"
        path.write_bytes(data)
        if recipe is not None:
            write_json(path.with_suffix(".json"), recipe)
        yield str(path)


def _version(song: Song, command: str, action: str, model: str | None) -> dict[str, Any]:
    """The recipe, command line, action and originality of a composed song."""
    try:
        originality = originality_of(song.score, model)
    except ModelError:  # the file of fingerprints may be deleted from a model folder
        originality = None
    recipe = song.recipe.to_dict()
    return {"recipe": recipe, "command": command, "action": action, "originality": originality}


def _action(verb: str, options: Mapping[str, Any]) -> str:
    """A short description of what was done, such as "redo part 2, bars 5-8"."""
    words = [verb]
    if options.get("parts"):
        words[0] += f" part {_words(options['parts'])}"
    if options.get("bars"):
        words.append(f"bars {options['bars']}")
    if "amount" in options:
        words.append(f"amount {options['amount']:g}")
    return ", ".join(words)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
