"""Watch tells the collapses of a network apart, and leaves living music alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ritornello.errors import ScoreError
from ritornello.models.lstm.network import Lstm
from ritornello.music.plan import Plan
from ritornello.music.score import Part, Score
from ritornello.representations.grid.vocabulary import COLUMN
from ritornello.representations.notes import Notes
from ritornello.training.sample_monitor import (
    NO_COLLAPSE,
    NOT_CHECKED,
    SampleMonitor,
    collapse_shares,
    first_bars,
)
from ritornello.training.songs import EncodedSongs
from tests.scores import tune

NOTES = Notes()
MELODY = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 65, 62]


def song(onset: Any, pitch: Any) -> Score:
    count = len(onset)
    return Score.of(24, onset, [12] * count, pitch, [80] * count, [0] * count, [Part()])


def melody(shift: int = 0) -> Score:
    """Eight bars of quarters that never repeat a bar."""
    return song([24 * i for i in range(32)], [MELODY[(5 * i + shift) % 12] for i in range(32)])


MONITOR = SampleMonitor(EncodedSongs([melody(i) for i in range(6)], Notes()), ())
COLLAPSED = {
    "repeats one pitch": song([24 * i + (i * i) % 7 for i in range(32)], [60] * 32),
    "loops": song([24 * i for i in range(32)], [60, 62, 64, 65] * 8),
    "falls silent": song([0, 24, 48, 24 * 31], [60, 62, 64, 65]),
    "sounds random": song([24 * i for i in range(32)], [(47 * i * i + 29 * i) % 61 + 30 for i in range(32)]),
    "crowds all notes together": song(
        [24 * i for i in range(32) for _ in range(30)],
        [30 + 2 * k + i % 3 for i in range(32) for k in range(30)],
    ),
}


@pytest.mark.parametrize("words", COLLAPSED)
def test_each_collapse_has_a_name(words: str) -> None:
    assert MONITOR.describe([COLLAPSED[words]] * 3 + [melody()]) == words


def test_music_sounds_alive() -> None:
    assert MONITOR.describe([melody(3), melody(7)]) == NO_COLLAPSE
    assert (
        MONITOR.describe([COLLAPSED["loops"], melody(), melody()]) == NO_COLLAPSE
    )  # one bad song is no collapse


def test_what_humans_do_is_no_collapse() -> None:
    monitor = SampleMonitor(EncodedSongs([COLLAPSED["loops"]], Notes()), ())
    assert monitor.describe([COLLAPSED["loops"]]) == NO_COLLAPSE


def test_shares_by_hand() -> None:
    found = collapse_shares(song([0, 24, 48, 96, 120, 144, 288], [60, 60, 62, 60, 60, 62, 60]))
    # four bars: two equal ones, a silent one, one more note; of six neighbours two are the same pitch
    assert found == {"one pitch": 2 / 6, "loop": 1 / 3, "silence": 1 / 4, "crowd": 0.0, "astray": 0.0}


def test_a_plan_is_cut_with_its_form() -> None:
    plan = Plan(12, ((0, 4, 4), (9, 3, 4)), returns=tuple((i - 1, 0) for i in range(12)))
    short = first_bars(plan)
    assert short is not None and short.bars == 8 and short.meters == ((0, 4, 4),)
    assert short.returns is not None and len(short.returns) == 8
    assert first_bars(Plan(7)) is None


def test_a_network_is_heard() -> None:
    torch.manual_seed(0)
    table = [field._asdict() for field in Notes.fields]
    plan_size = 13 + 8 + 24 + 129 + 5
    network = Lstm({"fields": table, "plan_size": plan_size, "width": 16, "layers": 1, "embedding": 4})
    with torch.no_grad():  # as if it had learnt nothing but END and one pitch
        network.head["pitch"].logits.bias[60] = 30
        network.head["part"].logits.bias[0] = 30
        network.head["shift"].logits.bias[24] = 30
    assert MONITOR(network, "lstm", seed=0) == "repeats one pitch"
    assert (
        SampleMonitor(EncodedSongs([tune()], Notes()), ())(network, "lstm", 0) == NOT_CHECKED
    )  # songs of four bars
    assert np.isfinite([MONITOR.most[name] for name in MONITOR.most]).all()


def test_a_song_of_more_parts_than_there_can_be_is_chance() -> None:
    """An untrained network that knows every program may draw 300 parts in eight bars."""
    rows = np.tile(NOTES.encode(melody()).values[:1], (300, 1))
    rows[:, COLUMN["part"]] = np.arange(300)
    plan = Plan.of(melody())
    with pytest.raises(ScoreError, match="part 256"):
        NOTES.decode(rows, plan)
    found = MONITOR._decode(rows, plan)
    assert found is None
    assert MONITOR.describe([found, found, melody()]) == "sounds random"
