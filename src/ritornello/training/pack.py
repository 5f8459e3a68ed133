"""A pack: a file of encoded songs, memory-mapped, from which a crop is read without the rest of its song.

    frames   blocks of BLOCK_ROWS rows, each compressed with LZ4; and for each song its plan (JSON) and
    returns tables   SONG, ENCODING and FRAME: the songs, their encodings, and the beginning of each frame
    FOOTER   the place of the tables, and the hash of the files from which the songs were encoded

A block is stored as planes of bytes: one plane for each field, a second one for fields with more than 255
classes, then a bit for each choice whose `learn` is not the usual one (True if the field has a value). An
encoding with given notes differs little from the encoding without them, so the exclusive or of both is
stored.
"""

import json
import mmap
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ritornello.corpus.corpus import import_pyarrow
from ritornello.music.plan import Plan
from ritornello.representations.table import Field
from ritornello.system.files import replacing

BLOCK_ROWS = 256
# row: of the song in its shard; draw: of its given notes; first: its first encoding; encodings: their number,
# or -1 if it cannot be encoded; plan: the frame of its plan, or of the reason
SONG = np.dtype([(name, "<i4") for name in ("row", "draw", "first", "encodings", "plan")])
ENCODING = np.dtype([("rows", "<i4"), ("low", "<i2"), ("up", "<i2"), ("frame", "<i4")])
FRAME = np.dtype([("offset", "<i8"), ("checksum", "<u4")])
FOOTER = struct.Struct("<8sQIIII32s")  # name, offset of the tables, their lengths and checksum, source
MAGIC = b"ritpack1"


class EncodedSong(NamedTuple):
    """The `values` and `learn` (N, F) of a song, and its plan.

    `range` has the semitones by which it can be transposed, down (at most 0) and up.
    """

    values: npt.NDArray[Any]
    learn: npt.NDArray[np.bool_]
    plan: Plan
    range: tuple[int, int]


class SongHead(NamedTuple):
    """The data of an encoded song that a crop needs before it reads rows; the plan has no `returns`."""

    rows: int
    plan: Plan
    range: tuple[int, int]


class PackedEncoding(NamedTuple):
    """One encoding of a song: its number of rows, its range, and its frames."""

    rows: int
    range: tuple[int, int]
    frames: list[bytes]


class PackedSong(NamedTuple):
    """A song as it is stored; without encodings it could not be encoded, for the `reason`."""

    row: int
    draw: int
    plan: Sequence[bytes] = ()
    encodings: Sequence[PackedEncoding] = ()
    reason: str = ""


class RowCodec:
    """Turns the rows of a representation with these fields into planes of bytes (P, N), and back."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = len(fields)
        self.wide = [i for i, field in enumerate(fields) if field.size > 255 or field.kind == "real"]
        self.choices = [i for i, field in enumerate(fields) if field.kind == "choice"]
        self.void = np.array([fields[i].size for i in self.choices])
        self.planes = self.fields + len(self.wide) + -(-len(self.choices) // 8)
        self._lz4 = import_pyarrow().Codec("lz4_raw")

    def pack(self, row: int, draw: int, encodings: Sequence[EncodedSong]) -> PackedSong:
        """Pack the encodings of a song, the first of which has no given notes.

        Encodings that could not be read back exactly, such as with values beyond 16 bits, are left out.
        """
        plan = pack_plan(encodings[0].plan)
        if unpack_plan(plan[0], plan[1]) != replace(encodings[0].plan, genres=()):
            return PackedSong(row, draw)
        first = self._to_planes(encodings[0])
        packed = []
        for number, encoding in enumerate(encodings):
            planes = self._to_planes(encoding) if number else first
            values, learn = self.rows(planes)
            if not (np.array_equal(values, encoding.values) and np.array_equal(learn, encoding.learn)):
                return PackedSong(row, draw)
            stored = planes ^ first if number and planes.shape == first.shape else planes
            packed.append(PackedEncoding(len(encoding.values), encoding.range, self._to_frames(stored)))
        return PackedSong(row, draw, plan, packed)

    def _to_planes(self, encoded: EncodedSong) -> npt.NDArray[np.uint8]:
        columns = np.asarray(encoded.values).T.astype(np.int16)
        learn = encoded.learn[:, self.choices] != (self.void != columns[self.choices].T)
        low, high = columns.astype(np.uint8), (columns[self.wide] >> 8).astype(np.uint8)
        return np.concatenate([low, high, np.packbits(learn, axis=1).T])

    def rows(self, planes: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        """The values (N, F) int16 and `learn` (N, F) of planes (P, N)."""
        columns = planes[: self.fields].astype(np.int16)  # (F, N)
        high = planes[self.fields : self.fields + len(self.wide)]
        columns[self.wide] |= high.astype(np.int16) << 8
        learn = np.zeros(columns.shape, bool)
        bits = planes[self.fields + len(self.wide) :]
        unusual = np.unpackbits(bits, axis=0, count=len(self.choices)).view(bool)
        learn[self.choices] = (columns[self.choices] != self.void[:, None]) != unusual
        return columns.T, learn.T

    def _to_frames(self, planes: npt.NDArray[np.uint8]) -> list[bytes]:
        blocks = (planes[:, start : start + BLOCK_ROWS] for start in range(0, planes.shape[1], BLOCK_ROWS))
        return [self._lz4.compress(np.ascontiguousarray(block).tobytes(), asbytes=True) for block in blocks]

    def block(self, frame: memoryview, rows: int) -> npt.NDArray[np.uint8]:
        """The planes (P, rows) of a frame. Raises OSError if it is damaged."""
        data = self._lz4.decompress(frame, decompressed_size=self.planes * rows)
        return np.frombuffer(data, np.uint8).reshape(self.planes, rows)


def pack_plan(plan: Plan) -> list[bytes]:
    """The plan as JSON without genres and returns, and the returns (bars, 2) as int32."""
    values = replace(plan, genres=(), returns=None).to_dict()
    returns = b"" if plan.returns is None else np.array(plan.returns, "<i4").tobytes()
    return [json.dumps(values | {"has_returns": plan.returns is not None}).encode(), returns]


def unpack_plan(data: bytes, returns: bytes | None = None) -> Plan:
    """The plan, without returns if they are left out."""
    values = json.loads(data)
    has_returns = values.pop("has_returns")
    plan = Plan.from_dict(values)
    if returns is None or not has_returns:
        return plan
    pairs = np.frombuffer(returns, "<i4").reshape(-1, 2).tolist()
    return replace(plan, returns=tuple(map(tuple, pairs)))


def write_pack(path: Path, songs: Sequence[PackedSong], source: bytes) -> None:
    """Write songs in ascending order of their rows as a pack, atomically; `source` is 32 bytes.

    Raises OutputError.
    """
    song_rows: list[Any] = []
    encodings: list[Any] = []
    frames: list[Any] = []
    offset = 0
    with replacing(path) as temporary, temporary.open("wb") as file:

        def write(frame: bytes) -> None:
            nonlocal offset
            file.write(frame)
            frames.append((offset, zlib.crc32(frame)))
            offset += len(frame)

        for song in songs:
            count = -1 if song.reason else len(song.encodings)
            song_rows.append((song.row, song.draw, len(encodings), count, len(frames)))
            for part in song.plan or [song.reason.encode()]:
                write(part)
            for encoding in song.encodings:
                encodings.append((encoding.rows, *encoding.range, len(frames)))
                for frame in encoding.frames:
                    write(frame)
        frames.append((offset, 0))
        rows = ((song_rows, SONG), (encodings, ENCODING), (frames, FRAME))
        tables = b"".join(np.array(table, dtype).tobytes() for table, dtype in rows)
        lengths = [len(table) for table, _ in rows]
        file.write(tables + FOOTER.pack(MAGIC, offset, *lengths, zlib.crc32(tables), source))


class Pack:
    """An open pack. Raises OSError or ValueError if it is missing, damaged or of another format."""

    def __init__(self, path: Path, codec: RowCodec) -> None:
        self.codec = codec
        with path.open("rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(self.data) < FOOTER.size:
            raise ValueError(f"{str(path)!r} is cut off")
        magic, offset, *lengths, checksum, self.source = FOOTER.unpack(self.data[-FOOTER.size :])
        tables = self.data[offset : -FOOTER.size]
        if magic != MAGIC or zlib.crc32(tables) != checksum:
            raise ValueError(f"{str(path)!r} is damaged")
        kinds = list(zip((SONG, ENCODING, FRAME), lengths, strict=True))
        starts = np.cumsum([0, *(dtype.itemsize * count for dtype, count in kinds)]).tolist()
        self.songs, self.encodings, self.frames = (
            np.frombuffer(tables, *kind, start) for kind, start in zip(kinds, starts, strict=False)
        )
        self.view = memoryview(self.data)

    def _frame(self, number: int) -> memoryview:
        start, stop = int(self.frames["offset"][number]), int(self.frames["offset"][number + 1])
        frame = self.view[start:stop]
        if zlib.crc32(frame) != self.frames["checksum"][number]:
            raise ValueError(f"frame {number} of a pack is damaged")
        return frame

    def has(self, song: int) -> bool:
        """Whether the pack has encodings of the song."""
        return bool(self.songs["encodings"][song] > 0)

    def has_encodings(self, count: int) -> bool:
        """Whether each song of the pack that could be encoded has at least `count` encodings."""
        counts = self.songs["encodings"]
        return bool((counts[counts > 0] >= count).all())

    def refused(self, song: int) -> str:
        """The reason if the representation cannot encode the song, else ""."""
        if self.songs["encodings"][song] >= 0:
            return ""
        return bytes(self._frame(int(self.songs["plan"][song]))).decode()

    def plan(self, song: int, returns: bool = True) -> Plan:
        """The plan of a song without genres, and if `returns` is False without returns."""
        frame = int(self.songs["plan"][song])
        return unpack_plan(bytes(self._frame(frame)), bytes(self._frame(frame + 1)) if returns else None)

    def head(self, song: int, encoding: int) -> SongHead:
        """The head of an encoding of a song."""
        rows, low, up, _ = self.encodings[int(self.songs["first"][song]) + encoding].tolist()
        return SongHead(rows, self.plan(song, returns=False), (low, up))

    def rows(
        self, song: int, encoding: int, start: int, stop: int
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        """The rows `start` to before `stop` of an encoding of a song: values and `learn`, (n, F) each."""
        first = int(self.songs["first"][song])
        planes = self._planes(first + encoding, start, stop)
        if encoding and self.encodings["rows"][first] == self.encodings["rows"][first + encoding]:
            planes = planes ^ self._planes(first, start, stop)
        return self.codec.rows(planes)

    def _planes(self, encoding: int, start: int, stop: int) -> npt.NDArray[np.uint8]:
        rows, _, _, frame = self.encodings[encoding].tolist()
        stop = min(stop, rows)
        blocks = [np.zeros((self.codec.planes, 0), np.uint8)]
        for block in range(start // BLOCK_ROWS, -(-stop // BLOCK_ROWS)):
            begins = block * BLOCK_ROWS
            planes = self.codec.block(self._frame(frame + block), min(BLOCK_ROWS, rows - begins))
            blocks.append(planes[:, max(start - begins, 0) : stop - begins])
        return np.concatenate(blocks, axis=1)
