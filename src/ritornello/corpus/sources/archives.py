"""Archives: the songs inside a .zip or .tar, streamed in their order, never unpacked to the disk.

An archive is strange data: names that lead out of it and links are refused, bytes are counted as they really
come, whatever the archive says of itself, and no header makes us take more memory than it is worth.
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from ritornello.corpus.sources import tar
from ritornello.corpus.sources.scan import ARCHIVES, ENDINGS

MAX_BYTES = 4 << 30  # unpacked, of one archive
MAX_RATIO = 200  # of unpacked to packed bytes
FREE_BYTES = 16 << 20  # unpacked bytes for which the ratio is not asked
MAX_MEMBERS = 1_000_000  # of a .zip, whose list is held in memory: about 600 bytes each
MAX_XZ_MEMORY = 128 << 20  # xz -9 needs 65 MiB
PIECE = 1 << 16
DAMAGE = (
    *(tar.DamagedError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, struct.error, OverflowError, NotImplementedError),  # odd numbers in zip headers
)


class Member(NamedTuple):
    """A song in an archive: its name there and its bytes, or the fate that it has without being read."""

    name: bytes
    data: bytes = b""
    fate: str = ""
    reason: str = ""


class ArchiveError(Exception):
    """An archive that cannot be read on; `fate` is what becomes of it."""

    def __init__(self, fate: str, reason: str) -> None:
        super().__init__(reason)
        self.fate = fate


def members(path: bytes, max_file_bytes: int) -> Iterator[Member]:
    """The songs of the archive at `path`; a longer one is cut at one byte more than `max_file_bytes`.

    Raises ArchiveError, once its readable part is through.
    """
    try:
        file = open(os.fsdecode(path), "rb")  # noqa: PTH123, SIM115 (names need not be UTF-8)
    except (OSError, ValueError) as error:
        raise ArchiveError("cannot open", getattr(error, "strerror", None) or str(error)) from error
    is_zip = path.lower().endswith(b".zip")
    with file:
        try:
            yield from (_zip_members if is_zip else _tar_members)(file, max_file_bytes + 1)
        except DAMAGE as error:
            raise ArchiveError("damaged archive", _one_line(error)) from error


def refused(name: bytes) -> tuple[str, str] | None:
    """The fate of a member that is refused for its name, and why."""
    steps = name.replace(b"\\", b"/").split(b"/")
    if not steps[0] or b".." in steps or steps[0][1:2] == b":" or b"\0" in name:
        return "unsafe name", "its path leads out of the archive"
    if name.lower().endswith(ARCHIVES):
        return "nested archive", "archives inside archives are not opened"
    return None


def _tar_members(file: BinaryIO, max_bytes: int) -> Iterator[Member]:
    for entry in tar.entries(Unpacked(file), ENDINGS + ARCHIVES, max_bytes):
        if fate := refused(entry.name):
            yield Member(entry.name, b"", *fate)
        elif not entry.is_file:
            yield Member(entry.name, b"", "not a file", "a link, a pipe or a device in an archive")
        else:
            yield Member(entry.name, entry.data)


def _zip_members(file: BinaryIO, max_bytes: int) -> Iterator[Member]:
    _check_zip_list(file)
    counter = Counter(packed=os.fstat(file.fileno()).st_size)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            # without the flag a name is in code page 437, in which zipfile loses no byte
            name = info.orig_filename.encode(
                "utf-8" if info.flag_bits & 0x800 else "cp437", "surrogateescape"
            )
            if not name.lower().endswith(ENDINGS + ARCHIVES):
                continue
            if fate := refused(name) or _unreadable(info):
                yield Member(name, b"", *fate)
                continue
            try:
                with archive.open(info) as member:
                    data = member.read(max_bytes)
            except DAMAGE as error:
                yield Member(name, b"", "unreadable", f"in its archive: {_one_line(error)}")
                continue
            counter.add(len(data))
            yield Member(name, data)


def _unreadable(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """The fate of a member of a .zip that cannot be unpacked safely, and why."""
    if info.flag_bits & 1:
        return "encrypted", "it needs a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return (
            "unknown packing",
            f"packed by method {info.compress_type}",
        )  # zipfile sets the others no bounds
    if info.external_attr >> 28 == 0o12:
        return "not a file", "a link in an archive"
    return None


def _check_zip_list(file: BinaryIO) -> None:
    """Raise ArchiveError where the list of members is missing or would take too much memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22:
        raise ArchiveError("damaged archive", "the list of its members is missing")
    count, list_bytes = struct.unpack_from("<HL", tail, at + 10)
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\6\7":  # zip64: the true numbers are elsewhere
        file.seek(min(struct.unpack_from("<Q", tail, at - 12)[0], size))
        record = file.read(56).ljust(56, b"\0")
        count, list_bytes = struct.unpack_from("<QQ", record, 32)
    # zipfile goes by the bytes of the list, of which a member takes 46 and its name
    if max(count, list_bytes // 64) > MAX_MEMBERS:
        raise ArchiveError("archive bomb", f"over {MAX_MEMBERS} members")
    file.seek(0)


class Counter:
    """Bytes that go into unpacking and come out; stops a bomb."""

    def __init__(self, packed: int = 0) -> None:
        self.packed, self.unpacked = packed, 0

    def add(self, unpacked: int) -> None:
        """Count bytes that came out. Raises ArchiveError when they are too many."""
        self.unpacked += unpacked
        if self.unpacked > MAX_BYTES:
            raise ArchiveError("archive bomb", f"over {MAX_BYTES} bytes unpacked")
        if self.unpacked > FREE_BYTES and self.unpacked > MAX_RATIO * self.packed:
            raise ArchiveError("archive bomb", f"over {MAX_RATIO} bytes unpacked from each byte")


class Unpacked:
    """The unpacked bytes of a file in gzip, bzip2, xz or no packing, told by its first bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.counter = Counter()
        head = file.read(6)
        file.seek(0)
        self._unpacker: Any = None
        if head[:2] == b"\x1f\x8b":
            self._start: Any = _Gzip
        elif head[:3] == b"BZh":
            self._start = bz2.BZ2Decompressor
        elif head == b"\xfd7zXZ\0":
            self._start = lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY)
        else:
            self._start = _Plain
        self._unpacker = self._start()
        self._ready = b""

    def read(self, count: int, /) -> bytes:
        """The next `count` bytes, fewer only at the end."""
        pieces, length = [self._ready], len(self._ready)
        while length < count and (piece := self._piece()):
            pieces.append(piece)
            length += len(piece)
        data = b"".join(pieces)
        self._ready = data[count:]
        return data[:count]

    def _piece(self) -> bytes:
        """Some unpacked bytes, none at the end. Raises EOFError where the packed data end too early."""
        while True:
            packed = b""
            if self._unpacker.eof:  # another stream may follow, or padding with zeros
                packed = self._unpacker.unused_data.lstrip(b"\0") or self._packed().lstrip(b"\0")
                if not packed:
                    return b""
                self._unpacker = self._start()
            elif self._unpacker.needs_input and not (packed := self._packed()):
                if isinstance(self._unpacker, _Plain):
                    return b""
                raise EOFError("the packed data end too early")
            piece: bytes = self._unpacker.decompress(packed, PIECE)
            self.counter.add(len(piece))
            if piece:
                return piece

    def _packed(self) -> bytes:
        packed = self.file.read(PIECE)
        self.counter.packed += len(packed)
        return packed


class _Gzip:
    """zlib's unpacker with the manners of those of bz2 and lzma."""

    def __init__(self) -> None:
        self.inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def unused_data(self) -> bytes:
        return self.inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self.inner.decompress(self.inner.unconsumed_tail + data, max_length)
        self.needs_input = not self.inner.unconsumed_tail and len(piece) < max_length
        return piece


class _Plain:
    """Nothing to unpack."""

    needs_input, eof, unused_data = True, False, b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
