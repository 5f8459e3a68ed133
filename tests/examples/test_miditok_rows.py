"""The adapter of MidiTok: songs survive it, and the commands train, measure and compose with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ritornello as r
from ritornello.models import registry
from ritornello.music.plan import Plan
from ritornello.music.timeline import Timeline
from tests.folders import wandering, write_songs

FILE = Path(__file__).parents[2] / "examples" / "miditok_rows.py"
pytest.importorskip("miditok")


@pytest.mark.parametrize("name", ["Remi", "Tsd"])
@pytest.mark.parametrize("seed", range(3))
def test_songs_survive_the_tokens(name: str, seed: int) -> None:
    rows = registry.find("representations", f"{FILE}:{name}")()
    song, dropped = rows.canonical(wandering(seed))
    assert dropped == {"notes": 0}
    original = wandering(seed)
    # 480 ticks a beat are 24: eighths and quarters fit the grid, velocities are rounded to one of 32
    assert song.onset_ticks.tolist() == (original.onset_ticks // 20).tolist()
    assert song.pitch.tolist() == original.pitch.tolist()
    assert np.abs(song.velocity.astype(int) - original.velocity).max() <= 4
    values = rows.encode(song).values
    assert rows.decode(values, Plan.of(song)) == song
    up = rows.decode(rows.augmented(values, 2), Plan.of(song))
    assert up.pitch.tolist() == (song.pitch + 2).tolist()
    low, high = rows.transposition_range(values)
    assert (low, high) == (-int(song.pitch.min()), 127 - int(song.pitch.max()))


def test_a_composed_song_ends_with_its_bars() -> None:
    rows = registry.find("representations", f"{FILE}:Remi")()
    song = rows.canonical(wandering(0))[0]
    tokens = rows.encode(song).values[:, 0].tolist()
    bars = [number for number, token in enumerate(tokens) if rows.names[token] == "Bar_None"]
    cursor = rows.cursor([_two_bars(), _two_bars()])
    assert not cursor.allowed("token")[0, 0] and cursor.allowed("token")[0, 1:-1].all()
    for token in tokens[: bars[2]]:
        cursor.put("token", [token, tokens[-1]])
    assert cursor.done.tolist() == [False, True]
    cursor.put("token", [tokens[bars[2]], 0])
    assert cursor.done.all()
    assert cursor.rows(0)[:, 0].tolist() == tokens[: bars[2]] and len(cursor.rows(1)) == 0


def _two_bars() -> Timeline:
    return Timeline.of(wandering(0).select(wandering(0).onset_ticks < 2 * 1920))


def test_train_measure_and_compose(tmp_path: Path) -> None:
    write_songs(tmp_path / "midi", 16, notes=16)
    r.prepare(tmp_path / "midi", tmp_path / "corpus", workers=1)
    own = f"{FILE}:Remi"
    short: dict[str, Any] = {"steps": 3, "batch": 4, "threads": 1}
    short["network_config"] = {"size": "tiny", "window": 32}
    model = r.train(tmp_path / "corpus", tmp_path / "model", representation=own, **short)
    model = r.Model.open(tmp_path / "model", representation=own)
    found = r.measure(model, tmp_path / "corpus", split="train")["given"]["plan"]
    assert found["nats_per_note"] > 0 and set(found["by_field"]) == {"token"}
    assert found["reference"] is None  # tokens do not say how wide the bins of a note are
    song = r.compose(model, bars=2, seed=3)  # after three steps its tokens make no note
    song.write(tmp_path / "song.mid")
    assert song.plan.bars == 2 and (tmp_path / "song.mid").is_file()
    assert r.compose(model, bars=2, seed=3).score == song.score
