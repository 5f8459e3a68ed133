"""The model folder: written whole, read with suspicion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ritornello import compose
from ritornello.errors import ModelError, OutputError
from ritornello.models import model
from ritornello.models.model import Model
from ritornello.music.plan import Plan
from ritornello.representations.grid.vocabulary import FIELDS
from ritornello.sketching.sketcher import Sketcher
from tests.composing.models import write_model
from tests.sketching.sketchers import random_sketcher

INFO = {"representation": {"name": "messages"}, "network": {"name": "original", "config": {}}}
WEIGHTS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model.write(tmp_path / "m", INFO, WEIGHTS, {"t": np.zeros(2, np.float32)}, "A card.\n")
    return tmp_path / "m"


def test_round_trip(folder: Path) -> None:
    opened = Model.open(folder)
    assert opened.network == "original"
    assert opened.representation.name == "messages"
    assert np.array_equal(opened.weights["w"], WEIGHTS["w"])
    assert opened.hash == Model.open(folder).hash
    assert (folder / "card.md").read_text() == "A card.\n"


def test_plans_and_labels_are_read_and_checked(folder: Path) -> None:
    plans = (Plan(8, genres=(("game", 1.0),), returns=((-1, 0), (0, 3))), Plan(None, key=(1, True)))
    model.write(folder, {**INFO, "labels": ["game"]}, WEIGHTS, {}, "", plans)
    opened = Model.open(folder)
    assert opened.plans == plans
    assert opened.plan_encoder.labels == ("game",)
    (folder / "plans.json").write_bytes(b" " * (folder / "plans.json").stat().st_size)
    with pytest.raises(ModelError, match=r"plans\.json' is damaged: its SHA-256"):
        Model.open(folder)


def test_the_sketch_network_is_part_of_the_model(folder: Path) -> None:
    assert Sketcher.of(Model.open(folder)) is None
    sketcher = random_sketcher()
    info = {**INFO, "sketch": sketcher.settings}
    model.write(folder, info, WEIGHTS, {}, "", sketch=sketcher.arrays)
    opened, first = Sketcher.of(Model.open(folder)), Model.open(folder).hash
    assert opened is not None
    assert (opened.config, opened.labels) == (sketcher.config, sketcher.labels)
    assert opened.arrays.keys() == sketcher.arrays.keys()
    assert all(np.array_equal(opened.arrays[name], array) for name, array in sketcher.arrays.items())
    model.write(folder, info, WEIGHTS, {}, "", sketch=random_sketcher(1).arrays)
    assert Model.open(folder).hash != first
    (folder / "sketch.safetensors").unlink()
    with pytest.raises(ModelError, match=r"it has no sketch\.safetensors"):
        Model.open(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, r"sketch\.width 0: must be 1-1024"),
        ({"heads": 3}, r"sketch\.heads 3: must divide the widths"),
        ({"labels": [1]}, r"sketch\.labels \[1\]: must be a list of texts"),
        ({"profiles": -1}, r"sketch\.profiles -1: must be 0-1000000"),
        ({"layers": 3}, r"sketch\.safetensors: the network's weights lack"),
    ],
)
def test_wrong_settings_of_a_sketch_network_are_named(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    sketcher = random_sketcher()
    info = {**INFO, "sketch": {**sketcher.settings, **change}}
    model.write(folder, info, WEIGHTS, {}, "", sketch=sketcher.arrays)
    with pytest.raises(ModelError, match=message):
        Sketcher.of(Model.open(folder))


def test_a_profile_with_a_label_that_the_network_lacks_is_named(folder: Path) -> None:
    sketcher = random_sketcher()
    songs = sketcher.profiles.songs.copy()
    songs[1, 0] = 3  # 0 and 1 are labels, 2 is a song without a label
    arrays = sketcher.arrays | {"profile_songs": songs}
    model.write(folder, {**INFO, "sketch": sketcher.settings}, WEIGHTS, {}, "", sketch=arrays)
    with pytest.raises(ModelError, match=r"profile_songs has label 3: must be 0-2"):
        Sketcher.of(Model.open(folder))


def test_the_hash_stands_for_the_weights(folder: Path, tmp_path: Path) -> None:
    model.write(tmp_path / "n", INFO, {"w": WEIGHTS["w"] + 1}, {"t": np.zeros(2, np.float32)}, "")
    assert Model.open(folder).hash != Model.open(tmp_path / "n").hash


def test_a_full_disk_leaves_the_old_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        model.write(folder, INFO, {"w": WEIGHTS["w"] + 1}, {}, "")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def edit(folder: Path, **changes: Any) -> None:
    info = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**info, **changes}))


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a model folder: it has no model\.json"):
        Model.open(tmp_path)


def test_truncated_weights(folder: Path) -> None:
    file = folder / "weights.safetensors"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(
        ModelError, match=rf"weights\.safetensors' is damaged: {size - 4} bytes: must be {size}"
    ):
        Model.open(folder)


def test_changed_weights(folder: Path) -> None:
    file = folder / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match=r"its SHA-256 is not the one in model\.json"):
        Model.open(folder)


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    model.write(tmp_path, INFO, {"w": np.array([np.nan], np.float32)}, {}, "")
    with pytest.raises(ModelError, match="w has a value that is not finite"):
        Model.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "has no number 'format'"),
        ('{"format": 99}', "format 99, this version reads up to 1: update Ritornello"),
        ('{"format": 1}', "lacks representation.name"),
    ],
)
def test_a_strange_model_json(folder: Path, text: str, says: str) -> None:
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match=says):
        Model.open(folder)


CHORD = [field.name for field in FIELDS].index("chord")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": "game"}, "has labels 'game': must be a list"),
        ({"labels": ["game", ["x"]]}, r"has the label \['x'\]: must be a text"),
        ({"defaults": []}, r"has defaults \[\]: must be an object"),
        ({"defaults": {"genre": ["x"]}}, r"has defaults.genre \['x'\]: must be one of its labels"),
        ({"temperature": 0}, "has temperature 0: must be 0.1-2"),
        ({"temperature": True}, "has temperature True: must be 0.1-2"),
        ({"temperature": "hot"}, "has temperature 'hot': must be 0.1-2"),
        ({"usual": {"game": 5}}, "has usual.game 5: must be of repeats 0-1, plays 0-1, voices 0-128"),
        ({"usual": {"game": {"repeats": 1e9}}}, "must be of repeats 0-1"),
        ({"usual": {"game": {"voices": float("nan")}}}, "must be of repeats 0-1"),
        ({"usual": {"game": {"voices": True}}}, "must be of repeats 0-1"),
        ({"usual": {"game": {"other": 0.5}}}, "must be of repeats 0-1"),
        ({"files": {"weights": {}, "tables": []}}, "lacks|is damaged|must be"),
    ],
)
def test_strange_things_that_a_model_may_have(folder: Path, change: dict[str, Any], says: str) -> None:
    edit(folder, **change)
    with pytest.raises(ModelError, match=says):
        Model.open(folder)


def test_a_huge_model_json_is_not_read(folder: Path) -> None:
    (folder / "model.json").write_bytes(b" " * ((4 << 20) + 1))
    with pytest.raises(ModelError, match="has 4194305 bytes: must be at most 4194304"):
        Model.open(folder)


def test_a_network_that_does_not_exist(folder: Path) -> None:
    edit(folder, network={"name": "../../evil", "config": {}})
    with pytest.raises(ModelError, match=r"has the network '\.\./\.\./evil': must be one of"):
        Model.open(folder).step()


def test_a_file_that_a_model_names_is_not_run(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n")
    evil = f"{tmp_path / 'evil.py'}:Evil"
    edit(folder, network={"name": evil, "config": {}}, representation={"name": evil})
    opened = Model.open(folder)
    with pytest.raises(ModelError, match=r"the network '.*evil\.py:Evil', .*: add --network"):
        opened.step()
    with pytest.raises(ModelError, match=r"the representation '.*evil.py:Evil'"):
        _ = opened.representation
    assert not ran.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network": {"name": "original"}}, r"lacks network\.config"),
        ({"network": {"name": "original", "config": 3}}, r"network\.config 3: must be an object"),
        ({"network": {"name": ["x"], "config": {}}}, r"network\.name \['x'\]: must be a text"),
        ({"representation": {"name": 3}}, r"representation\.name 3: must be a text"),
        ({"files": {"weights": "x", "tables": {}}}, r"files\.weights 'x': must be an object"),
    ],
)
def test_entries_of_another_kind(folder: Path, changes: dict[str, Any], says: str) -> None:
    edit(folder, **changes)
    with pytest.raises(ModelError, match=says):
        Model.open(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda t: [f for f in t if not f["name"].endswith("velocity")],
            r"\[\d+\] is missing: must be 'velocity' .choice of 32, ",
        ),
        (
            lambda t: [{**f, "size": 66} if f["name"] == "bars_left" else f for f in t],
            rf"\[{CHORD - 1}\] is 'bars_left' .known of 66, ",
        ),
        (lambda t: [t[1], t[0], *t[2:]], r"\[0\] is 'echo.run' .*: must be 'echo.length' "),
        (
            lambda t: [*t, {"name": "more", "size": 2, "kind": "known"}],
            rf"\[{len(FIELDS)}\] is 'more' .*: must be missing",
        ),
    ],
)
def test_a_network_of_other_rows_is_refused(tmp_path: Path, change: Any, says: str) -> None:
    """Its weights fit its own config, so nothing but the comparison with the representation tells."""
    made = write_model(tmp_path / "m", fields=change([field._asdict() for field in FIELDS]))
    with pytest.raises(ModelError, match=says):
        Model.open(made).step()


def test_a_model_of_an_older_table_composes(tmp_path: Path) -> None:
    older = [field for field in FIELDS if field.name.partition(".")[0] not in ("cadence", "texture")]
    made = write_model(tmp_path / "m", fields=[field._asdict() for field in older])
    assert [field.name for field in Model.open(made).step().fields] == [field.name for field in older]
    assert compose(model=made, bars=2, seed=1).plan.bars == 2


def test_songs_can_be_requested_by_the_all_labels(folder: Path) -> None:
    """After `learn` has kept the start model, its network does not know the labels of the user's songs."""
    plans = [Plan(genres=(("rock", 1.0),)), Plan(genres=(("game", 0.5), ("rock", 0.5)))]
    model.write(folder, {**INFO, "labels": ["game"]}, WEIGHTS, {}, "", plans)
    opened = Model.open(folder)
    assert (opened.labels, opened.all_labels) == (("game",), ("game", "rock"))
