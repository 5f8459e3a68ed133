"""Write the shards of a corpus. A shard has a temporary name until it is complete."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import import_pyarrow, songs_schema
from ritornello.corpus.duplicates.sketch import SKETCH
from ritornello.corpus.sources.scan import Source
from ritornello.corpus.workers.pool import BatchResult
from ritornello.corpus.workers.worker import ARRAYS, EVENT_WIDTHS, ITEM_BYTES
from ritornello.errors import OutputError
from ritornello.music.score import COLUMNS
from ritornello.music.theory import CHORD_KINDS
from ritornello.system.files import output_errors, sha256_file, write_json

DTYPES: dict[str, Any] = {**COLUMNS, "sketches": SKETCH}
HEADER_BYTES = 192  # the header of each npy file: long enough for every dtype here, and a multiple of 64
NO_HASH = bytes(32)  # the hash of a file that could not be opened


class ShardWriter:
    """Write shard `number` of the corpus in `folder`: `add` files in order, then `finish` or `discard`."""

    def __init__(self, folder: Path, number: int) -> None:
        self.name = f"{number:05d}"
        self.folder = folder / "shards"
        self.temporary = self.folder / f".{self.name}.tmp"
        self.rows: list[dict[str, Any]] = []
        self.sources: list[Source] = []
        self.songs = self.notes = self.bytes = 0
        self._events: dict[str, list[bytes]] = {name: [] for name in EVENT_WIDTHS}
        with output_errors(self.temporary):
            if self.temporary.exists():
                shutil.rmtree(self.temporary)
            self.temporary.mkdir(parents=True)
            self._files: dict[str, BinaryIO] = {
                name: (self.temporary / f"{name}.npy").open("wb") for name in DTYPES
            }
            for file in self._files.values():
                file.write(bytes(HEADER_BYTES))

    def add(self, sources: list[Source], result: BatchResult, start: int, stop: int) -> None:
        """Add the files from `start` to before `stop` of `result`, whose files have the `sources`."""
        arrays = dict(zip(ARRAYS, _slices(result, start, stop), strict=True))
        with output_errors(self.temporary):
            for name, file in self._files.items():
                self._write(file, arrays[name])
        for name, pieces in self._events.items():
            pieces.append(bytes(arrays[name]))
        self.rows += result.rows[start:stop]
        self.sources += sources[start:stop]
        self.songs += sum(row["notes"] > 0 for row in result.rows[start:stop])
        self.notes += sum(row["notes"] for row in result.rows[start:stop])

    def _write(self, file: BinaryIO, data: memoryview) -> None:
        file.write(data)
        self.bytes += len(data)

    def finish(self) -> dict[str, Any]:
        """Write the remaining files and give the shard its name; return its entry for the manifest."""
        with output_errors(self.temporary):
            for name, file in self._files.items():
                file.seek(0)
                file.write(_header(DTYPES[name], (self.songs if name == "sketches" else self.notes,)))
                _close(file)
            stamps = np.array([source[1:] for source in self.sources], dtype="<i8").reshape(-1, 3)
            with (self.temporary / "stamps.npy").open("wb") as file:
                file.write(_header(stamps.dtype, stamps.shape) + stamps.tobytes())
            songs = self.temporary / "songs.parquet"
            import_pyarrow().parquet.write_table(self._table(), songs, compression="zstd")
            paths = [self.temporary / name for name in (*(f"{name}.npy" for name in DTYPES), "songs.parquet")]
            entry = {
                "name": self.name,
                "rows": len(self.rows),
                "songs": self.songs,
                "notes": self.notes,
                "files": {path.name: (path.stat().st_size, sha256_file(path)) for path in paths},
            }
            for name in ("songs.parquet", "stamps.npy"):
                with (self.temporary / name).open("rb+") as file:
                    os.fsync(file.fileno())
        write_json(self.temporary / "shard.json", entry)
        with output_errors(self.folder / self.name):
            self.temporary.rename(self.folder / self.name)
            _sync_folder(self.folder)
        return entry

    def discard(self) -> None:
        """Delete the unfinished shard."""
        for file in self._files.values():
            file.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _table(self) -> Any:
        """The rows as the table of songs.parquet."""
        pa = import_pyarrow()
        schema, rows = songs_schema(), self.rows
        notes = np.array([row["notes"] for row in rows], dtype=np.int64)
        values: dict[str, Any] = {
            "path": [source.path for source in self.sources],
            "hash": [bytes.fromhex(row["hash"]) or NO_HASH for row in rows],
            "fate": [row["fate"] for row in rows],
            "reason": [row["reason"] for row in rows],
            "dropped": [json.dumps(row["dropped"], sort_keys=True) for row in rows],
            "offset": np.cumsum(notes) - notes,
            "notes": notes.astype(np.int32),
            "ticks_per_beat": [row.get("ticks_per_beat", 0) for row in rows],
            "title": [row.get("title", "") for row in rows],
        }
        columns = {name: pa.array(value, schema.field(name).type) for name, value in values.items()}
        for name in ("parts", "markers"):
            lists = [list(map(tuple, row.get(name, ()))) for row in rows]
            columns[name] = pa.array(lists, schema.field(name).type)
        for place, name in enumerate(EVENT_WIDTHS):
            counts = [row["events"][place] if row["notes"] else 0 for row in rows]
            columns[name] = _numbers(b"".join(self._events[name]), name, counts, schema.field(name).type)
        return pa.table([columns[name] for name in schema.names], schema=schema)


def _slices(result: BatchResult, start: int, stop: int) -> list[memoryview]:
    """The slices of the arrays of `result` that belong to its files from `start` to before `stop`."""
    arrays = [memoryview(array) for array in result.arrays]
    if start == 0 and stop == len(result.rows):
        return arrays
    counts = np.array(  # (files, arrays): items of each file in each array
        [
            [row["notes"]] * len(COLUMNS) + row["events"] + [1] if row["notes"] else [0] * len(arrays)
            for row in result.rows
        ]
    ).reshape(len(result.rows), len(arrays))
    first = counts[:start].sum(axis=0) * ITEM_BYTES
    last = counts[:stop].sum(axis=0) * ITEM_BYTES
    return [array[a:b] for array, a, b in zip(arrays, first.tolist(), last.tolist(), strict=True)]


def _header(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """The header of an npy file (version 1.0), always HEADER_BYTES long.

    The length of a header that numpy writes depends on the shape, which is not known when the data is
    written.
    """
    described = np.lib.format.dtype_to_descr(np.dtype(dtype).newbyteorder("<"))
    text = f"{{'descr': {described!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    if len(text) + 11 > HEADER_BYTES:
        raise ValueError(f"the header of {dtype} needs over {HEADER_BYTES} bytes")
    padded = text.ljust(HEADER_BYTES - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


def _close(file: BinaryIO) -> None:
    """Close a file once its content is on disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _sync_folder(path: Path) -> None:
    """Make sure that the names in a folder are on disk, if the system can do so."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _numbers(data: bytes, name: str, counts: list[int], kind: Any) -> Any:
    """The column of lists of events that are whole numbers, from their bytes: (N, width) int32."""
    pa = import_pyarrow()
    table: npt.NDArray[np.int32] = np.frombuffer(data, "<i4").reshape(-1, EVENT_WIDTHS[name])
    fields = []
    for place, values in enumerate(table.T):
        field = kind.value_type.field(place)
        if field.type == pa.string():  # the kind of a chord is an index into CHORD_KINDS
            fields.append(pa.array(CHORD_KINDS).take(pa.array(values)))
        else:
            fields.append(pa.array(np.ascontiguousarray(values)).cast(field.type))
    names = [kind.value_type.field(i).name for i in range(kind.value_type.num_fields)]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(fields, names=names))


@contextmanager
def explain_full_disk(folder: Path, needed_bytes: Callable[[], int]) -> Iterator[None]:
    """If an OutputError is due to a full disk, add how many bytes are still needed and how many are free."""
    try:
        yield
    except OutputError as error:
        if getattr(error.__cause__, "errno", None) not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(folder).free
        message = f"{error}: about {needed_bytes():,} bytes are needed, {free:,} are free"
        raise OutputError(message) from error.__cause__
