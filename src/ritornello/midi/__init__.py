"""Reading and writing .mid files: the only folder that knows the format, through symusic and mido."""

from ritornello.midi.reading import Parsed, Pedal, Reader, parse, read
from ritornello.midi.writing import to_bytes, write

__all__ = ["Parsed", "Pedal", "Reader", "parse", "read", "to_bytes", "write"]
