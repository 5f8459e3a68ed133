"""Read a song from a file of any known format, or from standard input, as all commands do.

A file may be packed: as .gz, in a .zip that holds one song, or with the header of 128 bytes that MacBinary
puts before a file. Nothing is unpacked to the disk, and no more than the limit of a song file to memory.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
import zlib
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TextIO

from ritornello.errors import InputError, MidiError
from ritornello.midi.limits import MAX_FILE_BYTES, check_file_size
from ritornello.midi.reading import Parsed, Pedal, Reader, parse
from ritornello.music.annotation import take_annotation
from ritornello.music.drum_maps import from_drum_map as drums_from
from ritornello.music.midi_song import MUST_BE_SONG, MidiSong
from ritornello.music.score import Score
from ritornello.notation.formats import CONTAINER, NOTATION_ENDINGS, ZIP_START, Format, format_of, split_abc
from ritornello.notation.reading import parse_notation
from ritornello.system.files import file_path
from ritornello.system.suggest import similar_path

STANDARD_INPUT = "-"
MIDI_ENDINGS = (".mid", ".midi", ".kar", ".rmi")
PACKED_MIDI_ENDINGS = tuple(ending + ".gz" for ending in MIDI_ENDINGS)
SONG_ENDINGS = (*MIDI_ENDINGS, *PACKED_MIDI_ENDINGS, *NOTATION_ENDINGS)
MAC_HEADER_BYTES = 128
GZIP_START = b"\x1f\x8b"
MAX_NAMED_SONGS = 8  # in an error message


class SongFile(NamedTuple):
    """A song file, unpacked: its name for messages, its bytes, and its format, None for MIDI."""

    name: str
    data: bytes
    format: Format | None

    def parse(
        self, *, reader: Reader = "symusic", pedal: Pedal = "extend", with_details: bool = False
    ) -> Parsed:
        """Return the Score and the counts of dropped events; the options are for MIDI. Raises MidiError."""
        if self.format:
            return parse_notation(self.data, self.format, name=self.name)
        return parse(self.data, name=self.name, reader=reader, pedal=pedal, with_details=with_details)


def read(
    path: str | Path | MidiSong,
    *,
    reader: Reader = "symusic",
    pedal: Pedal = "extend",
    with_details: bool = False,
    annotations: bool = True,
    from_drum_map: str | None = None,
) -> Score:
    """Read a song: MIDI (.mid, .midi, .kar, .rmi), MusicXML, ABC or kern, also packed; "-" is standard input.

    The options are for MIDI: `pedal` "ignore" leaves the durations as they are; `with_details` keeps the
    events that a Score does not describe (see `midi.read`). With `annotations`, a part that labels the chords
    of a lead sheet or of another part (`music.annotation`) becomes the chords of the song, as in `prepare`;
    it stays if the details are kept, because they refer to parts by number. The drums are notes of the kit
    `from_drum_map` (DRUM_MAPS), by default General MIDI.

    Raises MidiError, which names the file and the reason, also for a song beyond the limits (midi/limits.py),
    and InputError for an unknown kit.
    """
    score = open_song(path).parse(reader=reader, pedal=pedal, with_details=with_details).score
    score = score if from_drum_map is None else drums_from(score, from_drum_map)
    return take_annotation(score)[0] if annotations and not with_details else score


def open_song(path: str | Path | MidiSong) -> SongFile:
    """Read the bytes of a song file, or of standard input ("-"), and unpack them; or those of a made song.

    Raises MidiError if it cannot be read, is beyond the limits, or holds several songs; InputError if `path`
    is nothing of these.
    """
    if isinstance(path, MidiSong):
        return SongFile("the song", path.to_bytes(), None)
    if not isinstance(path, str | PathLike):
        raise InputError(f"song {path!r:.60}: {MUST_BE_SONG}")
    file_path(path, "song")
    is_input = str(path) == STANDARD_INPUT
    name = "standard input" if is_input else Path(path).name
    try:
        if is_input:
            data = _read_stream(sys.stdin)
            size = len(data)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            size = max(len(data), Path(path).stat().st_size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MidiError(f"cannot read {str(path)!r}: {reason}{similar_path(path)}") from error
    if refused := check_file_size(size):
        raise MidiError(f"{name!r}: {': '.join(refused)}")
    song = unpack(name, data)
    if song.format == "abc" and len(tunes := split_abc(song.data)) > 1:
        raise MidiError(_message_for_several(song.name, [_tune_title(tune) for tune in tunes]))
    return song


@lru_cache(maxsize=1)
def _read_stream(stream: TextIO) -> bytes:
    """The bytes of standard input, up to one beyond the limit; a second call returns them again."""
    return stream.buffer.read(MAX_FILE_BYTES + 1)


def unpack(name: str, data: bytes) -> SongFile:
    """Unpack the bytes of a file that may be packed, and find its format. Raises MidiError."""
    if data.startswith(GZIP_START):
        name, data = name.removesuffix(".gz"), gunzip(name, data)
    if data.startswith(ZIP_START) and format_of(name, data) is None and not _is_mxl(data):
        name, data = _only_song(name, data)
    return SongFile(name, data := without_mac_header(data), format_of(name, data) or _format_by_content(data))


def without_mac_header(data: bytes) -> bytes:
    """Return a MIDI file without the header of MacBinary, in which old Macintoshes wrapped files."""
    start = MAC_HEADER_BYTES
    if not (data[:1] == b"\0" and data[start : start + 4] == b"MThd" and 1 <= data[1] <= 63):
        return data
    size = int.from_bytes(data[83:87], "big")
    return data[start : start + size] if size else data[start:]


def gunzip(name: str, data: bytes) -> bytes:
    """Unpack a .gz file up to the limit. Raises MidiError."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(data, MAX_FILE_BYTES + 1)
    except zlib.error as error:
        raise MidiError(f"{name!r} is a damaged .gz file: {error}") from error
    if len(unpacked) > MAX_FILE_BYTES:
        raise MidiError(f"{name!r}: too large: over {MAX_FILE_BYTES} bytes unpacked")
    if not unpacker.eof:
        raise MidiError(f"{name!r} is a damaged .gz file: it ends too early")
    return unpacked


def _only_song(name: str, data: bytes) -> tuple[str, bytes]:
    """The name and the bytes of the song in a .zip with one song."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [n for n in archive.namelist() if _is_song(n)]
            if len(names) > 1:
                raise MidiError(_message_for_several(name, names))
            if not names:
                raise MidiError(f"{name!r} has no song file, whose name ends in {', '.join(SONG_ENDINGS)}")
            with archive.open(names[0]) as member:
                content = member.read(MAX_FILE_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise MidiError(f"{name!r} is a damaged or encrypted .zip: {error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise MidiError(f"{name!r}: too large: {names[0]!r} has over {MAX_FILE_BYTES} bytes")
    if content.startswith(GZIP_START):
        return names[0].removesuffix(".gz"), gunzip(names[0], content)
    return names[0], content


def _is_song(name: str) -> bool:
    """Whether a file in a .zip may be a song; files in the folder __MACOSX are not."""
    return name.lower().endswith(SONG_ENDINGS) and not name.startswith("__MACOSX/")


def _is_mxl(data: bytes) -> bool:
    """Whether a zip archive is compressed MusicXML."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return CONTAINER in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _format_by_content(data: bytes) -> Format | None:
    """Return the format of a file whose name does not show it, such as standard input; None for MIDI."""
    start = data[:4096].replace(b"\0", b"")
    if data.startswith(ZIP_START) or b"<score-partwise" in start or b"<score-timewise" in start:
        return "musicxml"
    if re.search(rb"(?m)^\*\*kern\b", start):
        return "kern"
    return "abc" if re.match(rb"(\xef\xbb\xbf)?(%[^\n]*\n|\s)*X:\s*\d", start) else None


def _message_for_several(name: str, songs: list[str]) -> str:
    """Return the error message for a file with several songs."""
    named = ", ".join(repr(song) for song in songs[:MAX_NAMED_SONGS])
    more = f" and {len(songs) - MAX_NAMED_SONGS} more" if len(songs) > MAX_NAMED_SONGS else ""
    return f"{name!r} holds {len(songs)} songs: must be one, take one of {named}{more} out of it"


def _tune_title(tune: bytes) -> str:
    """The title of an ABC tune, or its number."""
    fields: dict[str, str] = dict(re.findall(r"(?m)^([XT]):\s*(.*?)\s*$", tune.decode("utf-8", "replace")))
    return fields.get("T") or f"X:{fields.get('X', '')}"
