"""Composing for the studio: sketches, songs, takes, variations and changes, with notes as they are composed.

Each function gets the request, its arrays and a function for events, and returns a value and arrays. Songs in
requests and answers are MIDI files as bytes, each with its recipe beside it.
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
from ritornello.studio.work import Answer
from ritornello.system.files import write_json

Result = tuple[Any, Sequence[bytes]]
MOST_PARTS = 6  # that are named of a label


def state(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """The labels of the model, with how well it does them."""
    model = composing.opened_model(request.get("model"))
    found = [
        {
            "name": genre.label, "mark": genre.mark, "songs": genre.songs, "instruments": genre.parts,
            "meters": genre.meters, "tempi": genre.tempo_bpm,
        }
        for genre in composing.genres(model, MOST_PARTS)
    ]  # fmt: skip
    default = model.info.get("defaults", {}).get("genre")
    return {"labels": found, "default_label": default, "model": model.hash[:12]}, ()


def sketch(request: dict[str, Any], _arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """Draw a sketch; the value has it as JSON and as a lead sheet."""
    drawn = composing.sketch(request.get("model"), **checked_options("sketch", request["options"]))
    return {"sketch": json.loads(drawn.to_json()), "lead_sheet": str(drawn), "seed": drawn.seed}, ()


def compose(request: dict[str, Any], _arrays: Sequence[bytes], on_event: Answer) -> Result:
    """Compose a song; events have its notes as they come."""
    options, stream = checked_options("compose", request["options"]), NoteStream(on_event)
    typed, sketch = dict(options), options.pop("sketch", None)
    with TemporaryDirectory() as folder:
        if sketch is not None:
            options["sketch"] = f"{folder}/sketch.json"
            write_json(Path(options["sketch"]), sketch)
            typed["sketch"] = SKETCH_NAME
        (song,) = composing.compose_many(request.get("model"), on_row=stream.on_row, **options)
    typed["seed"] = song.recipe.seed
    command = command_line("compose", typed, model=request.get("model"), out="song.mid")
    return _version(song, command, str(song.plan), request.get("model")), [song.to_bytes()]


def redo(request: dict[str, Any], arrays: Sequence[bytes], on_event: Answer) -> Result:
    """Compose takes of bars of a song; the arrays of the answer are their files."""
    options, stream = checked_options("redo", request["options"]), NoteStream(on_event)
    with _song_file(arrays[0], request.get("recipe")) as path:
        takes = composing.redo(path, model=request.get("model"), on_row=stream.on_row, **options)
    typed = options | {"seed": takes[0].recipe.seed}
    command = command_line("redo", typed, song=request["path"], model=request.get("model"))
    what = _what("redo", options)
    many = len(takes) > 1
    return [
        _version(take, command, what + (f", take {number}" if many else ""), request.get("model"))
        for number, take in enumerate(takes, 1)
    ], [take.to_bytes() for take in takes]


def vary(request: dict[str, Any], arrays: Sequence[bytes], on_event: Answer) -> Result:
    """Compose a variation of a song."""
    options, stream = checked_options("vary", request["options"]), NoteStream(on_event)
    with _song_file(arrays[0], request.get("recipe")) as path:
        song = composing.vary(path, model=request.get("model"), on_row=stream.on_row, **options)
    typed = options | {"seed": song.recipe.seed}
    command = command_line("vary", typed, song=request["path"], model=request.get("model"))
    version = _version(song, command, _what("vary", options), request.get("model"))
    return [version], [song.to_bytes()]


def change(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """Transpose a song, set its tempo, give parts other instruments."""
    options = checked_options("change", request["options"])
    with _song_file(arrays[0], None) as path:
        changed = change_song(path, **options)
    command = command_line("change", options, song=request["path"])
    action = ", ".join(f"{name} {_words(value)}" for name, value in options.items() if value is not None)
    return [{"recipe": None, "command": command, "action": f"change: {action}"}], [changed.file]


def perform(request: dict[str, Any], arrays: Sequence[bytes], _on_event: Answer) -> Result:
    """Perform a song as people play."""
    options, model = checked_options("perform", request["options"]), request.get("model")
    model = model if model and any(of_model(Path(model))) else None  # one without networks of feel is refused
    with _song_file(arrays[0], request.get("recipe")) as path:
        performed = perform_song(path, model=model, **options)
    typed = options | {"seed": performed.performance.seed, "style": performed.performance.style}
    command = command_line("perform", typed, song=request["path"], model=model)
    action = f"perform, feel {performed.performance.feel:g}"
    return [{"recipe": performed.recipe, "command": command, "action": action}], [performed.midi]


def checked_options(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a kind of work, of the right types and in their ranges. Raises InputError, PlanError.

    What would name a file on the disk is refused: songs and sketches are data here.
    """
    known = {field.name: field for field in fields(OPTIONS[kind])}
    if unknown := sorted(set(given) - set(known)):
        raise InputError(f"option {unknown[0]!r} of {kind}: must be one of {', '.join(known)}")
    found = {name: value for name, value in given.items() if value not in (None, "", [])}
    for name, value in found.items():
        _check_type(name, value, str(known[name].type))
        if name == "chords" and value.strip().lower().endswith(".txt"):
            raise InputError(f"chords {value!r:.60}: must be chords, not the name of a file")
    OPTIONS[kind](**found)  # raises PlanError for what is out of range
    return found


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
    """The path of a file that holds a song, with its recipe beside it, for the functions that read files."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "song.mid"
        path.write_bytes(data)
        if recipe is not None:
            write_json(path.with_suffix(".json"), recipe)
        yield str(path)


def _version(song: Song, command: str, action: str, model: str | None) -> dict[str, Any]:
    """What is kept of a composed song besides its file."""
    try:
        originality = originality_of(song.score, model)
    except ModelError:  # the fingerprints may be deleted from a model
        originality = None
    recipe = song.recipe.to_dict()
    return {"recipe": recipe, "command": command, "action": action, "originality": originality}


def _what(verb: str, options: Mapping[str, Any]) -> str:
    """What was done, in words: "redo 2, bars 5-8"."""
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
