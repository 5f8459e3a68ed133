"""Read, view, edit and export song files for the studio.

Each public function answers one request of `work.WORK`: it gets the request, its arrays and a function that
sends events, and returns a value and arrays. Files may be damaged or hostile, so this process may be killed.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ritornello import midi
from ritornello.errors import InputError, MidiError, ScoreError
from ritornello.midi.patching import Note, replace_notes
from ritornello.music.file_details import NO_DETAILS
from ritornello.music.score import EVENTS, LIMITS, Part, Score
from ritornello.music.score_limits import MAX_TICKS
from ritornello.notation.song_file import unpack
from ritornello.rendering.render import render
from ritornello.rendering.stems import part_of, stem_paths, write_stems
from ritornello.studio.song_view import COLUMNS, view_of_song
from ritornello.studio.work import Result, SendEvent
from ritornello.system.files import write_json

MAX_EDITED_NOTES = 200_000
STEM_BITS = 24  # as `render --stems` writes them


def import_song(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Return a song file of any format as a MIDI file. Raises MidiError if it cannot be read, or is empty."""
    file = unpack(str(request["name"]), arrays[0])
    score = file.parse().score
    if not len(score):
        raise MidiError(f"{file.name!r} has no notes")
    data = midi.to_bytes(score)[0] if file.format else file.data
    return {"format": file.format or "MIDI"}, [data]


def warm_files(_request: dict[str, Any], _arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Do nothing; before this is called, the process imports the modules that it needs."""
    return None, ()


def view(_request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Return what the page shows of a song."""
    with_pedal = midi.parse(arrays[0], name="the song").score
    return view_of_song(_as_written(arrays[0]), with_pedal), ()


def edit(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Replace all notes of a song by the notes in the request, and its parts if `parts` is in the request.

    If the parts stay the same, all other events of the file stay as they are. Raises InputError, ScoreError.
    """
    columns = _columns(request.get("notes"))
    score = _as_written(arrays[0])
    parts = score.parts if request.get("parts") is None else _parts(request["parts"])
    if columns["part"] and max(columns["part"]) >= len(parts):
        raise ScoreError(f"part {max(columns['part'])} of a note: must be 0-{len(parts) - 1}")
    names = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    notes = {name: np.array(columns[name], np.int64) for name in names}
    events: dict[str, Any] = {name: getattr(score, name) for name in (*EVENTS, "title")}
    edited = Score.of(score.ticks_per_beat, **notes, parts=parts, **events)
    table = [getattr(edited, name).tolist() for name in Note._fields]
    if parts == score.parts and set(columns["part"]) <= set(score.part.tolist()):
        new_notes = [Note(*row) for row in zip(*table, strict=True)]
        return None, [replace_notes(arrays[0], range(len(parts)), 0, MAX_TICKS + 1, new_notes)]
    with_details = midi.parse(arrays[0], pedal="ignore", with_details=True).score
    details = with_details.details if len(parts) == len(score.parts) else NO_DETAILS
    return None, [midi.to_bytes(replace(edited, details=details))[0]]


def export(request: dict[str, Any], arrays: Sequence[bytes], _on_event: SendEvent) -> Result:
    """Convert a song, as `ritornello render` does, or one part of it, as `render --stems` does."""
    kind, part = request["format"], request.get("part")
    sound = {"soundfont": request["soundfont"]} if request.get("soundfont") else {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        song = folder / "song.mid"
        song.write_bytes(arrays[0])
        if kind == "zip":
            return None, [_bundle(song, request.get("recipe"), sound)]
        if part is not None:
            return None, [_stem(song, kind, part, sound)]
        out = folder / f"out.{kind}"
        render(song, out, **sound)
        return None, [out.read_bytes()]


def _as_written(data: bytes) -> Score:
    """The song with notes as long as in the file; the pedal does not lengthen them."""
    return midi.parse(data, name="the song", pedal="ignore").score


def _columns(notes: Any) -> dict[str, list[int]]:
    """Check the columns of notes in a request. Raises InputError."""
    if not isinstance(notes, dict) or sorted(notes) != sorted(COLUMNS):
        raise InputError(f"notes: must be an object of the columns {', '.join(COLUMNS)}")
    for name in COLUMNS:
        low, high = LIMITS[name]
        column = notes[name]
        if not isinstance(column, list) or len(column) != len(notes["part"]):
            raise InputError(f"notes: column {name} must be a list as long as the others")
        if wrong := [value for value in column if type(value) is not int or not low <= value <= high]:
            raise InputError(f"notes: {name} {wrong[0]!r:.40}: must be {low}-{high}")
    if not 0 < len(notes["part"]) <= MAX_EDITED_NOTES:
        raise InputError(f"{len(notes['part'])} notes: must be 1-{MAX_EDITED_NOTES}")
    return notes


def _parts(requested: Any) -> tuple[Part, ...]:
    """The parts of a request. Raises InputError."""
    if not isinstance(requested, list) or not 0 < len(requested) <= 256:
        raise InputError("parts: must be a list of 1-256 objects")
    parts = []
    for part in requested:
        name, program = (part.get("name", ""), part.get("program", 0)) if isinstance(part, dict) else ("", -1)
        if not isinstance(name, str) or type(program) is not int or not 0 <= program <= 127:
            raise InputError(f"part {part!r:.60}: must have a name, a program 0-127, and is_drums")
        parts.append(Part(name[:100], program, bool(part.get("is_drums"))))
    return tuple(parts)


def _stem(song: Path, kind: str, part: int, sound: dict[str, Any]) -> bytes:
    """One part of a song as a file of the same length as the song. Raises InputError."""
    score = midi.read(song)
    written = midi.read(song, pedal="ignore", with_details=True)
    if kind == "musicxml":
        if part not in set(score.part.tolist()):
            raise InputError(f"part {part}: the song has no such part with notes")
        out = song.with_name("part.musicxml")
        render(part_of(written, part), out)
        return out.read_bytes()
    paths = stem_paths(score, song.parent / "stems", kind)
    if part not in paths:
        raise InputError(f"part {part}: must be one of {', '.join(map(str, sorted(paths)))}")
    write_stems(score, written, song.parent / "stems", kind, STEM_BITS, **sound)
    return paths[part][kind != "mid"].read_bytes()


def _bundle(song: Path, recipe: dict[str, Any] | None, sound: dict[str, Any]) -> bytes:
    """A zip of the song in all formats that can be made here, with its recipe and its stems."""
    folder = song.parent / "bundle"
    render(song, f"{folder}/", recipe=recipe, **sound)
    (folder / "song.mid").write_bytes(song.read_bytes())
    render(song, f"{folder}/stems/", stems="wav", **sound)
    if recipe is not None:
        write_json(folder / "song.json", recipe)
        (folder / "recipe.json").unlink(missing_ok=True)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return out.getvalue()
