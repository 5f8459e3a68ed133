"""Floods, jobs that are cancelled, and the end of the studio by Ctrl-C and by kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.studio.jobs import QUEUE_LIMIT
from ritornello.studio.songs import SongsFolder
from tests.studio.conftest import Studio, runs, wait_until

LONG = {"kind": "compose", "options": {"genre": "piano", "bars": 40, "seed": 1}}


def test_a_flood_of_jobs_is_refused_with_a_time_to_come_back(studio: Studio) -> None:
    answers = [studio.ask("POST", "/api/jobs", LONG) for _ in range(QUEUE_LIMIT + 4)]
    accepted = [answer.json["job"] for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status == 429]
    try:
        assert QUEUE_LIMIT <= len(accepted) <= QUEUE_LIMIT + 1
        assert refused and len(accepted) + len(refused) == len(answers)
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert "8 jobs are waiting" in refused[0].json["error"]
        waiting = [job for job in studio.ask("GET", "/api/jobs").json if job["state"] == "queued"]
        assert len(waiting) >= QUEUE_LIMIT - 1
    finally:
        for job in accepted:
            assert studio.ask("DELETE", f"/api/jobs/{job}").json["state"] == "cancelled"
    assert studio.events(accepted[-1])[-1] == ("cancelled", {})


def test_a_running_job_is_cancelled_at_once_and_the_next_one_is_done(studio: Studio) -> None:
    job = studio.ask("POST", "/api/jobs", LONG).json["job"]
    assert wait_until(lambda: studio.ask("GET", f"/api/jobs/{job}").json["done"], 60)
    songs = studio.ask("GET", "/api/songs").json
    assert studio.ask("DELETE", f"/api/jobs/{job}").status == 200
    event, data = studio.do(kind="sketch", options={"genre": "fiddle", "bars": 8, "seed": 1})[-1]
    assert (event, len(data["sketch"]["bars"])) == ("done", 8)
    assert studio.ask("GET", "/api/songs").json == songs


def test_a_flood_of_requests_gets_right_answers_or_429(studio: Studio, tune_file: bytes) -> None:
    song = studio.import_song(tune_file, "flood.mid")
    paths = [f"/api/songs/{song}/versions/1/sound/0/{bar % 3}.wav" for bar in range(120)]
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda path: studio.ask("GET", path), paths))
    assert {answer.status for answer in answers} <= {200, 429}
    by_path: dict[str, set[bytes]] = {}
    for path, answer in zip(paths, answers, strict=True):
        if answer.status == 200:
            by_path.setdefault(path, set()).add(answer.body)
    assert len(by_path) == 3
    assert all(len(bodies) == 1 for bodies in by_path.values())


def test_ctrl_c_ends_it_its_processes_and_the_events_of_jobs(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "songs")
    job = studio.ask("POST", "/api/jobs", LONG).json["job"]
    with ThreadPoolExecutor(1) as pool:
        events = pool.submit(studio.events, job)
        assert wait_until(lambda: studio.ask("GET", f"/api/jobs/{job}").json["state"] == "running")
        workers = studio.workers()
        studio.process.send_signal(signal.SIGINT)
        assert events.result(20)[-1] == ("cancelled", {})
    assert studio.process.wait(20) == 0
    assert len(workers) >= 2 and wait_until(lambda: not any(map(runs, workers)))
    studio.close()


def test_two_studios_do_not_write_one_folder(studio: Studio) -> None:
    command = [sys.executable, "-m", "ritornello", "studio", str(studio.songs), "--no-browser"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert "is being written by process" in run.stderr and len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("wait_s", [0.05, 0.2])
def test_kill_in_the_midst_of_saving_loses_nothing(tmp_path: Path, tune_file: bytes, wait_s: float) -> None:
    studio = Studio(tmp_path / "songs")
    song = studio.import_song(tune_file)
    notes = studio.ask("GET", f"/api/songs/{song}/versions/1").json["notes"]
    saved: list[int] = []

    def edit() -> None:
        with suppress(OSError, ValueError, KeyError, HTTPException):
            while True:
                body = {"parent": 1, "action": "edit", "notes": notes}
                saved.append(studio.ask("POST", f"/api/songs/{song}/versions", body).json["version"])

    editing = threading.Thread(target=edit)
    editing.start()
    assert wait_until(lambda: len(saved) > 2)
    time.sleep(wait_s)
    workers = studio.workers()
    studio.process.kill()
    editing.join()
    studio.close()
    assert len(workers) == 3
    assert wait_until(lambda: not any(map(runs, workers)))
    folder = SongsFolder(tmp_path / "songs")
    found = folder.song(song)
    assert {each["version"] for each in found["versions"]} >= {1, *saved}
    for version in found["versions"]:
        assert len(midi.parse(folder.midi(song, version["version"])).score) == len(notes["part"])
    assert found["head"] >= saved[-1]
    assert not list(tmp_path.glob("songs/**/.*.tmp"))


def test_a_file_that_ends_the_process_leaves_the_others_running(studio: Studio, tune_file: bytes) -> None:
    song = studio.import_song(tune_file, "victim.mid")
    for worker in studio.workers():
        if "files" in Path(f"/proc/{worker}/cmdline").read_text():
            os.kill(worker, signal.SIGKILL)
            # a busy machine may deliver the signal after the next request
            assert wait_until(lambda worker=worker: not runs(worker))
    assert studio.ask("GET", f"/api/songs/{song}/versions/1").status == 200
    assert studio.import_song(tune_file, "next.mid") == "next"  # a new process


def test_jobs_are_described_and_others_are_unknown(studio: Studio) -> None:
    events = studio.do(kind="sketch", options={"genre": "fiddle", "bars": 4, "seed": 2})
    number = studio.ask("GET", "/api/jobs").json[-1]["job"]
    assert json.loads(studio.ask("GET", f"/api/jobs/{number}").body)["state"] == "done"
    kept = [[each for each in found if each[0] != "progress"] for found in (events, studio.events(number))]
    assert kept[0] == kept[1]  # the same again, for who comes late
    assert studio.ask("GET", "/api/jobs/999999").status == 404
