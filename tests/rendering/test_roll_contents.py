"""What a piano roll shows: parts, pitches, drums, bars, beats, the summary line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from ritornello.music.score import Meter, Part, Tempo
from ritornello.music.timeline import Timeline
from ritornello.rendering import roll_contents
from ritornello.rendering.palette import DRUM_COLOUR, part_colour
from tests.rendering.songs import BEAT, changing_meters, drum_loop, orchestra, song
from tests.scores import scores, tune


def test_voices_are_the_parts_that_play_drums_last() -> None:
    parts = (Part("", 0, True), Part("Lead", 80), Part("silent"), Part("", 33))
    score = song((0, 24, 36, 90, 0), (0, 24, 60, 90, 1), (0, 24, 40, 90, 3), parts=parts)
    found = [(voice.part, voice.label, voice.colour) for voice in roll_contents.shown_parts(score)]
    # program 33 is of the family of basses
    assert found == [(1, "Lead", part_colour(0)), (3, "bass", part_colour(1)), (0, "drums", DRUM_COLOUR)]


def test_the_title_as_the_name_of_all_tracks_is_none() -> None:
    parts = (Part("My song", 33), Part("My song", 0), Part("Flute I", 73), Part("Flute I", 40))
    notes = ((0, 24, 60 + part, 90, part) for part in range(4))
    score = song(*notes, parts=parts, title="My song")
    shown = roll_contents.shown_parts(score)
    assert [part.label for part in shown] == ["bass", "piano", "Flute I", "Flute I"]


def test_a_legend_has_each_colour_and_each_label_once() -> None:
    parts = [roll_contents.ShownPart(0, text, colour, False) for text, colour in
             (("Flute", "#1"), ("Flute", "#2"), ("Oboe", "#3"), ("drums", "#4"), ("drums", "#4"),
              ("Horn", "#3"))]  # fmt: skip
    assert roll_contents.legend(parts) == [
        (("#1", "#2"), "Flute"),
        (("#3",), "Oboe, Horn"),
        (("#4",), "drums"),
    ]


@pytest.mark.parametrize(
    ("pitches", "shown"),
    [
        ([60, 79], (60, 79)),  # an octave and more stays as it is
        ([60], (55, 66)),  # 11 missing: 5 below, the rest above
        ([0], (0, 11)),
        ([127], (116, 127)),
        ([3, 5], (0, 11)),  # 9 missing, 4 below would be -1
    ],
)
def test_pitch_range(pitches: list[int], shown: tuple[int, int]) -> None:
    assert roll_contents.pitch_range(song(*((0, 24, pitch, 90, 0) for pitch in pitches))) == shown


def test_drums_have_no_pitch_range_but_a_kit() -> None:
    assert roll_contents.pitch_range(drum_loop()) is None
    assert roll_contents.drum_lines(drum_loop()) == [("hi-hat", (42,)), ("snare", (38,)), ("kick", (36,))]
    assert roll_contents.drum_lines(tune()) == []


def test_every_drum_has_a_line() -> None:
    score = song(*((24 * pitch, 6, pitch, 90, 0) for pitch in range(128)), parts=(Part("", 0, True),))
    pitches = [pitch for drum in roll_contents.drum_lines(score) for pitch in drum.pitches]
    assert sorted(pitches) == list(range(128))
    assert roll_contents.drum_lines(score)[0].label == "percussion"


def test_bars_follow_a_note_that_is_held_on() -> None:
    assert len(roll_contents.shown_bars(song((0, 4 * BEAT, 60, 90, 0)))) == 1
    assert len(roll_contents.shown_bars(song((0, 9 * BEAT, 60, 90, 0)))) == 3  # 4/4: into the third bar
    most = 1 + roll_contents.MAX_BARS_AFTER_LAST_ONSET
    assert len(roll_contents.shown_bars(song((0, 999 * BEAT, 60, 90, 0)))) == most
    assert len(roll_contents.shown_bars(song())) == 0


def test_beats_as_the_meter_counts_them() -> None:
    timeline = Timeline.of(changing_meters())
    assert roll_contents.beat_ticks(timeline, 0) == [24, 48, 72]
    assert roll_contents.beat_ticks(timeline, 2) == [192 + 24, 192 + 48]  # 3/4
    assert roll_contents.beat_ticks(timeline, 3) == [264 + 36]  # 6/8 has two dotted beats


def test_unisons_share_their_line() -> None:
    parts = (Part("a"), Part("b"), Part("c"))
    score = song(
        (0, 96, 60, 90, 1),  # the longest lies below and has the whole line
        (0, 24, 60, 90, 0),  # of a, b and c, which all sound while b lasts? only a and b meet here
        (48, 24, 60, 90, 2),
        (48, 24, 62, 90, 0),  # alone on its pitch
        (96, 24, 60, 90, 0),  # begins when b ends
        parts=parts,
    )
    at = {
        (int(p), int(o), int(q)): s
        for p, o, q, s in zip(
            score.part, score.onset_ticks, score.pitch, roll_contents.unison_shares(score), strict=True
        )
    }
    assert at == {
        (1, 0, 60): (0, 1),
        (0, 0, 60): (0, 2),
        (2, 48, 60): (1, 2),
        (0, 48, 62): (0, 1),
        (0, 96, 60): (0, 1),
    }


@given(scores())
def test_unisons_hide_nothing(score) -> None:  # type: ignore[no-untyped-def]
    shares = roll_contents.unison_shares(score)
    assert len(shares) == len(score)
    assert all(0 <= place < count <= len(score.parts) for place, count in shares)
    if len(score.parts) == 1:
        assert set(shares) <= {(0, 1)}


def test_headline() -> None:
    score = tune()
    # 96 bpm: 16 beats last 10 s
    assert (
        roll_contents.summary_line(score, roll_contents.shown_bars(score))
        == "G major · 4/4 · 96 bpm · 4 bars · 0:10 · 23 notes"
    )


def test_headline_of_meters_tempi_and_nothing() -> None:
    score = replace(changing_meters(), tempi=(Tempo(0, 500_000), Tempo(48, 1_000_000)))
    line = roll_contents.summary_line(score, roll_contents.shown_bars(score))
    assert line.startswith("4/4, 5/4 · 60-120 bpm · 6 bars")  # 3/4 and 6/8 have one bar each
    pickup = song(
        (0, 24, 60, 90, 0), (24, 72, 60, 90, 0), (96, 72, 60, 90, 0), meters=(Meter(0, 1, 4), Meter(24, 3, 4))
    )
    assert roll_contents.summary_line(pickup, roll_contents.shown_bars(pickup)).startswith("3/4 · ")
    assert (
        roll_contents.summary_line(song(), roll_contents.shown_bars(song()))
        == "4/4 · 120 bpm · 0 bars · 0:00 · 0 notes"
    )
    assert roll_contents.summary_line(orchestra(1, 1), roll_contents.shown_bars(orchestra(1, 1))).endswith(
        "1 bar · 0:02 · 4 notes"
    )


def test_one_line_drops_what_no_file_can_hold() -> None:
    assert roll_contents.printable("  a\x00b\n\tc\ud800 \x1b[0m ") == "ab c [0m"
