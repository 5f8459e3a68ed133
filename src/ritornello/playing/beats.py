"""Convert between beats and seconds, follow a MIDI clock, and estimate the tempo of a phrase."""

import numpy as np
import numpy.typing as npt

CLOCKS_PER_BEAT = 24  # MIDI 1.0, timing clock
CLOCK, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC
PHASE_GAIN, PERIOD_GAIN = 0.15, 0.02  # how much of the clock's deviation corrects the beat, and the tempo
LOST_AFTER_S = 0.5  # the clock is lost if no message comes for this long
SLOWEST_BPM, FASTEST_BPM = 50, 190  # limits of an estimated tempo
USUAL_BPM, OCTAVES = 110, 1.0  # mean and deviation of the prior, a normal distribution of log2(tempo)
LEVELS = ((1, 0.3), (2, 0.35), (4, 0.35))  # places in a beat, and the weight of onsets at these places


class BeatGrid:
    """Beats at a steady tempo; the beat number `origin_beat` is at the time `origin_s`."""

    def __init__(self, s_per_beat: float = 0.5, origin_s: float = 0.0, origin_beat: float = 0.0) -> None:
        self.s_per_beat, self.origin_s, self.origin_beat = s_per_beat, origin_s, origin_beat

    def time_s(self, beat: float) -> float:
        """When a beat is, in seconds."""
        return self.origin_s + (beat - self.origin_beat) * self.s_per_beat

    def beat(self, time_s: float) -> float:
        """The beat at a time in seconds."""
        return self.origin_beat + (time_s - self.origin_s) / self.s_per_beat

    def move(self, origin_s: float, origin_beat: float, s_per_beat: float | None = None) -> None:
        """Move the grid so that a beat is at a time in seconds; change the tempo if one is given."""
        self.origin_s, self.origin_beat = origin_s, origin_beat
        self.s_per_beat = s_per_beat or self.s_per_beat


class ClockFollower:
    """Moves a grid so that it follows the messages of a MIDI clock (a phase-locked loop)."""

    def __init__(self, grid: BeatGrid) -> None:
        self.grid, self.is_running, self.count = grid, False, 0
        self._last_s = self._first_s = 0.0
        self._next_beat = 0.0  # the beat of the next clock message

    def start(self, beat: float) -> None:
        """Start: the next clock message is at this beat."""
        self.is_running, self.count, self._next_beat = True, 0, beat

    def stop(self) -> None:
        """Stop following the clock."""
        self.is_running = False

    def is_lost(self, now_s: float) -> bool:
        """Whether the clock is running, but sent no message for LOST_AFTER_S."""
        return self.is_running and self.count > 0 and now_s - self._last_s > LOST_AFTER_S

    def tick(self, time_s: float) -> None:
        """Read a clock message that came at a time in seconds."""
        if not self.is_running:  # the clock was running before the jam began
            self.start(self._next_beat)
        beat, grid = self._next_beat, self.grid
        if self.count == 0:
            self._first_s = time_s
            grid.move(time_s, beat)
        elif self.count < CLOCKS_PER_BEAT:  # for the first beat, take the mean interval of all messages
            grid.move(time_s, beat, (time_s - self._first_s) / self.count * CLOCKS_PER_BEAT)
        else:
            late_s = time_s - grid.time_s(beat)
            s_per_beat = grid.s_per_beat + PERIOD_GAIN * late_s
            grid.move(grid.time_s(beat) + PHASE_GAIN * late_s, beat, s_per_beat)
        self.count += 1
        self._last_s = time_s
        self._next_beat = beat + 1 / CLOCKS_PER_BEAT


def seconds_per_beat(onsets_s: npt.ArrayLike) -> float:
    """Estimate the seconds a beat of a phrase that begins on a beat; `onsets_s` (N,) are ascending.

    The score of a tempo is the mean, over the onsets, of cosines with maxima at its beats, half beats and
    quarter beats, times a prior of usual tempi (after Parncutt, "A perceptual model of pulse salience and
    metrical accent", 1994). The tempo with the highest score is then fitted to the onsets by least squares.
    Fewer than three onsets give 120 bpm.
    """
    onsets = np.unique(np.asarray(onsets_s, np.float64))
    if len(onsets) < 3:
        return 0.5
    since = onsets - onsets[0]
    bpm = np.exp(np.linspace(np.log(SLOWEST_BPM), np.log(FASTEST_BPM), 800))
    turns = 2 * np.pi * since[None, :] * bpm[:, None] / 60
    fit = sum(weight * np.cos(level * turns).mean(axis=1) for level, weight in LEVELS)
    prior = np.exp(-0.5 * (np.log2(bpm / USUAL_BPM) / OCTAVES) ** 2)
    best = 60 / bpm[int(np.argmax((fit + 1) * prior))]
    quarters = np.rint(since / best * 4)
    if quarters[-1] < 1:
        return float(best)
    slope, _ = np.polyfit(quarters, since, 1)
    return float(4 * slope) if abs(4 * slope / best - 1) < 0.05 else float(best)
