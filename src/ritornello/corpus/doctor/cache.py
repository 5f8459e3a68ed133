"""The doctor's cache of its results for a folder, so that the next run reads only new files.

The cache of a folder is one file in the user's cache folder, never in the folder that is examined. It is a
series of messages (ipc.py): first the settings, then rows of up to 4,096 files each and the sketches of their
songs. A file is recognized by its path, size and time of change, or if it was moved or touched, by its
content.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.duplicates.sketch import SKETCH
from ritornello.corpus.duplicates.sketch import VERSION as SKETCH_VERSION
from ritornello.corpus.sources.scan import Source
from ritornello.errors import OutputError
from ritornello.system.files import replacing, sha256
from ritornello.system.ipc import receive, send
from ritornello.system.made_files import cache_folder as cache_folder
from ritornello.system.version import __version__

FORMAT = 3  # a cache of another format, or with another version of sketches, is ignored
FILES_PER_MESSAGE = 4096
DAMAGE_ERRORS = (ValueError, KeyError, TypeError, IndexError, AttributeError)


class FileRecord(NamedTuple):
    """The row of a file (worker.read_batch with `diagnose`), and the sketch of its song, if any."""

    source: Source
    row: dict[str, Any]
    sketch: bytes = b""


@dataclass
class DoctorCache:
    """The records of a folder, grouped by source; the group of an archive has its songs, then the archive."""

    path: Path
    checks: CheckSettings
    groups: dict[Source, list[FileRecord]] = field(default_factory=dict)
    changed: bool = False
    _open_group: list[FileRecord] = field(default_factory=list)
    _by_hash: dict[str, FileRecord] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, checks: CheckSettings, cache: Path | None = None) -> DoctorCache:
        """Open the cache of `folder`, or start one if it has other settings or is of another version."""
        root = os.fsencode(folder.resolve())
        opened = cls((cache or cache_folder()) / f"doctor-{sha256(root)[:16]}", checks)
        try:
            with opened.path.open("rb") as file:
                if receive(file)[0] == opened._settings():
                    while True:
                        opened._load(*receive(file))
        except (OSError, EOFError, *DAMAGE_ERRORS):  # keep the messages before the end or the damage
            opened.changed, opened._open_group = False, []
        return opened

    def is_known(self, source: Source) -> bool:
        """Whether there is a record of the source as it is now."""
        return source in self.groups

    def add_known_content(self, folder: Path, source: Source) -> bool:
        """Add a source if its content has a record under another path or time; return whether it has one."""
        if source.is_archive or not self._by_hash or not 0 < source.size <= self.checks.max_file_bytes:
            return False
        try:
            with open(os.path.join(os.fsencode(folder), source.path), "rb") as file:  # noqa: PTH118, PTH123
                record = self._by_hash.get(sha256(file.read(source.size + 1)))
        except OSError:
            return False
        if record:
            self.add(record._replace(source=source))
        return record is not None

    def add(self, record: FileRecord) -> None:
        """Add a record; the records of the songs of an archive come before the record of the archive."""
        self._open_group.append(record)
        if not record.source.number:
            if record.row["fate"] != "cannot open":  # new permissions would not change its time
                self.groups[record.source] = self._open_group
            self._open_group = []
            self.changed = True
        if record.row["hash"]:
            self._by_hash[record.row["hash"]] = record

    def keep_only(self, sources: Iterable[Source]) -> None:
        """Remove the groups of all other sources."""
        self._replace_groups({source: self.groups[source] for source in sources if source in self.groups})

    def remove_outcomes(self, outcomes: Collection[str]) -> None:
        """Remove the records with one of these outcomes, and the archives with such a song."""
        groups = self.groups.items()
        self._replace_groups({s: g for s, g in groups if not any(file.row["fate"] in outcomes for file in g)})
        self._by_hash = {h: file for h, file in self._by_hash.items() if file.row["fate"] not in outcomes}

    def _replace_groups(self, groups: dict[Source, list[FileRecord]]) -> None:
        self.changed |= len(groups) != len(self.groups)
        self.groups = groups

    def save(self) -> str:
        """Write the cache if it has changed; return the reason if it cannot be written, else ""."""
        if not self.changed:
            return ""
        records = [record for group in self.groups.values() for record in group]
        try:
            with replacing(self.path) as temporary, temporary.open("wb") as file:
                send(file, self._settings())
                for start in range(0, len(records), FILES_PER_MESSAGE):
                    some = records[start : start + FILES_PER_MESSAGE]
                    rows = [[r.source.path.decode("latin-1"), *r.source[1:], r.row] for r in some]
                    send(file, rows, [b"".join(r.sketch for r in some)])
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
            source = Source(path.encode("latin-1"), size, mtime_ns, number)
            self.add(FileRecord(source, row, arrays[0][start:stop]))
            start = stop
