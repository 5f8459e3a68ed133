"""Songs are encoded when asked for, kept while there is room, and know the plan they would come from."""

from __future__ import annotations

import numpy as np
import pytest

from ritornello.music.score import Meter, Score
from ritornello.representations.chorale import Chorale
from ritornello.representations.notes import Notes
from ritornello.representations.table import hide
from ritornello.training.songs import GIVEN_VARIANTS, EncodedSongs
from tests.representations.test_chorale import voices
from tests.scores import tune


def test_a_song_is_its_rows_and_its_plan() -> None:
    songs = EncodedSongs([tune()], Notes(), [("fiddle",)])
    song = songs.song(0)
    rows = (
        hide(Notes.fields, values, ("texture",)) for values in (song.values, Notes().encode(tune()).values)
    )
    assert np.array_equal(*rows)  # textures are blurred
    assert song.plan.bars == 4
    assert song.plan.genres == (("fiddle", 1.0),)
    assert song.plan.returns is not None and len(song.plan.returns) == 4
    assert song.range == (-43, 51)
    assert songs.notes.tolist() == [len(tune())]


def test_the_form_of_the_plan_is_the_one_that_the_rows_were_told() -> None:
    song = EncodedSongs([tune()], Notes()).song(0)
    again = Notes().encode(tune(), song.plan.timeline(24)).values
    form = [i for i, field in enumerate(Notes.fields) if field.name.startswith("form.")]
    assert np.array_equal(again[:, form], song.values[:, form])


def test_silence_before_a_pickup_is_not_learnt() -> None:
    onset = [60, *range(72, 72 + 24 * 12, 12)]  # the last eighth of 6/8, then four bars
    song = Score.of(
        24, onset, [12] * 25, [60 + n % 7 for n in range(25)], [64] * 25, meters=(Meter(0, 6, 8),)
    )
    encoded = EncodedSongs([song], Notes()).song(0)
    assert encoded.plan.meters == ((0, 1, 8), (1, 6, 8))
    assert (encoded.plan.bars, encoded.plan.full_bars) == (5, 4)
    column = {field.name: index for index, field in enumerate(Notes.fields)}
    assert encoded.values[0, column["shift"]] == 0
    assert encoded.values[:3, column["bar_length"]].tolist() == [12, 72, 72]
    assert Notes().decode(encoded.values, encoded.plan).onset_ticks.tolist() == [tick - 60 for tick in onset]


def test_what_has_no_room_is_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    songs = EncodedSongs([tune(), tune()], Notes(), memory_mb=0)
    first = songs._encoded(0, 0)
    assert songs._encoded(0, 0) is first  # the last one is kept however large
    songs.song(1)
    assert songs._encoded(0, 0) is not first
    roomy = EncodedSongs([tune(), tune()], Notes(), memory_mb=1)
    first = roomy._encoded(0, 0)
    roomy.song(1)
    assert roomy._encoded(0, 0) is first


def test_how_loud_given_notes_are_is_not_learnt() -> None:
    songs = EncodedSongs([tune()], Notes())
    learnt = [songs.song(0, variant).learn.sum(axis=0) for variant in range(GIVEN_VARIANTS + 1)]
    column = {field.name: index for index, field in enumerate(Notes.fields)}
    assert all((one[column["pitch"]], one[column["shift"]]) == (23, 24) for one in learnt)  # END is one more
    assert learnt[0][column["velocity"]] == 23
    assert any(0 < one[column["velocity"]] < 23 for one in learnt[1:])


def test_songs_that_the_representation_refuses_are_left_out() -> None:
    chorale = voices((60, 55, 52, 48), (62, 55, 53, 47))
    songs = EncodedSongs([tune(), chorale], Chorale(), [("fiddle",), ("bach",)])
    assert songs.drop_unreadable() == 1
    assert len(songs) == 1
    assert songs.labels == [("bach",)]
    assert songs.song(0).plan.genres == (("bach", 1.0),)
