"""Send messages between two processes as bytes that hold data and never code.

A message is a JSON value and some arrays of bytes after it:
    length of the JSON (u32)  number of arrays (u32)  length of each (u64 each)  the JSON  the arrays
"""

import json
import struct
from collections.abc import Sequence
from typing import Any

MAX_MESSAGE_BYTES = 1 << 31  # a longer message means that the other process is broken
MAX_ARRAYS = 1 << 16


def send(stream: Any, value: Any, arrays: Sequence[Any] = ()) -> None:
    """Write one message: `value` as JSON, and `arrays` of bytes or contiguous numpy arrays."""
    text = json.dumps(value).encode()
    views = [memoryview(array).cast("B") if len(array) else memoryview(b"") for array in arrays]
    head = struct.pack(f"<II{len(views)}Q", len(text), len(views), *(len(view) for view in views))
    stream.write(head + text)
    for view in views:
        stream.write(view)
    stream.flush()


def receive(stream: Any) -> tuple[Any, list[bytes]]:
    """Read one message. Raises EOFError if the stream has ended or does not hold a message."""
    length, count = struct.unpack("<II", _read_exactly(stream, 8))
    if length > MAX_MESSAGE_BYTES or count > MAX_ARRAYS:
        raise EOFError("the stream does not hold a message")
    sizes = struct.unpack(f"<{count}Q", _read_exactly(stream, 8 * count))
    if sum(sizes) > MAX_MESSAGE_BYTES:
        raise EOFError("the stream does not hold a message")
    try:
        value = json.loads(_read_exactly(stream, length))
    except ValueError as error:
        raise EOFError("the stream does not hold a message") from error
    return value, [_read_exactly(stream, size) for size in sizes]


def _read_exactly(stream: Any, count: int) -> bytes:
    data: bytes = stream.read(count)
    if len(data) < count:
        raise EOFError("the stream has ended")
    return data
