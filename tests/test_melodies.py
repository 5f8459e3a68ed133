"""What a model remembers of songs: by hand, there and back, and damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import melodies
from ritornello.errors import ModelError
from ritornello.melodies import Line, Melody, packed, unpacked
from ritornello.score import Part, Score
from tests.folders import wandering
from tests.scores import scores


def same(one: Melody, other: Melody) -> bool:
    lines = zip(one.lines, other.lines, strict=True)
    return one[:2] == other[:2] and all(
        np.array_equal(a, b) for pair in lines for a, b in zip(*pair, strict=True)
    )


def test_steps_by_hand() -> None:
    """A chord from the lowest up, then a fifth of the upper note down after a bar; drums have no line."""
    song = Score.of(
        96, [0, 0, 384, 0, 96], [96] * 5, [67, 60, 62, 36, 38], [80] * 5, [0, 0, 0, 1, 1],
        [Part("a"), Part("drums", 0, True)], title="A\x1b\n song",
    )  # fmt: skip
    melody = Melody.of(song, "a.mid")
    assert (melody.path, melody.title, melody.name, melody.notes) == ("a.mid", "A song", "A song (a.mid)", 3)
    (line,) = melody.lines
    assert line.steps.tolist() == [(7 + 127) * 512 + 0, (-5 + 127) * 512 + 96]  # 24 ticks a beat, four beats
    assert line.bars.tolist() == [0, 0, 1]


@given(st.lists(scores(), max_size=3))
def test_there_and_back(songs: list[Score]) -> None:
    before = [Melody.of(song, f"songs/{number} \u00e9.mid") for number, song in enumerate(songs)]
    after = unpacked(packed(before), "x")
    assert len(before) == len(after)
    assert all(map(same, before, after))


def test_a_long_wait_counts_as_the_longest() -> None:
    song = Score.of(24, [0, 2000, 2511], [1] * 3, [60, 60, 60], [80] * 3)
    assert Melody.of(song).lines[0].steps.tolist() == [127 * 512 + 511] * 2


def test_it_is_small() -> None:
    found = packed([Melody.of(wandering(seed, 400), "") for seed in range(50)])
    assert len(found) < 50 * 400 * 2


def test_the_file_of_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no reference\.npz, the songs that it learnt from"):
        melodies.read(tmp_path)
    kept = Melody.of(replace(wandering(1), title="One"), "1.mid")
    melodies.write(tmp_path, [kept])
    (found,) = melodies.read(tmp_path)
    assert same(found, kept)


def damaged() -> dict[str, bytes]:
    good = packed([Melody.of(wandering(1), "1.mid")])
    short = Melody("1.mid", "", (Line(np.zeros(0, np.int64), np.zeros(1, np.int64)),))
    return {
        "nothing": b"",
        "no archive": b"PK" + bytes(99),
        "cut": good[: len(good) // 2],
        "one note": packed([short]),
    }


@pytest.mark.parametrize("case", damaged())
def test_a_damaged_file_is_one_clear_line(case: str) -> None:
    with pytest.raises(ModelError, match=r"'m/reference\.npz' is damaged: "):
        unpacked(damaged()[case], "m/reference.npz")


def test_a_file_that_would_swell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(melodies, "MOST_UNPACKED_BYTES", 100)
    with pytest.raises(ModelError, match="bytes unpacked, at most 100"):
        unpacked(packed([Melody.of(wandering(1), "1.mid")]), "x")
