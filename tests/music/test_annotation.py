"""Chord labels written as notes become the song's chords; accompaniment stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ritornello as r
from ritornello.corpus.checks.check import ANNOTATION, CheckSettings, check
from ritornello.midi import parse, to_bytes
from ritornello.music.annotation import (
    MIN_BLOCKS,
    _is_too_thin,
    block_chords,
    chord_name,
    find_annotation,
    take_annotation,
)
from ritornello.music.score import Chord, Part, Score

DATA = Path(os.environ.get("RITORNELLO_DATA", "nowhere"))
CLEAN = next((folder for folder in (DATA, DATA / "clean") if (folder / "pop909_cl").is_dir()), None)
BEAT = 480
PROGRESSION = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62, 65)) * 6  # C Am F G7, two beats each
PIANO, LABELS = Part("piano", 0), Part("chords", 0)


def arrangement(
    labels: tuple[tuple[int, ...], ...] = PROGRESSION,
    *,
    label_part: Part = LABELS,
    label_beats: float = 2.0,
    label_velocity: Any = 90,
    piano: bool = True,
    strummed_ticks: int = 0,
    more: tuple[Part, ...] = (),
) -> Score:
    """A piano with broken chords, or a mere melody, over a progression, and block chords that label it."""
    rows = []
    for place, (music, label) in enumerate(zip(PROGRESSION, labels, strict=True)):
        start = place * 2 * BEAT
        rows += [(start, 2 * BEAT, music[0] - 12, 70, 0), (start + BEAT // 2, BEAT, music[2] + 12, 75, 0)]
        if piano:
            rows += [(start + BEAT // 4 * i, BEAT * 3 // 2, p, 60 + 3 * i, 0) for i, p in enumerate(music)]
        else:
            rows = [row for row in rows if row[4] != 0 or row[3] != 70]
        rows += [
            (start + strummed_ticks * i, round(label_beats * BEAT) - strummed_ticks * i, p, label_velocity, 1)
            for i, p in enumerate(label)
        ]
        rows += [(start, BEAT, 36, 90, 2 + i) for i in range(len(more))]
    columns = np.array([[v() if callable(v) else v for v in row] for row in rows]).T
    return Score.of(BEAT, *columns, parts=(PIANO, label_part, *more))


def test_labels_become_chords_and_leave_the_music() -> None:
    score = arrangement(more=(Part("bass", 33),))
    clean, notes = take_annotation(score)
    assert notes == 6 * 13
    assert len(clean) == len(score) - notes
    assert clean.parts == (PIANO, Part("bass", 33))
    assert clean.chords[:5] == (
        Chord(0, 0, "maj"),
        Chord(960, 9, "min"),
        Chord(1920, 5, "maj"),
        Chord(2880, 7, "7"),
        Chord(3840, 0, "maj"),
    )
    music = score.part != 1
    assert clean.pitch.tolist() == score.pitch[music].tolist()
    assert clean.onset_ticks.tolist() == score.onset_ticks[music].tolist()
    assert set(clean.part.tolist()) == {0, 1}


def test_chords_that_the_file_names_stay() -> None:
    from dataclasses import replace

    named = replace(arrangement(), chords=(Chord(0, 2, "min7"),))
    clean, notes = take_annotation(named)
    assert notes
    assert clean.chords == (Chord(0, 2, "min7"),)


def velocities() -> Any:
    draw = np.random.default_rng(1)
    return lambda: int(draw.integers(50, 100))


INVERTED = tuple((c[1], c[2], c[0] + 12) for c in PROGRESSION)
ELSEWHERE = tuple(tuple(p + 1 for p in chord) for chord in PROGRESSION)
STAYS = {
    "another instrument": arrangement(label_part=Part("strings", 48)),
    "velocities as played": arrangement(label_velocity=velocities()),
    "under a melody alone": arrangement(piano=False),
    "staccato": arrangement(label_beats=0.5),
    "strummed": arrangement(strummed_ticks=15),
    "another harmony": arrangement(ELSEWHERE),
    "inversions": arrangement(INVERTED),
    "two voices": arrangement(tuple(chord[:2] for chord in PROGRESSION)),
    "clusters": arrangement(tuple((c[0], c[0] + 1, c[0] + 2) for c in PROGRESSION)),
    "wide": arrangement(tuple((c[0] - 24, c[1], c[2] + 12) for c in PROGRESSION)),
}


@pytest.mark.parametrize("case", STAYS)
def test_music_stays(case: str) -> None:
    assert find_annotation(STAYS[case]) is None
    clean, notes = take_annotation(STAYS[case])
    assert clean is STAYS[case]
    assert notes == 0


def lead_sheet(
    *, names: tuple[str, str] = ("Melody", "Chords"), velocities: tuple[int, ...] = (80,)
) -> Score:
    """Four bars: a melody of two notes a bar, and a held chord in each."""
    rows = []
    for bar, chord in enumerate(PROGRESSION[:4]):
        start = 4 * bar * BEAT
        rows += [(start + 2 * BEAT * i, 2 * BEAT, chord[i] + 12, 90, 0) for i in range(2)]
        rows += [(start, 4 * BEAT, pitch, velocities[bar % len(velocities)], 1) for pitch in chord]
    parts = (Part(names[0], 40), Part(names[1], 0))
    return Score.of(BEAT, *np.array(sorted(rows)).T, parts=parts)


def test_the_chords_of_a_lead_sheet_are_chords_also_where_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(to_bytes(lead_sheet())[0])
    score = r.read(tmp_path / "song.mid")
    assert [(chord.root, chord.kind) for chord in score.chords] == [
        (0, "maj"),
        (9, "min"),
        (5, "maj"),
        (7, "7"),
    ]
    assert [part.name for part in score.parts] == ["Melody"]
    assert len(score) == 8
    assert len(r.read(tmp_path / "song.mid", annotations=False)) == 8 + 13
    (tmp_path / "again.mid").write_bytes(to_bytes(score)[0])  # chords are written as markers
    assert r.read(tmp_path / "again.mid").chords == score.chords


@pytest.mark.parametrize(
    "played",
    [lead_sheet(names=("Flute", "Chords")), lead_sheet(velocities=(80, 70)), lead_sheet(names=("a", "b"))],
)
def test_played_chords_stay(played: Score) -> None:
    assert find_annotation(played) is None


def test_too_few_labels_are_no_annotation() -> None:
    score = arrangement()
    early = score.onset_ticks < 15 * 2 * BEAT  # fifteen chords; sixteen are needed
    columns = (score.onset_ticks, score.duration_ticks, score.pitch, score.velocity, score.part)
    assert find_annotation(Score.of(BEAT, *(c[early] for c in columns), parts=score.parts)) is None


@pytest.mark.parametrize(
    ("pitches", "named"),
    [
        ((60, 64, 67), (0, "maj")),
        ((64, 67, 72), (0, "maj")),  # the third at the bottom
        ((62, 65, 69, 72), (2, "min7")),
        ((59, 62, 65), (11, "dim")),
        ((60, 65, 67), (0, "sus")),
        ((60, 61, 62), (0, "other")),
    ],
)
def test_names(pitches: tuple[int, ...], named: tuple[int, str]) -> None:
    bits = sum(1 << pitch for pitch in {pitch % 12 for pitch in pitches})
    assert chord_name(bits, pitches[0]) == named


@pytest.mark.parametrize("triads", range(41))
def test_the_quick_test_never_rejects_block_chords(triads: int) -> None:
    notes = [(beat, pitch) for beat in range(40) for pitch in ((60, 64, 67) if beat < triads else (60,))]
    onset, pitch = np.array(notes).T
    score = Score.of(1, onset, np.ones(len(onset)), pitch, np.full(len(onset), 64))
    chords = block_chords(score, 0)
    is_block_like = np.mean((chords.notes >= 3) & chords.together) >= MIN_BLOCKS
    assert not (is_block_like and _is_too_thin(score, 0))
    assert _is_too_thin(score, 0) == (triads < 22)  # 22 of 40 are 55%


def test_check_takes_it_out_unless_the_settings_forbid_it() -> None:
    data = to_bytes(arrangement())[0]
    checked = check(data, CheckSettings())
    assert checked.outcome == "kept"
    assert checked.score is not None
    assert checked.score.parts == (PIANO,)
    assert checked.dropped == {ANNOTATION: 78}
    kept = check(data, CheckSettings(annotations=False)).score
    assert kept is not None
    assert len(kept.parts) == 2
    assert kept.chords == ()


@pytest.mark.slow
@pytest.mark.skipif(not CLEAN, reason="RITORNELLO_DATA names no folder that holds pop909_cl/")
def test_real_annotations_are_found_and_real_accompaniment_stays() -> None:
    def found(folder: str) -> list[int | None]:
        assert CLEAN
        files = sorted((CLEAN / folder).rglob("*.mid"))
        return [find_annotation(parse(path.read_bytes()).score) for path in files]

    # of POP909-CL's 806 files one has nothing but the labels and one no labels at all
    assert found("pop909_cl").count(1) == 804
    assert {*found("nottingham"), *found("freedoom"), *found("simutrans")} == {None}
