"""The longest run that songs share: by hand, and compared with a search note by note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello.evaluation.originality import (
    closest_passages,
    excerpt,
    opening,
    run_lengths,
    typical_longest_run,
)
from ritornello.models.fingerprints import RUN_STEPS, SongFingerprint
from ritornello.music.score import Meter, Part, Score, Tempo


def tune(
    pitches: Sequence[int], lengths: Sequence[int] | int = 1, beat: int = 480, part: Part | None = None
) -> Score:
    """A melody of one part; lengths in beats."""
    beats = np.broadcast_to(np.asarray(lengths), (len(pitches),))
    onset = np.cumsum(beats) - beats
    return Score.of(
        beat, onset * beat, beats * beat, pitches, [80] * len(pitches), [0] * len(pitches), [part or Part()]
    )


def longest_runs(songs: Sequence[Score], training: Sequence[Score]) -> list[int]:
    fingerprints = [SongFingerprint.of(song) for song in songs]
    return run_lengths(fingerprints, closest_passages(fingerprints, map(SongFingerprint.of, training)))


TWINKLE = [60, 60, 67, 67, 69, 69, 67]


def test_a_tune_in_another_key_and_resolution_is_the_same() -> None:
    moved = tune([p + 5 for p in TWINKLE], beat=96)
    assert longest_runs([moved], [tune(TWINKLE)]) == [7]


def test_a_run_of_six_by_hand() -> None:
    """Of its steps -2 0 +7 0 +2 0 +1 all but the first and the last are Twinkle's."""
    assert longest_runs([tune([62, 60, 60, 67, 67, 69, 69, 70])], [tune(TWINKLE)]) == [6]


def test_another_rhythm_breaks_a_run() -> None:
    """The first note is longer: the six after it are alike."""
    assert longest_runs([tune(TWINKLE, [2, 1, 1, 1, 1, 1, 1])], [tune(TWINKLE)]) == [6]
    assert longest_runs([tune(TWINKLE, 2)], [tune(TWINKLE)]) == [RUN_STEPS]


def test_few_notes_are_no_run() -> None:
    assert longest_runs([tune(TWINKLE[:5]), tune(TWINKLE[:4])], [tune(TWINKLE)]) == [5, 0]


def test_the_longest_over_parts_and_training_songs() -> None:
    low = [40, 45, 52, 45, 40, 41]
    pitches = [pitch for pair in zip(TWINKLE[:6], low, strict=True) for pitch in pair]
    onset = np.repeat(np.arange(6) * 4, 2)
    two = Score.of(4, onset, [4] * 12, pitches, [80] * 12, [0, 1] * 6, [Part(), Part("", 33)])
    assert [len(line.runs) for line in SongFingerprint.of(two).lines] == [2, 2]
    assert longest_runs([two], [tune(TWINKLE[:5])]) == [5]
    assert longest_runs([two], [tune(TWINKLE[:5]), tune([p + 2 for p in low])]) == [6]
    others = [two, tune(range(9)), tune([7])]
    assert longest_runs(others, [tune([p + 2 for p in low])]) == [6, RUN_STEPS, 0]


def test_drums_are_left_out_and_empty_songs_share_nothing() -> None:
    drums = tune([36, 38, 36, 38], part=Part("", 0, True))
    assert longest_runs([drums, tune([])], [drums]) == [0, 0]
    assert longest_runs([], [drums]) == []
    assert longest_runs([tune(TWINKLE)], []) == [RUN_STEPS]


@given(
    st.lists(st.lists(st.integers(60, 61), min_size=RUN_STEPS + 1, max_size=20), min_size=2, max_size=5),
    st.integers(1, 40),
)
def test_runs_equal_those_found_note_by_note(tunes: list[list[int]], together: int) -> None:
    first, *others = [np.diff(pitches).tolist() for pitches in tunes]

    def shared(a: list[int], b: list[int]) -> int:
        runs = [(i, j, n) for i in range(len(a)) for j in range(len(b)) for n in range(1, len(a) + 1)]
        return max(
            (n for i, j, n in runs if len(b) - j >= n <= len(a) - i and a[i : i + n] == b[j : j + n]),
            default=0,
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ritornello.evaluation.originality.BLOCK_NOTES", together)  # also in pieces
        found = longest_runs([tune(tunes[0])], [tune(pitches) for pitches in tunes[1:]])
    assert found == [max(RUN_STEPS, *(shared(first, other) + 1 for other in others))]


def test_a_passage_is_named_with_its_bars() -> None:
    """Twinkle from its second bar on: after four other beats, and in the second training song in bars 1-2."""
    song = tune([50, 61, 53, 70, *(p + 3 for p in TWINKLE)])
    others = [
        tune([60, 80, 61, 90, 20]),
        replace(tune(TWINKLE), title="Ah! vous dirai-je"),
        tune(TWINKLE[:5]),
    ]
    named = [SongFingerprint.of(other, f"{number}.mid") for number, other in enumerate(others)]
    (found,) = closest_passages([SongFingerprint.of(song)], named)
    assert found == (7, (2, 3), 0, 1, "Ah! vous dirai-je (1.mid)", (1, 2), 0)
    (again,) = closest_passages(
        [SongFingerprint.of(song)], [named[2], *named[:2]]
    )  # the longest, wherever it stands
    assert again is not None
    assert (again.notes, again.song) == (7, 2)
    assert closest_passages(
        [SongFingerprint.of(tune([60])), SongFingerprint.of(tune(range(50, 60)))], named[1:]
    ) == [
        None,
        None,
    ]


def test_an_excerpt_is_some_bars_of_one_line() -> None:
    """The drums and the part of four notes are no lines: part 3 is line 1."""
    parts = [Part("a"), Part("drums", 0, True), Part("short"), Part("b")]
    song = Score.of(
        4, [0, 4, 8, 24, 30, *range(6), 0, 2, 4, 6, 4, 12, 20, 24, 28],
        [4, 4, 4, 4, 90, *[1] * 10, 4, 4, 9, 4, 90],
        [60, 62, 64, 65, 67, *[36] * 6, 70, 71, 72, 73, 62, 64, 65, 67, 69], [80] * 20,
        [0] * 5 + [1] * 6 + [2] * 4 + [3] * 5, parts,
        meters=[Meter(0, 3, 4)], tempi=[Tempo(0, 400_000), Tempo(12, 300_000)],
    )  # fmt: skip
    cut = excerpt(song, (2, 2), 1)
    assert (cut.onset_ticks.tolist(), cut.pitch.tolist()) == ([0, 8], [64, 65])
    assert cut.duration_ticks.tolist() == [4, 4]  # of 9: it ends with its last bar
    assert (cut.parts, cut.meters, cut.tempi) == ((Part("b"),), (Meter(0, 3, 4),), (Tempo(0, 300_000),))
    assert excerpt(song, (3, 3), 0).duration_ticks.tolist() == [4, 6]
    others = [SongFingerprint.of(tune(range(5))), SongFingerprint.of(replace(song, title="x"))]
    (found,) = closest_passages([SongFingerprint.of(tune([62, 64, 65, 67, 69], [2, 2, 1, 1, 1]))], others)
    assert found is not None
    assert (found.song, found.there_line) == (1, 1)


def test_typical_longest_run() -> None:
    """Of three draws from 1 ... 100 the largest is 80 or more half of the time: 0.79 cubed is 1/2."""
    assert typical_longest_run(list(range(1, 101)), 1) == 51
    assert typical_longest_run(list(range(1, 101)), 3) == 80


def test_the_opening_of_a_song() -> None:
    assert opening(tune(TWINKLE), 3).pitch.tolist() == [60, 60, 67]
    assert len(opening(tune(TWINKLE), 100)) == 7
