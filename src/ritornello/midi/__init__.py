"""Reading and writing .mid files with symusic and mido. Only this folder knows the format."""

from ritornello.midi.reading import Parsed, Pedal, Reader, parse, read
from ritornello.midi.writing import to_bytes, write

__all__ = ["Parsed", "Pedal", "Reader", "parse", "read", "to_bytes", "write"]
