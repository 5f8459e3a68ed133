"""What of a song is changed, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

import ritornello as r
from ritornello.composing.options import assignments
from ritornello.errors import InputError, PlanError
from ritornello.music.score import KeySignature, Part, Score, Tempo

PARTS = (Part("Tune", 73), Part("", 0, True))
SONG = Score.of(24, [0, 24, 24], [24] * 3, [74, 78, 36], [64] * 3, [0, 0, 1], PARTS,
                keys=(KeySignature(0, 2, False),), tempi=(Tempo(0, 500_000),))  # fmt: skip


@pytest.mark.parametrize(("key", "pitches"), [("C", [72, 36, 76]), ("A", [69, 36, 73]), ("Ab", [80, 36, 84])])
def test_a_key_is_reached_the_shortest_way(key: str, pitches: list[int]) -> None:
    changed = r.change(SONG, key=key).score
    assert sorted(changed.pitch.tolist()) == sorted(pitches)
    assert changed.tempi == SONG.tempi


def test_a_mode_has_the_key_signature_of_another_tonic() -> None:
    # two sharps: A mixolydian has them, and B mixolydian three more; "B major" would be read from D major
    assert sorted(r.change(SONG, key="B mixolydian").score.pitch.tolist()) == [36, 76, 80]
    assert sorted(r.change(SONG, key="B major").score.pitch.tolist()) == [36, 71, 75]


def test_tempo_and_instrument(tmp_path: Path) -> None:
    changed = r.change(SONG, tempo=60, instrument={"tune": "cello"})
    assert changed.score.tempi == (Tempo(0, 1_000_000),)
    assert [part.program for part in changed.score.parts] == [42, 0]
    changed.write(tmp_path / "new.mid")
    assert r.read(tmp_path / "new.mid") == changed.score
    assert r.change(SONG, instrument="1=cello").score == r.change(SONG, instrument=["flute=42"]).score
    with pytest.raises(InputError, match="must end in"):
        changed.write(tmp_path / "new.wav")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing to change"),
        ({"key": "D", "transpose": 1}, "only one of the two"),
        ({"key": "D minor"}, "so it must be a major key"),
        ({"key": "H"}, "key 'H'"),
        ({"transpose": 200}, "must be -127-127"),
        ({"tempo": 5}, "must be 10-400"),
        ({"instrument": "tune"}, "instrument 'tune': must be PART=VALUE"),
        ({"instrument": "drums=cello"}, "drums keep their kit"),
        ({"instrument": "tune=cellist"}, "instrument 'cellist'"),
        ({"instrument": "oboe=cello"}, "must be one of 1 Tune, 2 drums"),
    ],
)
def test_what_cannot_be_changed_is_said(options: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        r.change(SONG, **options)  # type: ignore[arg-type]


def test_pairs_are_read_from_texts_and_mappings() -> None:
    assert assignments("x", "a=1, b = 2") == assignments("x", ["a=1", "b=2"]) == [("a", "1"), ("b", "2")]
    assert assignments("x", {"a": 1}) == [("a", "1")]
    assert assignments("x", None) == []
