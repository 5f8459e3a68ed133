from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from ritornello.evaluation.summary import (
    SongNats,
    bootstrap_interval,
    paired_difference,
    songs_as_csv,
    summarize,
)


def nats(song: int, notes: int, each: float) -> SongNats:
    """A song of `notes` notes of which each costs `each`, two thirds of it in pitch."""
    fields = {"shift": notes * each / 3, "pitch": notes * each * 2 / 3}
    return SongNats(f"song {song}", notes, notes - 1, fields, 0.5, notes * (each + 1))


def test_long_songs_count_by_their_notes() -> None:
    """(10 x 2 + 30 x 4) / 40 = 3.5, of which the two ENDs are 1 / 40."""
    found = summarize([nats(0, 10, 2.0), nats(1, 30, 4.0)])
    assert found["nats_per_note"] == pytest.approx(3.5)
    assert found["by_field"] == pytest.approx({"shift": 3.5 / 3, "pitch": 7 / 3})
    assert found["end"] == pytest.approx(1 / 40)
    assert found["reference"] == pytest.approx(4.5)
    assert found["notes_lost"] == 2
    assert summarize([nats(0, 10, 2.0), nats(1, 30, 4.0), nats(2, 1, 9.0)])["median"] == 4


def test_few_songs_have_no_interval() -> None:
    assert summarize([nats(i, 10, 2.0) for i in range(4)])["interval"] is None
    assert summarize([nats(i, 10, 2.0) for i in range(5)])["interval"] == pytest.approx((2.0, 2.0))


def test_songs_are_paired() -> None:
    """Song 0 gains 10 x 1, song 1 loses 30 x 0.5: -5 in 40 notes. Song 2 was measured by one only."""
    found = paired_difference(
        [nats(0, 10, 2.0), nats(1, 30, 4.5), nats(2, 9, 1.0)], [nats(1, 30, 4.0), nats(0, 10, 3.0)]
    )
    assert found == {"songs": 2, "better_by": pytest.approx(-5 / 40), "interval": None}
    with pytest.raises(ValueError, match="no song"):
        paired_difference([nats(0, 10, 2.0)], [nats(1, 10, 2.0)])


def test_a_paired_interval_is_narrower_than_that_of_the_songs() -> None:
    spread = np.random.default_rng(1).uniform(1, 9, 40).tolist()
    better = [nats(song, 50, each) for song, each in enumerate(spread)]
    worse = [nats(song, 50, each + 0.25) for song, each in enumerate(spread)]
    found = paired_difference(better, worse)
    assert found["better_by"] == pytest.approx(0.25)
    assert found["interval"] == pytest.approx((0.25, 0.25))


def test_the_interval_is_that_of_a_mean() -> None:
    """Of 400 equally long songs: the mean +- 1.96 standard errors, to a tenth of that; always the same."""
    values = np.random.default_rng(1).normal(5, 1, 400)
    low, high = bootstrap_interval(values * 10, np.full(400, 10.0))
    error = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=error / 10)
    assert bootstrap_interval(values * 10, np.full(400, 10.0)) == (low, high)


def test_the_csv_has_a_row_for_each_song_and_given() -> None:
    found = {"plan": [nats(1, 10, 2.0), nats(0, 9, 1.0)], "none": [nats(0, 9, 3.0)._replace(reference=None)]}
    rows = list(csv.DictReader(io.StringIO(songs_as_csv(found))))
    assert [(row["song"], row["given"]) for row in rows] == [
        ("song 0", "plan"),
        ("song 1", "plan"),
        ("song 0", "none"),
    ]
    assert (rows[1]["nats"], rows[1]["pitch"], rows[1]["notes_lost"]) == ("20.0000", "13.3333", "1")
    assert rows[2]["reference"] == ""
