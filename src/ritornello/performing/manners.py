"""The manner of a style: the amount of each rule of performance, and the style of the drums.

The amounts were chosen by listening and by looking at piano rolls, within the ranges of the papers that
`rules.py` and `tempo_shape.py` cite. An amount of 1 fits a soloist who plays romantic music; the tempo of
dances, and of songs with drums, hardly changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Manner(NamedTuple):
    """How a style is performed: amounts (0-1) of changes at feel 1, and the style of its drums."""

    rubato: float = 0.5
    """How much the tempo rises and falls with phrases."""
    ritard: float = 0.7
    """How much the song slows down at its end."""
    dynamics: float = 0.8
    """How much the loudness rises and falls."""
    pedal: bool = True
    """Whether a piano uses the sustain pedal."""
    drums: str = ""
    """A name of `drum_hits.STYLES`, or "" if unknown."""


WITH_DRUMS = Manner(rubato=0.08, ritard=0.15, dynamics=0.6)
SOLO = Manner(rubato=1.0, ritard=1.0, dynamics=1.0)
MANNERS = {
    "band": WITH_DRUMS,
    "chamber": Manner(0.6, 0.8, 0.9),
    "chorale": Manner(0.3, 0.8, 0.5, pedal=False),
    "choir": Manner(0.5, 0.8, 0.8),
    "classical": Manner(0.7, 0.9, 1.0),
    "country": WITH_DRUMS._replace(drums="country"),
    "fiddle": Manner(0.1, 0.3, 0.7),
    "folk": Manner(0.2, 0.4, 0.7),
    "funk": WITH_DRUMS._replace(drums="funk"),
    "game": Manner(0.1, 0.2, 0.6, pedal=False),
    "gospel": WITH_DRUMS._replace(rubato=0.15, ritard=0.4, drums="gospel"),
    "guitar": Manner(0.7, 0.9, 0.9),
    "hiphop": WITH_DRUMS._replace(rubato=0.0, ritard=0.0, pedal=False, drums="hiphop"),
    "hymn": Manner(0.3, 0.8, 0.5),
    "jazz": WITH_DRUMS._replace(ritard=0.3, drums="jazz"),
    "latin": WITH_DRUMS._replace(drums="latin"),
    "march": Manner(0.05, 0.3, 0.6, pedal=False),
    "organ": Manner(0.4, 0.8, 0.3, pedal=False),
    "orchestra": Manner(0.5, 0.8, 1.0),
    "piano": SOLO,
    "pop": WITH_DRUMS._replace(drums="pop"),
    "punk": WITH_DRUMS._replace(rubato=0.0, pedal=False, drums="punk"),
    "ragtime": Manner(0.1, 0.3, 0.7, pedal=False),
    "reggae": WITH_DRUMS._replace(pedal=False, drums="reggae"),
    "rock": WITH_DRUMS._replace(drums="rock"),
    "solo": SOLO,
    "song": Manner(0.6, 0.8, 0.9),
    "soul": WITH_DRUMS._replace(drums="soul"),
}
SYNONYMS = {
    "blues": "rock",
    "quartet": "chamber",
    "lied": "song",
    "oratorio": "orchestra",
    "rap": "hiphop",
}
SYNONYMS |= {"rnb": "soul", "metal": "rock", "drums": "band", "hymns": "hymn", "classic": "classical"}
SYNONYMS |= {
    "hip": "hiphop",
    "games": "game",
    "movies": "orchestra",
    "techno": "hiphop",
    "dance": "pop",
}


def style_of_labels(labels: Iterable[str]) -> str:
    """Return the style (a name of MANNERS) that fits labels such as "rnb_soul"; "" if none does."""
    for label in labels:
        for word in label.lower().replace("/", "_").replace("-", "_").replace(" ", "_").split("_"):
            if word in MANNERS or word in SYNONYMS:
                return SYNONYMS.get(word, word)
    return ""


def manner_of(style: str, has_drums: bool, parts: int) -> Manner:
    """Return the manner of a style; for "" the manner of a band, a single singer or player, or an ensemble.

    With drums, the tempo of any style changes at most as much as that of a band.
    """
    manner = MANNERS.get(style) or MANNERS["song" if parts == 1 else "chamber"]
    if not has_drums:
        return manner
    if style not in MANNERS:
        return WITH_DRUMS
    return manner._replace(
        rubato=min(manner.rubato, 0.15), ritard=min(manner.ritard, 0.4 if manner.drums else 0.2)
    )
