"""What a piano roll shows of a Score, before anything has a place: bars, parts, pitches, drums, headline."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import NamedTuple

import numpy as np

from ritornello.music.score import DEFAULT_METER, DEFAULT_TEMPO, Score
from ritornello.music.theory import family, key_name
from ritornello.music.timeline import Timeline
from ritornello.rendering.palette import DRUM_COLOUR, part_colour

TAIL_BARS = 4  # a note that is held on after the last onset is followed for so many bars

# Drums from the top of their lane to the bottom: a label and the General MIDI level 1 percussion pitches.
# 22, 26 and 58 are the hi-hat's rim and the third tom's rim of Roland's kits.
KIT = (
    ("crash", (57, 55, 52, 49)),
    ("ride", (59, 53, 51)),
    ("hi-hat", (26, 46, 22, 42, 44)),
    ("toms", (58, 50, 48, 47, 45, 43, 41)),
    ("snare", (39, 37, 40, 38)),
    ("kick", (36, 35)),
)


class Voice(NamedTuple):
    """A part that plays: its index in the score, its label and its colour."""

    part: int
    label: str
    colour: str
    is_drum: bool


class Drum(NamedTuple):
    """A line of the drum lane: its label, and the pitches that are played on it, the upper ones first."""

    label: str
    pitches: tuple[int, ...]


def voices(score: Score) -> list[Voice]:
    """The parts that have notes, drums last; a part without a name is called by its family of instruments."""
    heard = np.bincount(score.part, minlength=len(score.parts)) > 0
    found, pitched = [], 0
    for index, part in enumerate(score.parts):
        if not heard[index]:
            continue
        label = one_line(part.name) or ("drums" if part.is_drum else family(part.program))
        found.append(Voice(index, label, DRUM_COLOUR if part.is_drum else part_colour(pitched), part.is_drum))
        pitched += not part.is_drum
    return sorted(found, key=lambda voice: voice.is_drum)


def pitch_range(score: Score) -> tuple[int, int] | None:
    """The lowest and the highest pitch to show: those played, widened to an octave; None without pitches."""
    played = score.pitch[~score.of_drums]
    if not len(played):
        return None
    low, high = int(played.min()), int(played.max())
    missing = max(0, 11 - (high - low))
    low = max(0, low - missing // 2)
    high = min(127, max(high, low + 11))
    return min(low, high - 11), high


def kit(score: Score) -> list[Drum]:
    """The lines of the drum lane from top to bottom; pitches that no kit knows are "percussion", on top."""
    played = set(score.pitch[score.of_drums].tolist())
    known = {pitch for _, pitches in KIT for pitch in pitches}
    other = Drum("percussion", tuple(sorted(played - known, reverse=True)))
    lines = [Drum(label, tuple(p for p in pitches if p in played)) for label, pitches in KIT]
    return [line for line in (other, *lines) if line.pitches]


def bars(score: Score) -> Timeline:
    """The bars to show: those of the song, and as many after its last onset as its last notes fill."""
    song = Timeline.of(score)
    if not len(song) or score.end_ticks <= song.end_ticks:
        return song
    meters = (
        score.meters if score.meters and not score.meters[0].onset_ticks else (DEFAULT_METER, *score.meters)
    )
    tail = min(score.end_ticks, song.end_ticks + TAIL_BARS * int(song.length_ticks[-1]))
    return Timeline.of_meters(score.ticks_per_beat, meters, tail, score.chords)


def beats(timeline: Timeline, bar: int) -> list[int]:
    """Ticks of the beats inside a bar, as its meter counts them; those of 6/8, 9/8 and 12/8 are dotted."""
    over, under = int(timeline.numerator[bar]), int(timeline.denominator[bar])
    dotted = 3 if under >= 8 and over % 3 == 0 and over > 3 else 1
    unit = max(1.0, 4 * timeline.ticks_per_beat * dotted / under)
    start, length = int(timeline.start_ticks[bar]), int(timeline.length_ticks[bar])
    return [start + round(k * unit) for k in range(1, int(np.ceil(length / unit)))]


def unisons(score: Score) -> list[tuple[int, int]]:
    """For each note its share (place, count) of the line it is drawn on, where parts meet on a pitch.

    Notes are drawn from the longest to the shortest (of equal ones by number). What lies on nothing has the
    whole line, (0, 1); what comes upon another part's note leaves room for it: of the `count` parts that
    sound this pitch while the note lasts, it takes the place of its own. Drums always have the whole line.
    """
    length, drum = score.duration_ticks.tolist(), score.of_drums.tolist()
    onset, pitch, part = score.onset_ticks.tolist(), score.pitch.tolist(), score.part.tolist()
    company: list[set[int]] = [{own} for own in part]
    on_top = [False] * len(score)
    sounding: list[list[int]] = [[] for _ in range(128)]
    for note in range(len(score)):
        if drum[note]:
            continue
        others = [other for other in sounding[pitch[note]] if onset[other] + length[other] > onset[note]]
        for other in others:
            company[other].add(part[note])
            company[note].add(part[other])
            on_top[note if length[note] <= length[other] else other] = True
        sounding[pitch[note]] = [*others, note]
    return [
        (sorted(group).index(own), len(group)) if above else (0, 1)
        for group, own, above in zip(company, part, on_top, strict=True)
    ]


def headline(score: Score, timeline: Timeline) -> str:
    """The song in a line: key, meter, tempo, length, notes, as far as the score says.

    "G major · 4/4 · 96 bpm · 4 bars · 0:10 · 23 notes"
    """
    said = [key_name(k.sharps, k.is_minor) for k in score.keys[:1]]
    counted = Counter(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
    usual = [f"{over}/{under}" for (over, under), bars in counted.most_common() if bars > 1]
    usual = usual or [f"{m.numerator}/{m.denominator}" for m in (score.meters or (DEFAULT_METER,))]
    said.append(", ".join(usual[:3]) + (" ..." if len(usual) > 3 else ""))
    paces = sorted({round(tempo.bpm) for tempo in score.tempi or (DEFAULT_TEMPO,)})
    said.append(f"{paces[0]} bpm" if len(paces) == 1 else f"{paces[0]}-{paces[-1]} bpm")
    minutes, seconds = divmod(round(score.duration_s), 60)
    said += [_count(len(timeline), "bar"), f"{minutes}:{seconds:02}", _count(len(score), "note")]
    return " · ".join(said)


def one_line(text: str) -> str:
    """`text` in a line, without characters that cannot be drawn or may not stand in an XML file."""
    kept = (
        "" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") and not c.isspace() else c
        for c in text
    )
    return " ".join("".join(kept).split())


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
