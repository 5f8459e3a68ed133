"""Find the encoding of a file's texts, which MIDI files do not name: UTF-8, else the most probable of four.

Each encoding has a rough model of the texts written in it: the log probability of a character by its kind and
neighbours. The chosen encoding is the one under which all texts of a file together are most probable. Names
of tracks are too short for detectors that are made for web pages.
"""

# ruff: noqa: RUF001 (letters that look alike are what it is about)
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import log

from ritornello.errors import MidiError
from ritornello.midi.track_events import MARKER, SEQUENCE_NAME, events

Decoder = Callable[[bytes], str]

# Characters by falling frequency: in Russian (Cyrillic); in French, German, Spanish and so on (Latin)
CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
LATIN = "éàèáíóñüöäçúêâôîãßåøæõëïûùòìœÿ"
LATIN_SIGNS = "©®°«»–—‘’“”…¡¿·ºª´§"
VOICEABLE = "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"  # katakana that a voicing mark may follow
# The log probability of each encoding before a text is seen
PRIOR = {"cp1252": log(0.7), "cp932": log(0.15), "gbk": log(0.08), "cp1251": log(0.07)}
UNLIKELY = log(1e-5)  # the log probability of a byte that hardly occurs in the encoding
MIXED = log(0.01)  # the factor for letters of two scripts, or two accented letters, side by side


def decoder(texts: Iterable[bytes]) -> Decoder:
    """Return the function that decodes each text of a file, given all of them.

    A text that is invalid in the file's encoding gets an encoding of its own. Bytes without a meaning in
    cp1252, the last choice, become U+FFFD.
    """
    best = _most_probable({text for text in texts if not is_utf8(text)})

    def decode(text: bytes) -> str:
        for name in ("utf-8", best):
            try:
                return text.decode(name)
            except UnicodeDecodeError:
                continue
        return text.decode(_most_probable([text]), "replace")

    return decode


def _most_probable(texts: Iterable[bytes]) -> str:
    """The encoding under which texts are most probable."""
    return max(PRIOR, key=lambda name: sum(_likelihood(name, text) for text in texts) + PRIOR[name])


def is_utf8(text: bytes) -> bool:
    """Whether a text is valid in UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _likelihood(name: str, text: bytes) -> float:
    """The log probability of the characters of a text that are not ASCII, in an encoding."""
    try:
        characters = text.decode(name)
    except UnicodeDecodeError:
        return UNLIKELY * sum(byte >= 0x80 for byte in text)
    model = {"cp1252": _latin, "cp1251": _cyrillic, "cp932": _japanese, "gbk": _chinese}[name]
    return sum(
        model(char, characters[max(at - 1, 0) : at], characters[at + 1 : at + 2])
        for at, char in enumerate(characters)
        if char >= "\x80"
    )


def _latin(char: str, before: str, after: str) -> float:
    """The log probability of a character in a text of a Western European language."""
    neighbours = [other for other in (before, after) if other and other.lower() in LATIN]
    side = MIXED / 2 * len(neighbours) if char.lower() in LATIN else 0.0
    if char in LATIN:
        return log(0.7 / len(LATIN)) + side
    if char.lower() in LATIN:
        return log((0.1 if not before.islower() else 0.005) / len(LATIN)) + side
    return log(0.15) + _sign(char, before) if char in LATIN_SIGNS else log(0.01 / 60) + side


def _cyrillic(char: str, before: str, after: str) -> float:
    """The log probability of a character in a Russian text."""
    side = MIXED * sum(other.isascii() and other.isalpha() for other in (before, after))
    if char in CYRILLIC:
        return log(0.9 * _zipf(CYRILLIC.index(char))) + side
    if char.lower() in CYRILLIC:
        return log((0.3 if not before.islower() else 0.01) * _zipf(CYRILLIC.index(char.lower()))) + side
    return log(0.02) + _sign(char, before) if char in LATIN_SIGNS + "№" else log(0.002 / 70) + side


def _sign(char: str, before: str) -> float:
    """The log probability of one of the European signs; a quote opens or closes something."""
    is_odd_quote = (char in "‘“" and before.isalnum()) or (char in "”»" and not before)
    return UNLIKELY * is_odd_quote - log(len(LATIN_SIGNS))


def _japanese(char: str, before: str, after: str) -> float:
    """The log probability of a character in a Japanese text."""
    side = MIXED * (after.isascii() and after.islower())
    if "\u3041" <= char <= "\u30ff" or char in "、。「」・":
        return log(0.5 / 170)
    if char in "ﾞﾟ" and before and before in VOICEABLE:
        return log(0.3)
    if "\uff61" <= char <= "\uff9f":  # katakana of half width, which come in runs
        is_run = any("\uff61" <= other <= "\uff9f" for other in (before, after))
        side = MIXED * sum(other.isascii() and other.isalpha() for other in (before, after))
        return log((0.3 if is_run else 0.002) / 60) + side
    lead = char.encode("cp932")[0]
    if "\u4e00" <= char <= "\u9fff":
        return (log(0.4 / 2965) if lead < 0x98 else log(0.01 / 3400)) + side
    return log(0.05 / 250) if lead in (0x81, 0x82) else log(0.001 / 2000)


def _chinese(char: str, before: str, after: str) -> float:
    """The log probability of a character in a text in simplified Chinese."""
    data = char.encode("gbk")
    if len(data) < 2 or data[1] < 0xA1 or data[0] < 0xA1:
        return log(0.01 / 14000)
    if 0xB0 <= data[0] <= 0xD7:  # the 3,755 most frequent characters
        return log(0.9 / 3755)
    return log(0.03 / 3000) if data[0] > 0xD7 else log(0.04 / 700)


def _zipf(rank: int) -> float:
    """The rough frequency of a letter of Russian by its rank among all, from 0."""
    return 0.1 * 0.91**rank


def file_decoder(tracks: Iterable[bytes]) -> Decoder:
    """Return the function that decodes the texts of a file, given its tracks."""
    return decoder(text for track in tracks for _, text in texts(track))


def texts(track: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind (1-7) and the bytes of each text of a track, up to a malformed event."""
    try:
        for event in events(track, skip_channel_events=True):
            if 1 <= event.kind <= 7:
                yield event.kind, track[event.end - event.size : event.end]
    except MidiError:
        return


def encoded_texts(tracks: Sequence[bytes]) -> tuple[tuple[str, bytes], ...]:
    """Return the names and markers of tracks that are not UTF-8, decoded, each with its bytes."""
    other_texts = {text for track in tracks for kind, text in texts(track) if kind in (SEQUENCE_NAME, MARKER)}
    decode = file_decoder(tracks)
    return tuple((decode(text), text) for text in sorted(other_texts) if not is_utf8(text))
