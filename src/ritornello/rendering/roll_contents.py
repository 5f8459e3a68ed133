"""Choose what a piano roll shows of a Score: parts, pitch range, drum lines, bars, beats, a summary line."""

import unicodedata
from collections import Counter
from typing import NamedTuple

import numpy as np

from ritornello.music.score import DEFAULT_METER, DEFAULT_TEMPO, Score
from ritornello.music.theory import family, key_name
from ritornello.music.timeline import Timeline
from ritornello.rendering.palette import DRUM_COLOUR, part_colour

MAX_BARS_AFTER_LAST_ONSET = 4

# The lines of the drum lane from top to bottom: a label and General MIDI level 1 percussion pitches. 22, 26
# and 58 are the edges of the hi-hat and the rim of a tom on Roland's electronic kits.
DRUM_LINES = (
    ("crash", (57, 55, 52, 49)),
    ("ride", (59, 53, 51)),
    ("hi-hat", (26, 46, 22, 42, 44)),
    ("toms", (58, 50, 48, 47, 45, 43, 41)),
    ("snare", (39, 37, 40, 38)),
    ("kick", (36, 35)),
)


class ShownPart(NamedTuple):
    """A part that has notes; `part` is its index in the Score."""

    part: int
    label: str
    colour: str
    is_drum: bool


class DrumLine(NamedTuple):
    """A line of the drum lane, and the pitches drawn on it from top to bottom."""

    label: str
    pitches: tuple[int, ...]


def shown_parts(score: Score) -> list[ShownPart]:
    """The parts that have notes, drums last.

    The label is the name, or the family of the instrument if there is no name, or if parts of different
    families have the title of the song as their name.
    """
    has_notes = np.bincount(score.part, minlength=len(score.parts)) > 0
    families = ["drums" if part.is_drum else family(part.program) for part in score.parts]
    titled = {families[i] for i, part in enumerate(score.parts) if has_notes[i] and part.name == score.title}
    parts, pitched = [], 0
    for index, part in enumerate(score.parts):
        if not has_notes[index]:
            continue
        name = "" if part.name == score.title and len(titled) > 1 else printable(part.name)
        label = name or families[index]
        colour = DRUM_COLOUR if part.is_drum else part_colour(pitched)
        parts.append(ShownPart(index, label, colour, part.is_drum))
        pitched += not part.is_drum
    return sorted(parts, key=lambda part: part.is_drum)


def legend(parts: list[ShownPart]) -> list[tuple[tuple[str, ...], str]]:
    """The entries of a legend, each with its colours and its text; each colour and each label occurs once.

    Parts of one label share an entry, and so do labels of one colour (colours repeat after 14 parts).
    """
    labels: dict[str, list[str]] = {}
    for part in parts:
        if part.label not in labels.setdefault(part.colour, []):
            labels[part.colour].append(part.label)
    entries: dict[str, list[str]] = {}
    for colour, texts in labels.items():
        entries.setdefault(", ".join(texts), []).append(colour)
    return [(tuple(colours), text) for text, colours in entries.items()]


def pitch_range(score: Score) -> tuple[int, int] | None:
    """The lowest and highest pitch to show, at least an octave apart; None without pitched notes."""
    pitches = score.pitch[~score.of_drums]
    if not len(pitches):
        return None
    low, high = int(pitches.min()), int(pitches.max())
    missing = max(0, 11 - (high - low))
    low = max(0, low - missing // 2)
    high = min(127, max(high, low + 11))
    return min(low, high - 11), high


def drum_lines(score: Score) -> list[DrumLine]:
    """The lines of the drum lane from top to bottom; pitches outside DRUM_LINES are "percussion", on top."""
    played = set(score.pitch[score.of_drums].tolist())
    named_pitches = {pitch for _, pitches in DRUM_LINES for pitch in pitches}
    other = DrumLine("percussion", tuple(sorted(played - named_pitches, reverse=True)))
    lines = [DrumLine(label, tuple(p for p in pitches if p in played)) for label, pitches in DRUM_LINES]
    return [line for line in (other, *lines) if line.pitches]


def shown_bars(score: Score) -> Timeline:
    """The bars to show: those of the song, and up to MAX_BARS_AFTER_LAST_ONSET more while notes sound."""
    song = Timeline.of(score)
    if not len(song) or score.end_ticks <= song.end_ticks:
        return song
    meters = (
        score.meters if score.meters and not score.meters[0].onset_ticks else (DEFAULT_METER, *score.meters)
    )
    last = song.end_ticks + MAX_BARS_AFTER_LAST_ONSET * int(song.length_ticks[-1])
    return Timeline.of_meters(score.ticks_per_beat, meters, min(score.end_ticks, last), score.chords)


def beat_ticks(timeline: Timeline, bar: int) -> list[int]:
    """Ticks of the beats inside a bar, without its first; beats of 6/8, 9/8 and 12/8 are dotted quarters."""
    numerator, denominator = int(timeline.numerator[bar]), int(timeline.denominator[bar])
    dotted = 3 if denominator >= 8 and numerator % 3 == 0 and numerator > 3 else 1
    beat = max(1.0, 4 * timeline.ticks_per_beat * dotted / denominator)
    start, length = int(timeline.start_ticks[bar]), int(timeline.length_ticks[bar])
    return [start + round(k * beat) for k in range(1, int(np.ceil(length / beat)))]


def unison_shares(score: Score) -> list[tuple[int, int]]:
    """For each note (index, count): it fills one of `count` bands of its pitch, so that unisons are visible.

    Longer notes are drawn first. A note that overlaps no longer note of another part has the whole height,
    (0, 1). Any other is drawn on top in a fraction of the height: `count` is the number of parts that sound
    this pitch during the note, `index` the rank of its own part among them. Drums always have the whole
    height.
    """
    length, drum = score.duration_ticks.tolist(), score.of_drums.tolist()
    onset, pitch, part = score.onset_ticks.tolist(), score.pitch.tolist(), score.part.tolist()
    overlapping_parts: list[set[int]] = [{note_part} for note_part in part]
    on_top = [False] * len(score)
    sounding: list[list[int]] = [[] for _ in range(128)]  # notes by pitch
    for note in range(len(score)):
        if drum[note]:
            continue
        others = [other for other in sounding[pitch[note]] if onset[other] + length[other] > onset[note]]
        for other in others:
            overlapping_parts[other].add(part[note])
            overlapping_parts[note].add(part[other])
            on_top[note if length[note] <= length[other] else other] = True
        sounding[pitch[note]] = [*others, note]
    return [
        (sorted(parts).index(note_part), len(parts)) if above else (0, 1)
        for parts, note_part, above in zip(overlapping_parts, part, on_top, strict=True)
    ]


def summary_line(score: Score, timeline: Timeline) -> str:
    """Key (if the score has one), meters, tempo, bars, minutes and notes of a song.

    "G major · 4/4 · 96 bpm · 4 bars · 0:10 · 23 notes"
    """
    texts = [key_name(k.sharps, k.is_minor) for k in score.keys[:1]]
    counts = Counter(zip(timeline.numerator.tolist(), timeline.denominator.tolist(), strict=True))
    meters = [f"{over}/{under}" for (over, under), bars in counts.most_common() if bars > 1]
    meters = meters or [f"{m.numerator}/{m.denominator}" for m in (score.meters or (DEFAULT_METER,))]
    texts.append(", ".join(meters[:3]) + (" ..." if len(meters) > 3 else ""))
    tempi = sorted({round(tempo.bpm) for tempo in score.tempi or (DEFAULT_TEMPO,)})
    texts.append(f"{tempi[0]} bpm" if len(tempi) == 1 else f"{tempi[0]}-{tempi[-1]} bpm")
    minutes, seconds = divmod(round(score.duration_s), 60)
    texts += [_count(timeline.full_bars, "bar"), f"{minutes}:{seconds:02}", _count(len(score), "note")]
    return " · ".join(texts)


def printable(text: str) -> str:
    """`text` as one line without control characters, which cannot be drawn and are invalid in XML."""
    letters = (
        "" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") and not c.isspace() else c
        for c in text
    )
    return " ".join("".join(letters).split())


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
