"""Run a jam: collect notes from a port, detect the end of a phrase, request an answer, and play it.

A single loop does this and never blocks for long; `Answers` composes in another process. Beats are numbered
through the whole jam. The grid of beats is fixed if there is a metronome or a MIDI clock; else it restarts
with each phrase, and if no tempo is given it is fitted to the onsets of the phrase.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil, floor, inf

from ritornello.errors import FailedError
from ritornello.music.plan import GRID
from ritornello.music.score import Meter
from ritornello.playing.answers import Answers, Composed, JamMusic, Turn
from ritornello.playing.beats import (
    CLOCK,
    CLOCKS_PER_BEAT,
    CONTINUE,
    START,
    STOP,
    BeatGrid,
    ClockFollower,
    seconds_per_beat,
)
from ritornello.playing.clocks import Clock
from ritornello.playing.excerpt import CLICKS, beat_ticks
from ritornello.playing.jam_time import MAX_BARS_OF_A_TURN, JamTime
from ritornello.playing.listening import HeardNote, Listener, grid_notes
from ritornello.playing.player import Note, Player
from ritornello.playing.ports import InPort, OutPort

POLL_S = 0.002  # the time between two reads of the input
DRUM_CHANNEL = 9
CONTEXT_BARS = 8  # the most bars before an answer that are given to the network
SILENT_BEATS, SILENT_S = 2.0, 1.0  # a phrase ends after this silence: with a known tempo, and without
LEAD_S = 0.4  # the first answer is requested this long before its first bar
LEAST_LEAD_S, LEAD_FACTOR = 0.15, 1.5  # for later answers: the least, and the factor of the time to compose
PLAN_AHEAD_S = 0.25  # how far ahead clock messages and clicks are planned
EARLY_BEATS = 0.25  # a note less than this before a bar line belongs to the next bar
ACCOMPANIED_BARS = 4
# The tempo to accompany is estimated once the musician has played this many notes, for this many seconds
OPENING_ONSETS, OPENING_S = 8, 3.0
Report = Callable[[str], None]


class Session:
    """The state and the main loop of a jam."""

    def __init__(
        self,
        ports: tuple[InPort, OutPort],
        answers: Answers,
        music: JamMusic,
        times: JamTime,
        clock: Clock,
        report: Report = lambda line: None,
        poll_s: float = POLL_S,
    ) -> None:
        self.input, self.output = ports
        self.answers, self.music, self.times, self.clock = answers, music, times, clock
        self.report, self.poll_s = report, poll_s
        self.grid = BeatGrid(60 / (times.tempo or 120))
        self.follower = ClockFollower(self.grid)
        self.player = Player(self.output, clock, self.grid.time_s)
        self.listener = Listener()
        self.bar_beats = 4 * times.meter[0] / times.meter[1]
        self.is_accompanying = music.mode == "accompany"
        self.history: list[tuple[float, float, int, int, int]] = []
        """The notes of all parts: start and end in beats, pitch, velocity, part."""
        self.phrase_start: float | None = None  # the beat of its first bar line
        self.answer_end = -inf  # the beat at which the latest answer ends
        self.turn = 0
        self.pending: tuple[float, float] | None = None
        """The answer that is being composed: its request time (s; -1 after notes came), its first beat."""
        self.lead_s = LEAD_S
        self.has_estimated_tempo = False
        self.planned_until: float | None = None  # the MIDI clock and clicks are planned up to this beat

    def run(self, until_s: float = inf) -> None:
        """Play until a time in seconds, or until an exception; all notes are ended in both cases.

        Raises FailedError if a port is gone or composing failed, KeyboardInterrupt after Ctrl-C.
        """
        self._begin()
        try:
            while (now_s := self.clock.now_s()) < until_s:
                self._listen(now_s)
                for composed in self.answers.poll():
                    self._plan_answer(composed, now_s)
                self._take_turns(now_s)
                self._plan_clock_and_clicks(now_s)
                self.player.send_due()
                self.clock.wait_until(min(self.player.next_s, now_s + self.poll_s, until_s))
        finally:
            self.player.silence()
            if self.times.clock_out:
                with suppress(FailedError):
                    self.output.send((STOP,))

    @property
    def is_fixed(self) -> bool:
        """Whether the grid of beats continues between phrases."""
        return self.times.clock_in or self.times.clock_out or self.times.metronome

    @property
    def knows_tempo(self) -> bool:
        """Whether the tempo is known before a phrase is over."""
        return self.times.tempo is not None or self.times.clock_in

    def _begin(self) -> None:
        """Plan the program of each part, and start the grid if it is fixed."""
        now_s = self.clock.now_s()
        for number, part in enumerate(self.music.composed_parts, 1):
            if not part.is_drum:
                self.player.plan(-inf, (0xC0 | self._channel(number), part.program))
        if self.is_fixed and not self.times.clock_in:
            self.grid.move(now_s + PLAN_AHEAD_S, 0.0)
            self.planned_until = 0.0
            if self.times.clock_out:
                self.player.plan(-0.001, (START,))

    def _channel(self, part: int) -> int:
        """The channel of a part: 0 for the musician's part, then 1, 2 and so on; drums have DRUM_CHANNEL."""
        parts = self.music.all_parts
        if parts[part].is_drum:
            return DRUM_CHANNEL
        number = sum(not other.is_drum for other in parts[:part])
        return number + (number >= DRUM_CHANNEL)

    def _listen(self, now_s: float) -> None:
        for time_s, message in self.input.receive(now_s):
            status = message[0]
            if status < 0xF0:
                self.listener.read(time_s, message)
            elif self.times.clock_in:
                self._follow(status, time_s)
        if self.follower.is_lost(now_s):
            self._stop("the MIDI clock is lost")

    def _follow(self, status: int, time_s: float) -> None:
        """Read a message of the MIDI clock."""
        if status == CLOCK:
            self.follower.tick(time_s)
            if self.planned_until is None and self.follower.count > CLOCKS_PER_BEAT:
                self.planned_until = float(ceil(self.grid.beat(time_s) + 1))
        elif status in (START, CONTINUE):
            self._stop("the MIDI clock starts")
            self.follower.start(self._next_bar(max(self.grid.beat(time_s), self.answer_end)))
        elif status == STOP:
            self._stop("the MIDI clock stops")

    def _stop(self, why: str) -> None:
        """End all notes and wait for a new phrase."""
        self.follower.stop()
        self.player.forget()
        self.phrase_start, self.pending, self.planned_until = None, None, None
        self.turn += 1  # so that answers to earlier turns are ignored
        self.answer_end = min(self.answer_end, self.grid.beat(self.clock.now_s()))
        self.report(why)

    def _next_bar(self, beat: float) -> float:
        """The beat of the first bar line at or after a beat."""
        return ceil(beat / self.bar_beats - 1e-6) * self.bar_beats

    def _take_turns(self, now_s: float) -> None:
        """Begin a phrase, or request the answer when the phrase ends."""
        if self.pending is not None and not self.is_accompanying:
            return
        if self.times.clock_in and self.follower.count <= CLOCKS_PER_BEAT:
            return
        if not self.is_accompanying and self.grid.beat(now_s) < self.answer_end - EARLY_BEATS:
            return  # the answer is still playing
        if self.phrase_start is None:
            self._begin_phrase(now_s)
            return
        if self.is_accompanying and not self._finds_tempo(now_s):
            return
        bars = self.times.bars or (ACCOMPANIED_BARS if self.is_accompanying else None)
        if bars is not None and (self.knows_tempo or self.is_accompanying):
            end = self.phrase_start + bars * self.bar_beats
            if now_s >= self.grid.time_s(end) - self.lead_s:
                self._ask(now_s, end, bars)
        elif self._is_silent(now_s):
            self._end_phrase(now_s)

    def _begin_phrase(self, now_s: float) -> None:
        """If the first note of a phrase has come, choose the bar line at which the phrase begins."""
        turn_s = self.grid.time_s(self.answer_end - EARLY_BEATS)
        new = [note for note in self.listener.all_notes(now_s) if note.start_s >= turn_s]
        if not new:
            return
        self._to_history([note for note in self.listener.notes if note.start_s < turn_s])
        self.listener.notes = [note for note in self.listener.notes if note.start_s >= turn_s]
        start_s, beat = new[0].start_s, self.grid.beat(new[0].start_s)
        if self.is_fixed or (self.turn and self.knows_tempo and beat < self.answer_end + self.bar_beats):
            self.phrase_start = floor((beat + EARLY_BEATS) / self.bar_beats) * self.bar_beats
        else:
            bar = self._next_bar(max(beat, self.answer_end, 0.0))
            self.grid.move(start_s, bar)
            self.phrase_start = bar

    def _is_silent(self, now_s: float) -> bool:
        """Whether the musician has ended the phrase."""
        silence_s = SILENT_BEATS * self.grid.s_per_beat if self.knows_tempo else SILENT_S
        return not self.listener.open and now_s - self.listener.last_s >= silence_s

    def _finds_tempo(self, now_s: float) -> bool:
        """Whether the tempo is known; if not, estimate it once enough notes of the jam have come."""
        if self.knows_tempo or self.has_estimated_tempo:
            return True
        if len(self.listener.notes) < OPENING_ONSETS:
            return False
        onsets = [note.start_s for note in self.listener.all_notes(now_s)]
        if onsets[-1] - onsets[0] < OPENING_S:
            return False
        assert self.phrase_start is not None
        self.has_estimated_tempo = True
        self.grid.move(onsets[0], self.phrase_start, seconds_per_beat(onsets))
        bars = (self.times.bars or ACCOMPANIED_BARS) * self.bar_beats
        while self.grid.time_s(self.phrase_start + bars) - self.lead_s < now_s:
            self.phrase_start += self.bar_beats
        return True

    def _end_phrase(self, now_s: float) -> None:
        """End a phrase: estimate its tempo if none is known, and request the answer."""
        onsets = [note.start_s for note in self.listener.all_notes(now_s)]
        assert self.phrase_start is not None
        if not self.knows_tempo:
            self.grid.move(onsets[0], self.phrase_start, seconds_per_beat(onsets))
        beats = self.grid.beat(onsets[-1]) - self.phrase_start + EARLY_BEATS / 2
        bars = max(1, ceil(beats / self.bar_beats))
        end = self._next_bar(self.grid.beat(now_s + self.lead_s))
        self._ask(now_s, max(end, self.phrase_start + bars * self.bar_beats), min(bars, MAX_BARS_OF_A_TURN))

    def _ask(self, now_s: float, start: float, new_bars: int) -> None:
        """Request bars from the beat `start` on; add the notes since the last request to the history."""
        assert self.phrase_start is not None
        phrase_start, new_notes = self.phrase_start, self.listener.all_notes(now_s)
        self.phrase_start = start if self.is_accompanying else None
        self.listener.notes.clear()
        self._to_history(new_notes)
        first = max(start - CONTEXT_BARS * self.bar_beats, min((n[0] for n in self.history), default=start))
        first = floor((first + EARLY_BEATS) / self.bar_beats) * self.bar_beats
        self.history = [note for note in self.history if note[0] >= first - EARLY_BEATS]
        notes = grid_notes(self.history, first, start)
        latest = self.grid.beat(new_notes[-1].start_s) if new_notes else -inf
        if latest < phrase_start - EARLY_BEATS or not notes:
            self.phrase_start = None  # nothing was played in this phrase
            return
        bars, phrase = (round((start - beat) / self.bar_beats) for beat in (first, phrase_start))
        us_per_beat = round(self.grid.s_per_beat * 1e6)
        phrase_bars = max(1, min(phrase, bars))
        self.turn += 1
        self.pending = now_s, start
        self.answer_end = start + new_bars * self.bar_beats
        meter = self.times.meter
        self.answers.ask(Turn(self.turn, notes, bars, phrase_bars, new_bars, meter, us_per_beat))
        self.report(
            f"heard {phrase_bars} bars, {len(new_notes)} notes, {60 / self.grid.s_per_beat:.0f} bpm; "
            f"{'accompany' if self.is_accompanying else 'answer'} {new_bars} bars"
        )

    def _to_history(self, notes: Sequence[HeardNote]) -> None:
        """Add notes of the musician to the history, in beats."""
        for start_s, end_s, pitch, velocity in notes:
            beats = max(self.grid.beat(start_s), 0.0), self.grid.beat(end_s)
            self.history.append((*beats, pitch, velocity, 0))

    def _plan_answer(self, composed: Composed, now_s: float) -> None:
        """Plan the notes of an answer, unless it belongs to an earlier turn."""
        if composed.number != self.turn or self.pending is None:
            return
        asked_s, start = self.pending
        if asked_s >= 0:
            needed_s = LEAD_FACTOR * (now_s - asked_s)
            bar_s = self.bar_beats * self.grid.s_per_beat
            self.lead_s = min(max(LEAST_LEAD_S, needed_s, 0.8 * self.lead_s), bar_s)
            self.pending = -1.0, start
        for note in composed.notes:
            beat = start + note.onset_ticks / GRID
            end = min(beat + note.duration_ticks / GRID, self.answer_end)
            self.player.plan_note(Note(beat, end, self._channel(note.part), note.pitch, note.velocity))
            self.history.append((beat, end, note.pitch, note.velocity, note.part))
        if composed.is_last:
            self.pending = None

    def _plan_clock_and_clicks(self, now_s: float) -> None:
        """Plan the MIDI clock and the clicks of the metronome up to PLAN_AHEAD_S ahead."""
        while (beat := self.planned_until) is not None and self.grid.time_s(beat) < now_s + PLAN_AHEAD_S:
            if self.times.clock_out:
                self.player.plan(beat, (CLOCK,))
            bar_beat = beat % self.bar_beats
            clicks = beat_ticks(Meter(0, *self.times.meter), GRID, round(self.bar_beats * GRID))
            if self.times.metronome and round(bar_beat * GRID) in clicks:
                pitch, velocity = CLICKS[round(bar_beat * GRID) == 0]
                self.player.plan_note(Note(beat, beat + 0.125, DRUM_CHANNEL, pitch, velocity))
            self.planned_until = round(beat * CLOCKS_PER_BEAT + 1) / CLOCKS_PER_BEAT
