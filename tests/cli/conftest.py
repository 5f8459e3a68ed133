"""What the tests of commands share: typing one."""

from __future__ import annotations

import pytest

from ritornello.cli import main
from tests.folders import Say


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command: its exit code, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run
