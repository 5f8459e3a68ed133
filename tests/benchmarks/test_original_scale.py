"""Files that come again are read as MIDI, in their own folders, and no two are the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.original_scale import repeat_files
from ritornello import midi
from ritornello.errors import InputError
from tests.folders import write_songs


def test_files_come_again_with_other_bytes(tmp_path: Path) -> None:
    root = write_songs(tmp_path / "midi", 4)
    files = sorted(root.rglob("*.mid"))
    assert repeat_files(files, root, tmp_path / "out", 10) == 6
    made = sorted((tmp_path / "out").rglob("*.mid"))
    assert len(made) == 10 and len({path.read_bytes() for path in made}) == 10
    assert {path.parent.name for path in made} == {"folk", "game"}
    assert all(midi.read(path) == midi.read(files[0]) for path in made if path.name.startswith("song000"))
    assert repeat_files(files, root, tmp_path / "out", 10) == 6  # again: nothing is written twice
    with pytest.raises(InputError, match="has no MIDI files"):
        repeat_files([], root, tmp_path / "none", 10)
