"""Performing a song: nothing strange happens, whatever the song."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import midi
from ritornello.errors import InputError
from ritornello.music.file_details import DetailEvent
from ritornello.music.score import Meter, Part, Score, Tempo
from ritornello.music.timeline import Timeline
from ritornello.performing import rules
from ritornello.performing.analysis import phrase_ticks
from ritornello.performing.manners import SOLO, manner_of, style_of_labels
from ritornello.performing.perform import hash_of_notes, perform
from ritornello.performing.performance import Performance
from ritornello.performing.rules import Context
from ritornello.performing.swing import Swing
from ritornello.performing.tempo_shape import FINAL_TEMPO, shaped_tempi
from tests.scores import scores, tune

PERFORMANCES = st.builds(
    Performance,
    st.floats(0, 1),
    st.floats(50, 75),
    st.sampled_from(["eighths", "sixteenths"]),
    st.sampled_from(["", "jazz", "piano"]),
    st.integers(0, 9),
)


def eighths(beats: int, ticks_per_beat: int = 480, **events: object) -> Score:
    """Eighths of one pitch, one after another."""
    half = ticks_per_beat // 2
    onset = np.arange(2 * beats) * half
    return Score.of(ticks_per_beat, onset, onset * 0 + half, onset * 0 + 60, onset * 0 + 80, **events)


@given(scores(max_notes=16), PERFORMANCES)
def test_notes_keep_their_order_and_stay_within_the_song(song: Score, performance: Performance) -> None:
    played = perform(song, performance)
    factor = played.ticks_per_beat // song.ticks_per_beat
    assert played.ticks_per_beat == factor * song.ticks_per_beat
    assert len(played) == len(song)
    if len(song):
        assert played.end_ticks <= max(factor * song.end_ticks, int(played.onset_ticks.max()) + 1)
    for part in np.unique(song.part):
        before = song.select(song.part == part)
        after = played.select(played.part == part)
        written = np.lexsort((before.pitch, before.onset_ticks))
        by_time = np.unique(before.onset_ticks)
        groups = np.split(before.pitch[written], np.searchsorted(before.onset_ticks[written], by_time[1:]))
        heard = np.split(after.pitch, np.cumsum([len(group) for group in groups])[:-1])
        assert [sorted(group) for group in heard] == [sorted(group) for group in groups]
    assert perform(song, performance) == played


def test_a_plain_performance_is_the_song_itself() -> None:
    song = tune()
    assert perform(song, Performance()) is song


def test_each_seed_plays_in_its_own_way() -> None:
    one, other = (perform(tune(), Performance(feel=1, seed=seed)) for seed in (1, 2))
    assert hash_of_notes(one) != hash_of_notes(other)


def test_timing_and_loudness_have_the_size_of_feel() -> None:
    song = tune()
    moved = []
    for feel in (0.25, 1.0):
        played = perform(song, Performance(feel=feel, seed=3))
        order = np.lexsort((played.onset_ticks, played.pitch, played.part))
        straight = song.onset_ticks[np.lexsort((song.onset_ticks, song.pitch, song.part))]
        moved.append(np.abs(played.onset_ticks[order] - straight).mean() / 480 * 0.625)
    assert moved[0] < moved[1] < 0.03
    assert moved[0] == pytest.approx(moved[1] / 4, rel=0.1)


def test_what_is_written_is_read_with_the_same_notes_and_the_pedal() -> None:
    piano = replace(tune(), parts=(Part("Piano", 0), Part("Bass", 32)))
    played = perform(piano, Performance(feel=1, style="piano"))
    data = midi.to_bytes(played)[0]
    read = midi.parse(data, pedal="ignore", with_details=True).score
    assert hash_of_notes(read) == hash_of_notes(played)
    pedal = [event for event in read.details.events if event.data[0] & 0xF0 == 0xB0 and event.data[1] == 64]
    assert pedal and {event.data[0] & 0x0F for event in pedal} == {0}
    levels = [event.data[2] >= 64 for event in sorted(pedal, key=lambda event: event.onset_ticks)]
    assert levels == [True, False] * (len(levels) // 2)
    bass = perform(replace(tune(), parts=(Part("Flute", 73), Part("Bass", 32))), Performance(feel=1))
    assert bass.details.events == ()


def test_a_controller_stays_before_the_note_with_which_it_came() -> None:
    """Volume at the tick of each note: in the performed file it comes before the note."""
    song = midi.parse(midi.to_bytes(tune())[0], pedal="ignore", with_details=True).score
    track, port, channel = song.details.channels[0]
    levels = tuple(
        DetailEvent(int(tick), track, port, bytes([0xB0 | channel, 7, 60 + number]))
        for number, tick in enumerate(song.onset_ticks[song.part == 0])
    )
    played = perform(replace(song, details=song.details._replace(events=levels)), Performance(feel=1, seed=4))
    onsets = played.onset_ticks[played.part == 0]
    assert (np.diff(onsets) >= 0).all()
    volumes = [e for e in played.details.events if e.data[0] & 0xF0 == 0xB0 and e.data[1] == 7]
    assert [e.data[2] for e in volumes] == [60 + number for number in range(len(onsets))]
    assert all(e.onset_ticks <= t for e, t in zip(volumes, onsets, strict=True))
    assert any(e.onset_ticks != old.onset_ticks for e, old in zip(volumes, levels, strict=True))


@pytest.mark.parametrize(
    ("percent", "notes", "onsets"),
    [
        (200 / 3, "eighths", [0, 320, 480, 800]),  # two thirds of 480 ticks
        (75, "eighths", [0, 360, 480, 840]),
        (75, "sixteenths", [0, 240, 480, 720]),  # eighths are the beats of sixteenths
    ],
)
def test_swing_delays_the_second_of_two(percent: float, notes: str, onsets: list[int]) -> None:
    played = perform(eighths(2), Performance(swing=percent, swing_notes=notes))
    assert played.onset_ticks.tolist() == onsets


def test_sixteenths_swing_in_proportion() -> None:
    song = Score.of(480, [0, 120, 240, 360], [120] * 4, [60] * 4, [80] * 4)
    assert perform(song, Performance(swing=75)).onset_ticks.tolist() == [0, 180, 360, 420]
    played = perform(song, Performance(swing=75, swing_notes="sixteenths"))
    assert played.onset_ticks.tolist() == [0, 180, 240, 420]


def test_triplets_and_bars_of_six_eighths_do_not_swing() -> None:
    triplets = Score.of(480, [0, 160, 320], [160] * 3, [60] * 3, [80] * 3)
    assert perform(triplets, Performance(swing=70)).onset_ticks.tolist() == [0, 160, 320]
    song = eighths(3, meters=(Meter(0, 6, 8),))
    assert np.array_equal(perform(song, Performance(swing=70)).onset_ticks, song.onset_ticks)


@given(scores(max_notes=12, with_events=True), st.floats(50, 75))
def test_swing_never_turns_time_back(song: Score, percent: float) -> None:
    swing = Swing(song, percent, 0.5)
    ticks = np.arange(0, song.end_ticks + 1, max(1, song.end_ticks // 200))
    if len(song):
        assert (np.diff(swing(ticks)) >= 0).all()


def context(song: Score, feel: float = 1.0) -> Context:
    return Context(Timeline.of(song), phrase_ticks(song), SOLO, feel)


def test_phrases_last_as_long_as_written_and_the_end_slows_down() -> None:
    song = eighths(64, tempi=(Tempo(0, 500_000),))
    arched = replace(song, tempi=shaped_tempi(song, context(song), has_end=False))
    for bar in (8, 16):  # two phrases of four bars together last as long as written
        tick = np.array([bar * 1920])
        assert arched.seconds(tick)[0] == pytest.approx(song.seconds(tick)[0], abs=0.01)
    assert (
        max(t.us_per_beat for t in arched.tempi)
        > 510_000
        > 490_000
        > min(t.us_per_beat for t in arched.tempi)
    )
    slowed = shaped_tempi(song, context(song), has_end=True)
    # v(x) = (1 + (w^3 - 1) x)^(1/3) with w = 0.5: near the end, almost twice the time of a beat
    assert slowed[-1].us_per_beat / arched.tempi[-1].us_per_beat == pytest.approx(1 / FINAL_TEMPO, rel=0.1)


def test_a_tempo_map_is_kept_and_shaped() -> None:
    changes = (Tempo(0, 500_000), Tempo(8 * 1920, 250_000))
    song = eighths(64, tempi=changes)
    shaped = {t.onset_ticks: t.us_per_beat for t in shaped_tempi(song, context(song), has_end=False)}
    assert 8 * 1920 in shaped
    late = [us for tick, us in shaped.items() if tick >= 8 * 1920]
    assert np.mean(late) == pytest.approx(250_000, rel=0.03)
    busy = eighths(64, tempi=tuple(Tempo(bar * 1920, 500_000 + bar) for bar in range(16)))
    assert shaped_tempi(busy, context(busy), has_end=True) == busy.tempi


def test_the_arch_peaks_within_the_phrase() -> None:
    edges = np.array([0, 100, 300])
    assert rules.arch(np.array([0, 60, 100, 220]), edges) == pytest.approx([0, 1, 0, 1])


def test_a_melodic_charge_needs_a_chord() -> None:
    song = tune()  # G, then C: the first note is the root, B over G the third, whose charge is 4
    notes = np.flatnonzero(song.part == 0)
    assert rules.MELODIC_CHARGE[(71 - 67) % 12] == 4
    charged = rules._charges(song, song.onset_ticks[notes].astype(np.int64), song.pitch[notes])
    assert charged[:4].tolist() == [0, 4, 1, 4]
    assert not rules._charges(replace(song, chords=()), song.onset_ticks[notes] * 1, song.pitch[notes]).any()


def test_styles_come_from_labels() -> None:
    assert style_of_labels(["rnb_soul"]) == "soul"
    assert style_of_labels(["data", "classical/bach"]) == "classical"
    assert style_of_labels(["somewhere"]) == ""
    assert manner_of("piano", has_drums=True, parts=3).rubato <= 0.15


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"feel": 2.0}, "feel 2.0: must be 0-1"),
        ({"swing": 90.0}, "swing 90.0: must be 50-75"),
        ({"swing_notes": "thirds"}, "swing_notes 'thirds': must be eighths or sixteenths"),
        ({"feel": "much"}, "performance.feel of the recipe is 'much', which is not allowed"),
        ({"loud": 1}, "the performance of the recipe must be an object of feel"),
    ],
)
def test_wrong_performances_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        Performance.from_dict(values)
