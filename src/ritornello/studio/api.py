"""The functions that answer the requests in the table of routes.py.

They read and write the folder of songs, queue jobs, and call worker processes.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ritornello.errors import InputError
from ritornello.studio.command_line import OPTIONS, described_options
from ritornello.studio.jobs import QUEUE_LIMIT, Job, JobQueue
from ritornello.studio.new_jobs import JobMaker
from ritornello.studio.routes import FORMATS, openapi
from ritornello.studio.settings import StudioSettings
from ritornello.studio.songs import NewVersion, NotFoundError, SongsFolder
from ritornello.studio.worker import AsyncWorker
from ritornello.system.version import __version__

EXPORT_LIMIT_S = 600.0
MAX_CACHED_BYTES = 96 << 20  # of sounds and views
METRONOME = "metronome"


class MediaTypeError(InputError):
    """The body has a content-type that this request does not accept."""


class Api:
    """The state of a studio: its songs, its jobs, and the workers for sound and for files."""

    def __init__(self, settings: StudioSettings) -> None:
        self.settings, self.folder = settings, SongsFolder(settings.songs)
        self.queue = JobQueue()
        self.sounds, self.files = AsyncWorker("sound"), AsyncWorker("files")
        self.maker = JobMaker(settings, self.folder)
        self._cache: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._labels: asyncio.Task[Any] | None = None
        self._background: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Start the worker processes, so that the first requests need not wait for them."""
        self._in_background(self.sounds.call({"do": "warm_sound", "soundfont": self._font(None)}))
        self._labels = self._in_background(
            self.queue.call_composer({"do": "state", "model": self.settings.model})
        )
        self._labels.add_done_callback(lambda _: self._in_background(self.files.call({"do": "warm_files"})))

    def close(self) -> None:
        """End all jobs and processes."""
        self.queue.close()
        self.sounds.close()
        self.files.close()

    # state

    async def state(self, _request: Request) -> Any:
        """The version, the labels of the model, the options of each job, and the files that can be chosen."""
        if self._labels is None or (self._labels.done() and self._labels.exception()):
            self._labels = self._in_background(self.files.call({"do": "state", "model": self.settings.model}))
        labels, _ = await asyncio.shield(self._labels)
        return {
            "version": __version__, **labels, "options": {kind: described_options(kind) for kind in OPTIONS},
            "music": list(self.settings.music), "soundfonts": list(self.settings.soundfonts),
            "models": self.folder.models(), "queue_limit": QUEUE_LIMIT,
            "extras": {name: find_spec(module) is not None for name, module in EXTRAS.items()},
        }  # fmt: skip

    async def openapi(self, _request: Request) -> Any:
        """The description of the interface by OpenAPI."""
        return openapi(__version__)

    # songs

    async def songs(self, _request: Request) -> Any:
        """All songs."""
        return self.folder.listing()

    async def import_song(self, request: Request) -> Any:
        """Make a song from the bytes of a file. Raises MediaTypeError if they come as a form."""
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
            raise MediaTypeError(f"content-type {kind}: must not be a form; send the bytes of the file")
        name = Path(request.query_params.get("name", "song.mid").replace("\\", "/")).name[:200] or "song.mid"
        answer, (midi,) = await self.files.call({"do": "import_song", "name": name}, [await request.body()])
        title = name.rpartition(".")[0] or name
        return self.folder.create(title, NewVersion(midi, f"import {name} ({answer['format']})"))

    async def song(self, request: Request) -> Any:
        """A song with its versions."""
        return self.folder.song(request.path_params["song"])

    async def update_song(self, request: Request) -> Any:
        """Change a song if its head is still the one that the page read. Raises InputError, ConflictError."""
        expected = request.headers.get("if-match", "").strip('"')
        if expected and not expected.isdecimal():
            raise InputError(f"if-match {expected!r:.20}: must be the number of the head")
        changes = await _json_body(request)
        return self.folder.update(request.path_params["song"], changes, int(expected) if expected else None)

    async def delete_song(self, request: Request) -> Any:
        """Move a song to the trash."""
        self.folder.delete(request.path_params["song"])
        return None

    async def edit(self, request: Request) -> Any:
        """Make a version with other notes. Raises InputError."""
        song, body = request.path_params["song"], await _json_body(request)
        parent: Any = body.get("parent")
        action = body.get("action", "edit")
        if not isinstance(action, str):
            raise InputError(f"action {action!r:.40}: must be a text")
        midi = self.folder.midi(song, parent)
        work = {"do": "edit", "notes": body.get("notes"), "parts": body.get("parts")}
        _, (edited,) = await self.sounds.call(work, [midi])
        version = self.folder.add(song, parent, NewVersion(edited, action[:200] or "edit"))
        return {"version": version, "head": version}

    async def version(self, request: Request) -> Any:
        """The content of a version."""
        song, version = _version_of(request)
        info = self.folder.version(song, version)
        data = self._midi_with_root(song, version)
        key = ("view", song, version, info["made_at"])
        if key not in self._cache:
            view, _ = await self.sounds.call({"do": "view"}, data[:1])
            self._keep(key, json.dumps(view, separators=(",", ":")).encode())
            self._in_background(self.sounds.call({"do": "prepare", "soundfont": self._font(None)}, data))
        more_fields = {name: info[name] for name in ("command", "recipe", "action", "parent", "made_at")}
        more_fields["lock_bars"] = self.folder.settings(song)["locks"]
        more_fields["originality"] = self.folder.originality(song, version)
        view_text = self._cached(key)
        text = view_text[:-1] + b"," + json.dumps(more_fields, separators=(",", ":")).encode()[1:]
        return Response(text, media_type="application/json")

    async def originality(self, request: Request) -> Any:
        """The longest run of notes that a version shares with the training songs; computed once."""
        song, version = _version_of(request)
        midi = self.folder.midi(song, version)
        if (shared := self.folder.originality(song, version)) is None:
            work = {"do": "originality", "model": self.settings.model}
            shared, _ = await self.files.call(work, [midi])
            self.folder.keep_originality(song, version, shared)
        return shared

    async def sound(self, request: Request) -> Any:
        """The sound of one bar of a part, or of the metronome."""
        song, version = _version_of(request)
        part, bar = request.path_params["part"], _number("bar", request.path_params["bar"])
        number = part if part == METRONOME else _number("part", part)
        font = self._font(request.query_params.get("soundfont"))
        key = ("sound", song, version, self.folder.made_at(song, version), number, bar, font)
        if key not in self._cache:
            work = {"do": METRONOME if part == METRONOME else "sound", "part": number, "bar": bar}
            data = self._midi_with_root(song, version)
            _, (sound,) = await self.sounds.call(work | {"soundfont": font}, data)
            self._keep(key, sound)
        return Response(self._cached(key), media_type=FORMATS["wav"])

    async def export(self, request: Request) -> Any:
        """Export a version, or one part of it, as a file. Raises InputError."""
        song, version = _version_of(request)
        kind, text = request.path_params["format"], request.query_params.get("part")
        part = None if text is None else _number("part", text)
        if kind not in FORMATS:
            raise InputError(f"format {kind!r:.20}: must be one of {', '.join(FORMATS)}")
        info, data = self.folder.version(song, version), self.folder.midi(song, version)
        if kind == "json":
            if info["recipe"] is None:
                raise InputError(f"version {version}: it has no recipe, because it was not composed")
            data = (json.dumps(info["recipe"], indent=1, ensure_ascii=False) + "\n").encode()
        elif kind != "mid" or part is not None:
            work = {"do": "export", "format": kind, "recipe": info["recipe"]}
            work["part"] = part
            work["soundfont"] = self._font(request.query_params.get("soundfont"))
            _, (data,) = await self.files.call(work, [data], EXPORT_LIMIT_S)
        ending = f"-part-{part + 1}" if part is not None else ""
        name = f"{song}-{version}{ending}.{kind}"
        return Response(data, headers={"Content-Disposition": f'attachment; filename="{name}"'},
                        media_type=FORMATS[kind])  # fmt: skip

    # jobs

    async def jobs(self, _request: Request) -> Any:
        """All jobs that wait, run or have ended."""
        return [job.to_dict() for job in self.queue.jobs.values()]

    async def add_job(self, request: Request) -> Any:
        """Queue a job."""
        kind, song, work = self.maker.work(await _json_body(request))
        return {"job": self.queue.add(kind, song, work).number}

    async def job(self, request: Request) -> Any:
        """One job."""
        return self._job(request).to_dict()

    async def cancel_job(self, request: Request) -> Any:
        """Cancel a job."""
        job = self._job(request)
        self.queue.cancel(job)
        return job.to_dict()

    async def events(self, request: Request) -> Any:
        """Send the events of a job as they come."""
        return StreamingResponse(_event_texts(self._job(request)), media_type="text/event-stream")

    async def sample(self, request: Request) -> Any:
        """The sound of a song that a model composed while it was trained. Raises NotFoundError."""
        number = _number("sample", request.path_params["sample"])
        if (midi := self._job(request).samples.get(number)) is None:
            raise NotFoundError(f"sample {number}: there is none with this number, or it was deleted")
        work = {"do": "export", "format": "wav", "soundfont": self._font(None)}
        _, (sound,) = await self.files.call(work, [midi], EXPORT_LIMIT_S)
        return Response(sound, media_type=FORMATS["wav"])

    def _job(self, request: Request) -> Job:
        """The job that a path names. Raises NotFoundError."""
        number = request.path_params["job"]
        if number not in self.queue.jobs:
            raise NotFoundError(f"job {number!r:.20}: there is none with this number, or it was deleted")
        return self.queue.jobs[number]

    def _font(self, name: str | None) -> str | None:
        """The path of a soundfont by its name; None names the first one. Raises InputError."""
        fonts = self.settings.soundfonts
        if name is None:
            return str(next(iter(fonts.values()))) if fonts else None
        if name not in fonts:
            raise InputError(f"soundfont {name!r:.60}: must be one of {', '.join(fonts)}")
        return str(fonts[name])

    def _midi_with_root(self, song: str, version: int) -> list[bytes]:
        """The MIDI files of a version and of its first ancestor."""
        root = self.folder.root(song, version)
        return [self.folder.midi(song, version), self.folder.midi(song, root)]

    def _keep(self, key: tuple[Any, ...], data: bytes) -> None:
        """Keep an answer in the cache, and delete the oldest ones beyond MAX_CACHED_BYTES."""
        self._cache[key] = data
        while len(self._cache) > 1 and sum(map(len, self._cache.values())) > MAX_CACHED_BYTES:
            self._cache.popitem(last=False)

    def _cached(self, key: tuple[Any, ...]) -> bytes:
        self._cache.move_to_end(key)
        return self._cache[key]

    def _in_background(self, work: Any) -> asyncio.Task[Any]:
        """Start a task that nobody awaits; its errors are ignored here."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        task.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # reads the error, so that none is printed
        return task


EXTRAS = {"sheet": "verovio", "audio": "soundfile", "train": "torch"}


async def _event_texts(job: Job) -> AsyncIterator[str]:
    """The events of a job as server-sent events."""
    async for event, data in job.follow():
        yield f"event: {event}\ndata: {data}\n\n"


async def _json_body(request: Request) -> dict[str, Any]:
    """The JSON object in the body of a request. Raises InputError, MediaTypeError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":
        raise MediaTypeError(f"content-type {kind or 'missing'!r:.60}: must be application/json")
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError("the body: must be an object")
    return content


def _version_of(request: Request) -> tuple[str, int]:
    """The song and the version that a path names."""
    return request.path_params["song"], _number("version", request.path_params["version"])


def _number(name: str, text: str) -> int:
    """The number in a path or a query. Raises NotFoundError if the text is no number."""
    if not text.isdecimal() or len(text) > 9 or not text.isascii():
        raise NotFoundError(f"{name} {text!r:.20}: must be a number from 0 on")
    return int(text)
