"""Read the files of a .tar from a stream, in one pass and with bounded memory.

The formats are ustar and pax (IEEE 1003.1-2001) and GNU long names. The standard module `tarfile` is not
used: it trusts the sizes in the headers, and takes damage in the middle of an archive for its end.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

BLOCK = 512  # bytes; headers and contents are padded to whole blocks
MAX_HEADER_BYTES = 1 << 20  # most bytes of a long name or an extended header
PIECE = 1 << 16  # bytes skipped at a time
# types of entries; a plain file has one of two
FILE, FOLDER, LONG_NAME, LONG_LINK, EXTENDED, GLOBAL = b"\x000", b"5", b"L", b"K", b"x", b"g"


class ByteStream(Protocol):
    """Bytes that are read once, from start to end."""

    def read(self, count: int, /) -> bytes:
        """Read the next `count` bytes; fewer only at the end."""


class DamagedError(Exception):
    """The bytes break the tar format."""


class TarEntry(NamedTuple):
    """A file of the archive: its path, whether it is a plain file (no link or device), its first bytes."""

    name: bytes
    is_file: bool
    data: bytes


def read_tar(stream: ByteStream, endings: tuple[bytes, ...], max_bytes: int) -> Iterator[TarEntry]:
    """Read the files whose names end in one of `endings` (lower case), in their order.

    At most `max_bytes` of each file are returned. Raises DamagedError if the archive breaks the format.
    """
    at, name, size = 0, None, None  # byte position; name and size from an extended header, if any
    while header := stream.read(BLOCK):
        if header == bytes(BLOCK):
            return
        _check(header, at)
        kind, claimed = header[156:157], _number(header[124:136], at)
        length = claimed if size is None else size
        at += BLOCK + -(-length // BLOCK) * BLOCK
        if kind in (LONG_NAME, LONG_LINK, EXTENDED, GLOBAL):
            if claimed > MAX_HEADER_BYTES:
                raise DamagedError(f"byte {at}: a header of {claimed} bytes")
            value = _take(stream, claimed, claimed, at)
            if kind == LONG_NAME:
                name = value.rstrip(b"\0")
            elif kind == EXTENDED:
                records = _records(value, at)
                name = records.get(b"path", name)
                size = _decimal(records[b"size"], at) if b"size" in records else size
            continue
        path = name if name is not None else _name(header)
        is_wanted = path.lower().endswith(endings) and kind != FOLDER
        is_file = kind in FILE
        data = _take(stream, length, max_bytes if is_wanted and is_file else 0, at)
        if is_wanted:
            yield TarEntry(path, is_file, data)
        name = size = None
    raise DamagedError(f"byte {at}: it ends without an end mark")


def _take(stream: ByteStream, length: int, most: int, at: int) -> bytes:
    """Read `length` bytes and their padding; return the first `most` bytes."""
    data = stream.read(min(length, most))
    left = -(-length // BLOCK) * BLOCK - len(data)
    while left and (piece := stream.read(min(left, PIECE))):
        left -= len(piece)
    if left or len(data) < min(length, most):
        raise DamagedError(f"byte {at}: it ends within a file")
    return data


def _check(header: bytes, at: int) -> None:
    """Raise DamagedError unless the checksum of a header is right; old programs summed signed bytes."""
    blank = header[:148] + b" " * 8 + header[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in blank)
    if len(header) < BLOCK or _number(header[148:156], at) not in (sum(blank), signed):
        raise DamagedError(f"byte {at}: no header where one is due")


def _number(field: bytes, at: int) -> int:
    """A number of a header: octal digits, or binary after a first byte of 0x80."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.split(b"\0")[0].strip() or b"0"
    try:
        return int(text, 8) if text.isdigit() else int(b"")
    except ValueError as error:
        raise DamagedError(f"byte {at}: {field!r} is not a number") from error


def _decimal(text: bytes, at: int) -> int:
    if not text.isdigit() or len(text) > 20:
        raise DamagedError(f"byte {at}: {text[:20]!r} is not a valid size")
    return int(text)


def _name(header: bytes) -> bytes:
    """The path in a header; ustar has a second field for the folders."""
    name, prefix = header[:100].split(b"\0")[0], header[345:500].split(b"\0")[0]
    return prefix + b"/" + name if header[257:263] == b"ustar\0" and prefix else name


def _records(data: bytes, at: int) -> dict[bytes, bytes]:
    """The records of an extended header by key; each is `LENGTH KEY=VALUE` and a line feed."""
    records, start = {}, 0
    while start < len(data):
        digits = data[start : start + 10].split(b" ")[0]
        length = _decimal(digits, at)
        key, equals, value = data[start + len(digits) + 1 : start + length - 1].partition(b"=")
        if length <= len(digits) + 1 or start + length > len(data) or not equals:
            raise DamagedError(f"byte {at}: an extended header that breaks the format")
        records[key] = value
        start += length
    return records
