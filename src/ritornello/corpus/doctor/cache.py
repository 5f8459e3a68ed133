"""Memory: what the doctor found in a folder, kept between runs, so that only what is new is read again.

One file a folder, in the user's cache folder and never in the folder that is examined: messages of `wire`,
the first with the settings, the others with what became of 4,096 files each and the sketches of their songs.
A file is known by its path, size and time of change; one that was moved or touched, by its content.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ritornello.corpus.checks.check import Checks
from ritornello.corpus.duplicates.sketch import SKETCH
from ritornello.corpus.duplicates.sketch import VERSION as SKETCH_VERSION
from ritornello.corpus.sources.scan import Source
from ritornello.corpus.workers.ipc import receive, send
from ritornello.errors import OutputError
from ritornello.system.files import replacing, sha256
from ritornello.system.version import __version__

FORMAT = 2  # of what is remembered: what has another one, or sketches made another way, is read again
CHUNK = 4096  # files in a message
DAMAGE = (ValueError, KeyError, TypeError, IndexError, AttributeError)


class Seen(NamedTuple):
    """A file that was looked at: its row (worker.examine, for the doctor) and its song's sketch, if any."""

    source: Source
    row: dict[str, Any]
    sketch: bytes = b""


@dataclass
class Memory:
    """What is known of a folder: by source what was seen in it, for an archive its songs and last itself."""

    path: Path
    checks: Checks
    groups: dict[Source, list[Seen]] = field(default_factory=dict)
    changed: bool = False
    _pending: list[Seen] = field(default_factory=list)
    _contents: dict[str, Seen] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, checks: Checks, cache: Path | None = None) -> Memory:
        """The memory of `folder`; empty where there is none, or one of another version or other settings."""
        root = os.fsencode(folder.resolve())
        memory = cls((cache or cache_folder()) / f"doctor-{sha256(root)[:16]}", checks)
        try:
            with memory.path.open("rb") as file:
                if receive(file)[0] == memory._settings():
                    while True:
                        memory._load(*receive(file))
        except (OSError, EOFError, *DAMAGE):  # it only saves time: what is left of a damaged one is good
            memory.changed, memory._pending = False, []
        return memory

    def knows(self, source: Source) -> bool:
        """Whether a source was seen as it is now."""
        return source in self.groups

    def recall(self, folder: Path, source: Source) -> bool:
        """Whether a source that is not known by its time proves, by its content, to have been seen before."""
        if source.is_archive or not self._contents or not 0 < source.size <= self.checks.max_file_bytes:
            return False
        try:
            with open(os.path.join(os.fsencode(folder), source.path), "rb") as file:  # noqa: PTH118, PTH123
                found = self._contents.get(sha256(file.read(source.size + 1)))
        except OSError:
            return False
        if found:
            self.add(found._replace(source=source))
        return found is not None

    def add(self, seen: Seen) -> None:
        """Note what was seen; the songs of an archive come before it."""
        self._pending.append(seen)
        if not seen.source.number:
            if seen.row["fate"] != "cannot open":  # it may be opened by now, without a trace
                self.groups[seen.source] = self._pending
            self._pending = []
            self.changed = True
        if seen.row["hash"]:
            self._contents[seen.row["hash"]] = seen

    def keep_only(self, sources: Iterable[Source]) -> None:
        """Forget what is no longer there."""
        groups = {source: self.groups[source] for source in sources if source in self.groups}
        self.changed |= len(groups) != len(self.groups)
        self.groups = groups

    def forget(self, fates: Collection[str]) -> None:
        """Forget what ended with one of these fates, and the archives with such songs in them."""
        groups = {s: g for s, g in self.groups.items() if not any(seen.row["fate"] in fates for seen in g)}
        self.changed |= len(groups) != len(self.groups)
        self.groups = groups
        self._contents = {h: seen for h, seen in self._contents.items() if seen.row["fate"] not in fates}

    def write(self) -> str:
        """Keep all that is known, if it has changed; returns why that is impossible, "" where all is well."""
        if not self.changed:
            return ""
        try:
            with replacing(self.path) as temporary, temporary.open("wb") as file:
                send(file, self._settings())
                for seen in _chunks(each for group in self.groups.values() for each in group):
                    rows = [[s.source.path.decode("latin-1"), *s.source[1:], s.row] for s in seen]
                    send(file, rows, [b"".join(s.sketch for s in seen)])
        except OutputError as error:
            return str(error)
        self.changed = False
        return ""

    def _settings(self) -> dict[str, Any]:
        checks = asdict(self.checks)
        return {"format": FORMAT, "version": __version__, "sketch": SKETCH_VERSION, "checks": checks}

    def _load(self, rows: list[Any], arrays: list[bytes]) -> None:
        start = 0
        for path, size, mtime_ns, number, row in rows:
            stop = start + SKETCH.itemsize * (row["notes"] > 0)
            self.add(Seen(Source(path.encode("latin-1"), size, mtime_ns, number), row, arrays[0][start:stop]))
            start = stop


def _chunks(all_seen: Iterator[Seen]) -> Iterator[list[Seen]]:
    chunk: list[Seen] = []
    for seen in all_seen:
        chunk.append(seen)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def cache_folder() -> Path:
    """Where programs keep what they can make again: RITORNELLO_CACHE, or as the system has it."""
    if own := os.environ.get("RITORNELLO_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "ritornello"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ritornello"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ritornello"
