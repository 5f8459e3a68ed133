"""The notes of one voice in one bar as they are written: note values, ties, triplets, beams, accidentals."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ritornello.rendering.sheet.grid import BarMeter
from ritornello.rendering.sheet.note_values import FLAGS, NoteValue, beams, note_values, triplet_windows
from ritornello.rendering.sheet.percussion import DrumNotation, drum_notation
from ritornello.rendering.sheet.played_note import Mark
from ritornello.rendering.sheet.spelling import Accidentals, SpelledPitch, spell
from ritornello.rendering.sheet.staves import StaffChord

TREMOLO_STROKES = 3  # on a note without flags: repeated in 32nds, or as fast as possible


class SheetVoice(NamedTuple):
    """The voice to which notes belong, with its part, and its staff and number in MusicXML."""

    part: str  # id of the part
    is_drum: bool
    staff: int  # from 1; 0 if the part has only one
    number: int
    shows_rests: bool


class BarContext(NamedTuple):
    """A bar: its start in units, its meter, the sharps of its key, and whether it is a pickup."""

    start: int
    meter: BarMeter
    sharps: int
    is_pickup: bool = False


class SheetNote(NamedTuple):
    """A note or rest as templates/score.musicxml writes it: a rest has neither `spelled` nor `drum`.

    `length` is in units, `name` that of the note value; a rest for a whole bar has no name. The lists of
    `ties` and `beams` have their types, `bracket` that of the bracket of a triplet. A grace note has
    `grace_slash`, "yes" or "no".
    """

    length: int = 0
    name: str = ""
    dots: int = 0
    is_triplet: bool = False
    spelled: SpelledPitch | None = None
    drum: DrumNotation | None = None
    midi_pitch: int | None = None
    in_chord: bool = False
    accidental: str | None = None
    ties: Sequence[str] = ()
    beams: Sequence[str] = ()
    bracket: str = ""
    mark: Mark = ""
    tremolo_strokes: int = 0
    grace_slash: str = ""


class TiedValue(NamedTuple):
    """A note value with its pitches (none: a rest), and its ties to the values before and after it.

    The first value of a chord has its grace notes; `mark` is that of the chord.
    """

    value: NoteValue
    pitches: tuple[int, ...] = ()
    tied_before: bool = False
    tied_after: bool = False
    graces: tuple[tuple[int, ...], ...] = ()
    mark: Mark = ""


def chords_in_bar(voice: list[StaffChord], start: int, end: int) -> list[StaffChord]:
    """The chords of a voice that sound between `start` and `end`, in units."""
    first = bisect_left(voice, start, key=lambda chord: chord.start)
    if first and voice[first - 1].end > start:
        first -= 1
    return voice[first : bisect_left(voice, end, key=lambda chord: chord.start)]


def voice_notes(
    chords: list[StaffChord], bar: BarContext, is_drum: bool, accidentals: Accidentals
) -> Iterator[SheetNote]:
    """The notes and rests of a voice, which fill the bar.

    A rest for a whole bar has no note value; in a pickup it has one, because readers such as music21 make it
    as long as the meter.
    """
    if not chords and not bar.is_pickup:
        yield SheetNote(bar.meter.length)
        return
    tied_values = list(_tied_values(chords, bar, is_drum))
    beams_of = beams([tied.value if tied.pitches else None for tied in tied_values], bar.meter.beat)
    for index, tied in enumerate(tied_values):
        yield from _grace_notes(tied.graces, bar.sharps, accidentals)
        first = SheetNote(*tied.value[1:], bracket=_bracket(tied_values, index, bar.meter.window))
        if not tied.pitches:
            yield first
        for number, pitch in enumerate(tied.pitches):
            spelled = None if is_drum else spell(pitch, bar.sharps)
            note = first if number == 0 else first._replace(bracket="", in_chord=True)
            if number == 0 or tied.mark.startswith("arpeggio"):
                note = _marked(note, tied)
            yield note._replace(
                spelled=spelled,
                drum=drum_notation(pitch) if is_drum else None,
                midi_pitch=pitch,
                accidental=accidentals.needed(spelled) if spelled and not tied.tied_before else None,
                ties=["stop"] * tied.tied_before + ["start"] * tied.tied_after,
                beams=() if number else beams_of[index],
            )


def _tied_values(chords: list[StaffChord], bar: BarContext, is_drum: bool) -> Iterator[TiedValue]:
    """The note values of the chords and of the rests between them; their starts are relative to the bar."""
    length = bar.meter.length
    spans: list[tuple[int, int, StaffChord | None]] = []
    position = 0
    for chord in chords:
        start, end = max(chord.start - bar.start, 0), min(chord.end - bar.start, length)
        if start > position:
            spans.append((position, start, None))
        spans.append((start, end, chord))
        position = end
    if position < length:
        spans.append((position, length, None))
    triplets = triplet_windows([edge for span in spans for edge in span[:2]], bar.meter.window)
    for start, end, sounding in spans:
        for value in note_values(start, end, bar.meter, triplets):
            if sounding is None:
                yield TiedValue(value)
            else:
                onset = bar.start + value.start
                before, after = onset > sounding.start, onset + value.length < sounding.end
                if is_drum:  # drums are not tied: further values are rests
                    yield TiedValue(value, () if before else sounding.pitches)
                else:
                    graces = () if before else sounding.graces
                    yield TiedValue(value, sounding.pitches, before, after, graces, sounding.mark)


def _marked(note: SheetNote, tied: TiedValue) -> SheetNote:
    """The note with its mark: arpeggios and trills mark the first value of a chord, tremolos all of them."""
    if tied.mark == "tremolo":
        strokes = max(1, TREMOLO_STROKES - FLAGS.get(tied.value.name, 0))
        return note._replace(mark=tied.mark, tremolo_strokes=strokes)
    return note if tied.tied_before else note._replace(mark=tied.mark)


def _grace_notes(
    chords: tuple[tuple[int, ...], ...], sharps: int, accidentals: Accidentals
) -> Iterator[SheetNote]:
    """The grace notes before a chord: a slashed eighth, or beamed 16ths. They have no duration."""
    name, slash, levels = ("eighth", "yes", 0) if len(chords) == 1 else ("16th", "no", 2)
    for index, pitches in enumerate(chords):
        beam = "begin" if index == 0 else "end" if index == len(chords) - 1 else "continue"
        for number, pitch in enumerate(pitches):
            spelled = spell(pitch, sharps)
            yield SheetNote(
                name=name,
                spelled=spelled,
                in_chord=number > 0,
                accidental=accidentals.needed(spelled),
                beams=[] if number else [beam] * levels,
                grace_slash=slash,
            )


def _bracket(tied_values: list[TiedValue], index: int, window: int) -> str:
    """Whether a triplet starts or stops at a value: "start", "stop" or ""."""
    this_value = tied_values[index].value

    def joins(other: int) -> bool:
        if not 0 <= other < len(tied_values):
            return False
        value = tied_values[other].value
        return value.triplet and value.start // window == this_value.start // window

    if not this_value.triplet or joins(index - 1) == joins(index + 1):
        return ""
    return "start" if joins(index + 1) else "stop"
