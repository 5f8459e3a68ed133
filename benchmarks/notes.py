"""The representation `notes`: rows per second, how often its candidates predict a note, estimated chords."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.shared import (
    CORPUS,
    FOLDER,
    argument,
    benchmark,
    draw_files,
    midi_files,
    readable,
    table,
)
from ritornello import Corpus
from ritornello.evaluation.inputs import CorpusSongs
from ritornello.music.annotation import block_chords, chord_symbols, take_annotation
from ritornello.music.score import Chord, Part, Score
from ritornello.music.theory import CHORDS
from ritornello.music.timeline import Timeline
from ritornello.representations.grid.chords import beat_edges, estimated
from ritornello.representations.grid.shifts import BarLines, shift_rows
from ritornello.representations.grid.vocabulary import FIELDS, PART_PITCH_BITS, PITCHES, Ints, note_classes
from ritornello.representations.notes import Notes
from ritornello.representations.repetition.alone import alone_candidates
from ritornello.representations.repetition.echo import CONTEXT_NOTES, echo_candidates
from ritornello.representations.repetition.form import find_returns, form_candidates

NOTES = Notes()
CURSOR_SONGS = 20  # one song in so many goes through the cursor
MOST_CURSOR_ROWS = 6000
MIN_NOTES_OF_A_BLOCK = 2.0  # mean number, of a part that accompanies a melody

# Rows per second


class StepTimes:
    """Seconds of processor time and rows by the step of encoding."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.rows: dict[str, int] = defaultdict(int)

    def run(self, step: str, rows: int, work: Callable[[], Any]) -> Any:
        """The result of `work`, whose time is counted."""
        start = time.process_time()
        result = work()
        self.seconds[step] += time.process_time() - start
        self.rows[step] += rows
        return result


def replay(song: Score, rows: npt.NDArray[Any]) -> None:
    """Put the rows of a song into the cursor, asking for all that is known and allowed."""
    cursor = NOTES.cursor([NOTES.timeline(song)])
    for row in rows.tolist():
        for field, value in zip(FIELDS, row, strict=True):
            if field.kind == "known":
                cursor.known(field.name)
            else:
                cursor.allowed(field.name)
                cursor.put(field.name, [value])


def time_steps(score: Score, times: StepTimes, with_cursor: bool) -> None:
    """Time all steps of encoding a song."""
    song, _ = NOTES.canonical(score)
    if not len(song):
        return
    values = NOTES.encode(score).values
    count = len(values)
    times.run("encode, all of it", count, lambda: NOTES.encode(score))
    times.run("  canonical", count, lambda: NOTES.canonical(score))
    bars = Timeline.of(song)
    times.run("  chords estimated", count, lambda: estimated(bars, song))
    onset, part, pitch, _, _ = note_classes(song)
    part_pitch, interval = part * PITCHES + pitch, np.diff(onset, prepend=0)
    times.run("  echo", count, lambda: echo_candidates(interval, part_pitch))
    timeline = times.run("  form read off", count, lambda: find_returns(bars, onset, part_pitch))
    steps = shift_rows(onset, BarLines(timeline))
    is_note = (steps.note >= 0) & (steps.note < len(onset))
    known: Ints = np.cumsum(is_note) - is_note
    last = np.append(part_pitch, -1)[known - 1]
    lines, clock = BarLines(timeline), steps.clock_before
    times.run(
        "  form",
        count,
        lambda: form_candidates(lines, timeline, onset, part_pitch, steps.clock_before, last, known),
    )
    least = (clock << PART_PITCH_BITS) + last + 1
    times.run("  alone", count, lambda: alone_candidates(onset, part_pitch, least, known))
    if with_cursor and count < MOST_CURSOR_ROWS:
        times.run("cursor, one song", count, lambda: replay(song, values))


@benchmark(
    FOLDER,
    argument("--songs", type=int, default=500, help="files, always the same ones (default: %(default)s)"),
    one_thread=True,
)
def rows(options: argparse.Namespace) -> None:
    """Print for each step of encoding how many rows it does in a second of processor time.

    Reading the files does not count. Every twentieth song also goes through the cursor, row by row.
    """
    times = StepTimes()
    songs = readable(draw_files([options.folder], options.songs, seed=1))
    for number, (_, score) in enumerate(songs):
        time_steps(score, times, with_cursor=number % CURSOR_SONGS == 0)
    candidate_steps = ("  echo", "  form read off", "  form", "  alone")
    times.seconds["all candidates"] = sum(times.seconds[step] for step in candidate_steps)
    times.rows["all candidates"] = times.rows["  echo"]
    for step, seconds in times.seconds.items():
        speed = times.rows[step] / max(seconds, 1e-9)
        print(f"{step:<24}{times.rows[step]:>10} rows {seconds:7.2f} s {speed:>12,.0f} rows/s")


# Candidates

NAMES = ("echo", "alone", "either", "second", "transposed", "in time")


def predicted(song: Score) -> dict[str, npt.NDArray[np.bool_]]:
    """For each candidate, whether it predicts each note (N,) of a canonical song."""
    onset, part, pitch, _, _ = note_classes(song)
    part_pitch, interval = part * PITCHES + pitch, np.diff(onset, prepend=0)
    keys = onset << PART_PITCH_BITS | part_pitch
    repeat = echo_candidates(interval, part_pitch).note[:-1]
    lines = alone_candidates(onset, part_pitch, np.append(0, keys[:-1] + 1), np.arange(len(keys)))
    step = np.diff(part_pitch, prepend=0)
    moved = echo_candidates(interval, step).note[:-1]
    pitches_only = echo_candidates(np.ones_like(part_pitch), part_pitch).note[:-1]
    other = second_candidate(list(zip(interval.tolist(), part_pitch.tolist(), strict=True)), repeat)
    found = {
        "echo": (repeat >= 0) & (interval[repeat] == interval) & (part_pitch[repeat] == part_pitch),
        "alone": (lines.note >= 0) & (lines.onset_ticks == onset) & (part_pitch[lines.note] == part_pitch),
        "second": (other >= 0) & (interval[other] == interval) & (part_pitch[other] == part_pitch),
        "transposed": (moved > 0) & (interval[moved] == interval) & (step[moved] == step),
        "in time": (pitches_only >= 0) & (part_pitch[pitches_only] == part_pitch),
    }
    return found | {"either": found["echo"] | found["alone"]}


def second_candidate(keys: list[tuple[int, int]], first: Ints) -> Ints:
    """For each note the latest one after its context of 16, 8, 4 or 2 that differs from `first`."""
    after: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    found = np.full(len(keys), -1)
    for note, guess in enumerate(first.tolist()):
        for size in (size for size in reversed(CONTEXT_NOTES[:4]) if size <= note):
            seen = after[tuple(keys[note - size : note])]
            others = (n for n in reversed(seen[-8:]) if guess >= 0 and keys[n] != keys[guess])
            found[note] = next(others, -1) if found[note] < 0 else found[note]
            seen.append(note)
    return found


@benchmark(
    CORPUS,
    argument("--side", default="test"),
    argument("--songs", type=int, default=30, help="of each label, at most (default: %(default)s)"),
)
def candidates(options: argparse.Namespace) -> None:
    """Print by label the share of notes whose onset, part and pitch a candidate predicts.

    Of the notes that neither echo nor alone predicts, it prints the share that other candidates would:

        second       what followed the latest occurrence of the context that went on otherwise than echo's
        transposed   echo over intervals of pitch: a phrase repeated higher or lower in time      echo
        over pitches alone, part and pitch right: a phrase repeated in another rhythm

    No network is asked: it may know already what a candidate predicts.
    """
    songs: dict[str, list[Score]] = defaultdict(list)
    for song in CorpusSongs(Corpus.open(options.corpus), options.side):
        label = next(iter(song.labels), "all")
        if len(songs[label]) < options.songs:
            songs[label].append(NOTES.canonical(song.score)[0])
    lines: list[list[object]] = []
    for label, chosen in sorted(songs.items()):
        found = [predicted(song) for song in chosen]
        right = {name: np.concatenate([one[name] for one in found]) for name in NAMES}
        missed = ~right["either"]
        shares = [right[name].mean() for name in NAMES[:3]]
        shares += [right[name][missed].mean() if missed.any() else np.nan for name in NAMES[3:]]
        lines.append([label, len(chosen), f"{len(missed):,}", *(f"{share:.1%}" for share in shares)])
    print(table(["", "songs", "notes", *NAMES[:3], f"of neither: {NAMES[3]}", *NAMES[4:]], lines))


# Chords


def chords_at(chords: tuple[Chord, ...], ticks: Ints) -> list[tuple[int, str] | None]:
    """Root and kind of the chord at each of `ticks`; None before the first chord."""
    place = np.searchsorted([chord.onset_ticks for chord in chords], ticks, side="right") - 1
    return [chords[i][1:] if i >= 0 else None for i in place.tolist()]


def third(kind: str) -> int:
    """The third of a kind of chord in semitones: 4 major, 3 minor, 0 without."""
    return next((step for step in CHORDS[kind][1] if step in (3, 4)), 0)


def chord_agreement(score: Score) -> npt.NDArray[np.float64]:
    """(4,) counts: labelled beats, and of these with equal root, root and third, root and kind."""
    song, _ = NOTES.canonical(score)
    timeline = Timeline.of(song)
    edges = beat_edges(timeline)
    middle = (edges[:-1] + edges[1:]) // 2
    counts = np.zeros(4)
    guesses = chords_at(estimated(timeline, song), middle)
    for label, guess in zip(chords_at(song.chords, middle), guesses, strict=True):
        if label and guess and label[1] != "other":
            root = label[0] == guess[0]
            counts += (1, root, root and third(label[1]) == third(guess[1]), label == guess)
    return counts


def melody_under_chords(score: Score) -> Score | None:
    """The melody of a tune of two parts, with the block chords of the other part as its chords."""
    if len(score.parts) != 2:
        return None
    blocks = [block_chords(score, part) for part in (0, 1)]
    accompaniment = int(blocks[1].notes.mean() > blocks[0].notes.mean())
    if blocks[accompaniment].notes.mean() < MIN_NOTES_OF_A_BLOCK:
        return None
    chords = chord_symbols(blocks[accompaniment])
    is_melody = score.part != accompaniment
    return score.select(is_melody, part=score.part[is_melody] * 0, parts=(Part(),), chords=chords)


@benchmark(
    FOLDER,
    argument("--melody", action="store_true", help="tunes with accompaniment, from the melody alone"),
)
def chords(options: argparse.Namespace) -> None:
    """Compare estimated chords with labels, over the MIDI files that hold chord labels as notes (POP909-CL).

    With --melody, over files of a melody and a part of block chords, which is what the melody should give.
    The labels are taken away, chords are estimated from the other notes, and the share of beats is printed on
    which root, root and third, and root and kind agree. The weights of the estimator were fitted on every
    16th file of POP909-CL; these are counted apart.
    """
    sums = {"fitted on": np.zeros(4), "others": np.zeros(4)}
    songs = dict.fromkeys(sums, 0)
    numbers = {file: number for number, file in enumerate(midi_files([options.folder]))}
    for file, unlabelled in readable(numbers):
        if options.melody:
            found = melody_under_chords(unlabelled)
            score, labels = found or unlabelled, found is not None
        else:
            score, count = take_annotation(unlabelled)
            labels = count > 0
        if labels:
            side = "fitted on" if numbers[file] % 16 == 0 else "others"
            sums[side] += chord_agreement(score)
            songs[side] += 1
    lines = [
        [side, songs[side], int(beats), *(f"{count / max(beats, 1):.3f}" for count in right)]
        for side, (beats, *right) in sums.items()
    ]
    print(table(["", "songs", "beats", "root", "root and third", "root and kind"], lines))
