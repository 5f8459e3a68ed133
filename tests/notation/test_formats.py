"""Formats of written music: recognised by name and content; archives and books taken apart safely."""

from __future__ import annotations

import io
import zipfile

import pytest

from ritornello.errors import MidiError
from ritornello.notation import formats
from ritornello.notation.formats import format_of, musicxml_of, split_abc

DOCUMENT = b'<?xml version="1.0"?><score-partwise version="4.0"></score-partwise>'


def container(path: str) -> bytes:
    return f'<container><rootfiles><rootfile full-path="{path}"/></rootfiles></container>'.encode()


def mxl(**files: bytes) -> bytes:
    """A zip archive; `META` stands for the container's name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(formats.CONTAINER if name == "META" else name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.musicxml", b"", "musicxml"),
        ("A.MXL", b"", "musicxml"),
        ("tunes.abc", b"", "abc"),
        ("chor001.krn", b"", "kern"),
        ("a.xml", DOCUMENT, "musicxml"),
        ("a.xml", DOCUMENT.decode().encode("utf-16"), "musicxml"),
        ("a.xml", b"<html></html>", None),
        ("a.mid", b"MThd", None),
        ("README", b"", None),
    ],
)
def test_a_format_is_known_by_the_ending_and_of_xml_by_the_root(
    name: str, data: bytes, expected: str | None
) -> None:
    assert format_of(name, data) == expected


def test_the_document_of_an_mxl_is_what_its_container_names() -> None:
    other = b"<score-partwise>other</score-partwise>"
    assert (
        musicxml_of(mxl(**{"a.xml": other, "score.xml": DOCUMENT, "META": container("score.xml")}))
        == DOCUMENT
    )
    assert musicxml_of(mxl(**{"score.xml": DOCUMENT})) == DOCUMENT  # without a container the first
    assert musicxml_of(DOCUMENT) == DOCUMENT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (mxl(**{"META": container("../../etc/passwd"), "a.xml": DOCUMENT}), "outside the archive"),
        (mxl(**{"META": container("/a.xml"), "a.xml": DOCUMENT}), "outside the archive"),
        (mxl(**{"META": container("b.xml"), "a.xml": DOCUMENT}), "which the archive does not hold"),
        (mxl(**{"META": b"<container", "a.xml": DOCUMENT}), "cannot be read"),
        (mxl(META=b"<!DOCTYPE c [<!ENTITY a 'b'>]>" + container("a.xml")), "entities"),
        (mxl(**{"readme.txt": b"hello"}), "holds no MusicXML"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (
            b"<!DOCTYPE s [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><score-partwise>&c;</score-partwise>",
            "entities",
        ),
        ("<!DOCTYPE s [<!ENTITY a 'b'>]><score-partwise/>".encode("utf-16"), "entities"),
    ],
)
def test_what_is_damaged_or_dangerous_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(MidiError, match=message):
        musicxml_of(data)


def test_an_mxl_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = mxl(**{"score.xml": b"<score-partwise>" + b" " * 200_000 + b"</score-partwise>"})
    assert len(bomb) < 2_000
    assert len(musicxml_of(bomb)) > 200_000
    monkeypatch.setattr(formats, "MAX_XML_BYTES", 100_000)
    with pytest.raises(MidiError, match="must have at most 100000"):
        musicxml_of(bomb)


def test_a_book_of_abc_is_split_into_tunes_with_its_header() -> None:
    book = b"%abc-2.1\r\nL:1/8\r\n\r\nX:1\r\nK:C\r\nCDE\r\n\r\nX:2\r\nK:G\r\nGAB\r\n"
    tunes = split_abc(book)
    assert len(tunes) == 2
    assert all(tune.startswith(b"%abc-2.1\nL:1/8\n\nX:") for tune in tunes)
    assert b"CDE" in tunes[0] and b"GAB" not in tunes[0]
    assert split_abc(b"no tune") == []
