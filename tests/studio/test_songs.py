"""The folder of songs: versions, undo and branches, and what a crash may leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ritornello.errors import InputError
from ritornello.studio.songs import ConflictError, NewVersion, NotFoundError, SongsFolder


@pytest.fixture
def folder(tmp_path: Path) -> SongsFolder:
    return SongsFolder(tmp_path / "songs")


def version(number: int) -> NewVersion:
    return NewVersion(b"MThd%d" % number, f"step {number}")


def test_a_song_is_a_folder_of_plain_files(folder: SongsFolder) -> None:
    made = folder.create("My Söng / 2", version(1))
    assert made == {"id": "my-song-2", "head": 1}
    path = folder.path / "my-song-2"
    assert (path / "versions" / "0001.mid").read_bytes() == b"MThd1"
    assert json.loads((path / "song.json").read_text())["name"] == "My Söng / 2"
    assert folder.create("my song 2", version(1))["id"] == "my-song-2-2"


def test_models_that_were_learnt_have_the_names_of_their_folders(folder: SongsFolder) -> None:
    assert folder.models() == []
    for name in ("Bach & Co-model", "a-model"):
        (folder.path / "models" / name).mkdir(parents=True)
        (folder.path / "models" / name / "model.json").write_text("{}")
    (folder.path / "models" / "unfinished").mkdir()
    assert folder.models() == ["Bach & Co-model", "a-model"]


def test_undo_redo_and_branches_move_the_head_in_a_tree(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    assert [folder.add(song, 1, version(2)), folder.add(song, 2, version(3))] == [2, 3]
    assert folder.update(song, {"head": 1})["head"] == 1  # undo, twice
    assert folder.add(song, 1, version(4)) == 4  # a branch
    parents = {each["version"]: each["parent"] for each in folder.song(song)["versions"]}
    assert parents == {1: None, 2: 1, 3: 2, 4: 1}
    assert folder.midi(song, 3) == b"MThd3"  # nothing is lost
    assert folder.root(song, 3) == folder.root(song, 4) == 1


def test_a_take_is_not_the_head_until_it_is_accepted(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    takes = [folder.add(song, 1, version(n), is_take=True) for n in (2, 3)]
    before = folder.song(song)
    assert before["head"] == 1
    assert [each["take"] for each in before["versions"]] == [False, True, True]
    after = folder.update(song, {"head": takes[1]}, expected_head=1)
    assert after["head"] == 3
    assert [each["take"] for each in after["versions"]] == [False, True, False]


def test_a_change_to_a_song_that_has_changed_is_refused(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    folder.add(song, 1, version(2))
    with pytest.raises(ConflictError, match="head 1: the song is at version 2"):
        folder.update(song, {"head": 1}, expected_head=1)


@pytest.mark.parametrize("name", ["..", "a/../b", "/etc", "", "trash", "models", "A", "a" * 65, ".lock"])
def test_other_names_are_no_songs(folder: SongsFolder, name: str) -> None:
    folder.create("tune", version(1))
    (folder.path / "trash").mkdir()
    with pytest.raises(NotFoundError):
        folder.song(name)


WRONG = [{"head": 9}, {"head": "1"}, {"head": True}, {"mixer": []}, {"locks": {}}, {"id": "x"}, {"name": 1}]


@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_change_is_refused_and_changes_nothing(
    folder: SongsFolder, changes: dict[str, object]
) -> None:
    song = folder.create("tune", version(1))["id"]
    before = folder.song(song)
    with pytest.raises(InputError):
        folder.update(song, changes)
    assert folder.song(song) == before


def test_a_deleted_song_lies_in_the_trash(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    folder.delete(song)
    assert folder.listing() == []
    (kept,) = (folder.path / "trash").iterdir()
    assert (kept / "versions" / "0001.mid").is_file()
    assert folder.create("tune", version(2))["id"] == "tune"


def test_what_a_crash_leaves_is_cleared_and_whole_songs_stay(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    versions = folder.path / song / "versions"
    (versions / "0002.mid").write_bytes(b"half")  # its .json was not written yet: no version
    (versions / ".0002.json.abc.tmp").write_bytes(b"{")
    (folder.path / ".new-abc").mkdir()
    again = SongsFolder(folder.path)
    assert [each["version"] for each in again.song(song)["versions"]] == [1]
    assert again.add(song, 1, version(2)) == 2
    assert again.midi(song, 2) == b"MThd2"
    assert not list(folder.path.glob(".new-*")) and not list(versions.glob(".*"))


def test_a_damaged_song_file_leaves_its_versions(folder: SongsFolder) -> None:
    song = folder.create("tune", version(1))["id"]
    folder.add(song, 1, version(2))
    (folder.path / song / "song.json").write_text("{")
    assert folder.song(song)["head"] == 1
    (folder.path / song / "song.json").write_text('{"head": 7}')
    assert folder.song(song)["head"] == 2
