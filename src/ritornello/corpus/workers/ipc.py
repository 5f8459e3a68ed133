"""Wire: what a worker and its supervisor say to each other, as bytes that carry data and never code.

A message is a JSON value and some arrays of bytes after it:
    length of the JSON (u32)  number of arrays (u32)  length of each (u64 each)  the JSON  the arrays
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

MAX_BYTES = 1 << 31  # of a message; more means that the other side has lost its mind


def send(stream: Any, value: Any, arrays: Sequence[Any] = ()) -> None:
    """Write one message; `arrays` are bytes or contiguous arrays."""
    text = json.dumps(value).encode()
    views = [memoryview(array).cast("B") if len(array) else memoryview(b"") for array in arrays]
    head = struct.pack(f"<II{len(views)}Q", len(text), len(views), *(len(view) for view in views))
    stream.write(head + text)
    for view in views:
        stream.write(view)
    stream.flush()


def receive(stream: Any) -> tuple[Any, list[bytes]]:
    """Read one message. Raises EOFError where the other side is gone or does not keep to the form."""
    length, count = struct.unpack("<II", _exactly(stream, 8))
    if length > MAX_BYTES or count > 1 << 16:
        raise EOFError("a message that no one sends")
    sizes = struct.unpack(f"<{count}Q", _exactly(stream, 8 * count))
    if sum(sizes) > MAX_BYTES:
        raise EOFError("a message that no one sends")
    try:
        value = json.loads(_exactly(stream, length))
    except ValueError as error:
        raise EOFError("a message that no one sends") from error
    return value, [_exactly(stream, size) for size in sizes]


def _exactly(stream: Any, count: int) -> bytes:
    data: bytes = stream.read(count)
    if len(data) < count:
        raise EOFError("the other side is gone")
    return data
