"""A jam on ports inside the process and a clock that is virtual: turns, tempo, and that all notes end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ritornello
from benchmarks.jam_simulation import InlineAnswers, MemoryIn, MemoryOut, VirtualClock
from ritornello.errors import FailedError, InputError, PlanError
from ritornello.playing.answer_process import ProcessAnswers
from ritornello.playing.answers import Composed, JamMusic, Turn
from ritornello.playing.beats import BeatGrid, ClockFollower, seconds_per_beat
from ritornello.playing.jam_time import JamTime
from ritornello.playing.listening import GridNote, Listener, on_grid
from ritornello.playing.ports import TimedMessage
from ritornello.playing.session import Session
from tests.composing.models import write_model

ON, OFF = 0x90, 0x80
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


class Echo:
    """Answers with the first bar of the phrase, an octave higher, after a delay on the clock."""

    def __init__(self, clock: VirtualClock, delay_s: float = 0.0) -> None:
        self.clock, self.delay_s, self.turns = clock, delay_s, list[Turn]()
        self.ready: list[tuple[float, Composed]] = []

    def ask(self, turn: Turn) -> None:
        self.turns.append(turn)
        bar = 24 * 4 * turn.meter[0] // turn.meter[1]
        start = (turn.bars - turn.phrase_bars) * bar
        notes = [
            note._replace(onset_ticks=note.onset_ticks - start, pitch=note.pitch + 12, part=0)
            for note in turn.notes
            if start <= note.onset_ticks < start + bar
        ]
        self.ready.append((self.clock.now_s() + self.delay_s, Composed(turn.number, notes, True, "C")))

    def poll(self) -> list[Composed]:
        done = [composed for at_s, composed in self.ready if at_s <= self.clock.now_s()]
        self.ready = [item for item in self.ready if item[0] > self.clock.now_s()]
        return done

    def close(self) -> None:
        pass


class TimedOut(MemoryOut):
    """Keeps the time of each message, too."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock, self.times_s = clock, list[float]()

    def send(self, message: tuple[int, ...]) -> None:
        super().send(message)
        self.times_s.append(self.clock.now_s())

    def onsets(self) -> list[tuple[float, int]]:
        pairs = zip(self.times_s, self.messages, strict=True)
        return [(round(at_s, 2), m[1]) for at_s, m in pairs if m[0] == ON]


def phrase(start_s: float, s_per_beat: float, beats: int = 8) -> list[TimedMessage]:
    """A note on each beat, released just before the next."""
    found = []
    for beat in range(beats):
        at_s, pitch = start_s + beat * s_per_beat, SCALE[beat % 8]
        found += [TimedMessage(at_s, (ON, pitch, 90)), TimedMessage(at_s + 0.9 * s_per_beat, (OFF, pitch, 0))]
    return found


def jam(
    messages: list[TimedMessage], until_s: float, delay_s: float = 0.0, mode: str = "turns", **times: object
) -> tuple[Session, TimedOut, Echo]:
    clock = VirtualClock()
    answers, out = Echo(clock, delay_s), TimedOut(clock)
    music = JamMusic(mode=mode, parts="piano" if mode == "accompany" else None)  # type: ignore[arg-type]
    session = Session((MemoryIn(messages), out), answers, music, JamTime(**times), clock)  # type: ignore[arg-type]
    session.run(until_s)
    assert not out.sounding()
    return session, out, answers


def test_a_phrase_of_a_given_length_is_answered_on_the_bar_line() -> None:
    _, out, answers = jam(phrase(1, 0.5), 12, tempo=120, bars=2)
    assert [(t.bars, t.phrase_bars, t.new_bars) for t in answers.turns] == [(2, 2, 2)]
    assert out.onsets() == [(5.0, 72), (5.5, 74), (6.0, 76), (6.5, 77)]


def test_a_phrase_ends_with_silence_and_its_tempo_is_heard() -> None:
    _, out, answers = jam(phrase(1, 0.6), 20)
    assert answers.turns[0].us_per_beat == pytest.approx(600_000, abs=100)
    assert [note.onset_ticks for note in answers.turns[0].notes] == list(range(0, 192, 24))
    assert out.onsets()[0] == (8.2, 72)  # silence for a second, then the next bar line


def test_turns_go_on_and_a_phrase_may_begin_off_the_old_grid() -> None:
    session, _, answers = jam(phrase(1, 0.5) + phrase(15.3, 0.5), 25, tempo=120)
    assert session.turn == 2
    assert answers.turns[1].bars > 4  # the first phrase and its answer come before
    assert len(answers.turns[1].notes) == 12
    assert [n.onset_ticks % 24 for n in answers.turns[1].notes[-8:]] == [0] * 8


def test_an_accompaniment_goes_on_while_the_musician_plays() -> None:
    _, out, answers = jam(phrase(1, 0.5, 32), 30, mode="accompany", tempo=120, bars=2)
    assert len(answers.turns) == 4
    assert out.onsets()[0][0] == 5.0
    assert all(at_s < 21 for at_s, _ in out.onsets())  # and ends two bars after it


def test_notes_that_come_too_late_are_left_out_and_the_next_is_asked_for_earlier() -> None:
    session, out, _ = jam(phrase(1, 0.5) + phrase(9, 0.5), 20, delay_s=0.7, tempo=120, bars=2)
    assert session.player.left_out == 1
    assert session.lead_s > 0.7
    assert len(out.onsets()) > 2


def test_a_midi_clock_is_followed_and_its_stop_ends_all() -> None:
    clock = [TimedMessage(0.5 + tick / 48, (0xF8,)) for tick in range(48 * 9)]  # 120 bpm
    messages = [TimedMessage(0.49, (0xFA,)), *clock, *phrase(4.5, 0.5), TimedMessage(9.6, (0xFC,))]
    session, out, answers = jam(messages, 15, clock_in=True, bars=2)
    assert answers.turns[0].us_per_beat == pytest.approx(500_000, rel=0.001)
    assert out.onsets()[0] == (8.5, 72)
    assert session.phrase_start is None


def test_clock_and_metronome_keep_time() -> None:
    _, out, _ = jam([], 4.3, tempo=120, clock_out=True, metronome=True)
    times_s = [at_s for at_s, m in zip(out.times_s, out.messages, strict=True) if m == (0xF8,)]
    np.testing.assert_allclose(np.diff(times_s), 1 / 48, atol=1e-6)
    clicks = [m[1] for m in out.messages if m[0] == ON | 9]
    assert clicks[:5] == [76, 77, 77, 77, 76]
    assert out.messages[0] == (0xFA,) and out.messages[-1] == (0xFC,)


@pytest.mark.parametrize("error", [KeyboardInterrupt, FailedError("MIDI port is gone"), ValueError])
def test_all_notes_end_whatever_happens(error: type[BaseException] | BaseException) -> None:
    class Failing(VirtualClock):
        def wait_until(self, time_s: float) -> None:
            super().wait_until(time_s)
            if time_s > 5.2:
                raise error

    clock = Failing()
    out = MemoryOut()
    session = Session((MemoryIn(phrase(1, 0.5)), out), Echo(clock), JamMusic(), JamTime(120, bars=2), clock)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        session.run()
    assert any(message[0] == ON for message in out.messages)
    assert not out.sounding()


def test_a_lost_input_ends_the_jam_and_all_notes() -> None:
    clock, out = VirtualClock(), MemoryOut()
    ports = MemoryIn(phrase(1, 0.5), lost_s=5.2), out
    with pytest.raises(FailedError, match="is gone"):
        ritornello.jam(*ports, tempo=120, bars=2, answers=Echo(clock), clock=clock)
    assert out.messages and not out.sounding()


def test_the_result_counts_turns_and_lateness() -> None:
    clock = VirtualClock()
    result = ritornello.jam(
        MemoryIn(phrase(1, 0.5)),
        MemoryOut(),
        tempo=120,
        bars=2,
        minutes=0.2,
        answers=Echo(clock),
        clock=clock,
    )
    assert (result.turns, len(result.lateness_s), result.left_out, result.is_interrupted) == (1, 4, 0, False)
    assert (result.median_ms, result.percentile_99_ms) == (0, 0)


@pytest.mark.parametrize("bpm", [60, 84, 100, 120, 140, 170])
def test_the_tempo_of_a_phrase_is_heard_in_spite_of_jitter(bpm: float) -> None:
    rng = np.random.default_rng(round(bpm))
    beats = np.cumsum([0, 1, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 1, 0.25, 0.25, 0.5, 1])
    onsets_s = beats * 60 / bpm + rng.normal(0, 0.01, len(beats))
    ratio = 60 / seconds_per_beat(np.sort(onsets_s)) / bpm
    assert min(abs(ratio / factor - 1) for factor in (0.5, 1, 2)) < 0.02  # which of these is the beat is open


def test_a_clock_is_followed_through_jitter_and_a_change_of_tempo() -> None:
    grid, rng = BeatGrid(), np.random.default_rng(0)
    follower = ClockFollower(grid)
    follower.start(8)
    at_s, times_s = 3.0, []
    for tick in range(24 * 32):
        times_s.append(at_s)
        follower.tick(at_s + abs(rng.normal(0, 0.001)))
        at_s += (0.5 if tick < 24 * 8 else 0.6) / 24
    assert grid.s_per_beat == pytest.approx(0.6, rel=0.01)
    assert grid.time_s(8 + 32) == pytest.approx(at_s, abs=0.005)
    assert follower.is_lost(at_s + 1) and not follower.is_lost(at_s)


def test_onsets_go_to_sixteenths_or_triplets() -> None:
    played = [(0.02, 0.9), (0.98, 1.2), (1.26, 1.5), (2.0, 2.3), (2.34, 2.6), (2.66, 3.0)]
    assert on_grid(played) == [(0, 21), (24, 6), (30, 6), (48, 6), (56, 6), (64, 9)]


def test_a_listener_ends_a_note_that_is_struck_again() -> None:
    listener = Listener()
    for at_s, message in ((1, (ON, 60, 90)), (2, (ON, 60, 80)), (3, (ON, 60, 0)), (4, (0xB0, 64, 127))):
        listener.read(at_s, message)
    assert [note[:2] for note in listener.notes] == [(1, 2), (2, 3)]
    assert not listener.open and listener.last_s == 3


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: JamTime(tempo=5), "tempo 5: must be 20-400"),
        (lambda: JamTime(tempo=100, clock_in=True), "tempo 100: leave it out"),
        (lambda: JamTime(metronome=True), "metronome needs a tempo"),
        (lambda: JamMusic(parts="kazoo"), "part 'kazoo'"),
        (lambda: JamMusic(creativity=2), "creativity 2: must be 0-1"),
        (lambda: ritornello.jam(MemoryIn(), MemoryOut(), meter="4/5"), "meter '4/5': must be one such as"),
    ],
)
def test_wrong_options_are_said(make: Callable[[], object], says: str) -> None:
    with pytest.raises((InputError, PlanError), match=says):
        make()


NOTES = [GridNote(24 * beat, 24, SCALE[beat % 8], 90, 0) for beat in range(8)]


@pytest.mark.parametrize("music", [JamMusic(), JamMusic(parts="bass"), JamMusic(mode="accompany")])
def test_answers_lie_in_their_bars_and_parts(tmp_path: Path, music: JamMusic) -> None:
    write_model(tmp_path / "model")
    answers = InlineAnswers(JamMusic(**vars(music) | {"model": str(tmp_path / "model")}))
    answers.ask(Turn(1, NOTES, 3, 2, 2, (4, 4), 500_000))  # the third bar is silent
    found = answers.poll()
    assert [composed.is_last for composed in found] == [False] * (len(found) - 1) + [True]
    notes = [note for composed in found for note in composed.notes]
    assert notes
    assert notes == sorted(notes, key=lambda note: note.onset_ticks)
    assert all(0 <= note.onset_ticks < 192 for note in notes)
    assert {note.part for note in notes} <= ({0} if not music.composed_parts else {1, 2})


def test_another_process_composes_the_same(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    music, turn = JamMusic(model=str(tmp_path / "model")), Turn(1, NOTES, 2, 2, 1, (4, 4), 500_000)
    inline, process = InlineAnswers(music), ProcessAnswers(music)
    inline.ask(turn)
    process.ask(turn)
    found: list[Composed] = []
    try:
        while not (found and found[-1].is_last):
            found += process.poll()
    finally:
        process.close()
    assert found == inline.poll()


def test_the_process_says_what_is_wrong_with_the_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="model"):
        ProcessAnswers(JamMusic(model=str(tmp_path / "none")))
