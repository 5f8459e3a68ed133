"""The studio: first page, first note, first sound, many clients at once, memory after many jobs."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.shared import FOLDERS, argument, benchmark, draw_files, load, table

JSON = {"Content-Type": "application/json"}
COMPOSED = {"genre": "game", "bars": 16}


class Client:
    """Asks a studio in a process of its own."""

    def __init__(self, songs: Path) -> None:
        start_s = time.perf_counter()
        command = [sys.executable, "-m", "ritornello", "studio", str(songs), "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        found = re.search(r":(\d+)/\?token=(\S+)", self.process.stdout.readline())
        assert found
        self.port, self.token = int(found[1]), found[2]
        self.printed_s = time.perf_counter() - start_s
        self.ask("GET", "/")
        self.page_s = time.perf_counter() - start_s
        self.ask("GET", "/api/state")
        self.state_s = time.perf_counter() - start_s

    def open(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        """Send a request; returns the answer, whose body is not read yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} | ({} if isinstance(body, bytes) else JSON)
        connection.request(method, path, data, headers)
        return connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        answer = self.open(method, path, body)
        return answer.status, answer.read()

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer."""
        return json.loads(self.ask(method, path, body)[1])

    def first_event_s(self, event: str, **job: Any) -> tuple[float, dict[str, Any]]:
        """The seconds from asking for a job to an event of it, and its last event."""
        start_s, first_s, data = time.perf_counter(), float("nan"), ""
        number = self.json("POST", "/api/jobs", job)["job"]
        for line in self.open("GET", f"/api/jobs/{number}/events"):
            text = line.decode().strip()
            if text == f"event: {event}" and np.isnan(first_s):
                first_s = time.perf_counter() - start_s
            data = text.removeprefix("data: ") if text.startswith("data: ") else data
        return first_s, json.loads(data)

    def processes(self) -> dict[str, int]:
        """The resident memory in MiB of the server and its processes, by name."""
        found = {"server": self.process.pid}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"PPid:\t{self.process.pid}\n" in (folder / "status").read_text():
                    found[(folder / "cmdline").read_text().split("\0")[3]] = int(folder.name)
            except (OSError, IndexError):
                continue
        page = os.sysconf("SC_PAGE_SIZE")
        sizes = {name: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for name, pid in found.items()}
        return {name: size * page >> 20 for name, size in sorted(sizes.items())}

    def close(self) -> None:
        """End the studio."""
        self.process.terminate()
        self.process.wait()


def milliseconds(times_s: list[float]) -> str:
    """The median and the range of times."""
    low, middle, high = (1000 * float(value) for value in np.quantile(times_s, (0, 0.5, 1)))
    return f"{middle:,.0f} ({low:,.0f}-{high:,.0f})"


def first_sounds(client: Client, song: str) -> tuple[float, float, int]:
    """Seconds to the first bar of the loudest part, then to that of all parts, and how many these are."""
    view = client.json("GET", f"/api/songs/{song}/versions/1")
    played = sorted(set(view["notes"]["part"]))
    start_tick = min(view["notes"]["onset_ticks"])
    bar = max(number for number, each in enumerate(view["bars"]) if each["tick"] <= start_tick)
    time.sleep(0.5)  # the page draws what it got; meanwhile the sound is prepared
    times_s, start_s = [], time.perf_counter()
    for part in played:
        status, _ = client.ask("GET", f"/api/songs/{song}/versions/1/sound/{part}/{bar}.wav")
        assert status == 200
        times_s.append(time.perf_counter() - start_s)
    return times_s[0], times_s[-1], len(played)


def storm(client: Client, songs: list[str], requests: int, clients: int, seed: int) -> dict[str, Any]:
    """Send requests from many clients at once; every answer is compared with that to one client before."""
    paths = ["/api/songs", "/api/state", "/", "/api/songs/none"]
    for song in songs:
        base = f"/api/songs/{song}"
        paths += [base, f"{base}/versions/1", f"{base}/versions/1/file.mid", f"{base}/versions/9"]
        paths += [f"{base}/versions/1/sound/0/{bar}.wav" for bar in range(4)]
    expected = {path: client.ask("GET", path) for path in paths}
    drawn = random.Random(seed).choices(paths, k=requests)

    def timed(path: str) -> tuple[bool, float]:
        start_s = time.perf_counter()
        answer = client.ask("GET", path)
        return answer == expected[path], time.perf_counter() - start_s

    start_s = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(timed, drawn))
    took_s = time.perf_counter() - start_s
    times_s = [each for _, each in results]
    return {
        "wrong": sum(not right for right, _ in results),
        "a second": requests / took_s,
        "95% within ms": 1000 * float(np.quantile(times_s, 0.95)),
    }


def many_jobs(client: Client, song: str, jobs: int) -> list[tuple[int, dict[str, int]]]:
    """The memory of all processes after some numbers of small jobs (a change of tempo)."""
    found = [(0, client.processes())]
    for number in range(1, jobs + 1):
        options = {"tempo": 60 + number % 120}
        client.first_event_s("done", kind="change", song=song, parent=1, options=options)
        if number in (jobs // 10, jobs):
            found.append((number, client.processes()))
    return found


@benchmark(
    FOLDERS,
    argument("--songs", type=int, default=5, help="songs to compose, and to import and hear"),
    argument("--requests", type=int, default=1000, help="requests of all clients"),
    argument("--clients", type=int, default=20),
    argument("--jobs", type=int, default=1000, help="small jobs, after which memory is measured"),
    argument("--seed", type=int, default=0),
)
def studio(options: argparse.Namespace) -> None:
    """Measure a studio in a process of its own, as a page uses it; times are wall-clock times.

    "First page" is the time from starting the command to the page, "state" to the labels and options of the
    model. "First note" is the time from asking for a song of 16 bars to the first event with notes, "first
    bar" that from asking for the first bar with notes to its sound, after the page has drawn the song.
    """
    with TemporaryDirectory() as folder:
        starts = [Client(Path(folder) / f"start-{number}") for number in range(1)]
        for each in starts:
            each.close()
        client = Client(Path(folder) / "songs")
        try:
            _measure(client, starts, options)
        finally:
            client.close()


def _measure(client: Client, starts: list[Client], options: argparse.Namespace) -> None:
    """Print what is measured of a running studio."""
    rows: list[tuple[str, str]] = []
    clients = [*starts, client]
    for name, get in START_TIMES.items():
        rows.append((name, milliseconds([get(each) for each in clients])))
    client.first_event_s("notes", kind="compose", options={**COMPOSED, "seed": 0})  # the model is read
    noted = [
        client.first_event_s("notes", kind="compose", options={**COMPOSED, "seed": seed})[0]
        for seed in range(1, options.songs + 1)
    ]
    rows.append(("first note", milliseconds(noted)))
    files = draw_files(options.folders, options.songs, options.seed)
    imported = []
    for file in files:
        status, body = client.ask("POST", f"/api/songs?name={len(imported)}.mid", file.read_bytes())
        imported += [json.loads(body)["id"]] if status == 201 else []
    sounds = [first_sounds(client, song) for song in imported]
    rows.append(("first bar of a part", milliseconds([first for first, _, _ in sounds])))
    parts = float(np.mean([count for _, _, count in sounds]))
    rows.append((f"first bar of all parts (mean {parts:.1f})", milliseconds([last for _, last, _ in sounds])))
    print(table(("", "ms: median (range)"), rows))
    found = storm(client, imported, options.requests, options.clients, options.seed)
    print(f"\n{options.requests:,} requests of {options.clients} clients: {found['wrong']} wrong answers, "
          f"{found['a second']:.0f} a second, 95% within {found['95% within ms']:.0f} ms")  # fmt: skip
    memory = many_jobs(client, imported[0], options.jobs)
    names = sorted({name for _, sizes in memory for name in sizes})
    print("\nMiB after so many jobs\n")
    print(table(("jobs", *names), [(count, *(sizes.get(n, 0) for n in names)) for count, sizes in memory]))
    print(f"\nload of the machine {load():.1f}")


START_TIMES: dict[str, Callable[[Client], float]] = {
    "address printed": lambda client: client.printed_s,
    "first page": lambda client: client.page_s,
    "state": lambda client: client.state_s,
}
