"""The representation `chorale`: four voices with one row for each 16th, as in the data set JSB Chorales.

A row has its position in the bar, and then soprano, bass, tenor and alto, each a pitch 28-88 or a rest. Held
and repeated notes cannot be distinguished, so repeated pitches become one long note. A song has no END: it is
as long as its bars. Scores that are not four voices of one pitch at a time are refused. A *frame* is a 16th
of all voices: four pitches from soprano to bass, -1 for a rest.
"""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.errors import ScoreError
from ritornello.music.plan import GRID, Plan
from ritornello.music.score import Part, Score, rescale_ticks
from ritornello.music.theory import pitch_name
from ritornello.music.timeline import MAX_BAR_BEATS, Timeline
from ritornello.representations.grid.canonical import grid_spans
from ritornello.representations.simple import SimpleCursor
from ritornello.representations.table import Field, Rows

Ints = npt.NDArray[np.int64]  # frames (N, 4), or one number for each frame (N,)
Mask = npt.NDArray[np.bool_]  # (B,)

FRAME_TICKS = GRID // 4
LOWEST, HIGHEST = 28, 88
SIZE = HIGHEST - LOWEST + 2  # classes of a voice: 0 is a rest, then come the pitches
VOICES = ("soprano", "alto", "tenor", "bass")  # in frames, and as parts of a Score
DRAWN = ("soprano", "bass", "tenor", "alto")  # in rows: the outer voices are drawn first
VOICE_OF_COLUMN = np.array([VOICES.index(voice) for voice in DRAWN])
FIELDS = (
    Field("position", MAX_BAR_BEATS * 4, "known", unit="16ths in the bar"),
    *(Field(voice, SIZE, "choice", unit=f"rest, pitch {LOWEST}-{HIGHEST}") for voice in DRAWN),
)
CHOIR, VELOCITY = 52, 80  # program of all parts, velocity of all notes


class Cursor(SimpleCursor):
    """B chorales of these bars (at 24 ticks a beat) that are composed row by row.

    `given` are Scores with the given voices, named by their parts; `prompts` are rows (N, 5) that come first.
    Choices for which they have a value allow no other class.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
    ) -> None:
        super().__init__(FIELDS, [_length(timeline) for timeline in timelines])
        self.forced = np.full((*self.values.shape[:2], len(DRAWN)), -1)  # (B, T, 4); -1 is free
        for song, (timeline, length) in enumerate(zip(timelines, self.lengths.tolist(), strict=True)):
            self.values[song, :length, 0] = _positions(timeline)
            if given and (voices := given[song]):
                classes = _classes(_frames(voices, allow_missing=True)[:length])
                is_given = (classes > 0).any(axis=0)
                self.forced[song, :length, is_given] = 0
                self.forced[song, : len(classes), is_given] = classes[:, is_given].T
            if prompts and (prompt := prompts[song]) is not None:
                self.forced[song, : min(len(prompt), length)] = prompt[:length, 1:]
            self.forced[song, length:] = SIZE  # void

    def known(self, field: str) -> Ints:
        """The values (B,) of a known field in the present rows."""
        assert field == "position"
        return self.values[:, min(self.row, self.values.shape[1] - 1), 0].astype(np.int64)

    def allowed(self, field: str) -> Mask:
        """Which classes a voice may have in the present rows: (B, size + 1), the last one is void."""
        forced = self.forced[:, min(self.row, self.forced.shape[1] - 1), DRAWN.index(field)]  # (B,)
        free = np.arange(SIZE + 1) < SIZE
        return np.where(forced[:, None] < 0, free, forced[:, None] == np.arange(SIZE + 1))


class Chorale:
    """The representation of one row a 16th."""

    name: ClassVar[str] = "chorale"
    refuses: ClassVar[bool] = True  # some scores
    fields: ClassVar[tuple[Field, ...]] = FIELDS

    cursor = Cursor

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """Return the song as the rows can hold it, and how much of each kind is lost.

        Voices are identified by their names (soprano, alto, tenor, bass), or else by mean pitch. Raises
        ScoreError for a score that is not four voices of one pitch at a time within 28-88.
        """
        song = _song(_frames(score), Plan.of(score))
        dropped = {
            "notes joined": len(score) - len(song),
            "velocities": len(set(score.velocity.tolist()) - {VELOCITY}),
            "programs": sum(part.program != CHOIR for part in score.parts),
            "tempo changes": max(0, len(score.tempi) - 1),
            "key changes": max(0, len(score.keys) - 1),
            "markers": len(score.markers),
        }
        return song, {kind: count for kind, count in dropped.items() if count}

    def timeline(self, song: Score) -> Timeline:
        """The bars of a canonical song, up to the end of its last note (not to its last onset)."""
        return Timeline.of_meters(GRID, song.meters, song.end_ticks, song.chords)

    def encode(self, score: Score, timeline: Timeline | None = None, given: Collection[str] = ()) -> Rows:
        """Encode a song as rows (N, 5) int16, to the end of its bars.

        The loss counts neither what comes after the last note nor the voices named in `given`. Raises
        ScoreError as `canonical` does.
        """
        song, _ = self.canonical(score)
        timeline = timeline or self.timeline(song)
        frames = _frames(song)
        return self.rows(frames, _length(timeline), _positions(timeline), given)

    def rows(
        self,
        frames: Ints,
        length: int | None = None,
        positions: Ints | None = None,
        given: Collection[str] = (),
    ) -> Rows:
        """Encode frames (n, 4) as `length` rows (n if it is left out).

        They are in bars of 4/4, or at `positions` (length,) in their bars, in 16ths.
        """
        length = len(frames) if length is None else length
        values = np.zeros((length, len(self.fields)), np.int16)
        values[:, 0] = np.arange(length) % 16 if positions is None else positions
        values[: len(frames), 1:] = _classes(frames)
        learn = np.zeros(values.shape, bool)
        learn[: len(frames), 1:] = [voice not in given for voice in DRAWN]
        return Rows(values, learn)

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """By how many semitones rows (N, 5) can go down (at most 0) and up (at least 0)."""
        sounding = values[:, 1:][_is_pitch(values[:, 1:])]
        return (1 - int(sounding.min()), SIZE - 1 - int(sounding.max())) if len(sounding) else (0, 0)

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int = 0) -> npt.NDArray[Any]:
        """Rows (N, 5) moved by semitones, within `transposition_range`; they have no velocity."""
        moved: npt.NDArray[Any] = values.copy()
        moved[:, 1:][_is_pitch(values[:, 1:])] += semitones
        return moved

    def draw_given(self, song: Score, draw: np.random.Generator) -> tuple[str, ...]:
        """Draw which voices are given: one to three of them."""
        return tuple(VOICES[i] for i in draw.permutation(4)[: draw.integers(1, 4)].tolist())

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """Decode rows (N, 5) to a song with the plan's meters, tempo, key and chords."""
        frames = np.zeros((len(values), 4), np.int64)
        frames[:, VOICE_OF_COLUMN] = np.where(_is_pitch(values[:, 1:]), values[:, 1:] + LOWEST - 1, -1)
        return _song(frames, plan)

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Describe each row (N, 5) in a line of text."""
        lines, bar = [], 0
        for index, (position, *row) in enumerate(np.asarray(values).tolist()):
            bar += index > 0 and position == 0
            names = [pitch_name(c + LOWEST - 1) if 0 < c < SIZE else "-" for c in row]
            voices = "  ".join(f"{voice} {name:<3}" for voice, name in zip(DRAWN, names, strict=True))
            lines.append(f"bar {bar + 1:3} beat {1 + position / 4:5.2f}  {voices}".rstrip())
        return lines


def _length(timeline: Timeline) -> int:
    """How many 16ths cover the bars."""
    return -(-timeline.end_ticks // FRAME_TICKS)


def _classes(frames: Ints) -> Ints:
    """The classes (N, 4) of frames, in the order of rows."""
    return np.where(frames < 0, 0, frames - LOWEST + 1)[:, VOICE_OF_COLUMN]


def _is_pitch(classes: npt.NDArray[Any]) -> Mask:
    """Which classes are pitches, rather than rests or void."""
    return np.asarray((classes > 0) & (classes < SIZE))


def _positions(timeline: Timeline) -> Ints:
    """The position of each frame (N,) in its bar, in 16ths."""
    ticks = np.arange(_length(timeline)) * FRAME_TICKS
    return np.asarray((ticks - timeline.start_ticks[timeline.bar_of(ticks)]) // FRAME_TICKS)


def _song(frames: Ints, plan: Plan) -> Score:
    """Make a Score of 16ths (N, 4); equal successive pitches of a voice are one note, so repeats are lost."""
    changes = np.ones((len(frames) + 1, 4), bool)
    changes[1:-1] = frames[1:] != frames[:-1]
    voice, frame = np.nonzero(changes.T)  # for each voice: where notes and rests begin, and the end
    begins = np.append(voice[1:] == voice[:-1], False)[: len(voice)]
    start, part = frame[begins], voice[begins]
    length = np.diff(frame, append=0)[begins]
    pitch = frames[start, part]
    sounds = pitch >= 0
    notes = (start * FRAME_TICKS, length * FRAME_TICKS, pitch, np.full(len(start), VELOCITY), part)
    onset, duration, pitch, velocity, part = (column[sounds] for column in notes)
    parts = [Part(name, CHOIR) for name in VOICES]

    def in_bars_of(plan: Plan) -> Score:
        events: dict[str, Any] = plan.events(GRID) | {"chords": plan.chords, "title": plan.title}
        return Score.of(GRID, onset, duration, pitch, velocity, part, parts, **events)

    # joined notes may end after the bar of the last onset; a plan of their song has no bars after that one
    return in_bars_of(Plan.of(in_bars_of(plan))) if sounds.any() else in_bars_of(plan)


def _frames(score: Score, allow_missing: bool = False) -> Ints:
    """The frames (N, 4) of a score. Raises ScoreError unless it is four voices, or fewer if allowed."""
    where = f" in {score.title!r}" if score.title else ""
    pitched = [index for index, part in enumerate(score.parts) if not part.is_drum]
    if len(pitched) < len(score.parts) or not (len(pitched) == 4 or allow_missing):
        drums = len(score.parts) - len(pitched)
        raise ScoreError(f"{len(pitched)} pitched parts and {drums} of drums{where}: must be four voices")
    wrong = (score.pitch < LOWEST) | (score.pitch > HIGHEST)
    if wrong.any():
        raise ScoreError(f"pitch {score.pitch[wrong][0]}{where}: must be {LOWEST}-{HIGHEST}")
    start, end = grid_spans(score, Plan.of(score))
    first = rescale_ticks(start, GRID, 4)
    last = np.maximum(rescale_ticks(end, GRID, 4), first + 1)
    frames = np.full((int(last.max(initial=0)), len(pitched)), -1)
    for column, part in enumerate(pitched):
        notes = np.flatnonzero(score.part == part)
        # rounding may make two notes overlap by one 16th
        overlapping = np.flatnonzero(last[notes][:-1] > first[notes][1:] + 1)
        if len(overlapping):
            beat = first[notes][overlapping[0] + 1] / 4
            raise ScoreError(f"part {part} has two pitches at beat {beat:g}{where}: must have one at a time")
        for note in notes.tolist():
            frames[first[note] : last[note], column] = score.pitch[note]
    return _in_order(frames, [score.parts[index].name for index in pitched])


def _in_order(frames: Ints, names: list[str]) -> Ints:
    """The columns (N, 4) in the order of VOICES: by their names, or else by mean pitch, highest first."""
    if names and set(names) <= set(VOICES) and len(set(names)) == len(names):
        ordered = np.full((len(frames), 4), -1)
        ordered[:, [VOICES.index(name) for name in names]] = frames
        return ordered
    means = [float(f[f >= 0].mean()) if (f >= 0).any() else 0.0 for f in frames.T]
    order = sorted(range(len(means)), key=lambda i: (-means[i], frames[:, i].tobytes()))
    return frames[:, order]
