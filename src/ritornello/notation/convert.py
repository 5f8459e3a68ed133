"""Conversion of written music to the bytes of a MIDI file: Verovio for MusicXML and kern, abc2midi for ABC.

Both play repeats and keep staves and voices apart. abc2midi comes with symusic. Verovio is an extra.
"""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ritornello.errors import MidiError
from ritornello.notation.abc_bars import first_bar_beats
from ritornello.notation.formats import Format, musicxml_of
from ritornello.notation.note_types import with_note_types
from ritornello.system.extras import require_extra

VEROVIO_NAMES = {"musicxml": "xml", "kern": "humdrum"}


class Converted(NamedTuple):
    """A MIDI file, and how many beats the first bar of the written music has; 0 if that is unknown."""

    midi: bytes
    first_bar_beats: float


def to_midi(data: bytes, format_name: Format) -> Converted:
    """Return a MIDI file with the music of `data`, repeats played.

    Raises InputError if the extra `sheet` is missing (MusicXML and kern), MidiError if the file is damaged.
    """
    if format_name == "abc":
        return _abc_to_midi(data)
    document = with_note_types(musicxml_of(data)) if format_name == "musicxml" else data
    return _verovio_to_midi(document, VEROVIO_NAMES[format_name])


def _verovio_to_midi(document: bytes, input_format: str) -> Converted:
    """Convert MusicXML or Humdrum text with Verovio."""
    require_extra("sheet", "verovio")
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"inputFrom": input_format, "expandAlways": True})
    try:
        text = document.decode("utf-16" if document[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = document.decode("cp1252", "replace")
    if not toolkit.loadData(text):
        raise MidiError(f"Verovio cannot read it as {input_format}")
    midi = base64.b64decode(toolkit.renderToMIDI())
    bar_beats = (
        each["qstamp"] for each in toolkit.renderToTimemap({"includeMeasures": True}) if "measureOn" in each
    )
    return Converted(midi, next((beats for beats in bar_beats if beats > 0), 0.0))


def _abc_to_midi(data: bytes) -> Converted:
    """Convert one ABC tune with abc2midi, without the accompaniment that it makes of chord symbols."""
    import symusic

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    text = re.sub(r"(?m)^(K:.*)$", r"\1\n%%MIDI gchordoff", text, count=1)
    try:
        with _silenced():  # abc2midi writes its warnings to the terminal
            score: Any = symusic.Score.from_abc(text)
    except (RuntimeError, ValueError, OSError) as error:
        raise MidiError(
            "abc2midi cannot read it as ABC: no tune with the fields X: and K:, or damaged"
        ) from error
    with tempfile.TemporaryDirectory() as folder:  # symusic writes MIDI to files alone
        path = Path(folder) / "tune.mid"
        score.dump_midi(str(path))
        return Converted(path.read_bytes(), float(first_bar_beats(text)))


@contextmanager
def _silenced() -> Iterator[None]:
    """Send what other programs write to standard output and error nowhere, for a while."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for number, copy in enumerate(saved, start=1):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
