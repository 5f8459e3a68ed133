"""Texts in other encodings than UTF-8: they are shown as their writer saw them, and keep their bytes."""

# ruff: noqa: RUF001 (letters that look alike are what it is about)
import pytest

from ritornello.midi import parse, to_bytes
from ritornello.midi.chunks import all_tracks
from ritornello.midi.encodings import decoder
from tests.midi.strict import read_strictly

NAMES = {
    "cp932": "前奏 ピアノ ﾋﾟｱﾉ ﾄﾞﾗﾑ 右手 Aメロ Piano右手 曲 弦楽器 さくら",
    "gbk": "主旋律 低音部 钢琴 鼓 左手 副歌 茉莉花 Piano右手 尾声",
    "cp1251": "Фортепиано Бас ПИАНО Куплет рояль Ля Семёнов",
    "cp1252": "Flöte Größe Étude Percussão Señorita ÉTUDE L’été “A” rock‘n’roll à Poème français ©1997",
}
ONE_NOTE = bytes.fromhex("00 90 3C 40 60 80 3C 00 00 FF 2F 00")


def text_event(kind: int, text: bytes) -> bytes:
    """A meta event at once."""
    return bytes([0, 0xFF, kind, len(text)]) + text


@pytest.mark.parametrize(
    ("encoding", "name"), [(encoding, name) for encoding, names in NAMES.items() for name in names.split()]
)
def test_a_single_name(encoding: str, name: str) -> None:
    data = name.encode(encoding)
    assert decoder([data])(data) == name


def test_the_texts_of_a_file_decide_together() -> None:
    # a byte that is a letter in Latin, too, beside a text that can only be Japanese
    short, long = "Ä".encode("cp1252"), "「ロマンス」".encode("cp932")
    assert decoder([short])(short) == "Ä"
    decode = decoder([short, long])
    assert [decode(short), decode(long)] == ["ﾄ", "「ロマンス」"]


def test_utf_8_beside_another_encoding() -> None:
    decode = decoder(["曲".encode(), "Гитара".encode("cp1251")])
    assert decode("曲".encode()) == "曲"
    assert decode("Гитара".encode("cp1251")) == "Гитара"


@pytest.mark.parametrize("encoding", NAMES)
def test_texts_keep_their_bytes(encoding: str) -> None:
    names = [name.encode(encoding) for name in NAMES[encoding].split()]
    first = b"".join([text_event(3, names[0]), text_event(6, names[1]), text_event(5, names[2])])
    tracks = [first + bytes.fromhex("00 FF 2F 00"), text_event(3, names[3]) + ONE_NOTE]
    song = parse(all_tracks(96, tracks), pedal="ignore", with_details=True).score
    decoded = [name.decode(encoding) for name in names]
    assert (song.title, song.markers[0].text, song.parts[0].name) == (decoded[0], decoded[1], decoded[3])
    events = [event for track in read_strictly(to_bytes(song)[0]).tracks for event in track]
    assert {(e.kind, e.data) for e in events if e.status == 0xFF} == {
        (3, names[0]), (6, names[1]), (5, names[2]), (3, names[3])
    }  # fmt: skip
    assert parse(all_tracks(96, tracks)).score.parts == song.parts


def test_bytes_that_no_encoding_has() -> None:
    data = all_tracks(96, [text_event(3, b"\x81") + ONE_NOTE])
    song = parse(data, pedal="ignore", with_details=True).score
    assert song.parts[0].name == "\ufffd"
    assert b"\xff\x03\x01\x81" in to_bytes(song)[0]
