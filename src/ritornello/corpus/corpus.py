"""A corpus: songs packed in a folder for training, read from disk as they are needed.

    CORPUS/
      manifest.json           version, settings, counts, and the size and SHA-256 of every file below
      index-<hash>.parquet    a row per file: path, hash, outcome, labels, split, place of its notes
      shards/00000/           up to 4,096 songs, written once and never changed
        onset_ticks.npy  duration_ticks.npy  pitch.npy  velocity.npy  part.npy      11 bytes per note
        songs.parquet         a row per file: the outcome of reading it, and its Score without the notes
        sketches.npy          1 KiB per song, for finding duplicates when the corpus grows
        shard.json            size and SHA-256 of the files above
        stamps.npy            size, time of change and place in its archive of each file, so that an
                              unchanged file need not be read again

A song's number is its row in the index; it never changes as the corpus grows. The column "fate" has the
outcome of a file (outcomes.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.outcomes import KEPT
from ritornello.errors import CorpusError
from ritornello.music.score import COLUMNS, Chord, KeySignature, Marker, Meter, Part, Score, Tempo
from ritornello.system.files import file_path, sha256, sha256_file

FORMAT = "ritornello corpus"
VERSION = 1
SHARD_SONGS = 4096
SPLITS = ("train", "valid", "test")
EVENTS: dict[str, Any] = {"parts": Part, "tempi": Tempo, "meters": Meter, "keys": KeySignature}
EVENTS |= {"chords": Chord, "markers": Marker}


class SongInfo(NamedTuple):
    """The row of a file in the index.

    `path` is relative to the prepared folder, as bytes (names need not be UTF-8); `hash` is the SHA-256 of
    the file in hex. `split` is empty unless the outcome is "kept"; `duplicate_of` is a song's number or -1.
    """

    path: bytes
    hash: str
    outcome: str
    reason: str
    labels: tuple[str, ...]
    split: str
    duplicate_of: int
    notes: int

    @property
    def name(self) -> str:
        """The path as text, undecodable bytes written as \\x.."""
        return self.path.decode("utf-8", "backslashreplace")

    @property
    def fate(self) -> str:
        """The earlier name of `outcome`."""
        return self.outcome


def import_pyarrow() -> Any:
    """Import pyarrow, which reads and writes parquet. Raises CorpusError if it is not installed."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise CorpusError('a corpus needs pyarrow: pip install "ritornello[train]"') from error
    return pyarrow


def songs_schema() -> Any:
    """The columns of a shard's songs.parquet."""
    pa = import_pyarrow()
    ints = {"onset_ticks": pa.int32()}
    kinds: dict[str, dict[str, Any]] = {
        "parts": {"name": pa.string(), "program": pa.uint8(), "is_drum": pa.bool_()},
        "tempi": ints | {"us_per_beat": pa.int32()},
        "meters": ints | {"numerator": pa.uint8(), "denominator": pa.uint8()},
        "keys": ints | {"sharps": pa.int8(), "is_minor": pa.bool_()},
        "chords": ints | {"root": pa.uint8(), "kind": pa.string()},
        "markers": ints | {"text": pa.string()},
    }
    columns = {
        "path": pa.binary(),
        "hash": pa.binary(32),  # SHA-256 of the file
        "fate": pa.string(),
        "reason": pa.string(),
        "dropped": pa.string(),  # JSON: what reading left out of the Score, counted by kind
        "offset": pa.int64(),  # of the first note in the columns of the shard
        "notes": pa.int32(),
        "ticks_per_beat": pa.int32(),
        "title": pa.string(),
    }
    columns |= {name: pa.list_(pa.struct(list(kind.items()))) for name, kind in kinds.items()}
    return pa.schema(list(columns.items()))


def index_schema() -> Any:
    """The columns of the index, one row per file."""
    pa = import_pyarrow()
    return pa.schema(
        {
            "path": pa.binary(),
            "hash": pa.binary(32),
            "fate": pa.string(),  # the outcome
            "reason": pa.string(),
            "labels": pa.list_(pa.string()),
            "split": pa.string(),
            "duplicate_of": pa.int64(),
            "likeness": pa.float32(),  # estimated Jaccard similarity to `duplicate_of`
            "shard": pa.int32(),
            "row": pa.int32(),  # in the shard's songs.parquet
            "offset": pa.int64(),
            "notes": pa.int32(),
        }
    )


@dataclass(frozen=True, eq=False)
class Corpus:
    """The songs of a prepared folder. A shard is memory-mapped when the first of its songs is read."""

    path: Path
    manifest: Mapping[str, Any]
    hash: str
    verify: bool = True
    _shards: dict[int, Shard] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def open(cls, path: str | Path, *, verify: bool = True) -> Corpus:
        """Open the corpus in the folder `path`. Sizes of files are checked now, SHA-256 before first use.

        `verify=False` does not check SHA-256. Raises CorpusError if the corpus is missing, unfinished,
        damaged, or of a newer version.
        """
        manifest, digest = read_manifest(path := file_path(path, "corpus"))
        if not manifest["index"]:
            raise CorpusError(f"{str(path)!r} is not finished: run `ritornello prepare` again to finish it")
        corpus = cls(path, manifest, digest, verify)
        _check_sizes(path, "index", manifest["index"])
        for shard in manifest["shards"]:
            _check_sizes(path / "shards" / shard["name"], f"shard {shard['name']}", shard["files"])
        return corpus

    def __len__(self) -> int:
        """The number of files, whatever their outcome."""
        return int(self.manifest["files"])

    def __repr__(self) -> str:
        return f"<Corpus {str(self.path)!r}: {self.manifest['kept']} songs kept of {len(self)} files>"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that at least 8 songs have, sorted."""
        return tuple(self.manifest["labels"])

    @cached_property
    def note_counts(self) -> npt.NDArray[np.int64]:
        """The notes of each song, (len,) int64; 0 for a file that could not be read."""
        return np.asarray(self.index["notes"].to_numpy(), dtype=np.int64)

    def songs(self, split: str | None = None) -> npt.NDArray[np.int64]:
        """The numbers of the kept songs, (K,) int64; of one `split` ("train", "valid" or "test") or of all.

        Raises CorpusError for another `split`.
        """
        if split is not None and split not in SPLITS:
            raise CorpusError(f"split {split!r}: must be one of {', '.join(SPLITS)}")
        column, value = ("fate", KEPT) if split is None else ("split", split)
        return np.flatnonzero(import_pyarrow().compute.equal(self.index[column], value).to_numpy())

    def info(self, song: int) -> SongInfo:
        """The index row of song number `song`. Raises CorpusError if the number is out of range."""
        row = self._row(song)
        same = {name: row[name] for name in ("path", "reason", "split", "duplicate_of", "notes")}
        return SongInfo(hash=row["hash"].hex(), outcome=row["fate"], labels=tuple(row["labels"]), **same)

    def score(self, song: int) -> Score:
        """The Score of song number `song`, also of a duplicate. Raises CorpusError if it has no notes."""
        row = self._row(song)
        if not row["notes"]:
            name = row["path"].decode("utf-8", "backslashreplace")
            raise CorpusError(f"song {song} ({name!r}) has no notes: {row['fate']}, {row['reason']}")
        shard = self._shard(row["shard"])
        notes = slice(row["offset"], row["offset"] + row["notes"])
        row_of_shard = shard.songs.slice(row["row"], 1).to_pylist()[0]
        events: dict[str, Any] = {
            name: tuple(kind(**event) for event in row_of_shard[name]) for name, kind in EVENTS.items()
        }
        columns: dict[str, Any] = {name: column[notes] for name, column in shard.columns.items()}
        return Score(row_of_shard["ticks_per_beat"], **columns, **events, title=row_of_shard["title"])

    @cached_property
    def index(self) -> Any:
        """The index as an Arrow table with the columns of `index_schema`; row i is song number i."""
        (name,) = self.manifest["index"]
        if self.verify:
            _check_hashes(self.path, "index", self.manifest["index"])
        return _read_table(self.path / name, index_schema(), "index")

    def _row(self, song: int) -> dict[str, Any]:
        if not 0 <= song < len(self):
            raise CorpusError(f"song {song}: must be 0-{len(self) - 1} in {str(self.path)!r}")
        return dict(self.index.slice(song, 1).to_pylist()[0])

    def _shard(self, number: int) -> Shard:
        if number not in self._shards:
            entry = self.manifest["shards"][number]
            self._shards[number] = open_shard(self.path, entry, verify=self.verify)
        return self._shards[number]


class Shard(NamedTuple):
    """An open shard: its table songs.parquet and its columns of notes, (notes,) each, memory-mapped."""

    songs: Any
    columns: dict[str, npt.NDArray[Any]]


def open_shard(path: Path, entry: Mapping[str, Any], *, verify: bool = True) -> Shard:
    """Open the shard of the corpus `path` with this manifest `entry`. Raises CorpusError if damaged."""
    name, folder = f"shard {entry['name']}", path / "shards" / entry["name"]
    if verify:
        _check_hashes(folder, name, entry["files"])
    columns = {}
    for column, dtype in COLUMNS.items():
        try:
            mapped = np.load(folder / f"{column}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CorpusError(f"{name} of {str(path)!r} is damaged: {column}.npy: {error}") from error
        if mapped.dtype != np.dtype(dtype).newbyteorder("<") or mapped.shape != (entry["notes"],):
            raise CorpusError(f"{name} of {str(path)!r} is damaged: {column}.npy has another type or length")
        columns[column] = mapped
    return Shard(_read_table(folder / "songs.parquet", songs_schema(), name), columns)


def read_manifest(path: Path) -> tuple[dict[str, Any], str]:
    """Read the manifest of the corpus `path` and its SHA-256. Raises CorpusError if there is none."""
    if not path.is_dir():
        state = "is a file" if path.exists() else "does not exist"
        raise CorpusError(f"{str(path)!r} {state}: must be a corpus folder made by `ritornello prepare`")
    try:
        data = (path / "manifest.json").read_bytes()
        manifest = json.loads(data)
        version = manifest["version"] if manifest["format"] == FORMAT else None
    except FileNotFoundError as error:
        raise CorpusError(f"{str(path)!r} is not a corpus: it has no manifest.json") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorpusError(f"{str(path)!r} is not a corpus: its manifest.json cannot be read") from error
    if not isinstance(version, int):
        raise CorpusError(f"{str(path)!r} is not a corpus: its manifest.json says {manifest['format']!r}")
    if version > VERSION:
        raise CorpusError(
            f"{str(path)!r} is a corpus of version {version}: must be at most {VERSION}; update Ritornello"
        )
    return manifest, sha256(data)


def _check_sizes(folder: Path, group: str, files: Mapping[str, Any]) -> None:
    for name, (size, _) in files.items():
        size_now = (folder / name).stat().st_size if (folder / name).is_file() else None
        if size_now != size:
            state = "is missing" if size_now is None else f"has {size_now} bytes: must have {size}"
            raise CorpusError(f"{group} in {str(folder)!r} is damaged: {name} {state}")


def _check_hashes(folder: Path, group: str, files: Mapping[str, Any]) -> None:
    for name, (_, digest) in files.items():
        try:
            hash_now = sha256_file(folder / name)
        except OSError as error:
            raise CorpusError(
                f"cannot read {name} of {group} in {str(folder)!r}: {error.strerror}"
            ) from error
        if hash_now != digest:
            raise CorpusError(f"{group} in {str(folder)!r} is damaged: {name} has changed (another SHA-256)")


def _read_table(file: Path, schema: Any, group: str) -> Any:
    pa = import_pyarrow()
    try:
        table = pa.parquet.read_table(file, memory_map=True)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{group} is damaged: {str(file)!r} cannot be read") from error
    if not table.schema.equals(schema):
        raise CorpusError(
            f"{group} is damaged: {str(file)!r} has other columns than {', '.join(schema.names)}"
        )
    return table
