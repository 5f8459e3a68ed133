"""prepare: files that are not MIDI, and what it reports beside the outcomes."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from ritornello import midi
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.prepare import prepare
from ritornello.corpus.sources import scan
from tests.scores import tune

MIDI = midi.to_bytes(tune())[0]


def abc(number: int) -> bytes:
    notes = " ".join("CDEFGABc"[(number * k * k + k) % 8] for k in range(24))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:G\n{notes}|\n\n".encode()


def test_abc_books_and_packed_files(tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    (folder / "one.abc").write_bytes(abc(1))
    (folder / "book.abc").write_bytes(b"%abc-2.1\n\n" + abc(2) + abc(3) + b"X:4\nT:Nothing\nK:C\n")
    (folder / "packed.mid.gz").write_bytes(gzip.compress(MIDI))
    report = prepare(folder, tmp_path / "corpus", workers=1)
    corpus = Corpus.open(tmp_path / "corpus")
    names = {
        corpus.info(number).name for split in ("train", "valid", "test") for number in corpus.songs(split)
    }
    assert names == {"one.abc", "book.abc/1.abc", "book.abc/2.abc", "packed.mid.gz"}
    assert report.outcomes == {"kept": 4, "archive": 1, "unreadable": 1}
    assert prepare(folder, tmp_path / "corpus", workers=1).new == 0


def test_a_folder_without_permission_rare_labels_and_files_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "songs"
    (folder / "folk").mkdir(parents=True)
    (folder / "locked").mkdir()
    (folder / "folk" / "a.mid").write_bytes(MIDI)
    (folder / "one.abc").write_bytes(abc(1))
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if os.fsencode(path).rstrip(b"/").endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(scan.os, "scandir", refuse)
    report = prepare(folder, tmp_path / "corpus", workers=1)
    assert report.outcomes == {"kept": 2, "cannot open": 1}
    assert (report.rare_labels, report.gone) == ({"folk": 1}, 0)
    (folder / "one.abc").unlink()
    assert prepare(folder, tmp_path / "corpus", workers=1).gone == 1
