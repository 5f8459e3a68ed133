"""Turn the request of a job into its work, which reads songs from the folder and writes new ones to it."""

from __future__ import annotations

from typing import Any

from ritornello.errors import InputError
from ritornello.studio.jobs import Emit, Work
from ritornello.studio.routes import KINDS
from ritornello.studio.settings import StudioSettings
from ritornello.studio.songs import MODELS, NewVersion, SongsFolder
from ritornello.studio.worker import Worker

MAX_TAKES = 4
SONG_OPTIONS = ("melody", "prompt", "chords_from")  # options whose values are versions, such as "song/3"
OF_A_SONG = ("redo", "vary", "change", "perform")  # jobs that change a song
TAKES = ("redo", "vary")  # jobs whose versions become the head only if the user accepts them


class JobMaker:
    """Turns requests for jobs into work."""

    def __init__(self, settings: StudioSettings, folder: SongsFolder) -> None:
        self.settings, self.folder = settings, folder

    def work(self, body: dict[str, Any]) -> tuple[str, str | None, Work]:
        """The kind of a requested job, the song that it changes if any, and its work.

        Raises InputError, NotFoundError.
        """
        kind, options = body.get("kind"), body.get("options", {})
        if kind not in KINDS:
            raise InputError(f"kind {kind!r:.40}: must be one of {', '.join(KINDS)}")
        if not isinstance(options, dict):
            raise InputError(f"options {options!r:.40}: must be an object")
        request = {"do": kind, "options": self._resolved(options), "model": self._model(body.get("model"))}
        if kind == "sketch":
            return kind, None, lambda worker, emit: worker.call(request, (), _events(emit))[0]
        if kind == "compose":
            return kind, None, self._compose(request, body)
        if kind in OF_A_SONG:
            return kind, body.get("song"), self._of_a_song(kind, request, body)
        return kind, None, self._of_music(kind, body)

    def _compose(self, request: dict[str, Any], body: dict[str, Any]) -> Work:
        name, sketch = body.get("name"), request["options"].get("sketch")

        def work(worker: Worker, emit: Emit) -> dict[str, Any]:
            value, (midi,) = worker.call(request, (), _events(emit))
            new = _new_version(value | {"action": f"compose {value['action']}"}, midi, sketch)
            song = self.folder.create(name or value["action"].partition(",")[0], new)
            return {"song": song["id"], "version": song["head"]}

        return work

    def _of_a_song(self, kind: str, request: dict[str, Any], body: dict[str, Any]) -> Work:
        song, parent = body.get("song"), body.get("parent")
        if not isinstance(song, str):
            raise InputError(f"song {song!r:.40}: must be the id of a song")
        info = self.folder.version(song, parent if parent is not None else self.folder.song(song)["head"])
        version = int(info["version"])
        midi, path = self.folder.midi(song, version), self.folder.midi_path(song, version)
        request |= {"path": str(path), "recipe": info["recipe"]}
        if kind == "redo" and not 1 <= request["options"].setdefault("takes", 1) <= MAX_TAKES:
            raise InputError(f"takes {request['options']['takes']}: must be 1-{MAX_TAKES}")
        if kind in TAKES and "lock" not in request["options"]:
            request["options"]["lock"] = _locks(self.folder.song(song)["locks"])

        def work(worker: Worker, emit: Emit) -> dict[str, Any]:
            values, files = worker.call(request, [midi], _events(emit))
            versions = []
            for value, file in zip(values, files, strict=True):
                new = _new_version(value, file)
                versions.append(self.folder.add(song, version, new, is_take=kind in TAKES))
                emit("take", {"version": versions[-1]})
            return {"song": song, "version": versions[0], "takes": versions}

        return work

    def _of_music(self, kind: str, body: dict[str, Any]) -> Work:
        """The work of `learn` or `doctor`. Raises InputError for a folder that is not in the settings."""
        music, minutes = body.get("music"), body.get("minutes", 20)
        if music not in self.settings.music:
            names = ", ".join(self.settings.music) or "none: start the studio with --music FOLDER"
            raise InputError(f"music {music!r:.60}: must be one of {names}")
        if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 < minutes <= 24 * 60:
            raise InputError(f"minutes {minutes!r:.20}: must be above 0 and at most {24 * 60}")
        out = self.settings.songs / MODELS / f"{music}-model"
        request = {"do": kind, "folder": str(self.settings.music[music]), "out": str(out), "minutes": minutes}

        def work(worker: Worker, emit: Emit) -> dict[str, Any]:
            value, files = worker.call(request, (), _events(emit))
            songs = [
                self.folder.create(f"{music} {number}", NewVersion(file, f"learn from {music}"))
                for number, file in enumerate(files, 1)
            ]
            return {**value, "songs": [song["id"] for song in songs]}

        return work

    def _resolved(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options, with paths in place of versions of songs. Raises InputError, NotFoundError."""
        resolved = dict(options)
        for name in SONG_OPTIONS:
            if (value := options.get(name)) is None:
                continue
            song, _, version = str(value).rpartition("/")
            if not version.isdecimal() or len(version) > 9:
                raise InputError(f"{name} {value!r:.60}: must be a version of a song, such as my-song/3")
            resolved[name] = str(self.folder.midi_path(song, int(version)))
        return resolved

    def _model(self, name: Any) -> str | None:
        """The path of a model that this studio trained; None gives the studio's model. Raises InputError."""
        if name is None:
            return self.settings.model
        if name not in self.folder.models():
            raise InputError(f"model {name!r:.60}: must be one that this studio trained")
        return str(self.settings.songs / MODELS / name)


def _new_version(value: dict[str, Any], midi: bytes, sketch: dict[str, Any] | None = None) -> NewVersion:
    """The version that a worker process made; `value` is its answer."""
    originality = value.get("originality")
    return NewVersion(midi, value["action"], value["command"], value["recipe"], sketch, originality)


def _events(emit: Emit) -> Any:
    """A function that adds the events of a worker process to a job."""
    return lambda answer, arrays: emit(answer["event"], answer["data"], *arrays)


def _locks(locks: list[Any]) -> list[str]:
    """The locks of a song in the form of the option `lock`: "2", "5-8", "2:5-8", with parts from 1.

    A lock is such a text, or an object with `part` (from 0), `bars` (the first and the last), or both.
    Raises InputError.
    """
    texts = []
    for lock in locks:
        if isinstance(lock, str):
            texts.append(lock)
        elif isinstance(lock, dict):
            part, bars = lock.get("part"), lock.get("bars")
            try:
                words = [] if part is None else [str(part + 1)]
                words += [] if bars is None else [f"{bars[0]}-{bars[-1]}"]
            except (TypeError, IndexError, KeyError) as error:
                raise InputError(
                    f"lock {lock!r:.60}: must have a part (from 0) and bars [first, last]"
                ) from error
            texts.append(":".join(words))
    return [text for text in texts if text]
