"""Score: what the constructor refuses, what Score.of corrects, and what transformations keep."""

from dataclasses import FrozenInstanceError, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.errors import ScoreError
from ritornello.music.score import (
    COLUMNS,
    Chord,
    KeySignature,
    Marker,
    Meter,
    Part,
    Score,
    Tempo,
    drop_redundant,
)
from ritornello.music.theory import key_tonic
from tests.scores import scores, tune

NOTE = {"onset_ticks": [0], "duration_ticks": [1], "pitch": [60], "velocity": [64], "part": [0]}


def one_note(**changed: object) -> Score:
    """A Score of one note through the constructor, with some arguments changed."""
    return Score(**({"ticks_per_beat": 24, "parts": (Part(),), **NOTE} | changed))


def rows(score: Score) -> list[tuple[int, ...]]:
    """(onset_ticks, duration_ticks, pitch, velocity, part) of every note."""
    return list(zip(*(getattr(score, name).tolist() for name in COLUMNS), strict=True))


# What is refused: each message names the value and the range.


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("pitch", 128, "0-127"),
        ("pitch", -1, "0-127"),
        ("pitch", 256 + 60, "0-127"),  # would be 60 in a byte
        ("velocity", 0, "1-127"),
        ("velocity", 128, "1-127"),
        ("onset_ticks", -1, "0-2147483647"),
        ("onset_ticks", 2**31, "0-2147483647"),
        ("onset_ticks", 2**32, "0-2147483647"),  # would be 0 in 32 bits
        ("duration_ticks", -5, "1-2147483647"),
        ("duration_ticks", 2**31, "1-2147483647"),
        ("part", 256, "0-255"),
    ],
)
def test_a_column_out_of_range(name: str, value: int, allowed: str) -> None:
    message = rf"^{name} {value} at note 1 of 'Song': must be {allowed}$"
    columns = {key: [*first, *first] for key, first in NOTE.items()} | {"pitch": [60, 61]}
    columns[name][1] = value
    with pytest.raises(ScoreError, match=message):
        Score.of(24, **columns, parts=[Part()], title="Song")
    with pytest.raises(ScoreError, match=message):
        one_note(**columns, title="Song")
    with pytest.raises(ScoreError, match=message):
        one_note(**{key: np.array(column) for key, column in columns.items()}, title="Song")


def test_the_constructor_refuses_a_length_of_zero() -> None:
    with pytest.raises(ScoreError, match=r"^duration_ticks 0 at note 0: must be 1-2147483647$"):
        one_note(duration_ticks=[0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ticks_per_beat": 0}, "0 ticks a beat: must be 1-32767"),
        ({"ticks_per_beat": 32768}, "32768 ticks a beat: must be 1-32767"),
        ({"parts": (Part(),) * 257}, "257 parts: must be at most 256"),
        ({"parts": ()}, "1 notes, but no part that plays them"),
        ({"part": [1]}, "part 1 at note 0: must be 0-0"),
        ({"pitch": [60, 61]}, "columns of different lengths: "),
        (
            {"onset_ticks": [2**31 - 1], "duration_ticks": [2]},
            "a note ends at tick 2147483649: must be at most 2147483647",
        ),
        ({"parts": (Part("Lead", 128),)}, "program 128 of part 'Lead': must be 0-127"),
        ({"tempi": [Tempo(0, 0)]}, "tempo of 0 microseconds a beat: must be 1-16777215"),
        ({"tempi": [Tempo(0, 1 << 24)]}, "tempo of 16777216 microseconds a beat: must be 1-16777215"),
        ({"meters": [Meter(0, 0, 4)]}, "meter 0/4: must be 1-255 over 1, 2, 4 ... 64"),
        ({"meters": [Meter(0, 256, 4)]}, "meter 256/4: must be 1-255 over 1, 2, 4 ... 64"),
        ({"meters": [Meter(0, 4, 3)]}, "meter 4/3: must be 1-255 over 1, 2, 4 ... 64"),
        ({"meters": [Meter(0, 4, 128)]}, "meter 4/128: must be 1-255 over 1, 2, 4 ... 64"),
        ({"keys": [KeySignature(0, 8, False)]}, "key of 8 sharps: must be -7 to 7"),
        ({"chords": [Chord(0, 12, "maj")]}, "chord 12 'maj': must be 0-11 and one of "),
        ({"chords": [Chord(0, 0, "major")]}, "chord 0 'major': must be 0-11 and one of "),
        ({"tempi": [Tempo(-1, 1)]}, "tempi: an event at tick -1: must be at 0-2147483647"),
        ({"markers": [Marker(2**31, "A")]}, "markers: an event at tick 2147483648: must be at 0-2147483647"),
        (
            {"meters": [Meter(9, 4, 4), Meter(5, 3, 4)]},
            "meters: an event at tick 5: must be at 9-2147483647, and in order",
        ),
    ],
)
def test_errors_name_the_value_and_its_range(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        one_note(**changed)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


TWO = {key: first * 2 for key, first in NOTE.items()}


@pytest.mark.parametrize(
    "changed",
    [
        {"onset_ticks": [1, 0]},
        {"pitch": [61, 60]},
        {"part": [1, 0], "parts": (Part(), Part())},
        {},  # the same note twice
    ],
)
def test_the_constructor_refuses_an_order_that_is_broken(changed: dict[str, object]) -> None:
    with pytest.raises(ScoreError, match="must be sorted by onset, part, pitch, each once"):
        one_note(**(TWO | changed))


def test_the_constructor_refuses_overlaps_in_a_part_only() -> None:
    overlap = TWO | {"onset_ticks": [0, 3], "duration_ticks": [4, 1]}
    with pytest.raises(ScoreError, match="note 0 still sounds when its pitch is struck again"):
        one_note(**overlap)
    assert len(one_note(**(overlap | {"duration_ticks": [3, 1]}))) == 2
    assert len(one_note(**(overlap | {"part": [0, 1], "parts": (Part(), Part())}))) == 2


def test_of_refuses_columns_of_different_lengths() -> None:
    with pytest.raises(ScoreError, match=r"different lengths: \[\(1,\), \(1,\), \(2,\), \(1,\), \(1,\)\]"):
        Score.of(24, [0], [1], [60, 61], [64])


# Score.of puts notes in order.


def test_of_sorts_by_onset_then_part_then_pitch() -> None:
    song = Score.of(24, [9, 0, 0, 0], [1] * 4, [60, 72, 60, 50], [64] * 4, [0, 0, 0, 1], [Part(), Part()])
    assert rows(song) == [(0, 1, 60, 64, 0), (0, 1, 72, 64, 0), (0, 1, 50, 64, 1), (9, 1, 60, 64, 0)]


@pytest.mark.parametrize(
    ("given_notes", "kept"),
    [
        # onset, duration, velocity, all of one pitch
        ([(0, 10, 64), (4, 10, 65)], [(0, 4, 64), (4, 10, 65)]),  # struck again: the earlier is cut
        ([(0, 4, 64), (4, 4, 65)], [(0, 4, 64), (4, 4, 65)]),  # one ends where the next begins
        ([(0, 10, 64), (4, 2, 65)], [(0, 4, 64), (4, 2, 65)]),  # it does not come back after the later
        ([(0, 5, 99), (0, 9, 64)], [(0, 9, 64)]),  # doubles: the longest stays
        ([(0, 9, 64), (0, 9, 99)], [(0, 9, 99)]),  # as long: the loudest
        ([(0, 0, 64)], [(0, 1, 64)]),  # a length of zero becomes one tick
        ([(0, 0, 64), (1, 3, 64)], [(0, 1, 64), (1, 3, 64)]),
    ],
)
def test_of_cuts_and_drops(given_notes: list[tuple[int, ...]], kept: list[tuple[int, ...]]) -> None:
    for order in (given_notes, given_notes[::-1]):
        onset, length, velocity = zip(*order, strict=True)
        song = Score.of(24, onset, length, [60] * len(order), velocity)
        assert rows(song) == [(start, size, 60, loud, 0) for start, size, loud in kept]


def test_of_cuts_neither_other_pitches_nor_other_parts() -> None:
    song = Score.of(24, [0, 2, 2], [9, 9, 9], [60, 61, 60], [64] * 3, [0, 0, 1], [Part(), Part()])
    assert song.duration_ticks.tolist() == [9, 9, 9]


columns_of_any_size = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, 20), st.integers(58, 62), st.integers(1, 127), st.integers(0, 2)
    ),
    max_size=40,
).map(lambda notes: [list(column) for column in zip(*notes, strict=True)] or [[]] * 5)


@given(columns_of_any_size)
def test_a_score_of_of_passes_the_constructor_and_of_again(columns: list[list[int]]) -> None:
    song = Score.of(24, *columns, parts=[Part()] * 3)  # the constructor has checked order and overlaps
    again = Score.of(24, *(getattr(song, name) for name in COLUMNS), parts=song.parts)
    assert again == song
    onset, _, pitch, _, part = columns
    expected = set(zip(onset, pitch, part, strict=True))
    assert {(row[0], row[2], row[4]) for row in rows(song)} == expected  # no onset is lost or invented
    assert len(song) == len(expected)


@given(columns_of_any_size, st.randoms())
def test_of_accepts_notes_in_any_order(columns: list[list[int]], random: Random) -> None:
    notes = list(zip(*columns, strict=True))
    random.shuffle(notes)
    shuffled = [list(column) for column in zip(*notes, strict=True)] or [[]] * 5
    assert Score.of(24, *shuffled, parts=[Part()] * 3) == Score.of(24, *columns, parts=[Part()] * 3)


def test_a_song_without_notes() -> None:
    silence = Score.of(480, [], [], [], [])
    assert len(silence) == 0
    assert silence.end_ticks == 0
    assert silence.duration_s == 0
    assert silence.transposed(99) == silence
    assert len(Score.of(480, [], [], [], [], parts=[])) == 0


# Immutable, and equal by what it holds.


def test_a_score_cannot_be_changed() -> None:
    song = tune()
    with pytest.raises(FrozenInstanceError):
        song.title = "Other"  # type: ignore[misc]
    for name, dtype in COLUMNS.items():
        column = getattr(song, name)
        assert column.dtype == dtype
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_the_callers_arrays_stay_writeable() -> None:
    columns = {name: np.array(value, dtype=COLUMNS[name]) for name, value in NOTE.items()}
    song = one_note(**columns)
    columns["pitch"][0] = 70
    assert song.pitch.tolist() == [60]


def test_events_may_be_lists() -> None:
    assert one_note(tempi=[Tempo(0, 9)], parts=[Part()]) == one_note(tempi=(Tempo(0, 9),))


@given(scores())
def test_equality_is_by_every_field(song: Score) -> None:
    assert song == replace(song)
    assert song != replace(song, title=song.title + "!")
    assert song != replace(song, markers=(*song.markers, Marker(2**31 - 1, "end")))
    assert song != replace(song, parts=(*song.parts, Part("more")))
    if len(song):
        assert song != replace(song, velocity=song.velocity % 127 + 1)
    assert song != "a song"


def test_a_score_is_not_hashable_and_has_a_repr() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(tune())
    assert repr(tune()) == "<Score 'Tune': 23 notes, 2 parts, 10.0 s>"  # 16 beats at 96 bpm


# Time.


def test_seconds_by_hand() -> None:
    # 480 ticks a beat. Beats 0 and 1 at 120 bpm last 0.5 s, beat 2 at 60 bpm 1 s, from beat 3 on 0.25 s
    song = Score.of(
        480, [0], [480], [60], [64], tempi=(Tempo(0, 500_000), Tempo(960, 1_000_000), Tempo(1440, 250_000))
    )
    ticks = np.array([0, 240, 960, 1200, 1440, 1920, 14400])
    # 0; half of 0.5; 2 x 0.5; + half of 1; + 1; + 0.25; 2.0 + 27 x 0.25
    expected = [0.0, 0.25, 1.0, 1.5, 2.0, 2.25, 8.75]
    np.testing.assert_allclose(song.seconds(ticks), expected, rtol=0, atol=1e-12)


def test_seconds_before_the_first_tempo_are_at_120_bpm() -> None:
    # 96 ticks a beat: one beat of 0.5 s, then beats of 0.4 s (150 bpm)
    song = Score.of(96, [0], [288], [60], [64], tempi=(Tempo(96, 400_000),))
    np.testing.assert_allclose(song.seconds(np.array([48, 96, 192])), [0.25, 0.5, 0.9], atol=1e-12)
    assert song.duration_s == pytest.approx(0.5 + 2 * 0.4)


def test_seconds_without_any_tempo() -> None:
    assert Score.of(100, [0], [50], [60], [64]).duration_s == 0.25  # half a beat at 120 bpm


@given(scores(), st.lists(st.integers(0, 10**6), max_size=9))
def test_seconds_never_run_backwards(song: Score, ticks: list[int]) -> None:
    seconds = song.seconds(np.array(sorted(ticks), dtype=np.int64))
    assert (np.diff(seconds) >= 0).all()
    assert (seconds >= 0).all()


def test_bpm() -> None:
    assert Tempo(0, 500_000).bpm == 120
    assert Tempo(0, 1_000_000).bpm == 60


# Transposing.


def test_transposed_by_hand() -> None:
    # G major up two semitones is A major (three sharps); V7 of G, on D, becomes E7 (4)
    up = tune().transposed(2)
    assert up.pitch[:2].tolist() == [69, 45]  # 67 + 2 and 43 + 2
    assert up.keys == (KeySignature(0, 3, False),)
    assert up.chords[0] == Chord(0, 9, "maj")
    assert up.chords[3] == Chord(5760, 4, "7")
    assert (up.onset_ticks == tune().onset_ticks).all()


def test_drums_are_not_transposed() -> None:
    song = Score.of(24, [0, 0], [1, 1], [36, 60], [64, 64], [0, 1], [Part("Kit", 0, True), Part()])
    assert song.transposed(5).pitch.tolist() == [36, 65]


def test_transposed_out_of_range_names_the_pitch() -> None:
    with pytest.raises(ScoreError, match=r"^pitch -24 at note 0 of 'Tune': must be 0-127$"):
        tune().transposed(-91)  # the first melody note is 67
    with pytest.raises(ScoreError, match=r"^pitch 128 at note 8 of 'Tune': must be 0-127$"):
        tune().transposed(52)  # 76 + 52, the highest


@given(scores(), st.integers(-127, 127))
def test_transposed_there_and_back(song: Score, semitones: int) -> None:
    drum = np.array([part.is_drum for part in song.parts])[song.part]
    moved = song.pitch.astype(int)[~drum] + semitones
    if len(moved) and not (moved.min() >= 0 and moved.max() <= 127):
        with pytest.raises(ScoreError, match="must be 0-127"):
            song.transposed(semitones)
        return
    back = song.transposed(semitones).transposed(-semitones)
    assert replace(back, keys=()) == replace(song, keys=())
    # a key may come back with another spelling (C# for Db), but on the same tonic and in the same mode
    assert [(k.onset_ticks, key_tonic(*k[1:]), k.is_minor) for k in back.keys] == [
        (k.onset_ticks, key_tonic(*k[1:]), k.is_minor) for k in song.keys
    ]


@given(scores(drums=False).filter(lambda song: song.pitch.max(initial=0) < 127))
def test_a_key_moves_with_the_notes(song: Score) -> None:
    for before, after in zip(song.keys, song.transposed(1).keys, strict=True):
        assert key_tonic(*after[1:]) == (key_tonic(*before[1:]) + 1) % 12
        assert after.is_minor == before.is_minor


# Another resolution.


def test_rescaled_by_hand() -> None:
    # from 480 to 24 ticks a beat: divided by 20, halves rounded up (30/20 = 1.5 -> 2, 50/20 = 2.5 -> 3)
    song = Score.of(480, [30, 50, 969], [9, 470, 2], [60, 62, 64], [64] * 3, tempi=(Tempo(970, 400_000),))
    small = song.rescaled(24)
    # ends: 39/20 = 1.95 -> 2, no length left: one tick; 520/20 = 26; 971/20 = 48.55 -> 49
    assert rows(small) == [(2, 1, 60, 64, 0), (3, 23, 62, 64, 0), (48, 1, 64, 64, 0)]
    assert small.tempi == (Tempo(49, 400_000),)  # 970/20 = 48.5 -> 49
    assert small.ticks_per_beat == 24


def test_rescaled_merges_events_that_fall_on_one_tick() -> None:
    song = Score.of(
        480,
        [0, 4],
        [4, 480],
        [60, 60],
        [64, 70],
        tempi=(Tempo(0, 500_000), Tempo(5, 400_000)),
        markers=(Marker(0, "B"), Marker(3, "A")),
    )
    small = song.rescaled(24)
    assert rows(small) == [(0, 24, 60, 70, 0)]  # of two strikes at one tick the longer stays
    assert small.tempi == (Tempo(0, 400_000),)  # of two tempi the last counts
    assert small.markers == (Marker(0, "B"), Marker(0, "A"))  # markers all stay, in order


def test_rescaled_beyond_the_last_tick_is_refused() -> None:
    with pytest.raises(ScoreError, match=r"^onset_ticks 4294967292 at note 0: must be 0-2147483647$"):
        Score.of(1, [2**31 - 2], [1], [60], [64]).rescaled(2)  # 2 x (2^31 - 2)
    with pytest.raises(ScoreError, match=r"^0 ticks a beat: must be 1-32767$"):
        tune().rescaled(0)


@given(scores(), st.integers(1, 2000))
def test_rescaled_is_idempotent_and_keeps_the_order(song: Score, beat: int) -> None:
    once = song.rescaled(beat)
    assert once.rescaled(beat) == once
    assert once.rescaled(once.ticks_per_beat * 2).rescaled(beat) == once  # up and back loses nothing
    assert len(once) <= len(song)
    assert [marker.text for marker in once.markers] == [marker.text for marker in song.markers]
    # every note stands within half a tick of where it was
    where = {(part, pitch, onset / once.ticks_per_beat) for onset, _, pitch, _, part in rows(once)}
    for onset, _, pitch, _, part in rows(song):
        new = int(onset * beat / song.ticks_per_beat + 0.5)
        near = {(part, pitch, tick / beat) for tick in (new - 1, new, new + 1)}
        assert near & where


# settle


def test_drop_redundant_by_hand() -> None:
    found = [Tempo(9, 3), Tempo(0, 1), Tempo(0, 2), Tempo(5, 2), Tempo(9, 4), Tempo(12, 2)]
    # at 0 the last counts (2); at 5 it is repeated; at 9 the last counts (4)
    assert drop_redundant(found) == (Tempo(0, 2), Tempo(9, 4), Tempo(12, 2))
    assert drop_redundant([]) == ()
