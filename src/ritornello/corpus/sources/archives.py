"""Read the songs inside a .zip or .tar in their order, in memory, without unpacking to the disk.

An archive is untrusted data: links and names that lead out of it are refused; unpacked bytes are counted, and
the sizes in headers are not trusted; no header can make the process allocate much memory.
The reasons (texts) of outcomes are stored in the corpus: changing one changes the bytes of a corpus.
"""

import bz2
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from ritornello.corpus.sources import tar
from ritornello.corpus.sources.scan import ARCHIVE_ENDINGS, BOOK_ENDINGS, SONG_ENDINGS
from ritornello.notation.formats import split_abc

MAX_BYTES = 4 << 30  # most unpacked bytes of one archive
MAX_RATIO = 200  # most unpacked bytes per packed byte
FREE_BYTES = 16 << 20  # unpacked bytes before MAX_RATIO applies
MAX_MEMBERS = 1_000_000  # most files of a .zip, whose list is in memory: about 600 bytes each
MAX_XZ_MEMORY = 128 << 20  # xz -9 needs 65 MiB
PIECE = 1 << 16  # bytes unpacked at a time
DAMAGE = (
    *(tar.DamagedError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, struct.error, OverflowError, NotImplementedError),  # from wrong numbers in zip headers
)


class ArchiveMember(NamedTuple):
    """A song in an archive: its name there and its bytes; or the outcome and reason if it cannot be read."""

    name: bytes
    data: bytes = b""
    outcome: str = ""
    reason: str = ""


class ArchiveError(Exception):
    """An archive cannot be read any further; `outcome` is the outcome of the archive."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


def members(path: bytes, max_file_bytes: int) -> Iterator[ArchiveMember]:
    """Read the songs of the archive at `path`, of each song at most `max_file_bytes` + 1 bytes.

    Raises ArchiveError if the archive cannot be opened, or where it is damaged.
    """
    try:
        file = open(os.fsdecode(path), "rb")  # noqa: PTH123, SIM115 (names need not be UTF-8)
    except (OSError, ValueError) as error:
        raise ArchiveError("cannot open", getattr(error, "strerror", None) or str(error)) from error
    is_zip = path.lower().endswith(b".zip")
    with file:
        if path.lower().endswith(BOOK_ENDINGS):
            yield from _tunes(file, max_file_bytes)
            return
        try:
            yield from (_zip_members if is_zip else _tar_members)(file, max_file_bytes + 1)
        except DAMAGE as error:
            raise ArchiveError("damaged archive", _one_line(error)) from error


def _tunes(file: BinaryIO, max_bytes: int) -> Iterator[ArchiveMember]:
    """The tunes of an ABC book; nothing if the book is too large or has no tunes."""
    data = file.read(max_bytes + 1)
    for number, tune in enumerate(split_abc(data) if len(data) <= max_bytes else [], start=1):
        yield ArchiveMember(b"%d.abc" % number, tune)


def _refuse_by_name(name: bytes) -> tuple[str, str] | None:
    """Outcome and reason if a member must not be read because of its name; else None."""
    steps = name.replace(b"\\", b"/").split(b"/")
    if not steps[0] or b".." in steps or steps[0][1:2] == b":" or b"\0" in name:
        return "unsafe name", "its path leads out of the archive"
    if name.lower().endswith(ARCHIVE_ENDINGS):
        return "nested archive", "archives inside archives are not opened"
    return None


def _tar_members(file: BinaryIO, max_bytes: int) -> Iterator[ArchiveMember]:
    for entry in tar.read_tar(DecompressingReader(file), SONG_ENDINGS + ARCHIVE_ENDINGS, max_bytes):
        if refusal := _refuse_by_name(entry.name):
            yield ArchiveMember(entry.name, b"", *refusal)
        elif not entry.is_file:
            yield ArchiveMember(entry.name, b"", "not a file", "a link, a pipe or a device in an archive")
        else:
            yield ArchiveMember(entry.name, entry.data)


def _zip_members(file: BinaryIO, max_bytes: int) -> Iterator[ArchiveMember]:
    _check_zip_list(file)
    guard = SizeGuard(packed=os.fstat(file.fileno()).st_size)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            # flag 0x800 says UTF-8; other names are decoded as code page 437, which keeps every byte
            encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
            name = info.orig_filename.encode(encoding, "surrogateescape")
            if not name.lower().endswith(SONG_ENDINGS + ARCHIVE_ENDINGS):
                continue
            if refusal := _refuse_by_name(name) or _refuse_by_header(info):
                yield ArchiveMember(name, b"", *refusal)
                continue
            try:
                with archive.open(info) as member:
                    data = member.read(max_bytes)
            except DAMAGE as error:
                yield ArchiveMember(name, b"", "unreadable", f"in its archive: {_one_line(error)}")
                continue
            guard.add(len(data))
            yield ArchiveMember(name, data)


def _refuse_by_header(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Outcome and reason if a member of a .zip cannot be unpacked safely; else None."""
    if info.flag_bits & 1:
        return "encrypted", "it needs a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile does not bound the memory that other methods take
        return "unknown packing", f"packed by method {info.compress_type}"
    if info.external_attr >> 28 == 0o12:
        return "not a file", "a link in an archive"
    return None


def _check_zip_list(file: BinaryIO) -> None:
    """Raise ArchiveError if the list of members is missing or would take too much memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22:
        raise ArchiveError("damaged archive", "the list of its members is missing")
    count, list_bytes = struct.unpack_from("<HL", tail, at + 10)
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\6\7":  # zip64: the numbers are in another record
        file.seek(min(struct.unpack_from("<Q", tail, at - 12)[0], size))
        record = file.read(56).ljust(56, b"\0")
        count, list_bytes = struct.unpack_from("<QQ", record, 32)
    # zipfile reads by bytes: an entry of the list takes 46 bytes and its name
    if max(count, list_bytes // 64) > MAX_MEMBERS:
        raise ArchiveError("archive bomb", f"over {MAX_MEMBERS} members")
    file.seek(0)


class SizeGuard:
    """Counts the packed and unpacked bytes of an archive, and refuses an archive bomb."""

    def __init__(self, packed: int = 0) -> None:
        self.packed, self.unpacked = packed, 0

    def add(self, unpacked: int) -> None:
        """Count `unpacked` more bytes. Raises ArchiveError if they are too many."""
        self.unpacked += unpacked
        if self.unpacked > MAX_BYTES:
            raise ArchiveError("archive bomb", f"over {MAX_BYTES} bytes unpacked")
        if self.unpacked > FREE_BYTES and self.unpacked > MAX_RATIO * self.packed:
            raise ArchiveError("archive bomb", f"over {MAX_RATIO} bytes unpacked from each byte")


class DecompressingReader:
    """Reads a file that is packed by gzip, bzip2 or xz, or not packed, as its first bytes show."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.guard = SizeGuard()
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
        """Read the next `count` unpacked bytes; fewer at the end. Raises EOFError if the file is cut off."""
        pieces, length = [self._ready], len(self._ready)
        while length < count and (piece := self._piece()):
            pieces.append(piece)
            length += len(piece)
        data = b"".join(pieces)
        self._ready = data[count:]
        return data[:count]

    def _piece(self) -> bytes:
        """Some unpacked bytes; none at the end."""
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
            self.guard.add(len(piece))
            if piece:
                return piece

    def _packed(self) -> bytes:
        packed = self.file.read(PIECE)
        self.guard.packed += len(packed)
        return packed


class _Gzip:
    """The decompressor of zlib, with the interface of the decompressors of bz2 and lzma."""

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
    """The interface of a decompressor for data that is not packed."""

    needs_input, eof, unused_data = True, False, b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
