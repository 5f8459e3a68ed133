"""A studio in a process of its own, and what asks it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ritornello import midi
from tests.folders import write_songs
from tests.scores import tune

READY_S = 60


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Studio:
    """A running studio: its process, port, token and folder of songs."""

    def __init__(self, songs: Path, *options: str) -> None:
        self.songs = songs
        command = [sys.executable, "-m", "ritornello", "studio", str(songs), "--no-browser", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", line)
        assert found, line
        self.port, self.token = int(found[1]), found[2]

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Any = None,
        *,
        host: str | None = None,
        token: bool = True,
        **headers: str,
    ) -> Answer:
        """Send a request with the token; what is no bytes is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def import_song(self, data: bytes, name: str = "tune.mid") -> str:
        """Import a song; returns its id."""
        answer = self.ask("POST", f"/api/songs?name={name}", data)
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    def do(self, **job: Any) -> list[tuple[str, Any]]:
        """Do a job; returns all its events."""
        answer = self.ask("POST", "/api/jobs", job)
        assert answer.status == 202, answer.body
        return self.events(answer.json["job"])

    def events(self, job: str) -> list[tuple[str, Any]]:
        """The events of a job, up to its end."""
        text = self.ask("GET", f"/api/jobs/{job}/events").body.decode()
        pairs = (block.split("\n") for block in text.strip().split("\n\n"))
        return [(event[7:], json.loads(data[6:])) for event, data in pairs]

    def workers(self) -> list[int]:
        """The processes that the studio has started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"PPid:\t{self.process.pid}\n" in (folder / "status").read_text():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def close(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            finally:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def wait_until(is_true: Any, seconds: float = 20.0) -> bool:
    """Whether a condition comes true within some seconds."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if is_true():
            return True
        time.sleep(0.02)
    return bool(is_true())


def runs(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that all tests of this folder share, with a folder of music."""
    place = tmp_path_factory.mktemp("studio")
    write_songs(place / "midi", 6)
    running = Studio(place / "songs", "--music", str(place / "midi"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def tune_file() -> bytes:
    """A MIDI file of a tune."""
    return midi.to_bytes(tune())[0]
