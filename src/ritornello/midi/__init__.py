"""Reading and writing .mid files with symusic and mido. Only this folder knows the format."""

from ritornello.midi.reading import Parsed, Pedal, Reader, parse, read
from ritornello.midi.writing import MIDI_ENDINGS, midi_path, to_bytes, write

__all__ = ["MIDI_ENDINGS", "Parsed", "Pedal", "Reader", "midi_path", "parse", "read", "to_bytes", "write"]
