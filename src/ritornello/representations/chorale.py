"""One row a 16th of four voices: the representation for chorales, as the JSB files have them.

A row says where in the bar it is, then what sounds: soprano > bass > tenor > alto, each a pitch 28-88 or a
rest. A note that is held and one that is struck again are the same here, so a repeated pitch becomes one long
note. There is no end: a song is as long as its bars. Scores that are not four single voices are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ritornello.errors import ScoreError
from ritornello.music.plan import GRID, Plan, grid_bars
from ritornello.music.score import Part, Score, rescale_ticks
from ritornello.music.theory import pitch_name
from ritornello.music.timeline import MAX_BAR_BEATS, Timeline
from ritornello.representations.table import Field, Rows

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FRAME = GRID // 4  # ticks of a 16th
LOWEST, HIGHEST = 28, 88
SIZE = HIGHEST - LOWEST + 2  # 0 is a rest, then the pitches
VOICES = ("soprano", "alto", "tenor", "bass")  # as parts of a Score, from the top
DRAWN = ("soprano", "bass", "tenor", "alto")  # as fields: the outer voices first
COLUMNS = np.array([VOICES.index(voice) for voice in DRAWN])
CHOIR, VELOCITY = 52, 80  # the program of all parts, the velocity of all notes


class Chorale:
    """The representation of one row a 16th."""

    name: ClassVar[str] = "chorale"
    refuses: ClassVar[bool] = True  # scores that are not four voices
    fields: ClassVar[tuple[Field, ...]] = (
        Field("position", MAX_BAR_BEATS * 4, "known", unit="16ths in the bar"),
        *(Field(voice, SIZE, "choice", unit=f"rest, pitch {LOWEST}-{HIGHEST}") for voice in DRAWN),
    )

    def canonical(self, score: Score) -> tuple[Score, dict[str, int]]:
        """What the rows keep: which pitch sounds in each 16th of each voice; and what is lost.

        Voices are told by their names (soprano, alto, tenor, bass), else by their mean pitch. Raises
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
        return song, {sort: count for sort, count in dropped.items() if count}

    def timeline(self, song: Score) -> Timeline:
        """The bars of a canonical song, up to the end of its last note (not of its last onset)."""
        meters = song.meters  # a canonical song has one at 0
        return Timeline.of_meters(GRID, meters, song.end_ticks, song.chords)

    def encode(self, score: Score, timeline: Timeline | None = None, given: Collection[str] = ()) -> Rows:
        """A song as rows (N, 5) int16 to the end of its bars; what comes after its last note is not learnt.

        Nor are the voices that are `given`. Raises ScoreError as `canonical` does.
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
        """Pitches (n, 4) from soprano to bass, -1 for a rest (a song of the JSB files), as rows.

        `length` rows (n if left out) in bars of 4/4, unless `positions` (length,) says otherwise.
        """
        length = len(frames) if length is None else length
        values = np.zeros((length, len(self.fields)), np.int16)
        values[:, 0] = np.arange(length) % 16 if positions is None else positions
        values[: len(frames), 1:] = np.where(frames < 0, 0, frames - LOWEST + 1)[:, COLUMNS]
        learn = np.zeros(values.shape, bool)
        learn[: len(frames), 1:] = [voice not in given for voice in DRAWN]
        return Rows(values, learn)

    def transposition_range(self, values: npt.NDArray[Any]) -> tuple[int, int]:
        """By how many semitones rows (N, 5) can go down (at most 0) and up."""
        sounding = values[:, 1:][(values[:, 1:] > 0) & (values[:, 1:] < SIZE)]
        return (1 - int(sounding.min()), SIZE - 1 - int(sounding.max())) if len(sounding) else (0, 0)

    def augmented(self, values: npt.NDArray[Any], semitones: int, bins: int = 0) -> npt.NDArray[Any]:
        """Rows (N, 5) in another key, within `room`; there is no loudness."""
        moved: npt.NDArray[Any] = values.copy()
        moved[:, 1:][(values[:, 1:] > 0) & (values[:, 1:] < SIZE)] += semitones
        return moved

    def draw_given(self, song: Score, draw: np.random.Generator) -> tuple[str, ...]:
        """Which voices are given: one to three of them."""
        return tuple(VOICES[i] for i in draw.permutation(4)[: draw.integers(1, 4)].tolist())

    def decode(self, values: npt.NDArray[Any], plan: Plan) -> Score:
        """The song that rows (N, 5) say, in the plan's meters, tempo, key and chords."""
        classes = np.zeros((len(values), 4), np.int64)
        classes[:, COLUMNS] = values[:, 1:]
        sounds = (classes > 0) & (classes < SIZE)
        return _song(np.where(sounds, classes + LOWEST - 1, -1), plan)

    def explain(self, values: npt.NDArray[Any]) -> list[str]:
        """Each row in words."""
        words, bar = [], 0
        for index, (position, *row) in enumerate(np.asarray(values).tolist()):
            bar += index > 0 and position == 0
            names = [pitch_name(c + LOWEST - 1) if 0 < c < SIZE else "-" for c in row]
            voices = "  ".join(f"{voice} {name:<3}" for voice, name in zip(DRAWN, names, strict=True))
            words.append(f"bar {bar + 1:3} beat {1 + position / 4:5.2f}  {voices}".rstrip())
        return words

    def cursor(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
        hidden: Collection[str] = (),
    ) -> Cursor:
        """The composing half, for a batch of songs of these bars (at 24 ticks a beat).

        `given` are Scores whose voices (parts by their names) are kept; `prompts` are rows that come first.
        Nothing here can be hidden.
        """
        assert not hidden
        return Cursor(timelines, given, prompts)


class Cursor:
    """A batch of chorales, row by row in step; cells of a prompt or of given voices allow one value."""

    def __init__(
        self,
        timelines: Sequence[Timeline],
        given: Sequence[Score | None] | None = None,
        prompts: Sequence[npt.NDArray[Any] | None] | None = None,
    ) -> None:
        self.lengths = np.array([_length(timeline) for timeline in timelines], np.int64)  # (B,)
        shape = (len(timelines), int(self.lengths.max(initial=0)) + 1, len(DRAWN))
        self.forced = np.full(shape, -1)  # (B, T + 1, 4); -1 is free
        self.table = np.zeros((*shape[:2], len(DRAWN) + 1), np.int16)  # (B, T + 1, F)
        for song, (timeline, length) in enumerate(zip(timelines, self.lengths.tolist(), strict=True)):
            self.table[song, :length, 0] = _positions(timeline)
            if given and (kept := given[song]):
                frames = _frames(kept, some=True)[:length, COLUMNS]
                heard = (frames >= 0).any(axis=0)
                self.forced[song, :length, heard] = 0
                classes = np.where(frames < 0, 0, frames - LOWEST + 1)
                self.forced[song, : len(frames), heard] = classes[:, heard].T
            if prompts and (prompt := prompts[song]) is not None:
                self.forced[song, : min(len(prompt), length)] = prompt[:length, 1:]
            self.forced[song, length:] = SIZE  # void
        self.now = 0

    @property
    def done(self) -> Mask:
        """Which songs have ended, (B,)."""
        return np.asarray(self.now >= self.lengths)

    def known(self, field: str) -> Ints:
        """The value of a known field in the present rows, (B,)."""
        assert field == "position"
        return self.table[:, min(self.now, self.table.shape[1] - 1), 0].astype(np.int64)

    def allowed(self, field: str) -> Mask:
        """Which values a voice may have in the present rows: (B, size + 1), the last is void."""
        forced = self.forced[:, min(self.now, self.forced.shape[1] - 1), DRAWN.index(field)]  # (B,)
        free = np.arange(SIZE + 1) < SIZE
        return np.where(forced[:, None] < 0, free, forced[:, None] == np.arange(SIZE + 1))

    def put(self, field: str, values: npt.ArrayLike) -> None:
        """Take the values (B,) of a voice; after the last one comes the next row."""
        live = ~self.done
        self.table[live, self.now, 1 + DRAWN.index(field)] = np.asarray(values)[live]
        self.now += field == DRAWN[-1]

    def rows(self, index: int) -> npt.NDArray[np.int16]:
        """All rows of a song so far, (N, 5)."""
        return self.table[index, : min(self.now, int(self.lengths[index]))]


def _length(timeline: Timeline) -> int:
    """How many 16ths cover the bars."""
    return -(-timeline.end_ticks // FRAME)


def _positions(timeline: Timeline) -> Ints:
    """The 16th in its bar of every 16th, (N,)."""
    ticks = np.arange(_length(timeline)) * FRAME
    return np.asarray((ticks - timeline.start_ticks[timeline.bar_of(ticks)]) // FRAME)


def _song(frames: Ints, plan: Plan) -> Score:
    """The Score of pitches (N, 4) from soprano to bass, -1 for a rest: equal ones in a row are one note."""
    changes = np.ones((len(frames) + 1, 4), bool)
    changes[1:-1] = frames[1:] != frames[:-1]
    voice, edge = np.nonzero(changes.T)  # for each voice, where something begins, and the end
    begins = np.append(voice[1:] == voice[:-1], False)[: len(voice)]
    start, part = edge[begins], voice[begins]
    length = np.diff(edge, append=0)[begins]
    pitch = frames[start, part]
    sounds = pitch >= 0
    notes = (start * FRAME, length * FRAME, pitch, np.full(len(start), VELOCITY), part)
    onset, duration, pitch, velocity, part = (column[sounds] for column in notes)
    parts = [Part(name, CHOIR) for name in VOICES]

    def in_bars_of(plan: Plan) -> Score:
        events: dict[str, Any] = plan.events(GRID) | {"chords": plan.chords, "title": plan.title}
        return Score.of(GRID, onset, duration, pitch, velocity, part, parts, **events)

    # joined notes may end later than the last onset: what is said of bars after it is not kept
    return in_bars_of(Plan.of(in_bars_of(plan))) if sounds.any() else in_bars_of(plan)


def _frames(score: Score, some: bool = False) -> Ints:
    """The pitch of each 16th, (N, 4) from soprano to bass, -1 for a rest. With `some`, voices may be missing.

    Raises ScoreError for what is not four voices.
    """
    where = f" in {score.title!r}" if score.title else ""
    players = [index for index, part in enumerate(score.parts) if not part.is_drum]
    if len(players) < len(score.parts) or not (len(players) == 4 or some):
        drums = len(score.parts) - len(players)
        raise ScoreError(f"{len(players)} pitched parts and {drums} of drums{where}, must be four voices")
    wrong = (score.pitch < LOWEST) | (score.pitch > HIGHEST)
    if wrong.any():
        raise ScoreError(f"pitch {score.pitch[wrong][0]}{where}, must be {LOWEST}-{HIGHEST}")
    onset = score.onset_ticks.astype(np.int64)
    start, end = (
        rescale_ticks(ticks, score.ticks_per_beat, GRID) for ticks in (onset, onset + score.duration_ticks)
    )
    if len(score):
        bars, planned = grid_bars(score), Plan.of(score).timeline(GRID)
        start, end = bars.moved(start, planned, True), bars.moved(end, planned, False)
    first = rescale_ticks(start, GRID, 4)
    last = np.maximum(rescale_ticks(end, GRID, 4), first + 1)
    frames = np.full((int(last.max(initial=0)), len(players)), -1)
    for column, part in enumerate(players):
        mine = np.flatnonzero(score.part == part)
        over = np.flatnonzero(last[mine][:-1] > first[mine][1:] + 1)  # a 16th is what rounding may do
        if len(over):
            beat = first[mine][over[0] + 1] / 4
            raise ScoreError(
                f"part {part} has two pitches at once at beat {beat:g}{where}, must be one voice"
            )
        for note in mine.tolist():
            frames[first[note] : last[note], column] = score.pitch[note]
    return _from_the_top(frames, [score.parts[index].name for index in players])


def _from_the_top(frames: Ints, names: list[str]) -> Ints:
    """The columns in the order of VOICES: by their names, else by mean pitch, highest first."""
    if names and set(names) <= set(VOICES) and len(set(names)) == len(names):
        ordered = np.full((len(frames), 4), -1)
        ordered[:, [VOICES.index(name) for name in names]] = frames
        return ordered
    means = [float(f[f >= 0].mean()) if (f >= 0).any() else 0.0 for f in frames.T]
    order = sorted(range(len(means)), key=lambda i: (-means[i], frames[:, i].tobytes()))
    return frames[:, order]
