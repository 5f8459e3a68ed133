"""Processes of torchrun: how one ends."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("last, code", [("", 0), ("raise ValueError('late')", 1)])
def test_a_process_of_several_ends_at_once_and_says_how(last: str, code: int) -> None:
    # what is printed comes out, what would run later (registered before) does not, the exit code is right
    program = (
        "import atexit; from ritornello.training.distributed import _end; "
        "atexit.register(print, 'taken apart');"
        f"atexit.register(_end); print('done', end='');\n{last}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "done")
    assert ("late" in done.stderr) == bool(code)
