"""The description of a song: its form, its chords, and the ranks of its features."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from ritornello.evaluation.song_description import describe_song, description_text, form, repeats
from ritornello.music.score import Part, Score
from ritornello.music.timeline import Timeline
from tests.folders import wandering
from tests.scores import scores, tune


def returning(*models: int) -> Timeline:
    """Bars of 4/4, each with the bar (from 1) that it returns to; 0 for none."""
    bars = Timeline.of(Score.of(24, [96 * (len(models) - 1)], [24], [60], [64]))
    returns = np.array(models) - 1
    return bars.with_returns(returns, np.where(returns >= 0, 3, 0))


def test_phrases_are_lettered() -> None:
    """AABA: the third phrase is new; of the last, three of four bars are those of the first."""
    found = form(returning(0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 0))
    assert found["letters"] == ["A", "A", "B", "A'"]
    assert found["returning_share"] == round(7 / 16, 3)
    assert found["returns_to"][12] == 5
    assert found["likeness"][12:] == ["all", "all", "all", "not at all"]


def test_a_short_last_phrase_and_many_letters() -> None:
    assert form(returning(0, 0, 0, 0, 1, 2))["letters"] == ["A", "A"]
    assert form(returning(*[0] * 108))["letters"][-2:] == ["Z", "A1"]


def four_beats(*pitches: tuple[int, ...], is_drum: bool = False) -> Score:
    """A bar of 4/4 for each chord, struck on each beat; () is a silent bar."""
    notes = [
        (96 * bar + 24 * beat, p) for bar, chord in enumerate(pitches) for beat in range(4) for p in chord
    ]
    onset, pitch = np.array(notes).T
    return Score.of(24, onset, [24] * len(notes), pitch, [80] * len(notes), parts=[Part("", 0, is_drum)])


C, F, G = (48, 64, 67, 72), (53, 65, 69, 72), (43, 62, 67, 71)


def test_a_chord_begins_where_it_is_played() -> None:
    found = describe_song(four_beats((), C, C, (), (), (), G, (), F, C))["chords"]
    assert found["by_bar"] == ["-", "C", "C", "-", "-", "-", "G", "-", "F", "C"]
    assert found["commonest"] == {"C": 0.6, "G": 0.2, "F": 0.2}
    # a bar whose second half alone sounds has that chord; silent beats keep the chord before them
    notes = four_beats(C, (), G)
    late = Score.of(
        24, notes.onset_ticks + 48 * (notes.onset_ticks >= 192), [24] * 32, notes.pitch, [80] * 32
    )
    found = describe_song(late)["chords"]
    assert found["by_bar"] == ["C", "-", "G", "G"]
    assert found["commonest"] == {"C": 0.5, "G": 0.5}


def test_silent_phrases_have_no_letter() -> None:
    a, b = [(60,), (62,), (64,), (65,)], [(72,), (71,), (67,), ()]
    silent: list[tuple[int, ...]] = [()] * 4
    for is_drum in (False, True):
        song = four_beats(*silent, *a, *silent, *b, *a, *silent, *silent, *b, is_drum=is_drum)
        assert describe_song(song)["form"]["letters"] == ["-", "A", "-", "B", "A", "-", "-", "B"]
    # bars that are silent in both phrases do not make them alike
    song = four_beats((60,), (), (), (), (67,), (), (), (), (60,), (), (), (), (67,))
    assert describe_song(song)["form"]["letters"] == ["A", "B", "A", "B"]


def test_a_bar_through_half_of_which_a_note_is_held_is_not_silent() -> None:
    for length, letter in ((96 * 4 + 20, "-"), (96 * 4 + 60, "B")):
        song = Score.of(24, [0, 768], [length, 96], [60, 60], [80, 80])
        assert describe_song(song)["form"]["letters"][1] == letter


def test_repeats() -> None:
    found = repeats(returning(0, 0, 0, 1, 2, 3, 0, 1, 3, 1, 2))
    assert found == [{"first": 4, "last": 6, "of": 1}, {"first": 10, "last": 11, "of": 1}]
    assert repeats(returning(0)) == []


def test_a_tune_as_text() -> None:
    found = describe_song(tune())
    assert (found["bars"], found["key"], found["meters"], found["bpm"]) == (4, "G major", ["4/4"], 96)
    assert found["chords"]["by_bar"] == ["G", "C", "G", "D7"]  # as the song itself says
    assert found["chords"]["commonest"] == {"G": 0.5, "C": 0.25, "D7": 0.25}
    assert [part["sound"] for part in found["parts"]] == ["flute", "acoustic bass"]
    assert found["parts"][0]["range"] == ["F#4", "E5"]
    text = description_text(found)
    assert "4 bars, 0:10, 23 notes" in text
    assert "G major, 100% of the notes in its scale" in text
    assert "G | C | G | D7" in text
    assert "rank" not in found["features"]["range"]


def test_unusual_features_are_marked() -> None:
    human = [wandering(seed) for seed in range(24)]
    found = describe_song(tune().transposed(36), human)
    assert found["features"]["polyphony"]["rank"] > 0.5
    assert found["features"]["density"]["human_median"] > 0
    assert "unusual" in description_text(found)
    assert "rank" not in describe_song(tune(), human[:19])["features"]["density"]


def test_a_drum_loop_has_neither_key_nor_chords() -> None:
    drums = Score.of(24, [0, 24, 48], [12] * 3, [36, 38, 36], [90] * 3, parts=[Part("Kit", 0, True)])
    found = describe_song(drums)
    assert (found["key"], found["chords"]) == (None, None)
    assert "drums (Kit): 3 notes" in description_text(found)


@given(scores(min_notes=1))
def test_any_song_has_a_description(song: Score) -> None:
    assert description_text(describe_song(song))
