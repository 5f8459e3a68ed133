"""Real files, where RITORNELLO_DATA names a folder of them: both readers agree, and what is written is read.

    RITORNELLO_DATA=~/data/clean pytest tests/test_real_files.py

RITORNELLO_FILES says how many are drawn (300 unless it is set); the same are drawn every time.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from ritornello.errors import MidiError
from ritornello.midi import parse, to_bytes
from ritornello.midi.reading import Reader

FOLDER = os.environ.get("RITORNELLO_DATA", "")
COUNT = int(os.environ.get("RITORNELLO_FILES", "300"))
ENDINGS = {".mid", ".midi", ".kar", ".rmi"}
MOST_BYTES = 500_000  # mido takes seconds for more

pytestmark = pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(),
    reason=f"RITORNELLO_DATA is {FOLDER!r}, no folder: set it to a folder of MIDI files to run this",
)


def sample() -> list[Path]:
    """Files drawn from the folder, always the same."""
    found = sorted(p for p in Path(FOLDER).rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    small = [path for path in found if path.stat().st_size <= MOST_BYTES]
    return random.Random(0).sample(small, min(COUNT, len(small)))


def outcome(data: bytes, reader: Reader) -> object:
    """A Parsed, or what was said instead of it."""
    try:
        return parse(data, name="file", reader=reader)
    except MidiError as error:
        assert "\n" not in str(error)
        return error


def test_both_readers_agree() -> None:
    different, refused_by_mido = [], Counter[str]()
    paths = sample()
    assert paths, f"no MIDI file in {FOLDER!r}"
    for path in paths:
        data = path.read_bytes()
        fast, reference = outcome(data, "symusic"), outcome(data, "mido")
        if isinstance(reference, MidiError):
            # mido refuses some that symusic reads: keys that are none, events of a wrong length
            refused_by_mido[str(reference).split("mido: ")[-1]] += not isinstance(fast, MidiError)
        elif fast != reference:
            different.append(str(path))
    assert different == []
    assert refused_by_mido.total() <= 0.02 * len(paths) + 1, refused_by_mido


def test_what_is_written_is_read_again() -> None:
    different = []
    for path in sample():
        found = outcome(path.read_bytes(), "symusic")
        if isinstance(found, MidiError):
            continue
        data, merged = to_bytes(found.score, comment="written by a test")  # type: ignore[attr-defined]
        back = parse(data).score
        if merged:  # only programs may have changed
            assert len(back) == len(found.score)  # type: ignore[attr-defined]
        elif back != found.score:  # type: ignore[attr-defined]
            different.append(str(path))
    assert different == []
