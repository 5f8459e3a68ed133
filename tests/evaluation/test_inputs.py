"""The songs of a folder: which files are read, and the reasons for the others."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.corpus.prepare import prepare
from ritornello.errors import InputError
from ritornello.evaluation.inputs import FolderSongs, open_songs
from tests.folders import wandering, write_songs


def test_files_in_folders_and_archives(tmp_path: Path) -> None:
    write_songs(tmp_path / "midi", 2)
    midi.write(wandering(5, 4), tmp_path / "short.mid")
    with zipfile.ZipFile(tmp_path / "midi" / "more.zip", "w") as archive:
        archive.write(tmp_path / "short.mid", "folk/short.mid")
        archive.writestr("broken.mid", b"MThd")
    (tmp_path / "midi" / "bad.zip").write_bytes(b"no archive")
    os.mkfifo(tmp_path / "midi" / "pipe.mid")
    found = open_songs(tmp_path / "midi")
    assert isinstance(found, FolderSongs)
    by_name = {name: (len(score), labels) for name, score, labels in found}
    assert by_name["more.zip/folk/short.mid"] == (
        5,
        ("folk",),
    )  # short ones too, with their folders as labels
    assert by_name["game/song001.mid"][1] == ("game",)
    assert len(by_name) == 3
    assert {name: reason.split(":")[0] for name, reason in found.skipped.items()} == {
        "bad.zip": "damaged archive",
        "more.zip/broken.mid": "unreadable",
        "pipe.mid": "not a file",
    }


def test_the_hash_is_of_names_and_bytes(tmp_path: Path) -> None:
    def hashed() -> str:
        found = open_songs(tmp_path)
        assert list(found)
        return found.hash

    write_songs(tmp_path, 2)
    first = hashed()
    assert hashed() == first
    (tmp_path / "folk" / "song000.mid").rename(tmp_path / "folk" / "other.mid")
    renamed = hashed()
    (tmp_path / "folk" / "other.mid").write_bytes((tmp_path / "game" / "song001.mid").read_bytes())
    assert len({first, renamed, hashed()}) == 3


def test_a_corpus_gives_a_split_with_labels(tmp_path: Path) -> None:
    write_songs(tmp_path / "midi", 60)
    prepare(tmp_path / "midi", tmp_path / "corpus", workers=1)
    found = open_songs(tmp_path / "corpus")
    each = list(found)
    assert found.split == "valid"
    assert 0 < len(each) == len(found) < 60
    assert all(labels == (name.split("/")[0],) for name, _, labels in each)


def test_a_folder_has_no_splits(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"split 'test' of .*only a corpus has splits"):
        open_songs(tmp_path, "test")
