"""The folder of songs: each song is a folder of plain files; its versions are never changed.

    SONG/song.json            name, head, mixer, locks, takes (versions that nobody accepted yet)
    SONG/versions/0001.mid    a version, and 0001.json: parent, made_at, action, command, recipe
    SONG/versions/0001.sketch.json      the sketch by which it was composed, if there is one
    SONG/versions/0001.originality.json the longest run of notes that it shares with the training songs
    trash/                    deleted songs
    models/                   models that the studio trained

A version exists if its .json exists, which is written last; each file is written atomically. So a crash at
any time leaves whole songs. The versions of a song are a tree; undo, redo and branches move the head in it.
"""

from __future__ import annotations

import json
import re
import secrets
import shlex
import shutil
import threading
import unicodedata
from collections.abc import Callable
from datetime import datetime, timezone
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ritornello.errors import InputError
from ritornello.system.files import output_errors, write_bytes, write_json

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_ID, MAX_NAME = 64, 200  # characters
MAX_SETTINGS_BYTES = 64 << 10  # of mixer and locks as JSON
TRASH, MODELS = "trash", "models"
RESERVED = (TRASH, MODELS)
UNFINISHED = ".new-"  # the name of a song's folder begins so until all its files are written
DEFAULT_NAME = "song"
SKETCH_NAME = "SKETCH.json"  # stands in a command line until the path of the sketch is known
Method = TypeVar("Method", bound=Callable[..., Any])


class NotFoundError(InputError):
    """There is no such song or version."""


class ConflictError(InputError):
    """The song has changed since the page read it."""


class NewVersion(NamedTuple):
    """The content of a version to be added."""

    midi: bytes  # a MIDI file
    action: str  # a short description of what was done
    command: str = ""  # the command line that makes the same song
    recipe: dict[str, Any] | None = None
    sketch: dict[str, Any] | None = None
    originality: dict[str, Any] | None = None


def _locked(method: Method) -> Method:
    """Hold the lock of a folder while a method runs, so that only one thread writes at a time."""

    @wraps(method)
    def locked(self: SongsFolder, *values: Any, **options: Any) -> Any:
        with self.lock:
            return method(self, *values, **options)

    return locked  # type: ignore[return-value]


class SongsFolder:
    """The songs in a folder. Only this process may write them; its threads may call all methods."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none, and delete unfinished files of a crash. Raises OutputError."""
        self.path, self.lock = path, threading.RLock()
        self._cache: dict[Path, tuple[int, dict[str, Any]]] = {}  # (time of the file, fields)
        with output_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            for left in path.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
            for left in path.glob("*/**/.*.tmp"):
                left.unlink(missing_ok=True)

    def models(self) -> list[str]:
        """The names of the models that the studio trained."""
        files = (self.path / MODELS).glob("*/model.json")
        return sorted(file.parent.name for file in files if file.is_file())

    def listing(self) -> list[dict[str, Any]]:
        """All songs, the last changed one first."""
        songs = []
        for folder in self.path.iterdir():
            if ID.fullmatch(folder.name) and folder.name not in RESERVED and (folder / "song.json").is_file():
                song = self.song(folder.name)
                changed = max((version["made_at"] for version in song["versions"]), default="")
                songs.append(
                    {"id": song["id"], "name": song["name"], "head": song["head"], "changed_at": changed}
                )
        return sorted(songs, key=lambda song: str(song["changed_at"]), reverse=True)

    def song(self, song: str) -> dict[str, Any]:
        """A song with its versions, without notes. Raises NotFoundError."""
        settings = self.settings(song)
        takes = settings.pop("takes")
        versions = []
        for number in self._numbers(song):
            state = {"take": number in takes, "originality": self.originality(song, number)}
            versions.append(self._cached_info(song, number) | state)
        return {"id": song, **settings, "versions": versions}

    def made_at(self, song: str, version: int) -> str:
        """When a version was made. Raises NotFoundError."""
        return str(self._cached_info(song, version)["made_at"])

    def version(self, song: str, version: int) -> dict[str, Any]:
        """The parent, made_at, action, command and recipe of a version. Raises NotFoundError."""
        self.settings(song)
        return self._info(song, version)

    def midi(self, song: str, version: int) -> bytes:
        """The MIDI file of a version. Raises NotFoundError."""
        return self.midi_path(song, version).read_bytes()

    def midi_path(self, song: str, version: int) -> Path:
        """The path of the MIDI file of a version. Raises NotFoundError."""
        self._info(song, version)
        return self._file(song, version, ".mid")

    def originality(self, song: str, version: int) -> dict[str, Any] | None:
        """The originality of a version, as `originality_work` computes it; None if it is not computed yet."""
        file = self._file(song, version, ".originality.json")
        return _read_object(file) if file.is_file() else None

    @_locked
    def keep_originality(self, song: str, version: int, originality: dict[str, Any]) -> None:
        """Write the originality of a version. Raises NotFoundError, OutputError."""
        self._info(song, version)
        write_json(self._file(song, version, ".originality.json"), originality)

    @_locked
    def create(self, name: str, first: NewVersion) -> dict[str, Any]:
        """Make a song of one version; return its id and head. Raises OutputError."""
        name = _name(name)
        new = self.path / f"{UNFINISHED}{secrets.token_hex(6)}"
        settings = {"name": name, "head": 1, "mixer": {}, "locks": [], "takes": []}
        song = self._free_id(name)
        path = shlex.quote(str(self._file(song, 1, ".sketch.json")))
        self._write_version(new, 1, None, first._replace(command=first.command.replace(SKETCH_NAME, path)))
        write_json(new / "song.json", settings)
        with output_errors(self.path / song):
            new.rename(self.path / song)
        return {"id": song, "head": 1}

    @_locked
    def add(self, song: str, parent: int, new: NewVersion, is_take: bool = False) -> int:
        """Add a version and return its number; it becomes the head unless it is a take.

        Raises NotFoundError for a parent that does not exist, OutputError.
        """
        settings = self.settings(song)
        self._info(song, parent)
        number = max(self._numbers(song)) + 1
        self._write_version(self.path / song, number, parent, new)
        if is_take:
            settings["takes"].append(number)
        else:
            settings["head"] = number
        write_json(self.path / song / "song.json", settings)
        return number

    @_locked
    def update(self, song: str, changes: dict[str, Any], expected_head: int | None = None) -> dict[str, Any]:
        """Change name, head, mixer or locks. Raises NotFoundError, ConflictError, InputError, OutputError."""
        settings = self.settings(song)
        if unknown := sorted(set(changes) - {"name", "head", "mixer", "locks"}):
            raise InputError(f"{unknown[0]!r} of a song: must be one of name, head, mixer, locks")
        if expected_head is not None and expected_head != settings["head"]:
            raise ConflictError(f"head {expected_head}: the song is at version {settings['head']} now")
        if "head" in changes:
            self._info(song, changes["head"])
            settings["takes"] = [take for take in settings["takes"] if take != changes["head"]]
        if "name" in changes:
            changes = changes | {"name": _name(changes["name"])}
        for name, kind in (("mixer", dict), ("locks", list)):
            if name in changes and (
                not isinstance(changes[name], kind) or len(json.dumps(changes[name])) > MAX_SETTINGS_BYTES
            ):
                must = f"must be {'an object' if kind is dict else 'a list'} of {MAX_SETTINGS_BYTES} bytes"
                raise InputError(f"{name} of a song: {must} at most")
        write_json(self.path / song / "song.json", settings | changes)
        return self.song(song)

    @_locked
    def delete(self, song: str) -> None:
        """Move a song to the folder trash/. Raises NotFoundError, OutputError."""
        self.settings(song)
        trash = self.path / TRASH
        with output_errors(trash):
            trash.mkdir(exist_ok=True)
            (self.path / song).rename(trash / f"{song}-{secrets.token_hex(3)}")

    def root(self, song: str, version: int) -> int:
        """The first ancestor of a version."""
        while (parent := self._cached_info(song, version)["parent"]) is not None:
            version = parent
        return version

    def settings(self, song: str) -> dict[str, Any]:
        """The content of song.json: name, head, mixer, locks and takes. Raises NotFoundError."""
        file = self.path / song / "song.json"
        is_id = ID.fullmatch(song) and len(song) <= MAX_ID and song not in RESERVED
        if not is_id or not file.is_file():
            raise NotFoundError(f"song {song!r:.80}: there is none with this name")
        read = _read_object(file)
        defaults = {"name": song, "head": 1, "mixer": {}, "locks": [], "takes": []}
        settings = {name: read.get(name, default) for name, default in defaults.items()}
        numbers = self._numbers(song)
        if settings["head"] not in numbers:  # a user edited song.json or deleted the head
            settings["head"] = max(numbers)
        return settings

    def _numbers(self, song: str) -> list[int]:
        """The numbers of the versions of a song, ascending. Raises NotFoundError if there is none."""
        files = (self.path / song / "versions").glob("[0-9]*.json")
        numbers = sorted(int(file.stem) for file in files if re.fullmatch(r"\d{4,9}", file.stem))
        if not numbers:
            raise NotFoundError(f"song {song!r:.80}: it has no version")
        return numbers

    def _cached_info(self, song: str, version: int) -> dict[str, Any]:
        """Number, parent, time and action of a version; its file is read once. Raises NotFoundError."""
        file = self._file(song, version, ".json")
        modified_ns = file.stat().st_mtime_ns if file.is_file() else -1
        cached = self._cache.get(file)
        if cached is None or cached[0] != modified_ns:
            info = self._info(song, version)
            fields = {name: info[name] for name in ("version", "parent", "made_at", "action")}
            cached = self._cache[file] = modified_ns, fields
        return cached[1]

    def _info(self, song: str, version: Any) -> dict[str, Any]:
        """The content of the .json of a version. Raises NotFoundError."""
        file = self._file(song, version, ".json") if type(version) is int and version > 0 else None
        if file is None or not file.is_file():
            raise NotFoundError(f"version {version!r:.20} of song {song!r:.80}: there is none")
        texts = dict.fromkeys(("made_at", "action", "command"), "")
        defaults: dict[str, Any] = {"parent": None, **texts, "recipe": None}
        read = _read_object(file)
        return {"version": version} | {name: read.get(name, default) for name, default in defaults.items()}

    def _file(self, song: str, version: int, ending: str) -> Path:
        return self.path / song / "versions" / f"{version:04}{ending}"

    def _write_version(self, folder: Path, number: int, parent: int | None, new: NewVersion) -> None:
        """Write the files of a version; the .json comes last, because it makes the version exist."""
        place = folder / "versions" / f"{number:04}"
        write_bytes(place.with_suffix(".mid"), new.midi)
        if new.sketch is not None:
            write_json(place.with_suffix(".sketch.json"), new.sketch)
        if new.originality is not None:
            write_json(place.with_suffix(".originality.json"), new.originality)
        made_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content = {"parent": parent, "made_at": made_at, "action": new.action, "command": new.command}
        write_json(place.with_suffix(".json"), content | {"recipe": new.recipe})

    def _free_id(self, name: str) -> str:
        """An id that no song has, made from a name: "my-song", "my-song-2"."""
        letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        stem = "-".join(re.findall(r"[a-z0-9]+", letters))[: MAX_ID - 8].strip("-") or DEFAULT_NAME
        song, number = stem, 1
        while song in RESERVED or (self.path / song).exists():
            number += 1
            song = f"{stem}-{number}"
        return song


def _name(name: Any) -> str:
    """The name of a song as one line. Raises InputError if it is no text."""
    if not isinstance(name, str):
        raise InputError(f"name {name!r:.40}: must be a text")
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:MAX_NAME] or DEFAULT_NAME


def _read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one if the file does not hold an object."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
