"""`learn` with tiny networks and a few steps."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ritornello import midi
from ritornello.errors import InputError, OutputError
from ritornello.learning import learn as learner
from ritornello.models.model import Model
from ritornello.system.files import sha256_file
from tests.composing.models import write_model
from tests.folders import wandering, write_songs

TINY: dict[str, Any] = {"width": 16, "layers": 1, "embedding": 4, "window": 64}
QUICK: dict[str, Any] = {"batch": 4, "measure_every": 10, "heldout_windows": 500, "workers": 1, "songs": 1}
NOTHING: dict[str, Any] = {**QUICK, "start": "nothing", "network_config": TINY}


@pytest.fixture(autouse=True)
def _none_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ritornello.composing.compose.BUNDLED", tmp_path / "no")
    monkeypatch.setattr("ritornello.learning.song_comparison.SONGS", 4)
    monkeypatch.setattr("ritornello.learning.cross_validation.MAX_JUDGED_SONGS", 24)
    monkeypatch.setattr("ritornello.learning.cross_validation.FOLDS", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_songs(tmp_path_factory.mktemp("home") / "tunes", 40, notes=40)


def learn(folder: Path, tmp_path: Path, **more: Any) -> learner.LearnResult:
    return learner.learn(folder, out=tmp_path / "tunes-model", **{**NOTHING, "seed": 1, **more})


def ships(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ritornello.composing.compose.BUNDLED", model)


def bytes_of(folder: Path) -> dict[str, str]:
    return {str(path): sha256_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_from_a_folder_to_songs_and_on(folder: Path, tmp_path: Path) -> None:
    before, said = bytes_of(folder), []
    made = learn(folder, tmp_path, steps=20, songs=2, say=lambda *words: said.append(words))
    report = made.report
    assert [stage for stage, _ in said] == ["estimate", "files", "training", "kept", "songs", "model"]
    assert said[1][1] == "40 files   40 kept"
    assert made.songs == tuple(tmp_path / "tunes-songs" / f"song-{n}.mid" for n in (1, 2))
    assert all(len(midi.read(song)) for song in made.songs)
    assert bytes_of(folder) == before
    model = Model.open(made.model)
    assert model.info["learn"]["kept"] == "learnt"
    assert set(model.labels) == {"folk", "game"}
    songs = model.info["data"]["train_songs"]  # each shorter than a crop: a crop is a song
    assert report["passes"] == pytest.approx(20 * 4 / songs, rel=0.02)
    assert report["expected"]["passes"] == report["passes"]
    assert report["closeness"]["longest"] == max(report["closeness"]["by_song"])
    assert report["closeness"]["human"] >= 2
    json.dumps(report)

    again = learn(folder, tmp_path, steps=30)
    assert again.report["training"]["steps"] == 30
    assert again.songs == (tmp_path / "tunes-songs" / "song-3.mid",)

    midi.write(wandering(999, 40), folder / "folk" / "new.mid")  # another folder: from what was learnt
    try:
        more = learn(folder, tmp_path, steps=20)
    finally:
        (folder / "folk" / "new.mid").unlink()
    assert set(more.report["tried"]) == {"before", "nothing"}
    assert len(list((made.model / "work").iterdir())) == 2  # the corpus and one round


def test_the_better_start_goes_on_and_the_better_model_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model trained for 30 steps beats random weights, and then beats one trained for 2 steps."""
    ships(write_model(tmp_path / "random"), monkeypatch)
    size = {"width": 32, "layers": 1, "embedding": 8}
    said: list[str] = []
    made = learn(
        folder,
        tmp_path,
        steps=30,
        start="auto",
        network_config=size,
        say=lambda *words: said.append(words[0]),
    )
    assert set(made.report["tried"]) == {"bundled", "nothing"}
    assert made.report["kept"] == "learnt"
    low, high = made.report["interval"]
    assert 0 < low <= made.report["better_by"] <= high
    assert said == ["estimate", "files", "start", "training", "kept", "songs", "model"]
    start = made.report["start"]
    assert made.report["tried"][start] == min(made.report["tried"].values())
    (round_,) = [path for path in (made.model / "work").iterdir() if path.name != "corpus"]
    assert {path.name for path in round_.iterdir()} == {f"from-{start}", "chosen.json"}

    ships(made.model, monkeypatch)
    worse = learner.learn(folder, out=tmp_path / "worse", steps=2, **{**QUICK, "network_config": TINY})
    assert worse.report["kept"] == "bundled"
    trained = worse.report["candidates"][-1]
    assert (trained["share"], trained["eligible"]) == (1.0, False)
    assert trained["better_by"] < 0
    assert worse.report["why"].startswith(
        "the bundled model is kept: on 24 songs that it did not learn from, "
    )
    card = (worse.model / "card.md").read_text("utf-8")
    assert f"kept this model\n\n{worse.report['why'].capitalize()}" in card
    kept, shipped = Model.open(worse.model), Model.open(made.model)
    assert all(np.array_equal(kept.weights[name], shipped.weights[name]) for name in shipped.weights)


def test_in_some_minutes_the_start_is_measured_before_training(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ships(write_model(tmp_path / "random"), monkeypatch)
    tasks: list[str] = []

    def note(done: int, total: int, what: str) -> None:
        task = what.split()[0]
        if task not in tasks[-1:]:
            tasks.append(task)

    size = {"width": 32, "layers": 1, "embedding": 8}
    made = learn(folder, tmp_path, minutes=0.05, start="auto", network_config=size, progress=note)
    assert tasks.index("composing") < tasks.index("training")
    start, *others = made.report["candidates"]
    assert (start["share"], start["has_trained_sketch"]) == (0.0, False)
    assert {each["share"] for each in others} <= {0.25, 0.5, 1.0}  # neither model has a sketch network
    assert others
    assert all(each["nats_per_note"] != start["nats_per_note"] for each in others)
    assert made.report["training"]["steps"] >= 1


class Press:
    """A progress callback that presses Ctrl-C at a step of training or of another task."""

    def __init__(self, step: int, what: str = "training") -> None:
        self.step, self.what = step, what

    def __call__(self, done: int, total: int, what: str) -> None:
        if what.startswith(self.what) and done == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def keyboard() -> Iterator[None]:
    """Restore the handler of Ctrl-C, which a shell disables for background jobs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_ctrl_c_keeps_the_best_so_far(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        learn(folder, tmp_path, steps=40, progress=Press(5))  # nothing is measured yet
    assert not (tmp_path / "tunes-model" / "model.json").exists()
    with pytest.raises(KeyboardInterrupt, match="has the best model so far"):
        learn(folder, tmp_path, steps=40, progress=Press(15))
    assert Model.open(tmp_path / "tunes-model").info["training"]["best_step"] == 10
    assert (tmp_path / "tunes-songs" / "song-1.mid").exists()
    assert learn(folder, tmp_path, steps=40).report["training"]["steps"] == 40
    with pytest.raises(KeyboardInterrupt, match="has the best model so far"):
        learn(folder, tmp_path, steps=40, progress=Press(1, "measuring"))
    assert Model.open(tmp_path / "tunes-model").info["learn"]["why"] == "stopped before it was measured"
    assert (tmp_path / "tunes-songs" / "song-3.mid").exists()

    ships(write_model(tmp_path / "random"), monkeypatch)
    with pytest.raises(KeyboardInterrupt, match="has the best model so far"):
        learner.learn(
            folder, out=tmp_path / "b", steps=40, progress=Press(5), **{**QUICK, "network_config": TINY}
        )
    assert Model.open(tmp_path / "b").info["learn"]["kept"] == "bundled"
    assert (tmp_path / "b-songs" / "song-1.mid").exists()


def test_of_a_handful_of_songs_none_may_be_held_out(tmp_path: Path) -> None:
    seed, kept = 0, 0
    while kept < 5:  # songs that all fall on the train side
        path = tmp_path / "few" / f"{seed}.mid"
        midi.write(wandering(seed, 40), path)
        if int.from_bytes(bytes.fromhex(sha256_file(path))[:8], "little") % 10 >= 8:
            path.unlink()
        seed, kept = seed + 1, len(list((tmp_path / "few").iterdir()))
    said: dict[str, str] = {}
    made = learner.learn(tmp_path / "few", steps=12, say=said.__setitem__, **NOTHING)
    assert made.model == tmp_path / "few-model"
    assert said["kept"] == "no songs are held out, because there are so few"
    assert (made.report["nats_per_note"], made.report["closeness"]["human"]) == (None, None)
    assert made.report["heldout"] == "of the same songs (none is held out)"


def test_with_a_few_songs_the_cautious_choice_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ships(shipped := write_model(tmp_path / "bundled"), monkeypatch)
    write_songs(tmp_path / "few", 4, notes=40)
    made = learner.learn(tmp_path / "few", minutes=5, **{**QUICK, "seed": 1})
    assert made.report["why"] == (
        "the bundled model is kept, with the plans of your songs: 4 songs are too few to measure what "
        "training does, and training may make it worse"
    )
    assert made.report["training"]["steps"] == 1
    start, kept = Model.open(shipped), Model.open(made.model)
    assert all(np.array_equal(kept.weights[name], start.weights[name]) for name in start.weights)
    assert len(kept.plans) == made.report["kept_files"]


def test_a_full_disk_is_said_before(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OutputError, match=r"needs about \d+ MB of disk, 0 MB are free"):
        learn(folder, tmp_path, steps=12)
    assert not (tmp_path / "tunes-model").exists()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "both": ({"minutes": 1, "steps": 1}, "minutes and steps are given"),
    "minutes": ({"minutes": -1}, "minutes -1: must be 0.01-1000000"),
    "steps": ({"steps": 0}, "steps 0: must be 1-1000000000"),
    "songs": ({"songs": 5000}, "songs 5000: must be 0-1000"),
    "seed": ({"seed": -1}, "seed -1: must be 0-"),
    "start": ({"start": "bach"}, "start 'bach': must be one of auto, bundled, nothing"),
    "none ships": ({"start": "bundled"}, "no model ships"),
    "network": ({"network": "original", "network_config": {}}, "predicts no probabilities"),
    "a setting": ({"network_config": {"wide": 3}, "steps": 1}, "setting 'wide' of the network"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_wishes(folder: Path, tmp_path: Path, case: str) -> None:
    wishes, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        learn(folder, tmp_path, **wishes)


def test_wrong_folders(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    for where, out, message in (
        (tmp_path / "no", None, "does not exist: must be a folder of MIDI files"),
        (tmp_path / "empty", None, r"contains no \.mid"),
        (folder, tmp_path / "other", r"contains other files \('notes.txt'\)"),
        (folder, tmp_path / "other" / "notes.txt", "is a file: must be a folder"),
        (folder, folder / "model", "is inside .*: must be outside of it"),
    ):
        with pytest.raises(InputError, match=message):
            learner.learn(where, out=out, steps=1)
    assert not (tmp_path / "empty-model").exists()
