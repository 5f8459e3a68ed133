"""Tar: the files of a .tar, read from a stream in one go, with little memory whatever the headers claim.

The formats are ustar and pax (IEEE 1003.1-2001) and GNU's long names. Python's own module takes all of a
header's claims at their word, and takes damage in the middle for the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

BLOCK = 512
MAX_HEADER_BYTES = 1 << 20  # of a long name or an extended header
PIECE = 1 << 16
FILE, FOLDER, LONG_NAME, LONG_LINK, EXTENDED, GLOBAL = b"\x000", b"5", b"L", b"K", b"x", b"g"


class Stream(Protocol):
    """Bytes that can be read once."""

    def read(self, count: int, /) -> bytes:
        """The next `count` bytes, fewer only at the end."""


class DamagedError(Exception):
    """The bytes break the format."""


class Entry(NamedTuple):
    """A file of the archive: its path, whether it is a plain file, and its first bytes."""

    name: bytes
    is_file: bool
    data: bytes


def entries(stream: Stream, wanted: tuple[bytes, ...], max_bytes: int) -> Iterator[Entry]:
    """The entries whose names end in one of `wanted` (in lower case), but for folders, in their order.

    Of a file at most `max_bytes` are read. Raises DamagedError.
    """
    at, name, size = 0, None, None  # the last two as an extended header gives them
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
        is_wanted = path.lower().endswith(wanted) and kind != FOLDER
        is_file = kind in FILE
        data = _take(stream, length, max_bytes if is_wanted and is_file else 0, at)
        if is_wanted:
            yield Entry(path, is_file, data)
        name = size = None
    raise DamagedError(f"byte {at}: it ends without an end mark")


def _take(stream: Stream, length: int, wanted: int, at: int) -> bytes:
    """The first `wanted` of `length` bytes; the rest and the padding are passed over."""
    data = stream.read(min(length, wanted))
    left = -(-length // BLOCK) * BLOCK - len(data)
    while left and (piece := stream.read(min(left, PIECE))):
        left -= len(piece)
    if left or len(data) < min(length, wanted):
        raise DamagedError(f"byte {at}: it ends within a file")
    return data


def _check(header: bytes, at: int) -> None:
    """Raise DamagedError unless the header's sum is right; old programs summed signed bytes."""
    blank = header[:148] + b" " * 8 + header[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in blank)
    if len(header) < BLOCK or _number(header[148:156], at) not in (sum(blank), signed):
        raise DamagedError(f"byte {at}: no header where one is due")


def _number(field: bytes, at: int) -> int:
    """A number of a header: octal digits, or from the first byte's highest bit on binary."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.split(b"\0")[0].strip() or b"0"
    try:
        return int(text, 8) if text.isdigit() else int(b"")
    except ValueError as error:
        raise DamagedError(f"byte {at}: {field!r} is no number") from error


def _decimal(text: bytes, at: int) -> int:
    if not text.isdigit() or len(text) > 20:
        raise DamagedError(f"byte {at}: {text[:20]!r} is no size")
    return int(text)


def _name(header: bytes) -> bytes:
    """The path in a header; ustar's has a second field for folders."""
    name, prefix = header[:100].split(b"\0")[0], header[345:500].split(b"\0")[0]
    return prefix + b"/" + name if header[257:263] == b"ustar\0" and prefix else name


def _records(data: bytes, at: int) -> dict[bytes, bytes]:
    """The records of an extended header, each `LENGTH KEY=VALUE` and a line feed."""
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
