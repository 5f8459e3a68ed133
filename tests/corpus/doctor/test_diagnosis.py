"""The outcomes of `doctor` are those of `prepare`; a second run reads nothing; bad files are no trouble."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.corpus.checks.check import CheckSettings
from ritornello.corpus.doctor.copy_clean import copy_songs
from ritornello.corpus.doctor.diagnosis import Diagnosis, diagnose
from ritornello.corpus.prepare import prepare
from ritornello.corpus.workers import pool as pools
from ritornello.errors import InputError, OutputError
from tests.corpus.folders import content, fill, outcomes, song

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes, signals and bytes in names as POSIX has them")
MAX_BYTES = CheckSettings().max_file_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with songs, duplicates of all kinds, files that are not songs, and an archive."""
    folder = fill(tmp_path / "in" / "rock", 12)
    fill(folder.parent / "folk", 9, first=12)
    score = midi.read(folder / "0003.mid")
    (folder / "again.mid").write_bytes(song(3))
    midi.write(score, folder / "other.mid", comment="other bytes, the same notes")
    midi.write(score.transposed(4), folder / "up.mid")
    (folder / "page.mid").write_bytes(b"<html>")
    (folder / "nothing.mid").touch()
    (folder / "half.mid").write_bytes(song(5)[:70])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, number in (("x/a.mid", 30), ("x/b.mid", 2), ("../evil.mid", 31), ("c.mid", 32)):
            archive.writestr(name, song(number))
    (folder.parent / "more.zip").write_bytes(packed.getvalue())
    return folder.parent


def by_name(diagnosis: Diagnosis) -> dict[str, str]:
    return {file.source.path.decode("utf-8", "backslashreplace"): file.outcome for file in diagnosis.files}


def test_outcomes_are_those_of_prepare(folder: Path, tmp_path: Path) -> None:
    prepare(folder, tmp_path / "corpus", workers=1)
    before = content(folder)
    diagnosis = diagnose(folder, workers=1)
    assert by_name(diagnosis) == outcomes(tmp_path / "corpus")
    assert set(diagnosis.outcomes) >= {
        "kept",
        "same file",
        "transposed",
        "not MIDI",
        "unsafe name",
        "archive",
    }
    assert content(folder) == before
    copy = next(file for file in diagnosis.files if file.outcome == "transposed")
    assert copy.copy_of is not None
    assert (copy.copy_of.outcome, copy.copy_of.copies) == ("kept", 3)
    assert copy.copy_of.labels == {"rock"}


def test_a_second_run_reads_nothing_and_gives_the_same_diagnosis(folder: Path) -> None:
    first = diagnose(folder, workers=1)
    second = diagnose(folder, workers=1)
    assert first.read_now == len(first.files) == 32  # with the archive's four songs
    assert second.read_now == 0
    assert by_name(second) == by_name(first)
    assert [file.row for file in second.files] == [file.row for file in first.files]


def test_only_what_is_new_or_changed_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diagnose(folder, workers=1)
    (folder / "rock" / "0000.mid").rename(folder / "folk" / "moved.mid")
    os.utime(folder / "rock" / "0001.mid", ns=(1, 1))
    (folder / "rock" / "0002.mid").write_bytes(song(99))
    (folder / "rock" / "0004.mid").unlink()
    diagnosis = diagnose(folder, workers=1)
    assert diagnosis.read_now == 1  # moved and touched ones are known by their content
    names = by_name(diagnosis)
    assert names["folk/moved.mid"] == names["rock/0002.mid"] == "kept"
    assert "rock/0000.mid" not in names
    assert "rock/0004.mid" not in names
    monkeypatch.setattr(pools, "COMMAND", [sys.executable, "-c", "raise SystemExit(9)"])
    assert by_name(diagnose(folder, workers=1)) == names  # and no worker is started at all


def test_a_stopped_run_is_not_lost(folder: Path) -> None:
    def stop(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diagnose(folder, workers=1, progress=stop)
    assert diagnose(folder, workers=1).read_now == 0  # all were in the first batch


def test_other_settings_and_damage_are_read_again(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    everything = diagnose(folder, workers=1, cache=cache).read_now
    (memory,) = cache.iterdir()
    assert (
        diagnose(folder, workers=1, cache=cache, checks=CheckSettings(reader="mido")).read_now == everything
    )
    diagnose(folder, workers=1, cache=cache)
    whole = memory.read_bytes()
    for damage in (b"", whole[:40], whole[:-9], b"\xff" * 400, whole.replace(b'"fate"', b'"fote"')):
        memory.write_bytes(damage)
        diagnosis = diagnose(folder, workers=1, cache=cache)
        assert diagnosis.read_now == everything
        assert diagnosis.outcomes["kept"] == 23
    memory.write_bytes(whole)
    assert diagnose(folder, workers=1, cache=cache).read_now == 0


def test_a_cache_that_cannot_be_written_is_reported(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    diagnosis = diagnose(folder, workers=1, cache=tmp_path / "file")
    assert "cannot write" in diagnosis.cache_problem
    assert diagnosis.outcomes["kept"] == 23


@POSIX
def test_bad_files_do_not_affect_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; "
           "import runpy; runpy.run_module('tests.corpus.bad_worker', run_name='__main__')"]  # fmt: skip
    monkeypatch.setattr(pools, "COMMAND", bad)
    folder = fill(tmp_path / "in", 6)
    for word in ("CRASH", "EXIT", "MEMORY"):
        (folder / f"{word}.mid").write_text(word)
    os.mkfifo(folder / "pipe.mid")
    (folder / os.fsdecode(b"\xff[red].mid")).write_bytes(song(50))
    diagnosis = by_name(diagnose(folder, workers=2))
    assert {name: outcome for name, outcome in diagnosis.items() if outcome != "kept"} == {
        "CRASH.mid": "crashed", "EXIT.mid": "crashed", "MEMORY.mid": "out of memory",
        "pipe.mid": "not a file",
    }  # fmt: skip
    assert diagnosis["\\xff[red].mid"] == "kept"
    assert len(diagnosis) == 11
    assert diagnose(folder, workers=2).read_now == 0
    assert diagnose(folder, workers=2, retry=True).read_now == 3


def test_labels_from_a_table(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nrock/0000.mid,slow\nmore.zip/x/a.mid,slow\nrock/none.mid,slow\n")
    diagnosis = diagnose(folder, workers=1, labels=table)
    slow = [file.source.path for file in diagnosis.kept if "slow" in file.labels]
    assert slow == [b"more.zip/x/a.mid", b"rock/0000.mid"]
    assert diagnosis.unused_labels == 1
    assert {label for file in diagnosis.kept for label in file.labels} == {"slow", "rock", "folk", "x"}


def test_a_folder_without_songs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"contains no \.mid"):
        diagnose(tmp_path)


def test_kept_songs_are_copied(folder: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(folder, workers=1)
    before = content(folder)
    out = tmp_path / "out" / "clean"
    assert copy_songs(diagnosis, out, MAX_BYTES) == len(diagnosis.kept) == 23
    copied = content(out)
    assert set(copied) == {file.source.path.decode() for file in diagnosis.kept}
    assert copied["more.zip/x/a.mid"] == song(30)
    assert all(data == before[name] for name, data in copied.items() if not name.startswith("more.zip"))
    assert (out / "folk" / "0012.mid").stat().st_mtime_ns == (folder / "folk" / "0012.mid").stat().st_mtime_ns
    assert content(folder) == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clean"]
    assert diagnose(out, workers=1).outcomes == {"kept": 23}


def test_a_file_that_has_changed_is_not_copied(folder: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(folder, workers=1)
    (folder / "folk" / "0013.mid").write_bytes(song(77))
    assert copy_songs(diagnosis, tmp_path / "out", MAX_BYTES) == 22
    assert not (tmp_path / "out" / "folk" / "0013.mid").exists()


def test_an_interrupted_copy_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(folder, workers=1)

    def stop(done: int, total: int, what: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_songs(diagnosis, tmp_path / "out", MAX_BYTES, stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(InputError, match="out' is not empty: must be a new folder"):
        copy_songs(diagnosis, tmp_path / "out", MAX_BYTES)
    with pytest.raises(InputError, match="is a file"):
        copy_songs(diagnosis, folder / "rock" / "0001.mid", MAX_BYTES)
    with pytest.raises(OutputError, match="cannot write"):
        copy_songs(diagnosis, folder / "rock" / "0001.mid" / "out", MAX_BYTES)


def test_strange_names_in_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, name in enumerate(("a.mid", "a.mid/b.mid", "c" * 300 + ".mid", "ok.mid")):
            archive.writestr(name, song(number))
    (folder / "odd.zip").write_bytes(packed.getvalue())
    diagnosis = diagnose(folder, workers=1)
    assert copy_songs(diagnosis, tmp_path / "out", MAX_BYTES) == 2
    assert set(content(tmp_path / "out")) == {"odd.zip/a.mid", "odd.zip/ok.mid"}
