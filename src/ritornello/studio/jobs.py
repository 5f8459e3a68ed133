"""The jobs of the studio: long work that waits in a queue, is done one after another, and sends events."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from ritornello.errors import RitornelloError
from ritornello.studio.worker import GIB, FullError, Worker, WorkError

QUEUE_LIMIT = 8  # the most jobs that wait; more are refused
MAX_KEPT_JOBS = 64  # the most finished jobs that are kept with their events
MAX_SAMPLES = 16  # the most songs that are kept of one training
USUAL_JOB_S = 10.0  # the length of a job, assumed before any job has finished
LEARNING = ("learn", "doctor")  # kinds of jobs that have a process of their own
LEARNING_BYTES = 16 * GIB  # the limit of its address space, of which torch reserves much
ENDS = ("done", "failed", "cancelled")


class Emit(Protocol):
    """A function that adds an event to a job, from any thread; `sample` is a MIDI file that the job keeps."""

    def __call__(self, event: str, data: dict[str, Any], sample: bytes | None = None, /) -> None:
        """Add an event of this name, with data that JSON can hold."""


Work = Callable[[Worker, Emit], dict[str, Any]]
"""Does a job in a thread, by means of a worker process; returns the data of the last event, `done`."""


class Job:
    """One job, with its events as JSON texts."""

    def __init__(self, number: str, kind: str, song: str | None) -> None:
        self.number, self.kind, self.song = number, kind, song
        self.state = "queued"
        self.error: str | None = None
        self.progress: dict[str, Any] = {}
        self.samples: dict[int, bytes] = {}
        """The last MAX_SAMPLES songs that a model composed while it was trained, as MIDI files by number."""
        self._log: list[tuple[str, str]] = []
        self._progress_count = 0
        self._changed = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether its last event has come."""
        return self.state in ENDS

    def add(self, event: str, data: dict[str, Any], sample: bytes | None = None) -> None:
        """Add an event, and wake all readers of `follow`. Only the last event of progress is kept."""
        if self.has_ended:
            return
        if sample is not None:
            number = max(self.samples, default=0) + 1
            self.samples[number] = sample
            self.samples.pop(number - MAX_SAMPLES, None)
            data = {**data, "url": f"/api/jobs/{self.number}/samples/{number}.wav"}
        if event == "progress":
            self.progress, self._progress_count = data, self._progress_count + 1
        else:
            self._log.append((event, json.dumps(data, separators=(",", ":"))))
        if event in ENDS:
            self.state, self.error = event, data.get("error")
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def follow(self) -> AsyncIterator[tuple[str, str]]:
        """Yield all events, from the first one to the last, as they come."""
        read = read_progress = 0
        while True:
            changed, has_ended = self._changed, self.has_ended
            for event in self._log[read:]:
                read += 1
                yield event
            if self._progress_count > read_progress and not has_ended:
                read_progress = self._progress_count
                yield "progress", json.dumps(self.progress)
            if has_ended:
                return
            await changed.wait()

    def to_dict(self) -> dict[str, Any]:
        """The job as JSON."""
        progress = {name: self.progress.get(name) for name in ("done", "total", "left_s")}
        named = {"job": self.number, "kind": self.kind, "song": self.song, "state": self.state}
        return {**named, **progress, "error": self.error}


class JobQueue:
    """Does jobs one after another. Its methods must be called in the event loop."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self._composing = Worker("composing")
        self._learning = Worker("learning", LEARNING_BYTES)
        self._waiting: deque[tuple[Job, Work]] = deque()
        self._running: Job | None = None
        self._numbers = itertools.count(1)
        self._mean_s = USUAL_JOB_S
        self._thread = ThreadPoolExecutor(1, "jobs")
        self._task: asyncio.Task[None] | None = None

    def add(self, kind: str, song: str | None, work: Work) -> Job:
        """Queue a job. Raises FullError if QUEUE_LIMIT jobs wait."""
        if len(self._waiting) >= QUEUE_LIMIT:
            raise FullError(f"{QUEUE_LIMIT} jobs", math.ceil(self._mean_s))
        job = Job(str(next(self._numbers)), kind, song)
        self.jobs[job.number] = job
        self._waiting.append((job, work))
        self._delete_oldest()
        self._send_places()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return job

    def call_composer(self, request: dict[str, Any]) -> Awaitable[tuple[Any, list[bytes]]]:
        """Send a request to the composing process outside of the queue, so that it reads the model early."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._composing.call, request)

    def cancel(self, job: Job) -> None:
        """Cancel a job: remove it from the queue, or kill its process if it is running."""
        if job.has_ended:
            return
        self._waiting = deque(pair for pair in self._waiting if pair[0] is not job)
        is_running = job is self._running
        job.add("cancelled", {})
        if is_running:
            self._worker(job).kill()
        self._send_places()

    def close(self) -> None:
        """Cancel all jobs and end both processes."""
        for job in list(self.jobs.values()):
            self.cancel(job)
        self._composing.close()
        self._learning.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        """Do the jobs that wait, until there is none."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            job, work = self._waiting.popleft()
            self._running, job.state = job, "running"
            self._send_places()
            start_s = time.monotonic()

            def emit(event: str, data: dict[str, Any], sample: bytes | None = None, job: Job = job) -> None:
                loop.call_soon_threadsafe(job.add, event, data, sample)

            try:
                result = await loop.run_in_executor(self._thread, work, self._worker(job), emit)
            except (WorkError, RitornelloError) as error:
                job.add("failed", {"error": str(error)})
            except Exception as error:  # a fault of the program ends this job alone
                job.add("failed", {"error": f"{job.kind} failed: {type(error).__name__}: {error}"})
            else:
                await asyncio.sleep(0)  # the events that the thread sent come first
                job.add("done", result)
            self._mean_s += 0.3 * (time.monotonic() - start_s - self._mean_s)
            self._running = None
            if job.kind in LEARNING:
                self._learning.kill()  # frees its memory

    def _worker(self, job: Job) -> Worker:
        """The process that does a job."""
        return self._learning if job.kind in LEARNING else self._composing

    def _send_places(self) -> None:
        """Add an event with its place in the queue to each job that waits."""
        for place, (job, _) in enumerate(self._waiting, 1):
            job.add("queued", {"place": place})

    def _delete_oldest(self) -> None:
        """Delete the oldest finished jobs beyond MAX_KEPT_JOBS."""
        ended = [number for number, job in self.jobs.items() if job.has_ended]
        for number in ended[: max(0, len(ended) - MAX_KEPT_JOBS)]:
            del self.jobs[number]
