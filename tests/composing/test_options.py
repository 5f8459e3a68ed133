"""What a user says: understood, or refused in one line that says what it must be."""

from __future__ import annotations

from typing import Any

import pytest

from ritornello.composing.options import ComposeOptions
from ritornello.composing.parse_options import Instrument, ParsedOptions, parse_options
from ritornello.errors import PlanError

LABELS = ("chorale", "fiddle", "game")


def parsed(**options: Any) -> ParsedOptions:
    return parse_options(ComposeOptions(**options), LABELS)


def test_words_are_understood() -> None:
    asked = parsed(
        bars=8, genre="game:3, chorale:1", key="D minor", tempo=96, meter="6/8",
        parts="violin, bass,Drums", chords="Am | F | C G7",
    )  # fmt: skip
    assert asked.bars == 8
    assert asked.genres == (("game", 0.75), ("chorale", 0.25))
    assert asked.key == (-1, True)
    assert asked.us_per_beat == 625_000
    assert asked.meter == (6, 8)
    assert asked.parts == (
        Instrument("violin", (40,)), Instrument("bass", tuple(range(32, 40))), Instrument("Drums"),
    )  # fmt: skip
    assert asked.chords == ("Am", "F", "C G7")


def test_what_is_not_said_is_open() -> None:
    asked = parsed()
    assert {asked.bars, asked.genres, asked.key, asked.meter, asked.parts, asked.returns} == {None}


def test_a_form_says_how_long() -> None:
    asked = parsed(form="A2 B1 A2")
    assert asked.bars == 5
    assert asked.returns == ((-1, 0), (-1, 0), (-1, 0), (0, 3), (1, 3))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a mix": ({"genre": "chorale 70% + fidle 30%"}, "did you mean 'chorale:0.7,fiddle:0.3'?"),
    "per cents": ({"genre": "game:70%,fiddle:30%"}, "game:0.3; did you mean 'game:0.7,fiddle:0.3'?"),
    "letters": ({"form": "AABA"}, "section 'AABA': must be a name and 1-1000 bars, such as A8 A8 B8 A8"),
    "a label": ({"genre": "fidle"}, "genre 'fidle': did you mean 'fiddle'? It must be one of chorale, fid"),
    "a genre": ({"genre": "Irish"}, "fiddle, game; the closest of them is 'fiddle'; `rit"),
    "no such genre": ({"genre": "rumba"}, "fiddle, game; `ritornello learn FOLDER` learns"),
    "a folder to learn": ({"genre": "blues"}, "learns another from MIDI files in FOLDER/blues"),
    "a weight": ({"genre": "game:much"}, "weight 'much' of 'game': must be a number above 0"),
    "no weight": ({"genre": "game:0"}, "weight '0' of 'game': must be a number above 0"),
    "a key": ({"key": "Z minor"}, "key 'Z minor': must be"),
    "no bars": ({"bars": 0}, "bars 0: must be 1-1000"),
    "many bars": ({"bars": 5000}, "bars 5000: must be 1-1000"),
    "a tempo": ({"tempo": 9999}, "tempo 9999: must be 10-400"),
    "no tempo": ({"tempo": float("nan")}, "tempo nan: must be 10-400"),
    "seconds": ({"seconds": 0.1}, "seconds 0.1: must be 1-3600"),
    "both": ({"seconds": 9, "bars": 4}, "4 bars and 9 seconds: give only one of the two"),
    "a meter": ({"meter": "3/5"}, "meter '3/5': must be a time signature, such as 3/4"),
    "a long meter": ({"meter": "99/4"}, "meter '99/4': must be a time signature, such as 3/4"),
    "a part": ({"parts": "kazoo"}, "part 'kazoo': must be an instrument of General MIDI"),
    "a program": ({"parts": "128"}, "part '128': must be"),
    "many parts": ({"parts": ",".join(["violin"] * 33)}, "33 parts: must be 1-32"),
    "a form": ({"form": "A8 B8", "bars": 8}, "form 'A8 B8' has 16 bars: must have 8, as in bars"),
    "a section": ({"form": "A8 8"}, "section '8': must be a name and"),
    "a chord": ({"chords": "Am Hxy"}, "chord 'Hxy': must be"),
    "no chords": ({"chords": " "}, "chords are empty: must be one for each bar, such as 'Am F C G'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    said, says = WRONG[case]
    with pytest.raises(PlanError) as caught:
        parsed(**said)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
