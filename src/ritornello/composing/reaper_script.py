"""The script for the DAW REAPER: it composes takes of the selected MIDI item by the command line."""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ritornello.errors import InputError
from ritornello.system.files import file_path, write_bytes
from ritornello.system.version import __version__

FILE = "Ritornello.lua"


def reaper(path: str | Path = FILE, *, program: Sequence[str] | None = None) -> Path:
    """Write the script, which REAPER loads as a ReaScript; returns its path.

    The script runs `program`, by default this Python by its full path with `-m ritornello`, because REAPER
    may have another search path than a terminal. Raises InputError unless the path ends in .lua, OutputError.
    """
    target = file_path(path)
    if target.suffix.lower() != ".lua":
        raise InputError(f"{str(path)!r} must end in .lua")
    words = [sys.executable, "-m", "ritornello"] if program is None else program
    if any(character in word for word in words for character in '"\n]'):
        raise InputError(f"program {' '.join(words)!r}: must have no quotes and no brackets in its path")
    text = (files("ritornello") / "templates" / "reaper.lua").read_text(encoding="utf-8")
    text = text.replace("@VERSION@", __version__).replace(
        "@PROGRAM@", " ".join(f'"{word}"' for word in words)
    )
    write_bytes(target, text.encode())
    return target
