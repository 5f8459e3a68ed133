"""Work in several processes: in order, whole, and not ended by an item that ends its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ritornello.system import processes
from ritornello.system.processes import available_cores, in_processes

FORKS = sys.platform not in ("win32", "darwin")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_order(count: int) -> None:
    factor = 3  # a function of the caller, which cannot be pickled
    results = in_processes(lambda item: factor * item, range(50), count, lambda item: -1)
    assert list(results) == [3 * item for item in range(50)]
    assert available_cores() >= 1


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_items_sent_one_at_a_time_are_shared_by_all_processes() -> None:
    def work(item: int) -> int:
        time.sleep(0.05)
        return os.getpid()

    few = list(in_processes(work, range(4), 2, lambda item: -1, items_at_once=1))
    assert len(set(few)) == 2
    assert len(set(in_processes(work, range(4), 2, lambda item: -1))) == 1  # one chunk of eight


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_an_item_that_ends_its_process_is_left_out() -> None:
    def work(item: int) -> int:
        if item in (13, 14, 30):
            os._exit(9)
        return item

    results = list(in_processes(work, range(40), 2, lambda item: -item))
    assert results == [-item if item in (13, 14, 30) else item for item in range(40)]


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_processes_that_send_long_results_are_ended_at_once() -> None:
    """A pipe holds 64 KiB: at the end, both processes are in the middle of an answer."""
    for _ in range(5):
        with closing(in_processes(lambda _: bytes(100_000), range(400), 2, lambda _: b"")) as results:
            assert len(next(results)) == 100_000
        assert not multiprocessing.active_children()


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_a_process_killed_while_it_sends_is_replaced() -> None:
    results = in_processes(lambda item: bytes(100_000 + item), range(40), 2, lambda _: b"")
    lengths = [len(next(results))]
    for process in multiprocessing.active_children():
        process.kill()
    lengths += [len(result) for result in results]
    assert lengths == [100_000 + item for item in range(40)]


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_processes_end_when_the_one_that_forked_them_is_killed() -> None:
    code = (
        "import os, signal, sys, multiprocessing as m; from ritornello.system.processes import in_processes\n"
        "for item in in_processes(lambda item: item, range(1000), 2, abs):\n"
        "    print(*(each.pid for each in m.active_children()), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    left, until = list(map(int, done.stdout.split())), time.monotonic() + 30
    assert len(left) == 2
    while any(map(is_alive, left)):
        assert time.monotonic() < until
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(not FORKS, reason="it needs to fork")
def test_ctrl_c_twice_ends_all_processes() -> None:
    code = (
        "import os, signal, time; from ritornello.system.processes import in_processes\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have disabled it
        "for item in in_processes(lambda item: time.sleep(0.05), range(1000), 2, abs):\n"
        "    os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGINT)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode  # the second signal may end Python before it prints anything


def test_where_forking_is_not_safe_one_process_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.sys, "platform", "darwin")
    own = os.getpid()
    assert list(in_processes(lambda _: os.getpid(), range(3), 4, lambda _: 0)) == [own] * 3


def test_an_error_of_the_function_is_raised() -> None:
    def work(item: int) -> int:
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        list(in_processes(work, range(3), 2, lambda item: 0))
