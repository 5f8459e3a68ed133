"""Packed models open like their folders; hub:USER/MODEL is fetched from a Hub, here one inside the test."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

import ritornello as r
from ritornello.errors import InputError, ModelError
from ritornello.models import fingerprints, packing
from ritornello.models.model import Model
from ritornello.music.score import Part, Score
from ritornello.performing.feel_network import WEIGHTS
from tests.composing.models import write_model

SHA = "0123456789abcdef0123456789abcdef01234567"  # of the commit of the Hub in the tests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "m")
    return tmp_path / "m"


def test_a_packed_model_composes_the_same_song(folder: Path, tmp_path: Path) -> None:
    result = r.pack(folder, tmp_path / "m.ritornello")
    assert result == {
        "file": str(tmp_path / "m.ritornello"),
        "bytes": (tmp_path / "m.ritornello").stat().st_size,
    }
    assert Model.open(tmp_path / "m.ritornello").hash == Model.open(folder).hash
    songs = [r.compose(path, bars=4, seed=3) for path in (folder, tmp_path / "m.ritornello")]
    assert songs[0].recipe.rows.tolist() == songs[1].recipe.rows.tolist()


def test_the_same_model_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    r.pack(folder, first)
    r.pack(first, second)  # a packed model is packed again
    assert first.read_bytes() == second.read_bytes()


def test_by_default_the_name_gains_a_suffix(folder: Path) -> None:
    assert r.pack(str(folder) + "/")["file"] == f"{folder}.ritornello"


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd")
    with pytest.raises(ModelError, match="neither a model folder nor a packed model"):
        Model.open(tmp_path / "song.mid")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../model.json", "{}")
    with pytest.raises(ModelError, match=r"not a packed model: it has no model\.json"):
        Model.open(tmp_path / "x.zip")
    assert not (tmp_path.parent / "model.json").exists()


def test_a_damaged_file_is_named(folder: Path, tmp_path: Path) -> None:
    r.pack(folder, tmp_path / "p")
    data = bytearray((tmp_path / "p").read_bytes())
    data[len(data) // 2] ^= 255  # inside the weights, the largest file
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(ModelError, match=r"packed model|damaged"):
        Model.open(tmp_path / "p")


def test_a_file_that_would_fill_the_disk_is_not_unpacked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    r.pack(folder, tmp_path / "p")
    monkeypatch.setitem(packing.MAX_BYTES, "model.json", 10)
    with pytest.raises(ModelError, match=r"model\.json has \d+ bytes: must be at most 10"):
        Model.open(tmp_path / "p")


def test_a_folder_for_the_hub_has_the_card_as_its_readme(folder: Path, tmp_path: Path) -> None:
    (folder / "card.md").write_text("# A card\n")
    r.pack(folder, hub=tmp_path / "up")
    readme = (tmp_path / "up" / "README.md").read_text()
    assert readme.startswith("---\nlibrary_name: ritornello\n")
    assert readme.endswith("---\n\n# A card\n")
    assert Model.open(tmp_path / "up").hash == Model.open(folder).hash
    with pytest.raises(InputError, match="exclude each other"):
        r.pack(folder, tmp_path / "x", hub=tmp_path / "up")


def test_networks_of_feel_travel(folder: Path, tmp_path: Path) -> None:
    (folder / "drums.safetensors").write_bytes(WEIGHTS.read_bytes())
    r.pack(folder, tmp_path / "packed")
    song = Score.of(480, [0, 480], [60, 60], [38, 38], [90, 90], [0, 0], [Part("", 0, True)])
    played = [r.perform(song, feel=1, model=path) for path in (folder, tmp_path / "packed")]
    assert played[0].midi == played[1].midi
    assert played[0].performance.drums
    with pytest.raises(ModelError, match="neither a model folder nor a packed model"):
        r.perform(song, feel=1, model=tmp_path / "none")


def test_fingerprints_travel(folder: Path, tmp_path: Path) -> None:
    score = Score.of(24, np.arange(9) * 24, [24] * 9, range(60, 69), [90] * 9, title="Scale")
    fingerprints.write(folder, [fingerprints.SongFingerprint.of(score, "scale.mid")])
    r.pack(folder, tmp_path / "p")
    (found,) = fingerprints.read(packing.local_folder(tmp_path / "p"))
    assert (found.path, found.notes) == ("scale.mid", 9)


@pytest.mark.parametrize("name", ["hub:", "hub:user", "hub:a/b/c", "hub:a/b@", "hub:../x"])
def test_a_wrong_name_on_the_hub(name: str) -> None:
    with pytest.raises(ModelError, match="must be hub:USER/MODEL"):
        Model.open(name)


# The Hub


@pytest.fixture
def hub(folder: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Hub that has the model `someone/theirs`."""
    r.pack(folder, hub=tmp_path / "up")
    files = {path.name: path.read_bytes() for path in (tmp_path / "up").iterdir()}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = urlparse(self.path).path
            if not path.startswith(("/api/models/someone/theirs", "/someone/theirs/resolve/")):
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            name = path.rsplit("/", 1)[1]
            if path.startswith("/api") and "/tree/" in path:
                body = json.dumps(
                    [{"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                     for n, d in files.items()]
                ).encode()  # fmt: skip
            elif path.startswith("/api"):
                siblings = [{"rfilename": file} for file in files]
                body = json.dumps({"id": "someone/theirs", "sha": SHA, "siblings": siblings}).encode()
            else:
                body = files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", SHA)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_name_on_the_hub_is_fetched_and_composes(hub: str, tmp_path: Path, folder: Path) -> None:
    pytest.importorskip("huggingface_hub")
    # huggingface_hub reads these variables when it is imported, so it is run in a process of its own
    environment = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    code = (
        "from ritornello import Model; from ritornello.errors import ModelError; import sys\n"
        "try: print(Model.open(sys.argv[1]).hash)\n"
        "except ModelError as error: print(error)"
    )

    def opened(name: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", code, name],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return run.stdout.strip() or run.stderr

    assert opened("hub:someone/theirs") == Model.open(folder).hash
    assert opened("hub:someone/other").startswith("model 'hub:someone/other' cannot be fetched")
    environment["HF_HUB_OFFLINE"] = "1"
    assert opened("hub:someone/theirs") == Model.open(folder).hash  # the copy from before
    assert "no local copy exists" in opened("hub:someone/other")
