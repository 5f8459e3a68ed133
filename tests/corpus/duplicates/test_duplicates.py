"""Sketches and duplicates: which changes a sketch survives, and which songs `decide` keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.corpus.duplicates import decide as duplicates
from ritornello.corpus.duplicates.decide import KINDS, decide
from ritornello.corpus.duplicates.sketch import EMPTY, SKETCH, compare, runs, sketch
from ritornello.music.score import Part, Score, Tempo
from tests.scores import scores, tune

BEAT = 480
Columns = list[npt.NDArray[np.int64]]  # onset, duration, pitch, velocity, part


def song(seed: int, beats: int = 120) -> Score:
    """A generated song in three parts: a melody that walks along a scale, fifths that leap, drums."""
    draw = np.random.default_rng([seed, 7])
    scale = np.array([12 * octave + step for octave in range(10) for step in (0, 2, 4, 5, 7, 9, 11)])
    steps = draw.choice([-3, -2, -1, 0, 1, 2, 3], 2 * beats)
    melody = scale[35 + np.abs((np.cumsum(steps) + 14) % 28 - 14)]
    roots = scale[21 + draw.integers(0, 7, beats)]
    drums = draw.choice([36, 38, 42], beats)
    on_beat = np.arange(beats) * BEAT
    onset = np.concatenate([np.arange(2 * beats) * (BEAT // 2), on_beat, on_beat, on_beat])
    pitch = np.concatenate([melody, roots, roots + 7, drums])
    part = np.repeat([0, 1, 2], [2 * beats, 2 * beats, beats])
    players = (Part("lead", 73), Part("guitar", 25), Part("drums", 0, True))
    half_beats = np.full(len(pitch), BEAT // 2)
    return Score.of(BEAT, onset, half_beats, pitch, np.full(len(pitch), 90), part, players)


def columns(score: Score) -> Columns:
    names = ("onset_ticks", "duration_ticks", "pitch", "velocity", "part")
    return [getattr(score, name).astype(np.int64) for name in names]


def with_notes(score: Score, notes: Columns, parts: tuple[Part, ...] | None = None) -> Score:
    return Score.of(score.ticks_per_beat, *notes, parts=parts or score.parts)


def cut(score: Score, share: float) -> Score:
    """The middle of a song: `share` of its notes."""
    start = int(len(score) * (1 - share) / 2)
    return with_notes(score, [column[start : start + int(len(score) * share)] for column in columns(score)])


def with_track(score: Score, other: Score) -> Score:
    """The song and, as one more part, the melody of another."""
    added = [column[other.part == 0] for column in columns(other)]
    added[4] = np.full(len(added[4]), len(score.parts))
    joined = [np.concatenate(pair) for pair in zip(columns(score), added, strict=True)]
    return with_notes(score, joined, (*score.parts, Part("added", 40)))


def replayed(score: Score) -> Score:
    """Change velocities, durations, instruments, tempo, resolution, start and order of parts."""
    onset, duration, pitch, velocity, part = columns(score)
    notes = [
        onset + 4 * BEAT,
        np.maximum(duration // 2, 1),
        pitch,
        128 - velocity,
        len(score.parts) - 1 - part,
    ]
    players = tuple(p._replace(program=(p.program + 5) % 128) for p in reversed(score.parts))
    return replace(with_notes(score, notes, players), tempi=(Tempo(0, 400_000),)).rescaled(BEAT // 5)


def played(score: Score, seed: int = 1) -> Score:
    """Move each onset by about 1/64 beat, as in a performance."""
    notes = columns(score)
    notes[0] = np.maximum(
        notes[0] + np.random.default_rng(seed).normal(0, BEAT / 64, len(score)).astype(int), 0
    )
    return with_notes(score, notes)


def slower(score: Score) -> Score:
    """Halve the tempo by writing all durations twice as long."""
    notes = columns(score)
    return with_notes(score, [2 * notes[0], 2 * notes[1], *notes[2:]])


DUPLICATES: dict[str, Callable[[Score, int], Score]] = {
    "transposed": lambda score, seed: score.transposed([-5, -2, 3, 7][seed % 4]),
    "replayed": lambda score, seed: replayed(score),
    "slower": lambda score, seed: slower(score),
    "cut": lambda score, seed: cut(score, 0.7),
    "added": lambda score, seed: with_track(score, song(seed + 1000)),
    "all": lambda score, seed: replayed(with_track(cut(score, 0.8), song(seed + 2000, 40))).transposed(2),
}


def sketches(songs: list[Score]) -> npt.NDArray[np.void]:
    return np.frombuffer(b"".join(map(sketch, songs)), SKETCH)


def exact(a: Score, b: Score) -> float:
    """The Jaccard similarity of the runs of two songs."""
    first, second = set(runs(a).tolist()), set(runs(b).tolist())
    return len(first & second) / max(len(first | second), 1)


def kinds(songs: list[Score]) -> list[str]:
    return [KINDS[kind] for kind in decide(sketches(songs)).kind]


# What a sketch is


def slow_mix(x: int) -> int:
    """The finalizer of SplitMix64 with Python integers."""
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
    return x ^ (x >> 31)


def test_runs_agree_with_a_slow_implementation() -> None:
    """The set of runs, computed with lists and Python integers, one run after the other."""

    def fold(steps: list[int]) -> int:
        if len(steps) == 1:
            return steps[0]
        half = len(steps) // 2
        return slow_mix((3 * fold(steps[:half]) + fold(steps[half:])) % 2**64)

    def slow(score: Score) -> set[int]:
        only_drums = all(score.parts[p].is_drum for p in score.part)
        found = set()
        for number, part in enumerate(score.parts):
            if part.is_drum != only_drums:
                continue
            notes = [(o, p) for o, p, q in zip(*columns(score)[::2], strict=True) if q == number]
            chords: list[list[int]] = []
            for place, (onset, pitch) in enumerate(notes):
                if place == 0 or (onset - notes[place - 1][0]) * 12 >= score.ticks_per_beat:
                    chords.append([])
                chords[-1].append(int(pitch))
            top = [max(chord) for chord in chords]
            steps = [slow_mix((b - a) % 2**64) for a, b in pairwise(top) if a != b]
            if only_drums:
                steps = [sum(map(slow_mix, chord)) % 2**64 for chord in chords]
            for start in range(len(steps) - 15):
                run = steps[start : start + 16]
                if all(run[period:] != run[:-period] for period in (1, 2, 3, 4)):
                    found.add(fold(run))
        return found

    drums = with_notes(song(3), [column[song(3).part == 2] for column in columns(song(3))])
    for score in (song(1, 30), with_track(song(2, 20), song(4, 20)), played(song(5, 25)), drums, tune()):
        assert set(runs(score).tolist()) == slow(score)
    assert len(runs(song(1, 30))) > 30


@given(scores(max_notes=60, with_events=False), st.integers(-12, 12))
def test_a_transposed_song_has_the_same_transposed_sketch(score: Score, semitones: int) -> None:
    drum = np.array([part.is_drum for part in score.parts])[score.part]
    moved = score.pitch[~drum].astype(int) + semitones
    if ((moved < 0) | (moved > 127)).any():
        return
    first, second = sketches([score, score.transposed(semitones)])
    assert first["transposed"] == second["transposed"]
    assert first["runs"] == second["runs"] and (first["bins"] == second["bins"]).all()
    assert (first["notes"] == second["notes"]) == (semitones == 0 or bool(drum.all()))


def test_a_rearranged_song_has_the_same_notes_and_one_changed_pitch_does_not() -> None:
    original = song(1)
    pitch = original.pitch.copy()
    pitch[100] += 1
    changed = Score.of(BEAT, *columns(original)[:2], pitch, *columns(original)[3:], parts=original.parts)
    first, again, other = sketches([original, replayed(original), changed])
    assert first["notes"] == again["notes"] and first["transposed"] == again["transposed"]
    assert first["notes"] != other["notes"] and first["transposed"] != other["transposed"]


def test_the_sketch_is_the_same_on_every_machine() -> None:
    """What a sketch was when this test was written: corpora that exist must stay valid.

    The hashes are sums, modulo 2**64, of SplitMix64's mixed value of each note, here in Python's own whole
    numbers: onset at 24 a beat times 256, plus 128 for drums, plus pitch; transposed: pitch less the lowest.
    The tune has beats 0-14 of melody and a bass note every other beat, from pitch 43 on; its 14 intervals
    make no run.
    """
    record = sketches([tune()])[0]
    assert SKETCH.itemsize == 8 + 8 + 4 + 4 * 256 == len(sketch(tune()))
    assert record["runs"] == 0 and (record["bins"] == EMPTY).all()
    for name, lowest, golden in (("notes", 0, 0xA1D57BEF3314AFC7), ("transposed", 43, 0xF7BABCC0F08C2371)):
        pairs = zip(*columns(tune())[:3:2], strict=True)
        notes = {24 * int(onset) // 480 * 256 + int(pitch) - lowest for onset, pitch in pairs}
        assert len(notes) == 23
        assert int(record[name]) == sum(map(slow_mix, notes)) % 2**64 == golden


def test_a_doubled_part_leaves_the_set_of_notes_as_it_is() -> None:
    """A hash by sum over all notes would count a note twice if two parts play it."""
    original = song(1)
    twice = with_track(original, original)
    first, doubled = sketches([original, twice])
    assert len(twice) > len(original)
    assert first["notes"] == doubled["notes"] and first["transposed"] == doubled["transposed"]


def test_a_bin_has_the_least_of_its_hashes() -> None:
    """The top 8 of 64 bits say which bin, the next 32 the value."""
    least: dict[int, int] = {}
    for run in runs(song(1)).tolist():
        least[run >> 56] = min(least.get(run >> 56, EMPTY), run >> 24 & 0xFFFFFFFF)
    record = sketches([song(1)])[0]
    assert record["bins"].tolist() == [least.get(place, EMPTY) for place in range(256)]
    assert record["runs"] == len(runs(song(1)))


@given(scores(max_notes=40))
def test_any_score_has_a_sketch(score: Score) -> None:
    record = sketches([score])[0]
    assert record["runs"] <= len(score)
    assert (record["bins"] != EMPTY).sum() <= record["runs"]
    assert (record["runs"] == 0) == bool((record["bins"] == EMPTY).all())


def test_compare_estimates_what_is_shared() -> None:
    """Standard error at most 0.03; a cut song is contained in the whole one."""
    whole = song(1, 400)
    for share in (0.25, 0.5, 0.75, 1.0):
        part = cut(whole, share)
        similarity, contained = compare(sketches([whole]), sketches([part]))
        assert abs(similarity[0] - exact(whole, part)) < 0.1
        assert contained[0] > 0.85
    similarity, contained = compare(sketches([song(1)]), sketches([song(2)]))
    assert similarity[0] < 0.02 and contained[0] < 0.05
    assert [float(x[0]) for x in compare(sketches([tune()]), sketches([tune()]))] == [0, 0]  # no runs at all


# What is found


def test_duplicates_are_found_and_nothing_else() -> None:
    """Of 6 variants of 40 songs, 95% of those with similarity 0.5 or more are found, and no wrong ones."""
    originals = [song(seed) for seed in range(40)]
    copies = [
        (name, seed, make(originals[seed], seed)) for name, make in DUPLICATES.items() for seed in range(40)
    ]
    decided = decide(sketches(originals + [copy for _, _, copy in copies]))
    assert (decided.duplicate_of[:40] == -1).all()
    of = decided.duplicate_of[40:]
    alike = np.array([exact(originals[seed], copy) for _, seed, copy in copies])
    right = of == [seed for _, seed, _ in copies]
    assert right[alike >= 0.5].mean() >= 0.95 and (alike >= 0.5).mean() > 0.8
    assert right[of >= 0].mean() >= 0.99
    found = {
        name: {KINDS[k] for (n, *_), k in zip(copies, decided.kind[40:], strict=True) if n == name}
        for name in DUPLICATES
    }
    assert found["transposed"] == {"transposed"} and found["replayed"] == {"same notes"}
    assert found["cut"] == found["slower"] == {"near"}


def test_a_humanized_song_is_near() -> None:
    decided = decide(sketches([song(1), played(song(1))]))
    assert decided.duplicate_of.tolist() == [-1, 0] and KINDS[decided.kind[1]] == "near"


def test_a_quarter_of_a_song_is_near_by_what_it_contains() -> None:
    """Of 40 such excerpts, whose similarity is only about 0.22, nine in ten are found."""
    wholes = [song(seed, 300) for seed in range(40)]
    of = decide(sketches(wholes + [cut(whole, 0.25) for whole in wholes])).duplicate_of
    assert (of[40:] == np.arange(40)).mean() >= 0.9 and (of[:40] == -1).all()


def test_scales_trills_and_broken_chords_do_not_make_songs_near() -> None:
    """Different songs that share such passages of any length."""

    def etude(pattern: list[int], seed: int) -> Score:
        melody = song(seed, 12).pitch[song(seed, 12).part == 0]
        pitch = np.concatenate([np.resize(pattern, 400), melody])
        onset = np.arange(len(pitch)) * (BEAT // 4)
        return Score.of(BEAT, onset, np.full(len(pitch), 60), pitch, np.full(len(pitch), 80))

    chromatic = list(range(40, 90))
    for pattern in ([60], [60, 62], [60, 64, 67, 64], [48, 55, 52, 55]):
        assert kinds([etude(pattern, 1), etude(pattern, 2)]) == ["kept", "kept"]
    assert runs(Score.of(BEAT, np.arange(50) * BEAT, [1] * 50, chromatic, [1] * 50)).size == 0


def test_drums_do_not_make_songs_near() -> None:
    def beat(fills: int, loops: int = 40) -> Score:
        """A rock beat of eight strokes, with random strokes in every other bar."""
        draw = np.random.default_rng(fills)
        bars = [[36, 42, 38, 42, 36, 42, 38, 46]] * loops
        bars[1::2] = [draw.choice([36, 38, 41, 43, 42], 8).tolist() for _ in bars[1::2]]
        hits = np.concatenate(bars)
        onset = np.arange(len(hits)) * (BEAT // 2)
        return Score.of(BEAT, onset, [1] * len(hits), hits, [90] * len(hits), parts=(Part("kit", 0, True),))

    assert kinds([beat(1), beat(2), beat(1), played(beat(1))]) == ["kept", "kept", "same notes", "near"]

    def over(melody: Score, drums: Score) -> Score:
        lead = [column[melody.part == 0] for column in columns(melody)]
        below = columns(drums)
        below[4] = below[4] + 1
        notes = [np.concatenate(pair) for pair in zip(lead, below, strict=True)]
        return with_notes(melody, notes, (Part("lead"), Part("kit", 0, True)))

    assert kinds([over(song(1), beat(1)), over(song(2), beat(1))]) == ["kept", "kept"]


# What the decision promises


def test_being_near_is_not_transitive() -> None:
    """A is near B and B near C, but A is not near C: B repeats A, and C is kept. Without A, C repeats B."""
    whole = song(1, 300)
    a, b, c = (with_notes(whole, [col[s : s + 600] for col in columns(whole)]) for s in (0, 200, 400))
    assert exact(a, b) > 0.4 and exact(b, c) > 0.4 and exact(a, c) < 0.25
    assert decide(sketches([a, b, c])).duplicate_of.tolist() == [-1, 0, -1]
    assert decide(sketches([b, c])).duplicate_of.tolist() == [-1, 0]


def family(seed: int, count: int) -> list[Score]:
    """Songs that overlap more or less: windows of one long song."""
    draw = np.random.default_rng(seed)
    whole = song(seed, 300)
    starts = draw.integers(0, len(whole) // 2, count)
    return [with_notes(whole, [column[s : s + len(whole) // 2] for column in columns(whole)]) for s in starts]


def test_the_decision_is_the_greedy_one() -> None:
    """The same as comparing each song with all that are kept before it."""
    songs = [member for seed in range(12) for member in family(seed, 12)] + [
        song(seed) for seed in range(100, 120)
    ]
    draw = np.random.default_rng(5)
    records = sketches(songs)[draw.permutation(len(songs))]
    order = draw.permutation(len(songs))
    kept: list[int] = []
    expected = {}
    for row in order:
        like, contained = compare(np.repeat(records[row : row + 1], len(kept)), records[kept])
        near = (like >= 0.4) | ((contained >= 0.75) & (like >= 0.125))
        if near.any():
            expected[row] = kept[int(np.argmax(np.where(near, like, 0)))]
        else:
            kept.append(row)
    decided = decide(records, order)
    assert 20 < len(kept) < 100
    assert {int(row): int(of) for row, of in enumerate(decided.duplicate_of) if of >= 0} == expected


def test_growing_never_removes_a_kept_song() -> None:
    """Decide half of the songs first, then the others with the kept ones of the first half fixed."""
    songs = [member for seed in range(10) for member in family(seed, 10)]
    records = sketches(songs)
    order = np.random.default_rng(3).permutation(len(songs))
    old, new = order[:50], order[50:]
    before = decide(records[old])
    kept = old[before.duplicate_of < 0]
    rows = np.concatenate([new, kept])
    grown = decide(records[rows], np.concatenate([np.arange(50, len(rows)), np.arange(50)]), fixed=len(kept))
    assert (grown.duplicate_of[50:] == -1).all()
    # in this order nothing differs from deciding all at once
    once = decide(records[order])
    of = grown.duplicate_of[:50]
    assert (
        np.where(of < 0, -1, rows[of]).tolist()
        == np.where(once.duplicate_of < 0, -1, order[once.duplicate_of])[50:].tolist()
    )


def test_fixed_songs_stay_even_if_they_are_duplicates() -> None:
    songs = [song(1), song(1), song(1).transposed(2), cut(song(1), 0.8), song(1).transposed(4)]
    decided = decide(sketches(songs), fixed=4)
    assert decided.duplicate_of.tolist() == [-1, -1, -1, -1, 0]


def test_a_duplicate_of_a_duplicate_repeats_the_kept_song() -> None:
    """The transposition of a duplicate is a duplicate of the song that was kept."""
    copy = cut(song(1), 0.8)
    decided = decide(sketches([song(1), copy, copy.transposed(3)]))
    assert decided.duplicate_of.tolist() == [-1, 0, 0]
    assert [KINDS[kind] for kind in decided.kind] == ["kept", "near", "near"]
    assert decided.similarity[1] == decided.similarity[2] > 0.6


def test_short_songs_are_compared_by_their_notes_alone() -> None:
    """A song with 15 runs or fewer is a duplicate only if its notes are the same."""
    short = song(1, 18)
    assert len(runs(short)) < duplicates.MIN_RUNS
    assert kinds([short, with_track(short, song(9, 4)), short.transposed(1), replayed(short)]) == [
        "kept",
        "kept",
        "transposed",
        "same notes",
    ]


def test_the_cost_of_many_duplicates_is_not_quadratic() -> None:
    """Each of many duplicates of a few songs is compared with a few songs, not with all others."""
    songs = [played(song(seed % 4, 60), seed) for seed in range(400)]
    decided = decide(sketches(songs))
    assert (decided.duplicate_of < 0).sum() <= 8
    assert decided.work["candidates"] <= 400 * duplicates.BANDS * duplicates.HEADS / 4
    assert decided.work["verifications"] <= decided.work["candidates"] < 400 * 399 / 2 / 4


def test_a_file_of_sketches_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decisions do not depend on the sizes of blocks, nor on the number of bands at once."""
    records = sketches([member for seed in range(5) for member in family(seed, 8)])
    (tmp_path / "sketches").write_bytes(records.tobytes())
    whole = decide(records)
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    monkeypatch.setattr(duplicates, "PIECE", 3)
    monkeypatch.setattr(duplicates, "BANDS_AT_ONCE", 4)
    mapped = np.memmap(tmp_path / "sketches", SKETCH, "r")
    (tmp_path / "more").write_bytes(bytes(100) + records[:4].tobytes() + records.tobytes())
    view = np.memmap(tmp_path / "more", SKETCH, "r", offset=100)[4:]
    for decided in (decide(mapped), decide(view)):
        for name in ("duplicate_of", "kind", "similarity"):
            assert (getattr(whole, name) == getattr(decided, name)).all()


def test_no_songs() -> None:
    decided = decide(np.zeros(0, SKETCH))
    assert len(decided.duplicate_of) == len(decided.kind) == 0
    empty = Score.of(BEAT, [], [], [], [])
    assert kinds([empty, song(1)]) == ["kept", "kept"]


def test_one_bin_is_enough_to_fill_all() -> None:
    """If all runs of a song are in one bin, every empty bin copies it, so equal songs have equal keys."""
    bins = np.full((3, 256), EMPTY, np.uint32)
    bins[:, 77] = [5, 5, 6]
    keys = duplicates._band_keys(bins, range(duplicates.BANDS))
    assert (keys[:, 0] == keys[:, 1]).all() and (keys[:, 0] != keys[:, 2]).all()
