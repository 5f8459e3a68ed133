"""The rows of `messages`: equal to what mido reads of the file, and decoded to a Score."""

from __future__ import annotations

import io

import mido
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ritornello import midi
from ritornello.legacy2018.messages import Messages
from ritornello.music.plan import Plan
from ritornello.music.score import Part, Score
from ritornello.representations.table import print_table
from tests.scores import scores, tune

MESSAGES = Messages()


def mido_stream(data: bytes) -> list[tuple[int, int, int]]:
    """Pitch, velocity (0: off) and ticks since the last, of all note messages as mido merges them."""
    file = mido.MidiFile(file=io.BytesIO(data))
    stream, waited = [], 0
    for message in mido.merge_tracks(file.tracks):
        waited += message.time
        if message.type in ("note_on", "note_off"):
            stream.append((message.note, message.velocity if message.type == "note_on" else 0, waited))
            waited = 0
    return stream


def unscaled(values: npt.NDArray[np.float32]) -> list[tuple[int, ...]]:
    pitch, velocity, ticks = MESSAGES.rounded(values)
    return list(zip(pitch.tolist(), velocity.tolist(), np.diff(ticks, prepend=0).tolist(), strict=True))


def test_golden_rows() -> None:
    # C4 for a beat; after half a beat E4 at velocity 32 until beat 2: on, on, off, off
    score = Score.of(480, [0, 240], [480, 720], [60, 64], [64, 32])
    expected = [
        [60 / 128, 64 / 128, 0],
        [64 / 128, 32 / 128, 0.5 / 4],
        [60 / 128, 0, 0.5 / 4],
        [64 / 128, 0, 1 / 4],
    ]
    rows = MESSAGES.encode(score)
    assert rows.values.dtype == np.float32
    assert rows.values.tolist() == np.array(expected, np.float32).tolist()
    assert rows.learn.all()


@given(scores())
def test_rows_are_the_messages_that_mido_reads(score: Score) -> None:
    song, _ = MESSAGES.canonical(score)
    assert unscaled(MESSAGES.encode(score).values) == mido_stream(midi.to_bytes(song)[0])


@given(scores())
def test_decode_undoes_encode_up_to_canonical(score: Score) -> None:
    song, _ = MESSAGES.canonical(score)
    assert MESSAGES.decode(MESSAGES.encode(score).values, Plan.of(score)) == song


@given(scores())
def test_canonical_is_idempotent(score: Score) -> None:
    song, _ = MESSAGES.canonical(score)
    again, dropped = MESSAGES.canonical(song)
    assert again == song
    assert dropped == {}


def test_what_canonical_drops_is_counted() -> None:
    song, dropped = MESSAGES.canonical(tune())
    assert dropped == {"parts merged": 1, "chords and markers": 5}
    assert song.parts == (Part(),)
    assert len(song) == 23


@given(scores(single_part=True, min_notes=1, ticks_per_beat=480, with_events=False))
def test_a_song_of_one_part_is_kept_whole(score: Score) -> None:
    song, _ = MESSAGES.canonical(score)
    for column in ("onset_ticks", "duration_ticks", "pitch", "velocity"):
        assert np.array_equal(getattr(song, column), getattr(score, column))
    assert song.parts == score.parts


reals = st.floats(-4, 4, width=32)


@given(st.lists(st.tuples(reals, reals, reals), max_size=40))
def test_all_reals_are_a_song(rows: list[tuple[float, float, float]]) -> None:
    values = np.array(rows, np.float32).reshape(-1, 3)
    song = MESSAGES.decode(values, Plan())
    assert MESSAGES.canonical(song)[0] == song
    assert len(song) <= len(rows)


def test_a_note_off_ends_the_nearest_note() -> None:
    # on C4, on G4; an off of F#4 is nearest to G4; at the end C4 is still open and is closed there
    rows = np.array([[60, 64, 0], [67, 64, 0], [66, 0, 960], [30, 0, 960]], np.float32) / [128, 128, 1920]
    song = MESSAGES.decode(rows, Plan())
    assert song.pitch.tolist() == [60, 67]
    assert song.duration_ticks.tolist() == [1920, 960]


def test_a_sampled_row_is_fitted_into_the_rest_of_the_song() -> None:
    row = np.array([0.5, 0.5, 0.25], np.float32)  # a beat
    found, ticks = MESSAGES.fitted(row, 1920)
    assert (found.tolist(), ticks) == (row.tolist(), 480)
    found, ticks = MESSAGES.fitted(np.array([0.5, 0.5, 0.9], np.float32), 1440)
    assert (found.tolist(), ticks) == ([0.5, 0, 0.75], 1440)  # a note-off at the end
    found, ticks = MESSAGES.fitted(np.array([0.5, 0.15, -0.1], np.float32), 1440)
    assert (found[1], ticks) == (0, 0)  # velocity 19 is a note-off


def test_rows_are_described() -> None:
    words = MESSAGES.explain(MESSAGES.encode(tune()).values)
    assert words[0] == "beat    0.000  G2   on   velocity 72"
    assert words[2] == "beat    1.000  G4   off"
    assert print_table(MESSAGES.fields).splitlines()[1].split() == ["note", "real", "1", "128", "semitones"]


@pytest.mark.parametrize("ticks_per_beat", [1, 24, 96, 32767])
def test_any_resolution(ticks_per_beat: int) -> None:
    score = Score.of(ticks_per_beat, [0, ticks_per_beat], [ticks_per_beat] * 2, [60, 62], [64, 64])
    assert [delta for *_, delta in unscaled(MESSAGES.encode(score).values)] == [0, 480, 0, 480]
