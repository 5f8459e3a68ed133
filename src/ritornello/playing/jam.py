"""The function `r.jam`: play with a musician."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from math import inf

import numpy as np

from ritornello.composing.options import DEFAULT_CREATIVITY
from ritornello.errors import check_between
from ritornello.playing.answer_process import ProcessAnswers
from ritornello.playing.answers import Answers, JamMusic, Mode
from ritornello.playing.clocks import Clock, SystemClock
from ritornello.playing.jam_time import JamTime, parse_meter
from ritornello.playing.play import ended_by_signals
from ritornello.playing.ports import InPort, OutPort, SystemIn, SystemOut
from ritornello.playing.session import Session

MAX_MINUTES = 24 * 60


@dataclass(frozen=True)
class JamResult:
    """The result of a jam."""

    turns: int
    lateness_s: tuple[float, ...]  # of each note that was sent
    left_out: int  # notes that were not sent because they were planned too late
    is_interrupted: bool

    @property
    def median_ms(self) -> float:
        """The median lateness in milliseconds; 0 without notes."""
        return self._percentile_ms(50)

    @property
    def percentile_99_ms(self) -> float:
        """The 99th percentile of the lateness in milliseconds."""
        return self._percentile_ms(99)

    def _percentile_ms(self, percent: float) -> float:
        return 1000 * float(np.percentile(self.lateness_s, percent)) if self.lateness_s else 0.0


def jam(
    in_port: str | InPort,
    out_port: str | OutPort,
    *,
    mode: Mode = "turns",
    tempo: float | None = None,
    meter: str = "4/4",
    bars: int | None = None,
    clock_in: bool = False,
    clock_out: bool = False,
    metronome: bool = False,
    instrument: str = "piano",
    parts: str | None = None,
    key: str | None = None,
    genre: str | None = None,
    creativity: float = DEFAULT_CREATIVITY,
    seed: int = 0,
    model: str | None = None,
    minutes: float | None = None,
    report: Callable[[str], None] = lambda line: None,
    answers: Answers | None = None,
    clock: Clock | None = None,
) -> JamResult:
    """Listen to phrases on a MIDI port and answer or accompany them on another, until Ctrl-C or `minutes`.

    `mode` "turns" answers each phrase, "accompany" plays `parts` along with the next one. `tempo` is in
    beats per minute; without it, the MIDI clock (`clock_in`) sets the tempo, or it is estimated from each
    phrase. `meter` is such as "3/4". `bars` is the length of a turn; without it a phrase ends with silence.
    `clock_out` and `metronome` send a MIDI clock and clicks to `out_port`.

    `instrument` is the musician's; `key`, `genre`, `creativity`, `seed` and `model` are those of `compose`.
    `report` gets each line of text about the jam. Ports are names, numbers from 1, "virtual", or objects with
    the methods of InPort and OutPort; `answers` and `clock` are for tests. When the jam ends, also by an
    error, all notes are ended. Raises InputError, PlanError, ModelError, FailedError.
    """
    check_between("minutes", minutes, 0.01, MAX_MINUTES)
    music = JamMusic(mode, parts, instrument, key, genre, creativity, seed, model)
    times = JamTime(tempo, parse_meter(meter), bars, clock_in, clock_out, metronome)
    used_clock = clock or SystemClock()
    used_in = SystemIn(in_port) if isinstance(in_port, str) else in_port
    with closing(used_in):
        used_out = SystemOut(out_port) if isinstance(out_port, str) else out_port
        with closing(used_out):
            used_answers = answers or ProcessAnswers(music)
            with closing(used_answers), ended_by_signals():
                session = Session((used_in, used_out), used_answers, music, times, used_clock, report)
                until_s = inf if minutes is None else used_clock.now_s() + 60 * minutes
                return _run(session, until_s)


def _run(session: Session, until_s: float) -> JamResult:
    """Run a session to its end."""
    gc.freeze()  # so that garbage collection does not delay notes
    is_interrupted = False
    try:
        session.run(until_s)
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        gc.unfreeze()
    player = session.player
    return JamResult(session.turn, tuple(player.lateness_s), player.left_out, is_interrupted)
