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
        self.ask("GET", "/")
        self.page_s = time.perf_counter() - start_s
        self.page_busy_s = self.busy_s("server")
        self.ask("GET", "/api/state")
        self.state_s = time.perf_counter() - start_s
        self.state_busy_s = self.busy_s("server", "composing")

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

    def first_event_s(self, event: str, **job: Any) -> tuple[float, float]:
        """The seconds from asking for a job to an event of it, and the processor time so far at that event.

        Returns when the job has ended.
        """
        start_s, first_s, busy_s = time.perf_counter(), float("nan"), 0.0
        number = self.json("POST", "/api/jobs", job)["job"]
        for line in self.open("GET", f"/api/jobs/{number}/events"):
            text = line.decode().strip()
            if text == f"event: {event}" and np.isnan(first_s):
                first_s, busy_s = time.perf_counter() - start_s, self.busy_s("server", "composing")
        return first_s, busy_s

    def busy_s(self, *names: str) -> float:
        """The processor time in seconds of some of the processes so far."""
        pids = self.processes()
        tasks = (
            file for name in names if name in pids for file in Path(f"/proc/{pids[name]}/task").iterdir()
        )
        return sum(int((file / "schedstat").read_text().split()[0]) for file in tasks) / 1e9

    def memory(self) -> dict[str, int]:
        """The resident memory in MiB of each process."""
        page = os.sysconf("SC_PAGE_SIZE")
        pages = (
            (name, Path(f"/proc/{pid}/statm").read_text().split()[1])
            for name, pid in self.processes().items()
        )
        return {name: int(count) * page >> 20 for name, count in sorted(pages)}

    def processes(self) -> dict[str, int]:
        """The numbers of the server and its processes, by name."""
        found = {"server": self.process.pid}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"PPid:\t{self.process.pid}\n" in (folder / "status").read_text():
                    found[(folder / "cmdline").read_text().split("\0")[3]] = int(folder.name)
            except (OSError, IndexError):
                continue
        return found

    def close(self) -> None:
        """End the studio."""
        self.process.terminate()
        self.process.wait()


class Times:
    """Wall-clock and processor times in seconds of something that is done several times."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.busy_s: list[float] = []

    def add(self, wall_s: float, busy_s: float) -> None:
        """Add one time."""
        self.wall_s.append(wall_s)
        self.busy_s.append(busy_s)

    def cells(self) -> tuple[str, str]:
        """The medians and ranges in milliseconds."""
        return milliseconds(self.wall_s), milliseconds(self.busy_s)


def milliseconds(times_s: list[float]) -> str:
    """The median and the range of times."""
    low, middle, high = (1000 * float(value) for value in np.quantile(times_s, (0, 0.5, 1)))
    return f"{middle:,.0f} ({low:,.0f}-{high:,.0f})"


def first_notes(client: Client, songs: int) -> Times:
    """The times from asking for a song to the first event with notes."""
    times = Times()
    client.first_event_s("notes", kind="compose", options={**COMPOSED, "seed": 0})  # the model is read
    for seed in range(1, songs + 1):
        before_s = client.busy_s("server", "composing")
        wall_s, busy_s = client.first_event_s("notes", kind="compose", options={**COMPOSED, "seed": seed})
        times.add(wall_s, busy_s - before_s)
    return times


def first_sounds(client: Client, songs: list[str], wait_s: float) -> tuple[Times, Times, float]:
    """The times to the first bar with notes of one part, then to that of all, and the mean number of parts.

    The page draws a song for `wait_s` seconds before it asks; meanwhile the sound is prepared.
    """
    one, every, counts = Times(), Times(), []
    for song in songs:
        view = client.json("GET", f"/api/songs/{song}/versions/1")
        played = sorted(set(view["notes"]["part"]))
        start_tick = min(view["notes"]["onset_ticks"])
        bar = max(number for number, each in enumerate(view["bars"]) if each["tick"] <= start_tick)
        time.sleep(wait_s)
        before_s, start_s = client.busy_s("server", "sound"), time.perf_counter()
        for number, part in enumerate(played):
            status, _ = client.ask("GET", f"/api/songs/{song}/versions/1/sound/{part}/{bar}.wav")
            assert status == 200
            if number in (0, len(played) - 1):
                took_s = time.perf_counter() - start_s, client.busy_s("server", "sound") - before_s
                one.add(*took_s) if number == 0 else None
                every.add(*took_s) if number == len(played) - 1 else None
        counts.append(len(played))
    return one, every, float(np.mean(counts))


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
    found = [(0, client.memory())]
    for number in range(1, jobs + 1):
        options = {"tempo": 60 + number % 120}
        client.first_event_s("done", kind="change", song=song, parent=1, options=options)
        if number in (jobs // 10, jobs):
            found.append((number, client.memory()))
    return found


@benchmark(
    FOLDERS,
    argument("--songs", type=int, default=5, help="songs to compose, and to import and hear"),
    argument("--wait", type=float, default=1.0, help="seconds from drawing a song to playing it"),
    argument("--requests", type=int, default=1000, help="requests of all clients"),
    argument("--clients", type=int, default=20),
    argument("--jobs", type=int, default=1000, help="small jobs, after which memory is measured"),
    argument("--seed", type=int, default=0),
)
def studio(options: argparse.Namespace) -> None:
    """Measure a studio in a process of its own, as a page uses it.

    "First page" is the time from starting the command to the page, "state" to the labels and options of the
    model. "First note" is the time from asking for a song of 16 bars to the first event with notes, "first
    bar" that from asking for the first bar with notes to its sound. Wall-clock times depend on what else runs
    on the machine; processor times are those of the processes that do it.
    """
    with TemporaryDirectory() as folder:
        client = Client(Path(folder) / "songs")
        try:
            _measure(client, options)
        finally:
            client.close()


def _measure(client: Client, options: argparse.Namespace) -> None:
    """Print what is measured of a running studio."""
    page, state = Times(), Times()
    page.add(client.page_s, client.page_busy_s)
    state.add(client.state_s, client.state_busy_s)
    rows = [("first page", *page.cells()), ("state", *state.cells())]
    rows.append(("first note", *first_notes(client, options.songs).cells()))
    imported = []
    for number, file in enumerate(draw_files(options.folders, options.songs, options.seed)):
        status, body = client.ask("POST", f"/api/songs?name={number}.mid", file.read_bytes())
        imported += [json.loads(body)["id"]] if status == 201 else []
    one, every, parts = first_sounds(client, imported, options.wait)
    rows.append(("first bar of a part", *one.cells()))
    rows.append((f"first bar of all parts (mean {parts:.1f})", *every.cells()))
    print(table(("ms: median (range)", "wall clock", "processor"), rows), flush=True)
    found = storm(client, imported, options.requests, options.clients, options.seed)
    print(f"\n{options.requests:,} requests of {options.clients} clients: {found['wrong']} wrong answers, "
          f"{found['a second']:.0f} a second, 95% within {found['95% within ms']:.0f} ms")  # fmt: skip
    memory = many_jobs(client, imported[0], options.jobs)
    names = sorted({name for _, sizes in memory for name in sizes})
    print("\nMiB after so many jobs\n")
    print(table(("jobs", *names), [(count, *(sizes.get(n, 0) for n in names)) for count, sizes in memory]))
    print(f"\nload of the machine {load():.1f}")
