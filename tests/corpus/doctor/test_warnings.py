"""Each warning is found in a song made for it, and ordinary songs have no warning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ritornello.corpus.doctor.warnings import (
    BY_NAME,
    doubled_tracks,
    drums_elsewhere,
    find_warnings,
    no_beat,
    several_songs,
)
from ritornello.music.score import Part, Score, Tempo
from tests.folders import wandering

BEAT = 480


def score(
    rows: Sequence[tuple[int, int, int, int]], parts: Sequence[Part] = (Part(),), **events: object
) -> Score:
    """A Score of (onset_ticks, duration_ticks, pitch, part)."""
    onset, length, pitch, part = np.array(rows).T
    return Score.of(BEAT, onset, length, pitch, np.full(len(rows), 80), part, parts, **events)


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_songs_have_no_warning(seed: int) -> None:
    assert find_warnings(wandering(seed, 400)) == {}


def test_warnings_by_name_are_complete() -> None:
    assert list(BY_NAME) == [
        "annotation track", "wrong track length", "no beat", "doubled tracks", "drums off channel 10",
        "several songs",
    ]  # fmt: skip


def eighths(beat_ticks: float, jitter_ticks: float = 0.0, count: int = 300) -> Score:
    """Eighth notes at another beat than the file's, some time off."""
    draw = np.random.default_rng(4)
    onset = np.arange(count) * beat_ticks / 2 + draw.normal(0, jitter_ticks, count)
    rows = [(max(0, round(t)), 100, 60 + n % 7, 0) for n, t in enumerate(onset)]
    return score(rows)


def test_a_performance_has_no_beat() -> None:
    assert no_beat(eighths(BEAT)) == ""
    assert no_beat(eighths(BEAT, jitter_ticks=20)) == ""  # played to a click: 20 ms late or early at 120 bpm
    assert no_beat(eighths(BEAT * 4 / 3)) == ""  # triplets of quarters
    assert no_beat(eighths(BEAT * 1.0371)).startswith("the notes match the beat by only ")
    assert no_beat(eighths(BEAT, count=300, jitter_ticks=BEAT)) != ""
    assert no_beat(eighths(BEAT * 1.0371, count=60)) == ""  # too short to tell


@pytest.mark.parametrize(("notes", "beats"), [(5, 1), (7, 1), (5, 2), (10, 1), (5, 1.5), (7, 4)])
def test_fives_and_sevens_follow_the_beat(notes: int, beats: float) -> None:
    onset = np.round(np.arange(150) * BEAT * beats / notes).astype(int)
    assert no_beat(score([(t, 60, 60 + n % 5, 0) for n, t in enumerate(onset.tolist())])) == ""


@pytest.mark.parametrize("seed", range(20))
def test_onsets_anywhere_do_not_follow_the_beat(seed: int) -> None:
    onset = np.sort(np.random.default_rng(seed).integers(0, 100 * BEAT, 300))
    assert no_beat(score([(t, 60, 60 + n % 5, 0) for n, t in enumerate(onset.tolist())])) != ""


def test_parts_with_the_same_notes() -> None:
    tune = [(n * BEAT, BEAT, 60 + n % 12, 0) for n in range(16)]
    other = [(t, length, pitch, 1) for t, length, pitch, _ in tune]
    parts = (Part("flute", 73), Part("oboe", 68))
    assert doubled_tracks(score(tune + other, parts)) == "parts 1 and 2 have the same 16 notes"
    assert doubled_tracks(score([*tune, *other[:-1], (15 * BEAT, BEAT, 50, 1)], parts)) == ""
    octave = [(t, length, pitch + 12, 1) for t, length, pitch, _ in tune]
    assert doubled_tracks(score(tune + octave, parts)) == ""
    assert doubled_tracks(score(tune[:15] + other[:15], parts)) == ""  # a few notes may meet


BAR = [
    (0, 36),
    (0, 42),
    (240, 42),
    (480, 38),
    (480, 42),
    (720, 42),
    (960, 36),
    (960, 42),
    (1440, 38),
    (1440, 46),
]
DRUMMING = [(bar * 4 * BEAT + t, 60, pitch, 0) for bar in range(8) for t, pitch in BAR]


def test_drums_on_another_channel() -> None:
    assert drums_elsewhere(score(DRUMMING)) == "part 1, by its patterns"
    assert drums_elsewhere(score(DRUMMING, (Part("beat", 0, True),))) == ""
    bass = [(t, length, {36: 36, 38: 38, 42: 40, 46: 43}[p], 0) for t, length, p, _ in DRUMMING]
    assert drums_elsewhere(score(bass)) == ""
    tune = [(n * BEAT, BEAT, 60 + n % 12, 0) for n in range(16)]
    assert drums_elsewhere(score(tune, (Part(" Snare", 0),))) == "part 1, named 'Snare'"
    for innocent in (
        Part("Tom's voice", 0),
        Part("Perc. Organ", 17),
        Part("Steel Drums", 114),
        Part("snares", 9),
    ):
        assert drums_elsewhere(score(tune, (innocent,))) == ""


def test_several_songs_in_a_file() -> None:
    def song(start: int, part: int) -> list[tuple[int, int, int, int]]:
        return [(start + n * BEAT, BEAT, 60 + n % 12, part) for n in range(80)]  # 40 s at 120 bpm

    second = 100 * BEAT  # 20 beats, 10 s later
    parts = (Part("flute", 73), Part("oboe", 68))
    two = "2 songs or movements, with silence between them"
    assert several_songs(score(song(0, 0) + song(second, 1), parts)) == two
    faster = (Tempo(0, 500_000), Tempo(second, 450_000))
    assert several_songs(score(song(0, 0) + song(second, 0), tempi=faster)) == two
    assert several_songs(score(song(0, 0) + song(second, 0))) == ""  # a pause
    assert several_songs(score(song(0, 0) + song(82 * BEAT, 1), parts)) == ""  # a second of silence
    assert several_songs(score(song(0, 0) + song(second, 1)[:40], parts)) == ""  # 20 s are no song
    assert several_songs(score(song(0, 0) + song(second, 1) + song(2 * second, 0), parts)) == two.replace(
        "2", "3"
    )
