"""A folder becomes a corpus that grows: outcomes, duplicates, labels, and what must never change."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from ritornello import midi
from ritornello.corpus import read_files
from ritornello.corpus.corpus import Corpus
from ritornello.corpus.duplicates.sketch import VERSION as SKETCH_VERSION
from ritornello.corpus.prepare import prepare
from ritornello.corpus.workers import pool as pools
from ritornello.corpus.writing import shards as packing
from ritornello.errors import CorpusError, InputError, OutputError
from tests.corpus.folders import content, fill, outcomes, song

BAD = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; "
       "import runpy; runpy.run_module('tests.corpus.bad_worker', run_name='__main__')"]  # fmt: skip
POSIX = pytest.mark.skipif(os.name != "posix", reason="links, pipes and bytes in names as POSIX has them")


def test_every_file_has_one_outcome(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 3)
    (folder / "page.mid").write_bytes(b"<html>")
    (folder / "nothing.mid").touch()
    (folder / "same.mid").write_bytes(song(1))
    (folder / "half.mid").write_bytes(song(2)[:70])
    report = prepare(folder, tmp_path / "out", workers=2)
    assert outcomes(tmp_path / "out") == {
        "0000.mid": "kept", "0001.mid": "kept", "0002.mid": "kept", "half.mid": "unreadable",
        "nothing.mid": "empty", "page.mid": "not MIDI", "same.mid": "same file",
    }  # fmt: skip
    assert (report.files, report.kept, report.new) == (7, 3, 7)
    assert report.outcomes == {"kept": 3, "not MIDI": 1, "unreadable": 1, "empty": 1, "same file": 1}
    assert sum(report.splits.values()) == 3


def test_duplicates_name_the_song_that_is_kept(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    score = midi.read(folder / "0000.mid")
    midi.write(score, folder / "other.mid", comment="other bytes, the same notes")
    midi.write(score.transposed(3), folder / "up.mid")
    prepare(folder, tmp_path / "out", workers=1)
    corpus = Corpus.open(tmp_path / "out")
    infos = [corpus.info(i) for i in range(3)]
    (kept,) = (i for i, info in enumerate(infos) if info.outcome == "kept")
    first_by_hash = min(range(3), key=lambda i: infos[i].hash)
    assert kept == first_by_hash
    assert all(info.duplicate_of == kept and info.split == "" for info in infos if info.outcome != "kept")
    assert {info.outcome for info in infos} <= {"kept", "same notes", "transposed"}
    assert corpus.score(1) == midi.read(folder / corpus.info(1).name)  # copies can be looked at too


@POSIX
def test_odd_paths(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    (folder / os.fsdecode(b"caf\xe9.mid")).write_bytes(song(1))
    (folder / "[red]<b>&\n.mid").write_bytes(song(2))
    (folder / "loop").symlink_to(folder)
    (folder / "gone.mid").symlink_to("nothing")
    (folder / "shut.mid").write_bytes(song(3))
    (folder / "shut.mid").chmod(0)
    os.mkfifo(folder / "pipe.mid")
    prepare(folder, folder / "corpus", workers=1)
    expected = {
        "0000.mid": "kept", "[red]<b>&\n.mid": "kept", "caf\\xe9.mid": "kept", "gone.mid": "cannot open",
        "pipe.mid": "not a file", "shut.mid": "kept" if os.geteuid() == 0 else "cannot open",
    }  # fmt: skip
    assert outcomes(folder / "corpus") == expected
    assert prepare(folder, folder / "corpus", workers=1).files == 6  # and it is not taken for songs


def test_archives_and_their_songs_have_outcomes(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    with tarfile.open(folder / "set.tar.gz", "w:gz") as archive:
        for number in range(1, 4):
            info = tarfile.TarInfo(f"rock/{number}.mid")
            info.size = len(song(number))
            archive.addfile(info, io.BytesIO(song(number)))
    with zipfile.ZipFile(folder / "b.zip", "w") as zipped:
        zipped.writestr("x.mid", song(4))
        zipped.writestr("../y.mid", song(5))
    (folder / "c.tar").write_bytes(b"no archive" * 100)
    report = prepare(folder, tmp_path / "out", workers=2)
    assert outcomes(tmp_path / "out") == {
        "0000.mid": "kept", "b.zip/x.mid": "kept", "b.zip/../y.mid": "unsafe name", "b.zip": "archive",
        "c.tar": "damaged archive", "set.tar.gz": "archive",
        **{f"set.tar.gz/rock/{number}.mid": "kept" for number in (1, 2, 3)},
    }  # fmt: skip
    assert report.new == 9
    again = prepare(folder, tmp_path / "out", workers=2)
    assert (again.new, again.files) == (0, 9)


def test_labels_need_eight_songs_and_include_those_of_duplicates(tmp_path: Path) -> None:
    for number in range(8):
        fill(tmp_path / "in" / "folk", 1, first=number)
    fill(tmp_path / "in" / "rare", 7, first=20)
    prepare(tmp_path / "in", tmp_path / "out", workers=1)
    assert Corpus.open(tmp_path / "out").labels == ("folk",)
    fill(tmp_path / "in" / "rare", 1, first=3)  # a copy of a folk song: that song is rare too
    report = prepare(tmp_path / "in", tmp_path / "out", workers=1)
    assert report.labels == {"folk": 8, "rare": 8}
    corpus = Corpus.open(tmp_path / "out")
    both = [i for i in corpus.songs() if corpus.info(int(i)).labels == ("folk", "rare")]
    assert [corpus.info(int(i)).name for i in both] == ["folk/0003.mid"]


def test_labels_from_a_table(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in" / "all", 9)
    rows = [f"all/{number:04d}.mid,slow" for number in range(8)] + ["all/none.mid,slow"]
    (tmp_path / "labels.csv").write_text("path,label\n" + "\n".join(rows))
    report = prepare(folder.parent, tmp_path / "out", workers=1, labels=tmp_path / "labels.csv")
    assert (report.labels, report.unused_labels) == ({"slow": 8}, 1)


def test_shards_do_not_depend_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "in", 11)
    (folder / "0004b.mid").write_bytes(b"<html>")
    monkeypatch.setattr(read_files, "SHARD_SONGS", 4)
    seen = []
    for workers, files in ((1, 1), (2, 3), (2, 32)):
        monkeypatch.setattr(read_files, "BATCH_FILES", files)
        prepare(folder, tmp_path / f"out{files}", workers=workers)
        seen.append(content(tmp_path / f"out{files}"))
    assert seen[0] == seen[1] == seen[2]
    corpus = Corpus.open(tmp_path / "out1")
    assert [shard["songs"] for shard in corpus.manifest["shards"]] == [4, 4, 3]
    for i in range(len(corpus)):
        if corpus.note_counts[i]:
            assert corpus.score(i) == midi.read(folder / corpus.info(i).name)


def test_growing_reads_only_new_files_and_renumbers_nothing(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 10)
    prepare(folder, tmp_path / "out", workers=1)
    before = Corpus.open(tmp_path / "out")
    old = [before.info(i) for i in range(len(before))]
    old_shard = content(tmp_path / "out" / "shards")
    fill(folder, 5, first=10)
    for number in range(3):  # copies of kept songs, under names that come first
        (folder / f"000{number}a.mid").write_bytes(song(number))
    report = prepare(folder, tmp_path / "out", workers=2)
    after = Corpus.open(tmp_path / "out")
    assert report.new == 8
    assert [after.info(i) for i in range(10)] == old
    assert [after.info(i).outcome for i in range(10, 18)] == ["same file"] * 3 + ["kept"] * 5
    assert old_shard.items() <= content(tmp_path / "out" / "shards").items()
    assert len(list((tmp_path / "out").glob("index-*.parquet"))) == 1  # the old one is gone


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 4)
    prepare(folder, tmp_path / "out", workers=1)
    before = content(tmp_path / "out")
    assert prepare(folder, tmp_path / "out", workers=1).new == 0
    assert content(tmp_path / "out") == before


def test_a_file_with_a_new_date_is_read_again_once_and_keeps_its_row(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 4)
    prepare(folder, tmp_path / "out", workers=1)
    os.utime(folder / "0002.mid", (1, 1))
    news = [prepare(folder, tmp_path / "out", workers=1) for _ in range(2)]
    assert [(report.new, report.files) for report in news] == [(1, 4), (0, 4)]
    (folder / "0002.mid").write_bytes(song(9))  # another song under the same name is another song
    report = prepare(folder, tmp_path / "out", workers=1)
    assert (report.new, report.files, report.kept) == (1, 5, 5)


@POSIX
def test_retry_reads_crashed_files_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two songs that crash a worker, one in an archive, are read later by a worker that does not crash."""
    folder = fill(tmp_path / "in", 4)
    (folder / "0001b.mid").write_bytes(song(9) + b"CRASH")
    (folder / "page.mid").write_bytes(b"<html>")
    with zipfile.ZipFile(folder / "set.zip", "w") as archive:
        archive.writestr("bad.mid", song(8) + b"EXIT")
        archive.writestr("good.mid", song(7))
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(pools, "COMMAND", BAD)
        first = prepare(folder, out, workers=1)
        assert (first.files, first.outcomes["crashed"]) == (9, 2)
        assert prepare(folder, out, workers=1).new == 0
        again = prepare(folder, out, workers=1, retry=True)  # they fare no better, and get no second row
        assert (again.new, again.files, again.outcomes["crashed"]) == (
            3,
            9,
            2,
        )  # the archive is opened for it
    before = {name: outcome for name, outcome in outcomes(out).items() if outcome != "crashed"}
    assert prepare(folder, out, workers=1).new == 0
    mended = prepare(folder, out, workers=1, retry=True)
    assert (mended.new, mended.kept, mended.files) == (3, first.kept + 2, 11)
    assert mended.outcomes["read again"] == 2
    assert "crashed" not in mended.outcomes
    assert outcomes(out) == before | {"0001b.mid": "kept", "set.zip/bad.mid": "kept"}
    assert prepare(folder, out, workers=1).new == 0
    assert prepare(folder, out, workers=1, retry=True).files == 11


def test_sketches_of_another_version_are_noticed(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 3)
    prepare(folder, tmp_path / "out", workers=1)
    file = tmp_path / "out" / "manifest.json"
    manifest = json.loads(file.read_text())
    assert manifest["settings"]["sketch"] == SKETCH_VERSION
    del manifest["settings"]["sketch"]  # as before it had a number, which is the same as 1
    file.write_text(json.dumps(manifest))
    assert prepare(folder, tmp_path / "out", workers=1).files == 3
    manifest["settings"]["sketch"] = SKETCH_VERSION + 1
    file.write_text(json.dumps(manifest))
    with pytest.raises(CorpusError, match=r"version 2: must be version 1 to grow.*another --out"):
        prepare(folder, tmp_path / "out", workers=1)
    assert len(Corpus.open(tmp_path / "out").songs()) == 3  # it can still be trained on


def test_nothing_to_prepare(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"contains no \.mid"):
        prepare(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "x.mid").write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"no song of .* can be kept: 1 not MIDI"):
        prepare(tmp_path / "in", tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_something_else(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    with pytest.raises(CorpusError, match="is a file: must be a new folder or a corpus"):
        prepare(folder, folder / "0000.mid")
    with pytest.raises(CorpusError, match="is neither empty nor a corpus"):
        prepare(folder, folder, workers=1)
    assert content(folder) == {"0000.mid": song(0)}


def test_a_corpus_has_one_set_of_settings(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    prepare(folder, tmp_path / "out", workers=1)
    with pytest.raises(CorpusError, match="was made with reader 'symusic', not 'mido'"):
        prepare(folder, tmp_path / "out", reader="mido")


def test_mido_reads_the_same_songs(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 3)
    for reader in ("symusic", "mido"):
        prepare(folder, tmp_path / reader, workers=1, reader=reader)  # type: ignore[arg-type]
    ours, reference = (content(tmp_path / reader / "shards") for reader in ("symusic", "mido"))
    assert ours == reference


def test_progress(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    prepare(fill(tmp_path / "in", 5), tmp_path / "out", workers=1, progress=lambda *now: calls.append(now))
    assert calls[-2:] == [(5, 5, "reading"), (0, 0, "finding duplicates")]


def test_the_originals_are_not_touched(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 3)
    before = content(folder)
    prepare(folder, folder / "corpus", workers=1)
    shutil.rmtree(folder / "corpus")
    assert content(folder) == before


def test_a_second_writer_is_refused_at_once_with_the_name_of_the_first(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", 1)
    holder = (
        "import sys, time; from pathlib import Path; from ritornello.system.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    prepare(folder, tmp_path / "out", workers=1)
    command = [sys.executable, "-c", holder, str(tmp_path / "out" / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            began = time.monotonic()
            with pytest.raises(InputError, match=f"is being written by process {process.pid} on .*: wait"):
                prepare(folder, tmp_path / "out", workers=1)
            assert time.monotonic() - began < 1
        finally:
            process.kill()
    assert prepare(folder, tmp_path / "out", workers=1).new == 0  # the lock went with its holder


def test_an_interrupted_run_keeps_finished_shards_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "in", 9)
    monkeypatch.setattr(read_files, "SHARD_SONGS", 2)
    monkeypatch.setattr(read_files, "BATCH_FILES", 1)

    def interrupt(done: int, total: int, text: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, tmp_path / "out", workers=2, progress=interrupt)
    with pytest.raises(CorpusError, match="is not finished: run `ritornello prepare` again"):
        Corpus.open(tmp_path / "out")
    assert prepare(folder, tmp_path / "out", workers=2).new == 5  # two shards of two were finished
    prepare(folder, tmp_path / "whole", workers=2)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "in", 8)
    monkeypatch.setattr(read_files, "SHARD_SONGS", 4)
    prepare(folder, tmp_path / "whole", workers=1)
    prepare(fill(tmp_path / "some", 4), tmp_path / "out", workers=1)
    before = content(tmp_path / "out")

    def full(self: packing.ShardWriter, *_: object) -> None:
        raise OSError(28, "No space left on device")

    for number in range(4):  # the same files with the same dates, so that they are known
        shutil.copy2(tmp_path / "some" / f"{number:04d}.mid", folder)
    with monkeypatch.context() as patch:
        patch.setattr(packing.ShardWriter, "_write", full)
        with pytest.raises(OutputError, match=r"No space left on device: about [\d,]+ bytes are needed"):
            prepare(folder, tmp_path / "out", workers=1)
    assert content(tmp_path / "out") == before
    assert len(Corpus.open(tmp_path / "out")) == 4
    assert prepare(folder, tmp_path / "out", workers=1).kept == 8


def test_a_missing_pyarrow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r'pip install "ritornello\[train\]"'):
        prepare(fill(tmp_path / "in", 1), tmp_path / "out", workers=1)
