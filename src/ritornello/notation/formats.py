"""Formats of written music: which one a file has, the XML inside an .mxl, the tunes of an ABC book."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath
from typing import Literal
from xml.etree import ElementTree

from ritornello.errors import MidiError

Format = Literal["musicxml", "abc", "kern"]
NOTATION_ENDINGS: dict[str, Format] = {
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
    ".krn": "kern",
    ".kern": "kern",
}
MAX_XML_BYTES = 64 << 20
"""The limit of the XML inside an .mxl. The largest known score (an oratorio) has 40 MB."""
MAX_CONTAINER_BYTES = 1 << 16  # of META-INF/container.xml, which names one file
CONTAINER = "META-INF/container.xml"
ZIP_START = b"PK\x03\x04"


def format_of(name: str, data: bytes) -> Format | None:
    """Return the format of a file by its name's ending, for .xml also by its first bytes; None for others."""
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".xml":
        start = _ascii(data[:4096])
        return "musicxml" if b"<score-partwise" in start or b"<score-timewise" in start else None
    return NOTATION_ENDINGS.get(ending)


def musicxml_of(data: bytes) -> bytes:
    """Return the MusicXML document in `data`, which is that document or an .mxl (a zip archive with one).

    Nothing is written to the disk. Raises MidiError if the archive is damaged, names a file outside itself or
    holds more than MAX_XML_BYTES, and if the document declares XML entities.
    """
    document = _unzip(data) if data.startswith(ZIP_START) else data
    if b"<!ENTITY" in _ascii(document):
        raise MidiError("refused: the XML declares entities, which no score needs")
    return document


def split_abc(data: bytes) -> list[bytes]:
    """Return the tunes of an ABC file, each from its line `X:` on, after the lines before the first tune."""
    starts = [match.start() for match in re.finditer(rb"(?m)^X:", data)]
    if not starts:
        return []
    header = data[: starts[0]].replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n")
    ends = [*starts[1:], len(data)]
    tunes = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    return [header + b"\n\n" + tune if header else tune for tune in tunes]


def _unzip(data: bytes) -> bytes:
    """Return the document that the container of an .mxl names."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = _root_file(archive)
            size = archive.getinfo(inside).file_size
            if size > MAX_XML_BYTES:
                raise MidiError(f"{inside!r} has {size} bytes: must have at most {MAX_XML_BYTES}")
            with archive.open(inside) as stream:  # the size in the archive's directory may be wrong
                document = stream.read(MAX_XML_BYTES + 1)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise MidiError(f"the .mxl archive cannot be read: {error}") from error
    except ElementTree.ParseError as error:
        raise MidiError(f"{CONTAINER} of the .mxl archive cannot be read: {error}") from error
    if len(document) > MAX_XML_BYTES:
        raise MidiError(f"{inside!r} has more than {MAX_XML_BYTES} bytes")
    return document


def _root_file(archive: zipfile.ZipFile) -> str:
    """Return the name of the score in an .mxl: what its container names, else its first XML file."""
    names = archive.namelist()
    if CONTAINER not in names:
        inside = next((n for n in names if n.lower().endswith((".xml", ".musicxml"))), "")
        if not inside:
            raise MidiError("the .mxl archive holds no MusicXML")
        return inside
    with archive.open(CONTAINER) as stream:
        text = stream.read(MAX_CONTAINER_BYTES)
    if b"<!ENTITY" in _ascii(text):
        raise MidiError(f"refused: {CONTAINER} declares XML entities")
    root = next(
        (file.get("full-path") or "" for file in ElementTree.fromstring(text).iter() if _is_root_file(file)),
        "",
    )
    if PurePosixPath(root).is_absolute() or ".." in PurePosixPath(root).parts:
        raise MidiError(f"refused: {CONTAINER} names {root!r}, which lies outside the archive")
    if root not in names:
        raise MidiError(f"{CONTAINER} names {root!r}, which the archive does not hold")
    return root


def _is_root_file(element: ElementTree.Element) -> bool:
    """Whether an element of a container names a MusicXML file (others name pictures of the pages)."""
    media_type = element.get("media-type") or "application/vnd.recordare.musicxml+xml"
    return element.tag.rpartition("}")[2] == "rootfile" and "xml" in media_type


def _ascii(data: bytes) -> bytes:
    """The ASCII characters of a text in ASCII, UTF-8 or UTF-16, to look for markup."""
    return data.replace(b"\0", b"")
