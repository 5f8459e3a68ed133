"""Plan: what a song is asked to be, before a note of it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ritornello.errors import PlanError
from ritornello.score import DEFAULT_METER, DEFAULT_TEMPO, KeySignature, Meter, Part, Score, Tempo
from ritornello.theory import key_name
from ritornello.timeline import Timeline

MAX_BARS = 1000  # that can be asked for
TEMPO_BPM = (10.0, 400.0)


@dataclass(frozen=True)
class Plan:
    """What a song is asked to be. `bars` None leaves the length open.

    `meters` says from which bar (counted from 0) which meter holds: ((0, 3, 4),) is 3/4 throughout.
    Raises PlanError for a value out of range.
    """

    bars: int | None = 16
    meters: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)
    us_per_beat: int = DEFAULT_TEMPO.us_per_beat
    key: tuple[int, bool] | None = None  # sharps, is_minor
    parts: tuple[Part, ...] = (Part(),)
    genres: tuple[tuple[str, float], ...] = ()  # label, weight; the weights sum to 1
    title: str = ""

    def __post_init__(self) -> None:
        if self.bars is not None and self.bars < 1:
            raise PlanError(f"{self.bars} bars, must be at least 1")
        if not self.meters or self.meters[0][0] != 0:
            raise PlanError(f"meters {self.meters}, the first must begin at bar 0")
        if not 1 <= self.us_per_beat < 1 << 24:
            raise PlanError(f"{self.us_per_beat} microseconds a beat, must be 1-16777215")

    @classmethod
    def of(cls, score: Score) -> Plan:
        """What `score` would have been asked to be."""
        timeline = Timeline.of(score)
        shape = list(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
        changes = [(i, *meter) for i, meter in enumerate(shape) if i == 0 or meter != shape[i - 1]]
        return cls(
            bars=len(timeline) or None,
            meters=tuple(changes) or ((0, *DEFAULT_METER[1:]),),
            us_per_beat=main_tempo(score).us_per_beat,
            key=score.keys[0][1:] if score.keys else None,
            parts=score.parts,
            title=score.title,
        )

    @property
    def bpm(self) -> float:
        """Beats per minute."""
        return 60e6 / self.us_per_beat

    def events(self, ticks_per_beat: int) -> dict[str, tuple[Tempo | Meter | KeySignature, ...]]:
        """Tempo, meters and key as a Score of this resolution holds them."""
        ticks, before, bar_ticks = Fraction(0), 0, Fraction(0)
        meters = []
        for bar, numerator, denominator in self.meters:
            ticks += (bar - before) * bar_ticks
            meters.append(Meter(int(ticks), numerator, denominator))
            before, bar_ticks = bar, Fraction(4 * ticks_per_beat * numerator, denominator)
        keys = (KeySignature(0, *self.key),) if self.key else ()
        return {"tempi": (Tempo(0, self.us_per_beat),), "meters": tuple(meters), "keys": keys}

    def timeline(self, ticks_per_beat: int) -> Timeline:
        """The bars of the song; `bars` must be known."""
        assert self.bars is not None, "the length of an open plan is not known"
        meters = [m for m in self.events(ticks_per_beat)["meters"] if isinstance(m, Meter)]
        last_bar, numerator, denominator = self.meters[-1]
        bar_ticks = Fraction(4 * ticks_per_beat * numerator, denominator)
        end_ticks = meters[-1].onset_ticks + int((self.bars - last_bar) * bar_ticks)
        return Timeline.of_meters(ticks_per_beat, meters, end_ticks)

    def only_main_meter(self) -> Plan:
        """The plan in its longest-lasting meter throughout."""
        starts = [bar for bar, _, _ in self.meters]
        ends = [*starts[1:], max(self.bars or 0, starts[-1] + 1)]
        lasts: dict[tuple[int, int], int] = {}
        for (start, *meter), end in zip(self.meters, ends, strict=True):
            shape = (meter[0], meter[1])
            lasts[shape] = lasts.get(shape, 0) + end - start
        return replace(self, meters=((0, *max(lasts, key=lambda shape: lasts[shape])),))

    def __str__(self) -> str:
        """In words, such as "G major, 4/4, 72 bpm, 16 bars"."""
        words = ["+".join(label for label, _ in self.genres)] if self.genres else []
        words += [key_name(*self.key)] if self.key else []
        words += [f"{self.meters[0][1]}/{self.meters[0][2]}", f"{self.bpm:.0f} bpm"]
        return ", ".join(words + ([f"{self.bars} bars"] if self.bars else []))


def main_tempo(score: Score) -> Tempo:
    """The tempo that lasts longest in `score`, in ticks (120 bpm where it says nothing)."""
    tempi = score.tempi if score.tempi and score.tempi[0].onset_ticks == 0 else (DEFAULT_TEMPO, *score.tempi)
    lasts: dict[int, int] = {}
    end = max(score.end_ticks, tempi[-1].onset_ticks)
    for tempo, following in zip(tempi, [*tempi[1:], Tempo(end, 1)], strict=True):
        length = following.onset_ticks - tempo.onset_ticks
        lasts[tempo.us_per_beat] = lasts.get(tempo.us_per_beat, 0) + length
    return Tempo(0, max(lasts, key=lambda us: (lasts[us], -us)))
