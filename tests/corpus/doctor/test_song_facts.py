"""The facts that the doctor collects about a song."""

from __future__ import annotations

import json
from dataclasses import replace

from ritornello.corpus.checks.check import ANNOTATION
from ritornello.corpus.doctor.song_facts import longest_lasting, song_facts
from ritornello.music.score import KeySignature, Meter, Part, Score, Tempo
from tests.folders import wandering


def test_facts_are_json_and_those_of_the_file() -> None:
    song = replace(wandering(3), keys=(KeySignature(0, -1, True),))
    facts = song_facts(song, {})
    assert facts == json.loads(json.dumps(facts))
    assert (facts["key"], facts["estimated_key"]) == ("D minor", "")
    assert (facts["meter"], facts["bpm"]) == ("4/4", 120.0)
    assert (facts["notes"], facts["parts"], facts["warnings"]) == (len(song), 2, {})


def test_a_file_without_key_meter_and_tempo() -> None:
    # the scale and triad of G major: 67 71 74 79, with a leading F#
    song = Score.of(480, [0, 480, 960, 1440, 1920], [480] * 5, [67, 71, 74, 78, 79], [80] * 5)
    facts = song_facts(song, {})
    assert (facts["key"], facts["estimated_key"]) == ("", "G major")
    assert (facts["meter"], facts["bpm"]) == ("", 0.0)
    assert (facts["bars"], facts["seconds"]) == (2, 2.5)
    drums = Score.of(480, [0, 480], [10, 10], [36, 38], [80, 80], parts=(Part("", 0, True),))
    assert song_facts(drums, {})["estimated_key"] == ""


def test_an_annotation_is_a_warning() -> None:
    facts = song_facts(wandering(3), {ANNOTATION: 395})
    assert facts["warnings"] == {"annotation track": "395 notes of chord labels"}


def test_longest_lasting() -> None:
    song = replace(
        wandering(3, 200),
        tempi=(Tempo(0, 400_000), Tempo(960, 600_000)),
        meters=(Meter(0, 3, 4), Meter(1440, 4, 4), Meter(5280, 3, 4)),
    )
    assert longest_lasting(song, "tempi") == (600_000,)
    assert longest_lasting(song, "meters") == (3, 4)  # twice, together longer than 4/4 in between
    assert longest_lasting(song, "keys") == ()
